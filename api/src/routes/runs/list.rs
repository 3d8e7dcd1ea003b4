//! Lists runs.

use crate::answer::{Listed, page_size};
use crate::auth::Tenant;
use crate::error::{self, ApiError};
use crate::extract::Query;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use sluice_engine::core::RunStatus;
use sluice_engine::store::{RunFilter, RunSummary};

/// Which runs.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunsQuery {
    /// Only of this workflow (`wf_…`).
    workflow: Option<String>,
    /// Only with this status.
    status: Option<RunStatus>,
    /// Only accepted at or after this moment: milliseconds since the epoch, or RFC 3339.
    #[param(example = "2026-01-05T10:00:00Z")]
    since: Option<String>,
    /// Only those that a person must look at: nobody knows what became of an effect (`unknown_outcome`), or the run was
    /// given up because it kills the process (`poisoned`).
    #[serde(default)]
    attention: bool,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Size of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List runs, newest first.
#[utoipa::path(get, path = "/api/runs", tag = "runs", params(RunsQuery),
    responses((status = 200, description = "A page of runs", body = Listed<RunSummary>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
    Query(query): Query<RunsQuery>,
) -> Result<Json<Listed<RunSummary>>, ApiError> {
    let filter = RunFilter {
        workflow_id: query.workflow,
        status: query.status,
        since: query.since.as_deref().map(moment).transpose()?,
        attention: query.attention,
        cursor: query.cursor,
        limit: page_size(query.limit),
    };
    let found = state.engine.store().list_runs(&tenant.workspace_id, &filter).await?;
    Ok(Json(Listed { items: found.items, next: found.next }))
}

/// A moment as a number of milliseconds or as RFC 3339.
fn moment(text: &str) -> Result<i64, ApiError> {
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond).map_err(|_| {
        let message = "since: write milliseconds since the epoch, or a time such as 2026-01-05T10:00:00Z";
        ApiError::new(error::INVALID_QUERY, message).at("since")
    })
}
