//! What the caller of a webhook is answered.

use super::receive::Respond;
use crate::error::{self, ApiError};
use crate::run_wait::Waited;
use axum::Json;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use sluice_engine::core::RunStatus;
use sluice_engine::drive::RunOutcome;
use sluice_engine::store::RunKey;
use sluice_node_sdk::item::Item;
use sluice_node_sdk::outcome::Reply;

/// Headers that belong to the server, or that would let a workflow speak for all pages of this host.
const REFUSED: [&str; 20] = [
    "alt-svc",
    "clear-site-data",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "date",
    "keep-alive",
    "proxy-authenticate",
    "server",
    "service-worker-allowed",
    "set-cookie",
    "set-cookie2",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-content-type-options",
    "x-request-id",
];

/// The run was started.
pub(super) fn accepted(key: &RunKey) -> Response {
    shut(Json(json!({ "run_id": key.run_id })).into_response())
}

/// The run is over, has answered, or goes on longer than callers wait.
pub(super) fn finished(respond: Respond, waited: Waited) -> Result<Response, ApiError> {
    let Some(outcome) = waited.outcome else {
        let body = json!({ "run_id": waited.key.run_id });
        return Ok(shut((StatusCode::ACCEPTED, Json(body)).into_response()));
    };
    if respond == Respond::NodeAnswer
        && let Some(reply) = &outcome.reply
    {
        return Ok(shut(replied(reply)));
    }
    match outcome.status {
        RunStatus::Failed | RunStatus::Cancelled => Err(failed(&waited.key, &outcome)),
        _ if respond == Respond::NodeAnswer => Ok(accepted(&waited.key)),
        _ => Ok(shut(last_items(&outcome.items))),
    }
}

/// One item is itself; several, or none, are a list.
fn last_items(items: &[Item]) -> Response {
    match items {
        [one] => Json(&*one.json).into_response(),
        many => Json(many.iter().map(|item| &*item.json).collect::<Vec<&Value>>()).into_response(),
    }
}

fn failed(key: &RunKey, outcome: &RunOutcome) -> ApiError {
    let code = outcome.error.as_ref().map_or(outcome.status.as_str(), |fault| fault.code.as_str());
    ApiError::new(error::RUN_FAILED, "the workflow failed on this request")
        .details(json!({ "run_id": key.run_id, "error": { "code": code } }))
}

fn replied(reply: &Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).ok().filter(|status| status.as_u16() >= 200);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &reply.headers {
        let parsed = HeaderName::try_from(name.as_str()).ok().zip(HeaderValue::try_from(value.as_str()).ok());
        if let Some((name, value)) = parsed.filter(|(name, _)| !REFUSED.contains(&name.as_str())) {
            response.headers_mut().append(name, value);
        }
    }
    let declared = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_json = declared.is_none_or(crate::extract::is_json);
    let has_type = declared.is_some();
    let may_have_body = !matches!(response.status().as_u16(), 204 | 205 | 304);
    let body = match &reply.body {
        Value::Null if !is_json => String::new(),
        Value::String(text) if !is_json => text.clone(),
        other => other.to_string(),
    };
    if may_have_body {
        *response.body_mut() = Body::from(body);
        if !has_type {
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
    }
    response
}

/// Whatever a workflow answers, a browser must not run it as a page of this host.
fn shut(mut response: Response) -> Response {
    let policy = HeaderValue::from_static("sandbox allow-forms allow-popups allow-downloads");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
