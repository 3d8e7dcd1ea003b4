//! What the caller may do, for whoever shows only what is allowed. The guard asks again at every request. Must not know
//! what a permission opens.

use crate::auth::{Principal, meant_workspace, named_workspace};
use crate::error::ApiError;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use sluice_records::Permissions;

/// What the caller may do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AccessView {
    /// `person` or `key`.
    kind: String,
    /// Id of the person or key.
    id: String,
    /// E-mail address of the person, name of the key.
    name: String,
    /// The workspace that requests like this one mean, and what the caller may do there.
    #[schema(required)]
    workspace: Option<WorkspaceAccess>,
    /// Everything that was granted: on the platform, for a reseller's clients, in workspaces.
    grants: Vec<GrantView>,
}

/// What the caller may do in a workspace.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct WorkspaceAccess {
    /// `ws_…`.
    id: String,
    /// Its name.
    name: String,
    /// `resource:action`.
    permissions: Vec<&'static str>,
}

/// What was granted.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct GrantView {
    /// `platform`, `reseller` or `workspace`.
    scope: &'static str,
    /// `rs_…` or `ws_…`; none for the platform.
    #[schema(required)]
    id: Option<String>,
    /// `resource:action`.
    permissions: Vec<&'static str>,
}

/// Show who the caller is and what they may do.
#[utoipa::path(get, path = "/api/access", tag = "account",
    params(("x-sluice-workspace" = Option<String>, Header, description = "Name or id of the workspace that is meant; the caller's own when missing")),
    responses((status = 200, description = "Who, where and what", body = AccessView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    principal: Principal,
    headers: HeaderMap,
) -> Result<Json<AccessView>, ApiError> {
    let meant = meant_workspace(&state, &principal, named_workspace(&headers)?).await?;
    let workspace = meant.map(|(workspace, permissions)| WorkspaceAccess {
        id: workspace.id,
        name: workspace.name,
        permissions: texts(permissions),
    });
    let grants = principal.grants.iter().map(|grant| GrantView {
        scope: grant.scope.kind(),
        id: Some(grant.scope.id().to_owned()).filter(|id| !id.is_empty()),
        permissions: texts(grant.permissions),
    });
    Ok(Json(AccessView {
        kind: principal.actor.kind.as_text().to_owned(),
        id: principal.actor.id.clone(),
        name: principal.actor.name.clone(),
        workspace,
        grants: grants.collect(),
    }))
}

fn texts(permissions: Permissions) -> Vec<&'static str> {
    permissions.iter().map(|one| one.as_text()).collect()
}
