//! The customer's side: a message of any type comes in and leaves as a signed webhook.
//!
//! It must not know HTTP. Source of the shapes: Meta's webhook reference (messages pages).

use super::WhatsApp;
use super::media::{self, Media};
use super::messages::{Direction, Message};
use super::people::Person;
use super::webhook::{Target, shape};
use super::{phone, wamid};
use crate::config::{Number, WebhookShape};
use crate::journal::lock;
use crate::random;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Body of `POST /_sandbox/whatsapp/inbound`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inbound {
    /// The first configured number when missing.
    phone_number_id: Option<String>,
    from: From,
    /// `type`, the object of that name, and whatever else stands in a webhook's message (`context`, `referral`, …).
    message: Map<String, Value>,
    /// Unix seconds; now when missing.
    timestamp: Option<i64>,
}

/// Who writes. At least one of `phone` and `user_id`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    phone: Option<String>,
    user_id: Option<String>,
    parent_user_id: Option<String>,
    name: Option<String>,
    username: Option<String>,
}

/// A request that cannot be a message: what is wrong and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadInbound {
    pub(crate) path: &'static str,
    pub(crate) message: String,
}

fn bad<T>(path: &'static str, message: impl Into<String>) -> Result<T, BadInbound> {
    Err(BadInbound { path, message: message.into() })
}

/// Takes the message in, sends the webhook and answers after the server did.
pub(crate) async fn receive(
    wa: &Arc<WhatsApp>,
    inbound: Inbound,
    base_url: &str,
) -> Result<Value, BadInbound> {
    let number = number(wa, inbound.phone_number_id.as_deref())?;
    let person = person(wa, &number, inbound.from)?;
    let now = wa.clock.now_ms();
    let at_ms = inbound.timestamp.map_or(now, |seconds| seconds.saturating_mul(1000));
    let id = match inbound.message.get("id").and_then(Value::as_str) {
        Some(own) => own.to_owned(),
        None => wamid::new(person.wa_id.as_deref().unwrap_or(&person.user_id), false),
    };
    let (kind, message) = complete(wa, &number, &person, inbound.message, &id, at_ms, base_url)?;
    lock(&wa.world).user_wrote(&number, &person, at_ms, message.contains_key("referral"));
    let body = body(wa, &number, &person, &kind, &message);
    remember(wa, &number, person, kind, message, &id, now);
    let target = Target { number, what: "message" };
    let outcome = wa.outbox.deliver_once(wa, &target, &body).await;
    let mut answer = json!({
        "id": id,
        "delivered": outcome.status == Some(200),
        "status": outcome.status,
        "state": outcome.state,
    });
    if let Some(error) = outcome.error {
        answer["error"] = error.into();
    }
    Ok(answer)
}

fn number(wa: &WhatsApp, id: Option<&str>) -> Result<Number, BadInbound> {
    let numbers = &wa.config.numbers;
    let found = match id {
        Some(id) => numbers.iter().find(|number| number.phone_number_id == id),
        None => numbers.first(),
    };
    match found {
        Some(number) => Ok(number.clone()),
        None => {
            let known: Vec<&str> = numbers.iter().map(|number| number.phone_number_id.as_str()).collect();
            let given = id.unwrap_or("none");
            bad("phone_number_id", format!("The sandbox has no number {given}; it has {}.", known.join(", ")))
        }
    }
}

