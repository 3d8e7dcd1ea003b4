//! Planned faults, for tests: an engine that loses the answer of a commit or gets it late, or that stops for good after a certain commit, as if the
//! process had been killed right there. In production the plan is empty and costs one comparison per commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_util::sync::CancellationToken;

/// When an engine stops for good. The default never stops and counts nothing.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan(Option<Arc<Planned>>);

#[derive(Debug)]
struct Planned {
    commits: AtomicU64,
    stop_after: u64,
    /// The answer to this commit is lost: it is durable, and whoever asked for it is told that it failed.
    lose: u64,
    /// The answer to this commit comes when the test lets it.
    late: u64,
    held: CancellationToken,
    let_go: CancellationToken,
    dead: CancellationToken,
}

impl FaultPlan {
    /// Counts commits; the engine dies when [`FaultPlan::kill`] is called.
    pub fn counting() -> Self {
        Self::stop_after(u64::MAX)
    }

    /// The engine dies right after that many commits: what they wrote is durable, nothing else happens.
    pub fn stop_after(commits: u64) -> Self {
        Self::planned(commits, 0, 0)
    }

    /// The answer to the commit of this number (from 1) is lost.
    pub fn losing_answer(commit: u64) -> Self {
        Self::planned(u64::MAX, commit, 0)
    }

    /// The answer to the commit of this number (from 1) waits for [`FaultPlan::let_go`].
    pub fn holding_answer(commit: u64) -> Self {
        Self::planned(u64::MAX, 0, commit)
    }

    fn planned(stop_after: u64, lose: u64, late: u64) -> Self {
        let (commits, held, let_go, dead) = Default::default();
        Self(Some(Arc::new(Planned { commits, stop_after, lose, late, held, let_go, dead })))
    }

    /// Returns when the answer is held that was to be held.
    pub async fn held(&self) {
        match &self.0 {
            Some(planned) => planned.held.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// Lets the held answer come.
    pub fn let_go(&self) {
        if let Some(planned) = &self.0 {
            planned.let_go.cancel();
        }
    }

    /// The commits so far.
    pub fn commits(&self) -> u64 {
        self.0.as_ref().map_or(0, |planned| planned.commits.load(Ordering::SeqCst))
    }

    /// The engine dies now: no node begins or answers any more, and nothing is committed.
    pub fn kill(&self) {
        if let Some(planned) = &self.0 {
            planned.dead.cancel();
        }
    }

    /// Whether the engine is dead.
    pub fn is_dead(&self) -> bool {
        self.0.as_ref().is_some_and(|planned| planned.dead.is_cancelled())
    }

    /// Returns when the engine dies.
    pub async fn dead(&self) {
        match &self.0 {
            Some(planned) => planned.dead.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// Lets the living pass; the dead stay here for ever.
    pub(super) async fn gate(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    /// Counts a commit; false when its answer is lost.
    pub(super) async fn committed(&self) -> bool {
        let Some(planned) = &self.0 else { return true };
        let count = planned.commits.fetch_add(1, Ordering::SeqCst) + 1;
        if count >= planned.stop_after {
            planned.dead.cancel();
        }
        if count == planned.late {
            planned.held.cancel();
            planned.let_go.cancelled().await;
        }
        count != planned.lose
    }
}
