//! What can go wrong in the store. Must not know HTTP.

use sluice_db::DbError;

/// A failure of the store. What is merely absent is an `Option`, and what lost a race is a value.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed or refused.
    #[error("the store cannot use its database")]
    Db(#[from] DbError),
    /// The place of large bodies failed; it may work later.
    #[error("the store cannot use its payloads")]
    Payloads(#[from] super::PayloadError),
    /// Something stored cannot be read back: a defect, or a database changed by hand.
    #[error("{what} of {id} cannot be read; restore it from a backup, or delete it")]
    Corrupt {
        /// What is damaged, such as `events`.
        what: &'static str,
        /// Whose it is.
        id: String,
    },
    /// The draft was saved by someone else since it was read.
    #[error("the draft is at revision {current_revision} by now; read it again and repeat the change")]
    Conflict {
        /// The revision that is stored.
        current_revision: i64,
    },
    /// Another workflow of the workspace has this name.
    #[error("another workflow of this workspace has this name; choose a different one")]
    NameTaken,
    /// Another published webhook trigger of the workspace has this path.
    #[error("the webhook path {path:?} is taken by the workflow {workflow:?}; choose a different path")]
    PathTaken {
        /// The path.
        path: String,
        /// Name of the workflow that has it.
        workflow: String,
    },
    /// What is to be changed does not exist.
    #[error("there is no such workflow in this workspace")]
    NotFound,
    /// A cursor that no list gave out.
    #[error("the cursor is not one that this list gave; start again without a cursor")]
    BadCursor,
}
