//! Why the engine could not do what it was asked. Must not know how callers are told.

use crate::core::Refusal;
use crate::graph::Problem;
use crate::store::StoreError;
use sluice_node_sdk::error::NodeError;

/// Why the engine could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The document has problems that prevent it from running or being published.
    #[error("the workflow has {} problem(s)", .0.len())]
    Problems(Vec<Problem>),
    /// No workflow, version, run or node of that name.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Its id or name.
        id: String,
    },
    /// The workflow has no trigger that fits.
    #[error("the workflow has no {0} trigger")]
    NoTrigger(String),
    /// The workflow is not published.
    #[error("the workflow `{0}` is not published")]
    NotPublished(String),
    /// The trigger declined the event or failed on it.
    #[error("the trigger failed: {0}")]
    Trigger(NodeError),
    /// A run with the same deduplication key exists.
    #[error("this event was accepted before")]
    Duplicate,
    /// The command does not fit the state of the run.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The run exists, and did not answer: the one that drives it could not be reached in time. What it was asked may
    /// still be done.
    #[error("the run `{0}` did not answer in time; what it was asked may still be done")]
    Unanswered(String),
    /// Nothing waits for the signal.
    #[error("nothing waits for the signal `{0}`")]
    NotWaiting(String),
    /// Too many runs would wait for each other.
    #[error(
        "more than {} workflows call each other in a chain; does one call itself?",
        super::children::DEEPEST_CALL
    )]
    CallTooDeep,
    /// More work waits than may wait.
    #[error("more runs are waiting to be driven than this installation takes ({waiting}); try again later")]
    Overloaded {
        /// Runs that wait.
        waiting: u64,
    },
    /// The workspace is suspended: nothing starts there.
    #[error("the workspace is suspended")]
    WorkspaceClosed,
    /// The engine is shutting down.
    #[error("the engine is shutting down")]
    ShuttingDown,
}

impl EngineError {
    /// Whether the same may be taken in a moment, without anybody's doing.
    pub fn is_passing(&self) -> bool {
        match self {
            EngineError::Store(StoreError::Db(error)) => error.is_transient(),
            EngineError::Store(StoreError::Payloads(_))
            | EngineError::Unanswered(_)
            | EngineError::Overloaded { .. } => true,
            _ => false,
        }
    }

    /// Whether nothing is settled by it: whoever asked has to ask again, this process or the next.
    pub(super) fn leaves_open(&self) -> bool {
        self.is_passing() || matches!(self, EngineError::ShuttingDown)
    }
}
