//! Decisions that runs wait for: listed and decided with a key, or shown and decided through a signed link. Must not
//! know which nodes ask.

mod decide;
pub(crate) mod link;
mod list;
mod page;

use crate::answer::to_the_end;
use crate::error::{self, ApiError};
use crate::state::ApiState;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_engine::drive::EngineError;
use sluice_engine::store::RunKey;
use sluice_engine::view::NodeStatus;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes for callers with a key.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list::list)).routes(routes!(decide::decide))
}

/// The routes for people with a link.
pub(crate) fn link_routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(link::show, link::decide))
}

/// What a person decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decision {
    /// Yes.
    Approve,
    /// No.
    Reject,
}

/// Longest note, characters.
const LONGEST_NOTE: usize = 4_000;

/// Names one question: a node of a run at one iteration.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Question {
    key: RunKey,
    node: String,
    iteration: u32,
}

/// A question that nobody has decided.
struct Open {
    workflow_name: String,
    signal: String,
    info: Value,
}

impl Question {
    /// `<run>.<node>.<iteration>`; node ids hold no dots.
    fn id(&self) -> String {
        format!("{}.{}.{}", self.key.run_id, self.node, self.iteration)
    }

    fn read(workspace_id: &str, id: &str) -> Option<Self> {
        let (rest, iteration) = id.rsplit_once('.')?;
        let (run, node) = rest.split_once('.')?;
        let key = RunKey { workspace_id: workspace_id.into(), run_id: run.into() };
        Some(Self { key, node: node.to_owned(), iteration: iteration.parse().ok()? })
    }
}

/// Looks a question up. `already_decided` when the run no longer waits for it.
async fn find(state: &ApiState, question: &Question) -> Result<Open, ApiError> {
    let missing = || ApiError::not_found("approval", &question.id());
    let run = state.engine.run_view(&question.key).await?.ok_or_else(missing)?;
    let node = run.nodes.iter().find(|node| node.id == question.node && node.iteration == question.iteration);
    let node = node.ok_or_else(missing)?;
    let decided = || ApiError::plain(error::ALREADY_DECIDED);
    let wait = node.wait.as_ref().filter(|_| node.status == NodeStatus::Waiting);
    match wait {
        Some(wait) if wait["kind"] == "approval" => Ok(Open {
            workflow_name: run.workflow_name,
            signal: wait["signal"].as_str().ok_or_else(decided)?.to_owned(),
            info: wait["info"].clone(),
        }),
        // It waits for something else, or has not asked yet: there is no such question.
        Some(_) => Err(missing()),
        None if node.status == NodeStatus::Pending => Err(missing()),
        None => Err(decided()),
    }
}

/// Decides a question. Of two who decide at the same time one gets `already_decided`.
async fn settle(
    state: &ApiState,
    question: &Question,
    decision: Decision,
    note: Option<String>,
    by: String,
) -> Result<(), ApiError> {
    if note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        let message = format!("a note has at most {LONGEST_NOTE} characters");
        return Err(ApiError::new(error::INVALID_VALUE, message).at("/note"));
    }
    let open = find(state, question).await?;
    let payload =
        json!({ "decision": decision, "note": note.filter(|note| !note.trim().is_empty()), "by": by });
    let (engine, workspace) = (state.engine.clone(), question.key.workspace_id.clone());
    let told = to_the_end(async move { engine.decide(&workspace, &open.signal, payload).await }).await?;
    match told {
        Ok(_) => Ok(()),
        Err(EngineError::NotWaiting(_)) => Err(ApiError::plain(error::ALREADY_DECIDED)),
        Err(other) => Err(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_question() {
        let key = RunKey { workspace_id: "ws_1".into(), run_id: "run_1".into() };
        let question = Question { key, node: "ask-boss".into(), iteration: 3 };
        assert_eq!(Question::read("ws_1", &question.id()), Some(question));
        for bad in ["", "run_1", "run_1.ask", "run_1.ask.x", "run_1.ask.-1"] {
            assert_eq!(Question::read("ws_1", bad), None, "{bad}");
        }
    }
}
