//! What can go wrong with a record, as values that the layers above can act on.

use sluice_db::DbError;

use crate::SealError;
use crate::limits::Decision;

/// A refused or failed record operation. The source is in the chain, not in the text.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not there, or not in this workspace: the two are deliberately the same.
    #[error("there is no {kind} {id:?} in this workspace")]
    NotFound { kind: &'static str, id: String },
    /// Somebody or something else holds the name, number or state.
    #[error("{message}")]
    Conflict { message: String },
    /// A value that is not allowed; `path` is the JSON path of the offending field.
    #[error("{path}: {message}")]
    Invalid { path: String, message: String },
    /// Allowed in itself, but not now: `code` names what stands against it, such as `budget_exhausted`.
    #[error("{message}")]
    Refused { code: &'static str, message: String },
    /// Tried too often.
    #[error("too many tries; try again in {} seconds", .0.retry_after_seconds)]
    Throttled(Box<Decision>),
    /// A one-time code is wrong, too old, used up or replaced by a newer one; which of these is not said.
    #[error(
        "the code is wrong or no longer good; a code is good for one use, five tries and a short time: ask for a new one"
    )]
    CodeRefused,
    #[error("a stored secret cannot be opened")]
    Seal(#[from] SealError),
    #[error("the database refused")]
    Db(#[from] DbError),
}

impl RecordError {
    /// A constant for programs: `not_found`, `conflict`, `invalid`, `throttled`, `code_refused`, `secret_unreadable`, `database`, or
    /// that of a refusal.
    pub fn code(&self) -> &'static str {
        match self {
            RecordError::NotFound { .. } => "not_found",
            RecordError::Conflict { .. } => "conflict",
            RecordError::Invalid { .. } => "invalid",
            RecordError::Refused { code, .. } => code,
            RecordError::Throttled(_) => "throttled",
            RecordError::CodeRefused => "code_refused",
            RecordError::Seal(_) => "secret_unreadable",
            RecordError::Db(_) => "database",
        }
    }

    /// Whether the database was out of reach: the same may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        matches!(self, RecordError::Db(error) if error.is_transient())
    }

    pub(crate) fn not_found(kind: &'static str, id: &str) -> Self {
        RecordError::NotFound { kind, id: id.to_owned() }
    }

    pub(crate) fn invalid(path: &str, message: impl Into<String>) -> Self {
        RecordError::Invalid { path: path.to_owned(), message: message.into() }
    }

    pub(crate) fn refused(code: &'static str, message: impl Into<String>) -> Self {
        RecordError::Refused { code, message: message.into() }
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        RecordError::Conflict { message: message.into() }
    }
}
