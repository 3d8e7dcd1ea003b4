//! Checks a document and saves nothing.

use crate::auth::Tenant;
use crate::documents::{self, WorkflowDocument};
use crate::error::ApiError;
use crate::extract::Body;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use sluice_engine::graph::{self, Problem};

/// What is wrong with a document.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Verdict {
    /// Whether it could be published: no problem is an error.
    valid: bool,
    /// All problems.
    problems: Vec<Problem>,
}

/// Find all problems of a document. Nothing is saved.
#[utoipa::path(post, path = "/api/workflows/validate", tag = "workflows", request_body = WorkflowDocument,
    responses((status = 200, description = "All problems", body = Verdict)))]
pub(crate) async fn validate(
    State(state): State<ApiState>,
    tenant: Tenant,
    Body(body): Body<Value>,
) -> Result<Json<Verdict>, ApiError> {
    let problems = match graph::parse(&body) {
        Ok(document) => documents::problems(&state, &tenant.workspace_id, &document).await?,
        Err(problems) => problems,
    };
    Ok(Json(Verdict { valid: graph::is_valid(&problems), problems }))
}
