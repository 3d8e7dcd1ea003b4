//! How a node says that it failed. The error is stored in the run, so it is data, not a chain of causes.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// A failure of one node. Shown to people, stored in the run, and mapped to a retry decision by its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct NodeError {
    /// What sort of failure this is; decides whether another attempt makes sense.
    pub kind: ErrorKind,
    /// Stable code in `snake_case`, for programs.
    pub code: Cow<'static, str>,
    /// One sentence for people: what went wrong and, where it helps, what to do.
    pub message: String,
    /// JSON pointer of the parameter at fault, such as `/fields/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// More facts, for example the provider's own error object. Never a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// The outside asked us not to come back before this many milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// The closed list of failure kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// A parameter is wrong; the same call will fail again.
    InvalidParams,
    /// The data that arrived is wrong; the same call will fail again.
    InvalidInput,
    /// The credential is missing, expired or lacks a permission.
    Auth,
    /// The outside asked us to slow down.
    RateLimited,
    /// The outside could not be reached or had a passing fault, and nothing was done.
    Unavailable,
    /// The outside understood and refused; trying again will not help.
    Rejected,
    /// The node took longer than its time limit.
    Timeout,
    /// The run was cancelled.
    Cancelled,
    /// The effect may or may not have happened; only evidence or a person can tell.
    UnknownOutcome,
    /// A defect in the node or the engine.
    Bug,
}

impl ErrorKind {
    /// Whether a retry policy may try this kind again.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable | Self::Timeout)
    }

    /// The kind's default code.
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidParams => "invalid_params",
            Self::InvalidInput => "invalid_input",
            Self::Auth => "auth_failed",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::Rejected => "rejected",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::UnknownOutcome => "unknown_outcome",
            Self::Bug => "bug",
        }
    }
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident),* $(,)?) => {
        $($(#[$doc])* pub fn $name(message: impl Into<String>) -> Self { Self::new(ErrorKind::$kind, message) })*
    };
}

impl NodeError {
    /// An error of `kind` with the kind's default code.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: Cow::Borrowed(kind.code()),
            message: message.into(),
            path: None,
            details: None,
            retry_after_ms: None,
        }
    }

    constructors! {
        /// A parameter is wrong.
        invalid_params => InvalidParams,
        /// The data that arrived is wrong.
        invalid_input => InvalidInput,
        /// The credential does not open the door.
        auth => Auth,
        /// Asked to slow down; see [`NodeError::retry_after`].
        rate_limited => RateLimited,
        /// Not reachable, or a passing fault.
        unavailable => Unavailable,
        /// Refused for good.
        rejected => Rejected,
        /// Took too long.
        timeout => Timeout,
        /// Stopped because the run was cancelled.
        cancelled => Cancelled,
        /// Nobody knows whether it happened.
        unknown_outcome => UnknownOutcome,
        /// A defect.
        bug => Bug,
    }

    /// The same error with a more exact code.
    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = code.into();
        self
    }

    /// The same error, pointing at a parameter (JSON pointer).
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The same error with more facts.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// The same error with the outside's wish for a pause, in milliseconds.
    #[must_use]
    pub fn retry_after(mut self, milliseconds: u64) -> Self {
        self.retry_after_ms = Some(milliseconds);
        self
    }
}
