//! A runner of the model: registers, beats, watches the others, claims runs and drives them. What it knows of the
//! store is only what it was answered.

use crate::claims::{Claim, Claimed};
use crate::drive::{Drive, Todo};
use crate::requests::{Address, Reply, Request};
use crate::setup::{CLAIMS, Defect, LEASE};
use crate::store::{Facts, RunId, RunnerId};
use crate::world::{Happening, World};
use sluice_engine::core::{Command, NodeIx, NodeResult, RunStatus};
use std::collections::BTreeMap;

/// Runs that one runner drives at a time.
const ROOM: usize = 4;

/// What a request of a runner was about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About {
    Register(RunnerId),
    Beat {
        id: RunnerId,
        sent: i64,
    },
    Claim {
        id: RunnerId,
        sent: i64,
    },
    Commit {
        run: RunId,
        drive: u64,
    },
    Settle {
        run: RunId,
        drive: u64,
    },
    /// Nothing hangs on the answer.
    Other,
}

/// Something that happens inside a runner.
#[derive(Debug)]
pub(crate) enum Inner {
    Tick,
    BeatAgain,
    Answer(About, Option<Reply>),
    Start {
        action: usize,
        facts: Facts,
    },
    /// An announced node gets its turn.
    Call {
        run: RunId,
        drive: u64,
        node: NodeIx,
        iteration: u32,
        attempt: u32,
    },
    /// The provider's answer.
    Result {
        run: RunId,
        drive: u64,
        node: NodeIx,
        iteration: u32,
        attempt: u32,
        result: NodeResult,
    },
    /// A commit whose answer was lost is asked for again.
    Again {
        run: RunId,
        drive: u64,
    },
}

/// One machine. Its memory is lost with each life.
#[derive(Debug, Default)]
pub(crate) struct Runner {
    /// Counts restarts.
    pub(crate) life: u64,
    is_up: bool,
    is_paused: bool,
    /// What happened while it stood still.
    backlog: Vec<Inner>,
    /// How far its wall clock is off.
    pub(crate) skew: i64,
    /// Under which it is registered.
    pub(crate) id: Option<RunnerId>,
    /// When the last beat that was stored was sent.
    lease_from: i64,
    pub(crate) drives: BTreeMap<RunId, Drive>,
    /// Beats of the others, and since when they stand still.
    seen: BTreeMap<RunnerId, (u64, i64)>,
    looked_at: i64,
    /// Runs that are its own by the store and that it does not drive.
    orphans: Vec<(RunId, i64)>,
    /// A node killed it.
    pub(crate) dies: bool,
}

impl Runner {
    pub(crate) fn new(skew: i64) -> Self {
        Self { skew, ..Self::default() }
    }

    fn forget(&mut self) {
        self.drives.clear();
        self.seen.clear();
        self.orphans.clear();
        self.id = None;
    }
}

impl World {
    /// The wall clock of a runner.
    pub(crate) fn wall(&self, slot: usize) -> i64 {
        1_000_000 + self.now + self.runners[slot].skew
    }

    /// Others may have taken its runs over.
    pub(crate) fn lease_is_over(&self, slot: usize) -> bool {
        self.now - self.runners[slot].lease_from >= LEASE && !self.setup.has(Defect::NoLeaseCheck)
    }

    pub(crate) fn inner(&mut self, slot: usize, at: i64, inner: Inner) {
        let life = self.runners[slot].life;
        self.at(at, Happening::Inner { slot, life, inner });
    }

    pub(crate) fn ask_as(&mut self, slot: usize, about: About, request: Request) {
        let life = self.runners[slot].life;
        self.ask(Address::Runner { slot, life, about }, request);
    }

    pub(crate) fn restart(&mut self, slot: usize) {
        let runner = &mut self.runners[slot];
        if !runner.is_up {
            runner.is_up = true;
            self.note(|_| format!("runner {slot} starts"));
            self.inner(slot, self.now, Inner::Tick);
        }
    }

