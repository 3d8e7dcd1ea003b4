//! Lists the workflows of a workspace.

use super::views::WorkflowSummary;
use crate::answer::{Listed, PageQuery};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Query;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// List workflows, by name.
#[utoipa::path(get, path = "/api/workflows", tag = "workflows", params(PageQuery),
    responses((status = 200, description = "A page of workflows", body = Listed<WorkflowSummary>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
    Query(page): Query<PageQuery>,
) -> Result<Json<Listed<WorkflowSummary>>, ApiError> {
    let store = state.engine.store();
    let found = store.list_workflows(&tenant.workspace_id, page.cursor.as_deref(), page.size()).await?;
    let resting = store.paused_triggers(&tenant.workspace_id).await?;
    let items = found.items.iter().map(|row| WorkflowSummary::new(row, &resting)).collect();
    Ok(Json(Listed { items, next: found.next }))
}
