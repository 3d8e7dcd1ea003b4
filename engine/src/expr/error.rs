//! What can go wrong with an expression, as data: kind, message, expression and place.
//! Knows nothing of Rhai (see `translate`) nor of workflows: callers add node and parameter.

use serde::Serialize;

/// The class of an expression failure. Closed, so that callers may branch on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExprErrorKind {
    /// The text is not a well-formed expression.
    Syntax,
    /// A variable, function, node or property that does not exist.
    Undefined,
    /// A value of the wrong type.
    Type,
    /// A bound (operations, depth, size, time) was reached.
    Limit,
    /// A function refused its arguments.
    Function,
}

impl ExprErrorKind {
    /// Stable code for this kind, as shown to users and in logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Syntax => "expression_syntax",
            Self::Undefined => "expression_undefined",
            Self::Type => "expression_type",
            Self::Limit => "expression_limit",
            Self::Function => "expression_function",
        }
    }
}

/// A failure of one expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{message} (column {column} in `{expression}`)")]
pub struct ExprError {
    /// Class of the failure.
    pub kind: ExprErrorKind,
    /// What is wrong, in words, naming what was undefined or of which type.
    pub message: String,
    /// The expression between the braces, trimmed, shortened when long.
    pub expression: String,
    /// 1-based line inside the parameter text.
    pub line: u32,
    /// 1-based column (characters) inside that line of the parameter text.
    pub column: u32,
    /// JSON pointer of the parameter inside the parameters; empty for a lone text.
    pub pointer: String,
}

/// A compile error inside a tree of parameters: the same as [`ExprError`] with its pointer filled in.
pub type ParamError = ExprError;

/// Longest excerpt of an expression kept in an error, in characters.
const EXCERPT_CHARS: usize = 200;

impl ExprError {
    /// An error at a place of `expression`.
    pub(crate) fn new(
        kind: ExprErrorKind,
        message: impl Into<String>,
        expression: &str,
        place: TextPlace,
    ) -> Self {
        Self {
            kind,
            message: message.into(),
            expression: excerpt(expression),
            line: place.line,
            column: place.column,
            pointer: String::new(),
        }
    }

    /// Adds the JSON pointer of the parameter.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        self.pointer = pointer.to_owned();
        self
    }
}

fn excerpt(expression: &str) -> String {
    let trimmed = expression.trim();
    let mut kept: String = trimmed.chars().take(EXCERPT_CHARS).collect();
    if kept.len() < trimmed.len() {
        kept.push('…');
    }
    kept
}

/// A place in a text, both counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextPlace {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl TextPlace {
    /// The first character.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// The place of byte `offset` in `text`.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: count(before.bytes().filter(|byte| *byte == b'\n').count()) + 1,
            column: count(before[line_start..].chars().count()) + 1,
        }
    }

    /// `inner` is a place in a text that itself starts here.
    pub(crate) fn plus(self, inner: Self) -> Self {
        if inner.line <= 1 {
            Self { line: self.line, column: self.column + inner.column.max(1) - 1 }
        } else {
            Self { line: self.line + inner.line - 1, column: inner.column }
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX - 1)
}
