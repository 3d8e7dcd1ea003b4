//! Going on after a stop: runs that were under way, and what their callers missed. Must not know what a run does.

use super::driven::Message;
use super::engine::Engine;
use super::error::EngineError;
use super::lanes::{LaneLoan, LaneTicket};
use super::start::RunOutcome;
use super::takeover::SUSPECT;
use crate::core::RunState;
use crate::store::{RunKey, StoreError};
use tokio::sync::oneshot;

impl Engine {
    /// Goes on with every run that was under way when the process stopped, and tells callers of child
    /// runs what they missed. To be called once, before new work is taken.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recover(&self) -> Result<usize, EngineError> {
        let inherited = self.join().await?;
        let mut count = inherited.len();
        for claimed in inherited {
            // Before what is queued behind it.
            let place = self.place_of(&claimed.key).await?;
            self.take_up(claimed, None, place);
        }
        if self.0.config.is_alone {
            // With others the loop that claims finds what is there.
            count += self.take_up_all().await?;
        }
        self.tell_missed().await?;
        self.0.fleet.work.notify_one();
        Ok(count)
    }

    async fn take_up_all(&self) -> Result<usize, EngineError> {
        let mut count = 0;
        loop {
            let claimed = self.0.store.claim_all(self.runner_id(), SUSPECT, 200).await?;
            if claimed.is_empty() {
                return Ok(count);
            }
            count += claimed.len();
            for claimed in claimed {
                let place = self.place_of(&claimed.key).await?;
                self.resume(claimed.key, place);
            }
        }
    }

    /// The place of a run in its lane, if lanes are kept here: taken in the order of acceptance, and not where the run is
    /// loaded.
    async fn place_of(&self, key: &RunKey) -> Result<Option<LaneTicket>, EngineError> {
        if !self.0.config.is_alone {
            return Ok(None);
        }
        let lane = self.0.store.lane(key).await?;
        Ok(lane.map(|lane| self.lanes().enter(&lane)))
    }

    /// Tells callers of child runs what they missed because a process stopped at the wrong moment.
    pub(super) async fn tell_missed(&self) -> Result<(), EngineError> {
        for (parent, child) in self.0.store.missed_children().await? {
            self.tell_parent(&parent, &child).await?;
        }
        Ok(())
    }

    pub(super) async fn tell_parent(&self, parent: &RunKey, child: &str) -> Result<(), EngineError> {
        let child = RunKey { workspace_id: parent.workspace_id.clone(), run_id: child.into() };
        let outcome = self.outcome(&child).await?;
        let payload = outcome.as_child_payload(&child.run_id);
        let key = crate::core::child_signal(&child.run_id);
        let (done, _) = oneshot::channel();
        let (lane, receipt, change) = (LaneLoan::default(), None, None);
        self.tell(parent, Message::Signal { key, payload, lane, receipt, change, done });
        Ok(())
    }

    /// How a run stands, with its result if it is over.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn outcome(&self, key: &RunKey) -> Result<RunOutcome, EngineError> {
        let stored = self.0.store.load(key).await?;
        let stored =
            stored.ok_or_else(|| EngineError::NotFound { what: "run", id: key.run_id.to_string() })?;
        let program = match self.program_of_run(&stored.run).await {
            Ok(program) => program,
            // The version does not fit this process any more; how the run stands is known all the same.
            Err(EngineError::Problems(_) | EngineError::NotFound { .. }) => {
                return Ok(RunOutcome::without_items(&stored));
            }
            Err(error) => return Err(error),
        };
        let state = RunState::replay(&program.plan, &stored.events).map_err(|_| {
            EngineError::Store(StoreError::Corrupt { what: "events", id: key.run_id.to_string() })
        })?;
        Ok(RunOutcome::of(&state, stored.error.as_ref()))
    }
}
