//! Lists entries.

use super::{AuditQuery, EntryView, managed, reached};
use crate::answer::{Listed, page_size};
use crate::auth::{Manager, Reach};
use crate::error::ApiError;
use crate::extract::Query;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// List what was done in the workspace, newest first. Who may enter every workspace and names none sees all chains.
#[utoipa::path(get, path = "/api/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "A page of entries", body = Listed<EntryView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    reach: Reach,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Listed<EntryView>>, ApiError> {
    page(&state, reached(reach), query).await
}

/// List what was done by those who run the platform, or the reseller, newest first.
#[utoipa::path(get, path = "/api/platform/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, description = "A page of entries", body = Listed<EntryView>)))]
pub(crate) async fn list_managed(
    State(state): State<ApiState>,
    manager: Manager,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Listed<EntryView>>, ApiError> {
    page(&state, managed(&manager), query).await
}

async fn page(
    state: &ApiState,
    chain: Option<String>,
    query: AuditQuery,
) -> Result<Json<Listed<EntryView>>, ApiError> {
    let (cursor, size) = (query.cursor.clone(), page_size(query.limit));
    let found = state.records.list_audit(&query.filter(chain), cursor.as_deref(), size).await?;
    Ok(Json(Listed { items: found.items.into_iter().map(Into::into).collect(), next: found.next }))
}
