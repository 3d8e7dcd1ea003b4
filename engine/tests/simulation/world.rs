//! The world of one seed: virtual time, a queue of what happens, the network to the store with its faults, and
//! machines that die, stand still and come back. One thread, no clock, no chance but the seed's.

use crate::chance::Chance;
use crate::client::Client;
use crate::outside::Outside;
use crate::requests::{Address, Reply, Request, is_idle, reply_text};
use crate::runner::{Inner, Runner};
use crate::setup::{CALM, Fault, Setup};
use crate::store::Store;
use std::collections::BTreeMap;

/// After that much virtual time without an end a run counts as stuck.
const TOO_LONG: i64 = 400_000;

/// Something that happens at a moment.
#[derive(Debug)]
pub(crate) enum Happening {
    Arrive { from: Address, request: Request, era: u64, is_lost: bool, answer_after: Option<i64> },
    Answer { to: Address, reply: Option<Reply>, era: u64 },
    Inner { slot: usize, life: u64, inner: Inner },
    Client(usize),
    Fault(Fault),
    StoreIsBack,
    Restart(usize),
    Resume(usize),
    Look,
}

pub(crate) struct World {
    pub(crate) setup: Setup,
    /// Milliseconds of true time since the beginning.
    pub(crate) now: i64,
    pub(crate) chance: Chance,
    queue: BTreeMap<(i64, u64), Happening>,
    serial: u64,
    pub(crate) store: Store,
    /// Grows when what is on the network is cut off.
    era: u64,
    is_out: bool,
    pub(crate) runners: Vec<Runner>,
    pub(crate) outside: Outside,
    pub(crate) client: Client,
    /// Steps, written down only when a failing seed is repeated.
    trace: Option<Vec<String>>,
    pub(crate) broken: Option<String>,
}

impl World {
    pub(crate) fn new(setup: Setup, is_traced: bool) -> Self {
        let mut chance = Chance::new(setup.seed ^ 0x00ff_00ff);
        let client = Client::new(&setup, &mut chance);
        let mut world = Self {
            now: 0,
            queue: BTreeMap::new(),
            serial: 0,
            store: Store::default(),
            era: 0,
            is_out: false,
            runners: setup.skews.iter().map(|skew| Runner::new(*skew)).collect(),
            outside: Outside::default(),
            client,
            trace: is_traced.then(Vec::new),
            broken: None,
            chance,
            setup,
        };
        for (at, fault) in world.setup.faults.clone() {
            world.at(at, Happening::Fault(fault));
        }
        for (action, at) in world.client.times().into_iter().enumerate() {
            world.at(at, Happening::Client(action));
        }
        (0..world.runners.len()).for_each(|slot| world.at(0, Happening::Restart(slot)));
        world.at(CALM, Happening::Look);
        world
    }

    /// Lets time pass until all is quiet or a rule is broken.
    pub(crate) fn run(&mut self) {
        while self.broken.is_none() {
            let Some(((at, _), happening)) = self.queue.pop_first() else { return };
            self.now = at;
            self.happen(happening);
            self.broken = self.broken.take().or_else(|| self.store.broken.take());
        }
    }

    pub(crate) fn at(&mut self, at: i64, happening: Happening) {
        self.serial += 1;
        self.queue.insert((at.max(self.now), self.serial), happening);
    }

    /// A number nobody else got.
    pub(crate) fn fresh(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(crate) fn note(&mut self, text: impl FnOnce(&Self) -> String) {
        if self.trace.is_some() {
            let line = format!("{:>7} {}", self.now, text(self));
            self.trace.get_or_insert_default().push(line);
        }
    }

    pub(crate) fn break_rule(&mut self, text: impl FnOnce() -> String) {
        self.broken.get_or_insert_with(text);
    }

    /// The last steps.
    pub(crate) fn last_steps(&self, count: usize) -> &[String] {
        let all = self.trace.as_deref().unwrap_or_default();
        &all[all.len().saturating_sub(count)..]
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrive { from, request, era, is_lost, answer_after } => {
                self.arrive(from, request, era, is_lost, answer_after);
            }
            Happening::Answer { to, reply, era } => {
                let reply = reply.filter(|_| era == self.era);
                match to {
                    Address::Runner { slot, life, about } => {
                        self.tell(slot, life, Inner::Answer(about, reply));
                    }
                    Address::Client(action) => self.client_hears(action, reply),
                }
            }
            Happening::Inner { slot, life, inner } => self.tell(slot, life, inner),
            Happening::Client(action) => self.client_acts(action),
            Happening::Fault(fault) => self.fault(fault),
            Happening::StoreIsBack => {
                self.is_out = false;
                self.note(|_| "the store is back".to_owned());
            }
            Happening::Restart(slot) => self.restart(slot),
            Happening::Resume(slot) => self.resume(slot),
            Happening::Look => self.look(),
        }
    }

