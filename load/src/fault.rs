//! What can go wrong with a measurement. Must not know what is measured.

use sluice_db::DbError;

/// Why a measurement or a chaos run could not be carried through. A rule that a chaos run found broken, or a target
/// that was missed, is a result and not one of these.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The operating system, a file or a socket.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The server answered something else than what the measurement needs.
    #[error("{what} was answered {status}: {body}")]
    Refused {
        /// What was asked.
        what: String,
        /// Its HTTP status.
        status: u16,
        /// Its body, cut.
        body: String,
    },
    /// A process did not do in time what was expected.
    #[error("{0}")]
    Late(String),
    /// The database of a limit probe.
    #[error("database: {0}")]
    Database(#[from] DbError),
    /// Anything that the caller must put right.
    #[error("{0}")]
    Usage(String),
}

/// Result of everything that can end a measurement.
pub(crate) type Tried<T> = Result<T, Fault>;

/// Adds what was tried to an error of the operating system.
pub(crate) trait While<T> {
    /// Names what was tried.
    fn while_trying(self, what: impl FnOnce() -> String) -> Tried<T>;
}

impl<T> While<T> for std::io::Result<T> {
    fn while_trying(self, what: impl FnOnce() -> String) -> Tried<T> {
        self.map_err(|source| Fault::Io { what: what(), source })
    }
}

/// An error with its causes, in one line.
pub(crate) fn explain(fault: &dyn std::error::Error) -> String {
    let mut text = fault.to_string();
    let mut next = fault.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
