//! The clients: they start runs and send messages, and try again until somebody acknowledges.

use crate::chance::Chance;
use crate::plans::{POOL, plan};
use crate::requests::{Address, Reply, Request};
use crate::runner::Inner;
use crate::setup::{CALM, Setup, Sort};
use crate::store::{Facts, Message, RunId, Word};
use crate::world::{Happening, World};
use sluice_engine::core::RunStatus;

/// How long a client waits for an answer, milliseconds.
const PATIENCE: i64 = 3_000;

/// What a client wants.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Start {
        plan: usize,
        lane: Option<u64>,
        poison: Option<u32>,
    },
    Signal(String),
    /// To the run of a start.
    Tell(usize, Word),
}

/// A wish and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    at: i64,
    pub(crate) wish: Wish,
    tries: u64,
    /// When it was first asked and when it was acknowledged.
    pub(crate) asked: Option<i64>,
    pub(crate) acked: Option<i64>,
    given_up: bool,
    /// How often it is sent although it was acknowledged.
    repeats: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) actions: Vec<Action>,
}

impl Client {
    pub(crate) fn new(setup: &Setup, chance: &mut Chance) -> Self {
        let mut client = Self::default();
        let starts = chance.between(2, 6);
        let poison_at = chance.between(0, starts - 1);
        for ix in 0..starts {
            let number = chance.below(POOL as u64) as usize;
            let lane = chance.percent(60).then(|| chance.below(2));
            let is_poison = setup.has_poison && ix == poison_at;
            let poison = is_poison.then(|| poison_of(number, chance));
            // Runs beside one that kills its runners begin at about the same time.
            let last = if setup.sort == Sort::PoisonOnly { 4_000 } else { CALM - 4_000 };
            let at = chance.between(0, last);
            client.add(at, Wish::Start { plan: number, lane, poison }, 0);
        }
        let many = if setup.sort == Sort::StoreOnly { 12 } else { 6 };
        for _ in 0..chance.between(0, many) {
            let (at, repeats) = (chance.between(500, CALM), chance.below(4));
            client.add(at, Wish::Signal(format!("k{}", chance.below(2))), repeats);
        }
        for word in [Word::Cancel, Word::Retry, Word::Retry] {
            if chance.percent(25) {
                let (at, start) = (chance.between(500, CALM), chance.below(starts as u64) as usize);
                client.add(at, Wish::Tell(start, word), 0);
            }
        }
        client
    }

    fn add(&mut self, at: i64, wish: Wish, repeats: u64) -> usize {
        self.actions.push(Action { at, wish, tries: 0, asked: None, acked: None, given_up: false, repeats });
        self.actions.len() - 1
    }

    pub(crate) fn times(&self) -> Vec<i64> {
        self.actions.iter().map(|action| action.at).collect()
    }

    /// Whether every wish was acknowledged or given up.
    pub(crate) fn is_content(&self) -> bool {
        self.actions.iter().all(|action| action.acked.is_some() || action.given_up)
    }
}

impl World {
    /// The run that a start led to.
    fn run_of(&self, start: usize) -> Option<RunId> {
        self.client.actions[start].acked?;
        self.store.runs.values().find(|row| row.facts.dedupe == start).map(|row| row.facts.id)
    }

    pub(crate) fn client_acts(&mut self, ix: usize) {
        let now = self.now;
        let action = &mut self.client.actions[ix];
        // What kills its runner before anything is stored is never acknowledged, however often it is asked for.
        let is_poison = matches!(action.wish, Wish::Start { poison: Some(_), .. });
        action.given_up |= is_poison && action.tries >= 6 && action.acked.is_none();
        if action.given_up || (action.acked.is_some() && action.repeats == 0) {
            return;
        }
        if action.acked.is_some() {
            action.repeats -= 1;
        }
        action.tries += 1;
        action.asked.get_or_insert(now);
        let (tries, wish) = (action.tries, action.wish.clone());
        match wish {
            Wish::Start { plan: number, lane, poison } => {
                let slot = self.chance.below(self.runners.len() as u64) as usize;
                let life = self.runners[slot].life;
                let id = ix as u64 * 100 + tries;
                let created_at = self.wall(slot);
                let facts = Facts { id, plan: plan(number), dedupe: ix, lane, poison, created_at };
                let inner = Inner::Start { action: ix, facts };
                self.at(now + 1, Happening::Inner { slot, life, inner });
                self.at(now + PATIENCE, Happening::Client(ix));
            }
            Wish::Signal(key) => self.post(ix, None, Word::Signal(key)),
            Wish::Tell(start, word) => match self.run_of(start) {
                Some(run) => self.post(ix, Some(run), word),
                None => self.disappointed(ix),
            },
        }
    }

    fn post(&mut self, ix: usize, to: Option<RunId>, word: Word) {
        let message = Message { id: ix as u64, word };
        self.ask(Address::Client(ix), Request::Post { to, message });
    }

    /// The store's answer to a message that was posted.
    pub(crate) fn client_hears(&mut self, ix: usize, reply: Option<Reply>) {
        if let Some(Reply::Fact(true)) = reply {
            return self.client_is_told(ix, true);
        }
        self.disappointed(ix);
    }

    fn disappointed(&mut self, ix: usize) {
        let action = &mut self.client.actions[ix];
        // Nobody waits for it; a client does not ask for ever.
        action.given_up |= action.tries > 8 && !matches!(action.wish, Wish::Start { .. });
        self.at(self.now + 700, Happening::Client(ix));
    }

    /// A wish was acknowledged, or failed. A failed start is tried again when the client's patience is over.
    pub(crate) fn client_is_told(&mut self, ix: usize, is_done: bool) {
        let now = self.now;
        self.note(|_| format!("client {ix} hears {}", if is_done { "yes" } else { "no" }));
        if is_done {
            self.client.actions[ix].acked.get_or_insert(now);
            // Perhaps the outside delivers it once more.
            let after = self.chance.between(300, 2_500);
            self.at(now + after, Happening::Client(ix));
        }
    }

    /// Sends a signal to each run that waits for one of the clients' keys and for nothing else.
    pub(crate) fn wake_the_waiting(&mut self) {
        let rows = self.store.runs.values();
        let idle = rows.filter(|row| row.status == RunStatus::Waiting && row.owner.is_none());
        let idle = idle.filter(|row| self.store.open_messages(row.facts.id).next().is_none());
        let key = |row: &crate::store::Row| row.waits.iter().find(|key| is_own(key)).cloned();
        let wanted: Vec<(RunId, String)> = idle.filter_map(|row| Some((row.facts.id, key(row)?))).collect();
        for (run, key) in wanted {
            let ix = self.client.add(self.now, Wish::Signal(key.clone()), 0);
            self.post(ix, Some(run), Word::Signal(key));
        }
    }
}

/// A node to kill its runners. No loop entry: where its policy counts what is unknown as done, the loop begins another
/// round after every crash and ends only at the limit of executions.
fn poison_of(number: usize, chance: &mut Chance) -> u32 {
    let plan = plan(number);
    let plain: Vec<u32> =
        (0..plan.nodes.len() as u32).filter(|node| plan.at(*node).entry_of.is_none()).collect();
    plain[chance.below(plain.len() as u64) as usize]
}

/// Whether a key is one that the clients signal, or a person who is asked about an unknown outcome.
pub(crate) fn is_own(key: &str) -> bool {
    key.starts_with('k') || is_question(key)
}

/// Whether a key is that of an open question about an unknown outcome.
pub(crate) fn is_question(key: &str) -> bool {
    key.starts_with("outcome:")
}
