//! From a change that was read to records, and to what the dispatcher has to react to.

use serde_json::{Value, json};
use sluice_db::DbError;

use super::event::{message_event, message_view, status_event};
use super::message::{InboundMessage, text};
use super::webhook::{Change, ParseError, Parsed, StatusUpdate, parse};
use crate::messages::{Delivery, Direction, Failure, InboundRecord, Pricing, StatusRecord};
use crate::{Identity, InboundShare, InboundStatus, Number, RecordError, Records};

/// What a change led to.
#[derive(Debug, Clone)]
pub enum Ingested {
    /// A message is on record. Start workflows only when `is_new`, and answer by itself only when `answerable`.
    Message {
        workspace_id: String,
        conversation_id: String,
        contact_id: String,
        /// Ours. Use it as the key under which a workflow is started: a body may be handled twice.
        message_id: String,
        phone_number_id: String,
        wamid: String,
        direction: Direction,
        /// The provider's type.
        kind: String,
        is_new: bool,
        /// False for reactions, notices, groups, edits, what the business wrote itself, and types nobody knows.
        answerable: bool,
        event: Value,
    },
    /// A status is on record and its message was moved (`changed`), or waits for its message (`message_id` none).
    Status {
        workspace_id: String,
        phone_number_id: String,
        wamid: String,
        status: String,
        effect_id: Option<String>,
        message_id: Option<String>,
        conversation_id: Option<String>,
        contact_id: Option<String>,
        is_new: bool,
        changed: bool,
        event: Value,
    },
    /// A customer said whether they want to hear about a topic.
    Consent { workspace_id: String, contact_id: String, topic: String, granted: bool, is_new: bool },
    /// Anything else, for whoever is interested.
    Other { workspace_id: String, phone_number_id: Option<String>, field: String, value: Value, is_new: bool },
    /// No workspace has connected this number or account.
    NotConnected { waba_id: String, phone_number_id: Option<String>, field: String },
}

impl Ingested {
    /// Whose it is.
    pub fn workspace_id(&self) -> Option<&str> {
        match self {
            Ingested::Message { workspace_id, .. }
            | Ingested::Status { workspace_id, .. }
            | Ingested::Consent { workspace_id, .. }
            | Ingested::Other { workspace_id, .. } => Some(workspace_id),
            Ingested::NotConnected { .. } => None,
        }
    }

    /// Whether it was not known before, or is handled again because handling its body was cut short.
    pub fn is_new(&self) -> bool {
        match self {
            Ingested::Message { is_new, .. }
            | Ingested::Status { is_new, .. }
            | Ingested::Consent { is_new, .. }
            | Ingested::Other { is_new, .. } => *is_new,
            Ingested::NotConnected { .. } => false,
        }
    }
}

/// What a whole body led to. After reacting to `events`, pass the rest to [`Records::finish_inbound`].
#[derive(Debug)]
pub struct IngestedBody {
    pub events: Vec<Ingested>,
    pub status: InboundStatus,
    pub changes: Value,
    pub shares: Vec<InboundShare>,
    pub note: Option<String>,
}

/// Reads and records a stored body. Safe to repeat: what is known changes nothing.
///
/// # Errors
/// Only when the database cannot be used for now; try the body again. Everything else ends up in `note`.
pub async fn ingest_body(
    records: &Records,
    inbound_id: &str,
    raw: &[u8],
) -> Result<IngestedBody, RecordError> {
    ingest_parsed(records, inbound_id, &parse(raw)).await
}

/// The same for a body that was read before, or could not be read.
///
/// # Errors
/// Only when the database cannot be used for now; try the body again.
pub async fn ingest_parsed(
    records: &Records,
    inbound_id: &str,
    parsed: &Result<Parsed, ParseError>,
) -> Result<IngestedBody, RecordError> {
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return Ok(quarantined(error.to_string())),
    };
    let (mut events, mut problems) = (Vec::new(), parsed.problems.clone());
    let mut shares: Vec<InboundShare> = Vec::new();
    for change in &parsed.changes {
        let found = ingest(records, change, Some(inbound_id)).await?;
        share(&mut shares, change, &found.events);
        events.extend(found.events);
        problems.extend(found.problems);
    }
    let status = if events.iter().any(Ingested::is_new) {
        InboundStatus::Processed
    } else if !problems.is_empty() {
        InboundStatus::Quarantined
    } else if events.iter().any(|event| event.workspace_id().is_some()) {
        InboundStatus::Duplicate
    } else {
        InboundStatus::Ignored
    };
    if status == InboundStatus::Ignored {
        problems.push("nothing in it concerns a connected number".into());
    }
    let note = Some(problems.join("\n")).filter(|note| !note.is_empty());
    let changes = parsed.changes.iter().map(Change::summary).collect();
    Ok(IngestedBody { events, status, changes, shares, note })
}

