//! What a node finds wrong with its own parameters before anything runs. Must not know documents: the
//! validator adds node and place.

use serde::{Deserialize, Serialize};

/// One problem of a node's parameters, found by [`crate::node::Node::check`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParamProblem {
    /// JSON pointer inside the parameters, such as `/buttons/0/title`.
    pub pointer: String,
    /// Stable code in `snake_case`.
    pub code: String,
    /// One sentence for people: what is wrong and what to do.
    pub message: String,
    /// The workflow can be published all the same.
    pub is_warning: bool,
}

impl ParamProblem {
    /// A problem that stands in the way of publishing.
    pub fn error(pointer: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.to_owned(), message: message.into(), is_warning: false }
    }

    /// A problem that does not.
    pub fn warning(pointer: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self { is_warning: true, ..Self::error(pointer, code, message) }
    }
}
