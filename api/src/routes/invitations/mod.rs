//! Invitations to workspaces: made, shown to who holds the token, accepted, ended.

use crate::answer::Listed;
use crate::auth::{Principal, Tenant};
use crate::error::{self, ApiError};
use crate::extract::{Body, Path};
use crate::routes::members::check_reach;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sluice_records::{ActorKind, Invitation, NewInvitation, Role, Scope};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of members.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke)).routes(routes!(accept))
}

/// What the holder of a token may see before signing in.
pub(crate) fn public_routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(show))
}

/// An open invitation.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct InvitationView {
    /// `inv_…`.
    id: String,
    /// Who is invited.
    email: String,
    /// As what.
    #[schema(value_type = String)]
    role: Role,
    /// `workspace`, `reseller` or `platform`.
    scope: &'static str,
    /// By whom.
    invited_by: String,
    /// When.
    created_at: i64,
    /// Until when it is open.
    expires_at: i64,
}

impl From<Invitation> for InvitationView {
    fn from(one: Invitation) -> Self {
        Self {
            id: one.id,
            email: one.email,
            role: one.role,
            scope: one.scope.kind(),
            invited_by: one.invited_by,
            created_at: one.created_at,
            expires_at: one.expires_at,
        }
    }
}

/// An invitation that was just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct NewInvitationView {
    #[serde(flatten)]
    invitation: InvitationView,
    /// What the invited presents; shown this once.
    token: String,
}

impl From<NewInvitation> for NewInvitationView {
    fn from(new: NewInvitation) -> Self {
        Self { invitation: new.info.into(), token: new.token }
    }
}

/// Whom to invite.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationRequest {
    /// Where the invitation goes; only a person with this address can accept it.
    #[schema(max_length = 254)]
    pub(crate) email: String,
    /// What they are to be.
    #[schema(value_type = String)]
    pub(crate) role: Role,
}

/// The token of an invitation.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationToken {
    /// `inv_…`.
    token: String,
}

/// List the open invitations to the workspace.
#[utoipa::path(get, path = "/api/invitations", tag = "tenants",
    responses((status = 200, description = "Open invitations, newest first", body = Listed<InvitationView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
) -> Result<Json<Listed<InvitationView>>, ApiError> {
    let found =
        tenant.records(&state).list_invitations(&Scope::Workspace(tenant.workspace_id.clone())).await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}

/// Invite somebody to the workspace. The token is shown once; hand it over, or let the mail do it.
#[utoipa::path(post, path = "/api/invitations", tag = "tenants", request_body = InvitationRequest,
    responses(
        (status = 201, description = "The invitation with its token", body = NewInvitationView),
        (status = 402, description = "`plan_limit_reached`: the plan allows no more members", body = crate::error::ErrorBody),
        (status = 409, description = "`conflict`: a member already", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn create(
    State(state): State<ApiState>,
    tenant: Tenant,
    Body(request): Body<InvitationRequest>,
) -> Result<(StatusCode, Json<NewInvitationView>), ApiError> {
    check_reach(tenant.permissions, request.role)?;
    let scope = Scope::Workspace(tenant.workspace_id.clone());
    let made = tenant.records(&state).invite(&scope, &request.email, request.role).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// End an open invitation.
#[utoipa::path(delete, path = "/api/invitations/{id}", tag = "tenants",
    params(("id" = String, Path, description = "`inv_…`")),
    responses((status = 204, description = "It ended")))]
pub(crate) async fn revoke(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let scope = Scope::Workspace(tenant.workspace_id.clone());
    tenant.records(&state).revoke_invitation(&scope, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show an invitation to who holds its token.
#[utoipa::path(post, path = "/api/invitations/show", tag = "tenants", request_body = InvitationToken,
    responses(
        (status = 200, description = "The invitation", body = InvitationView),
        (status = 404, description = "`not_found`: unknown, accepted, ended or over", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn show(
    State(state): State<ApiState>,
    Body(request): Body<InvitationToken>,
) -> Result<Json<InvitationView>, ApiError> {
    Ok(Json(state.records.invitation(&request.token).await?.into()))
}

/// Accept an invitation as the person who is signed in. It must have gone to that person's address.
#[utoipa::path(post, path = "/api/invitations/accept", tag = "tenants", request_body = InvitationToken,
    responses((status = 200, description = "What was accepted", body = InvitationView)))]
pub(crate) async fn accept(
    State(state): State<ApiState>,
    principal: Principal,
    Body(request): Body<InvitationToken>,
) -> Result<Json<InvitationView>, ApiError> {
    if principal.actor.kind != ActorKind::Person {
        return Err(ApiError::new(error::FORBIDDEN, "only a person can accept an invitation; sign in first"));
    }
    let person_id = principal.actor.id.clone();
    let records = state.records.acting(principal.actor);
    Ok(Json(records.accept_invitation(&request.token, &person_id).await?.into()))
}
