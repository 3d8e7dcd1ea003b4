//! Group commit. Callers leave their turns in a queue; while one transaction is being written the next gathers, so a
//! commit of the disk serves everyone who waits for it. Nobody is delayed on purpose. Must not know what turns say.
//!
//! Writers are tasks that live as long as there is something to write: one on SQLite, a few on PostgreSQL. They are
//! not the callers' own, so a caller that goes away disturbs nobody.

use super::batch::Desk;
use super::changes::Log;
use super::commit::Ready;
use super::{Commit, StoreError};
use sluice_db::{Db, DbError, Dialect};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Turns and bytes of events in one transaction. Beyond that more callers would wait longer without the disk being
/// asked less often in a way that shows.
const MOST_TURNS: usize = 256;
const MOST_BYTES: usize = 8 << 20;

/// How long a writer keeps its connection when there is nothing to write.
const LINGERING: Duration = Duration::from_millis(100);

/// What may wait, in units of [`UNIT`] bytes: 64 MB, or 65,536 small turns. Callers beyond that wait before the queue.
const ROOM: usize = 65_536;
const UNIT: usize = 1 << 10;

/// What waits to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Turns, those being written included.
    pub turns: usize,
    /// Bytes of their events.
    pub bytes: usize,
}

/// What one caller wants written.
pub(super) struct Job {
    pub(super) turns: Vec<Ready>,
    answer: oneshot::Sender<Result<Vec<Commit>, StoreError>>,
    place: Place,
}

impl Job {
    /// Answers the caller, if it is still there.
    pub(super) fn answer(self, answer: Result<Vec<Commit>, DbError>) {
        // The place is given up first: who has its answer no longer counts as waiting.
        drop(self.place);
        let _ = self.answer.send(answer.map_err(Into::into));
    }
}

/// A place in the backlog, until the turns are written.
struct Place {
    writer: Arc<Writer>,
    weight: Backlog,
    _room: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.writer.turns.fetch_sub(self.weight.turns, Ordering::Relaxed);
        self.writer.bytes.fetch_sub(self.weight.bytes, Ordering::Relaxed);
    }
}

/// The queue and those who work on it.
pub(super) struct Writer {
    db: Db,
    log: Log,
    most_writers: usize,
    may_linger: bool,
    room: Arc<Semaphore>,
    turns: AtomicUsize,
    bytes: AtomicUsize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Those at work and those that linger.
    writers: usize,
    /// How to call those that have nothing to write.
    lingering: Vec<oneshot::Sender<()>>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("db", &self.db)
            .field("backlog", &self.backlog())
            .finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn new(db: Db, log: Log) -> Arc<Self> {
        Arc::new(Self {
            most_writers: db.writers(),
            // The only connection is left to others at once.
            may_linger: db.dialect() == Dialect::Postgres,
            db,
            log,
            room: Arc::new(Semaphore::new(ROOM)),
            turns: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            queue: Mutex::default(),
        })
    }

    /// Queues turns and waits until they are durable or refused.
    pub(super) async fn write(self: &Arc<Self>, turns: Vec<Ready>) -> Result<Vec<Commit>, StoreError> {
        let (answer, heard) = oneshot::channel();
        let place = self.place(&turns).await?;
        self.queue(Job { turns, answer, place });
        heard.await.unwrap_or_else(|_| Err(stopped()))
    }

    pub(super) fn backlog(&self) -> Backlog {
        Backlog { turns: self.turns.load(Ordering::Relaxed), bytes: self.bytes.load(Ordering::Relaxed) }
    }

    /// Waits until there is room for turns.
    async fn place(self: &Arc<Self>, turns: &[Ready]) -> Result<Place, StoreError> {
        let mut weight = Backlog::default();
        for (turns, bytes) in turns.iter().map(Ready::weight) {
            weight = Backlog { turns: weight.turns + turns, bytes: weight.bytes + bytes };
        }
        let units = (weight.bytes / UNIT + weight.turns).min(ROOM) as u32;
        let room = self.room.clone().acquire_many_owned(units).await.map_err(|_| stopped())?;
        self.turns.fetch_add(weight.turns, Ordering::Relaxed);
        self.bytes.fetch_add(weight.bytes, Ordering::Relaxed);
        Ok(Place { writer: self.clone(), weight, _room: room })
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Whoever panicked while holding it left a queue that is still a queue.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(self: &Arc<Self>, job: Job) {
        let mut queue = self.lock();
        queue.jobs.push_back(job);
        // The one that has worked last: so no more of them stay than there is work for.
        while let Some(call) = queue.lingering.pop() {
            if call.send(()).is_ok() {
                return;
            }
        }
        if queue.writers < self.most_writers {
            queue.writers += 1;
            tokio::spawn(Shift { writer: self.clone(), is_over: false }.work());
        }
    }
}

fn stopped() -> StoreError {
    let message = "the task that writes was stopped; whether the turn was written is not known".to_owned();
    DbError::Unreachable { message }.into()
}

/// What a writer does next.
enum Next {
    Jobs(Vec<Job>),
    Linger(oneshot::Receiver<()>),
    Over,
}

/// One writer at work.
struct Shift {
    writer: Arc<Writer>,
    is_over: bool,
}

impl Shift {
    async fn work(mut self) {
        let writer = self.writer.clone();
        let mut desk = Desk { db: &writer.db, log: &writer.log, line: None };
        loop {
            match self.next() {
                Next::Jobs(jobs) => desk.write(jobs).await,
                Next::Linger(call) => {
                    if !self.linger(call).await {
                        return;
                    }
                }
                Next::Over => return,
            }
        }
    }

    /// Waits for a call, but not for long; whether there was one.
    async fn linger(&mut self, mut call: oneshot::Receiver<()>) -> bool {
        if tokio::time::timeout(LINGERING, &mut call).await.is_ok() {
            return true;
        }
        let mut queue = self.writer.lock();
        call.close();
        if call.try_recv().is_ok() {
            return true;
        }
        queue.lingering.retain(|call| !call.is_closed());
        queue.writers -= 1;
        self.is_over = true;
        false
    }

    /// As much as one transaction may hold, in the order in which it came. When there is nothing, that is noted under the
    /// lock, so that nothing can be queued behind its back.
    fn next(&mut self) -> Next {
        let mut queue = self.writer.lock();
        let (mut batch, mut turns, mut bytes) = (Vec::new(), 0, 0);
        while let Some(job) = queue.jobs.front() {
            turns += job.place.weight.turns;
            bytes += job.place.weight.bytes;
            if !batch.is_empty() && (turns > MOST_TURNS || bytes > MOST_BYTES) {
                break;
            }
            batch.extend(queue.jobs.pop_front());
        }
        if !batch.is_empty() {
            return Next::Jobs(batch);
        }
        if self.writer.may_linger {
            let (call, called) = oneshot::channel();
            queue.lingering.push(call);
            return Next::Linger(called);
        }
        queue.writers -= 1;
        self.is_over = true;
        Next::Over
    }
}

impl Drop for Shift {
    /// Of a task that panicked, or was stopped with its runtime.
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut queue = self.writer.lock();
        queue.writers -= 1;
        if queue.writers == 0 {
            // Nobody would ever come for these: their callers are told.
            let orphans = std::mem::take(&mut queue.jobs);
            drop(queue);
            drop(orphans);
        }
    }
}
