//! How a runner of the model drives one run: commands into the real `Machine`, one commit per turn, effects after
//! it. It must not look into the store.

use crate::client::is_question;
use crate::outside::Execution;
use crate::requests::Request;
use crate::runner::About;
use crate::setup::{Defect, SUSPECT, Sort};
use crate::store::{Facts, Message, MessageId, Reception, Row, RunId, RunnerId, Turn, Word};
use crate::turns::{is_mark, last_turn, wait_keys};
use crate::world::World;
use serde_json::{Value, json};
use sluice_engine::core::{
    Command, Decision, Effect, Machine, NodeIx, NodePhase, NodeResult, RunState, RunStatus,
};
use sluice_engine::store::Attention;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Node, iteration and attempt.
pub(crate) type Place = (NodeIx, u32, u32);

/// Something for a run to do next.
#[derive(Debug)]
pub(crate) enum Todo {
    Command(Command),
    Message(Message),
    /// It crashed its runners too often.
    GiveUp,
}

/// A run in the hands of a runner.
#[derive(Debug)]
pub(crate) struct Drive {
    /// Tells one drive of a run from the next.
    pub(crate) serial: u64,
    pub(crate) facts: Facts,
    pub(crate) machine: Machine,
    pub(crate) version: i64,
    pub(crate) claims: u32,
    pub(crate) queue: VecDeque<Todo>,
    pub(crate) under_way: Option<UnderWay>,
    /// What was started and has not answered.
    pub(crate) jobs: BTreeSet<Place>,
    /// What may not start, because the lease is over.
    pub(crate) held: Vec<Place>,
    is_cancelled: bool,
    /// It is handled no more: what it is told is refused.
    pub(crate) refuses: bool,
    /// Messages taken up.
    pub(crate) heard: BTreeSet<MessageId>,
    /// The client's start that is to be answered.
    pub(crate) starter: Option<usize>,
}

/// A commit on its way.
#[derive(Debug)]
pub(crate) struct UnderWay {
    pub(crate) turn: Turn,
    pub(crate) effects: Vec<Effect>,
    pub(crate) message: Option<MessageId>,
    /// The run before a message that may turn out to be known.
    pub(crate) before: Option<Box<Machine>>,
    /// An answer was lost: it may have been written.
    pub(crate) in_doubt: bool,
    pub(crate) was_duplicate: bool,
}

impl Drive {
    /// A run that was claimed.
    pub(crate) fn loaded(serial: u64, row: Row) -> Self {
        let state = RunState::replay(&row.facts.plan, &row.events).expect("what was stored can be replayed");
        let machine = Machine::with_state(row.facts.plan.clone(), state);
        Self { version: row.turns, claims: row.claims, ..Self::new(serial, row.facts, machine) }
    }

    pub(crate) fn new(serial: u64, facts: Facts, machine: Machine) -> Self {
        Self {
            serial,
            facts,
            machine,
            version: 0,
            claims: 0,
            queue: VecDeque::new(),
            under_way: None,
            jobs: BTreeSet::new(),
            held: Vec::new(),
            is_cancelled: false,
            refuses: false,
            heard: BTreeSet::new(),
            starter: None,
        }
    }

    /// Whether it may be what crashes its runners.
    pub(crate) fn is_suspect(&self) -> bool {
        self.claims > SUSPECT
    }

    fn turn(&self, decision: &Decision, owner: RunnerId) -> Turn {
        let state = self.machine.state();
        let status = match self.machine.is_holding() {
            true => RunStatus::Queued,
            false => state.status(),
        };
        let is_active = !(status.is_over() || status == RunStatus::Waiting || self.machine.is_holding());
        let is_unknown = decision.events.iter().any(is_mark);
        Turn {
            run: self.facts.id,
            expected: self.version,
            new_run: (self.version == 0).then(|| self.facts.clone()),
            events: decision.events.clone(),
            status,
            wake_at: state.next_wake(),
            owner: is_active.then_some(owner),
            attention: is_unknown.then_some(Attention::UnknownOutcome),
            receipt: None,
            waits: wait_keys(state),
            by: owner,
            state: state.clone(),
        }
    }
}

