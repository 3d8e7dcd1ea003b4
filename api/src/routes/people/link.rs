//! Shows a sign-up and decides it through a signed link. GET only shows: programs that look at links in messages must not
//! decide.

use super::page;
use crate::client::ClientAddress;
use crate::error::{self, ApiError};
use crate::extract::{Path, whole_body};
use crate::html;
use crate::layers::RequestId;
use crate::links::{PersonTicket, Use, read_ticket};
use crate::routes::approvals::Decision;
use crate::routes::approvals::link::{LinkDecision, read};
use crate::state::ApiState;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use sluice_records::people::Verdict;
use sluice_records::{Actor, ActorKind, Person, PersonStatus, RecordError};

/// Show a sign-up that waits for approval, as a page for people.
#[utoipa::path(get, path = "/sign-ups/{token}", tag = "platform", params(("token" = String, Path, description = "From the link")),
    responses(
        (status = 200, description = "A page with the sign-up and two buttons", content_type = "text/html", body = String),
        (status = 404, description = "A page saying that the link is not ours", content_type = "text/html", body = String),
        (status = 409, description = "A page saying that it is decided", content_type = "text/html", body = String),
        (status = 410, description = "A page saying that the link expired", content_type = "text/html", body = String),
    ))]
pub(crate) async fn show(State(state): State<ApiState>, Path(token): Path<String>) -> Response {
    match open_sign_up(&state, &token).await {
        Ok(person) => html::answer(StatusCode::OK, page::sign_up(&person)),
        Err(fault) => html::answer(fault.code().http_status(), page::fault(&fault)),
    }
}

/// Decide a sign-up through the link. Works once. A rejection needs a note, which the person is told.
#[utoipa::path(post, path = "/sign-ups/{token}", tag = "platform", params(("token" = String, Path, description = "From the link")),
    request_body(content((LinkDecision = "application/x-www-form-urlencoded"), (LinkDecision = "application/json"))),
    responses(
        (status = 200, description = "A page saying what was decided", content_type = "text/html", body = String),
        (status = 400, description = "A page", content_type = "text/html", body = String),
        (status = 404, description = "A page saying that the link is not ours", content_type = "text/html", body = String),
        (status = 409, description = "A page saying that it was decided before", content_type = "text/html", body = String),
        (status = 410, description = "A page saying that the link expired", content_type = "text/html", body = String),
        (status = 413, description = "A page", content_type = "text/html", body = String),
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
        Err(fault) => html::answer(fault.code().http_status(), page::fault(&fault)),
    }
}

async fn open_sign_up(state: &ApiState, token: &str) -> Result<Person, ApiError> {
    let ticket: PersonTicket = read_ticket(&state.config, Use::SignUp, token, state.engine.now_ms())?;
    let person = state.records.person(&ticket.person_id).await?;
    if person.status == PersonStatus::UnderReview {
        Ok(person)
    } else {
        Err(ApiError::plain(error::ALREADY_DECIDED))
    }
}

async fn decide_once(state: &ApiState, token: &str, request: Request) -> Result<Decision, ApiError> {
    let person = open_sign_up(state, token).await?;
    let headers = request.headers().clone();
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.to_string());
    let address = ClientAddress::of(request.extensions());
    let actor = Actor { request_id, address, ..Actor::new(ActorKind::Person, "", "sign-up link") };
    let bytes = whole_body(request, state).await?;
    let wish: LinkDecision = read(&headers, &bytes, state.config.limits.json_depth)?;
    let verdict = match wish.decision {
        Decision::Approve => Verdict::Approve,
        Decision::Reject => Verdict::Reject,
    };
    match state.records.acting(actor).decide_sign_up(&person.id, verdict, wish.note.as_deref()).await {
        Ok(_) => Ok(wish.decision),
        Err(RecordError::Conflict { .. }) => Err(ApiError::plain(error::ALREADY_DECIDED)),
        Err(fault) => Err(fault.into()),
    }
}
