//! Changes that are neither messages nor statuses: consent, echoes of the business's own app, contact books, history,
//! and events of the account.

use aws_lc_rs::digest;
use serde_json::{Value, json};

use super::ingest::{Delivered, Ingested, failure, identities};
use super::message::{InboundMessage, array, items, seconds, text};
use super::webhook::Change;
use crate::messages::{Delivery, Direction};
use crate::seal::hex;
use crate::{Consent, Identity, MARKETING, RecordError, Records};

/// An event of the business account: it goes to every workspace with a number of that account.
pub(super) async fn account_event(
    records: &Records,
    change: &Change,
    inbound_id: Option<&str>,
) -> Result<Vec<Ingested>, RecordError> {
    // For events about partners the entry may name the partner; the customer's account is inside.
    let inner = change.value.get("waba_info").and_then(|info| text(info.get("waba_id")));
    let waba_id = inner.unwrap_or_else(|| change.waba_id.clone());
    let mut workspaces = records.workspaces_of_waba(&waba_id).await?;
    if workspaces.is_empty() && waba_id != change.waba_id {
        workspaces = records.workspaces_of_waba(&change.waba_id).await?;
    }
    if workspaces.is_empty() {
        let (waba_id, field) = (change.waba_id.clone(), change.field.clone());
        return Ok(vec![Ingested::NotConnected { waba_id, phone_number_id: None, field }]);
    }
    let is_new = is_new(records, change, inbound_id).await?;
    let event = |workspace_id| Ingested::Other {
        workspace_id,
        phone_number_id: None,
        field: change.field.clone(),
        value: change.value.clone(),
        is_new,
    };
    Ok(workspaces.into_iter().map(event).collect())
}

/// Events are recognised by account, field, time and content (for templates that is template, event and time). One
/// without a time can be told from its repetition only by its body.
async fn is_new(records: &Records, change: &Change, inbound_id: Option<&str>) -> Result<bool, RecordError> {
    let Some(inbound_id) = inbound_id else { return Ok(true) };
    let Some(time) = change.time else { return Ok(true) };
    let content = hex(digest::digest(&digest::SHA256, change.value.to_string().as_bytes()).as_ref());
    let key = format!("whatsapp|{}|{}|{time}|{content}", change.waba_id, change.field);
    records.first_seen(&key, inbound_id).await
}

/// An event of a connected number that is not a message.
pub(super) async fn number_event(one: &Delivered<'_>) -> Result<Vec<Ingested>, RecordError> {
    let mut found = match one.change.field.as_str() {
        "user_preferences" => one.preferences().await?,
        "smb_message_echoes" => one.echoes().await?,
        "smb_app_state_sync" => {
            one.contact_book().await?;
            Vec::new()
        }
        "history" => {
            one.history().await?;
            Vec::new()
        }
        _ => Vec::new(),
    };
    if found.is_empty() {
        found.push(one.other().await?);
    }
    Ok(found)
}