fn person(wa: &WhatsApp, number: &Number, from: From) -> Result<Person, BadInbound> {
    let wa_id = match from.phone.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => match phone::wa_id(text, &number.display_phone_number) {
            Some(wa_id) => Some(wa_id),
            None => return bad("from.phone", format!("'{text}' is no phone number with country code.")),
        },
        None => None,
    };
    let user_id = from.user_id.as_deref().filter(|text| !text.is_empty());
    if user_id.is_some_and(|text| !phone::is_user_id(text)) {
        return bad("from.user_id", "A business-scoped user id looks like US.13491208655302741918.");
    }
    if wa_id.is_none() && wa.config.webhook_shape == WebhookShape::Year2025 {
        return bad("from.phone", "The webhook shape of 2025 needs a phone number.");
    }
    let mut world = lock(&wa.world);
    let mut person = match (wa_id, user_id) {
        (wa_id, Some(user_id)) => world.people.link(wa_id.as_deref(), user_id),
        (Some(wa_id), None) => world.people.by_phone(&wa_id),
        (None, None) => return bad("from", "Give from.phone, from.user_id or both."),
    };
    person.name = from.name.or(person.name);
    person.username = from.username.or(person.username);
    person.parent_user_id = from.parent_user_id.or(person.parent_user_id);
    world.people.remember(&person);
    Ok(person)
}

/// Adds what a webhook's message always has, in Meta's order, and answers its type.
fn complete(
    wa: &WhatsApp,
    number: &Number,
    person: &Person,
    mut given: Map<String, Value>,
    id: &str,
    at_ms: i64,
    base_url: &str,
) -> Result<(String, Map<String, Value>), BadInbound> {
    let Some(kind) = given.get("type").and_then(Value::as_str).map(str::to_owned) else {
        return bad("message.type", "A message needs a type, for example \"text\".");
    };
    let mut message = Map::new();
    let context = given.shift_remove("context").or_else(|| reply_context(wa, number, person, &kind));
    if let Some(context) = context {
        message.insert("context".to_owned(), context);
    }
    if let Some(wa_id) = &person.wa_id {
        message.insert("from".to_owned(), wa_id.as_str().into());
    }
    if wa.config.webhook_shape == WebhookShape::Year2026 {
        message.insert("from_user_id".to_owned(), person.user_id.as_str().into());
        if let Some(parent) = &person.parent_user_id {
            message.insert("from_parent_user_id".to_owned(), parent.as_str().into());
        }
    }
    message.insert("id".to_owned(), id.into());
    message.insert("timestamp".to_owned(), at_ms.div_euclid(1000).to_string().into());
    message.insert("type".to_owned(), kind.as_str().into());
    if let Some(object) = given.get_mut(&kind) {
        add_file(wa, number, &kind, object, base_url)?;
    }
    for (key, value) in given {
        message.entry(key).or_insert(value);
    }
    Ok((kind, message))
}

/// A tap on a button or a list points to the newest message with controls, unless the test says otherwise.
fn reply_context(wa: &WhatsApp, number: &Number, person: &Person, kind: &str) -> Option<Value> {
    if !matches!(kind, "interactive" | "button") {
        return None;
    }
    let asked = wa.messages.log().find_newest(|message| {
        let fits = message.direction == Direction::Out
            && message.phone_number_id == number.phone_number_id
            && message.contact.user_id == person.user_id
            && matches!(message.kind.as_str(), "interactive" | "template");
        fits.then(|| message.id.clone())
    })?;
    Some(json!({ "from": number.display_phone_number, "id": asked }))
}

/// A media object without id gets a file: its own `data_base64`, else a tiny sample.
fn add_file(
    wa: &WhatsApp,
    number: &Number,
    kind: &str,
    object: &mut Value,
    base_url: &str,
) -> Result<(), BadInbound> {
    let Some((mime_type, sample)) = sample(kind) else { return Ok(()) };
    let Some(object) = object.as_object_mut() else {
        return bad("message", format!("{kind} must be a JSON object."));
    };
    if object.get("id").is_some_and(Value::is_string) {
        return Ok(());
    }
    let bytes = match object.shift_remove("data_base64") {
        None => sample.to_vec(),
        Some(data) => match data.as_str().map(|text| STANDARD.decode(text)) {
            Some(Ok(bytes)) => bytes,
            _ => return bad("message", format!("{kind}.data_base64 must be Base64 text.")),
        },
    };
    let mime_type = object.get("mime_type").and_then(Value::as_str).unwrap_or(mime_type).to_owned();
    let file = Media::received(number, &mime_type, Bytes::from(bytes), wa.clock.now_ms());
    let id = random::numeric_id();
    object.insert("mime_type".to_owned(), mime_type.into());
    object.insert("sha256".to_owned(), file.sha256_base64().into());
    object.insert("id".to_owned(), id.as_str().into());
    if wa.config.webhook_shape == WebhookShape::Year2026 {
        object.insert("url".to_owned(), media::download_url(wa, base_url, &id).into());
    }
    match kind {
        "audio" => drop(object.entry("voice").or_insert(Value::Bool(true))),
        "sticker" => drop(object.entry("animated").or_insert(Value::Bool(false))),
        _ => {}
    }
    lock(&wa.world).media.insert(id, file);
    Ok(())
}

