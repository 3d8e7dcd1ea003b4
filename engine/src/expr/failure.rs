//! How native functions and operators report a failure through Rhai.

use rhai::{Dynamic, EvalAltResult, Position};

use super::convert::NotJson;
use super::error::ExprErrorKind;
use super::frame::Stop;

/// A failure with its kind, carried as the value of Rhai's run-time error.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) kind: ExprErrorKind,
    pub(crate) message: String,
}

/// What native functions return.
pub(crate) type Outcome<T = Dynamic> = Result<T, Box<EvalAltResult>>;

pub(crate) fn failure(kind: ExprErrorKind, message: impl Into<String>) -> Box<EvalAltResult> {
    let value = Dynamic::from(Failure { kind, message: message.into() });
    Box::new(EvalAltResult::ErrorRuntime(value, Position::NONE))
}

/// A value of the wrong type.
pub(crate) fn wrong_type(message: impl Into<String>) -> Box<EvalAltResult> {
    failure(ExprErrorKind::Type, message)
}

/// A function that refuses its arguments.
pub(crate) fn refused(message: impl Into<String>) -> Box<EvalAltResult> {
    failure(ExprErrorKind::Function, message)
}

/// Something that does not exist.
pub(crate) fn undefined(message: impl Into<String>) -> Box<EvalAltResult> {
    failure(ExprErrorKind::Undefined, message)
}

/// A bound that was reached.
pub(crate) fn over_limit(message: impl Into<String>) -> Box<EvalAltResult> {
    failure(ExprErrorKind::Limit, message)
}

/// Counts work done by a native function.
pub(crate) fn charge(amount: usize) -> Outcome<()> {
    super::frame::charge(amount as u64).map_err(|stop| over_limit(stop_message(stop)))
}

/// Counts memory taken by a native function: about one operation per 64 bytes, and the bytes
/// themselves against the evaluation's total.
pub(crate) fn charge_bytes(bytes: usize) -> Outcome<()> {
    charge(bytes / 64)?;
    super::frame::charge_bytes(bytes as u64).map_err(|stop| over_limit(stop_message(stop)))
}

pub(crate) fn stop_message(stop: Stop) -> &'static str {
    match stop {
        Stop::Operations => "too many operations",
        Stop::Time => "took too long",
        Stop::Memory => "made too much data",
    }
}

impl From<NotJson> for Box<EvalAltResult> {
    fn from(reason: NotJson) -> Self {
        wrong_type(reason.message())
    }
}
