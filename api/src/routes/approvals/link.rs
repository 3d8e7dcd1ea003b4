//! Shows and decides through a signed link. GET only shows: programs that look at links in messages must not decide.

use super::{Decision, Question, find, page, settle};
use crate::client::ClientAddress;
use crate::error::{self, ApiError};
use crate::extract::{Path, is_json, read_json, shape, whole_body};
use crate::html;
use crate::layers::RequestId;
use crate::links::{ApprovalTicket, Use, read_ticket};
use crate::state::ApiState;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use sluice_engine::store::RunKey;
use sluice_records::{Actor, ActorKind};

/// What the form sends.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkDecision {
    /// `approve` or `reject`.
    pub(crate) decision: Decision,
    /// Why; at most 4,000 characters.
    #[serde(default)]
    pub(crate) note: Option<String>,
}

/// Show what is to be decided, as a page for people.
#[utoipa::path(get, path = "/approvals/{token}", tag = "approvals", params(("token" = String, Path, description = "From the link")),
    responses(
        (status = 200, description = "A page with the question and two buttons", content_type = "text/html", body = String),
        (status = 404, description = "A page saying that the link is not ours", content_type = "text/html", body = String),
        (status = 409, description = "A page saying that it is decided", content_type = "text/html", body = String),
        (status = 410, description = "A page saying that the link expired", content_type = "text/html", body = String),
    ))]
pub(crate) async fn show(State(state): State<ApiState>, Path(token): Path<String>) -> Response {
    match question_of(&state, &token) {
        Ok(question) => match find(&state, &question).await {
            Ok(open) => html::answer(StatusCode::OK, page::question(&open.workflow_name, &open.info)),
            Err(fault) => told(&fault),
        },
        Err(fault) => told(&fault),
    }
}

/// Decide through the link. Works once.
#[utoipa::path(post, path = "/approvals/{token}", tag = "approvals", params(("token" = String, Path, description = "From the link")),
    request_body(content((LinkDecision = "application/x-www-form-urlencoded"), (LinkDecision = "application/json"))),
    responses(
        (status = 200, description = "A page saying what was decided", content_type = "text/html", body = String),
        (status = 400, description = "A page saying what is missing", content_type = "text/html", body = String),
        (status = 404, description = "A page saying that the link is not ours", content_type = "text/html", body = String),
        (status = 409, description = "A page saying that it was decided before", content_type = "text/html", body = String),
        (status = 410, description = "A page saying that the link expired", content_type = "text/html", body = String),
        (status = 413, description = "A page saying that the note is too long", content_type = "text/html", body = String),
        (status = 415, description = "A page", content_type = "text/html", body = String),
        (status = 422, description = "A page saying what is wrong", content_type = "text/html", body = String),
    ))]
pub(crate) async fn decide(
    State(state): State<ApiState>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    match decide_once(&state, &token, request).await {
        Ok(decision) => html::answer(StatusCode::OK, page::decided(decision)),
        Err(fault) => told(&fault),
    }
}

async fn decide_once(state: &ApiState, token: &str, request: Request) -> Result<Decision, ApiError> {
    let question = question_of(state, token)?;
    let headers = request.headers().clone();
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.to_string());
    let address = ClientAddress::of(request.extensions());
    let actor = Actor { request_id, address, ..Actor::new(ActorKind::Person, "", "approval link") };
    let state = &state.acting(&actor);
    let bytes = whole_body(request, state).await?;
    let wish = read(&headers, &bytes, state.config.limits.json_depth)?;
    settle(state, &question, wish.decision, wish.note, "link".to_owned()).await?;
    Ok(wish.decision)
}

/// A decision as a form or as JSON.
pub(crate) fn read(headers: &HeaderMap, bytes: &[u8], max_depth: usize) -> Result<LinkDecision, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default();
    if is_json(content_type) {
        return read_json(bytes, max_depth).and_then(shape);
    }
    if !content_type.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        return Err(ApiError::plain(error::UNSUPPORTED_MEDIA_TYPE));
    }
    let fields: serde_json::Map<_, _> = url::form_urlencoded::parse(bytes)
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect();
    shape(fields.into())
}

fn question_of(state: &ApiState, token: &str) -> Result<Question, ApiError> {
    let ticket: ApprovalTicket = read_ticket(&state.config, Use::Approval, token, state.engine.now_ms())?;
    let key =
        RunKey { workspace_id: ticket.workspace_id.as_str().into(), run_id: ticket.run_id.as_str().into() };
    Ok(Question { key, node: ticket.node, iteration: ticket.iteration })
}

fn told(fault: &ApiError) -> Response {
    html::answer(fault.code().http_status(), page::fault(fault))
}
