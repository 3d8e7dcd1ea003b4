//! Plays a recording to the core: commands in the order of the log, pure nodes computed anew at their recorded
//! time, everything else answered from the recording.

use super::recording::Recording;
use crate::core::{Command, Decision, Effect, Event, EventKind, Machine, NodeIx, NodePhase, NodeResult};
use crate::drive::Program;
use crate::drive::execute::Surroundings;
use sluice_node_sdk::outcome::Cause;
use sluice_node_sdk::services::Clock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Shows the recorded time, so that what asks for the time comes out as it did.
#[derive(Default)]
pub(super) struct RecordedClock(AtomicI64);

impl Clock for RecordedClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A replay under way.
pub(super) struct Player {
    program: Arc<Program>,
    around: Surroundings,
    clock: Arc<RecordedClock>,
    recording: Recording,
    machine: Machine,
    /// By place in the log, then in the order in which they came up.
    commands: BTreeMap<(usize, usize), (i64, Command)>,
    count: usize,
    pub(super) events: Vec<Event>,
    pub(super) not_recorded: Vec<String>,
}

impl Player {
    pub(super) fn new(
        program: Arc<Program>,
        around: Surroundings,
        clock: Arc<RecordedClock>,
        mut recording: Recording,
    ) -> Self {
        let machine = Machine::new(program.plan.clone()).of_run(around.info.run_id.as_str().into());
        let wishes = std::mem::take(&mut recording.wishes);
        let mut player = Self {
            program,
            around,
            clock,
            recording,
            machine,
            commands: BTreeMap::new(),
            count: 0,
            events: Vec::new(),
            not_recorded: Vec::new(),
        };
        for (place, at, command) in wishes {
            player.push(place, at, command);
        }
        player
    }

    fn push(&mut self, place: usize, at: i64, command: Command) {
        self.commands.insert((place, self.count), (at, command));
        self.count += 1;
    }

    /// Plays to the end.
    pub(super) fn play(&mut self, start: Command, at: i64) {
        self.push(0, at, start);
        while let Some(((place, _), (at, command))) = self.commands.pop_first() {
            let mut decision = Decision::default();
            // A command that the new version refuses (a wait that is gone) is no difference by itself.
            if self.machine.handle(command, at, &mut decision).is_err() {
                continue;
            }
            for effect in std::mem::take(&mut decision.effects) {
                match effect {
                    Effect::RunPure { node, iteration } => self.compute(node, iteration, place, at),
                    Effect::Run { node, iteration, attempt } => {
                        self.recall(node, (iteration, attempt), place, at);
                    }
                    Effect::StartChild { .. } | Effect::CancelRunning => {}
                }
            }
            decision.events.iter().for_each(|event| self.resume(&event.kind, place));
            self.events.extend(decision.events);
        }
    }

    fn compute(&mut self, node: NodeIx, iteration: u32, place: usize, at: i64) {
        let began =
            self.recording.answer(&self.program.plan.at(node).id).map_or(at, |(_, _, (began, _))| began);
        self.clock.0.store(began, Ordering::SeqCst);
        let attempt = self.machine.state().attempt(node) + 1;
        let executed = self.around.prepare(self.machine.state(), node, attempt).run_inline();
        self.push(place, at, done(node, (iteration, attempt), began, executed.result));
    }

    fn recall(&mut self, node: NodeIx, execution: (u32, u32), place: usize, at: i64) {
        let id = self.program.plan.at(node).id.to_string();
        match self.recording.answer(&id) {
            Some((recorded, at, (began, result))) => {
                self.push(recorded.max(place), at, done(node, execution, began, result));
            }
            None if self.recording.is_unanswered(&id) => {}
            None => {
                self.not_recorded.push(id);
                self.push(place, at, done(node, execution, at, NodeResult::Done(Arc::default())));
            }
        }
    }

    /// Brings what ended a wait or a pause then.
    fn resume(&mut self, kind: &EventKind, place: usize) {
        let (node, due, signal) = match kind {
            EventKind::NodeSuspended { node, wait } => (*node, wait.until, wait.signal.clone()),
            EventKind::NodeFailed { node, retry_at: Some(at), .. } => (*node, Some(*at), None),
            _ => return,
        };
        let is_pause = matches!(kind, EventKind::NodeFailed { .. });
        let id = self.program.plan.at(node).id.clone();
        let recorded = self.recording.resumption(&id);
        // A wait that was over at once has gone on already.
        if self.machine.state().phase(node) != NodePhase::Waiting {
            return;
        }
        match recorded {
            Some((recorded, at, Cause::Signal { payload })) => {
                let command = Command::Signal { key: signal.unwrap_or_default(), payload };
                self.push(recorded.max(place), at, command);
            }
            Some((recorded, at, Cause::Timer)) => {
                self.push(recorded.max(place), at.max(due.unwrap_or(at)), Command::Wake);
            }
            None if is_pause && !self.recording.is_pausing(&id) => {
                self.push(place, due.unwrap_or_default(), Command::Wake);
            }
            None => {}
        }
    }
}

fn done(node: NodeIx, (iteration, attempt): (u32, u32), began: i64, result: NodeResult) -> Command {
    Command::NodeDone { node, iteration, attempt, began, logs: Vec::new(), result }
}
