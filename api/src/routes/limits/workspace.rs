//! The limits that a workspace sets itself. They never loosen those of the platform.

use super::{LimitBody, LimitView};
use crate::answer::Listed;
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::{Body, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

/// List the limits of the workspace.
#[utoipa::path(get, path = "/api/limits", tag = "limits",
    responses((status = 200, description = "All of them", body = Listed<LimitView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
) -> Result<Json<Listed<LimitView>>, ApiError> {
    let found = state.records.list_limits(Some(&tenant.workspace_id)).await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}

/// Set a limit of the workspace, in place of a former one of the same level, route and subject. It counts within a second.
#[utoipa::path(put, path = "/api/limits", tag = "limits", request_body = LimitBody,
    responses((status = 200, description = "The limit", body = LimitView)))]
pub(crate) async fn set(
    State(state): State<ApiState>,
    tenant: Tenant,
    Body(body): Body<LimitBody>,
) -> Result<Json<LimitView>, ApiError> {
    let request = body.request(false)?;
    Ok(Json(tenant.records(&state).set_limit(Some(&tenant.workspace_id), request).await?.into()))
}

/// Take a limit of the workspace away.
#[utoipa::path(delete, path = "/api/limits/{id}", tag = "limits", params(("id" = String, Path, description = "`lim_…`")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    tenant.records(&state).delete_limit(Some(&tenant.workspace_id), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