fn quarantined(note: String) -> IngestedBody {
    let (events, shares) = (Vec::new(), Vec::new());
    IngestedBody { events, status: InboundStatus::Quarantined, changes: json!([]), shares, note: Some(note) }
}

fn explain(error: &RecordError) -> String {
    match error {
        RecordError::Db(source) => match source {
            DbError::Other(source) => format!("{error}: {source}"),
            source => format!("{error}: {source}"),
        },
        error => error.to_string(),
    }
}

/// Adds a change to the part of each workspace it concerns.
fn share(shares: &mut Vec<InboundShare>, change: &Change, found: &[Ingested]) {
    let mut concerned: Vec<&str> = found.iter().filter_map(Ingested::workspace_id).collect();
    concerned.sort_unstable();
    concerned.dedup();
    for workspace_id in concerned {
        match shares.iter_mut().find(|share| share.workspace_id == workspace_id) {
            Some(InboundShare { changes: Value::Array(changes), .. }) => changes.push(change.summary()),
            _ => shares.push(InboundShare {
                workspace_id: workspace_id.to_owned(),
                changes: json!([change.summary()]),
            }),
        }
    }
}

/// What one change led to, and what of it could not be recorded.
#[derive(Debug, Default)]
pub struct IngestedChange {
    pub events: Vec<Ingested>,
    /// For people; what is named here is in the stored body only.
    pub problems: Vec<String>,
}

impl IngestedChange {
    /// Takes one result. One part that is refused does not lose the others; a database that cannot be used does, so
    /// that the whole is tried again.
    pub(super) fn take(
        &mut self,
        place: &str,
        result: Result<Vec<Ingested>, RecordError>,
    ) -> Result<(), RecordError> {
        match result {
            Ok(found) => self.events.extend(found),
            Err(RecordError::Db(error)) if error.is_transient() => return Err(error.into()),
            Err(error) => self.problems.push(format!("{place}: {}", explain(&error))),
        }
        Ok(())
    }
}

/// Records one change. `inbound_id` is the stored body it came in.
///
/// # Errors
/// Only when the database cannot be used for now.
pub async fn ingest(
    records: &Records,
    change: &Change,
    inbound_id: Option<&str>,
) -> Result<IngestedChange, RecordError> {
    let mut done = IngestedChange::default();
    let Some(phone_number_id) = &change.phone_number_id else {
        let events = super::ingest_other::account_event(records, change, inbound_id).await;
        done.take(&change.field, events)?;
        return Ok(done);
    };
    let Some(number) = records.connected_number(phone_number_id).await? else {
        done.events.push(Ingested::NotConnected {
            waba_id: change.waba_id.clone(),
            phone_number_id: Some(phone_number_id.clone()),
            field: change.field.clone(),
        });
        return Ok(done);
    };
    let one = Delivered { records, number: &number, change, inbound_id };
    if change.field != "messages" {
        done.take(&change.field, super::ingest_other::number_event(&one).await)?;
        return Ok(done);
    }
    for message in &change.messages {
        done.take(&format!("message {}", message.id), one.message(message).await.map(|event| vec![event]))?;
    }
    for status in &change.statuses {
        done.take(&format!("status of {}", status.id), one.status(status).await.map(|event| vec![event]))?;
    }
    if change.messages.is_empty() && change.statuses.is_empty() {
        done.take(&change.field, one.other().await.map(|event| vec![event]))?;
    }
    Ok(done)
}

/// A change that reached the workspace of its number.
pub(super) struct Delivered<'a> {
    pub(super) records: &'a Records,
    pub(super) number: &'a Number,
    pub(super) change: &'a Change,
    pub(super) inbound_id: Option<&'a str>,
}

