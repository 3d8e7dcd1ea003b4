//! The store of the model: runs, runners, messages and receipts in maps. It answers commits as the real one does
//! (`Done`, `Stale`, `Duplicate`). Requests are atomic; what goes wrong on the way to it and back is the network's
//! affair. It must not know runners' memory.

use crate::setup::{Defect, Setup};
use sluice_engine::core::{Event, RunState, RunStatus};
use sluice_engine::graph::Plan;
use sluice_engine::store::{Attention, Commit};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) type RunId = u64;
pub(crate) type RunnerId = u64;
pub(crate) type MessageId = u64;

/// The facts of a run that never change.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) id: RunId,
    pub(crate) plan: Arc<Plan>,
    /// The client's start that it comes from; a second run of it is a duplicate.
    pub(crate) dedupe: usize,
    pub(crate) lane: Option<u64>,
    /// The node that kills whoever runs it.
    pub(crate) poison: Option<u32>,
    /// The accepting runner's wall clock; nothing may depend on it.
    pub(crate) created_at: i64,
}

/// One commit.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) run: RunId,
    pub(crate) expected: i64,
    pub(crate) new_run: Option<Facts>,
    pub(crate) events: Vec<Event>,
    pub(crate) status: RunStatus,
    pub(crate) wake_at: Option<i64>,
    pub(crate) owner: Option<RunnerId>,
    pub(crate) attention: Option<Attention>,
    pub(crate) receipt: Option<MessageId>,
    pub(crate) waits: Vec<String>,
    /// Who commits and what he believes; only for the checks.
    pub(crate) by: RunnerId,
    pub(crate) state: RunState,
}

/// A run as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) facts: Facts,
    /// Place in the order of acceptance, given by the store.
    pub(crate) accepted: u64,
    pub(crate) turns: i64,
    pub(crate) status: RunStatus,
    pub(crate) owner: Option<RunnerId>,
    pub(crate) claims: u32,
    pub(crate) wake_at: Option<i64>,
    pub(crate) waits: Vec<String>,
    pub(crate) attention: Option<Attention>,
    pub(crate) events: Vec<Event>,
    /// The committer's state, for comparison with the replayed one.
    pub(crate) state: RunState,
    /// How often it began to wait; its lane is free then.
    pub(crate) rests: u32,
    /// Place in the order in which runs first came to their end.
    pub(crate) ended: Option<u64>,
}

/// What a person or the outside tells a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Signal(String),
    Cancel,
    Retry,
}

/// A message to a run, kept until someone answers it.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: MessageId,
    pub(crate) word: Word,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reception {
    Taken,
    TakenBefore,
    Refused,
}

/// The tables.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) runs: BTreeMap<RunId, Row>,
    /// Beats of the living.
    pub(crate) runners: BTreeMap<RunnerId, u64>,
    pub(crate) messages: BTreeMap<(RunId, MessageId), (Message, Option<Reception>)>,
    pub(crate) receipts: BTreeSet<MessageId>,
    accepted: u64,
    ended: u64,
    /// A rule that was broken.
    pub(crate) broken: Option<String>,
}

impl Store {
    pub(crate) fn commit(&mut self, setup: &Setup, turn: Turn) -> Commit {
        let is_taken = turn.receipt.is_some_and(|receipt| self.receipts.contains(&receipt));
        if is_taken && !setup.has(Defect::IgnoreReceipts) {
            return Commit::Duplicate;
        }
        let receipt = turn.receipt;
        let answer = match turn.new_run.clone() {
            Some(facts) => self.insert(facts, turn),
            None => self.update(setup, turn),
        };
        if answer == Commit::Done {
            self.receipts.extend(receipt);
        }
        answer
    }

    fn insert(&mut self, facts: Facts, turn: Turn) -> Commit {
        if self.runs.contains_key(&turn.run) {
            return Commit::Stale;
        }
        if self.runs.values().any(|row| row.facts.dedupe == facts.dedupe) {
            return Commit::Duplicate;
        }
        self.accepted += 1;
        let mut row = Row {
            facts,
            accepted: self.accepted,
            turns: 0,
            status: RunStatus::Queued,
            owner: None,
            claims: 0,
            wake_at: None,
            waits: Vec::new(),
            attention: None,
            events: Vec::new(),
            state: turn.state.clone(),
            rests: 0,
            ended: None,
        };
        row.write(turn, &mut self.ended);
        self.runs.insert(row.facts.id, row);
        Commit::Done
    }

    fn update(&mut self, setup: &Setup, turn: Turn) -> Commit {
        let Some(row) = self.runs.get_mut(&turn.run) else { return Commit::Stale };
        if row.turns != turn.expected && !setup.has(Defect::NoFencing) {
            return Commit::Stale;
        }
        if row.owner != Some(turn.by) {
            let text = format!("runner {} commits run {} of owner {:?}", turn.by, turn.run, row.owner);
            self.broken.get_or_insert(text);
        }
        row.write(turn, &mut self.ended);
        Commit::Done
    }

    /// Whether a runner is known to live.
    pub(crate) fn lives(&self, runner: RunnerId) -> bool {
        self.runners.contains_key(&runner)
    }

    /// Stores a message for whoever waits for its key, or for the run it names. `false` when nobody does.
    pub(crate) fn post(&mut self, to: Option<RunId>, message: Message) -> bool {
        let target = match (&message.word, to) {
            (Word::Signal(key), None) => {
                let waiting = self.runs.values().filter(|row| row.waits.contains(key));
                waiting.min_by_key(|row| row.accepted).map(|row| row.facts.id)
            }
            (_, to) => to.filter(|run| self.runs.contains_key(run)),
        };
        let Some(run) = target else { return self.receipts.contains(&message.id) };
        self.messages.entry((run, message.id)).or_insert((message, None));
        true
    }

    /// Notes what became of a message.
    pub(crate) fn answer(&mut self, run: RunId, message: MessageId, reception: Reception) {
        if let Some((_, answered)) = self.messages.get_mut(&(run, message)) {
            answered.get_or_insert(reception);
        }
    }

    /// Messages for a run that nobody answered.
    pub(crate) fn open_messages(&self, run: RunId) -> impl Iterator<Item = &Message> {
        let all = self.messages.range((run, 0)..=(run, MessageId::MAX));
        all.filter(|(_, (_, answered))| answered.is_none()).map(|(_, (message, _))| message)
    }

    /// Takes the owner off a run that had nothing to commit.
    pub(crate) fn give_back(&mut self, run: RunId, version: i64, owner: RunnerId) {
        if let Some(row) = self.runs.get_mut(&run)
            && (row.turns, row.owner) == (version, Some(owner))
        {
            row.owner = None;
            // Whoever gives it back did not crash.
            row.claims = 0;
        }
    }
}

impl Row {
    fn write(&mut self, turn: Turn, ended: &mut u64) {
        self.turns += 1;
        self.status = turn.status;
        self.owner = turn.owner;
        self.claims = 0;
        self.wake_at = turn.wake_at;
        self.waits = turn.waits;
        self.attention = turn.attention;
        self.events.extend(turn.events);
        self.state = turn.state;
        self.rests += u32::from(turn.status == RunStatus::Waiting || turn.status.is_over());
        if turn.status.is_over() && self.ended.is_none() {
            *ended += 1;
            self.ended = Some(*ended);
        }
    }
}
