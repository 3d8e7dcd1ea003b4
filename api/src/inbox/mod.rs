//! Provider bodies after they were acknowledged: read, recorded and handed to the engine in the order in which they
//! came, as far as they concern the same people (`turns.rs`). What a crash leaves behind is taken up again by
//! [`recover_inbound`]. Must not know HTTP.

mod claiming;
mod finishing;
mod handing;
mod patience;
mod reading;
mod turns;

pub use claiming::recover_inbound;

use crate::state::ApiState;
use finishing::Finishing;
use sluice_engine::drive::EngineError;
use sluice_engine::drive::lanes::Lanes;
use sluice_records::RecordError;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use tokio::sync::{Notify, Semaphore};

/// Bodies whose events may be on their way to runs at once.
const ON_THEIR_WAY: usize = 128;

/// The bodies in hand.
#[derive(Clone)]
pub(crate) struct Inbox(Arc<Shared>);

struct Shared {
    hands: Mutex<Hands>,
    /// Told when a body is no longer in hand, and when something of one is done.
    idle: Notify,
    /// Told when a body was taken.
    arrived: Notify,
    /// Told when so few wait that what was left in the database may be claimed.
    wanting: Notify,
    room: Arc<Semaphore>,
    /// The lanes of the events in hand: what is tried again in its place is not overtaken by what came after it.
    lanes: Lanes,
    finishing: Finishing,
}

#[derive(Default)]
struct Hands {
    /// Not looked at yet, in order.
    waiting: VecDeque<(String, Origin)>,
    /// Taken and not finished, and how each came.
    taken: HashMap<String, Origin>,
    /// What is being done that could bring the process down: bodies that are read, and events that the engine takes.
    /// Not what waits for its lane.
    doing: usize,
    /// More can be claimed than was.
    left_some: bool,
    term: Term,
    is_reading: bool,
}

/// The number of a time in which this process led without a doubt. With the first doubt it lets go what it claimed until
/// then, so that what is claimed anew comes in order.
type Term = u64;

/// How a body came to this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It stored the body a moment ago.
    Delivered,
    /// Left behind, or stored by another process: for the one that leads, in this term.
    Claimed(Term),
    /// A person wants it to be handled again.
    Replayed,
}

impl Default for Inbox {
    fn default() -> Self {
        Self(Arc::new(Shared {
            hands: Mutex::default(),
            idle: Notify::new(),
            arrived: Notify::new(),
            wanting: Notify::new(),
            room: Arc::new(Semaphore::new(ON_THEIR_WAY)),
            lanes: Lanes::default(),
            finishing: Finishing::default(),
        }))
    }
}

