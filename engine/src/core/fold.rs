//! Folding: how one event changes the state of a run. Total and deterministic; an event that does not fit
//! the state (a damaged log) is refused and changes nothing.

use super::event::{Event, EventKind, NodeIx, NodeOutput, RunStatus, Wait};
use super::outcome::{SettledBy, Settlement, Verdict, doubt_after};
use super::state::{Delivery, NodePhase, NodeState, Record, RunState, Source, join};
use crate::graph::{EdgeIx, LoopIx, Plan};
use sluice_node_sdk::error::ErrorKind;
use sluice_node_sdk::outcome::{Cause, WaitKind};
use sluice_node_sdk::spec::Effect;
use std::sync::Arc;

/// An event that cannot happen in the state it meets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event `{event}` cannot happen to node {node:?} in phase {phase:?}")]
pub struct IllegalEvent {
    /// Name of the event.
    pub event: &'static str,
    /// The node concerned.
    pub node: Option<NodeIx>,
    /// The phase it was in.
    pub phase: Option<NodePhase>,
}

/// The phases a node may be in when an event meets it: the transition table of the node machine.
pub fn allowed_before(kind: &EventKind) -> &'static [NodePhase] {
    use NodePhase::{Cancelled, Failed, Pending, Ready, Running, Skipped, Succeeded, Waiting};
    match kind {
        EventKind::NodeStarted { .. } => &[Ready],
        EventKind::NodeSucceeded { .. } | EventKind::NodeFailed { .. } | EventKind::NodeSuspended { .. } => {
            &[Ready, Running]
        }
        EventKind::NodeSkipped { .. } => &[Pending],
        EventKind::NodeResumed { .. } => &[Waiting],
        EventKind::NodeCancelled { .. } => &[Ready, Running, Waiting],
        EventKind::RunStarted { .. } => &[Pending],
        EventKind::RunEnding { .. } | EventKind::RunFinished { .. } | EventKind::RunRetried {} => {
            &[Pending, Ready, Running, Waiting, Succeeded, Failed, Skipped, Cancelled]
        }
    }
}

/// The name of an event, as stored.
pub fn name(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::RunStarted { .. } => "run_started",
        EventKind::NodeStarted { .. } => "node_started",
        EventKind::NodeSucceeded { .. } => "node_succeeded",
        EventKind::NodeFailed { .. } => "node_failed",
        EventKind::NodeSkipped { .. } => "node_skipped",
        EventKind::NodeSuspended { .. } => "node_suspended",
        EventKind::NodeResumed { .. } => "node_resumed",
        EventKind::NodeCancelled { .. } => "node_cancelled",
        EventKind::RunEnding { .. } => "run_ending",
        EventKind::RunFinished { .. } => "run_finished",
        EventKind::RunRetried {} => "run_retried",
    }
}

/// The node that an event is about.
pub fn node_of(kind: &EventKind) -> Option<NodeIx> {
    match kind {
        EventKind::RunStarted { trigger: node, .. }
        | EventKind::NodeStarted { node, .. }
        | EventKind::NodeSucceeded { node, .. }
        | EventKind::NodeFailed { node, .. }
        | EventKind::NodeSkipped { node }
        | EventKind::NodeSuspended { node, .. }
        | EventKind::NodeResumed { node, .. }
        | EventKind::NodeCancelled { node } => Some(*node),
        EventKind::RunEnding { .. } | EventKind::RunFinished { .. } | EventKind::RunRetried {} => None,
    }
}

impl NodeState {
    /// The same execution goes on, with or without doubt.
    fn end_question(&mut self, cause: &Cause, event: &Event, can_look: bool) {
        let retry = Settlement::of(cause).filter(|settlement| settlement.decision == Verdict::Retry);
        match retry.map(|settlement| settlement.by) {
            Some(SettledBy::Policy) => self.policy_retries += 1,
            Some(_) => self.policy_retries = 0,
            None => {}
        }
        (self.doubt, self.counts_as_done) = doubt_after(self.doubt, event, cause, can_look);
    }
}

