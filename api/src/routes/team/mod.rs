//! Who runs the reseller, or the platform.

use crate::answer::Listed;
use crate::auth::Manager;
use crate::error::ApiError;
use crate::extract::{Body, Path};
use crate::routes::invitations::{InvitationRequest, NewInvitationView};
use crate::routes::members::{MemberRequest, MemberView, check_reach};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(update, remove)).routes(routes!(invite))
}

/// List the team.
#[utoipa::path(get, path = "/api/team", tag = "management",
    responses((status = 200, description = "The team, by name", body = Listed<MemberView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    manager: Manager,
) -> Result<Json<Listed<MemberView>>, ApiError> {
    let members = state.records.list_members(&manager.scope).await?;
    Ok(Json(Listed::all(members.into_iter().map(Into::into).collect())))
}

/// Invite somebody to the team.
#[utoipa::path(post, path = "/api/team/invitations", tag = "management", request_body = InvitationRequest,
    responses(
        (status = 201, description = "The invitation with its token", body = NewInvitationView),
        (status = 409, description = "`conflict`: a member already", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn invite(
    State(state): State<ApiState>,
    manager: Manager,
    Body(request): Body<InvitationRequest>,
) -> Result<(StatusCode, Json<NewInvitationView>), ApiError> {
    check_reach(manager.permissions, request.role)?;
    let made = manager.records(&state).invite(&manager.scope, &request.email, request.role).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Change what a member of the team is, or suspend the membership.
#[utoipa::path(put, path = "/api/team/{person_id}", tag = "management", request_body = MemberRequest,
    params(("person_id" = String, Path, description = "`per_…`")),
    responses((status = 200, description = "The member", body = MemberView)))]
pub(crate) async fn update(
    State(state): State<ApiState>,
    manager: Manager,
    Path(person_id): Path<String>,
    Body(request): Body<MemberRequest>,
) -> Result<Json<MemberView>, ApiError> {
    check_reach(manager.permissions, state.records.member(&manager.scope, &person_id).await?.role)?;
    check_reach(manager.permissions, request.role)?;
    let records = manager.records(&state);
    Ok(Json(records.put_member(&manager.scope, &person_id, request.role, request.status()).await?.into()))
}

/// End a membership of the team.
#[utoipa::path(delete, path = "/api/team/{person_id}", tag = "management",
    params(("person_id" = String, Path, description = "`per_…`")),
    responses((status = 204, description = "It ended")))]
pub(crate) async fn remove(
    State(state): State<ApiState>,
    manager: Manager,
    Path(person_id): Path<String>,
) -> Result<StatusCode, ApiError> {
    check_reach(manager.permissions, state.records.member(&manager.scope, &person_id).await?.role)?;
    manager.records(&state).remove_member(&manager.scope, &person_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
