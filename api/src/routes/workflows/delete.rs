//! Deletes a workflow. Its runs go on as their versions say.

use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::StatusCode;

/// Delete a workflow with its draft and triggers. Runs under way end as their version says.
#[utoipa::path(delete, path = "/api/workflows/{id}", tag = "workflows", params(("id" = String, Path, description = "`wf_…`")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let state = tenant.sign(&state);
    match state.engine.delete_workflow(&tenant.workspace_id, &id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("workflow", &id)),
    }
}
