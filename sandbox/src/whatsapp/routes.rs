//! From a Graph path to the function that answers it.
//!
//! It must not know what the functions do.

use super::error::{Checked, GraphError};
use super::graph::GraphCall;
use super::media::DOWNLOAD_PATH;
use super::{WhatsApp, media, numbers, phone, send, template_calls};
use crate::config::Number;
use crate::exchange::{Call, Content, Reply};
use crate::faults::Probe;
use crate::journal::lock;
use axum::http::Method;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Answers a call; never fails, every refusal is a Graph error.
pub(crate) async fn handle(wa: &Arc<WhatsApp>, call: &Call, base_url: Option<&str>) -> Reply {
    let call = GraphCall::new(call, base_url);
    match answer(wa, &call).await {
        Ok(reply) => with_rate_headers(wa, &call.segments, reply, 0),
        Err(error) => {
            let details = error.details().unwrap_or_default();
            tracing::debug!(code = error.code(), details, path = call.bare_path(), "call refused");
            with_rate_headers(wa, &call.segments, error.reply(), error.regain_access_minutes().unwrap_or(0))
        }
    }
}

async fn answer(wa: &Arc<WhatsApp>, call: &GraphCall<'_>) -> Checked<Reply> {
    call.authorize(&wa.config)?;
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        [] => Err(GraphError::unknown_path("")),
        path if *path == DOWNLOAD_PATH && call.method() == Method::GET => media::download(wa, call),
        [id] => object(wa, call, id).await,
        [id, edge] => edges(wa, call, id, edge).await,
        [_, rest @ ..] => Err(GraphError::unknown_path(&rest.join("/"))),
    }
}

/// What an id names.
enum Object<'a> {
    Number(&'a Number),
    Account,
    App,
    Media,
    Template,
    Unknown,
}

fn named<'a>(wa: &'a WhatsApp, id: &str) -> Object<'a> {
    if let Some(number) = wa.config.numbers.iter().find(|number| number.phone_number_id == id) {
        return Object::Number(number);
    }
    if wa.config.numbers.iter().any(|number| number.waba_id == id) {
        return Object::Account;
    }
    if wa.config.app_id == id {
        return Object::App;
    }
    if media::find(wa, id).is_some() {
        return Object::Media;
    }
    if lock(&wa.world).templates.get(id).is_some() {
        return Object::Template;
    }
    Object::Unknown
}

async fn object(wa: &Arc<WhatsApp>, call: &GraphCall<'_>, id: &str) -> Checked<Reply> {
    let method = call.method();
    match (method.as_str(), named(wa, id)) {
        ("GET", Object::Number(number)) => numbers::show(wa, call, number),
        ("POST", Object::Number(number)) => numbers::configure(wa, call, number).await,
        ("GET", Object::Account) => Ok(numbers::account(wa, id)),
        ("GET", Object::Media) => media::look_up(wa, call, id),
        ("DELETE", Object::Media) => media::delete(wa, call, id),
        ("GET", Object::Template) => {
            let template = lock(&wa.world).templates.get(id).cloned();
            let template = template.ok_or_else(|| GraphError::unknown_object(method.as_str(), id))?;
            Ok(template_calls::show(&template, call))
        }
        ("POST", Object::Template) => template_calls::edit(wa, call, id),
        _ => Err(GraphError::unknown_object(method.as_str(), id)),
    }
}

async fn edges(wa: &Arc<WhatsApp>, call: &GraphCall<'_>, id: &str, edge: &str) -> Checked<Reply> {
    let method = call.method().as_str();
    match (named(wa, id), method, edge) {
        (Object::Unknown, ..) => Err(GraphError::unknown_object(method, id)),
        (Object::Number(number), _, _) => number_edges(wa, call, number, edge).await,
        (Object::Account, _, _) => account_edges(wa, call, id, edge).await,
        (Object::App, "POST", "subscriptions") => numbers::set_app_callback(wa, call).await,
        _ => Err(GraphError::unknown_path(edge)),
    }
}

