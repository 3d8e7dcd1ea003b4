//! The `/_sandbox` routes for people and tests: the journal, the phone, faults, time, reset.
//!
//! It must not know how providers answer. Errors have the form `{ "error": { "code", "message", "path" } }`.

use crate::faults::{Rule, WebhookFaults};
use crate::journal::Log;
use crate::oauth::Patch;
use crate::server::Shared;
use crate::whatsapp::{self, AnyChange, BadInbound, Inbound, Message};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait of a long poll, in seconds.
const LONGEST_WAIT_S: u64 = 60;
/// Largest body of a control call; a customer's file may come inside.
const MAX_BODY: usize = 140 * 1024 * 1024;

type Shade = State<Arc<Shared>>;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sandbox", get(state))
        .route("/_sandbox/requests", get(requests))
        .route("/_sandbox/messages", get(messages))
        .route("/_sandbox/webhooks", get(webhooks))
        .route("/_sandbox/mail", get(mail))
        .route("/_sandbox/faults", get(list_faults).post(add_faults).delete(clear_faults))
        .route("/_sandbox/faults/{id}", delete(remove_fault))
        .route("/_sandbox/clock", get(show_clock).post(move_clock))
        .route("/_sandbox/reset", post(reset))
        .route("/_sandbox/whatsapp/inbound", post(inbound))
        .route("/_sandbox/whatsapp/webhook", post(any_webhook))
        .route("/_sandbox/whatsapp/connect", post(connect))
        .route("/_sandbox/oauth", get(show_oauth).post(change_oauth))
        .route("/_sandbox/oauth/withdraw", post(withdraw))
        .route("/_sandbox/{*rest}", axum::routing::any(nowhere))
}

/// A refused control call.
struct Refused {
    status: StatusCode,
    code: &'static str,
    path: String,
    message: String,
}

impl Refused {
    fn input(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "invalid_input",
            path: path.into(),
            message: message.into(),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let error = json!({ "code": self.code, "message": self.message, "path": self.path });
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}

impl From<BadInbound> for Refused {
    fn from(bad: BadInbound) -> Self {
        Self::input(bad.path, bad.message)
    }
}

/// Reads a JSON body whatever its content type says.
async fn body<T: DeserializeOwned>(request: Request) -> Result<T, Refused> {
    let bytes: Bytes = axum::body::to_bytes(request.into_body(), MAX_BODY)
        .await
        .map_err(|error| Refused::input("", format!("The body cannot be read: {error}")))?;
    serde_json::from_slice(&bytes).map_err(|error| Refused::input("", error.to_string()))
}

async fn nowhere(request: Request) -> Refused {
    let message = format!("The sandbox has no {} {}.", request.method(), request.uri().path());
    Refused { status: StatusCode::NOT_FOUND, code: "not_found", path: String::new(), message }
}

async fn state(State(shared): Shade) -> Json<Value> {
    let numbers: Vec<Value> = shared
        .config
        .numbers
        .iter()
        .map(|n| {
            json!({
                "phone_number_id": n.phone_number_id,
                "display_phone_number": n.display_phone_number,
                "waba_id": n.waba_id,
                "verified_name": n.verified_name,
            })
        })
        .collect();
    Json(json!({
        "now": shared.clock.now_ms(),
        "base_url": shared.base_url(),
        "smtp": shared.smtp_listening.get(),
        "whatsapp": { "webhook_url": shared.whatsapp.callback(), "numbers": numbers },
    }))
}

/// `since`, `wait` and the filters of a list.
struct Poll {
    since: u64,
    wait: Duration,
    filters: HashMap<String, String>,
}

impl Poll {
    fn of(request: &Request, known: &[&str]) -> Result<Self, Refused> {
        let query = request.uri().query().unwrap_or_default();
        let mut filters: HashMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let since = filters.remove("since").unwrap_or_default();
        let since = match since.as_str() {
            "" => 0,
            text => text.parse().map_err(|_| Refused::input("since", "since must be a number."))?,
        };
        let wait = filters.remove("wait").map_or(Ok(0), |text| duration_ms(&text));
        let wait = wait.map_err(|message| Refused::input("wait", message))?;
        if let Some(unknown) = filters.keys().find(|key| !known.contains(&key.as_str())) {
            let message = format!("Known are since, wait, {}.", known.join(", "));
            return Err(Refused::input(unknown.clone(), message));
        }
        Ok(Self { since, wait: Duration::from_millis(wait.min(LONGEST_WAIT_S * 1000)), filters })
    }

