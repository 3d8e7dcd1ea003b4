//! The functions expressions can call, one file per family, and their documentation as data.

use rhai::Engine;

/// Documentation of one function, for the docs and the studio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct FunctionDoc {
    /// Family: `text`, `numbers`, `dates`, `lists`, `objects`, `phone`, `json`, `other`.
    pub group: &'static str,
    /// Name as written in an expression.
    pub name: &'static str,
    /// Arguments, optional ones in square brackets.
    pub signature: &'static str,
    /// What it does, one or two sentences.
    pub help: &'static str,
    /// An expression that uses it.
    pub example: &'static str,
    /// The example's result as JSON.
    pub result: &'static str,
}

/// Every function, grouped by family.
pub fn functions() -> &'static [FunctionDoc] {
    &[]
}

/// Registers every function on `engine`.
pub(crate) fn register(engine: &mut Engine) {
    let _ = engine;
}
