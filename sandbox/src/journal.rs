//! The ordered log of what was received, bounded in memory, with a bell for those who wait for more.
//!
//! It must not know any provider.

use serde::Serialize;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Entries kept; older ones are forgotten.
const CAPACITY: usize = 20_000;

/// Locks a mutex whose data stays consistent even when another thread panicked while it held the lock.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A bounded list of numbered entries that can be waited on.
#[derive(Debug)]
pub(crate) struct Log<T> {
    entries: Mutex<(u64, VecDeque<(u64, T)>)>,
    bell: watch::Sender<u64>,
}

impl<T: Clone> Log<T> {
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::new((0, VecDeque::new())), bell: watch::Sender::new(0) }
    }

    /// Adds an entry made from its sequence number (from 1) and returns that number.
    pub(crate) fn push(&self, entry: impl FnOnce(u64) -> T) -> u64 {
        let mut guard = lock(&self.entries);
        guard.0 += 1;
        let seq = guard.0;
        let entry = entry(seq);
        if guard.1.len() == CAPACITY {
            guard.1.pop_front();
        }
        guard.1.push_back((seq, entry));
        drop(guard);
        self.bell.send_replace(seq);
        seq
    }

    /// Changes an entry if it is still kept.
    pub(crate) fn update(&self, seq: u64, change: impl FnOnce(&mut T)) {
        let mut guard = lock(&self.entries);
        let found = guard.1.binary_search_by_key(&seq, |(at, _)| *at);
        if let Ok(index) = found {
            change(&mut guard.1[index].1);
        }
    }

    /// An entry if it is still kept.
    pub(crate) fn get(&self, seq: u64) -> Option<T> {
        let guard = lock(&self.entries);
        let index = guard.1.binary_search_by_key(&seq, |(at, _)| *at).ok()?;
        guard.1.get(index).map(|(_, entry)| entry.clone())
    }

    /// The first entry from the newest backwards for which `pick` answers something.
    pub(crate) fn find_newest<R>(&self, pick: impl Fn(&T) -> Option<R>) -> Option<R> {
        lock(&self.entries).1.iter().rev().find_map(|(_, entry)| pick(entry))
    }

    /// Kept entries with a number above `since` that `keep` wants, and the newest number given out so far.
    pub(crate) fn since(&self, since: u64, keep: impl Fn(&T) -> bool) -> (Vec<T>, u64) {
        let guard = lock(&self.entries);
        let newer = guard.1.iter().filter(|(seq, entry)| *seq > since && keep(entry));
        (newer.map(|(_, entry)| entry.clone()).collect(), guard.0.max(since))
    }

    /// Like [`Log::since`], but waits until something wanted is there or `wait` is over.
    pub(crate) async fn wait_since(
        &self,
        since: u64,
        keep: impl Fn(&T) -> bool,
        wait: std::time::Duration,
    ) -> (Vec<T>, u64) {
        let mut bell = self.bell.subscribe();
        // A caller on the network waits in real time, whatever the sandbox's own clock shows.
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            bell.mark_unchanged();
            let found = self.since(since, &keep);
            if !found.0.is_empty() || wait.is_zero() {
                return found;
            }
            match tokio::time::timeout_at(deadline, bell.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return self.since(since, &keep),
            }
        }
    }

    /// Forgets all entries. Numbers go on counting, so that a cursor from before stays valid.
    pub(crate) fn clear(&self) {
        lock(&self.entries).1.clear();
    }
}

/// One request that reached a provider's path.
#[derive(Debug, Clone, Serialize)]
pub struct RequestEntry {
    /// Position in the journal, from 1, never reused.
    pub seq: u64,
    /// Arrival, milliseconds since the Unix epoch.
    pub at: i64,
    /// HTTP method.
    pub method: String,
    /// Path without query.
    pub path: String,
    /// Decoded query parameters; `access_token` is hidden.
    pub query: Value,
    /// Headers by lower-case name; `authorization` and cookies are hidden.
    pub headers: Value,
    /// JSON body as parsed, else text, else a description of the bytes.
    pub body: Value,
    /// HTTP status of the answer; `null` while it is being worked on, or when the connection was dropped on request.
    pub status: Option<u16>,
    /// JSON body of the answer.
    pub answer: Value,
}

/// What was received, in order of arrival.
pub(crate) type Journal = Log<RequestEntry>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn entries_are_numbered_and_bounded() {
        let log = Log::new();
        for _ in 0..CAPACITY + 5 {
            log.push(|seq| seq);
        }
        let (kept, newest) = log.since(0, |_| true);
        assert_eq!((kept.len(), kept[0], newest), (CAPACITY, 6, CAPACITY as u64 + 5));
        log.update(7, |entry| *entry = 0);
        assert_eq!(log.since(6, |_| true).0[0], 0);
        log.update(1, |_| panic!("entry 1 was forgotten"));
    }

    #[tokio::test]
    async fn a_waiter_gets_what_arrives_later_and_ignores_what_it_does_not_want() {
        let log = Arc::new(Log::new());
        let other = log.clone();
        let waiter =
            tokio::spawn(async move { other.wait_since(0, |e| *e > 1, Duration::from_secs(30)).await });
        log.push(|_| 1);
        log.push(|_| 2);
        assert_eq!(waiter.await.unwrap().0, vec![2]);
        log.clear();
        assert_eq!(log.push(|seq| seq), 3);
    }

    #[tokio::test]
    async fn waiting_ends_without_news() {
        let log: Log<u64> = Log::new();
        assert_eq!(log.wait_since(4, |_| true, Duration::from_millis(1)).await, (vec![], 4));
    }
}
