//! Marking incoming messages as read, and the typing indicator that may come with it.
//!
//! It must not know outgoing messages. Rules: Meta's mark-message-as-read page.

use crate::exchange::Reply;
use crate::whatsapp::WhatsApp;
use crate::whatsapp::error::{Checked, GraphError};
use crate::whatsapp::params::Params;
use crate::whatsapp::wamid;
use serde_json::json;

/// Marks the message and the earlier ones of its conversation.
///
/// An id that the sandbox has never given out is accepted when it looks like a message id: webhooks may have been made by others.
pub(super) fn read(wa: &WhatsApp, params: &Params<'_>) -> Checked<Reply> {
    params.one_of("status", &["read"])?;
    let id = params.text("message_id", 256)?;
    if let Some(indicator) = params.optional_child("typing_indicator")? {
        indicator.one_of("type", &["text"])?;
    }
    if !wamid::is_well_formed(id) {
        return Err(GraphError::with_details(
            131009,
            format!("Message ID '{id}' is not a valid message ID."),
        ));
    }
    if let Some(message) = wa.messages.get(id) {
        let (earlier, _) = wa.messages.log().since(0, |other| {
            other.seq <= message.seq
                && !other.read_by_business
                && other.direction == message.direction
                && other.phone_number_id == message.phone_number_id
                && other.contact.user_id == message.contact.user_id
        });
        for other in earlier {
            wa.messages.update(&other.id, |entry| entry.read_by_business = true);
        }
    }
    Ok(Reply::ok(json!({ "success": true })))
}
