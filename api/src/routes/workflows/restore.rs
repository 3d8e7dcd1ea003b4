//! Makes an earlier version the draft again.

use super::views::{WorkflowView, stored, view};
use crate::auth::Tenant;
use crate::documents;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// Copy a version into the draft. What is published does not change.
#[utoipa::path(post, path = "/api/workflows/{id}/restore/{version}", tag = "workflows",
    params(("id" = String, Path, description = "`wf_…`"), ("version" = i64, Path, description = "From 1")),
    responses(
        (status = 200, description = "The workflow with its new draft", body = WorkflowView),
        (status = 409, description = "`stale_revision` when someone saved at the same moment, `name_taken`", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn restore(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path((id, version)): Path<(String, i64)>,
) -> Result<Json<WorkflowView>, ApiError> {
    let workflow = super::find(&state, &tenant.workspace_id, &id).await?;
    let row = state.engine.store().version(&tenant.workspace_id, &id, version).await?;
    let row = row.ok_or_else(|| ApiError::not_found("version", &version.to_string()))?;
    let document = documents::parse(&stored(&row.document, &id)?)?;
    let engine = tenant.sign(&state).engine.calling_it("restored");
    let row = engine.save_draft(&tenant.workspace_id, &id, workflow.revision, document).await?;
    Ok(Json(view(&state, &tenant.workspace_id, &row).await?))
}
