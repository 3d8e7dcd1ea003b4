//! The WhatsApp Cloud API as the Graph API serves it, with its webhooks.
//!
//! It must not know other providers or any Sluice crate. Facts come from Meta's public pages as collected in the project's
//! fact sheets (messages, webhooks, templates).

mod error;
mod graph;
mod inbound;
mod media;
mod messages;
mod numbers;
mod params;
mod people;
mod phone;
mod routes;
mod send;
mod statuses;
mod template_calls;
mod template_store;
mod wamid;
pub mod webhook;
mod world;

pub(crate) use error::GraphError;
pub(crate) use inbound::{AnyChange, BadInbound, Inbound, receive, send_change};
pub(crate) use messages::{Direction, Message};
pub(crate) use routes::{handle, probe, with_rate_headers};

use crate::clock::ShiftedClock;
use crate::config::SandboxConfig;
use crate::faults::Faults;
use crate::journal::lock;
use messages::Messages;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;
use webhook::Outbox;
use world::World;

/// The whole stand-in.
pub(crate) struct WhatsApp {
    pub(crate) config: Arc<SandboxConfig>,
    pub(crate) clock: Arc<ShiftedClock>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) messages: Messages,
    pub(crate) outbox: Outbox,
    world: Mutex<World>,
}

impl WhatsApp {
    pub(crate) fn new(
        config: Arc<SandboxConfig>,
        clock: Arc<ShiftedClock>,
        faults: Arc<Faults>,
        shutdown: CancellationToken,
    ) -> Result<Self, reqwest::Error> {
        let outbox = Outbox::new(&config, shutdown)?;
        let world = Mutex::new(World::new(&config));
        Ok(Self { config, clock, faults, messages: Messages::new(), outbox, world })
    }

    /// Connects the app's default callback, without the handshake.
    pub(crate) fn connect(&self, webhook_url: Option<String>) {
        lock(&self.world).app_callback = webhook_url;
    }

    /// The app's default callback.
    pub(crate) fn callback(&self) -> Option<String> {
        lock(&self.world).app_callback.clone()
    }

    /// Forgets everything but the configuration and the connected callback.
    pub(crate) fn reset(&self) {
        self.outbox.reset();
        self.messages.clear();
        let mut world = lock(&self.world);
        let callback = world.app_callback.take();
        *world = World::new(&self.config);
        world.app_callback = callback;
    }
}
