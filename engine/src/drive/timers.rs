//! The loops of an engine, and the one that fires timers and schedules. Must not know what a run does.
//!
//! Alone, this process wakes due runs in pages: each page is what became due since the last one, so that a run on its way
//! is not read again and again, and how many may be on their way is bounded. All that is due is looked at anew once in a
//! tick, in case a run was told and did not move.

use super::driven::Message;
use super::driver::Asleep;
use super::engine::Engine;
use super::error::EngineError;
use crate::store::RunKey;
use moka::sync::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

/// Due runs read at once.
const PAGE: u32 = 256;

/// The same where as many of one moment are on their way already, in a line for one lane, say: a page that brings
/// nothing new is read four times as large, up to this.
const LARGEST_PAGE: u32 = 1 << 18;

/// Runs that may be between being woken and their commit. More would not come sooner: the writer takes this many in a few
/// transactions.
const MOST_WAKING: usize = 4 * PAGE as usize;

/// Moments that are no further apart than this are looked for together, milliseconds.
const TOGETHER: i64 = 20;

/// What the timer loop knows.
pub(super) struct Timers {
    /// Told when a wake-up was stored that may be earlier than the one slept for.
    alarm: Notify,
    /// When the timer loop looks again by itself, milliseconds since the epoch.
    sleeping_until: AtomicI64,
    /// Up to this moment runs were told that they are due, milliseconds since the epoch.
    told_until: AtomicI64,
    /// Due runs read the next time.
    page: AtomicU32,
    /// Places of runs on their way to the commit that follows a wake-up.
    waking: Arc<Semaphore>,
    postponed: Cache<RunKey, ()>,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            alarm: Notify::new(),
            sleeping_until: AtomicI64::new(i64::MAX),
            told_until: AtomicI64::new(i64::MIN),
            page: AtomicU32::new(PAGE),
            waking: Arc::new(Semaphore::new(MOST_WAKING)),
            postponed: Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(60)).build(),
        }
    }
}

/// What one look for due runs found.
struct Look {
    due: usize,
    /// There may be more.
    goes_on: bool,
}

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
            self.0.tasks.spawn(self.clone().listen_for_ever());
            self.0.tasks.spawn(self.clone().relay_for_ever());
        }
        if !config.is_alone && config.drives {
            // Not one of the tasks that shutdown waits for: it goes on until they are done.
            tokio::spawn(self.clone().beat_for_ever());
            self.0.tasks.spawn(self.clone().keep_statistics_for_ever());
        }
    }

    /// Fires timers that are due now, the longest overdue first and up to 256 of them; returns how many runs were woken.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fire_due(&self) -> Result<usize, EngineError> {
        self.0.timers.told_until.store(i64::MIN, Ordering::SeqCst);
        Ok(self.fire_next().await?.due)
    }

    /// Fires the next timers of those that are due and were not told yet.
    async fn fire_next(&self) -> Result<Look, EngineError> {
        let timers = &self.0.timers;
        let places = tokio::select! {
            () = self.0.stopping.cancelled() => return Ok(Look { due: 0, goes_on: false }),
            places = timers.waking.clone().acquire_many_owned(PAGE) => places,
        };
        // Nobody closes it.
        let Ok(mut places) = places else { return Ok(Look { due: 0, goes_on: false }) };
        let after = timers.told_until.load(Ordering::SeqCst);
        let page = timers.page.load(Ordering::SeqCst);
        let due = self.0.store.due_wakes(after, self.now_ms(), page).await?;
        let mut is_full = due.len() == page as usize;
        // Of the last moment of a full page there may be more.
        let mut until = due.last().map_or(after, |(_, at)| if is_full { at - 1 } else { *at });
        let (mut count, mut asleep) = (0, Vec::with_capacity(PAGE as usize));
        for (key, at) in due {
            if timers.postponed.contains_key(&key) {
                continue;
            }
            if asleep.len() == PAGE as usize {
                (until, is_full) = (at - 1, true);
                break;
            }
            count += 1;
            match self.claim_to_wake(&key) {
                Some(inbox) => asleep.push(Asleep { key, inbox, place: places.split(1) }),
                None => self.tell(&key, Message::Wake),
            }
        }
        // Unless it was lowered meanwhile.
        let _ = timers.told_until.compare_exchange(after, until, Ordering::SeqCst, Ordering::SeqCst);
        let brings_new = until > after || !asleep.is_empty();
        let next = if brings_new { PAGE } else { (page * 4).min(LARGEST_PAGE) };
        timers.page.store(if is_full { next } else { PAGE }, Ordering::SeqCst);
        let goes_on = is_full && (brings_new || next > page);
        self.spawn_all(asleep);
        Ok(Look { due: count, goes_on })
    }

    async fn tick_for_ever(self) {
        let mut looked = None;
        while !self.0.stopping.is_cancelled() {
            let tick = self.0.config.tick;
            if looked.is_none_or(|at: Instant| at.elapsed() >= tick) {
                looked = Some(Instant::now());
                self.0.timers.told_until.store(i64::MIN, Ordering::SeqCst);
            }
            let pause = self.tick().await.unwrap_or_else(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "looking for due timers failed");
                tick
            });
            tokio::select! {
                () = self.0.stopping.cancelled() => return,
                () = self.0.timers.alarm.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Fires what is due and says how long to sleep. With other processes timers are claimed like all work, and
    /// only one process fires schedules.
    async fn tick(&self) -> Result<Duration, EngineError> {
        if self.is_leader() {
            self.fire_schedules().await?;
        }
        let timers = &self.0.timers;
        if self.0.config.is_alone {
            if self.fire_next().await?.goes_on {
                timers.sleeping_until.store(self.now_ms(), Ordering::SeqCst);
                return Ok(Duration::ZERO);
            }
        } else {
            self.0.fleet.work.notify_one();
        }
        let now = self.now_ms();
        let told = timers.told_until.load(Ordering::SeqCst);
        let next = [self.0.store.next_wake_after(told).await?, self.0.store.next_schedule_at().await?];
        let next = next.into_iter().flatten().min().map_or(i64::MAX, |next| next.saturating_sub(now));
        let next = Duration::from_millis(u64::try_from(next.max(TOGETHER)).unwrap_or_default())
            .min(self.0.config.tick);
        let pause = i64::try_from(next.as_millis()).unwrap_or(i64::MAX);
        timers.sleeping_until.store(now.saturating_add(pause), Ordering::SeqCst);
        Ok(next)
    }

    /// Tells the timer loop of a moment at which a run must be woken, if that is earlier than the loop's own.
    pub(super) fn set_alarm(&self, at: i64) {
        let timers = &self.0.timers;
        if at <= timers.told_until.load(Ordering::SeqCst) {
            timers.told_until.fetch_min(at.saturating_sub(1), Ordering::SeqCst);
        }
        if at < timers.sleeping_until.load(Ordering::SeqCst) {
            timers.alarm.notify_one();
        }
    }

    /// Keeps a run that cannot be loaded from being woken over and over.
    pub(super) fn postpone(&self, key: &RunKey) {
        self.0.timers.postponed.insert(key.clone(), ());
    }
}
