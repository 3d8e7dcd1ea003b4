//! Workspaces as their members see them.

use crate::answer::Listed;
use crate::auth::{Principal, Tenant};
use crate::error::{self, ApiError};
use crate::extract::Body;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sluice_records::{
    ActorKind, NewWorkspace, Permission, Profile, Role, Scope, TenantStatus, Workspace, WorkspaceChange,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update, delete))
}

/// A workspace.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct WorkspaceView {
    /// `ws_…`.
    id: String,
    /// Its name in addresses.
    name: String,
    /// Its name for people.
    display_name: String,
    /// `active` or `suspended`.
    #[schema(value_type = String)]
    status: TenantStatus,
    /// Why it is suspended.
    #[schema(required)]
    status_reason: Option<String>,
    /// The reseller whose client it is.
    #[schema(required)]
    reseller_id: Option<String>,
    /// What the business says about itself.
    #[schema(value_type = Object)]
    profile: Profile,
    /// What the caller is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    /// When it was made.
    created_at: i64,
    /// When it was changed.
    updated_at: i64,
}

impl From<Workspace> for WorkspaceView {
    fn from(one: Workspace) -> Self {
        Self {
            id: one.id,
            name: one.name,
            display_name: one.display_name,
            status: one.status,
            status_reason: one.status_reason,
            reseller_id: one.reseller_id,
            profile: one.profile,
            role: None,
            created_at: one.created_at,
            updated_at: one.updated_at,
        }
    }
}

/// A workspace to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkspaceRequest {
    /// Lower-case letters, digits and hyphens.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    pub(crate) name: String,
    /// Its name for people.
    #[serde(default)]
    pub(crate) display_name: String,
}

/// What may change; what is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkspaceChangeRequest {
    /// Its name for people.
    display_name: Option<String>,
    /// What the business says about itself, as a whole.
    #[schema(value_type = Option<Object>)]
    profile: Option<Profile>,
}

/// List the workspaces that the caller can reach: a person's own, a key's own, or all for a platform key.
#[utoipa::path(get, path = "/api/workspaces", tag = "tenants",
    responses((status = 200, description = "The workspaces, by name", body = Listed<WorkspaceView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    principal: Principal,
) -> Result<Json<Listed<WorkspaceView>>, ApiError> {
    if principal.enters_all() {
        let found = state.records.list_workspaces(None).await?;
        return Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())));
    }
    let mut found = Vec::new();
    if principal.actor.kind == ActorKind::Person {
        for (workspace, role) in state.records.workspaces_of(&principal.actor.id).await? {
            found.push(WorkspaceView { role: Some(role), ..workspace.into() });
        }
    } else {
        for grant in &principal.grants {
            if let Scope::Workspace(id) = &grant.scope {
                found.push(state.records.workspace(id).await?.into());
            }
        }
    }
    Ok(Json(Listed::all(found)))
}

/// Make a workspace. A person becomes its owner; a platform key makes one that has no owner yet.
#[utoipa::path(post, path = "/api/workspaces", tag = "tenants", request_body = WorkspaceRequest,
    responses(
        (status = 201, description = "The workspace", body = WorkspaceView),
        (status = 409, description = "`conflict`: the name is taken", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn create(
    State(state): State<ApiState>,
    principal: Principal,
    Body(request): Body<WorkspaceRequest>,
) -> Result<(StatusCode, Json<WorkspaceView>), ApiError> {
    let owner = match principal.actor.kind {
        ActorKind::Person => Some(principal.actor.id.clone()),
        _ if principal.enters_all() => None,
        _ => {
            let message = format!("a key needs the permission `{}`", Permission::PlatformEnter);
            return Err(ApiError::new(error::FORBIDDEN, message));
        }
    };
    let new =
        NewWorkspace { name: request.name, display_name: request.display_name, reseller_id: None, owner };
    let made = state.records.acting(principal.actor).create_tenant(new).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Show a workspace.
#[utoipa::path(get, path = "/api/workspaces/{id}", tag = "tenants",
    params(("id" = String, Path, description = "`ws_…`, or its name")),
    responses((status = 200, description = "The workspace", body = WorkspaceView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    tenant: Tenant,
) -> Result<Json<WorkspaceView>, ApiError> {
    Ok(Json(state.records.workspace(&tenant.workspace_id).await?.into()))
}

/// Change a workspace's name for people and its profile.
#[utoipa::path(put, path = "/api/workspaces/{id}", tag = "tenants", request_body = WorkspaceChangeRequest,
    params(("id" = String, Path, description = "`ws_…`, or its name")),
    responses((status = 200, description = "The workspace", body = WorkspaceView)))]
pub(crate) async fn update(
    State(state): State<ApiState>,
    tenant: Tenant,
    Body(request): Body<WorkspaceChangeRequest>,
) -> Result<Json<WorkspaceView>, ApiError> {
    let change = WorkspaceChange { display_name: request.display_name, profile: request.profile };
    Ok(Json(tenant.records(&state).update_workspace(&tenant.workspace_id, change).await?.into()))
}

/// Delete a workspace for good. Its workflows stop at once; its rows are removed little by little, its runs when their
/// time is over. What it used and what was done to it stays in the ledger and in the audit trail.
#[utoipa::path(delete, path = "/api/workspaces/{id}", tag = "tenants",
    params(("id" = String, Path, description = "`ws_…`, or its name")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(State(state): State<ApiState>, tenant: Tenant) -> Result<StatusCode, ApiError> {
    let records = tenant.records(&state);
    records.set_workspace_status(&tenant.workspace_id, TenantStatus::Deleted, None).await?;
    state.workspace_ids.invalidate_all();
    state.close_inactive_workspaces().await?;
    Ok(StatusCode::NO_CONTENT)
}
