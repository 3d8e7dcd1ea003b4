//! Client workspaces, for the reseller that runs them and for the platform, which runs all.

use crate::answer::Listed;
use crate::auth::Manager;
use crate::error::ApiError;
use crate::extract::{Body, Path};
use crate::routes::invitations::{InvitationRequest, NewInvitationView};
use crate::routes::workspaces::{WorkspaceRequest, WorkspaceView};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use sluice_records::{NewWorkspace, Scope, TenantStatus, WorkspaceChange};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update)).routes(routes!(invite))
}

/// What may change; what is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientChangeRequest {
    /// Its name for people.
    #[schema(min_length = 1, max_length = 100)]
    display_name: Option<String>,
    /// True: its people and keys are refused and nothing starts there, until this is false again.
    suspended: Option<bool>,
    /// Why, for its members.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// List the client workspaces.
#[utoipa::path(get, path = "/api/clients", tag = "management",
    responses((status = 200, description = "The clients, by name", body = Listed<WorkspaceView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    manager: Manager,
) -> Result<Json<Listed<WorkspaceView>>, ApiError> {
    let reseller = match &manager.scope {
        Scope::Reseller(id) => Some(id.as_str()),
        Scope::Platform | Scope::Workspace(_) => None,
    };
    let found = state.records.list_workspaces(reseller).await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}

/// Make a client workspace. Invite its owner next: there is no password that anybody else knows.
#[utoipa::path(post, path = "/api/clients", tag = "management", request_body = WorkspaceRequest,
    responses(
        (status = 201, description = "The client", body = WorkspaceView),
        (status = 409, description = "`conflict`: the name is taken", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn create(
    State(state): State<ApiState>,
    manager: Manager,
    Body(request): Body<WorkspaceRequest>,
) -> Result<(StatusCode, Json<WorkspaceView>), ApiError> {
    let reseller_id = match &manager.scope {
        Scope::Reseller(id) => Some(id.clone()),
        Scope::Platform | Scope::Workspace(_) => None,
    };
    let new =
        NewWorkspace { name: request.name, display_name: request.display_name, reseller_id, owner: None };
    let made = manager.records(&state).create_tenant(new).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Show a client workspace.
#[utoipa::path(get, path = "/api/clients/{id}", tag = "management",
    params(("id" = String, Path, description = "`ws_…`, or its name")),
    responses((status = 200, description = "The client", body = WorkspaceView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
) -> Result<Json<WorkspaceView>, ApiError> {
    Ok(Json(manager.client(&state, &id).await?.into()))
}

/// Change a client workspace, suspend it, or let it act again.
#[utoipa::path(put, path = "/api/clients/{id}", tag = "management", request_body = ClientChangeRequest,
    params(("id" = String, Path, description = "`ws_…`, or its name")),
    responses((status = 200, description = "The client", body = WorkspaceView)))]
pub(crate) async fn update(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
    Body(request): Body<ClientChangeRequest>,
) -> Result<Json<WorkspaceView>, ApiError> {
    let id = manager.client(&state, &id).await?.id;
    let records = manager.records(&state);
    if request.display_name.is_some() {
        let change = WorkspaceChange { display_name: request.display_name, profile: None };
        records.update_workspace(&id, change).await?;
    }
    if let Some(suspended) = request.suspended {
        let status = if suspended { TenantStatus::Suspended } else { TenantStatus::Active };
        let reason = request.reason.as_deref().filter(|_| suspended);
        records.set_workspace_status(&id, status, reason).await?;
        state.close_inactive_workspaces().await?;
    }
    Ok(Json(state.records.workspace(&id).await?.into()))
}

/// Invite somebody to a client workspace, its first owner for example.
#[utoipa::path(post, path = "/api/clients/{id}/invitations", tag = "management", request_body = InvitationRequest,
    params(("id" = String, Path, description = "`ws_…`, or its name")),
    responses(
        (status = 201, description = "The invitation with its token", body = NewInvitationView),
        (status = 402, description = "`plan_limit_reached`: the plan allows no more members", body = crate::error::ErrorBody),
        (status = 409, description = "`conflict`: a member already", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn invite(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
    Body(request): Body<InvitationRequest>,
) -> Result<(StatusCode, Json<NewInvitationView>), ApiError> {
    let scope = Scope::Workspace(manager.client(&state, &id).await?.id);
    let made = manager.records(&state).invite(&scope, &request.email, request.role).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}