impl World {
    /// A client wants a run. In a lane it is queued first.
    pub(crate) fn start(&mut self, slot: usize, action: usize, facts: Facts) {
        if self.runners[slot].id.is_none() {
            return self.client_is_told(action, false);
        }
        let run = facts.id;
        let mut machine = Machine::new(facts.plan.clone());
        if facts.lane.is_some() && !self.setup.has(Defect::IgnoreLanes) {
            machine.hold();
        }
        let output = sluice_engine::core::NodeOutput {
            ports: vec![(0, crate::harness::items([0]))],
            ..Default::default()
        };
        let trigger = facts.plan.node("start").expect("every plan has it");
        let begin =
            Command::Start { trigger, output: Arc::new(output), pins: BTreeMap::new(), deadline: None };
        let mut drive = Drive::new(self.fresh(), facts, machine);
        drive.starter = Some(action);
        drive.queue.push_back(Todo::Command(begin));
        self.runners[slot].drives.insert(run, drive);
        self.advance(slot, run);
    }

    /// Handles what is at hand until a commit is on its way or nothing is left.
    pub(crate) fn advance(&mut self, slot: usize, run: RunId) {
        let Some(mut drive) = self.runners[slot].drives.remove(&run) else { return };
        if self.work_off(slot, &mut drive) {
            self.runners[slot].drives.insert(run, drive);
        }
    }

    /// Whether the drive goes on.
    fn work_off(&mut self, slot: usize, drive: &mut Drive) -> bool {
        let Some(me) = self.runners[slot].id else { return false };
        while drive.under_way.is_none() {
            let Some(todo) = drive.queue.pop_front() else { break };
            let (command, message) = match todo {
                Todo::Command(command) => (command, None),
                Todo::Message(message) => (command_of(&message), Some(message.id)),
                Todo::GiveUp => {
                    let turn = last_turn(drive, me, self.wall(slot));
                    self.commit(slot, drive, turn, Vec::new(), None, None);
                    continue;
                }
            };
            if matches!(command, Command::Recover) && self.setup.has(Defect::RepeatOnce) {
                self.repeat_all(slot, drive);
                continue;
            }
            let before = message.map(|_| Box::new(drive.machine.clone()));
            let mut decision = Decision::default();
            let is_refused =
                drive.refuses || drive.machine.handle(command, self.wall(slot), &mut decision).is_err();
            if is_refused {
                self.answer_message(slot, drive.facts.id, message, Reception::Refused);
                continue;
            }
            if self.run_pure(slot, drive, &mut decision) {
                self.runners[slot].dies = true;
                return false;
            }
            let effects = std::mem::take(&mut decision.effects);
            if decision.events.is_empty() {
                self.answer_message(slot, drive.facts.id, message, Reception::Refused);
                self.start_effects(slot, drive, effects);
            } else {
                let turn = Turn { receipt: message, ..drive.turn(&decision, me) };
                self.commit(slot, drive, turn, effects, message, before);
            }
        }
        let is_idle = drive.under_way.is_none() && drive.jobs.is_empty() && drive.held.is_empty();
        if is_idle {
            let (run, version) = (drive.facts.id, drive.version);
            self.ask_as(slot, About::Other, Request::GiveBack { run, version, owner: me });
        }
        !is_idle
    }

    /// The defect: whatever was announced is started again.
    fn repeat_all(&mut self, slot: usize, drive: &mut Drive) {
        let state = drive.machine.state();
        let running = state.nodes_in(NodePhase::Running).map(|node| Effect::Run {
            node,
            iteration: state.iteration(node),
            attempt: state.attempt(node),
        });
        let effects: Vec<Effect> = running.collect();
        if effects.is_empty() {
            drive.queue.push_front(Todo::Command(Command::Wake));
        }
        self.start_effects(slot, drive, effects);
    }