async fn number_edges(
    wa: &Arc<WhatsApp>,
    call: &GraphCall<'_>,
    number: &Number,
    edge: &str,
) -> Checked<Reply> {
    match (call.method().as_str(), edge) {
        // The old Postman collection marks messages as read with PUT.
        ("POST" | "PUT", "messages") => send::messages(wa, call, number, false),
        ("POST", "marketing_messages") => send::messages(wa, call, number, true),
        ("POST", "media") => media::upload(wa, call, number).await,
        ("GET", "whatsapp_business_profile") => Ok(numbers::show_profile(wa, call, number)),
        ("POST", "whatsapp_business_profile") => numbers::edit_profile(wa, call, number),
        ("GET", "block_users") => Ok(numbers::blocked(wa, number)),
        ("POST", "block_users") => numbers::change_blocked(wa, call, number, true),
        ("DELETE", "block_users") => numbers::change_blocked(wa, call, number, false),
        (
            method,
            "messages" | "marketing_messages" | "media" | "whatsapp_business_profile" | "block_users",
        ) => Err(GraphError::unknown_object(method, &number.phone_number_id)),
        _ => Err(GraphError::unknown_path(edge)),
    }
}

async fn account_edges(wa: &Arc<WhatsApp>, call: &GraphCall<'_>, id: &str, edge: &str) -> Checked<Reply> {
    match (call.method().as_str(), edge) {
        ("GET", "phone_numbers") => numbers::list(wa, call, id),
        ("GET", "subscribed_apps") => Ok(numbers::subscriptions(wa, id)),
        ("POST", "subscribed_apps") => numbers::subscribe(wa, call, id).await,
        ("DELETE", "subscribed_apps") => Ok(numbers::unsubscribe(wa, id)),
        ("GET", "message_templates") => template_calls::list(wa, call, id),
        ("POST", "message_templates") => template_calls::create(wa, call, id),
        ("DELETE", "message_templates") => template_calls::delete(wa, call, id),
        (method, "phone_numbers" | "subscribed_apps" | "message_templates") => {
            Err(GraphError::unknown_object(method, id))
        }
        _ => Err(GraphError::unknown_path(edge)),
    }
}

/// What fault rules look at.
pub(crate) fn probe(wa: &WhatsApp, call: &Call) -> Probe {
    let graph = GraphCall::new(call, None);
    let object = graph.segments.first().cloned().unwrap_or_default();
    let edge = graph.segments.get(1).map(String::as_str);
    let messages = matches!(edge, Some("messages" | "marketing_messages")) && call.method == Method::POST;
    let body = if messages { graph.json_body().unwrap_or_default() } else { Map::new() };
    let business = wa.config.numbers.iter().find(|number| number.phone_number_id == object);
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let phone = text("to").map(|to| {
        let wa_id = business.and_then(|number| phone::wa_id(to, &number.display_phone_number));
        wa_id.unwrap_or_else(|| to.to_owned())
    });
    Probe {
        method: call.method.to_string(),
        path: call.path.clone(),
        bare_path: graph.bare_path(),
        object,
        to: phone.or_else(|| text("recipient").map(str::to_owned)),
        sends: messages && !body.contains_key("status"),
    }
}

/// Adds the headers every Graph answer carries. The counters are percentages; the sandbox is never busy.
pub(crate) fn with_rate_headers(
    wa: &WhatsApp,
    segments: &[String],
    reply: Reply,
    regain_minutes: u64,
) -> Reply {
    if matches!(reply.content, Content::Bytes(_)) {
        return reply;
    }
    let own = segments.first().and_then(|id| wa.config.numbers.iter().find(|n| n.phone_number_id == *id));
    let account = own.or(wa.config.numbers.first()).map(|n| n.waba_id.as_str()).unwrap_or_default();
    let used = if regain_minutes > 0 { 100 } else { 1 };
    let app = json!({ "call_count": used, "total_cputime": 0, "total_time": 0 });
    let business = json!({ account: [{
        "type": "whatsapp_business_management",
        "call_count": used,
        "total_cputime": 0,
        "total_time": 0,
        "estimated_time_to_regain_access": regain_minutes,
    }] });
    reply
        .with_header("x-app-usage", &app.to_string())
        .with_header("x-business-use-case-usage", &business.to_string())
        .with_header("facebook-api-version", "v22.0")
        .with_header("x-fb-trace-id", &crate::random::trace_id())
}
