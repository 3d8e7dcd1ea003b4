//! Runs that other runs start: called workflows and error workflows. A child's first turn is written in the same
//! transaction as the turn that starts it, under an id that follows from the calling execution.

use super::driven::Message;
use super::driver::Driver;
use super::engine::Engine;
use super::error::EngineError;
use super::lanes::LaneLoan;
use super::start::lane_of;
use crate::core::{Command, Event, EventKind, NodePhase, RunStatus};
use crate::store::{NewRun, RunKey, Turn};
use futures::future::FutureExt as _;
use serde_json::{Value, json};
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::item::Item;
use sluice_node_sdk::outcome::WaitKind;
use sluice_node_sdk::spec::TriggerSource;

/// How many runs may wait for each other in a chain of calls.
pub(super) const DEEPEST_CALL: usize = 32;

/// The child of a call.
pub(super) enum Child {
    /// To be created with this turn.
    New(Box<Turn>),
    /// There already: the calling node runs again after its run was retried.
    Known(KnownChild),
}

/// A child that is there already.
pub(super) struct KnownChild {
    key: RunKey,
    status: RunStatus,
    /// Whether the caller waits for it.
    is_awaited: bool,
}

/// The failure of a node whose call could not be made.
pub(super) fn not_started(workflow: &str, error: &EngineError) -> NodeError {
    let message = format!("The workflow `{workflow}` could not be started: {error}");
    match error {
        EngineError::Store(_) => NodeError::unavailable(message).code("child_not_started"),
        EngineError::CallTooDeep => NodeError::rejected(message).code("call_too_deep"),
        _ => NodeError::rejected(message).code("child_not_started"),
    }
}

impl Engine {
    /// The child of a call: its first turn, unless it was started before.
    pub(super) async fn child(
        &self,
        caller: &NewRun,
        workflow: &str,
        items: &[Item],
        run_id: &str,
        is_awaited: bool,
    ) -> Result<Child, EngineError> {
        let key = RunKey { workspace_id: caller.key.workspace_id.clone(), run_id: run_id.into() };
        if let Some(stored) = self.0.store.load(&key).await? {
            return Ok(Child::Known(KnownChild { key, status: stored.status, is_awaited }));
        }
        if self.is_too_deep(caller).await? {
            return Err(EngineError::CallTooDeep);
        }
        let wanted = |source: &TriggerSource| matches!(source, TriggerSource::Workflow);
        let mut turn =
            self.workflow_turn(caller, workflow, items.to_vec(), Some(key.clone()), wanted).await?;
        if let Some(run) = &mut turn.new_run {
            run.parent_run_id = Some(caller.key.run_id.to_string());
        }
        Ok(Child::New(Box::new(turn)))
    }

    /// Whether a further call would make the chain of callers longer than any workflow needs: one that calls itself
    /// would go on for ever.
    async fn is_too_deep(&self, caller: &NewRun) -> Result<bool, EngineError> {
        let mut next = caller.parent_run_id.clone();
        for _ in 1..DEEPEST_CALL {
            let Some(run_id) = next else { return Ok(false) };
            let key = RunKey { workspace_id: caller.key.workspace_id.clone(), run_id: run_id.into() };
            next = self.0.store.parent(&key).await?;
        }
        Ok(next.is_some())
    }

    /// Ends a run that a cancelled run waits for. One that is over already stays as it is.
    pub(super) fn cancel_child(&self, child: &RunKey) {
        let (done, _) = tokio::sync::oneshot::channel();
        self.tell(child, Message::Cancel { change: None, done });
    }

    /// Goes on with a child that a retried run calls again: a failed one is retried too, and what a finished one
    /// gave is told.
    pub(super) fn take_up_child(&self, parent: &RunKey, child: KnownChild) {
        let KnownChild { key, status, is_awaited } = child;
        match status {
            _ if !is_awaited => {}
            RunStatus::Failed | RunStatus::Cancelled => {
                let (done, _) = tokio::sync::oneshot::channel();
                self.tell(&key, Message::Retry { change: None, done });
            }
            RunStatus::Succeeded => {
                let (engine, parent) = (self.clone(), parent.clone());
                let busy = self.busy();
                self.spawn_task(async move {
                    if let Err(error) = engine.tell_parent(&parent, &key.run_id).await {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(run_id = %parent.run_id, error, "the caller cannot be told of its child");
                    }
                    drop(busy);
                });
            }
            RunStatus::Queued | RunStatus::Running | RunStatus::Waiting => {}
        }
    }

