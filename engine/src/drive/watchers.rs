//! Whoever waits for a run in this process: callers of webhooks, test runs. Must not know what a run does.

use super::engine::Engine;
use super::start::{RunOutcome, WaitFor};
use crate::store::RunKey;
use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Someone who waits, and for what.
pub(super) type Waiter = (WaitFor, oneshot::Sender<RunOutcome>);

impl Engine {
    fn waiters(&self) -> MutexGuard<'_, HashMap<RunKey, Vec<Waiter>>> {
        self.0.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks to be told how a run stands once it is over (or has a reply for its caller).
    pub fn watch(&self, key: &RunKey, wanted: WaitFor) -> oneshot::Receiver<RunOutcome> {
        let (sender, receiver) = oneshot::channel();
        let mut waiters = self.waiters();
        let list = waiters.entry(key.clone()).or_default();
        list.retain(|(_, sender)| !sender.is_closed());
        list.push((wanted, sender));
        receiver
    }

    /// Forgets everyone who asked about a run that did not come to be.
    pub(super) fn forget_watchers(&self, key: &RunKey) {
        self.waiters().remove(key);
    }

    /// Whether anyone asked to be told.
    pub(super) fn is_watched(&self, key: &RunKey) -> bool {
        self.waiters().contains_key(key)
    }

    /// Tells those who wait for a run.
    pub(super) fn tell_watchers(&self, key: &RunKey, outcome: &RunOutcome) {
        let mut waiters = self.waiters();
        let Some(list) = waiters.remove(key) else { return };
        let mut left = Vec::new();
        for (wanted, sender) in list {
            let is_ready = outcome.status.is_over() || (wanted == WaitFor::Reply && outcome.reply.is_some());
            if is_ready {
                // Whoever asked may have gone away.
                let _ = sender.send(outcome.clone());
            } else if !sender.is_closed() {
                left.push((wanted, sender));
            }
        }
        if !left.is_empty() {
            waiters.insert(key.clone(), left);
        }
    }
}