/// Default MIME type and a tiny file that starts like a real one.
fn sample(kind: &str) -> Option<(&'static str, &'static [u8])> {
    Some(match kind {
        "image" => {
            ("image/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9")
        }
        "video" => ("video/mp4", b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"),
        "audio" => ("audio/ogg; codecs=opus", b"OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00OpusHead"),
        "document" => ("application/pdf", b"%PDF-1.4\n%%EOF\n"),
        "sticker" => ("image/webp", b"RIFF\x12\x00\x00\x00WEBPVP8L\x06\x00\x00\x00/\x00\x00\x00\x00\x00"),
        _ => return None,
    })
}

fn body(wa: &WhatsApp, number: &Number, person: &Person, kind: &str, message: &Map<String, Value>) -> Value {
    let mut value = shape::value_of(number);
    // System messages come without contacts (Meta's system-messages page).
    if kind != "system" {
        value.insert("contacts".to_owned(), json!([shape::contact(wa.config.webhook_shape, person)]));
    }
    value.insert("messages".to_owned(), json!([message]));
    shape::envelope(&number.waba_id, "messages", Value::Object(value))
}

fn remember(
    wa: &WhatsApp,
    number: &Number,
    contact: Person,
    kind: String,
    message: Map<String, Value>,
    id: &str,
    at: i64,
) {
    wa.messages.add(Message {
        seq: 0,
        at,
        direction: Direction::In,
        id: id.to_owned(),
        phone_number_id: number.phone_number_id.clone(),
        contact,
        group_id: None,
        kind,
        message: Value::Object(message),
        preview: None,
        status: "received".to_owned(),
        statuses: Vec::new(),
        read_by_business: false,
        error: None,
    });
}

/// Body of `POST /_sandbox/whatsapp/webhook`: any change, sent signed as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnyChange {
    /// The number whose callback it goes to; the first configured one when missing.
    phone_number_id: Option<String>,
    /// `message_template_status_update`, `account_update`, …
    field: Option<String>,
    /// The change's value, for `field`.
    value: Option<Value>,
    /// A whole body in place of `field` and `value`.
    body: Option<Value>,
}

/// Sends any webhook and answers after the server did.
pub(crate) async fn send_change(wa: &Arc<WhatsApp>, change: AnyChange) -> Result<Value, BadInbound> {
    let number = number(wa, change.phone_number_id.as_deref())?;
    let body = match (change.body, change.field, change.value) {
        (Some(body), None, None) => body,
        (None, Some(field), Some(value)) => {
            let mut body = shape::envelope(&number.waba_id, &field, value);
            // Management fields carry the time of the entry, messages do not.
            if field != "messages" {
                body["entry"][0]["time"] = wa.clock.now_s().into();
            }
            body
        }
        _ => return bad("body", "Give either body, or field and value."),
    };
    let outcome = wa.outbox.deliver_once(wa, &Target { number, what: "change" }, &body).await;
    Ok(json!({
        "delivered": outcome.status == Some(200),
        "status": outcome.status,
        "state": outcome.state,
        "error": outcome.error,
    }))
}
