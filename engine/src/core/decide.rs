//! Deciding: from a command and the state of a run to events and effects. The only way in which the state
//! changes is [`RunState::apply`] of an event that is also handed out, so the log and the state agree.

use super::command::{Command, Decision, Effect, NodeResult, Refusal};
use super::event::{Event, EventKind, NodeIx, NodeOutput, Pins, RunError, RunStatus, Wait};
use super::retry::next_attempt;
use super::state::{NodePhase, RunState};
use crate::document::OnError;
use crate::graph::Plan;
use serde_json::{Value, json};
use sluice_node_sdk::context::LogLine;
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::item::Item;
use sluice_node_sdk::outcome::{Cause, WaitKind};
use sluice_node_sdk::spec::Effect as EffectClass;
use std::sync::Arc;

/// Executions of nodes that one run may have; a bound against runs that never end.
pub const MAX_EXECUTIONS: u64 = 1_000_000;

/// The signal by which a child run wakes the node that called it.
pub fn child_signal(child_run_id: &str) -> String {
    format!("run:{child_run_id}")
}

/// A run in memory: its plan, its state, and which pure nodes were handed out and have not answered.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(super) plan: Arc<Plan>,
    pub(super) state: RunState,
    /// Part of the effect ids under which outcomes are asked for.
    pub(super) run_id: Arc<str>,
    handed_out: Vec<bool>,
    handed_out_count: u32,
    holding: bool,
}

/// Decides on a copy of the state; for tests and for whoever keeps states himself.
///
/// # Errors
/// When the command does not fit the state.
pub fn decide(plan: &Arc<Plan>, state: &RunState, command: Command, now: i64) -> Result<Decision, Refusal> {
    let mut decision = Decision::default();
    Machine::with_state(plan.clone(), state.clone()).handle(command, now, &mut decision)?;
    Ok(decision)
}

impl Machine {
    /// A run of which nothing has happened.
    pub fn new(plan: Arc<Plan>) -> Self {
        let state = RunState::new(&plan);
        Self::with_state(plan, state)
    }

    /// A run that goes on from a state.
    pub fn with_state(plan: Arc<Plan>, mut state: RunState) -> Self {
        // What was handed out by another machine is ready still, and is handed out again.
        state.tidy();
        let handed_out = vec![false; plan.nodes.len()];
        Self { plan, state, run_id: "".into(), handed_out, handed_out_count: 0, holding: false }
    }

    /// The same machine for the run of this id. Without an id effects of different runs have the same names.
    #[must_use]
    pub fn of_run(mut self, run_id: Arc<str>) -> Self {
        self.run_id = run_id;
        self
    }

    /// Starts no further node from now on (the process stops); what is ready stays ready in the log.
    pub fn hold(&mut self) {
        self.holding = true;
    }

    /// Whether further nodes are held back.
    pub fn is_holding(&self) -> bool {
        self.holding
    }

    /// The plan.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The state.
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// Handles one command: adds events and effects to `decision` and folds the events into the state.
    ///
    /// # Errors
    /// When the command does not fit the state; nothing is changed then.
    pub fn handle(&mut self, command: Command, now: i64, decision: &mut Decision) -> Result<(), Refusal> {
        match command {
            Command::Start { trigger, output, pins, deadline } => {
                self.start(trigger, output, pins, deadline, now, decision)?;
            }
            Command::NodeDone { node, iteration, attempt, began, logs, result } => {
                self.node_done(node, (iteration, attempt), began, logs, result, now, decision)?;
            }
            Command::Wake => self.wake(now, decision)?,
            Command::Signal { key, payload } => self.signal(&key, payload, now, decision)?,
            Command::Cancel => {
                self.in_progress()?;
                if self.state.ending.is_none() {
                    self.end(RunStatus::Cancelled, None, now, decision);
                }
            }
            Command::Retry => self.retry(now, decision)?,
            Command::Recover => self.recover(now, decision)?,
        }
        self.pump(now, decision);
        Ok(())
    }

    pub(super) fn in_progress(&self) -> Result<(), Refusal> {
        match (self.state.trigger, self.state.over) {
            (None, _) => Err(Refusal::NotStarted),
            (Some(_), Some(_)) => Err(Refusal::Over),
            (Some(_), None) => Ok(()),
        }
    }

    pub(super) fn emit(&mut self, kind: EventKind, now: i64, decision: &mut Decision) {
        let event = Event { at: now, kind };
        let applied = self.state.apply(&self.plan, &event);
        debug_assert!(applied.is_ok(), "{applied:?}");
        if applied.is_ok() {
            decision.events.push(event);
        }
    }

