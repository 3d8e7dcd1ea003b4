//! Reading a body in two stages: the envelope strictly, each change leniently, so that one bad change does not lose the
//! others. Unknown fields and types are kept as they are.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::escapes::repair;
use super::message::{InboundMessage, array, items, seconds, text};

/// A body that is no webhook of a WhatsApp business account.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    #[error("the body is not a WhatsApp webhook: {0}")]
    Envelope(#[source] serde_json::Error),
    #[error("the body is about {0:?}, not about a WhatsApp business account")]
    OtherObject(String),
}

/// What a body holds.
#[derive(Debug, Clone)]
pub struct Parsed {
    pub changes: Vec<Change>,
    /// Parts that could not be read, for people.
    pub problems: Vec<String>,
}

/// One change of one business account.
#[derive(Debug, Clone)]
pub struct Change {
    pub waba_id: String,
    pub field: String,
    /// The entry's time in milliseconds; not there for messages.
    pub time: Option<i64>,
    pub phone_number_id: Option<String>,
    pub display_phone_number: Option<String>,
    pub value: Value,
    pub messages: Vec<InboundMessage>,
    pub statuses: Vec<StatusUpdate>,
    /// Errors that concern the number as a whole.
    pub errors: Vec<Value>,
}

/// How far a message got.
#[derive(Debug, Clone)]
pub struct StatusUpdate {
    pub id: String,
    pub status: String,
    /// Milliseconds.
    pub timestamp: Option<i64>,
    pub recipient_id: Option<String>,
    pub recipient_user_id: Option<String>,
    /// Whom it is about, in a group.
    pub participant: Option<String>,
    /// `biz_opaque_callback_data`: what we sent along.
    pub callback_data: Option<String>,
    pub errors: Vec<Value>,
    pub raw: Value,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default, borrow)]
    object: Option<Cow<'a, str>>,
    #[serde(borrow)]
    entry: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    time: Value,
    #[serde(default, borrow)]
    changes: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawChange<'a> {
    field: String,
    #[serde(default, borrow)]
    value: Option<&'a RawValue>,
}

/// Reads a body whose signature was right.
///
/// # Errors
/// When the whole is no webhook envelope. Problems inside are in `Parsed::problems`.
pub fn parse(raw: &[u8]) -> Result<Parsed, ParseError> {
    let body = String::from_utf8_lossy(raw);
    let body = repair(&body);
    let envelope: Envelope<'_> = serde_json::from_str(&body).map_err(ParseError::Envelope)?;
    if let Some(object) = envelope.object.filter(|object| object != "whatsapp_business_account") {
        return Err(ParseError::OtherObject(object.into_owned()));
    }
    let mut parsed = Parsed { changes: Vec::new(), problems: Vec::new() };
    for (index, raw) in envelope.entry.into_iter().enumerate() {
        match serde_json::from_str::<Entry<'_>>(raw.get()) {
            Ok(entry) => read_entry(&mut parsed, index, &entry),
            Err(error) => parsed.problems.push(format!("entry[{index}]: {error}")),
        }
    }
    Ok(parsed)
}

fn read_entry(parsed: &mut Parsed, index: usize, entry: &Entry<'_>) {
    let waba_id = text(Some(&entry.id)).unwrap_or_default();
    for (position, raw) in entry.changes.iter().enumerate() {
        let path = format!("entry[{index}].changes[{position}]");
        let read = serde_json::from_str::<RawChange<'_>>(raw.get()).and_then(|change| {
            let value = change.value.map(|raw| serde_json::from_str(raw.get())).transpose()?;
            Ok((change.field, value.unwrap_or(Value::Null)))
        });
        match read {
            Ok((field, value)) => {
                let (change, problems) =
                    Change::read(waba_id.clone(), seconds(Some(&entry.time)), field, value);
                parsed.changes.push(change);
                parsed.problems.extend(problems.into_iter().map(|problem| format!("{path}.value.{problem}")));
            }
            Err(error) => parsed.problems.push(format!("{path}: {error}")),
        }
    }
}

impl Change {
    fn read(waba_id: String, time: Option<i64>, field: String, value: Value) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let metadata = value.get("metadata");
        let part = |name: &str| metadata.and_then(|metadata| text(metadata.get(name)));
        let mut change = Change {
            phone_number_id: part("phone_number_id"),
            display_phone_number: part("display_phone_number"),
            waba_id,
            field,
            time,
            messages: Vec::new(),
            statuses: Vec::new(),
            errors: array(&value, "errors").to_vec(),
            value,
        };
        for (index, raw) in array(&change.value, "messages").iter().enumerate() {
            match InboundMessage::read(raw, &change.value) {
                Some(message) => change.messages.push(message),
                None => problems.push(format!("messages[{index}]: no message with an id")),
            }
        }
        for (index, raw) in array(&change.value, "statuses").iter().enumerate() {
            match StatusUpdate::read(raw) {
                Some(status) => change.statuses.push(status),
                None => problems.push(format!("statuses[{index}]: no status with an id")),
            }
        }
        (change, problems)
    }

    /// What was found, as the list of inbound bodies shows it.
    pub fn summary(&self) -> Value {
        let mut summary = Map::new();
        summary.insert("waba_id".into(), json!(self.waba_id));
        summary.insert("field".into(), json!(self.field));
        let mut list = |name: &str, found: Vec<Value>| {
            if !found.is_empty() {
                summary.insert(name.into(), Value::Array(found));
            }
        };
        let pick = |name: &str, wanted: &str| -> Vec<Value> {
            items(&self.value, name).map(|item| item.get(wanted).cloned().unwrap_or(Value::Null)).collect()
        };
        list("messages", self.messages.iter().map(InboundMessage::summary).collect());
        list("statuses", self.statuses.iter().map(StatusUpdate::summary).collect());
        list("value_errors", self.errors.iter().map(error_name).collect());
        list(
            "event",
            self.value.get("event").filter(|event| event.is_string()).cloned().into_iter().collect(),
        );
        list("preferences", pick("user_preferences", "value"));
        list("echoes", pick("message_echoes", "id"));
        list("state_sync", pick("state_sync", "action"));
        let threads = |chunk: &Value| json!(array(chunk, "threads").len());
        list("history_threads", array(&self.value, "history").iter().map(threads).collect());
        if let Some(Value::Array(event)) = summary.get_mut("event") {
            let event = event.remove(0);
            summary.insert("event".into(), event);
        }
        Value::Object(summary)
    }
}

/// Errors have a code; those of flows have a type instead.
fn error_name(error: &Value) -> Value {
    error.get("code").or_else(|| error.get("error_type")).cloned().unwrap_or(Value::Null)
}

impl StatusUpdate {
    fn read(raw: &Value) -> Option<Self> {
        let participant = text(raw.get("recipient_participant_id"));
        Some(Self {
            id: text(raw.get("id"))?,
            status: text(raw.get("status"))?,
            timestamp: seconds(raw.get("timestamp")),
            recipient_id: text(raw.get("recipient_id")),
            recipient_user_id: text(raw.get("recipient_user_id")),
            participant: participant.or_else(|| text(raw.get("recipient_participant_user_id"))),
            callback_data: text(raw.get("biz_opaque_callback_data")),
            errors: array(raw, "errors").to_vec(),
            raw: raw.clone(),
        })
    }

    fn summary(&self) -> Value {
        let codes: Vec<Value> = self.errors.iter().map(error_name).collect();
        json!({"id": self.id, "status": self.status, "codes": codes})
    }
}
