//! Workspaces, for platform keys.

use crate::answer::Listed;
use crate::auth::{Manager, find_workspace};
use crate::error::ApiError;
use crate::extract::{Body, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sluice_records::Workspace;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get))
}

/// A workspace.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct WorkspaceView {
    /// `ws_…`.
    id: String,
    /// Its name in addresses.
    name: String,
    /// When it was made.
    created_at: i64,
}

impl From<Workspace> for WorkspaceView {
    fn from(one: Workspace) -> Self {
        Self { id: one.id, name: one.name, created_at: one.created_at }
    }
}

/// A workspace to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorkspaceRequest {
    /// Lower-case letters, digits and hyphens.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    name: String,
}

/// List all workspaces. Needs a platform key.
#[utoipa::path(get, path = "/api/workspaces", tag = "platform",
    responses((status = 200, description = "All workspaces, by name", body = Listed<WorkspaceView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Manager,
) -> Result<Json<Listed<WorkspaceView>>, ApiError> {
    let found = state.records.list_workspaces().await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}

/// Make a workspace. Needs a platform key.
#[utoipa::path(post, path = "/api/workspaces", tag = "platform", request_body = WorkspaceRequest,
    responses(
        (status = 201, description = "The workspace", body = WorkspaceView),
        (status = 409, description = "`conflict`: the name is taken", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn create(
    State(state): State<ApiState>,
    manager: Manager,
    Body(request): Body<WorkspaceRequest>,
) -> Result<(StatusCode, Json<WorkspaceView>), ApiError> {
    let made = manager.records(&state).create_workspace(&request.name).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Show a workspace. Needs a platform key.
#[utoipa::path(get, path = "/api/workspaces/{id}", tag = "platform",
    params(("id" = String, Path, description = "`ws_…`, or its name")),
    responses((status = 200, description = "The workspace", body = WorkspaceView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
) -> Result<Json<WorkspaceView>, ApiError> {
    let found = find_workspace(&state, &id).await?;
    if !manager.manages(&found) {
        return Err(ApiError::not_found("workspace", &id));
    }
    Ok(Json(found.into()))
}