    fn start(
        &mut self,
        trigger: NodeIx,
        output: Arc<NodeOutput>,
        pins: Pins,
        deadline: Option<i64>,
        now: i64,
        decision: &mut Decision,
    ) -> Result<(), Refusal> {
        if self.state.trigger.is_some() {
            return Err(Refusal::AlreadyStarted);
        }
        if trigger as usize >= self.plan.nodes.len() {
            return Err(Refusal::NoSuchNode(trigger));
        }
        self.emit(EventKind::RunStarted { trigger, output, pins, deadline }, now, decision);
        Ok(())
    }

    fn node_done(
        &mut self,
        node: NodeIx,
        (iteration, attempt): (u32, u32),
        began: i64,
        logs: Vec<LogLine>,
        result: NodeResult,
        now: i64,
        decision: &mut Decision,
    ) -> Result<(), Refusal> {
        self.in_progress()?;
        self.check_result(node, iteration, attempt)?;
        if std::mem::take(&mut self.handed_out[node as usize]) {
            self.handed_out_count -= 1;
        }
        let began = (began != now).then_some(began);
        match result {
            NodeResult::Done(output) => {
                self.emit(EventKind::NodeSucceeded { node, began, output }, now, decision)
            }
            NodeResult::Suspend(wait) => self.suspend(node, wait, now, decision),
            NodeResult::Call { .. } if self.state.ending.is_some() => {
                self.emit(EventKind::NodeCancelled { node }, now, decision);
            }
            NodeResult::Call { workflow, items, child_run_id, wait } => {
                let call = Wait {
                    kind: WaitKind::Call,
                    until: None,
                    signal: Some(child_signal(&child_run_id)),
                    state: Value::Null,
                    info: json!({ "run_id": child_run_id }),
                };
                self.emit(EventKind::NodeSuspended { node, wait: Arc::new(call) }, now, decision);
                if !wait {
                    let cause = Cause::Signal { payload: json!({ "run_id": child_run_id }) };
                    self.emit(EventKind::NodeResumed { node, cause }, now, decision);
                }
                decision.effects.push(Effect::StartChild { node, workflow, items, child_run_id });
            }
            NodeResult::Stop { error, output } => {
                self.emit(EventKind::NodeSucceeded { node, began, output }, now, decision);
                let error = error.map(|message| {
                    let error = NodeError::rejected(message).code("stopped");
                    Box::new(RunError::of_node(&self.plan.at(node).id, &error))
                });
                let status = if error.is_some() { RunStatus::Failed } else { RunStatus::Succeeded };
                if self.state.ending.is_none() {
                    self.end(status, error, now, decision);
                }
            }
            NodeResult::Failed(error) => self.node_failed(node, attempt, began, logs, error, now, decision),
        }
        Ok(())
    }

    /// A result counts only for the present attempt of the present execution (fencing).
    fn check_result(&self, node: NodeIx, iteration: u32, attempt: u32) -> Result<(), Refusal> {
        let state = self.state.nodes.get(node as usize).ok_or(Refusal::NoSuchNode(node))?;
        let expected = match state.phase {
            NodePhase::Running => state.attempt,
            // Pure nodes are not announced; a result of one counts even when another machine handed it out.
            NodePhase::Ready if self.plan.at(node).effect == EffectClass::Pure => attempt,
            phase => return Err(Refusal::StaleResult { node, phase }),
        };
        if state.iteration != iteration || expected != attempt {
            return Err(Refusal::StaleResult { node, phase: state.phase });
        }
        Ok(())
    }

    fn suspend(&mut self, node: NodeIx, wait: Arc<Wait>, now: i64, decision: &mut Decision) {
        if self.state.ending.is_some() {
            return self.emit(EventKind::NodeCancelled { node }, now, decision);
        }
        let is_due = wait.until.is_some_and(|until| until <= now);
        self.emit(EventKind::NodeSuspended { node, wait }, now, decision);
        if is_due {
            self.emit(EventKind::NodeResumed { node, cause: Cause::Timer }, now, decision);
        }
    }

    fn node_failed(
        &mut self,
        node: NodeIx,
        attempt: u32,
        began: Option<i64>,
        logs: Vec<LogLine>,
        error: NodeError,
        now: i64,
        decision: &mut Decision,
    ) {
        if error.kind == ErrorKind::Cancelled && self.state.ending.is_some() {
            return self.emit(EventKind::NodeCancelled { node }, now, decision);
        }
        if error.kind == ErrorKind::UnknownOutcome && self.plan.at(node).effect == EffectClass::Once {
            return self.doubt(node, began, logs, error, now, decision);
        }
        self.fail_node(node, attempt, began, logs, error, now, decision);
    }