impl Delivered<'_> {
    async fn message(&self, message: &InboundMessage) -> Result<Ingested, RecordError> {
        let mut identities = identities(message);
        if message.kind == "system" {
            identities = self.follow_change(message, identities).await?;
        }
        if identities.is_empty() {
            return Err(RecordError::invalid("from", "neither a telephone number nor a user id"));
        }
        self.amend_original(message).await?;
        let record = self.record_of(message, identities, Direction::In, Delivery::Received);
        self.recorded(&record, message).await
    }

    /// What is to be recorded of a message.
    pub(super) fn record_of(
        &self,
        message: &InboundMessage,
        identities: Vec<Identity>,
        direction: Direction,
        status: Delivery,
    ) -> InboundRecord {
        InboundRecord {
            workspace_id: self.number.workspace_id.clone(),
            phone_number_id: self.number.phone_number_id.clone(),
            direction,
            wamid: message.id.clone(),
            kind: message.kind.clone(),
            content: Value::Object(message_view(message)),
            happened_at: message.timestamp.unwrap_or_else(|| self.records.now()),
            identities,
            profile_name: message.profile_name.clone(),
            group_id: message.group_id.clone(),
            referral: message.referral.clone(),
            inbound_id: self.inbound_id.map(str::to_owned),
            speaks: direction == Direction::In && speaks(&message.kind),
            opens_window: direction == Direction::In && message.kind == "request_welcome",
            status,
        }
    }

    /// Records it and tells what the dispatcher needs.
    pub(super) async fn recorded(
        &self,
        record: &InboundRecord,
        message: &InboundMessage,
    ) -> Result<Ingested, RecordError> {
        let done = self.records.record_inbound(record).await?;
        let answerable = record.direction == Direction::In && is_answerable(message);
        let event = message_event(
            message_view(message),
            &message.raw,
            answerable,
            &done.contact,
            &done.conversation,
            self.number,
            done.is_first,
        );
        Ok(Ingested::Message {
            workspace_id: record.workspace_id.clone(),
            conversation_id: done.conversation.id,
            contact_id: done.contact.id,
            message_id: done.message.id,
            phone_number_id: record.phone_number_id.clone(),
            wamid: record.wamid.clone(),
            direction: record.direction,
            kind: record.kind.clone(),
            is_new: done.is_new,
            answerable,
            event,
        })
    }

    /// A person got another number or user id: the contact follows. Returns what the person is known by now.
    async fn follow_change(
        &self,
        message: &InboundMessage,
        old: Vec<Identity>,
    ) -> Result<Vec<Identity>, RecordError> {
        const CHANGES: [&str; 3] = ["user_changed_number", "user_changed_user_id", "customer_changed_number"];
        let Some(system) = message.raw.get("system") else { return Ok(old) };
        let kind = text(system.get("type")).unwrap_or_default();
        let known = self
            .records
            .message_by_wamid(&self.number.workspace_id, &self.number.phone_number_id, &message.id)
            .await?;
        if known.is_some() || old.is_empty() || !CHANGES.contains(&kind.as_str()) {
            return Ok(old);
        }
        let wa_id = text(system.get("wa_id")).or_else(|| text(system.get("new_wa_id")));
        let new: Vec<Identity> = [
            wa_id.and_then(|wa_id| Identity::phone(&wa_id, None).ok()),
            text(system.get("user_id")).and_then(|id| Identity::user_id(&id).ok()),
        ]
        .into_iter()
        .flatten()
        .collect();
        if new.is_empty() {
            return Ok(old);
        }
        self.records.change_identities(&self.number.workspace_id, &old, &new).await?;
        Ok(new)
    }

    /// An edit or a deletion also changes our copy of the message it speaks of.
    async fn amend_original(&self, message: &InboundMessage) -> Result<(), RecordError> {
        let Some(content) = message.raw.get(&message.kind) else { return Ok(()) };
        let Some(original) = text(content.get("original_message_id")) else { return Ok(()) };
        let amended = match message.kind.as_str() {
            "revoke" => json!({"id": original, "revoked": true}),
            "edit" => {
                let Some(edited) = content.get("message") else { return Ok(()) };
                let mut raw = edited.clone();
                if let Some(fields) = raw.as_object_mut() {
                    fields.insert("id".into(), json!(original));
                }
                let Some(edited) = InboundMessage::read(&raw, &Value::Null) else { return Ok(()) };
                let mut view = message_view(&edited);
                view.insert("edited".into(), json!(true));
                Value::Object(view)
            }
            _ => return Ok(()),
        };
        let (workspace_id, phone_number_id) = (&self.number.workspace_id, &self.number.phone_number_id);
        self.records.amend_message(workspace_id, phone_number_id, &original, None, &amended).await?;
        Ok(())
    }

    async fn status(&self, status: &StatusUpdate) -> Result<Ingested, RecordError> {
        let workspace_id = &self.number.workspace_id;
        let applied = self
            .records
            .apply_status(&StatusRecord {
                workspace_id: workspace_id.clone(),
                phone_number_id: self.number.phone_number_id.clone(),
                wamid: status.id.clone(),
                status: status.status.clone(),
                happened_at: status.timestamp.unwrap_or_else(|| self.records.now()),
                effect_id: status.callback_data.clone(),
                participant: status.participant.clone(),
                error: status.errors.first().map(failure),
                pricing: status.raw.get("pricing").and_then(Pricing::read),
                inbound_id: self.inbound_id.map(str::to_owned),
            })
            .await?;
        let message = applied.message;
        let (contact, conversation) = match &message {
            Some(message) => {
                let contact = self.records.contact(workspace_id, &message.contact_id);
                let conversation = self.records.conversation(workspace_id, &message.conversation_id);
                let (contact, conversation) = tokio::try_join!(contact, conversation)?;
                (Some(contact), Some(conversation))
            }
            None => (None, None),
        };
        let event =
            status_event(status, message.as_ref(), contact.as_ref(), conversation.as_ref(), self.number);
        let sent_by = message.as_ref().and_then(|message| message.effect_id.clone());
        Ok(Ingested::Status {
            workspace_id: workspace_id.clone(),
            phone_number_id: self.number.phone_number_id.clone(),
            wamid: status.id.clone(),
            status: status.status.clone(),
            effect_id: sent_by.or_else(|| status.callback_data.clone()),
            message_id: message.map(|message| message.id),
            conversation_id: conversation.map(|conversation| conversation.id),
            contact_id: contact.map(|contact| contact.id),
            is_new: applied.is_new,
            changed: applied.changed,
            event,
        })
    }
}

