//! What a turn says beyond its events: waits, marks, and the last turn of a run that was given up; and the start of
//! announced nodes.

use crate::drive::{Drive, Place};
use crate::outside::{Call, is_performed};
use crate::runner::Inner;
use crate::setup::Defect;
use crate::store::{RunId, RunnerId, Turn};
use crate::world::World;
use sluice_engine::core::{Event, EventKind, NodeIx, NodePhase, RunError, RunState, RunStatus};
use sluice_engine::store::Attention;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::spec::Effect as EffectClass;

/// Whether an event says that nobody knows what became of a node.
pub(crate) fn is_mark(event: &Event) -> bool {
    match &event.kind {
        EventKind::NodeFailed { error, .. } => error.code == "unknown_outcome",
        // However the core writes it down that a person or evidence must settle it.
        EventKind::NodeSuspended { .. } => {
            serde_json::to_string(event).expect("events are data").contains("unknown_outcome")
        }
        _ => false,
    }
}

/// The signals that a run waits for.
pub(crate) fn wait_keys(state: &RunState) -> Vec<String> {
    if state.status().is_over() {
        return Vec::new();
    }
    let waiting = state.nodes_in(NodePhase::Waiting).filter(|node| state.retry_at(*node).is_none());
    waiting.filter_map(|node| state.wait(node)?.0.signal.clone()).collect()
}

/// The turn that ends a run which crashed its runners too often.
pub(crate) fn last_turn(drive: &Drive, me: RunnerId, at: i64) -> Turn {
    let plan = &drive.facts.plan;
    let mut state = drive.machine.state().clone();
    let error = RunError {
        code: "poisoned".to_owned(),
        node: None,
        message: "What drives this run crashed again and again".to_owned(),
        path: None,
        details: None,
    };
    let status = RunStatus::Failed;
    let mut kinds = vec![EventKind::RunEnding { status, error: Some(Box::new(error)) }];
    for node in (0..plan.nodes.len()).map(|node| node as NodeIx) {
        let is_once = plan.at(node).effect == EffectClass::Once;
        match state.phase(node) {
            NodePhase::Running if is_once => {
                let error = Box::new(NodeError::unknown_outcome("its runner crashed"));
                let (began, retry_at, output, logs) = (None, None, None, Vec::new());
                kinds.push(EventKind::NodeFailed { node, began, error, retry_at, output, logs });
            }
            NodePhase::Ready | NodePhase::Running | NodePhase::Waiting => {
                kinds.push(EventKind::NodeCancelled { node });
            }
            _ => {}
        }
    }
    kinds.push(EventKind::RunFinished { status });
    let events: Vec<Event> = kinds.into_iter().map(|kind| Event { at, kind }).collect();
    for event in &events {
        state.apply(plan, event).expect("each ends what is open");
    }
    Turn {
        run: drive.facts.id,
        expected: drive.version,
        new_run: None,
        events,
        status,
        wake_at: None,
        owner: None,
        attention: Some(Attention::Poisoned),
        receipt: None,
        waits: Vec::new(),
        by: me,
        state,
    }
}

impl World {
    /// An announced node waits for a free place, then calls.
    pub(crate) fn start_job(&mut self, slot: usize, drive: &mut Drive, place: Place) {
        let (run, serial) = (drive.facts.id, drive.serial);
        let (node, iteration, attempt) = place;
        drive.jobs.insert(place);
        let after = self.chance.between(0, 40);
        self.inner(slot, self.now + after, Inner::Call { run, drive: serial, node, iteration, attempt });
    }

    /// The lease holds again: what was held back starts.
    pub(crate) fn start_held(&mut self, slot: usize, run: RunId) {
        let Some(mut drive) = self.runners[slot].drives.remove(&run) else { return };
        for place in std::mem::take(&mut drive.held) {
            self.start_job(slot, &mut drive, place);
        }
        self.runners[slot].drives.insert(run, drive);
    }

    /// An announced node calls the provider, unless others may drive its run by now.
    pub(crate) fn call(&mut self, slot: usize, (run, serial): (RunId, u64), place: Place) {
        let Some(mut drive) = self.runners[slot].drives.remove(&run) else { return };
        if drive.serial == serial && drive.jobs.contains(&place) {
            if self.lease_is_over(slot) {
                drive.jobs.remove(&place);
                drive.held.push(place);
            } else {
                self.call_provider(slot, &drive, place);
            }
        }
        self.runners[slot].drives.insert(run, drive);
    }

    fn call_provider(&mut self, slot: usize, drive: &Drive, place: Place) {
        let (node, iteration, attempt) = place;
        let run = drive.facts.id;
        let wall = self.wall(slot);
        let execution = self.execution(drive, place, wall);
        let (result, duration) = (execution.result(), execution.duration());
        let row = self.store.runs.get(&run);
        let is_announced = row.is_some_and(|row| {
            let state = &row.state;
            (state.phase(node), state.iteration(node), state.attempt(node))
                == (NodePhase::Running, iteration, attempt)
        });
        let rests = row.map_or(0, |row| row.rests);
        if !is_announced {
            self.break_rule(|| format!("node {node} of run {run} is called and was not announced"));
        }
        let effect_id = match self.setup.has(Defect::EffectIdPerAttempt) {
            true => format!("{run}/{node}/{iteration}/{attempt}"),
            false => format!("{run}/{node}/{iteration}"),
        };
        let class = drive.facts.plan.at(node).effect;
        let is_performed = is_performed(&result);
        let lane = drive.facts.lane;
        self.note(|_| format!("runner {slot} calls {effect_id}, attempt {attempt}, {class:?}, {result:?}"));
        let call = Call { run, lane, node, iteration, attempt, effect_id, class, is_performed, rests };
        self.outside.calls.push(call);
        if drive.facts.poison == Some(node) {
            self.runners[slot].dies = true;
        }
        let serial = drive.serial;
        let inner = Inner::Result { run, drive: serial, node, iteration, attempt, result };
        self.inner(slot, self.now + duration, inner);
    }
}
