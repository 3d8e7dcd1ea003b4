//! A person says what became of an effect of which nobody knows whether it took place.

use crate::answer::to_the_end;
use crate::auth::Tenant;
use crate::error::{self, ApiError};
use crate::extract::{Body, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_engine::core::{Refusal, SettledBy, Settlement, Verdict};
use sluice_engine::drive::EngineError;
use sluice_engine::view::{NodeStatus, RunView};

/// Longest note, characters.
const LONGEST_NOTE: usize = 4_000;

/// What a person knows or decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutcomeDecision {
    /// It took place: the run goes on.
    Done,
    /// It did not take place: it is done now, under the same effect id.
    Retry,
    /// It counts as failed: the node's `on_error` decides what follows.
    Fail,
}

/// An answer to an open question.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeRequest {
    /// Id of the node.
    node: String,
    /// Iteration of the node; the one that asks when missing.
    #[serde(default)]
    iteration: Option<u32>,
    /// `done`, `retry` or `fail`.
    decision: OutcomeDecision,
    /// With `done`: what the node gave, the `json` of each item. Without it the node's input goes on.
    #[serde(default)]
    output: Option<Vec<Value>>,
    /// Why; at most 4,000 characters.
    #[serde(default)]
    note: Option<String>,
}

/// Settle the unknown outcome of a node: say whether its effect took place. Answers the run as it stands afterwards.
#[utoipa::path(post, path = "/api/runs/{id}/outcome", tag = "runs", params(("id" = String, Path, description = "`run_…`")),
    request_body = OutcomeRequest,
    responses(
        (status = 200, description = "The run", body = RunView),
        (status = 409, description = "`no_open_outcome`: it was settled before, or nobody asks", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn settle(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
    Body(request): Body<OutcomeRequest>,
) -> Result<Json<RunView>, ApiError> {
    check(&request)?;
    let key = super::key_of(&tenant, &id);
    let run = super::find(&state, &key).await?;
    let nobody_asks = || ApiError::plain(error::NO_OPEN_OUTCOME);
    let asks = run.nodes.iter().find(|node| {
        let wanted = request.iteration.is_none_or(|iteration| iteration == node.iteration);
        let waits =
            node.status == NodeStatus::Waiting && node.outcome.as_ref().is_some_and(|asked| asked.is_open);
        node.id == request.node && wanted && waits
    });
    let asks = asks.ok_or_else(nobody_asks)?;
    let effect_id = format!("{}/{}/{}", run.id, asks.id, asks.iteration);
    let settlement = Settlement {
        decision: match request.decision {
            OutcomeDecision::Done => Verdict::Done,
            OutcomeDecision::Retry => Verdict::Retry,
            OutcomeDecision::Fail => Verdict::Fail,
        },
        by: SettledBy::Person,
        output: request.output,
        who: Some(tenant.principal.signature()),
        note: request.note.filter(|note| !note.trim().is_empty()),
    };
    let (engine, run) = (tenant.sign(&state).engine.clone(), key.clone());
    match to_the_end(async move { engine.settle_outcome(&run, &effect_id, &settlement).await }).await? {
        Err(EngineError::Refused(Refusal::NotWaiting(_) | Refusal::Over)) => Err(nobody_asks()),
        Err(other) => Err(other.into()),
        Ok(()) => Ok(Json(super::find(&state, &key).await?)),
    }
}

fn check(request: &OutcomeRequest) -> Result<(), ApiError> {
    if request.note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        let message = format!("a note has at most {LONGEST_NOTE} characters");
        return Err(ApiError::new(error::INVALID_VALUE, message).at("/note"));
    }
    if request.output.is_some() && request.decision != OutcomeDecision::Done {
        let message = "`output` goes with the decision `done`";
        return Err(ApiError::new(error::INVALID_VALUE, message).at("/output"));
    }
    Ok(())
}
