//! What triggers and expressions see of a message or status: made for the people who write workflows.

use serde_json::{Map, Value, json};

use super::message::{InboundMessage, array, text};
use super::webhook::StatusUpdate;
use crate::{Contact, Conversation, Message, Number};

/// A message as workflows see it, without the raw object; also what is stored as the message's content.
///
/// Always there: `id`, `type`, `text` (null when there is nothing to read), `timestamp`, `from`, `user_id`. By type:
/// `reply` `{kind, id, title}` for buttons and lists, `flow` `{name, data}`, `media` `{id, mime_type, caption, …}`,
/// `location`, `contacts`, `order`, `reaction` `{message_id, emoji, removed}`, `system`, `edit`, `revoke`; and where
/// given `context`, `referral`, `group_id`, `errors`.
pub(super) fn message_view(message: &InboundMessage) -> Map<String, Value> {
    let mut view = Map::new();
    view.insert("id".into(), json!(message.id));
    view.insert("type".into(), json!(message.kind));
    view.insert("text".into(), json!(message.text));
    view.insert("timestamp".into(), json!(message.timestamp));
    view.insert("from".into(), json!(message.from));
    view.insert("user_id".into(), json!(message.from_user_id));
    if let Some((name, content)) = content(message) {
        view.insert(name.into(), content);
    }
    if let Some(context) = &message.context {
        view.insert("context".into(), context.clone());
    }
    if let Some(referral) = &message.referral {
        view.insert("referral".into(), referral.clone());
    }
    if let Some(group_id) = &message.group_id {
        view.insert("group_id".into(), json!(group_id));
    }
    let errors = array(&message.raw, "errors");
    if !errors.is_empty() {
        view.insert("errors".into(), json!(errors));
    }
    view
}

/// The part that depends on the type, under a name that does not.
fn content(message: &InboundMessage) -> Option<(&'static str, Value)> {
    let content = message.raw.get(&message.kind)?;
    let own = |name: &'static str| Some((name, content.clone()));
    match message.kind.as_str() {
        "image" | "video" | "audio" | "document" | "sticker" => own("media"),
        "location" => own("location"),
        "contacts" => own("contacts"),
        "order" => own("order"),
        "system" => own("system"),
        "edit" => own("edit"),
        "revoke" => own("revoke"),
        "unsupported" => own("unsupported"),
        "button" => {
            let (id, title) = (content.get("payload"), content.get("text"));
            Some(("reply", json!({"kind": "template_button", "id": id, "title": title})))
        }
        "reaction" => {
            // A published example misspells the key.
            let target = content.get("message_id").or_else(|| content.get("messsage_id"));
            let emoji = text(content.get("emoji"));
            Some(("reaction", json!({"message_id": target, "removed": emoji.is_none(), "emoji": emoji})))
        }
        "interactive" => interactive(message.subtype.as_deref()?, content),
        _ => None,
    }
}

fn interactive(subtype: &str, content: &Value) -> Option<(&'static str, Value)> {
    let reply = content.get(subtype)?;
    match subtype {
        "button_reply" | "list_reply" => {
            let mut view = Map::new();
            let kind = if subtype == "button_reply" { "button" } else { "list" };
            view.insert("kind".into(), json!(kind));
            for name in ["id", "title", "description"] {
                if let Some(value) = reply.get(name) {
                    view.insert(name.into(), value.clone());
                }
            }
            Some(("reply", Value::Object(view)))
        }
        "nfm_reply" => {
            // JSON inside a text; when it cannot be read, the text itself is all there is.
            let answer = text(reply.get("response_json"));
            let data = answer.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
            Some(("flow", json!({"name": reply.get("name"), "data": data, "response_json": answer})))
        }
        "call_permission_reply" => Some(("call_permission", reply.clone())),
        _ => None,
    }
}

/// `contact`, `conversation` and `number` beside a message or status.
fn surroundings(
    contact: Option<&Contact>,
    conversation: Option<&Conversation>,
    number: &Number,
    first: bool,
) -> Value {
    json!({
        "contact": contact.map(Contact::view),
        "conversation": conversation.map(|one| json!({
            "id": one.id, "status": one.status, "window_expires_at": one.window_expires_at,
            "is_first_message": first, "unread": one.unread, "group_id": one.group_id, "referral": one.referral,
        })),
        "number": {
            "phone_number_id": number.phone_number_id, "display_phone_number": number.display_phone_number,
            "verified_name": number.verified_name, "waba_id": number.waba_id,
        },
    })
}

/// The event of a message: `{message, contact, conversation, number}`.
pub(super) fn message_event(
    mut message: Map<String, Value>,
    raw: &Value,
    answerable: bool,
    contact: &Contact,
    conversation: &Conversation,
    number: &Number,
    first: bool,
) -> Value {
    message.insert("answerable".into(), json!(answerable));
    message.insert("raw".into(), raw.clone());
    let mut event = Map::new();
    event.insert("message".into(), Value::Object(message));
    extend(&mut event, surroundings(Some(contact), Some(conversation), number, first));
    Value::Object(event)
}

/// The event of a status: `{status, message, contact, conversation, number}`; what is not on record is null.
pub(super) fn status_event(
    status: &StatusUpdate,
    message: Option<&Message>,
    contact: Option<&Contact>,
    conversation: Option<&Conversation>,
    number: &Number,
) -> Value {
    let mut event = Map::new();
    event.insert(
        "status".into(),
        json!({
            "message_id": status.id, "status": status.status, "timestamp": status.timestamp,
            "recipient": status.recipient_id, "user_id": status.recipient_user_id, "participant": status.participant,
            "error": status.errors.first(), "raw": status.raw,
        }),
    );
    let message = message.map(
        |one| json!({"id": one.wamid, "type": one.kind, "status": one.status, "effect_id": one.effect_id}),
    );
    event.insert("message".into(), json!(message));
    extend(&mut event, surroundings(contact, conversation, number, false));
    Value::Object(event)
}

fn extend(event: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        event.extend(more);
    }
}