    /// Runs pure nodes inside the turn. `true` when one of them killed the runner.
    fn run_pure(&mut self, slot: usize, drive: &mut Drive, decision: &mut Decision) -> bool {
        let mut at = 0;
        while let Some(effect) = decision.effects.get(at) {
            let Effect::RunPure { node, iteration } = *effect else {
                at += 1;
                continue;
            };
            decision.effects.remove(at);
            if drive.facts.poison == Some(node) {
                return true;
            }
            let attempt = drive.machine.state().attempt(node) + 1;
            let wall = self.wall(slot);
            let result = self.execution(drive, (node, iteration, attempt), wall).result();
            let (began, logs) = (wall, Vec::new());
            let done = Command::NodeDone { node, iteration, attempt, began, logs, result };
            drive.machine.handle(done, wall, decision).expect("it was handed out just now");
        }
        false
    }

    pub(crate) fn execution<'a>(
        &self,
        drive: &'a Drive,
        (node, iteration, attempt): Place,
        wall: i64,
    ) -> Execution<'a> {
        let is_resumed = drive.machine.state().resumed(node).is_some();
        let (run, plan) = (drive.facts.id, &*drive.facts.plan);
        // Where little else goes wrong, what is under way is so for longer.
        let (seed, is_slow) = (self.setup.seed, self.setup.sort != Sort::Everything);
        Execution { seed, run, plan, node, iteration, attempt, is_resumed, wall, is_slow }
    }

    fn commit(
        &mut self,
        slot: usize,
        drive: &mut Drive,
        turn: Turn,
        effects: Vec<Effect>,
        message: Option<MessageId>,
        before: Option<Box<Machine>>,
    ) {
        let (run, serial) = (drive.facts.id, drive.serial);
        let request = Request::Commit(Box::new(turn.clone()));
        self.ask_as(slot, About::Commit { run, drive: serial }, request);
        let mut under_way =
            UnderWay { turn, effects, message, before, in_doubt: false, was_duplicate: false };
        if self.setup.has(Defect::EffectsBeforeCommit) {
            self.start_effects(slot, drive, std::mem::take(&mut under_way.effects));
        }
        drive.under_way = Some(under_way);
    }

    pub(crate) fn answer_message(
        &mut self,
        slot: usize,
        run: RunId,
        message: Option<MessageId>,
        reception: Reception,
    ) {
        if let Some(message) = message {
            self.ask_as(slot, About::Other, Request::Answer { run, message, reception });
        }
    }

    pub(crate) fn start_effects(&mut self, slot: usize, drive: &mut Drive, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Run { node, iteration, attempt } => {
                    self.start_job(slot, drive, (node, iteration, attempt));
                }
                Effect::CancelRunning => drive.is_cancelled = true,
                Effect::RunPure { .. } | Effect::StartChild { .. } => {}
            }
        }
    }

    /// The provider's answer comes back.
    pub(crate) fn result(
        &mut self,
        slot: usize,
        (run, serial): (RunId, u64),
        place: Place,
        result: NodeResult,
    ) {
        let Some(drive) = self.runners[slot].drives.get_mut(&run) else { return };
        if drive.serial != serial || !drive.jobs.remove(&place) {
            return;
        }
        let is_stopped = drive.is_cancelled && place.1.is_multiple_of(2);
        let result = match is_stopped {
            true => NodeResult::Failed(sluice_node_sdk::error::NodeError::cancelled("told to stop")),
            false => result,
        };
        let (node, iteration, attempt) = place;
        let (began, logs) = (0, Vec::new());
        let done = Command::NodeDone { node, iteration, attempt, began, logs, result };
        drive.queue.push_back(Todo::Command(done));
        self.advance(slot, run);
    }
}

fn command_of(message: &Message) -> Command {
    match &message.word {
        Word::Signal(key) => Command::Signal { key: key.clone(), payload: payload(key, message.id) },
        Word::Cancel => Command::Cancel,
        Word::Retry => Command::Retry,
    }
}

/// What comes with a signal: its receipt, and a person's decision where one was asked.
fn payload(key: &str, receipt: MessageId) -> Value {
    let decision = ["done", "retry", "fail"][receipt as usize % 3];
    match is_question(key) {
        true => json!({ "receipt": receipt, "decision": decision, "by": "person" }),
        false => json!({ "receipt": receipt }),
    }
}
