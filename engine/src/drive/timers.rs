//! The loops of an engine, and the one that fires timers and schedules. Must not know what a run does.

use super::driven::Message;
use super::engine::Engine;
use super::error::EngineError;
use crate::store::RunKey;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl Engine {
    /// Starts the loops that fire timers and schedules until the engine stops.
    pub fn spawn_loops(&self) {
        let config = &self.0.config;
        if config.drives {
            self.0.tasks.spawn(self.clone().claim_for_ever());
            self.0.tasks.spawn(self.clone().tick_for_ever());
        }
        if !config.is_alone {
            self.0.tasks.spawn(self.clone().watch_elsewhere_for_ever());
        }
        if !config.is_alone && config.drives {
            // Not one of the tasks that shutdown waits for: it goes on until they are done.
            tokio::spawn(self.clone().beat_for_ever());
            self.0.tasks.spawn(self.clone().listen_for_ever());
        }
    }

    /// Fires every timer that is due now; returns how many runs were woken.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fire_due(&self) -> Result<usize, EngineError> {
        let due = self.0.store.due_wakes(self.now_ms(), 1_000).await?;
        let due: Vec<&RunKey> = due.iter().filter(|key| !self.0.postponed.contains_key(*key)).collect();
        due.iter().for_each(|key| self.tell(key, Message::Wake));
        Ok(due.len())
    }

    async fn tick_for_ever(self) {
        while !self.0.stopping.is_cancelled() {
            let pause = self.tick().await.unwrap_or_else(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "looking for due timers failed");
                self.0.config.tick
            });
            tokio::select! {
                () = self.0.stopping.cancelled() => return,
                () = self.0.alarm.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Fires what is due and says how long to sleep. With other processes timers are claimed like all work, and
    /// only one process fires schedules.
    async fn tick(&self) -> Result<Duration, EngineError> {
        if self.0.config.is_alone {
            self.fire_due().await?;
        } else {
            self.0.fleet.work.notify_one();
        }
        if self.is_leader() {
            self.fire_schedules().await?;
        }
        let now = self.now_ms();
        let next = [self.0.store.next_wake().await?, self.0.store.next_schedule_at().await?];
        let next = next.into_iter().flatten().min().map_or(i64::MAX, |next| next.saturating_sub(now));
        // A moment that has come already belongs to a run that is being woken; give it time to commit.
        let next = Duration::from_millis(u64::try_from(next.max(20)).unwrap_or(20)).min(self.0.config.tick);
        let pause = i64::try_from(next.as_millis()).unwrap_or(i64::MAX);
        self.0.sleeping_until.store(now.saturating_add(pause), Ordering::SeqCst);
        Ok(next)
    }

    /// Tells the timer loop of a moment at which a run must be woken, if that is earlier than the loop's own.
    pub(super) fn set_alarm(&self, at: i64) {
        if at < self.0.sleeping_until.load(Ordering::SeqCst) {
            self.0.alarm.notify_one();
        }
    }

    /// Keeps a run that cannot be loaded from being woken over and over.
    pub(super) fn postpone(&self, key: &RunKey) {
        self.0.postponed.insert(key.clone(), ());
    }
}