impl RunState {
    /// The state that a list of events adds up to.
    ///
    /// # Errors
    /// At the first event that cannot happen.
    pub fn replay<'a>(
        plan: &Plan,
        events: impl IntoIterator<Item = &'a Event>,
    ) -> Result<Self, IllegalEvent> {
        let mut state = Self::new(plan);
        for event in events {
            state.apply(plan, event)?;
        }
        state.tidy();
        Ok(state)
    }

    /// Drops entries of the queues whose nodes moved on; what is ready or dead is queued once, in order.
    pub(super) fn tidy(&mut self) {
        let (mut ready, mut dead) = (std::mem::take(&mut self.ready), std::mem::take(&mut self.dead));
        ready.extend(self.nodes_in(NodePhase::Ready));
        let mut queued = vec![false; self.nodes.len()];
        ready.retain(|node| {
            self.phase(*node) == NodePhase::Ready && !std::mem::replace(&mut queued[*node as usize], true)
        });
        dead.retain(|node| self.is_dead(*node) && !std::mem::replace(&mut queued[*node as usize], true));
        (self.ready, self.dead) = (ready, dead);
    }

    /// Whether all inputs of a node are known and none carries items. An entry in the queue does not say so
    /// for ever: the next round of a loop opens the inputs of its body again.
    pub(super) fn is_dead(&self, node: NodeIx) -> bool {
        let node = &self.nodes[node as usize];
        node.phase == NodePhase::Pending && node.open_inputs == 0 && !node.any_filled
    }

    /// Folds one event into the state.
    ///
    /// # Errors
    /// When the event cannot happen in this state; the state is then unchanged.
    pub fn apply(&mut self, plan: &Plan, event: &Event) -> Result<(), IllegalEvent> {
        self.check(&event.kind)?;
        match &event.kind {
            EventKind::RunStarted { trigger, output, pins, deadline } => {
                self.trigger = Some(*trigger);
                self.pins.clone_from(pins);
                (self.deadline, self.began) = (*deadline, event.at);
                self.open_sources(plan, *trigger);
                self.succeed(plan, *trigger, output);
            }
            EventKind::NodeStarted { node, attempt } => {
                self.set_phase(*node, NodePhase::Running);
                self.nodes[*node as usize].attempt = *attempt;
            }
            EventKind::NodeSucceeded { node, output, .. } => self.succeed(plan, *node, output),
            EventKind::NodeFailed { node, error, retry_at, output, .. } => {
                self.doubt_failure(plan, *node, event.at, error.kind);
                self.fail(plan, *node, event.at, *retry_at, output.as_ref());
            }
            EventKind::NodeSkipped { node } => self.skip(plan, *node),
            EventKind::NodeSuspended { node, wait } => self.suspend(*node, wait, event.at),
            EventKind::NodeResumed { node, cause } => self.resume(plan, *node, cause, event),
            EventKind::NodeCancelled { node } => self.give_up(plan, *node, event.at),
            EventKind::RunEnding { status, error } => self.ending = Some((*status, error.clone())),
            EventKind::RunFinished { status } => self.over = Some(*status),
            EventKind::RunRetried {} => self.retry_run(event.at),
        }
        Ok(())
    }

    fn check(&self, kind: &EventKind) -> Result<(), IllegalEvent> {
        let node = node_of(kind);
        let phase = node.and_then(|node| self.nodes.get(node as usize)).map(|node| node.phase);
        let fits_node = node.is_none() || phase.is_some_and(|phase| allowed_before(kind).contains(&phase));
        let fits_run = match kind {
            EventKind::RunStarted { .. } => self.trigger.is_none(),
            EventKind::RunRetried {} => matches!(self.over, Some(RunStatus::Failed | RunStatus::Cancelled)),
            _ => self.trigger.is_some() && self.over.is_none(),
        };
        if fits_node && fits_run { Ok(()) } else { Err(IllegalEvent { event: name(kind), node, phase }) }
    }

    fn set_phase(&mut self, node: NodeIx, phase: NodePhase) {
        let before = std::mem::replace(&mut self.nodes[node as usize].phase, phase);
        self.running -= u32::from(before == NodePhase::Running);
        self.waiting -= u32::from(before == NodePhase::Waiting);
        self.running += u32::from(phase == NodePhase::Running);
        self.waiting += u32::from(phase == NodePhase::Waiting);
        if phase == NodePhase::Ready {
            self.ready.push_back(node);
        }
    }

    /// Nodes that nothing leads to, other triggers among them, will never run.
    fn open_sources(&mut self, plan: &Plan, trigger: NodeIx) {
        let idle = plan
            .nodes
            .iter()
            .enumerate()
            .filter(|(ix, node)| node.inputs.is_empty() && *ix as NodeIx != trigger);
        self.dead.extend(idle.map(|(ix, _)| ix as NodeIx));
    }

    fn succeed(&mut self, plan: &Plan, node: NodeIx, output: &Arc<NodeOutput>) {
        if let Some(reply) = &output.reply
            && self.reply.is_none()
        {
            self.reply = Some(reply.clone());
        }
        self.set_phase(node, NodePhase::Succeeded);
        self.executions += 1;
        self.last = Some(node);
        let inputs = self.main_sources(plan, node);
        let state = &mut self.nodes[node as usize];
        let record = Arc::new(Record { iteration: state.iteration, inputs, output: output.clone() });
        state.iteration += 1;
        state.attempt = 0;
        (state.wait, state.retry_at, state.resumed) = (None, None, None);
        (state.doubt, state.counts_as_done, state.policy_retries) = (None, false, 0);
        state.record = Some(record.clone());
        self.send(plan, node, Some(&record));
    }

    fn fail(
        &mut self,
        plan: &Plan,
        node: NodeIx,
        at: i64,
        retry_at: Option<i64>,
        output: Option<&Arc<NodeOutput>>,
    ) {
        match (retry_at, output) {
            (Some(_), _) => {
                let state = &mut self.nodes[node as usize];
                // Announced attempts are counted by `NodeStarted`; pure nodes are never announced.
                state.attempt += u32::from(state.phase == NodePhase::Ready);
                self.set_phase(node, NodePhase::Waiting);
                let state = &mut self.nodes[node as usize];
                (state.retry_at, state.since) = (retry_at, at);
            }
            (None, Some(output)) => self.succeed(plan, node, output),
            (None, None) => self.set_phase(node, NodePhase::Failed),
        }
    }

    fn suspend(&mut self, node: NodeIx, wait: &Arc<Wait>, at: i64) {
        // Counted, so that a node which waits for what is there already cannot keep a run busy for ever.
        self.executions += 1;
        self.set_phase(node, NodePhase::Waiting);
        let state = &mut self.nodes[node as usize];
        (state.wait, state.since) = (Some(wait.clone()), at);
        if wait.kind == WaitKind::Outcome {
            // The execution goes on as it was, whatever comes of the question.
            state.doubt = state.doubt.or(Some(at));
        } else {
            (state.resumed, state.doubt) = (None, None);
        }
    }

    /// Of an attempt that was under way nobody may know whether it took place; a node in doubt that fails in any
    /// other way has found out. A defect and a wish to stop say nothing about it.
    fn doubt_failure(&mut self, plan: &Plan, node: NodeIx, at: i64, kind: ErrorKind) {
        let state = &mut self.nodes[node as usize];
        match kind {
            ErrorKind::UnknownOutcome if plan.at(node).effect == Effect::Once => {
                state.doubt = state.doubt.or(Some(at));
            }
            ErrorKind::Bug | ErrorKind::Cancelled => {}
            _ => state.doubt = None,
        }
    }

    /// Whether something that was under way took place before it was told to stop, nobody knows.
    fn give_up(&mut self, plan: &Plan, node: NodeIx, at: i64) {
        let state = &mut self.nodes[node as usize];
        if state.phase == NodePhase::Running && plan.at(node).effect == Effect::Once {
            state.doubt = state.doubt.or(Some(at));
        }
        self.set_phase(node, NodePhase::Cancelled);
    }

    fn resume(&mut self, plan: &Plan, node: NodeIx, cause: &Cause, event: &Event) {
        let state = &mut self.nodes[node as usize];
        if state.retry_at.take().is_none()
            && let Some(wait) = state.wait.take()
        {
            if wait.kind == WaitKind::Outcome {
                state.end_question(cause, event, plan.at(node).evidence_ms.is_some());
            } else {
                state.resumed = Some((cause.clone(), wait));
                state.attempt = 0;
            }
        }
        self.set_phase(node, NodePhase::Ready);
    }

    fn skip(&mut self, plan: &Plan, node: NodeIx) {
        self.set_phase(node, NodePhase::Skipped);
        self.send(plan, node, None);
    }

    fn retry_run(&mut self, at: i64) {
        (self.over, self.ending) = (None, None);
        // The same time again, or a run that was too slow could never go on.
        self.deadline = self.deadline.map(|deadline| at.saturating_add(deadline.saturating_sub(self.began)));
        self.began = at;
        for ix in 0..self.nodes.len() {
            if matches!(self.nodes[ix].phase, NodePhase::Failed | NodePhase::Cancelled) {
                let state = &mut self.nodes[ix];
                (state.attempt, state.policy_retries) = (0, 0);
                (state.wait, state.retry_at) = (None, None);
                // What a child run gave led to this failure: the node is to ask for it again.
                state.resumed.take_if(|(_, wait)| wait.kind == WaitKind::Call);
                self.set_phase(ix as NodeIx, NodePhase::Ready);
            }
        }
    }

    /// Resolves the outgoing edges of a node that is through.
    fn send(&mut self, plan: &Plan, node: NodeIx, record: Option<&Arc<Record>>) {
        let Some(at) = plan.at(node).entry_of else {
            for edge in &plan.at(node).outputs {
                self.resolve(plan, *edge, record);
            }
            return self.child_through(plan, plan.at(node).in_loop);
        };
        let found = &plan.loops[at as usize];
        let goes_on = record
            .is_some_and(|record| found.body_ports.iter().any(|port| record.output.port(*port).is_some()));
        if goes_on {
            self.begin_iteration(plan, at, record);
        } else {
            self.end_loop(plan, at, record);
            self.child_through(plan, plan.at(node).in_loop);
        }
    }

    fn begin_iteration(&mut self, plan: &Plan, at: LoopIx, record: Option<&Arc<Record>>) {
        let found = &plan.loops[at as usize];
        for node in &found.body {
            let state = &mut self.nodes[*node as usize];
            state.open_inputs = plan.at(*node).inputs.len() as u32;
            state.any_filled = false;
            self.set_phase(*node, NodePhase::Pending);
        }
        for edge in &found.inner_edges {
            self.edges[*edge as usize] = Default::default();
        }
        for inner in &found.inner_loops {
            self.loops[*inner as usize] = Default::default();
        }
        let state = &mut self.loops[at as usize];
        let returned = std::mem::take(&mut state.returned);
        if state.active {
            let round = join(returned.iter().map(|(_, delivery)| delivery));
            Arc::make_mut(&mut state.rounds).push(round);
        }
        (state.active, state.over, state.open) = (true, false, found.children);
        for edge in self.entry_edges(plan, at, true) {
            self.resolve(plan, edge, record);
        }
        if found.children == 0 {
            self.set_phase(found.entry, NodePhase::Ready);
        }
    }

    fn end_loop(&mut self, plan: &Plan, at: LoopIx, record: Option<&Arc<Record>>) {
        let began = std::mem::replace(&mut self.loops[at as usize].active, false);
        let state = &mut self.loops[at as usize];
        state.over = true;
        state.returned.clear();
        state.rounds = Arc::default();
        if !began {
            for edge in self.entry_edges(plan, at, true) {
                self.resolve(plan, edge, None);
            }
        }
        for edge in self.entry_edges(plan, at, false) {
            self.resolve(plan, edge, record);
        }
        if began {
            for edge in &plan.loops[at as usize].exit_edges {
                let filled = !self.edges[*edge as usize].deliveries.is_empty();
                self.arrive(plan, *edge, filled);
            }
        }
    }

    /// The edges of a loop's entry that start an iteration, or the others.
    fn entry_edges(&self, plan: &Plan, at: LoopIx, body: bool) -> Vec<EdgeIx> {
        let found = &plan.loops[at as usize];
        let outputs = plan.at(found.entry).outputs.iter().copied();
        outputs.filter(|edge| found.body_ports.contains(&plan.edges[*edge as usize].port) == body).collect()
    }

    /// A node that belongs to the loop is through; when all are, the entry runs again.
    fn child_through(&mut self, plan: &Plan, in_loop: Option<LoopIx>) {
        let Some(at) = in_loop else { return };
        let state = &mut self.loops[at as usize];
        if !state.active {
            return;
        }
        state.open -= 1;
        if state.open == 0 {
            self.set_phase(plan.loops[at as usize].entry, NodePhase::Ready);
        }
    }

    /// An edge learns whether it carries items. `None` for a dead source.
    fn resolve(&mut self, plan: &Plan, edge: EdgeIx, record: Option<&Arc<Record>>) {
        let planned = &plan.edges[edge as usize];
        let items = record.and_then(|record| record.output.port(planned.port).map(|items| (record, items)));
        let delivery = items.map(|(record, items)| Delivery {
            source: Source {
                node: planned.source,
                iteration: record.iteration,
                port: planned.port,
                items: items.len() as u32,
            },
            items: items.clone(),
        });
        if planned.is_back {
            // Only loop entries have returning edges.
            if let (Some(at), Some(delivery)) = (plan.at(planned.target).entry_of, delivery) {
                // In the order of edges, not of arrival: the same results must always give the same input.
                let returned = &mut self.loops[at as usize].returned;
                let place = returned.partition_point(|(other, _)| *other <= edge);
                returned.insert(place, (edge, delivery));
            }
            return;
        }
        let filled = delivery.is_some();
        self.edges[edge as usize].deliveries.extend(delivery);
        if planned.exits.is_none_or(|at| self.loops[at as usize].over) {
            self.arrive(plan, edge, filled);
        }
    }

    /// The target of an edge learns that one more of its inputs is known.
    fn arrive(&mut self, plan: &Plan, edge: EdgeIx, filled: bool) {
        if std::mem::replace(&mut self.edges[edge as usize].resolved, true) {
            return;
        }
        let target = plan.edges[edge as usize].target;
        let state = &mut self.nodes[target as usize];
        state.open_inputs = state.open_inputs.saturating_sub(1);
        state.any_filled |= filled;
        if state.open_inputs > 0 || state.phase != NodePhase::Pending {
            return;
        }
        if state.any_filled {
            self.set_phase(target, NodePhase::Ready);
        } else {
            self.dead.push_back(target);
        }
    }
}
