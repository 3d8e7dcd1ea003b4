//! WhatsApp over Meta's Cloud API: triggers for messages and statuses, sending, waiting for replies.
//! What is allowed and what goes over the wire is in pure modules (`limits`, `payload`, `interactive`,
//! `template`, `errors`, `keywords`, `reply`); the nodes put them together. Must not know SQL or the engine.

mod check;
pub mod desk;
mod errors;
mod event;
mod examples;
mod interactive;
mod interactive_params;
mod keywords;
mod limits;
mod mark_read;
mod media;
mod message;
mod message_received;
mod payload;
mod records;
mod reply;
mod send;
mod sender;
mod status_received;
mod template;
mod template_params;
#[cfg(test)]
mod tests;
mod wait_reply;

use desk::Desk;
use sluice_node_sdk::credential::CredentialKind;
use sluice_node_sdk::node::{DynNode, node};
use std::sync::Arc;

pub use payload::Recipient;

/// The time after a customer's last message in which messages other than templates may be sent.
const WINDOW: &str = "whatsapp";
/// Its length, milliseconds.
const WINDOW_MS: i64 = 24 * 3_600_000;

/// What a number is connected with, as people fill it in.
fn credential_kind() -> CredentialKind {
    CredentialKind::new("whatsapp", "WhatsApp", "Meta's permission to send from your numbers.").secret(
        "access_token",
        "Access token",
        "Of a system user with the permission whatsapp_business_messaging, from Meta's business settings",
    )
}

/// All WhatsApp nodes, working at this desk.
pub fn whatsapp_nodes(desk: Arc<dyn Desk>) -> Vec<Arc<dyn DynNode>> {
    vec![
        node(mark_read::MarkRead { desk: desk.clone() }),
        node(message_received::MessageReceived::default()),
        node(send::Send { desk }),
        node(status_received::StatusReceived),
        node(wait_reply::WaitReply),
    ]
}