    /// The filter is missing or equal to the text.
    fn wants(&self, key: &str, text: &str) -> bool {
        self.filters.get(key).is_none_or(|wanted| wanted == text)
    }

    async fn answer<T: Clone + Serialize>(&self, log: &Log<T>, keep: impl Fn(&T) -> bool) -> Json<Value> {
        let (items, next) = log.wait_since(self.since, keep, self.wait).await;
        Json(json!({ "items": items, "next": next }))
    }
}

/// `10s`, `500ms`, `2m`, `25h`, `3d`, or a plain number of milliseconds.
fn duration_ms(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let factor = match &text[digits..] {
        "" | "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    let number = text[..digits].parse::<u64>().ok();
    let wrong = || format!("'{text}' is no duration; write 500ms, 10s, 5m, 25h or 3d.");
    number.zip(factor).and_then(|(number, factor)| number.checked_mul(factor)).ok_or_else(wrong)
}

async fn requests(State(shared): Shade, request: Request) -> Result<Json<Value>, Refused> {
    let poll = Poll::of(&request, &["method", "path"])?;
    let keep = |entry: &crate::journal::RequestEntry| {
        poll.wants("method", &entry.method)
            && poll.filters.get("path").is_none_or(|part| entry.path.contains(part.as_str()))
    };
    Ok(poll.answer(&shared.journal, keep).await)
}

async fn messages(State(shared): Shade, request: Request) -> Result<Json<Value>, Refused> {
    let poll = Poll::of(&request, &["to", "phone_number_id", "direction", "type"])?;
    let keep = |message: &Message| {
        let direction = if message.direction == whatsapp::Direction::Out { "out" } else { "in" };
        poll.wants("phone_number_id", &message.phone_number_id)
            && poll.wants("type", &message.kind)
            && poll.wants("direction", direction)
            && poll
                .filters
                .get("to")
                .is_none_or(|to| message.contact.is_called(to) || message.group_id.as_ref() == Some(to))
    };
    Ok(poll.answer(shared.whatsapp.messages.log(), keep).await)
}

async fn mail(State(shared): Shade, request: Request) -> Result<Json<Value>, Refused> {
    let poll = Poll::of(&request, &["to"])?;
    let keep = |entry: &crate::smtp::MailEntry| entry.to.iter().any(|to| poll.wants("to", to));
    Ok(poll.answer(&shared.smtp.mail, keep).await)
}

async fn webhooks(State(shared): Shade, request: Request) -> Result<Json<Value>, Refused> {
    let poll = Poll::of(&request, &["what", "state"])?;
    let keep = |entry: &whatsapp::webhook::WebhookEntry| {
        poll.wants("what", entry.what) && poll.wants("state", entry.state)
    };
    Ok(poll.answer(shared.whatsapp.outbox.log(), keep).await)
}

/// One rule, a list of rules, or both kinds of disturbance together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultPlan {
    #[serde(default)]
    rules: Vec<Rule>,
    webhooks: Option<WebhookFaults>,
}

async fn add_faults(State(shared): Shade, request: Request) -> Result<Json<Value>, Refused> {
    let given: Value = body(request).await?;
    let wrong = |error: serde_json::Error| Refused::input("", error.to_string());
    let plan = if given.is_array() {
        FaultPlan { rules: serde_json::from_value(given).map_err(wrong)?, webhooks: None }
    } else if given.get("then").is_some() {
        FaultPlan { rules: vec![serde_json::from_value(given).map_err(wrong)?], webhooks: None }
    } else {
        serde_json::from_value(given).map_err(wrong)?
    };
    let ids = shared.faults.add(plan.rules);
    let mut released = 0;
    if let Some(patch) = plan.webhooks {
        let release = patch.release;
        shared.faults.patch_webhooks(patch);
        if release {
            released = shared.whatsapp.outbox.release(&shared.whatsapp);
        }
    }
    let mut answer = fault_list(&shared);
    answer["ids"] = json!(ids);
    answer["released"] = released.into();
    Ok(Json(answer))
}

fn fault_list(shared: &Shared) -> Value {
    json!({ "rules": shared.faults.list(), "webhooks": shared.faults.webhooks() })
}

async fn list_faults(State(shared): Shade) -> Json<Value> {
    Json(fault_list(&shared))
}

async fn clear_faults(State(shared): Shade) -> Json<Value> {
    shared.faults.clear();
    // What was held must not be lost with the rule that held it.
    shared.whatsapp.outbox.release(&shared.whatsapp);
    Json(fault_list(&shared))
}

async fn remove_fault(State(shared): Shade, Path(id): Path<u64>) -> Result<Json<Value>, Refused> {
    if !shared.faults.remove(id) {
        let message = format!("There is no fault rule {id}.");
        return Err(Refused { status: StatusCode::NOT_FOUND, code: "not_found", path: "id".into(), message });
    }
    Ok(Json(fault_list(&shared)))
}

async fn show_clock(State(shared): Shade) -> Json<Value> {
    Json(json!({ "now": shared.clock.now_ms() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockMove {
    /// `25h`, `10s`, … or milliseconds as a text.
    advance: String,
}

async fn move_clock(State(shared): Shade, request: Request) -> Result<Json<Value>, Refused> {
    let step: ClockMove = body(request).await?;
    let ms = duration_ms(&step.advance).map_err(|message| Refused::input("advance", message))?;
    let ms = i64::try_from(ms).map_err(|_| Refused::input("advance", "The duration is too long."))?;
    shared.clock.advance(ms);
    Ok(show_clock(State(shared)).await)
}

async fn reset(State(shared): Shade) -> Json<Value> {
    shared.reset();
    Json(json!({ "reset": true }))
}

async fn inbound(State(shared): Shade, request: Request) -> Result<Json<Value>, Refused> {
    let fallback = host_url(&request);
    let inbound: Inbound = body(request).await?;
    let base = shared.base_url().map_or(fallback, str::to_owned);
    Ok(Json(whatsapp::receive(&shared.whatsapp, inbound, &base).await?))
}

/// Where the caller reached the sandbox.
fn host_url(request: &Request) -> String {
    let host = request.headers().get("host").and_then(|value| value.to_str().ok());
    format!("http://{}", host.unwrap_or("127.0.0.1"))
}

async fn any_webhook(State(shared): Shade, request: Request) -> Result<Json<Value>, Refused> {
    let change: AnyChange = body(request).await?;
    Ok(Json(whatsapp::send_change(&shared.whatsapp, change).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Connection {
    /// `null` disconnects.
    webhook_url: Option<String>,
}

async fn connect(State(shared): Shade, request: Request) -> Result<Json<Value>, Refused> {
    let connection: Connection = body(request).await?;
    if let Some(url) = &connection.webhook_url {
        let good = url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !good {
            return Err(Refused::input("webhook_url", "webhook_url must start with http:// or https://."));
        }
    }
    shared.whatsapp.connect(connection.webhook_url);
    Ok(state(State(shared)).await)
}

async fn show_oauth(State(shared): Shade) -> Json<Value> {
    Json(shared.oauth.show())
}

async fn change_oauth(State(shared): Shade, request: Request) -> Result<Json<Value>, Refused> {
    let patch: Patch = body(request).await?;
    shared.oauth.patch(patch);
    Ok(show_oauth(State(shared)).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Withdrawal {
    /// Whose grants end; all without it.
    email: Option<String>,
}

async fn withdraw(State(shared): Shade, request: Request) -> Result<Json<Value>, Refused> {
    let whose: Withdrawal = body(request).await?;
    Ok(Json(json!({ "ended": shared.oauth.withdraw(whose.email.as_deref()) })))
}

#[cfg(test)]
mod tests {
    use super::duration_ms;

    #[test]
    fn durations_are_read() {
        let table = [("10s", 10_000), ("500ms", 500), ("25h", 90_000_000), ("7", 7), ("3d", 259_200_000)];
        for (text, ms) in table {
            assert_eq!(duration_ms(text), Ok(ms), "{text}");
        }
        for text in ["", "s", "1w", "-1s", "99999999999999999999s", "999999999999999999d"] {
            assert!(duration_ms(text).is_err(), "{text}");
        }
    }
}
