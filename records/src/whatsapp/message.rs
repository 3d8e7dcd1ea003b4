//! One inbound message, read leniently: numbers may be texts and the other way round, anything may be missing.

use serde_json::{Map, Value, json};

/// A message as it came, with what everybody asks of it taken out.
#[derive(Debug, Clone)]
pub struct InboundMessage {
    pub id: String,
    /// The provider's type; taken from the key of the content when it is missing.
    pub kind: String,
    /// The type inside `interactive`.
    pub subtype: Option<String>,
    /// The sender's telephone number; people with a user name may come without.
    pub from: Option<String>,
    /// The sender's business-scoped user id.
    pub from_user_id: Option<String>,
    /// The `wa_id` of the sender's contact entry, where it can be told whose it is.
    pub wa_id: Option<String>,
    pub group_id: Option<String>,
    /// User input, not to be trusted.
    pub profile_name: Option<String>,
    /// Milliseconds.
    pub timestamp: Option<i64>,
    pub context: Option<Value>,
    pub referral: Option<Value>,
    /// What a person would read: the body, the caption, the title of the button.
    pub text: Option<String>,
    pub raw: Value,
}

/// Keys that stand beside the content.
const COMMON: [&str; 14] = [
    "from",
    "from_user_id",
    "from_parent_user_id",
    "from_logical_id",
    "to",
    "to_user_id",
    "to_parent_user_id",
    "group_id",
    "id",
    "timestamp",
    "type",
    "context",
    "referral",
    "identity",
];

impl InboundMessage {
    /// None when it is no object or has no id. `value` is the change it stands in, which names the sender.
    pub(super) fn read(raw: &Value, value: &Value) -> Option<Self> {
        let id = text(raw.get("id"))?;
        let from = text(raw.get("from"));
        let from_user_id = text(raw.get("from_user_id"));
        let contact = contact_of(value, from.as_deref(), from_user_id.as_deref());
        let kind = text(raw.get("type")).unwrap_or_else(|| kind_by_content(raw));
        let subtype = raw.get("interactive").and_then(|interactive| text(interactive.get("type")));
        Some(Self {
            text: readable(&kind, raw),
            subtype: subtype.filter(|_| kind == "interactive"),
            profile_name: contact.and_then(|contact| text(contact.get("profile")?.get("name"))),
            wa_id: contact.and_then(|contact| text(contact.get("wa_id"))),
            group_id: text(raw.get("group_id")),
            timestamp: seconds(raw.get("timestamp")),
            context: raw.get("context").filter(|context| context.is_object()).cloned(),
            referral: raw.get("referral").filter(|referral| referral.is_object()).cloned(),
            raw: raw.clone(),
            id,
            kind,
            from,
            from_user_id,
        })
    }

    pub(super) fn summary(&self) -> Value {
        let mut summary = Map::new();
        summary.insert("id".into(), json!(self.id));
        summary.insert("type".into(), json!(self.kind));
        let mut optional = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                summary.insert(name.into(), json!(value));
            }
        };
        optional("subtype", &self.subtype);
        optional("from_user_id", &self.from_user_id);
        optional("group_id", &self.group_id);
        summary.insert("from".into(), json!(self.from));
        Value::Object(summary)
    }
}

/// The contact entry of a sender: by number or user id, never by position, unless there is only one.
fn contact_of<'a>(value: &'a Value, from: Option<&str>, user_id: Option<&str>) -> Option<&'a Value> {
    let contacts = array(value, "contacts");
    let is = |contact: &Value, name: &str, wanted: Option<&str>| {
        wanted.is_some() && text(contact.get(name)).as_deref() == wanted
    };
    let own = contacts.iter().find(|one| is(one, "wa_id", from) || is(one, "user_id", user_id));
    let only = || contacts.first().filter(|_| contacts.len() == 1 && array(value, "messages").len() == 1);
    own.or_else(only)
}

fn kind_by_content(raw: &Value) -> String {
    let Some(fields) = raw.as_object() else { return "unknown".into() };
    let content = fields.iter().find(|(name, value)| {
        !COMMON.contains(&name.as_str())
            && name.as_str() != "errors"
            && (value.is_object() || value.is_array())
    });
    content.map_or_else(|| "unknown".into(), |(name, _)| name.clone())
}

fn readable(kind: &str, raw: &Value) -> Option<String> {
    let content = raw.get(kind)?;
    let part = |name: &str| text(content.get(name));
    match kind {
        "text" => part("body"),
        "image" | "video" | "document" => part("caption"),
        "button" => part("text"),
        "order" => part("text"),
        "reaction" => part("emoji"),
        "system" => part("body"),
        "location" => part("name").or_else(|| part("address")),
        "contacts" => {
            let names =
                content.as_array()?.iter().filter_map(|one| text(one.get("name")?.get("formatted_name")));
            Some(names.collect::<Vec<_>>().join(", ")).filter(|names| !names.is_empty())
        }
        "interactive" => {
            let reply = content.get(part("type")?.as_str())?;
            text(reply.get("title")).or_else(|| text(reply.get("body")))
        }
        _ => None,
    }
}

/// A text that is not empty; numbers are taken as they are written.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Seconds since the epoch, as number or text, in milliseconds.
pub(super) fn seconds(value: Option<&Value>) -> Option<i64> {
    let seconds: i64 = text(value)?.parse().ok()?;
    seconds.checked_mul(1000)
}

/// The array under this name; empty when there is none.
pub(super) fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The objects of the array under this name.
pub(super) fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    array(value, name).iter().filter(|item| item.is_object())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_type_is_the_key_of_the_content() {
        let raw = json!({"from": "1650", "id": "x", "timestamp": 5, "context": {"id": "y"},
            "location": {"latitude": 1, "longitude": 2, "name": "Office"}});
        let message = InboundMessage::read(&raw, &json!({})).unwrap();
        assert_eq!((message.kind.as_str(), message.text.as_deref()), ("location", Some("Office")));
        assert_eq!(message.timestamp, Some(5000));
        assert_eq!(InboundMessage::read(&json!({"id": "x"}), &json!({})).unwrap().kind, "unknown");
        assert!(InboundMessage::read(&json!("x"), &json!({})).is_none());
        assert!(InboundMessage::read(&json!({"id": ""}), &json!({})).is_none());
    }

    #[test]
    fn names_are_matched_by_id_not_by_position() {
        let value = json!({"contacts": [
            {"wa_id": "2", "profile": {"name": "Two"}}, {"user_id": "US.1", "profile": {"name": "One"}}],
            "messages": [{}, {}]});
        let name = |raw: Value| InboundMessage::read(&raw, &value).unwrap().profile_name;
        assert_eq!(name(json!({"id": "a", "from": "2"})).as_deref(), Some("Two"));
        assert_eq!(name(json!({"id": "b", "from_user_id": "US.1"})).as_deref(), Some("One"));
        assert_eq!(name(json!({"id": "c", "from": "3"})), None);
    }
}