    /// Sends a request to the store; the weather decides whether and when it arrives, and what is heard of it.
    pub(crate) fn ask(&mut self, from: Address, request: Request) {
        let weather = match self.now < CALM {
            true => self.setup.weather,
            false => Default::default(),
        };
        let mut there = self.chance.between(1, 20);
        if self.chance.percent(weather.slow) {
            there += self.chance.between(100, 1_500);
        }
        let back = self.chance.between(1, 20);
        let is_lost = self.chance.percent(weather.fails);
        let is_unheard = self.chance.percent(weather.answer_lost);
        let era = self.era;
        let mut answer_after = Some(back);
        if self.chance.percent(weather.late) {
            // The asker has long given up when it arrives.
            answer_after = None;
            self.at(self.now + 2_000, Happening::Answer { to: from, reply: None, era });
            there += self.chance.between(2_000, 5_000);
        } else if is_unheard && !is_lost {
            answer_after = None;
            self.at(self.now + there + back, Happening::Answer { to: from, reply: None, era });
        }
        self.at(self.now + there, Happening::Arrive { from, request, era, is_lost, answer_after });
    }

    fn arrive(
        &mut self,
        from: Address,
        request: Request,
        era: u64,
        is_lost: bool,
        answer_after: Option<i64>,
    ) {
        let is_cut = self.is_out || era != self.era;
        let reply = match is_lost || is_cut {
            true => None,
            false => Some(self.serve(&request)),
        };
        if !is_idle(&request, reply.as_ref()) {
            self.note(|_| format!("{} {} -> {}", from.text(), request.text(), reply_text(reply.as_ref())));
        }
        if let Some(after) = answer_after {
            let era = self.era;
            self.at(self.now + after, Happening::Answer { to: from, reply, era });
        }
    }

    fn serve(&mut self, request: &Request) -> Reply {
        let store = &mut self.store;
        match request.clone() {
            Request::Commit(turn) => Reply::Commit(store.commit(&self.setup, *turn)),
            Request::Claim(claim) => Reply::Claimed(Box::new(store.claim(&self.setup, &claim))),
            Request::GiveBack { run, version, owner } => {
                store.give_back(run, version, owner);
                Reply::Fact(true)
            }
            Request::Settle(run) => {
                Reply::Settled(store.runs.get(&run).map(|row| (row.turns, row.owner, row.status)))
            }
            Request::Register(runner) => Reply::Fact(store.runners.insert(runner, 0).is_none()),
            Request::Beat(runner) => {
                let beat = store.runners.get_mut(&runner);
                Reply::Fact(beat.map(|beat| *beat += 1).is_some())
            }
            Request::Bury { runner, beat } => {
                let is_still = store.runners.get(&runner) == Some(&beat);
                Reply::Fact(is_still && store.runners.remove(&runner).is_some())
            }
            Request::Post { to, message } => Reply::Fact(store.post(to, message)),
            Request::Answer { run, message, reception } => {
                store.answer(run, message, reception);
                Reply::Fact(true)
            }
        }
    }

    fn fault(&mut self, fault: Fault) {
        self.note(|_| format!("fault: {fault:?}"));
        match fault {
            Fault::Kill { slot, back_after } => self.kill(slot, back_after),
            Fault::Pause { slot, during } => self.pause(slot, during),
            Fault::Outage { during } => {
                self.is_out = true;
                self.era += 1;
                self.at(self.now + during, Happening::StoreIsBack);
            }
            Fault::Jump { slot, by } => self.runners[slot].skew += by,
        }
    }

    /// Faults are over: asks every second whether all is quiet, and wakes what waits for a signal.
    fn look(&mut self) {
        if self.is_quiet() {
            return self.queue.clear();
        }
        if self.now > TOO_LONG {
            let text = self.unfinished();
            return self.break_rule(|| format!("the world does not come to rest: {text}"));
        }
        self.wake_the_waiting();
        self.at(self.now + 1_000, Happening::Look);
    }
}