impl Delivered<'_> {
    /// The change as it is, for whoever is interested.
    pub(super) async fn other(&self) -> Result<Ingested, RecordError> {
        Ok(Ingested::Other {
            workspace_id: self.number.workspace_id.clone(),
            phone_number_id: Some(self.number.phone_number_id.clone()),
            field: self.change.field.clone(),
            value: self.change.value.clone(),
            is_new: is_new(self.records, self.change, self.inbound_id).await?,
        })
    }

    async fn preferences(&self) -> Result<Vec<Ingested>, RecordError> {
        let workspace_id = &self.number.workspace_id;
        let mut found = Vec::new();
        for preference in items(&self.change.value, "user_preferences") {
            let granted = match text(preference.get("value")).as_deref() {
                Some("stop") => false,
                Some("resume") => true,
                _ => continue,
            };
            let people = person(preference, "wa_id", "user_id");
            if people.is_empty() {
                continue;
            }
            let category = text(preference.get("category")).unwrap_or_default();
            let topic = if category == "marketing_messages" { MARKETING.to_owned() } else { category };
            let changed_at = seconds(preference.get("timestamp")).unwrap_or_else(|| self.records.now());
            let (contact, _) = self.records.resolve_contact(workspace_id, &people, None).await?;
            let consent = Consent { topic: topic.clone(), granted, source: "whatsapp".into(), changed_at };
            let changed = self.records.set_consent(workspace_id, &contact.id, &consent, None).await?;
            let key =
                format!("whatsapp|consent|{workspace_id}|{}|{topic}|{granted}|{changed_at}", contact.id);
            let is_new = match self.inbound_id {
                Some(inbound_id) => self.records.first_seen(&key, inbound_id).await?,
                None => changed,
            };
            let (workspace_id, contact_id) = (workspace_id.clone(), contact.id);
            found.push(Ingested::Consent { workspace_id, contact_id, topic, granted, is_new });
        }
        Ok(found)
    }

    /// What the business typed on its own phone: shown as outgoing, never answered.
    async fn echoes(&self) -> Result<Vec<Ingested>, RecordError> {
        let mut found = Vec::new();
        for raw in items(&self.change.value, "message_echoes") {
            let Some(message) = InboundMessage::read(raw, &self.change.value) else { continue };
            let people = person(raw, "to", "to_user_id");
            if people.is_empty() {
                continue;
            }
            let mut record = self.record_of(&message, people, Direction::Out, Delivery::Sent);
            record.profile_name = None;
            found.push(self.recorded(&record, &message).await?);
        }
        Ok(found)
    }

    /// The contact book of the business's own app. Removing somebody there removes nobody here.
    async fn contact_book(&self) -> Result<(), RecordError> {
        for entry in items(&self.change.value, "state_sync") {
            let Some(contact) = entry.get("contact") else { continue };
            let people = person(contact, "phone_number", "user_id");
            if text(entry.get("action")).as_deref() != Some("add") || people.is_empty() {
                continue;
            }
            let name = text(contact.get("full_name")).or_else(|| text(contact.get("first_name")));
            self.records.resolve_contact(&self.number.workspace_id, &people, name.as_deref()).await?;
        }
        Ok(())
    }

    /// Conversations from before the number was connected. They count neither as unread nor as new.
    async fn history(&self) -> Result<(), RecordError> {
        for chunk in array(&self.change.value, "history") {
            for thread in items(chunk, "threads") {
                let people = person(thread, "id", "user_id");
                for raw in items(thread, "messages") {
                    if let Some(message) = InboundMessage::read(raw, thread) {
                        self.past_message(&message, people.clone()).await?;
                    }
                }
            }
        }
        // Media of the last days follow on their own, under the id of their place-holder.
        for message in &self.change.messages {
            let content = Value::Object(super::event::message_view(message));
            let (workspace_id, phone_number_id) = (&self.number.workspace_id, &self.number.phone_number_id);
            let kind = Some(message.kind.as_str());
            let known = self
                .records
                .amend_message(workspace_id, phone_number_id, &message.id, kind, &content)
                .await?;
            if !known && !self.is_ours(message) {
                self.past_message(message, identities(message)).await?;
            }
        }
        Ok(())
    }

    async fn past_message(&self, message: &InboundMessage, people: Vec<Identity>) -> Result<(), RecordError> {
        if people.is_empty() {
            return Ok(());
        }
        let ours = self.is_ours(message);
        let told = message.raw.get("history_context").and_then(|context| text(context.get("status")));
        let status = match told.map(|status| status.to_lowercase()).as_deref() {
            _ if !ours => Delivery::Received,
            Some("error") => Delivery::Failed,
            Some(status) => Delivery::from_text(status).unwrap_or(Delivery::Sent),
            None => Delivery::Sent,
        };
        let direction = if ours { Direction::Out } else { Direction::In };
        let mut record = self.record_of(message, people, direction, status);
        (record.speaks, record.opens_window) = (false, !ours);
        self.records.record_inbound(&record).await?;
        Ok(())
    }

    fn is_ours(&self, message: &InboundMessage) -> bool {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let own = self.change.display_phone_number.as_deref().unwrap_or(&self.number.display_phone_number);
        message.from.as_deref().is_some_and(|from| digits(from) == digits(own))
    }
}

/// The identities under these two names.
pub(super) fn person(value: &Value, phone: &str, user_id: &str) -> Vec<Identity> {
    let phone = text(value.get(phone)).and_then(|phone| Identity::phone(&phone, None).ok());
    let user_id = text(value.get(user_id)).and_then(|id| Identity::user_id(&id).ok());
    phone.into_iter().chain(user_id).collect()
}

/// The errors of a change that concern the number as a whole, in our words: for the operator's list.
impl Change {
    /// `[{code, title, details}]`; empty when there are none.
    pub fn number_errors(&self) -> Vec<Value> {
        self.errors.iter().map(|error| json!(failure(error))).collect()
    }
}
