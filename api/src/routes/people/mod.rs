//! The people of the installation, for those who run the platform: who signed up, who may come in. Must not know how people
//! prove who they are.

mod link;
mod page;

use super::account::views::{AccountStatus, PersonView};
use crate::answer::{Listed, page_size};
use crate::auth::Manager;
use crate::error::{self, ApiError, ErrorBody};
use crate::extract::{OptionalBody, Path, Query};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use sluice_records::people::Verdict;
use sluice_records::{PersonStatus, Role};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes for those who run the platform.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(suspend))
}

/// The routes for people with a link.
pub(crate) fn link_routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(link::show, link::decide))
}

/// Which people.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeopleQuery {
    /// `pending_verification`, `under_review`, `approved`, `rejected` or `suspended`.
    #[param(value_type = Option<AccountStatus>)]
    status: Option<PersonStatus>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Size of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List people, newest first.
#[utoipa::path(get, path = "/api/people", tag = "platform", params(PeopleQuery),
    responses((status = 200, description = "A page of people", body = Listed<PersonView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Manager,
    Query(query): Query<PeopleQuery>,
) -> Result<Json<Listed<PersonView>>, ApiError> {
    let size = page_size(query.limit);
    let page = state.records.list_people(query.status, query.cursor.as_deref(), size).await?;
    Ok(Json(Listed { items: page.items.into_iter().map(Into::into).collect(), next: page.next }))
}

/// Show a person.
#[utoipa::path(get, path = "/api/people/{id}", tag = "platform",
    params(("id" = String, Path, description = "`per_…`")),
    responses((status = 200, description = "The person", body = PersonView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    _: Manager,
    Path(id): Path<String>,
) -> Result<Json<PersonView>, ApiError> {
    Ok(Json(state.records.person(&id).await?.into()))
}

/// Why.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonRequest {
    /// The person is told. Needed to reject and to suspend.
    #[serde(default)]
    reason: Option<String>,
}

async fn decide(
    state: &ApiState,
    manager: &Manager,
    id: &str,
    verdict: Verdict,
    reason: Option<&str>,
) -> Result<Json<PersonView>, ApiError> {
    // Who may do everything is judged by their like only.
    let may_enter = manager.principal.enters_all();
    if !may_enter && state.records.platform_role(id).await? == Some(Role::SuperAdmin) {
        return Err(ApiError::new(error::FORBIDDEN, "only a super admin decides about a super admin"));
    }
    Ok(Json(manager.records(state).decide_person(id, verdict, reason).await?.into()))
}

/// Approve a sign-up, or let somebody in again who was rejected or suspended.
#[utoipa::path(post, path = "/api/people/{id}/approve", tag = "platform",
    params(("id" = String, Path, description = "`per_…`")),
    responses(
        (status = 200, description = "The person", body = PersonView),
        (status = 409, description = "`conflict`: the account is in another state", body = ErrorBody),
    ))]
pub(crate) async fn approve(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
) -> Result<Json<PersonView>, ApiError> {
    decide(&state, &manager, &id, Verdict::Approve, None).await
}

/// Reject a sign-up. Needs a reason.
#[utoipa::path(post, path = "/api/people/{id}/reject", tag = "platform", request_body = Option<ReasonRequest>,
    params(("id" = String, Path, description = "`per_…`")),
    responses(
        (status = 200, description = "The person", body = PersonView),
        (status = 409, description = "`conflict`: the account is in another state", body = ErrorBody),
    ))]
pub(crate) async fn reject(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
    OptionalBody(request): OptionalBody<ReasonRequest>,
) -> Result<Json<PersonView>, ApiError> {
    decide(&state, &manager, &id, Verdict::Reject, request.reason.as_deref()).await
}

/// Shut somebody out, and end their sessions. Needs a reason.
#[utoipa::path(post, path = "/api/people/{id}/suspend", tag = "platform", request_body = Option<ReasonRequest>,
    params(("id" = String, Path, description = "`per_…`")),
    responses(
        (status = 200, description = "The person", body = PersonView),
        (status = 409, description = "`conflict`: the account is in another state", body = ErrorBody),
    ))]
pub(crate) async fn suspend(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
    OptionalBody(request): OptionalBody<ReasonRequest>,
) -> Result<Json<PersonView>, ApiError> {
    decide(&state, &manager, &id, Verdict::Suspend, request.reason.as_deref()).await
}
