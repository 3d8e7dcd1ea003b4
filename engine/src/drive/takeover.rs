//! Takes over runs that nobody drives: those that wait in the store, those of processes that are gone, those whose time
//! has come, and those of this process that it forgot. Must not know how processes watch each other.

use super::driven::Message;
use super::driver::{Asleep, LANE_PAUSE};
use super::engine::Engine;
use super::error::EngineError;
use super::fleet::{NOBODY, locked};
use super::lanes::LaneTicket;
use crate::store::{Claimed, RunKey, Wanted};
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// A run that was taken over this often without coming to a commit is a suspect, and driven alone.
pub(super) const SUSPECT: i64 = 2;

/// After so many the run is given up: what drives it dies of it.
pub(super) const MOST_CLAIMS: i64 = 4;

/// Runs taken over in one go.
const BATCH: u32 = 200;

/// Runs looked at at once for such as were forgotten.
const MOST_FORGOTTEN: u32 = 20_000;

/// How soon it is looked again whether a task has gone.
const A_MOMENT: Duration = Duration::from_millis(2);

impl Engine {
    /// Takes over what nobody drives until the engine stops.
    pub(super) async fn claim_for_ever(self) {
        let poll = if self.0.config.is_alone { Duration::from_secs(1) } else { self.0.config.poll };
        loop {
            let found = self.claim_some().await.unwrap_or_else(|error| {
                tracing::error!(error = &error as &dyn std::error::Error, "looking for work failed");
                false
            });
            // Claims take a lock over all processes: with nothing found there is no hurry to ask again.
            let pause = if found { Duration::ZERO } else { Duration::from_millis(2) };
            tokio::select! {
                () = self.0.stopping.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            if !found {
                tokio::select! {
                    () = self.0.stopping.cancelled() => return,
                    () = self.0.fleet.work.notified() => {}
                    () = tokio::time::sleep(poll) => {}
                }
            }
        }
    }

    /// One round: runs, timers, messages. Answers whether there may be more at once.
    pub(super) async fn claim_some(&self) -> Result<bool, EngineError> {
        self.0.config.faults.gate().await;
        let fleet = &self.0.fleet;
        if !self.is_fresh() || fleet.me() == NOBODY {
            return Ok(false);
        }
        self.look_for_forgotten().await?;
        let mut found = self.claim_unowned().await?;
        if !self.0.config.is_alone {
            let due = self.0.store.claim_due(fleet.me(), self.now_ms(), self.room()).await?;
            found |= due.len() == self.room() as usize && !due.is_empty();
            self.wake_claimed(due);
            let overdue = self.0.store.due_of(fleet.me(), self.now_ms(), BATCH).await?;
            overdue.iter().for_each(|key| drop(self.tell_active(key, Message::Wake)));
            self.deliver_messages().await?;
        }
        Ok(found)
    }

    async fn look_for_forgotten(&self) -> Result<(), EngineError> {
        let is_time = {
            let mut looked = locked(&self.0.fleet.looked);
            let is_time = looked.is_none_or(|at| at.elapsed() >= self.0.config.lease / 2);
            if is_time {
                *looked = Some(Instant::now());
            }
            is_time
        };
        if is_time { self.take_up_forgotten().await } else { Ok(()) }
    }

    /// How many more runs may be taken up at once.
    fn room(&self) -> u32 {
        let room = self.0.config.max_active.saturating_sub(self.active_runs());
        u32::try_from(room).unwrap_or(u32::MAX).min(BATCH)
    }

    async fn claim_unowned(&self) -> Result<bool, EngineError> {
        let (fleet, store) = (&self.0.fleet, &self.0.store);
        let room = self.room();
        if room == 0 {
            return Ok(false);
        }
        let after = locked(&fleet.after).clone();
        let (claimed, last) = store.claim_unowned(fleet.me(), Wanted::Sound(SUSPECT), &after, room).await?;
        *locked(&fleet.after) = last;
        let found = !claimed.is_empty();
        claimed.into_iter().for_each(|claimed| self.take_up(claimed, None, None));
        if locked(&fleet.suspect).is_none() {
            let (suspects, _) = store.claim_unowned(fleet.me(), Wanted::Suspect(SUSPECT), "", 1).await?;
            suspects.into_iter().for_each(|claimed| self.take_up(claimed, None, None));
        }
        let backlog = if found { store.count_unowned(self.0.config.max_queued).await? } else { 0 };
        fleet.backlog.store(backlog, Ordering::Relaxed);
        fleet.has_queue.store(backlog > 0, Ordering::Relaxed);
        Ok(found)
    }

    /// Takes up runs that are written as this process's own and that nobody here drives: the answer to a claim or a
    /// commit was lost, or a driver came to grief. What was so at the last look and has not moved since is taken. Runs whose
    /// pause ends later than any pause lasts are woken: the clock was set back.
    async fn take_up_forgotten(&self) -> Result<(), EngineError> {
        let me = self.0.fleet.me();
        let driven = self.0.store.driven_by(me, MOST_FORGOTTEN).await?;
        let latest = self.now_ms().saturating_add(LANE_PAUSE);
        for run in driven.iter().filter(|run| run.pauses_until.is_some_and(|until| until > latest)) {
            drop(self.tell_active(&run.key, Message::Wake));
        }
        let idle = driven.into_iter().filter(|run| !self.is_active(&run.key));
        let idle: HashMap<RunKey, i64> = idle.map(|run| (run.key, run.turns)).collect();
        let before = std::mem::replace(&mut *locked(&self.0.fleet.idle), idle.clone());
        for (key, turns) in idle {
            let is_forgotten = before.get(&key) == Some(&turns) && !self.is_active(&key);
            if is_forgotten && self.0.store.reclaim(me, &key, turns).await? {
                tracing::warn!(run_id = %key.run_id, "a run that nobody here drove is taken up again");
                self.drive_claimed(key, None, None);
            }
        }
        Ok(())
    }

    /// Goes on with runs that are this process's now because their time has come.
    fn wake_claimed(&self, due: Vec<Claimed>) {
        let mut asleep = Vec::with_capacity(due.len());
        for claimed in due {
            let is_sound = claimed.claims <= SUSPECT;
            match is_sound.then(|| self.claim_to_wake(&claimed.key)).flatten() {
                Some(inbox) => asleep.push(Asleep { key: claimed.key, inbox, place: None }),
                None => self.take_up(claimed, Some(Message::Wake), None),
            }
        }
        self.spawn_all(asleep);
    }

    /// Goes on with a run that is this process's now, from its place in its lane if lanes are kept here. One that kills
    /// whoever drives it is ended.
    pub(super) fn take_up(&self, claimed: Claimed, message: Option<Message>, place: Option<LaneTicket>) {
        let Claimed { key, claims } = claimed;
        if claims > SUSPECT {
            *locked(&self.0.fleet.suspect) = Some(key.clone());
        }
        if claims > MOST_CLAIMS {
            return self.end_poisoned(key);
        }
        self.drive_claimed(key, message, place);
    }

    /// Drives a run that this process has claimed. The task that drove it before may not have gone yet, if that was
    /// here; it can commit nothing more, and goes.
    pub(super) fn drive_claimed(&self, key: RunKey, message: Option<Message>, place: Option<LaneTicket>) {
        if let Some(inbox) = self.claim(&key) {
            if let Some(message) = message {
                drop(self.tell_active(&key, message));
            }
            return self.spawn_loaded(key, inbox, place);
        }
        let (engine, busy) = (self.clone(), self.busy());
        self.spawn_task(async move {
            let inbox = loop {
                tokio::time::sleep(A_MOMENT).await;
                if let Some(inbox) = engine.claim(&key) {
                    break inbox;
                }
            };
            if let Some(message) = message {
                drop(engine.tell_active(&key, message));
            }
            engine.spawn_loaded(key, inbox, place);
            drop(busy);
        });
    }
}