    /// A failure of which it is known that it is one.
    pub(super) fn fail_node(
        &mut self,
        node: NodeIx,
        attempt: u32,
        began: Option<i64>,
        logs: Vec<LogLine>,
        error: NodeError,
        now: i64,
        decision: &mut Decision,
    ) {
        let planned = self.plan.at(node);
        let retry_at = match self.state.ending {
            None => next_attempt(&planned.retry, &error, attempt, now),
            Some(_) => None,
        };
        let id = planned.id.clone();
        let port = match planned.on_error {
            OnError::Fail => None,
            OnError::Continue => planned.port("main").or(Some(0)),
            OnError::Route => planned.port("error"),
        };
        let output = (retry_at.is_none()).then_some(port).flatten().map(|port| {
            let items = self.error_items(node, &error);
            Arc::new(NodeOutput { ports: vec![(port, Arc::new(items))], ..NodeOutput::default() })
        });
        let is_final = retry_at.is_none() && output.is_none();
        let run_error = is_final.then(|| Box::new(RunError::of_node(&id, &error)));
        let error = Box::new(error);
        self.emit(EventKind::NodeFailed { node, began, error, retry_at, output, logs }, now, decision);
        if let Some(error) = run_error
            && self.state.ending.is_none()
        {
            self.end(RunStatus::Failed, Some(error), now, decision);
        }
    }

    /// What leaves a failed node in spite of the failure: per input item, the error and the item.
    fn error_items(&self, node: NodeIx, error: &NodeError) -> Vec<Item> {
        let facts = json!({
            "code": error.code, "message": error.message, "path": error.path, "details": error.details,
            "node": &*self.plan.at(node).id,
        });
        let input = self.state.input(&self.plan, node);
        let items = input.port("main").iter().flat_map(|found| found.items.iter());
        let made: Vec<Item> = items
            .enumerate()
            .map(|(ix, item)| Item::new(json!({ "error": facts, "input": &*item.json })).from_input(ix))
            .collect();
        if made.is_empty() { vec![Item::new(json!({ "error": facts, "input": null }))] } else { made }
    }

    fn wake(&mut self, now: i64, decision: &mut Decision) -> Result<(), Refusal> {
        self.in_progress()?;
        if self.state.deadline.is_some_and(|deadline| deadline <= now) && self.state.ending.is_none() {
            let error = RunError {
                code: "run_timeout".to_owned(),
                node: None,
                message: "The run was not over within the workflow's time limit".to_owned(),
                path: None,
                details: None,
            };
            self.end(RunStatus::Failed, Some(Box::new(error)), now, decision);
            return Ok(());
        }
        let due: Vec<NodeIx> =
            self.state.nodes_in(NodePhase::Waiting).filter(|node| self.state.is_due(*node, now)).collect();
        for node in due {
            let question = self.state.wait(node).filter(|(wait, _)| wait.kind == WaitKind::Outcome);
            match question.map(|(wait, _)| wait.clone()) {
                Some(wait) => self.question_due(node, &wait, now, decision),
                None => self.emit(EventKind::NodeResumed { node, cause: Cause::Timer }, now, decision),
            }
        }
        Ok(())
    }

    fn signal(
        &mut self,
        key: &str,
        payload: Value,
        now: i64,
        decision: &mut Decision,
    ) -> Result<(), Refusal> {
        self.in_progress()?;
        let waits = |node: &NodeIx| {
            let wait = self.state.wait(*node).filter(|_| self.state.retry_at(*node).is_none());
            wait.is_some_and(|(wait, _)| wait.signal.as_deref() == Some(key))
        };
        let node = self.state.nodes_in(NodePhase::Waiting).find(waits);
        let node = node.ok_or_else(|| Refusal::NotWaiting(key.to_owned()))?;
        if self.state.wait(node).is_some_and(|(wait, _)| wait.kind == WaitKind::Outcome) {
            return self.answer_question(node, key, &payload, now, decision);
        }
        self.emit(EventKind::NodeResumed { node, cause: Cause::Signal { payload } }, now, decision);
        Ok(())
    }

    fn retry(&mut self, now: i64, decision: &mut Decision) -> Result<(), Refusal> {
        if !matches!(self.state.over, Some(RunStatus::Failed | RunStatus::Cancelled)) {
            return Err(if self.state.trigger.is_none() {
                Refusal::NotStarted
            } else {
                Refusal::NotRetryable
            });
        }
        self.emit(EventKind::RunRetried {}, now, decision);
        Ok(())
    }

