//! One problem of a workflow document.

use serde::{Deserialize, Serialize};

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The workflow cannot be published or run.
    Error,
    /// It can, but probably does not do what was meant.
    Warning,
}

/// Something wrong with a document: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// Stable code.
    pub code: String,
    /// Id of the node concerned, if there is one.
    pub node: Option<String>,
    /// JSON pointer into the document.
    pub path: String,
    /// One sentence for people.
    pub message: String,
    /// How bad it is.
    pub severity: Severity,
}

impl Problem {
    /// An error at a path of the document.
    pub fn error(code: &str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            node: None,
            path: path.into(),
            message: message.into(),
            severity: Severity::Error,
        }
    }

    /// A warning at a path of the document.
    pub fn warning(code: &str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, path, message) }
    }

    /// The same problem, said of a node.
    #[must_use]
    pub fn of(mut self, node: &str) -> Self {
        self.node = Some(node.to_owned());
        self
    }
}