    /// Tells the run that called how its child ended.
    pub(super) fn tell_caller(&self, child: &RunKey, caller: Option<&str>, payload: Value) {
        let Some(caller) = caller else { return };
        let caller = RunKey { workspace_id: child.workspace_id.clone(), run_id: caller.into() };
        let (done, _) = tokio::sync::oneshot::channel();
        let key = crate::core::child_signal(&child.run_id);
        let (lane, receipt, change) = (LaneLoan::default(), None, None);
        self.tell(&caller, Message::Signal { key, payload, lane, receipt, change, done });
    }

    /// The first turn of a run of another published workflow of the same workspace.
    async fn workflow_turn(
        &self,
        caller: &NewRun,
        workflow: &str,
        items: Vec<Item>,
        key: Option<RunKey>,
        wanted: impl Fn(&TriggerSource) -> bool,
    ) -> Result<Turn, EngineError> {
        let workspace = &*caller.key.workspace_id;
        let row = match self.0.store.workflow(workspace, workflow).await? {
            Some(row) => Some(row),
            None => self.0.store.workflow_by_name(workspace, workflow).await?,
        };
        let row = row.ok_or_else(|| EngineError::NotFound { what: "workflow", id: workflow.to_owned() })?;
        let version = row.published_version.ok_or_else(|| EngineError::NotPublished(row.name.clone()))?;
        let program = self.program(workspace, &row.id, version).await?;
        let trigger = program.trigger(wanted).ok_or_else(|| EngineError::NoTrigger("fitting".to_owned()))?;
        let now = self.now_ms();
        let new_key =
            || RunKey { workspace_id: caller.key.workspace_id.clone(), run_id: self.new_id("run").into() };
        let mut run = NewRun {
            key: key.unwrap_or_else(new_key),
            workflow_id: row.id,
            version,
            document: None,
            trigger_type: program.plan.at(trigger).node_type.to_string(),
            is_test: caller.is_test,
            dry_run: caller.dry_run,
            lane: None,
            parent_run_id: None,
            inbound_id: caller.inbound_id.clone(),
            dedupe_key: None,
            created_at: now,
        };
        let first = items.first().map(|item| item.json.clone()).unwrap_or_default();
        let around = self.surroundings(&program, &run, first);
        // Where the items came from in the caller means nothing in the child.
        let items = items.into_iter().map(|item| Item { from: None, ..item }).collect();
        let output = around.ask_trigger(trigger, items).map_err(EngineError::Trigger)?;
        let output = output.ok_or_else(|| EngineError::NoTrigger("accepting".to_owned()))?;
        run.lane = lane_of(&program, &around, &output)?;
        let deadline = program.timeout_ms.map(|limit| now.saturating_add(limit));
        let start = Command::Start { trigger, output, pins: Default::default(), deadline };
        Ok(self.queued_turn(run, start))
    }
}

impl Driver {
    /// The runs that nodes of this one wait for.
    pub(super) fn awaited_children(&self) -> Vec<RunKey> {
        let state = self.machine.state();
        let waits = state.nodes_in(NodePhase::Waiting).filter_map(|node| state.wait(node));
        let calls = waits.filter(|(wait, _)| wait.kind == WaitKind::Call);
        let ids = calls.filter_map(|(wait, _)| wait.info["run_id"].as_str());
        ids.map(|id| RunKey { workspace_id: self.run.key.workspace_id.clone(), run_id: id.into() }).collect()
    }

    /// The first turn of the error workflow, if this run failed just now and names one.
    pub(super) async fn error_child(&self, events: &[Event]) -> Option<Turn> {
        let name = self.around.program().document.settings.error_workflow.as_deref()?;
        let finished = events.iter().any(|event| matches!(event.kind, EventKind::RunFinished { .. }));
        let trigger = self.machine.state().trigger()?;
        let spec = self.around.program().nodes[trigger as usize].node.spec();
        if !finished || spec.trigger.as_ref().is_some_and(|trigger| trigger.source == TriggerSource::Error) {
            return None;
        }
        let error = self.machine.state().error();
        let event = json!({
            "run": { "id": &*self.run.key.run_id, "trigger": self.run.trigger_type },
            "workflow": { "id": self.run.workflow_id, "name": self.around.program().document.name },
            "node": error.and_then(|error| error.node.as_deref()),
            "error": error,
        });
        let is_error = |source: &TriggerSource| matches!(source, TriggerSource::Error);
        let make = || {
            let items = vec![Item::from(event.clone())];
            self.engine.workflow_turn(&self.run, name, items, None, is_error).boxed()
        };
        let made = self.engine.insist(&self.run.key, make).await;
        made.inspect_err(
            |error| tracing::warn!(workflow = name, %error, "the error workflow was not started"),
        )
        .ok()
    }
}
