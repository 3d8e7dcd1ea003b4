//! `POST /{phone_number_id}/messages`: checks a message as Meta does, accepts it and plans its statuses.
//!
//! It must not know how webhooks travel.

mod content;
mod interactive;
mod receipt;
mod template;

use super::WhatsApp;
use super::error::{Checked, GraphError};
use super::graph::GraphCall;
use super::messages::{Direction, Message};
use super::params::{Params, Style};
use super::people::Person;
use super::statuses::{self, Failure, Plan, Price};
use super::{phone, wamid};
use crate::config::Number;
use crate::exchange::Reply;
use crate::faults::Probe;
use crate::journal::lock;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What the check of a message's content found out.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Pricing category of a template (`marketing`, `utility`, …); `None` for free-form messages.
    template_category: Option<String>,
    /// Text of a template with its variables filled in.
    preview: Option<String>,
    /// A voice note, which can be played.
    voice: bool,
    /// A reaction, for which only `sent` follows.
    reaction: bool,
    /// Accepted now, fails later.
    failure: Option<Failure>,
}

/// What a content check needs to know.
pub(super) struct Draft<'a> {
    wa: &'a WhatsApp,
    number: &'a Number,
    body: &'a Map<String, Value>,
    version: Option<u32>,
    /// The recipient is named by user id only.
    by_user_id: bool,
}

/// Who gets the message.
struct Recipient {
    /// As given.
    input: String,
    person: Person,
    by_user_id: bool,
    group_id: Option<String>,
}

/// `POST /{phone_number_id}/messages`; with `marketing_only` also `POST /{phone_number_id}/marketing_messages`.
pub(crate) fn messages(
    wa: &Arc<WhatsApp>,
    call: &GraphCall<'_>,
    number: &Number,
    marketing_only: bool,
) -> Checked<Reply> {
    let body = call.json_body()?;
    let params = Params::new(&body, "", Style::Graph);
    params.one_of("messaging_product", &["whatsapp"])?;
    if body.contains_key("status") {
        return receipt::read(wa, &params);
    }
    let recipient = recipient(wa, number, &params)?;
    check_recipient(wa, number, &recipient)?;
    params.optional_text("biz_opaque_callback_data", 512)?;
    let kind = params.optional_text("type", 64)?.unwrap_or("text");
    if let Some(context) = params.optional_child("context")? {
        context.text("message_id", 256)?;
        if kind == "reaction" {
            return Err(params.invalid("context", "cannot be used with a reaction."));
        }
    }
    let draft = Draft { wa, number, body: &body, version: call.version, by_user_id: recipient.by_user_id };
    let content = check_content(&draft, kind)?;
    if marketing_only && content.template_category.as_deref() != Some("marketing") {
        return Err(GraphError::with_details(
            131055,
            "Only marketing template messages are supported by this method.",
        ));
    }
    check_limits(wa, number, &recipient)?;
    Ok(accept(wa, number, &body, kind, recipient, content))
}

fn check_content(draft: &Draft<'_>, kind: &str) -> Checked<Content> {
    match kind {
        "text" => content::text(draft),
        "image" | "video" | "document" | "audio" | "sticker" => content::media(draft, kind),
        "location" => content::location(draft),
        "contacts" => content::contacts(draft),
        "reaction" => content::reaction(draft),
        "interactive" => interactive::check(draft),
        "template" => template::check(draft),
        other => Err(GraphError::with_details(
            131051,
            format!(
                "Param type must be one of {{AUDIO, CONTACTS, DOCUMENT, IMAGE, INTERACTIVE, LOCATION, REACTION, STICKER, TEMPLATE, TEXT, VIDEO}} - got \"{other}\"."
            ),
        )),
    }
}

fn recipient(wa: &WhatsApp, number: &Number, params: &Params<'_>) -> Checked<Recipient> {
    let group = match params.optional_text("recipient_type", 32)?.unwrap_or("individual") {
        "individual" => false,
        "group" => true,
        other => {
            let problem = format!("must be one of {{individual, group}} - got \"{other}\".");
            return Err(params.invalid("recipient_type", &problem));
        }
    };
    let to = match params.get("to") {
        Some(Value::Number(n)) => Some(n.to_string()),
        _ => params.optional_text("to", 200)?.map(str::to_owned),
    };
    let mut world = lock(&wa.world);
    if let Some(input) = to.filter(|to| !to.trim().is_empty()) {
        if group {
            let person = world.people.by_user_id(&input);
            return Ok(Recipient { group_id: Some(input.clone()), input, person, by_user_id: false });
        }
        let wa_id = phone::wa_id(&input, &number.display_phone_number)
            .ok_or_else(|| params.invalid("to", "must be a phone number."))?;
        let person = world.people.by_phone(&wa_id);
        return Ok(Recipient { input, person, by_user_id: false, group_id: None });
    }
    match params.optional_text("recipient", 200)? {
        Some(input) if phone::is_user_id(input) => {
            let person = world.people.by_user_id(input);
            Ok(Recipient { input: input.to_owned(), person, by_user_id: true, group_id: None })
        }
        Some(_) => Err(params.invalid("recipient", "must be a business-scoped user ID.")),
        None => Err(params.missing("to")),
    }
}