    pub(crate) fn kill(&mut self, slot: usize, back_after: i64) {
        let runner = &mut self.runners[slot];
        if !runner.is_up {
            return;
        }
        runner.life += 1;
        (runner.is_up, runner.is_paused, runner.dies) = (false, false, false);
        runner.backlog.clear();
        runner.forget();
        self.at(self.now + back_after, Happening::Restart(slot));
    }

    pub(crate) fn pause(&mut self, slot: usize, during: i64) {
        let runner = &mut self.runners[slot];
        if runner.is_up && !runner.is_paused {
            runner.is_paused = true;
            self.at(self.now + during, Happening::Resume(slot));
        }
    }

    pub(crate) fn resume(&mut self, slot: usize) {
        let runner = &mut self.runners[slot];
        runner.is_paused = false;
        let life = runner.life;
        for inner in std::mem::take(&mut runner.backlog) {
            self.tell(slot, life, inner);
        }
    }

    /// Something happens inside a runner, unless it is dead or stands still.
    pub(crate) fn tell(&mut self, slot: usize, life: u64, inner: Inner) {
        let runner = &mut self.runners[slot];
        if runner.life != life || !runner.is_up {
            return;
        }
        if runner.is_paused {
            return runner.backlog.push(inner);
        }
        self.handle(slot, inner);
        if self.runners[slot].dies {
            self.note(|_| format!("runner {slot} is killed by a node"));
            let back_after = self.chance.between(200, 2_000);
            self.kill(slot, back_after);
        }
    }

    fn handle(&mut self, slot: usize, inner: Inner) {
        match inner {
            Inner::Tick => self.tick(slot),
            Inner::BeatAgain => self.beat(slot),
            Inner::Answer(about, reply) => self.answered(slot, about, reply),
            Inner::Start { action, facts } => self.start(slot, action, facts),
            Inner::Call { run, drive, node, iteration, attempt } => {
                self.call(slot, (run, drive), (node, iteration, attempt));
            }
            Inner::Result { run, drive, node, iteration, attempt, result } => {
                self.result(slot, (run, drive), (node, iteration, attempt), result);
            }
            Inner::Again { run, drive } => self.ask_again(slot, run, drive),
        }
    }

    fn tick(&mut self, slot: usize) {
        let pause = self.chance.between(900, 1_100);
        self.inner(slot, self.now + pause, Inner::Tick);
        self.beat(slot);
        let wall = self.wall(slot);
        let is_due = |drive: &Drive| drive.machine.state().next_wake().is_some_and(|at| at <= wall);
        let due: Vec<RunId> = self.runners[slot]
            .drives
            .iter_mut()
            .filter(|(_, drive)| is_due(drive))
            .map(|(run, drive)| {
                drive.queue.push_back(Todo::Command(Command::Wake));
                *run
            })
            .collect();
        due.into_iter().for_each(|run| self.advance(slot, run));
    }

    fn beat(&mut self, slot: usize) {
        let sent = self.now;
        match self.runners[slot].id {
            Some(id) => self.ask_as(slot, About::Beat { id, sent }, Request::Beat(id)),
            None => {
                let id = self.fresh();
                self.ask_as(slot, About::Register(id), Request::Register(id));
            }
        }
    }

    fn answered(&mut self, slot: usize, about: About, reply: Option<Reply>) {
        let id = self.runners[slot].id;
        match (about, reply) {
            (About::Register(new), Some(Reply::Fact(true))) if id.is_none() => {
                self.runners[slot].id = Some(new);
                // Of no use before its first beat: nobody knows how long the answer took.
                self.beat(slot);
            }
            (About::Beat { id: asked, sent }, Some(Reply::Fact(lives))) if id == Some(asked) => {
                self.beaten(slot, sent, lives);
            }
            (About::Beat { .. }, None) => self.inner(slot, self.now + 300, Inner::BeatAgain),
            (About::Claim { id: asked, sent }, Some(Reply::Claimed(claimed))) if id == Some(asked) => {
                self.claimed(slot, sent, *claimed);
            }
            (About::Commit { run, drive }, reply) => {
                let reply = reply.and_then(|reply| match reply {
                    Reply::Commit(outcome) => Some(outcome),
                    _ => None,
                });
                self.commit_answered(slot, run, drive, reply);
            }
            (About::Settle { run, drive }, reply) => match reply {
                Some(Reply::Settled(found)) => self.settled(slot, run, drive, found),
                _ => self.inner(slot, self.now + 200, Inner::Again { run, drive }),
            },
            _ => {}
        }
    }

