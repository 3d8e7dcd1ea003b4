//! Making a turn durable, and no longer driving: every commit is fenced by the number of turns before it, and who lost a
//! run to another process stops without touching anything.

use super::{Driver, Early, TurnError};
use crate::drive::driven::Message;
use crate::drive::fleet::UNSURE;
use crate::drive::start::RunOutcome;
use crate::store::{Commit, Turn};
use std::time::Duration;
use tokio::sync::mpsc;

impl Driver {
    /// Commits a turn.
    pub(super) async fn commit(&mut self, turn: Turn) -> Result<(), TurnError> {
        let (count, wake_at) = (turn.events.len() as i64, turn.wake_at);
        if self.is_new {
            self.commit_first(turn).await?;
        } else {
            self.commit_later(turn).await?;
        }
        self.is_claimed = false;
        self.engine.0.fleet.clear_suspect(&self.run.key);
        if let Some(at) = wake_at {
            self.engine.set_alarm(at);
        }
        self.is_new = false;
        self.turns += 1;
        self.seq += count;
        Ok(())
    }

    /// The first turn of a run fails at once, because nobody was told of the run yet.
    async fn commit_first(&mut self, turn: Turn) -> Result<(), TurnError> {
        if !turn.status.is_over() || !self.next.is_empty() {
            self.inbox = self.engine.claim(&turn.key);
        }
        let reply = self.machine.state().reply();
        if let Some(watcher) = self.watcher.take_if(|watcher| !watcher.is_content(turn.status, reply)) {
            self.engine.watch(&turn.key, watcher);
        }
        let failure = match self.engine.commit(vec![turn]).await {
            Ok(outcomes) if outcomes == [Commit::Done] => return Ok(()),
            Ok(_) => TurnError::Lost,
            Err(error) => TurnError::Store(error),
        };
        self.leave();
        Err(failure)
    }

    /// Later turns are tried until the store works again.
    async fn commit_later(&self, turn: Turn) -> Result<(), TurnError> {
        let mut pause = Duration::from_millis(50);
        let mut is_doubtful = false;
        let outcome = loop {
            match self.engine.commit(vec![turn.clone()]).await {
                Ok(outcomes) => break outcomes.first().copied().unwrap_or(Commit::Stale),
                Err(error) => {
                    is_doubtful = true;
                    tracing::error!(
                        run_id = %self.run.key.run_id,
                        error = &error as &dyn std::error::Error,
                        "a commit failed; trying again"
                    );
                    tokio::select! {
                        () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(5)),
                        () = self.engine.0.stopping.cancelled() => return Err(TurnError::Store(error)),
                    }
                }
            }
        };
        // An error may have hidden that the turn was written after all.
        match outcome {
            Commit::Done => Ok(()),
            _ if is_doubtful && self.has_landed(&turn).await => Ok(()),
            Commit::Duplicate if turn.receipt.is_some() => Err(TurnError::Taken),
            Commit::Duplicate | Commit::Stale => Err(TurnError::Lost),
        }
    }

    /// Whether exactly this turn is in the store. Asked until the store answers: taking a turn for lost that was
    /// written would leave its effects in doubt.
    async fn has_landed(&self, turn: &Turn) -> bool {
        loop {
            match self.engine.0.store.events_since(&turn.key, turn.first_seq).await {
                Ok(stored) => {
                    return !turn.events.is_empty() && stored.iter().map(|(_, event)| event).eq(&turn.events);
                }
                Err(_) if self.engine.0.stopping.is_cancelled() => return false,
                Err(_) => tokio::time::sleep(UNSURE).await,
            }
        }
    }

    /// Gives up the place of a run that did not come to be.
    fn leave(&mut self) {
        if let Some(mut inbox) = self.inbox.take() {
            drop(self.engine.give_up(&self.run.key, &mut inbox));
        }
    }

    /// Tells those who wait for this run.
    pub(super) fn after_commit(&mut self) {
        let key = &self.run.key;
        let state = self.machine.state();
        let is_over = state.status().is_over();
        if is_over {
            self.lanes.clear();
        }
        // The next of the lane may be claimed now; alone, this process has it in memory.
        if self.run.lane.is_some() && !self.engine.0.config.is_alone && !self.stays() {
            self.engine.0.fleet.work.notify_one();
        }
        if (is_over || state.reply().is_some()) && self.engine.is_watched(key) {
            self.engine.tell_watchers(key, &RunOutcome::of(state, None));
        }
        if is_over && self.run.parent_run_id.is_some() {
            let outcome = RunOutcome::of(state, None);
            let payload = outcome.as_child_payload(&key.run_id);
            self.engine.tell_caller(key, self.run.parent_run_id.as_deref(), payload);
        }
    }

    /// Gives back a run that was taken over and had nothing to commit.
    pub(super) async fn give_back(&mut self) {
        let engine = &self.engine;
        if !std::mem::take(&mut self.is_claimed) || engine.0.stopping.is_cancelled() {
            return;
        }
        if let Err(error) = engine.0.store.give_back(engine.runner_id(), &self.run.key, self.turns).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(run_id = %self.run.key.run_id, error, "a run could not be given back");
        }
    }

    /// Another process drives this run by now: stop without touching anything. What it was told is passed on.
    pub(super) fn abandon(mut self, early: Early, inbox: &mut mpsc::UnboundedReceiver<Message>) {
        tracing::warn!(run_id = %self.run.key.run_id, "another process has gone on with this run");
        self.around.cancel.cancel();
        self.jobs.abort_all();
        self.engine.0.fleet.clear_suspect(&self.run.key);
        let late = self.engine.give_up(&self.run.key, inbox);
        if !self.engine.0.config.is_alone {
            early.into_iter().chain(late).for_each(|message| self.engine.post(&self.run.key, message));
        }
    }
}
