//! This process among others over the same database: it joins with a number, beats, and gives up those that no longer
//! beat, so that their runs can be taken over.
//!
//! Whether another process lives is judged by whether its beat moves while this one watches, in this one's own
//! unchanging time: clocks of different machines, and clocks that jump, play no part. Must not know what a run does.

use super::engine::Engine;
use super::error::EngineError;
use super::relay;
use crate::store::{Claimed, RunKey, RunnerRow, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often a process that is not sure of its own standing looks again.
pub(super) const UNSURE: Duration = Duration::from_millis(50);

/// The channel on which processes tell each other that there is something to do.
pub(super) const CHANNEL: &str = "sluice_work";

/// What is told there when there is something for the hosts, and no run to be taken over.
const FOR_HOSTS: &str = "hosts";

/// For how long words for the hosts are gathered: each costs every process a look.
const GATHERING: Duration = Duration::from_millis(5);

/// The number that a process has before it joins; no process joins with it.
pub(super) const NOBODY: i64 = 0;

/// What a process knows of itself and the others.
pub(super) struct Fleet {
    me: AtomicI64,
    is_leader: AtomicBool,
    /// When the last beat began that was written.
    beaten: Mutex<Option<Instant>>,
    seen: Mutex<Seen>,
    /// Told when there may be something to take over or to deliver.
    pub(super) work: Notify,
    /// The same for the host.
    heard: Notify,
    /// Whether the other hosts are about to be told.
    is_telling: AtomicBool,
    /// Whether runs of this process wait in the store because it had no room for them.
    pub(super) has_queue: AtomicBool,
    /// Where the next round of claims begins.
    pub(super) after: Mutex<String>,
    pub(super) suspect: Mutex<Option<RunKey>>,
    /// Ends when this process was given up by the others: whatever it drove then is no longer its own.
    incarnation: Mutex<CancellationToken>,
    /// Ends when this process has left the others; it beats until then, because what is under way is still its own.
    left: CancellationToken,
    /// Messages on their way to a run in this process.
    pub(super) in_delivery: Mutex<HashSet<String>>,
    /// Told when a message was answered in this process.
    pub(super) answered: Notify,
    /// Runs written as this process's that it did not drive at the last look, with their turns, and when that was.
    pub(super) idle: Mutex<HashMap<RunKey, i64>>,
    pub(super) looked: Mutex<Option<Instant>>,
    /// Runs that nobody drives, as last counted.
    pub(super) backlog: AtomicU64,
}

/// The beats of the others, and since when they stand still.
#[derive(Default)]
struct Seen {
    beats: HashMap<i64, (i64, Instant)>,
    looked: Option<Instant>,
}

impl Default for Fleet {
    fn default() -> Self {
        Self {
            me: AtomicI64::new(NOBODY),
            is_leader: AtomicBool::new(false),
            beaten: Mutex::default(),
            seen: Mutex::default(),
            work: Notify::new(),
            heard: Notify::new(),
            is_telling: AtomicBool::new(false),
            has_queue: AtomicBool::new(false),
            after: Mutex::default(),
            suspect: Mutex::default(),
            incarnation: Mutex::default(),
            left: CancellationToken::new(),
            in_delivery: Mutex::default(),
            answered: Notify::new(),
            idle: Mutex::default(),
            looked: Mutex::default(),
            backlog: AtomicU64::new(0),
        }
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fleet {
    /// The number of this process; 0 before it joined.
    pub(super) fn me(&self) -> i64 {
        self.me.load(Ordering::SeqCst)
    }

    fn hear(&self) {
        self.work.notify_one();
        self.heard.notify_waiters();
    }

    /// Ends when this process is given up by the others.
    pub(super) fn incarnation(&self) -> CancellationToken {
        locked(&self.incarnation).clone()
    }

    /// The run is no longer suspected: it came to a commit, or is off our hands.
    pub(super) fn clear_suspect(&self, key: &RunKey) {
        let mut suspect = locked(&self.suspect);
        if suspect.as_ref() == Some(key) {
            *suspect = None;
            self.work.notify_one();
        }
    }

    /// Forgets what was seen of processes that are gone, and says who has stood still for `lease`. After a time in
    /// which nothing could be seen everybody gets a full lease again.
    fn silent(&self, me: i64, rows: &[RunnerRow], lease: Duration) -> Vec<RunnerRow> {
        let now = Instant::now();
        let mut seen = locked(&self.seen);
        let was_blind = seen.looked.replace(now).is_none_or(|looked| now - looked > lease / 2);
        seen.beats.retain(|id, _| !was_blind && rows.iter().any(|row| row.id == *id));
        let mut silent = Vec::new();
        for row in rows.iter().filter(|row| row.id != me) {
            let entry = seen.beats.entry(row.id).or_insert((row.beat, now));
            if entry.0 != row.beat {
                *entry = (row.beat, now);
            } else if now - entry.1 >= lease {
                silent.push(row.clone());
            }
        }
        silent
    }
}

impl Engine {
    /// The number of this process among those that drive runs; 0 when it does not drive runs.
    pub fn runner_id(&self) -> i64 {
        self.0.fleet.me()
    }

    /// Whether this process is the one that does what only one may do: read inbound bodies in order, fire schedules.
    pub fn is_leader(&self) -> bool {
        self.0.config.is_alone || (self.0.fleet.is_leader.load(Ordering::SeqCst) && self.is_fresh())
    }

    /// Whether the others can be sure that this process lives: it has beaten not long ago.
    pub(super) fn is_fresh(&self) -> bool {
        let beaten = *locked(&self.0.fleet.beaten);
        self.0.config.is_alone || beaten.is_some_and(|at| at.elapsed() < self.0.config.lease / 2)
    }

    /// Waits until this process can be sure that what it drives behind this fence is still its own; for ever when it is not.
    /// One that stood still must not act before it knows.
    pub(super) async fn until_sure(&self, fence: &CancellationToken) {
        while !self.is_fresh() && !fence.is_cancelled() {
            tokio::time::sleep(UNSURE).await;
        }
        if fence.is_cancelled() {
            std::future::pending::<()>().await;
        }
    }

    /// Enters this process among those that drive runs; answers the pausing runs that it inherits.
    pub(super) async fn join(&self) -> Result<Vec<Claimed>, EngineError> {
        let (store, config) = (&self.0.store, &self.0.config);
        if config.is_alone {
            store.bury_all().await?;
        } else if !config.name.is_empty() {
            store.bury_former(&config.name).await?;
        }
        let began = Instant::now();
        // Seconds since the epoch, so that numbers of dead processes do not come back soon, our own included.
        let wanted = (self.now_ms() / 1_000).max(self.0.fleet.me() + 1);
        let id = store.join(wanted, &config.name, self.now_ms()).await?;
        *locked(&self.0.fleet.beaten) = Some(began);
        self.0.fleet.me.store(id, Ordering::SeqCst);
        tracing::info!(runner = id, name = config.name, "joined as a process that drives runs");
        store.free_orphans().await?;
        Ok(store.inherit(id, self.now_ms()).await?)
    }

    /// Leaves the others, so that they need not wait for the lease to end.
    pub(super) async fn leave_fleet(&self) {
        self.0.fleet.left.cancel();
        let me = self.0.fleet.me.swap(NOBODY, Ordering::SeqCst);
        if me == NOBODY {
            return;
        }
        let left = match self.0.store.leave(me).await {
            Ok(()) => self.0.store.free_orphans().await,
            Err(error) => Err(error),
        };
        match left {
            Ok(0) => {}
            Ok(runs) => tracing::info!(runs, "runs under way were left to others"),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "could not leave the others")
            }
        }
    }

    /// Beats until this process leaves the others.
    pub(super) async fn beat_for_ever(self) {
        let pause = self.0.config.lease / 5;
        loop {
            if let Err(error) = self.beat().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "could not beat");
            }
            tokio::select! {
                () = self.0.fleet.left.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Beats once, and gives up those that have stood still.
    async fn beat(&self) -> Result<(), EngineError> {
        self.0.config.faults.gate().await;
        let (fleet, store) = (&self.0.fleet, &self.0.store);
        let (me, began) = (fleet.me(), Instant::now());
        if !store.beat(me).await? {
            self.begin_anew().await?;
            return Ok(());
        }
        *locked(&fleet.beaten) = Some(began);
        let rows = store.runners().await?;
        let silent = fleet.silent(me, &rows, self.0.config.lease);
        let lowest = rows.iter().filter(|row| !silent.contains(row)).map(|row| row.id).min();
        fleet.is_leader.store(lowest == Some(me), Ordering::SeqCst);
        let mut is_buried = false;
        for row in silent {
            if store.bury(&row).await? {
                tracing::warn!(
                    runner = row.id,
                    name = row.name,
                    "a process no longer beats; its runs are taken over"
                );
                is_buried = true;
            }
        }
        // Also without a death: a process that came back from a long pause may have left a run behind.
        let freed = store.free_orphans().await?;
        let inherited = store.inherit(me, self.now_ms()).await?;
        inherited.into_iter().for_each(|claimed| self.take_up(claimed, None, None));
        if is_buried || freed > 0 {
            self.call_for_work(true).await;
        }
        if is_buried {
            // It may have died between the end of a called run and its word to the caller.
            self.tell_missed().await?;
        }
        Ok(())
    }

    /// The others gave this process up while it could not beat: what it drove is theirs now.
    async fn begin_anew(&self) -> Result<(), EngineError> {
        tracing::warn!(
            "this process was given up by the others while it stood still; it starts over with nothing"
        );
        let former = std::mem::take(&mut *locked(&self.0.fleet.incarnation));
        former.cancel();
        self.0.fleet.is_leader.store(false, Ordering::SeqCst);
        let inherited = self.join().await?;
        inherited.into_iter().for_each(|claimed| self.take_up(claimed, None, None));
        Ok(())
    }

    /// Runs that wait in the store for someone to drive them, as last counted.
    pub fn queued_runs(&self) -> u64 {
        self.0.fleet.backlog.load(Ordering::Relaxed)
    }

    /// Returns when another process says that there is something to do, or this one does.
    pub async fn called_for_work(&self) {
        self.0.fleet.heard.notified().await;
    }

    /// Says that there is something to do; with `everyone` to the other processes too.
    pub async fn call_for_work(&self, everyone: bool) {
        self.0.fleet.hear();
        if everyone
            && !self.0.config.is_alone
            && let Err(error) = self.0.store.tell_everyone(CHANNEL, &[""]).await
        {
            // They look by themselves before long.
            tracing::debug!(%error, "the other processes could not be told");
        }
    }

    /// Says to the host of every process that there is something to do for one of them, which is no run. Comes back at
    /// once; many calls are told as one.
    pub fn call_hosts(&self) {
        self.0.fleet.heard.notify_waiters();
        if self.0.config.is_alone || self.0.fleet.is_telling.swap(true, Ordering::SeqCst) {
            return;
        }
        let engine = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(GATHERING).await;
            // Whoever calls from here on is told of anew.
            engine.0.fleet.is_telling.store(false, Ordering::SeqCst);
            if let Err(error) = engine.0.store.tell_everyone(CHANNEL, &[FOR_HOSTS]).await {
                // They look by themselves before long.
                tracing::debug!(%error, "the other processes could not be told");
            }
        });
    }

    /// Listens to the other processes until the engine stops.
    pub(super) async fn listen_for_ever(self) {
        while !self.0.stopping.is_cancelled() {
            // Who drives nothing has nothing to do when there is something to do.
            let channels: &[&str] =
                if self.0.config.drives { &[CHANNEL, relay::CHANNEL] } else { &[relay::CHANNEL] };
            let heard = async {
                let mut listener = self.0.store.listen(channels).await?;
                loop {
                    match listener.next().await? {
                        (channel, text) if channel == relay::CHANNEL => self.hear_of_live(&text),
                        (_, text) if text == FOR_HOSTS => self.0.fleet.heard.notify_waiters(),
                        _ => self.0.fleet.hear(),
                    }
                }
            };
            let failed: Result<(), StoreError> = tokio::select! {
                () = self.0.stopping.cancelled() => return,
                failed = heard => failed,
            };
            if let Err(error) = failed {
                tracing::warn!(%error, "cannot hear the other processes; listening again");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, beat: i64) -> RunnerRow {
        RunnerRow { id, name: String::new(), beat }
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_beat_that_stands_still_while_watched_is_silent() {
        let (fleet, lease) = (Fleet::default(), Duration::from_secs(6));
        let second = Duration::from_secs(1);
        let look =
            |rows: &[RunnerRow]| fleet.silent(1, rows, lease).iter().map(|row| row.id).collect::<Vec<_>>();
        assert!(look(&[row(1, 0), row(2, 5), row(3, 5)]).is_empty());
        for beat in 1..6 {
            tokio::time::advance(second).await;
            assert!(look(&[row(1, 0), row(2, 5), row(3, 5 + beat)]).is_empty());
        }
        tokio::time::advance(second).await;
        assert_eq!(look(&[row(1, 0), row(2, 5), row(3, 11)]), [2]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_blamed_for_a_time_in_which_nothing_could_be_seen() {
        let (fleet, lease) = (Fleet::default(), Duration::from_secs(6));
        assert!(fleet.silent(1, &[row(2, 5)], lease).is_empty());
        // The database was away for a minute: nobody could beat.
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(fleet.silent(1, &[row(2, 5)], lease).is_empty());
    }
}
