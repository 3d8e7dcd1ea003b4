//! Writes a workflow as a file.

use super::views::stored;
use crate::auth::Tenant;
use crate::documents::{self, WorkflowDocument};
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::state::ApiState;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;

/// What to export.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportQuery {
    /// A version; the draft when missing.
    version: Option<i64>,
}

/// Export a workflow as a document. Importing the answer and exporting again gives the same bytes.
#[utoipa::path(get, path = "/api/workflows/{id}/export", tag = "workflows",
    params(("id" = String, Path, description = "`wf_…`"), ExportQuery),
    responses((status = 200, description = "The document, indented", body = WorkflowDocument)))]
pub(crate) async fn export(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
    Query(query): Query<ExportQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let workflow = super::find(&state, &tenant.workspace_id, &id).await?;
    let text = match query.version {
        None => workflow.draft,
        Some(version) => {
            let row = state.engine.store().version(&tenant.workspace_id, &id, version).await?;
            row.ok_or_else(|| ApiError::not_found("version", &version.to_string()))?.document
        }
    };
    let document = documents::parse(&stored(&text, &id)?)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], documents::export_text(&document)))
}
