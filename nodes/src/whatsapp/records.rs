//! The [`Desk`] on real records. Must not know SQL; it only puts calls of `records` together.

use super::desk::{Answer, Desk, OnRecord, Sender, Sending, Thread, Trace};
use super::payload::Recipient;
use crate::records::node_error;
use serde_json::Value;
use sluice_node_sdk::error::NodeError;
use sluice_records::messages::{Delivery, Failure, Message, OutboundMessage};
use sluice_records::{Contact, Conversation, Identity, IdentityKind, RecordError, Records};

impl Desk for Records {
    fn numbers<'a>(&'a self, workspace_id: &'a str) -> Answer<'a, Vec<Sender>> {
        Box::pin(async move {
            let numbers = self.list_numbers(workspace_id).await.map_err(node_error)?;
            let sender = |number: sluice_records::Number| Sender {
                phone_number_id: number.phone_number_id,
                display_phone_number: number.display_phone_number,
                credential: Some(number.credential).filter(|name| !name.is_empty()),
            };
            Ok(numbers.into_iter().map(sender).collect())
        })
    }

    fn thread<'a>(&'a self, workspace_id: &'a str, conversation_id: &'a str) -> Answer<'a, Option<Thread>> {
        Box::pin(async move {
            let conversation = match self.conversation(workspace_id, conversation_id).await {
                Ok(conversation) => conversation,
                Err(RecordError::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(node_error(error)),
            };
            let contact = self.contact(workspace_id, &conversation.contact_id).await.map_err(node_error)?;
            Ok(Some(thread(conversation, &contact)))
        })
    }

    fn thread_with<'a>(
        &'a self,
        workspace_id: &'a str,
        phone_number_id: &'a str,
        recipient: &'a Recipient,
    ) -> Answer<'a, Option<Thread>> {
        Box::pin(async move {
            let Some(identity) = identity(recipient) else { return Ok(None) };
            let found = self.find_contact(workspace_id, &identity).await.map_err(node_error)?;
            let Some(contact) = found else { return Ok(None) };
            match self.open_conversation(workspace_id, phone_number_id, &contact.id).await {
                Ok(conversation) => Ok(Some(thread(conversation, &contact))),
                Err(RecordError::NotFound { .. }) => Ok(None),
                Err(error) => Err(node_error(error)),
            }
        })
    }

    fn trace<'a>(&'a self, workspace_id: &'a str, effect_id: &'a str) -> Answer<'a, Trace> {
        Box::pin(async move {
            let message = self.message_by_effect(workspace_id, effect_id).await.map_err(node_error)?;
            // Also of messages that have no record of their own, such as those to groups.
            let status = self.status_by_effect(workspace_id, effect_id).await.map_err(node_error)?;
            Ok(match (message, status) {
                (Some(message), _) if message.wamid.is_some() => Trace::Taken(on_record(message)),
                (_, Some(status)) => Trace::Taken(OnRecord {
                    conversation_id: None,
                    message_id: Some(status.wamid),
                    status: status.status,
                    error: status.error.and_then(|error| serde_json::to_value(error).ok()),
                }),
                (Some(message), None) if message.status == Delivery::Failed => Trace::NotSent,
                (Some(_), None) => Trace::Unknown,
                (None, None) => Trace::NotAnnounced,
            })
        })
    }

    fn keeps(&self, recipient: &Recipient) -> bool {
        identity(recipient).is_some()
    }

    fn announce<'a>(&'a self, sending: &'a Sending) -> Answer<'a, Option<OnRecord>> {
        Box::pin(async move {
            let Some(message) = outbound(self, sending).await? else { return Ok(None) };
            self.record_outbound_pending(&message).await.map(on_record).map(Some).map_err(node_error)
        })
    }

    fn accepted<'a>(&'a self, sending: &'a Sending, message_id: &'a str) -> Answer<'a, Option<OnRecord>> {
        Box::pin(async move {
            let Some(message) = outbound(self, sending).await? else { return Ok(None) };
            let accepted = self.record_outbound_accepted(&message, message_id).await;
            accepted.map(on_record).map(Some).map_err(node_error)
        })
    }

    fn refused<'a>(&'a self, sending: &'a Sending, error: &'a NodeError) -> Answer<'a, ()> {
        Box::pin(async move {
            let Some(message) = outbound(self, sending).await? else { return Ok(()) };
            self.record_outbound_failed(&message, &failure(error)).await.map_err(node_error)?;
            Ok(())
        })
    }
}

fn thread(conversation: Conversation, contact: &Contact) -> Thread {
    let phone = contact.address(&IdentityKind::Phone).map(|phone| Recipient::Phone(phone.to_owned()));
    let user = || contact.address(&IdentityKind::UserId).map(|id| Recipient::User(id.to_owned()));
    Thread {
        recipient: match &conversation.group_id {
            Some(group) => Some(Recipient::Group(group.clone())),
            None => phone.or_else(user),
        },
        conversation_id: conversation.id,
        phone_number_id: conversation.phone_number_id,
        window_expires_at: conversation.window_expires_at,
    }
}

/// What the recipient is known by; groups are nobody's identity, and numbers that are none are left to Meta.
fn identity(recipient: &Recipient) -> Option<Identity> {
    match recipient {
        Recipient::Phone(phone) => Identity::phone(phone, None).ok(),
        Recipient::User(id) => Identity::user_id(id).ok(),
        Recipient::Group(_) => None,
    }
}

/// The record of a message, with its contact found or made.
async fn outbound(records: &Records, sending: &Sending) -> Result<Option<OutboundMessage>, NodeError> {
    let Some(identity) = identity(&sending.recipient) else { return Ok(None) };
    let resolved = records.resolve_contact(&sending.workspace_id, &[identity], None).await;
    let (contact, _) = resolved.map_err(node_error)?;
    Ok(Some(OutboundMessage {
        workspace_id: sending.workspace_id.clone(),
        phone_number_id: sending.phone_number_id.clone(),
        contact_id: contact.id,
        effect_id: sending.effect_id.clone(),
        kind: sending.kind.clone(),
        content: sending.content.clone(),
    }))
}

fn on_record(message: Message) -> OnRecord {
    OnRecord {
        conversation_id: Some(message.conversation_id),
        message_id: message.wamid,
        status: message.status.as_text().to_owned(),
        error: message.error.and_then(|error| serde_json::to_value(error).ok()),
    }
}

/// Meta's words, kept by `errors` under `details.meta`.
fn failure(error: &NodeError) -> Failure {
    let meta = error.details.as_ref().and_then(|details| details.get("meta")).cloned().unwrap_or_default();
    Failure {
        code: meta.get("code").and_then(Value::as_i64).unwrap_or_default(),
        title: error.message.clone(),
        details: meta.get("details").and_then(Value::as_str).map(ToOwned::to_owned),
    }
}
