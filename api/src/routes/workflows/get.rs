//! Shows a workflow with its draft.

use super::views::{WorkflowView, view};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// Show a workflow with its draft.
#[utoipa::path(get, path = "/api/workflows/{id}", tag = "workflows", params(("id" = String, Path, description = "`wf_…`")),
    responses((status = 200, description = "The workflow", body = WorkflowView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<WorkflowView>, ApiError> {
    let row = super::find(&state, &tenant.workspace_id, &id).await?;
    Ok(Json(view(&state, &tenant.workspace_id, &row).await?))
}
