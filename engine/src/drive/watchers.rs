//! Whoever waits for a run in this process: callers of webhooks, test runs. Must not know what a run does.

use super::engine::Engine;
use super::start::{RunOutcome, WaitFor};
use crate::core::RunStatus;
use crate::store::RunKey;
use sluice_node_sdk::outcome::Reply;
use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Somebody who wants to be told how a run stands.
pub(super) struct Watcher {
    wanted: WaitFor,
    sender: oneshot::Sender<RunOutcome>,
}

impl Watcher {
    /// A watcher, and where it is told.
    pub(super) fn new(wanted: WaitFor) -> (Self, oneshot::Receiver<RunOutcome>) {
        let (sender, receiver) = oneshot::channel();
        (Self { wanted, sender }, receiver)
    }

    /// Whether a run stands as it wants to be told.
    pub(super) fn is_content(&self, status: RunStatus, reply: Option<&Reply>) -> bool {
        status.is_over() || (self.wanted == WaitFor::Reply && reply.is_some())
    }
}

/// Those who wait for one run.
#[derive(Default)]
pub(super) struct Watched {
    waiters: Vec<Watcher>,
    /// Number of turns when the run was last looked at in the store, when another process drives it.
    seen: Option<i64>,
}

impl Engine {
    fn watched(&self) -> MutexGuard<'_, HashMap<RunKey, Watched>> {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on somebody is told how a run stands once it is over (or has a reply for its caller).
    pub(super) fn watch(&self, key: &RunKey, watcher: Watcher) {
        let mut watched = self.watched();
        let list = &mut watched.entry(key.clone()).or_default().waiters;
        list.retain(|watcher| !watcher.sender.is_closed());
        list.push(watcher);
    }

    /// Forgets everyone who asked about a run that did not come to be.
    pub(super) fn forget_watchers(&self, key: &RunKey) {
        self.watched().remove(key);
    }

    /// Whether anyone asked to be told.
    pub(super) fn is_watched(&self, key: &RunKey) -> bool {
        self.watched().contains_key(key)
    }

    /// Tells those who wait for a run.
    pub(super) fn tell_watchers(&self, key: &RunKey, outcome: &RunOutcome) {
        let mut watched = self.watched();
        let Some(Watched { waiters, seen }) = watched.remove(key) else { return };
        let mut left = Vec::new();
        for watcher in waiters {
            if watcher.is_content(outcome.status, outcome.reply.as_ref()) {
                // Whoever asked may have gone away.
                let _ = watcher.sender.send(outcome.clone());
            } else if !watcher.sender.is_closed() {
                left.push(watcher);
            }
        }
        if !left.is_empty() {
            watched.insert(key.clone(), Watched { waiters: left, seen });
        }
    }

    /// Runs that someone waits for and that are not driven here, with the number of turns last seen.
    pub(super) fn watched_elsewhere(&self) -> Vec<(RunKey, Option<i64>)> {
        let mut watched = self.watched();
        watched.retain(|_, watched| watched.waiters.iter().any(|watcher| !watcher.sender.is_closed()));
        let all: Vec<_> = watched.iter().map(|(key, watched)| (key.clone(), watched.seen)).collect();
        drop(watched);
        all.into_iter().filter(|(key, _)| !self.is_active(key)).collect()
    }

    /// Notes how far a run elsewhere was looked at.
    pub(super) fn note_seen(&self, key: &RunKey, turns: i64) {
        if let Some(watched) = self.watched().get_mut(key) {
            watched.seen = Some(turns);
        }
    }
}
