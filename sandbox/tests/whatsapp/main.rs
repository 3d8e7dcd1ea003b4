//! The stand-in over real HTTP on loopback, as a client and a server on both sides of it see it.
//!
//! It must not know the sandbox's insides: only its library interface and its wire.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall stop where it is")]

mod account;
mod content;
mod control;
mod disturbances;
mod inbound;
mod interactive;
mod media;
mod statuses;
mod support;
mod templates;