    /// Decides that the run ends: what waits is given up, what runs is told to stop.
    fn end(&mut self, status: RunStatus, error: Option<Box<RunError>>, now: i64, decision: &mut Decision) {
        self.emit(EventKind::RunEnding { status, error }, now, decision);
        let given_up: Vec<NodeIx> = self
            .state
            .nodes_in(NodePhase::Waiting)
            .chain(self.state.nodes_in(NodePhase::Ready).filter(|node| !self.handed_out[*node as usize]))
            .collect();
        for node in given_up {
            self.emit(EventKind::NodeCancelled { node }, now, decision);
        }
        if self.state.running > 0 {
            decision.effects.push(Effect::CancelRunning);
        }
    }

    /// Skips what is dead, starts what is ready, and ends the run when nothing is left.
    fn pump(&mut self, now: i64, decision: &mut Decision) {
        if self.state.over.is_some() || self.state.trigger.is_none() {
            return;
        }
        loop {
            if let Some(node) = self.state.dead.pop_front() {
                // Also while the run ends: a retry must find it skipped.
                if self.state.is_dead(node) {
                    self.emit(EventKind::NodeSkipped { node }, now, decision);
                }
            } else if self.holding {
                break;
            } else if let Some(node) = self.state.ready.pop_front() {
                if self.state.phase(node) == NodePhase::Ready && !self.handed_out[node as usize] {
                    self.start_node(node, now, decision);
                }
            } else {
                break;
            }
        }
        self.finish_if_idle(now, decision);
    }

    fn start_node(&mut self, node: NodeIx, now: i64, decision: &mut Decision) {
        if self.state.ending.is_some() {
            return self.emit(EventKind::NodeCancelled { node }, now, decision);
        }
        if self.state.executions >= MAX_EXECUTIONS {
            let message =
                format!("The run has executed {MAX_EXECUTIONS} nodes; is there a loop without an end?");
            let error = NodeError::rejected(message).code("run_too_long");
            return self.end(
                RunStatus::Failed,
                Some(Box::new(RunError::of_node(&self.plan.at(node).id, &error))),
                now,
                decision,
            );
        }
        if let Some(output) = self.fixed_output(node) {
            return self.emit(EventKind::NodeSucceeded { node, began: None, output }, now, decision);
        }
        if let Some(since) = self.state.in_doubt_since(node)
            && self.plan.at(node).effect == EffectClass::Once
            && self.plan.at(node).evidence_ms.is_none()
        {
            return self.doubt_again(node, since, now, decision);
        }
        let iteration = self.state.iteration(node);
        if self.plan.at(node).effect == EffectClass::Pure {
            self.handed_out[node as usize] = true;
            self.handed_out_count += 1;
            decision.effects.push(Effect::RunPure { node, iteration });
        } else {
            let attempt = self.state.attempt(node) + 1;
            self.emit(EventKind::NodeStarted { node, attempt }, now, decision);
            decision.effects.push(Effect::Run { node, iteration, attempt });
        }
    }

    /// The output of a node that does not run: pinned by a person, or disabled (its input passes through).
    fn fixed_output(&self, node: NodeIx) -> Option<Arc<NodeOutput>> {
        let planned = self.plan.at(node);
        if let Some(ports) = self.state.pins.get(&node) {
            return Some(Arc::new(NodeOutput { ports: ports.clone(), ..NodeOutput::default() }));
        }
        if !planned.disabled {
            return None;
        }
        let input = self.state.input(&self.plan, node);
        let deliveries = input.ports.iter().flat_map(|(_, deliveries)| deliveries);
        let items = deliveries.flat_map(|found| found.items.iter()).enumerate();
        let items = Arc::new(items.map(|(ix, item)| item.clone().from_input(ix)).collect());
        let port = planned.port("main").unwrap_or(0);
        Some(Arc::new(NodeOutput { ports: vec![(port, items)], ..NodeOutput::default() }))
    }

    fn finish_if_idle(&mut self, now: i64, decision: &mut Decision) {
        let state = &self.state;
        if state.over.is_some() || state.running > 0 || state.waiting > 0 || self.handed_out_count > 0 {
            return;
        }
        if self.holding && state.nodes_in(NodePhase::Ready).next().is_some() {
            return;
        }
        let status = state.ending.as_ref().map_or(RunStatus::Succeeded, |(status, _)| *status);
        self.emit(EventKind::RunFinished { status }, now, decision);
    }
}
