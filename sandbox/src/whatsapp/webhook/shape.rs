//! The bodies of webhooks, in the shape of 2025 or of 2026.
//!
//! It must not know how they travel. Source: Meta's webhook reference (messages/status, business-scoped-user-ids pages).

use crate::config::{Number, WebhookShape};
use crate::whatsapp::WhatsApp;
use crate::whatsapp::media::hex;
use crate::whatsapp::people::Person;
use crate::whatsapp::statuses::Plan;
use crate::whatsapp::world::WINDOW_MS;
use aws_lc_rs::digest;
use serde_json::{Map, Value, json};

/// The envelope around one change.
pub(crate) fn envelope(waba_id: &str, field: &str, value: Value) -> Value {
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": waba_id, "changes": [{ "value": value, "field": field }] }],
    })
}

/// The beginning of the `value` of every message and status.
pub(crate) fn value_of(number: &Number) -> Map<String, Value> {
    let mut value = Map::new();
    value.insert("messaging_product".to_owned(), "whatsapp".into());
    let metadata = json!({
        "display_phone_number": number.display_phone_number,
        "phone_number_id": number.phone_number_id,
    });
    value.insert("metadata".to_owned(), metadata);
    value
}

/// An entry of `contacts`.
pub(crate) fn contact(shape: WebhookShape, person: &Person) -> Value {
    let mut profile = Map::new();
    profile.insert("name".to_owned(), person.name.as_deref().unwrap_or_default().into());
    if let Some(username) = &person.username {
        profile.insert("username".to_owned(), username.as_str().into());
    }
    let mut contact = Map::new();
    contact.insert("profile".to_owned(), Value::Object(profile));
    if let Some(wa_id) = &person.wa_id {
        contact.insert("wa_id".to_owned(), wa_id.as_str().into());
    }
    if shape == WebhookShape::Year2026 {
        contact.insert("user_id".to_owned(), person.user_id.as_str().into());
        if let Some(parent) = &person.parent_user_id {
            contact.insert("parent_user_id".to_owned(), parent.as_str().into());
        }
    }
    Value::Object(contact)
}

/// One entry of `statuses`.
pub(crate) fn status(wa: &WhatsApp, plan: &Plan, status: &str, at_ms: i64) -> Value {
    let shape = wa.config.webhook_shape;
    let mut entry = Map::new();
    let mut put = |key: &str, value: Value| drop(entry.insert(key.to_owned(), value));
    put("id", plan.id.as_str().into());
    put("status", status.into());
    put("timestamp", at_ms.div_euclid(1000).to_string().into());
    let phone = plan.person.wa_id.as_deref();
    if let Some(group) = &plan.group_id {
        put("recipient_id", group.as_str().into());
        put("recipient_type", "group".into());
    } else {
        if let Some(phone) = phone {
            put("recipient_id", phone.into());
        }
        if shape == WebhookShape::Year2026 {
            put("recipient_user_id", plan.person.user_id.as_str().into());
            if let Some(parent) = &plan.person.parent_user_id {
                put("parent_recipient_user_id", parent.as_str().into());
            }
        }
    }
    if let Some(data) = &plan.callback_data {
        put("biz_opaque_callback_data", data.as_str().into());
    }
    if matches!(status, "sent" | "delivered") {
        if let Some(conversation) = conversation(shape, plan, status, at_ms) {
            put("conversation", conversation);
        }
        put("pricing", pricing(plan));
    }
    if let Some(errors) = plan.errors().filter(|_| status == "failed") {
        put("errors", errors);
    }
    Value::Object(entry)
}

/// `pricing` as since July 2025.
fn pricing(plan: &Plan) -> Value {
    json!({
        "billable": plan.price.kind == "regular",
        "pricing_model": "PMP",
        "type": plan.price.kind,
        "category": plan.price.category,
    })
}

/// Always there in 2025; since v24 only inside a free entry point window.
fn conversation(shape: WebhookShape, plan: &Plan, status: &str, at_ms: i64) -> Option<Value> {
    if shape == WebhookShape::Year2026 && plan.price.kind != "free_entry_point" {
        return None;
    }
    let key = format!("{}/{}/{}", plan.number.phone_number_id, plan.person.user_id, plan.price.category);
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    let mut conversation = json!({ "id": hex(&hash.as_ref()[..16]) });
    if status == "sent" {
        let until = (at_ms + WINDOW_MS).div_euclid(1000).to_string();
        conversation["expiration_timestamp"] = until.into();
    }
    // The one place where the category is written with an underscore.
    conversation["origin"] = json!({ "type": plan.price.category.replace('-', "_") });
    Some(conversation)
}

/// The whole body for statuses of one message.
pub(crate) fn status_body(wa: &WhatsApp, plan: &Plan, statuses: Vec<Value>) -> Value {
    let shape = wa.config.webhook_shape;
    let mut value = value_of(&plan.number);
    let failed = plan.failure.is_some();
    if shape == WebhookShape::Year2026 && (!failed || wa.config.contacts_on_failed) {
        value.insert("contacts".to_owned(), json!([contact(shape, &plan.person)]));
    }
    value.insert("statuses".to_owned(), Value::Array(statuses));
    envelope(&plan.number.waba_id, "messages", Value::Object(value))
}
