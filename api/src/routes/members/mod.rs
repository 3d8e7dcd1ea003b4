//! The members of a workspace.

use crate::answer::Listed;
use crate::auth::Tenant;
use crate::error::{self, ApiError};
use crate::extract::{Body, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sluice_records::{Member, MemberStatus, Permissions, Role, Scope};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(update, remove))
}

/// A member.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MemberView {
    /// `per_…`.
    person_id: String,
    /// E-mail address.
    email: String,
    /// Name.
    name: String,
    /// `owner`, `admin`, `agent` or `viewer`; of a team `super_admin`, `platform_admin` or `reseller_admin`.
    #[schema(value_type = String)]
    role: Role,
    /// `active` or `suspended`.
    #[schema(value_type = String)]
    status: MemberStatus,
    /// Since when.
    created_at: i64,
}

impl From<Member> for MemberView {
    fn from(one: Member) -> Self {
        Self {
            person_id: one.person_id,
            email: one.email,
            name: one.name,
            role: one.role,
            status: one.status,
            created_at: one.created_at,
        }
    }
}

/// What a member is to be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberRequest {
    /// The role.
    #[schema(value_type = String)]
    pub(crate) role: Role,
    /// True: the membership does not count for now.
    #[serde(default)]
    pub(crate) suspended: bool,
}

impl MemberRequest {
    pub(crate) fn status(&self) -> MemberStatus {
        if self.suspended { MemberStatus::Suspended } else { MemberStatus::Active }
    }
}

/// Nobody gives or takes what they do not have themselves.
///
/// # Errors
/// `forbidden`.
pub(crate) fn check_reach(own: Permissions, role: Role) -> Result<(), ApiError> {
    match role.permissions().without(own).iter().next() {
        None => Ok(()),
        Some(missing) => {
            let message = format!("the role {} has `{missing}`, which you do not have", role.as_text());
            Err(ApiError::new(error::FORBIDDEN, message))
        }
    }
}

/// List the members of the workspace.
#[utoipa::path(get, path = "/api/members", tag = "tenants",
    responses((status = 200, description = "The members, by name", body = Listed<MemberView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
) -> Result<Json<Listed<MemberView>>, ApiError> {
    let members = tenant.records(&state).list_members(&Scope::Workspace(tenant.workspace_id.clone())).await?;
    Ok(Json(Listed::all(members.into_iter().map(Into::into).collect())))
}

/// Change what a member is, or suspend the membership.
#[utoipa::path(put, path = "/api/members/{person_id}", tag = "tenants", request_body = MemberRequest,
    params(("person_id" = String, Path, description = "`per_…`")),
    responses(
        (status = 200, description = "The member", body = MemberView),
        (status = 409, description = "`conflict`: a workspace keeps an owner", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn update(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(person_id): Path<String>,
    Body(request): Body<MemberRequest>,
) -> Result<Json<MemberView>, ApiError> {
    let scope = Scope::Workspace(tenant.workspace_id.clone());
    check_reach(tenant.permissions, state.records.member(&scope, &person_id).await?.role)?;
    check_reach(tenant.permissions, request.role)?;
    let records = tenant.records(&state);
    Ok(Json(records.put_member(&scope, &person_id, request.role, request.status()).await?.into()))
}

/// End a membership.
#[utoipa::path(delete, path = "/api/members/{person_id}", tag = "tenants",
    params(("person_id" = String, Path, description = "`per_…`")),
    responses(
        (status = 204, description = "It ended"),
        (status = 409, description = "`conflict`: a workspace keeps an owner", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn remove(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(person_id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let scope = Scope::Workspace(tenant.workspace_id.clone());
    check_reach(tenant.permissions, state.records.member(&scope, &person_id).await?.role)?;
    tenant.records(&state).remove_member(&scope, &person_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
