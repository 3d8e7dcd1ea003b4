//! Names, colours and pictures of a workspace, and of a reseller or the platform.

use super::{LooksRequest, LooksView};
use crate::auth::{Manager, Tenant};
use crate::error::ApiError;
use crate::extract::Body;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// Show the branding of the workspace.
#[utoipa::path(get, path = "/api/branding/workspace", tag = "branding",
    responses((status = 200, description = "What is set, and what people see", body = LooksView)))]
pub(crate) async fn of_workspace(
    State(state): State<ApiState>,
    tenant: Tenant,
) -> Result<Json<LooksView>, ApiError> {
    Ok(Json(super::looks(&state.records, &tenant.scope()).await?))
}

/// Change the branding of the workspace.
#[utoipa::path(put, path = "/api/branding/workspace", tag = "branding", request_body = LooksRequest,
    responses((status = 200, description = "What is set, and what people see", body = LooksView)))]
pub(crate) async fn set_of_workspace(
    State(state): State<ApiState>,
    tenant: Tenant,
    Body(request): Body<LooksRequest>,
) -> Result<Json<LooksView>, ApiError> {
    tenant.records(&state).update_brand(&tenant.scope(), request.into()).await?;
    Ok(Json(super::looks(&state.records, &tenant.scope()).await?))
}

/// Show the branding of the reseller, or of the platform.
#[utoipa::path(get, path = "/api/branding/team", tag = "branding",
    responses((status = 200, description = "What is set, and what people see", body = LooksView)))]
pub(crate) async fn of_team(
    State(state): State<ApiState>,
    manager: Manager,
) -> Result<Json<LooksView>, ApiError> {
    Ok(Json(super::looks(&state.records, &manager.scope).await?))
}

/// Change the branding of the reseller, or of the platform.
#[utoipa::path(put, path = "/api/branding/team", tag = "branding", request_body = LooksRequest,
    responses((status = 200, description = "What is set, and what people see", body = LooksView)))]
pub(crate) async fn set_of_team(
    State(state): State<ApiState>,
    manager: Manager,
    Body(request): Body<LooksRequest>,
) -> Result<Json<LooksView>, ApiError> {
    manager.records(&state).update_brand(&manager.scope, request.into()).await?;
    Ok(Json(super::looks(&state.records, &manager.scope).await?))
}
