//! The frozen versions of a workflow.

use super::views::{VersionSummary, VersionView, stored};
use crate::answer::{Listed, PageQuery};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// List versions, newest first.
#[utoipa::path(get, path = "/api/workflows/{id}/versions", tag = "workflows",
    params(("id" = String, Path, description = "`wf_…`"), PageQuery),
    responses((status = 200, description = "A page of versions", body = Listed<VersionSummary>)))]
pub(crate) async fn versions(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Listed<VersionSummary>>, ApiError> {
    let active = super::find(&state, &tenant.workspace_id, &id).await?.published_version;
    let store = state.engine.store();
    let found = store.list_versions(&tenant.workspace_id, &id, page.cursor.as_deref(), page.size()).await?;
    let items = found.items.iter().map(|row| VersionSummary::new(row, active)).collect();
    Ok(Json(Listed { items, next: found.next }))
}

/// Show one version.
#[utoipa::path(get, path = "/api/workflows/{id}/versions/{version}", tag = "workflows",
    params(("id" = String, Path, description = "`wf_…`"), ("version" = i64, Path, description = "From 1")),
    responses((status = 200, description = "The version", body = VersionView)))]
pub(crate) async fn version(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path((id, version)): Path<(String, i64)>,
) -> Result<Json<VersionView>, ApiError> {
    let active = super::find(&state, &tenant.workspace_id, &id).await?.published_version;
    let row = state.engine.store().version(&tenant.workspace_id, &id, version).await?;
    let row = row.ok_or_else(|| ApiError::not_found("version", &version.to_string()))?;
    let document = stored(&row.document, &id)?;
    Ok(Json(VersionView { summary: VersionSummary::new(&row, active), document }))
}
