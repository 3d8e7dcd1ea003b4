//! Runs recorded effects through a version again and tells the difference.

use crate::auth::Tenant;
use crate::documents::{self, WorkflowDocument};
use crate::error::{self, ApiError};
use crate::extract::{OptionalBody, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use sluice_engine::replay::{ReplayOn, ReplayView};

/// On what to replay; the version of the run when nothing is said.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayRequest {
    /// Another published version of the workflow.
    #[serde(default)]
    version: Option<i64>,
    /// The workflow's present draft.
    #[serde(default)]
    draft: bool,
    /// A document.
    #[serde(default)]
    #[schema(value_type = Option<WorkflowDocument>)]
    document: Option<Value>,
}

/// Replay a run with its recorded effects on any version. Nothing outside happens and nothing is stored.
#[utoipa::path(post, path = "/api/runs/{id}/replay", tag = "runs", params(("id" = String, Path, description = "`run_…`")),
    request_body = Option<ReplayRequest>,
    responses((status = 200, description = "What came out differently", body = ReplayView)))]
pub(crate) async fn replay(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
    OptionalBody(request): OptionalBody<ReplayRequest>,
) -> Result<Json<ReplayView>, ApiError> {
    let key = super::key_of(&tenant, &id);
    let run = super::find(&state, &key).await?;
    let on = match (request.version, request.draft, request.document) {
        (None, false, None) => ReplayOn::Same,
        (Some(version), false, None) => ReplayOn::Version(version),
        (None, true, None) => {
            let row = crate::routes::workflows::find(&state, &tenant.workspace_id, &run.workflow_id).await?;
            let draft = crate::routes::workflows::views::stored(&row.draft, &row.id)?;
            ReplayOn::Document(Box::new(documents::parse(&draft)?))
        }
        (None, false, Some(document)) => ReplayOn::Document(Box::new(documents::parse(&document)?)),
        _ => {
            let message = "name one of `version`, `draft` and `document`, or none of them";
            return Err(ApiError::new(error::INVALID_BODY, message));
        }
    };
    Ok(Json(state.engine.replay(&key, on).await?))
}
