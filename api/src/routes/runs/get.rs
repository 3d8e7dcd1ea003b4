//! Shows a run node by node.

use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use sluice_engine::view::RunView;

/// Show a run with its node runs: inputs, outputs, errors, logs.
#[utoipa::path(get, path = "/api/runs/{id}", tag = "runs", params(("id" = String, Path, description = "`run_…`")),
    responses((status = 200, description = "The run", body = RunView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<RunView>, ApiError> {
    Ok(Json(super::find(&state, &super::key_of(&tenant, &id)).await?))
}
