//! Trying the same again while the database is out of reach, because whatever comes after must not go first. Must not
//! know what is tried.

use super::Origin;
use crate::state::ApiState;
use std::time::Duration;
use tokio::time::Instant;

/// How long the same is tried again.
const LONGEST: Duration = Duration::from_secs(30);

/// The pauses between tries, from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What is left of the patience with one body.
pub(super) struct Patience {
    begun: Instant,
    pause: Duration,
}

impl Patience {
    /// A full measure.
    pub(super) fn new() -> Self {
        Self { begun: Instant::now(), pause: PAUSES.0 }
    }

    /// Whether what failed may be tried again, after [`Patience::wait`].
    pub(super) fn is_left(&self, state: &ApiState, origin: Origin) -> bool {
        let is_over = self.begun.elapsed() >= LONGEST;
        if let (true, false, Origin::Claimed(term)) = (is_over, state.engine.config().is_alone, origin) {
            // Not only this one, or what came after it would go first.
            state.inbox.end_term(term);
        }
        !is_over && may_handle(state, origin) && !state.stopping.is_cancelled()
    }

    /// Waits, a little longer each time.
    pub(super) async fn wait(&mut self) {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSES.1);
    }
}

/// What was claimed is for the process that leads; one that stood still has lost it to another meanwhile. Whoever is seen
/// not to lead lets all go that it claimed, also when it leads again a moment later: what is let go one by one would be
/// overtaken by the rest.
pub(super) fn may_handle(state: &ApiState, origin: Origin) -> bool {
    let Origin::Claimed(term) = origin else { return true };
    if !state.engine.is_leader() {
        state.inbox.end_term(term);
    }
    state.inbox.term() == term
}
