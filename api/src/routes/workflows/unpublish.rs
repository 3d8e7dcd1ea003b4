//! Takes a workflow out of service.

use super::views::{WorkflowView, view};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// Deactivate the triggers. Versions and runs stay.
#[utoipa::path(post, path = "/api/workflows/{id}/unpublish", tag = "workflows", params(("id" = String, Path, description = "`wf_…`")),
    responses((status = 200, description = "The workflow", body = WorkflowView)))]
pub(crate) async fn unpublish(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<WorkflowView>, ApiError> {
    let state = tenant.sign(&state);
    state.engine.unpublish(&tenant.workspace_id, &id).await?;
    let row = super::find(&state, &tenant.workspace_id, &id).await?;
    Ok(Json(view(&state, &tenant.workspace_id, &row).await?))
}
