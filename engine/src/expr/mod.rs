//! The expression system: `{{ expression }}` in parameter texts, and scripts, both in Rhai.
//!
//! Texts are compiled once ([`Expressions::compile_value`]) and resolved per item against a
//! [`Scope`]. JSON is viewed, not copied. Every evaluation is bounded and does no input or output.
//! This module must not know runs, graphs, storage or nodes; whoever calls it adds node and
//! parameter to its errors. See `docs/expressions.md` for the language.

mod convert;
mod engine;
mod error;
mod failure;
mod fast;
mod frame;
mod functions;
mod lexer;
mod limits;
mod ops;
mod params;
mod program;
mod scope;
mod template;
mod translate;
mod view;

#[cfg(test)]
mod tests;

pub use error::{ExprError, ExprErrorKind, ParamError};
pub use functions::{FunctionDoc, functions};
pub use limits::ExprLimits;
pub use params::CompiledParams;
pub use scope::{NodeView, Scope, ScopeError, VariableDoc, variables};
pub use template::{Expressions, Part, Site, Template};
