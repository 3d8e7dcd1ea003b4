//! Webhooks to the connected server: their bodies ([`shape`]), bytes and signature ([`wire`]), the verification of a callback
//! ([`handshake`]) and the way there ([`Outbox`]).
//!
//! It must not know why a webhook is sent.

pub(crate) mod handshake;
mod outbox;
pub(crate) mod shape;
pub mod wire;

pub(crate) use outbox::{Outbox, Target, WebhookEntry};