fn check_recipient(wa: &WhatsApp, number: &Number, recipient: &Recipient) -> Checked<()> {
    let Some(wa_id) = &recipient.person.wa_id else { return Ok(()) };
    if *wa_id == number.display_phone_number {
        return Err(GraphError::with_details(131021, "Recipient phone number cannot be the sender."));
    }
    let allowed = wa.config.allowed_recipients.as_ref();
    if allowed.is_some_and(|list| !list.iter().any(|entry| phone::digits(entry) == *wa_id)) {
        return Err(GraphError::with_details(
            131030,
            "Recipient phone number not in allowed list: Add recipient phone number to recipient list and try again.",
        ));
    }
    Ok(())
}

fn check_limits(wa: &WhatsApp, number: &Number, recipient: &Recipient) -> Checked<()> {
    if !wa.config.enforce_rate_limits {
        return Ok(());
    }
    let probe = Probe {
        object: number.phone_number_id.clone(),
        to: Some(recipient.person.user_id.clone()),
        sends: true,
        ..Probe::default()
    };
    let over = lock(&wa.world).limits.check(&probe, wa.clock.now_ms());
    over.map_or(Ok(()), |code| Err(Box::new(GraphError::of(code))))
}

fn accept(
    wa: &Arc<WhatsApp>,
    number: &Number,
    body: &Map<String, Value>,
    kind: &str,
    recipient: Recipient,
    content: Content,
) -> Reply {
    let person = recipient.person;
    let now = wa.clock.now_ms();
    let id = wamid::new(person.wa_id.as_deref().unwrap_or(&person.user_id), true);
    let price = price(wa, number, &person, &content, now);
    let failure = failure(wa, number, &person, recipient.group_id.is_some(), &content, now);
    let is_template = content.template_category.is_some();
    wa.messages.add(Message {
        seq: 0,
        at: now,
        direction: Direction::Out,
        id: id.clone(),
        phone_number_id: number.phone_number_id.clone(),
        contact: person.clone(),
        group_id: recipient.group_id.clone(),
        kind: kind.to_owned(),
        message: shown(body, kind),
        preview: content.preview.clone(),
        status: "accepted".to_owned(),
        statuses: Vec::new(),
        read_by_business: false,
        error: None,
    });
    let reply = answer(
        &recipient.input,
        &person,
        recipient.by_user_id,
        recipient.group_id.as_deref(),
        &id,
        is_template,
    );
    let callback_data = body.get("biz_opaque_callback_data").and_then(Value::as_str).map(str::to_owned);
    statuses::start(
        wa,
        Plan {
            id,
            number: number.clone(),
            person,
            group_id: recipient.group_id,
            callback_data,
            accepted_at_ms: now,
            voice: content.voice,
            only_sent: content.reaction,
            price,
            failure,
        },
    );
    reply
}

/// The message without the envelope that only the API needs.
fn shown(body: &Map<String, Value>, kind: &str) -> Value {
    const ENVELOPE: [&str; 4] = ["messaging_product", "recipient_type", "to", "recipient"];
    let mut shown: Map<String, Value> = body
        .iter()
        .filter(|(key, _)| !ENVELOPE.contains(&key.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    shown.entry("type".to_owned()).or_insert_with(|| kind.into());
    Value::Object(shown)
}

fn answer(
    input: &str,
    person: &Person,
    by_user_id: bool,
    group_id: Option<&str>,
    id: &str,
    is_template: bool,
) -> Reply {
    let mut contact = json!({ "input": input });
    match (group_id, by_user_id, &person.wa_id) {
        (Some(group), ..) => contact["wa_id"] = group.into(),
        (None, true, _) => contact["user_id"] = person.user_id.as_str().into(),
        (None, false, wa_id) => contact["wa_id"] = wa_id.as_deref().unwrap_or_default().into(),
    }
    let mut message = json!({ "id": id });
    if let Some(group) = group_id {
        message["group_id"] = group.into();
    }
    if is_template {
        message["message_status"] = "accepted".into();
    }
    Reply::ok(json!({ "messaging_product": "whatsapp", "contacts": [contact], "messages": [message] }))
}

/// Meta's pricing since July 2025: free-form messages are free, utility templates too while the window is open, everything is free
/// after an advertisement led here.
fn price(wa: &WhatsApp, number: &Number, person: &Person, content: &Content, now: i64) -> Price {
    let world = lock(&wa.world);
    let category = content.template_category.clone().unwrap_or_else(|| "service".to_owned());
    if world.entry_point_is_open(number, person, now) {
        return Price { kind: "free_entry_point", category: "referral_conversion".to_owned() };
    }
    let free = match category.as_str() {
        "service" => true,
        "utility" => world.window_is_open(number, person, now),
        _ => false,
    };
    Price { kind: if free { "free_customer_service" } else { "regular" }, category }
}

/// Why an accepted message will not arrive, the first reason that holds.
fn failure(
    wa: &WhatsApp,
    number: &Number,
    person: &Person,
    group: bool,
    content: &Content,
    now: i64,
) -> Option<Failure> {
    let to = person.wa_id.as_deref().unwrap_or(&person.user_id);
    if let Some(planned) = wa.faults.take_failure(to) {
        return Some(Failure {
            code: planned.code,
            title: planned.title,
            details: planned.details,
            after_sent: planned.after_sent,
        });
    }
    if wa.config.unreachable.iter().any(|number| phone::digits(number) == to) {
        return Some(Failure::of(131026, "Message undeliverable."));
    }
    let free_form = content.template_category.is_none() && !group;
    if free_form && wa.config.enforce_window && !lock(&wa.world).window_is_open(number, person, now) {
        return Some(Failure::of(
            131047,
            "Message failed to send because more than 24 hours have passed since the customer last replied to this number.",
        ));
    }
    content.failure.clone()
}
