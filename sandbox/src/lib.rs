//! Local stand-ins that speak the real wire protocols of the providers Sluice talks to, on loopback, with their documented
//! errors, limits, delays, duplicates and reordered webhooks on request.
//!
//! It must not know any other Sluice crate: real client libraries are pointed at it, and that keeps it honest.
//!
//! Layout: `config` (what the stand-in pretends to be), `clock` (time as an argument), `exchange` (one buffered request and its
//! answer), `journal` (what was received), `faults` (what shall go wrong), `server` (the listener and the way from a path to a
//! provider), `control` (the `/_sandbox` routes for people and tests), `smtp` (a mail server that keeps what it
//! receives) and one module per provider: [`whatsapp`], [`oauth`].
#![warn(missing_docs)]

pub mod clock;
pub mod config;
mod control;
mod exchange;
pub mod faults;
pub mod journal;
pub mod oauth;
mod random;
mod server;
mod smtp;
pub mod whatsapp;

pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{Number, RetryPolicy, SandboxConfig, StatusStep, WebhookShape};
pub use oauth::{OAuthConfig, OAuthUser};
pub use server::{Sandbox, SandboxError, router, serve};
pub use smtp::MailEntry;