    fn beaten(&mut self, slot: usize, sent: i64, lives: bool) {
        if !lives {
            self.note(|_| format!("runner {slot} learns that it was declared dead"));
            self.runners[slot].forget();
            return self.beat(slot);
        }
        let runner = &mut self.runners[slot];
        runner.lease_from = runner.lease_from.max(sent);
        let runs: Vec<RunId> = runner.drives.keys().copied().collect();
        runs.into_iter().for_each(|run| self.start_held(slot, run));
        self.claim(slot);
    }

    fn claim(&mut self, slot: usize) {
        let (sent, wall) = (self.now, self.wall(slot));
        let runner = &mut self.runners[slot];
        let Some(id) = runner.id else { return };
        let mut adopt = std::mem::take(&mut runner.orphans);
        adopt.retain(|(run, _)| !runner.drives.contains_key(run));
        if self.setup.has(Defect::NoAdoption) {
            adopt.clear();
        }
        let has_suspect = runner.drives.values().any(Drive::is_suspect);
        let room = ROOM.saturating_sub(runner.drives.len());
        let claim = Claim { runner: id, wall, room, has_suspect, adopt };
        self.ask_as(slot, About::Claim { id, sent }, Request::Claim(claim));
    }

    fn claimed(&mut self, slot: usize, sent: i64, claimed: Claimed) {
        self.watch(slot, sent, &claimed.beats);
        let mut runs = Vec::new();
        for row in claimed.runs {
            let run = row.facts.id;
            let (status, claims) = (row.status, row.claims);
            let mut drive = Drive::loaded(self.fresh(), row);
            let is_poison = claims > CLAIMS && !self.setup.has(Defect::NoPoison);
            // One that is over crashed its runners by what it was told.
            drive.refuses = is_poison && status.is_over();
            if is_poison && !status.is_over() {
                drive.queue.push_back(Todo::GiveUp);
            } else if status == RunStatus::Waiting {
                drive.queue.push_back(Todo::Command(Command::Wake));
            } else if !status.is_over() {
                drive.queue.push_back(Todo::Command(Command::Recover));
            }
            self.runners[slot].drives.insert(run, drive);
            runs.push(run);
        }
        for (run, message) in claimed.messages {
            let Some(drive) = self.runners[slot].drives.get_mut(&run) else { continue };
            if drive.heard.insert(message.id) {
                drive.queue.push_back(Todo::Message(message));
                runs.push(run);
            }
        }
        let runner = &mut self.runners[slot];
        runner.orphans = claimed.owned;
        runner.orphans.retain(|(run, _)| !runner.drives.contains_key(run));
        runs.into_iter().for_each(|run| self.advance(slot, run));
    }

    /// Looks at the beats of the others; what stood still for the lease time of the own clock is dead.
    fn watch(&mut self, slot: usize, sent: i64, beats: &[(RunnerId, u64)]) {
        let now = self.now;
        let is_blind = now - self.runners[slot].looked_at > LEASE / 2;
        let counts_outages = self.setup.has(Defect::OutageIsSilence);
        let runner = &mut self.runners[slot];
        // Who could not look does not know whether the others could beat.
        if is_blind && !counts_outages {
            runner.seen.clear();
        }
        runner.looked_at = now;
        runner.seen.retain(|id, _| beats.iter().any(|(other, _)| other == id));
        let mut dead = Vec::new();
        for (id, beat) in beats.iter().filter(|(id, _)| Some(*id) != runner.id) {
            let (seen, since) = runner.seen.entry(*id).or_insert((*beat, now));
            if *seen != *beat {
                (*seen, *since) = (*beat, now);
            } else if sent - *since >= LEASE {
                dead.push((*id, *beat));
            }
        }
        for (id, beat) in dead {
            self.ask_as(slot, About::Other, Request::Bury { runner: id, beat });
        }
    }
}
