//! The limits that the platform sets for everybody.

use super::{LimitBody, LimitView};
use crate::answer::Listed;
use crate::auth::Manager;
use crate::error::ApiError;
use crate::extract::{Body, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

/// List the limits of the platform.
#[utoipa::path(get, path = "/api/platform/limits", tag = "limits",
    responses((status = 200, description = "All of them", body = Listed<LimitView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Manager,
) -> Result<Json<Listed<LimitView>>, ApiError> {
    let found = state.records.list_limits(None).await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}

/// Set a limit of the platform, in place of a former one of the same level, route and subject. It counts within a second.
#[utoipa::path(put, path = "/api/platform/limits", tag = "limits", request_body = LimitBody,
    responses((status = 200, description = "The limit", body = LimitView)))]
pub(crate) async fn set(
    State(state): State<ApiState>,
    manager: Manager,
    Body(body): Body<LimitBody>,
) -> Result<Json<LimitView>, ApiError> {
    let request = body.request(true)?;
    Ok(Json(manager.records(&state).set_limit(None, request).await?.into()))
}

/// Take a limit of the platform away.
#[utoipa::path(delete, path = "/api/platform/limits/{id}", tag = "limits", params(("id" = String, Path, description = "`lim_…`")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    manager.records(&state).delete_limit(None, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
