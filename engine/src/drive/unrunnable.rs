//! Ends runs whose stored version cannot run in this process (an unknown node type, for example), so that they
//! are visible as failed and do not come back at every start. There is no plan here, only events.

use super::engine::Engine;
use super::error::EngineError;
use super::live::{LiveEvent, attention_event};
use super::start::RunOutcome;
use crate::core::{Event, EventKind, NodeIx, RunError, RunStatus, fold};
use crate::store::{Attention, Commit, RunKey, StoredRun, Turn};
use serde_json::json;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::outcome::WaitKind;
use std::collections::BTreeMap;

/// Ends a run, and tells those who wait for it.
pub(super) async fn end(engine: &Engine, stored: &StoredRun, why: &EngineError) -> Result<(), EngineError> {
    end_with(engine, stored, run_error(why), None).await
}

impl Engine {
    /// Ends a run that this process has claimed and that killed whoever drove it, again and again.
    pub(super) fn end_poisoned(&self, key: RunKey) {
        let (engine, busy) = (self.clone(), self.busy());
        self.spawn_task(async move {
            if let Err(error) = engine.try_end_poisoned(&key).await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(run_id = %key.run_id, error, "a run that kills its process could not be ended");
            }
            engine.0.fleet.clear_suspect(&key);
            drop(busy);
        });
    }

    async fn try_end_poisoned(&self, key: &RunKey) -> Result<(), EngineError> {
        let Some(stored) = self.0.store.load(key).await? else { return Ok(()) };
        tracing::error!(run_id = %key.run_id, claims = stored.claims, "the run is given up: the process died each time");
        let error = RunError {
            code: "run_poisoned".to_owned(),
            node: None,
            message: format!(
                "The process died {} times while it drove this run, so the run was given up; find out which node \
                 brings the process down before you retry it",
                stored.claims - 1
            ),
            path: None,
            details: None,
        };
        end_with(self, &stored, error, Some(Attention::Poisoned)).await
    }
}

async fn end_with(
    engine: &Engine,
    stored: &StoredRun,
    error: RunError,
    attention: Option<Attention>,
) -> Result<(), EngineError> {
    if stored.status.is_over() {
        return Ok(());
    }
    let mut turn = last_turn(stored, error, engine.now_ms());
    turn.attention = attention.or(turn.attention);
    engine.live().count(&turn.events, false);
    let mut told = vec![live_event(stored, &turn)];
    let (workflow, seq, at) = (&stored.run.workflow_id, told[0].seq, told[0].at);
    told.extend(attention_event(&turn.key, workflow, turn.attention, seq, at));
    let mut ended = stored.clone();
    (ended.status, ended.error) = (turn.status, turn.error.clone());
    if engine.commit(vec![turn]).await?.first() != Some(&Commit::Done) {
        return Ok(());
    }
    engine.live().publish(told);
    let (key, outcome) = (&ended.run.key, RunOutcome::without_items(&ended));
    engine.tell_watchers(key, &outcome);
    engine.tell_caller(key, ended.run.parent_run_id.as_deref(), outcome.as_child_payload(&key.run_id));
    Ok(())
}

fn run_error(why: &EngineError) -> RunError {
    let first = match why {
        EngineError::Problems(problems) => problems.first().cloned(),
        _ => None,
    };
    RunError {
        code: first.as_ref().map_or_else(|| "workflow_unusable".to_owned(), |problem| problem.code.clone()),
        node: first.as_ref().and_then(|problem| problem.node.clone()),
        message: first.as_ref().map_or_else(|| why.to_string(), |problem| problem.message.clone()),
        path: first.map(|problem| problem.path),
        details: None,
    }
}

fn last_turn(stored: &StoredRun, error: RunError, now: i64) -> Turn {
    let status = RunStatus::Failed;
    let at = |kind| Event { at: now, kind };
    let mut events = vec![at(EventKind::RunEnding { status, error: Some(Box::new(error.clone())) })];
    let given_up = given_up(&stored.events);
    let is_unknown =
        |kind: &EventKind| matches!(kind, EventKind::NodeFailed { .. }) || asks(&stored.events, kind);
    let attention = given_up.iter().any(is_unknown).then_some(Attention::UnknownOutcome);
    events.extend(given_up.into_iter().map(at));
    events.push(at(EventKind::RunFinished { status }));
    Turn {
        key: stored.run.key.clone(),
        expected: stored.turns,
        new_run: None,
        first_seq: stored.events.len() as i64,
        events,
        status,
        error: Some(error),
        started_at: stored.started_at,
        ended_at: Some(now),
        wake_at: None,
        owner: None,
        attention,
        receipt: None,
        change: None,
        waits: Some(Vec::new()),
        usage: Vec::new(),
        children: Vec::new(),
    }
}

/// What becomes of the nodes that are not through. Of those that were under way nobody knows whether they
/// happened, and without its type not even whether a node may be repeated.
fn given_up(events: &[Event]) -> Vec<EventKind> {
    let mut latest: BTreeMap<NodeIx, &EventKind> = BTreeMap::new();
    for event in events {
        latest.extend(fold::node_of(&event.kind).map(|node| (node, &event.kind)));
    }
    let ends = latest.into_iter().filter_map(|(node, kind)| match kind {
        EventKind::NodeStarted { .. } => {
            let message = "The process stopped while this was under way; it may or may not have happened";
            let error = Box::new(NodeError::unknown_outcome(message));
            let (began, retry_at, output, logs) = (None, None, None, Vec::new());
            Some(EventKind::NodeFailed { node, began, error, retry_at, output, logs })
        }
        EventKind::NodeSuspended { .. }
        | EventKind::NodeResumed { .. }
        | EventKind::NodeFailed { retry_at: Some(_), .. } => Some(EventKind::NodeCancelled { node }),
        _ => None,
    });
    ends.collect()
}

/// Whether a node that is given up waits for an answer about the outcome of its effect.
fn asks(events: &[Event], given_up: &EventKind) -> bool {
    let node = fold::node_of(given_up);
    let last = events.iter().rev().find(|event| fold::node_of(&event.kind) == node);
    let wait = last.and_then(|event| match &event.kind {
        EventKind::NodeSuspended { wait, .. } => Some(wait),
        _ => None,
    });
    wait.is_some_and(|wait| wait.kind == WaitKind::Outcome)
}

fn live_event(stored: &StoredRun, turn: &Turn) -> LiveEvent {
    LiveEvent {
        id: 0,
        is_relayed: false,
        event: format!("run.{}", turn.status.as_str()),
        run_id: stored.run.key.run_id.to_string(),
        workspace_id: stored.run.key.workspace_id.to_string(),
        workflow_id: stored.run.workflow_id.clone(),
        seq: turn.first_seq + turn.events.len() as i64 - 1,
        at: turn.ended_at.unwrap_or_default(),
        node: None,
        data: json!({ "error": turn.error }),
    }
}
