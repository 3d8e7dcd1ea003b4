//! Claiming: which runs a runner may take up. Atomic, like the statement it stands for.

use crate::setup::{Defect, SUSPECT, Setup};
use crate::store::{Message, Row, RunId, RunnerId, Store};
use sluice_engine::core::RunStatus;

/// What a runner asks for.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) runner: RunnerId,
    /// The runner's wall clock.
    pub(crate) wall: i64,
    pub(crate) room: usize,
    /// It drives a run already that may crash it.
    pub(crate) has_suspect: bool,
    /// Runs that are its own by the store and that it does not drive, with their versions.
    pub(crate) adopt: Vec<(RunId, i64)>,
}

/// What it gets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claimed {
    pub(crate) runs: Vec<Row>,
    /// Messages for all runs it owns.
    pub(crate) messages: Vec<(RunId, Message)>,
    /// All runs it owns, with their versions.
    pub(crate) owned: Vec<(RunId, i64)>,
    pub(crate) beats: Vec<(RunnerId, u64)>,
}

impl Store {
    pub(crate) fn claim(&mut self, setup: &Setup, claim: &Claim) -> Claimed {
        let mut taken = Claimed::default();
        for (run, version) in &claim.adopt {
            let row = self.runs.get(run);
            if row.is_some_and(|row| (row.owner, row.turns) == (Some(claim.runner), *version)) {
                // The same living process: this is no sign of a crash.
                taken.runs.push(self.take(*run, claim.runner, 0));
            }
        }
        let mut has_suspect = claim.has_suspect;
        let mut order: Vec<(u64, RunId)> =
            self.runs.values().map(|row| (row.accepted, row.facts.id)).collect();
        order.sort_unstable();
        for (_, run) in order {
            let row = &self.runs[&run];
            let is_suspect = row.claims >= SUSPECT && !setup.has(Defect::NoQuarantine);
            let fits = taken.runs.len() < claim.room && !(is_suspect && has_suspect);
            if fits && self.may_take(setup, row, claim) {
                has_suspect |= is_suspect;
                taken.runs.push(self.take(run, claim.runner, 1));
            }
        }
        for row in self.runs.values().filter(|row| row.owner == Some(claim.runner)) {
            let id = row.facts.id;
            taken.owned.push((id, row.turns));
            taken.messages.extend(self.open_messages(id).map(|message| (id, message.clone())));
        }
        taken.beats = self.runners.iter().map(|(id, beat)| (*id, *beat)).collect();
        taken
    }

    fn take(&mut self, run: RunId, runner: RunnerId, claims: u32) -> Row {
        let row = self.runs.get_mut(&run).expect("it was just found");
        (row.owner, row.turns, row.claims) = (Some(runner), row.turns + 1, row.claims + claims);
        row.clone()
    }

    fn may_take(&self, setup: &Setup, row: &Row, claim: &Claim) -> bool {
        let is_free = row.owner.is_none_or(|owner| {
            !self.lives(owner) || (setup.has(Defect::ClaimFromTheLiving) && owner != claim.runner)
        });
        let is_told = || self.open_messages(row.facts.id).next().is_some();
        let wants = match row.status {
            RunStatus::Queued | RunStatus::Running => true,
            RunStatus::Waiting => row.wake_at.is_some_and(|at| at <= claim.wall) || is_told(),
            _ => is_told(),
        };
        let wants = wants || row.owner.is_some();
        is_free && wants && (setup.has(Defect::IgnoreLanes) || self.lane_is_free(setup, row))
    }

    /// No other run of the lane is driven or half done, and none that was accepted earlier is still queued.
    fn lane_is_free(&self, setup: &Setup, row: &Row) -> bool {
        let Some(lane) = row.facts.lane else { return true };
        let place = |row: &Row| match setup.has(Defect::LanesByWallClock) {
            true => (row.facts.created_at, row.facts.id),
            false => (0, row.accepted),
        };
        let mut others = self
            .runs
            .values()
            .filter(|other| other.facts.lane == Some(lane) && other.facts.id != row.facts.id);
        !others.any(|other| match other.status {
            _ if other.owner.is_some() => true,
            RunStatus::Running => true,
            RunStatus::Queued => match row.status {
                // It holds the lane, perhaps by the hand of a dead owner; those who wait for the lane must not keep it
                // from going on.
                RunStatus::Running => false,
                _ if row.owner.is_some() => false,
                RunStatus::Queued => place(other) < place(row),
                _ => true,
            },
            _ => false,
        })
    }
}