/// What the sender is known by.
pub(super) fn identities(message: &InboundMessage) -> Vec<Identity> {
    let phone = |text: &Option<String>| text.as_deref().and_then(|text| Identity::phone(text, None).ok());
    let mut found: Vec<Identity> = phone(&message.from).into_iter().collect();
    found.extend(message.from_user_id.as_deref().and_then(|id| Identity::user_id(id).ok()));
    // The contact entry may spell the number differently; the other spelling finds the same person later.
    found.extend(phone(&message.wa_id).filter(|other| !found.iter().any(|one| one.value == other.value)));
    found
}

/// Whether a customer says something with it. Edits, reactions and notices do not count as unread.
fn speaks(kind: &str) -> bool {
    !matches!(kind, "reaction" | "system" | "edit" | "revoke" | "request_welcome" | "media_placeholder")
}

/// Whether a workflow may answer by itself. What is not known to be meant for answering is not.
fn is_answerable(message: &InboundMessage) -> bool {
    let meant = match message.kind.as_str() {
        "text" | "image" | "video" | "audio" | "document" | "sticker" | "location" | "contacts"
        | "button" | "order" => true,
        "interactive" => {
            matches!(message.subtype.as_deref(), Some("button_reply" | "list_reply" | "nfm_reply"))
        }
        _ => false,
    };
    meant && message.group_id.is_none()
}

/// The provider's error in our words.
pub(super) fn failure(error: &Value) -> Failure {
    let details = error.get("error_data").and_then(|data| text(data.get("details")));
    Failure {
        code: text(error.get("code")).and_then(|code| code.parse().ok()).unwrap_or(0),
        title: text(error.get("title")).or_else(|| text(error.get("message"))).unwrap_or_default(),
        details: details.or_else(|| text(error.get("message"))),
    }
}
