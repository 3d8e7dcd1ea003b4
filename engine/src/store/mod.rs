//! Runs, events, waits, workflows and triggers in SQLite or PostgreSQL, behind one type. SQL lives here
//! and nowhere else in the engine. Must not know decisions.
//!
//! - [`commit`](Store::commit) is the only writer of runs: fenced by the number of turns, in a transaction that
//!   `writer` shares among all who commit at the time, by the statements in `rows`.
//! - `runs` and `events` load what was committed and find runs that need attention; `waits` finds who waits.
//! - `payloads` keeps large bodies of events out of line; `prune` deletes what has been kept long enough, `erase` what
//!   tells of somebody.
//! - `claims`, `runners` and `messages` share the work among processes.
//! - `receipts` knows which signals were taken; `attention` counts and clears what people must look at.
//! - `changes` tells a log of the host's who changed what.
//! - `usage` counts what runs use, and the runs.
//! - `query` lists runs for people; `workflows`, `publish`, `triggers` and `schedules` keep what runs are made of.
//!
//! Every statement is one text for both engines and is run on both by a test beside it.

mod at_once;
mod attention;
mod batch;
mod bulk;
mod changes;
mod claims;
mod codec;
mod columns;
mod commit;
mod compress;
mod cursor;
mod erase;
mod error;
mod events;
mod messages;
mod one_statement;
pub mod payloads;
mod prune;
mod publish;
mod query;
mod receipts;
mod rows;
mod runners;
mod runs;
mod schedules;
mod triggers;
pub mod types;
mod usage;
mod waits;
mod workflows;
mod writer;

#[cfg(test)]
mod tests;

pub use changes::{Change, ChangeLog, Logged, Signature};
pub use claims::{Claimed, Driven, Wanted};
pub use codec::MAX_DEPTH;
pub use erase::{Found, SeenRun};
pub use error::StoreError;
pub use messages::{OpenMessage, RunMessage};
pub use payloads::{PayloadError, Payloads};
pub use prune::{Deleted, EndedRun, Swept};
pub use publish::Publication;
pub use query::StatusCount;
pub use receipts::Receipt;
pub use runners::RunnerRow;
pub use types::*;
pub use workflows::{DraftChange, NewWorkflow};
pub use writer::Backlog;

use sluice_db::{Db, Dialect};
use std::sync::Arc;
use writer::Writer;

/// What the engine keeps. Cloning is cheap and shares the connections.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
    writer: Arc<Writer>,
    payloads: Option<Payloads>,
    log: changes::Log,
    signature: Signature,
}

impl Store {
    /// A store in an open and migrated database, with everything in it.
    pub fn new(db: Db) -> Self {
        let writer = Writer::new(db.clone(), changes::Log::default());
        Self { db, writer, payloads: None, log: changes::Log::default(), signature: Signature::default() }
    }

    /// The same store, whose changes are written into a log. To be set before the store is used.
    #[must_use]
    pub fn with_log(self, log: Arc<dyn ChangeLog>) -> Self {
        let log = changes::Log(Some(log));
        Self { writer: Writer::new(self.db.clone(), log.clone()), log, ..self }
    }

    /// Which database keeps it.
    pub fn dialect(&self) -> Dialect {
        self.db.dialect()
    }

    /// What waits to be written at this moment: the measure of whether more work should be accepted.
    pub fn backlog(&self) -> Backlog {
        self.writer.backlog()
    }
}
