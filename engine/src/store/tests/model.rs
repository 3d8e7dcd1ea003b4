//! What a store must do, in maps: the measure for both databases. Turns are made here, because whether one is
//! good or stale depends on what was committed before.

use super::*;
use std::cell::Cell;
use std::collections::BTreeMap;

/// Something that a random sequence does. Numbers stand for names, so that they meet.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// A run begins, perhaps with one that exists already.
    Begin(Begin),
    /// A run goes on.
    GoOn {
        /// Which run.
        run: u8,
        /// How far the expected number of turns is from the truth; 0 is good.
        off: i64,
        /// The rest.
        step: Step,
    },
}

/// A first turn.
#[derive(Clone, Debug)]
pub(super) struct Begin {
    pub(super) run: u8,
    pub(super) dedupe: Option<u8>,
    pub(super) lane: Option<u8>,
    pub(super) created_at: i64,
    pub(super) step: Step,
}

/// What every turn says.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) status: RunStatus,
    pub(super) events: u8,
    pub(super) wake_at: Option<i64>,
    pub(super) waits: Option<Vec<(u8, WaitKind, Option<u8>)>>,
    pub(super) children: Vec<Begin>,
}

/// A run as the model knows it.
#[derive(Clone)]
pub(super) struct ModelRun {
    pub(super) stored: StoredRun,
    pub(super) wake_at: Option<i64>,
    pub(super) waits: Vec<WaitRow>,
}

/// All runs of one workspace.
#[derive(Default)]
pub(super) struct Model {
    workspace: String,
    /// Begun so far.
    begun: Cell<i64>,
    pub(super) runs: BTreeMap<String, ModelRun>,
}

impl Model {
    /// An empty workspace.
    pub(super) fn new(workspace: &str) -> Self {
        Self { workspace: workspace.to_owned(), ..Self::default() }
    }

    /// The key of a run.
    pub(super) fn key(&self, run: u8) -> RunKey {
        RunKey { workspace_id: self.workspace.as_str().into(), run_id: format!("run_{run}").into() }
    }

    /// The turn that `op` stands for at this point, and what must become of it.
    pub(super) fn apply(&mut self, op: &Op) -> (Turn, Commit) {
        let turn = match op {
            Op::Begin(begin) => self.begin(begin),
            Op::GoOn { run, off, step } => self.go_on(*run, *off, step),
        };
        let answer = self.commit(&turn);
        (turn, answer)
    }

    fn begin(&self, begin: &Begin) -> Turn {
        let key = self.key(begin.run);
        self.begun.set(self.begun.get() + 1);
        // In lanes the clock only goes on; what becomes of one that was set back is a test of its own.
        let created_at = if begin.lane.is_some() { 10 + self.begun.get() } else { begin.created_at };
        let run = NewRun {
            key: key.clone(),
            dedupe_key: begin.dedupe.map(|number| format!("d{number}")),
            lane: begin.lane.map(|number| format!("l{number}")),
            workflow_id: format!("wf_{}", begin.run % 2),
            ..facts("", created_at)
        };
        let turn = self.turn(key, 0, 0, &begin.step);
        Turn { new_run: Some(Box::new(run)), started_at: Some(created_at + 1), ..turn }
    }

    fn go_on(&self, run: u8, off: i64, step: &Step) -> Turn {
        let key = self.key(run);
        let (turns, seq) = self
            .runs
            .get(&*key.run_id)
            .map_or((1, 0), |run| (run.stored.turns, run.stored.events.len() as i64));
        self.turn(key, turns + off, seq, step)
    }

    fn turn(&self, key: RunKey, expected: i64, first_seq: i64, step: &Step) -> Turn {
        let waits = step.waits.as_ref().map(|waits| {
            let row = |(n, (node, kind, signal)): (usize, &(u8, WaitKind, Option<u8>))| {
                let signal = signal.map(|number| format!("s{number}"));
                // The position keeps the key of the row unique.
                wait_row(&format!("n{n}_{node}"), *kind, signal.as_deref(), i64::from(*node))
            };
            waits.iter().enumerate().map(row).collect()
        });
        let event = |n: u8| skipped(first_seq * 7 + i64::from(n), u32::from(n));
        Turn {
            key,
            expected,
            new_run: None,
            events: (0..step.events).map(event).collect(),
            first_seq,
            status: step.status,
            error: None,
            started_at: None,
            ended_at: step.status.is_over().then_some(first_seq),
            wake_at: step.wake_at,
            owner: None,
            attention: None,
            receipt: None,
            change: None,
            waits,
            usage: Vec::new(),
            children: step.children.iter().map(|child| self.begin(child)).collect(),
        }
    }

    fn commit(&mut self, turn: &Turn) -> Commit {
        let answer = match &turn.new_run {
            Some(run) => self.insert(turn, run),
            None => self.update(turn),
        };
        if answer == Commit::Done {
            for child in &turn.children {
                self.commit(child);
            }
        }
        answer
    }

    fn insert(&mut self, turn: &Turn, new: &NewRun) -> Commit {
        if self.runs.contains_key(&*turn.key.run_id) {
            return Commit::Stale;
        }
        let rival = |run: &ModelRun| run.stored.run.dedupe_key == new.dedupe_key;
        if new.dedupe_key.is_some() && self.runs.values().any(rival) {
            return Commit::Duplicate;
        }
        let stored = StoredRun {
            run: new.clone(),
            turns: 1,
            status: turn.status,
            error: None,
            owner: None,
            claims: 0,
            attention: None,
            events: turn.events.clone(),
            started_at: turn.started_at,
            ended_at: turn.ended_at,
        };
        let waits = turn.waits.clone().unwrap_or_default();
        self.runs.insert(turn.key.run_id.to_string(), ModelRun { stored, wake_at: turn.wake_at, waits });
        Commit::Done
    }

    fn update(&mut self, turn: &Turn) -> Commit {
        let Some(run) = self.runs.get_mut(&*turn.key.run_id) else { return Commit::Stale };
        if run.stored.turns != turn.expected {
            return Commit::Stale;
        }
        run.stored.turns += 1;
        run.stored.status = turn.status;
        run.stored.events.extend(turn.events.iter().cloned());
        let kept_end = run.stored.ended_at.filter(|_| turn.status.is_over());
        run.stored.ended_at = turn.ended_at.or(kept_end);
        run.wake_at = turn.wake_at;
        if let Some(waits) = &turn.waits {
            run.waits = waits.clone();
        }
        Commit::Done
    }
}