/// Why a body could not be handled for now. It stays stored and is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandlingError {
    /// The records failed.
    #[error("the body could not be recorded")]
    Records(#[from] RecordError),
    /// The engine failed.
    #[error("an event of the body could not be handed to the engine")]
    Engine(#[from] EngineError),
    /// This process has let it go.
    #[error("the body waits for whoever leads")]
    LetGo,
}

impl Inbox {
    /// How many bodies are in hand.
    pub(crate) fn in_hand(&self) -> usize {
        self.hands().taken.len()
    }

    /// Takes a stored body. False when it is in hand already.
    pub(crate) fn take(&self, state: &ApiState, id: String, origin: Origin) -> bool {
        let mut hands = self.hands();
        if hands.taken.contains_key(&id) {
            return false;
        }
        hands.taken.insert(id.clone(), origin);
        hands.waiting.push_back((id, origin));
        if !hands.is_reading {
            hands.is_reading = true;
            tokio::spawn(reading::read_all(state.clone()));
        }
        self.0.arrived.notify_one();
        true
    }

    /// Waits until nothing is in hand that was claimed in another term: only then can all be claimed anew and none be
    /// overtaken. What was not looked at yet is let go at once.
    async fn begin_term(&self, term: Term) {
        let is_of_another = |origin: &Origin| matches!(origin, Origin::Claimed(other) if *other != term);
        {
            let mut hands = self.hands();
            let Hands { waiting, taken, .. } = &mut *hands;
            waiting.retain(|(id, origin)| {
                let is_let_go = is_of_another(origin);
                if is_let_go {
                    taken.remove(id);
                }
                !is_let_go
            });
        }
        self.0.idle.notify_waiters();
        self.until(|hands| !hands.taken.values().any(is_of_another)).await;
    }

    fn term(&self) -> Term {
        self.hands().term
    }

    /// What was claimed in this term is let go.
    fn end_term(&self, term: Term) {
        let mut hands = self.hands();
        if hands.term == term {
            hands.term += 1;
        }
    }

    /// Waits until nothing is in hand.
    pub(crate) async fn settle(&self) {
        self.until(|hands| hands.taken.is_empty()).await;
    }

    /// Waits until a body is no longer in hand.
    pub(crate) async fn finished(&self, id: &str) {
        self.until(|hands| !hands.taken.contains_key(id)).await;
    }

    async fn until(&self, reached: impl Fn(&Hands) -> bool) {
        loop {
            let change = self.0.idle.notified();
            tokio::pin!(change);
            change.as_mut().enable();
            if reached(&self.hands()) {
                return;
            }
            change.await;
        }
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body in hand; given back when its handling ends, however it ends.
struct Taken {
    inbox: Inbox,
    id: String,
}

impl Taken {
    fn new(inbox: &Inbox, id: String) -> Self {
        Self { inbox: inbox.clone(), id }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.inbox.hands().taken.remove(&self.id);
        self.inbox.0.idle.notify_waiters();
    }
}

/// Something that is being done, until it is dropped.
struct Doing {
    inbox: Inbox,
    is_counted: bool,
}

impl Doing {
    fn begin(inbox: &Inbox) -> Self {
        let mut doing = Self { inbox: inbox.clone(), is_counted: false };
        doing.count(true);
        doing
    }

    fn count(&mut self, is_counted: bool) {
        if self.is_counted == is_counted {
            return;
        }
        self.is_counted = is_counted;
        let mut hands = self.inbox.hands();
        if is_counted {
            hands.doing += 1;
        } else {
            hands.doing -= 1;
            drop(hands);
            self.inbox.0.idle.notify_waiters();
        }
    }

    /// Waits for somebody else. What does not come at once is not counted as being done until it comes.
    async fn wait<T>(&mut self, wait: impl Future<Output = T>) -> T {
        tokio::pin!(wait);
        if let Poll::Ready(done) = futures::poll!(wait.as_mut()) {
            return done;
        }
        self.count(false);
        let done = wait.await;
        self.count(true);
        done
    }
}

impl Drop for Doing {
    fn drop(&mut self) {
        self.count(false);
    }
}

/// Tells of a body that stays stored.
async fn report(state: &ApiState, origin: Origin, id: &str, failure: &HandlingError) {
    {
        let error = failure as &dyn std::error::Error;
        if patience::may_handle(state, origin) {
            tracing::error!(inbound_id = id, error, "a stored body was not handled; it is tried again");
        } else {
            tracing::info!(inbound_id = id, error, "a stored body is left to the process that leads now");
        }
    }
    forget_attempt(state, id).await;
}

async fn forget_attempt(state: &ApiState, id: &str) {
    if let Err(failure) = state.records.forget_attempt(id).await {
        tracing::debug!(inbound_id = id, %failure, "an attempt stays counted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_ends_once_however_many_notice() {
        let inbox = Inbox::default();
        let first = inbox.term();
        inbox.end_term(first);
        let second = inbox.term();
        assert_ne!(first, second);
        // Somebody who notices late does not end what has begun since.
        inbox.end_term(first);
        assert_eq!(inbox.term(), second);
    }

    /// Whatever were claimed anew beside it would go first when it is let go.
    #[tokio::test]
    async fn a_term_begins_when_nothing_of_another_is_in_hand() {
        let inbox = Inbox::default();
        let former = Origin::Claimed(inbox.term());
        {
            let mut hands = inbox.hands();
            for (id, origin) in [("begun", former), ("waiting", former), ("asked for", Origin::Replayed)] {
                hands.taken.insert(id.to_owned(), origin);
            }
            hands
                .waiting
                .extend([("waiting".to_owned(), former), ("asked for".to_owned(), Origin::Replayed)]);
        }
        let begun = Taken::new(&inbox, "begun".to_owned());
        inbox.end_term(0);
        {
            let beginning = inbox.begin_term(inbox.term());
            tokio::pin!(beginning);
            assert!(futures::poll!(beginning.as_mut()).is_pending());
            assert_eq!(inbox.in_hand(), 2, "what was not looked at is let go at once");
            drop(begun);
            assert!(futures::poll!(beginning.as_mut()).is_ready());
        }
        assert_eq!(inbox.hands().waiting, [("asked for".to_owned(), Origin::Replayed)]);
    }
}
