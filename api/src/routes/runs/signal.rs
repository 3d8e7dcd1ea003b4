//! Plays the outside for a test run that waits: a customer's answer, a signal of another system. Must not know what a
//! node makes of it.

use crate::answer::to_the_end;
use crate::auth::Tenant;
use crate::error::{self, ApiError};
use crate::extract::{Body, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use sluice_engine::core::Refusal;
use sluice_engine::drive::{EngineError, RESERVED_SIGNALS};
use sluice_engine::view::{NodeStatus, RunView};

/// Where the keys of waits for a customer's next message begin.
const CONVERSATION: &str = "conversation:";

/// What comes from outside.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunSignal {
    /// Id of the node that waits for it; the first that waits for a signal when missing.
    #[serde(default)]
    node: Option<String>,
    /// What the node gets: any JSON.
    #[serde(default)]
    #[schema(value_type = Value)]
    payload: Value,
}

/// Wake a node of a test run that waits for something from outside. Answers the run as it stands afterwards.
#[utoipa::path(post, path = "/api/runs/{id}/signal", tag = "runs", params(("id" = String, Path, description = "`run_…`")),
    request_body = RunSignal,
    responses(
        (status = 200, description = "The run", body = RunView),
        (status = 404, description = "`not_waiting`", body = crate::error::ErrorBody),
        (status = 409, description = "`run_state`: it is no test run; others are woken by what really happens, or with POST /api/signals/{key}", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn send(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
    Body(signal): Body<RunSignal>,
) -> Result<Json<RunView>, ApiError> {
    let key = super::key_of(&tenant, &id);
    let run = super::find(&state, &key).await?;
    if !run.is_test {
        let message = "only a test run takes what did not really happen; see POST /api/signals/{key}";
        return Err(ApiError::new(error::RUN_STATE, message));
    }
    let nobody_waits = || ApiError::plain(error::NOT_WAITING);
    // Decisions, outcomes and calls have ways of their own; a customer's answer is what is played here.
    let is_own =
        |name: &&str| RESERVED_SIGNALS.iter().all(|own| *own == CONVERSATION || !name.starts_with(own));
    let waits_for = run.nodes.iter().find_map(|node| {
        let is_meant = signal.node.as_ref().is_none_or(|wanted| *wanted == node.id);
        let name = node.wait.as_ref().and_then(|wait| wait["signal"].as_str());
        name.filter(is_own).filter(|_| is_meant && node.status == NodeStatus::Waiting).map(ToOwned::to_owned)
    });
    let name = waits_for.ok_or_else(nobody_waits)?;
    let (engine, run) = (tenant.sign(&state).engine.clone(), key.clone());
    match to_the_end(async move { engine.signal_run(&run, name, signal.payload).await }).await? {
        Err(EngineError::Refused(Refusal::NotWaiting(_) | Refusal::Over)) => Err(nobody_waits()),
        Err(other) => Err(other.into()),
        Ok(()) => Ok(Json(super::find(&state, &key).await?)),
    }
}
