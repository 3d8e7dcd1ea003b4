//! Decides with a key.

use super::{Decision, Question, settle};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::{Body, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

/// A decision.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionRequest {
    /// `approve` or `reject`.
    decision: Decision,
    /// Why; at most 4,000 characters.
    #[serde(default)]
    note: Option<String>,
}

/// A decision that was taken.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Decided {
    /// Which.
    id: String,
    /// `run_…` that goes on.
    run_id: String,
    /// What was decided.
    decision: Decision,
}

/// Approve or reject.
#[utoipa::path(post, path = "/api/approvals/{id}", tag = "approvals",
    params(("id" = String, Path, description = "As listed")), request_body = DecisionRequest,
    responses(
        (status = 200, description = "It is decided and the run goes on", body = Decided),
        (status = 409, description = "`already_decided`", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn decide(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
    Body(request): Body<DecisionRequest>,
) -> Result<Json<Decided>, ApiError> {
    let question = Question::read(&tenant.workspace_id, &id);
    let question = question.ok_or_else(|| ApiError::not_found("approval", &id))?;
    let state = tenant.sign(&state);
    settle(&state, &question, request.decision, request.note, tenant.principal.signature()).await?;
    Ok(Json(Decided { id, run_id: question.key.run_id.to_string(), decision: request.decision }))
}
