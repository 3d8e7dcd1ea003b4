//! Values of the short cut: borrowed from JSON wherever possible.

use std::borrow::Cow;

use serde_json::{Number, Value};

use crate::expr::convert::{push_display, push_float, push_text};
use crate::expr::ops::{self, Num};

/// A value while it is being worked on.
#[derive(Debug)]
pub(super) enum Seen<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// A whole number beyond `i64`.
    Big(&'a Number),
    Text(Cow<'a, str>),
    /// A list or object.
    Tree(&'a Value),
}

/// Longest text put together here; longer ones are Rhai's, which counts memory.
const MAX_TEXT: usize = 64 << 10;

impl<'a> Seen<'a> {
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::Int(integer),
                None if number.is_u64() => Self::Big(number),
                None => number.as_f64().map_or(Self::Null, Self::Float),
            },
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(_) | Value::Object(_) => Self::Tree(value),
        }
    }

    pub(super) fn from_number(number: Num) -> Self {
        match number {
            Num::Int(integer) => Self::Int(integer),
            Num::Float(float) => Self::Float(float),
        }
    }

    /// The number, for arithmetic. Numbers beyond `i64` are left to Rhai.
    pub(super) fn number(&self) -> Option<Num> {
        match self {
            Self::Int(integer) => Some(Num::Int(*integer)),
            Self::Float(float) => Some(Num::Float(*float)),
            _ => None,
        }
    }

    pub(super) fn flag(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// `a + b` for numbers, and for text with anything.
    pub(super) fn plus(self, other: Self) -> Option<Self> {
        if let (Some(a), Some(b)) = (self.number(), other.number()) {
            return ops::sum(a, b).map(Self::from_number);
        }
        if !matches!(self, Self::Text(_)) && !matches!(other, Self::Text(_)) {
            return None;
        }
        let mut text = match self {
            Self::Text(text) => text.into_owned(),
            scalar => {
                let mut text = String::new();
                scalar.push_text(&mut text)?;
                text
            }
        };
        other.push_text(&mut text)?;
        (text.len() <= MAX_TEXT).then_some(Self::Text(Cow::Owned(text)))
    }

    /// Appends as text by the rules of templates; `None` for floats without a JSON form.
    pub(super) fn push_text(&self, out: &mut String) -> Option<()> {
        match self {
            Self::Null => {}
            Self::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Int(integer) => push_display(out, integer),
            Self::Float(float) if float.is_finite() => push_float(out, *float),
            Self::Float(_) => return None,
            Self::Big(number) => push_display(out, number),
            Self::Text(text) => out.push_str(text),
            Self::Tree(value) => push_text(out, value),
        }
        Some(())
    }

    /// The JSON form; `None` for floats without one.
    pub(super) fn into_value(self) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Int(integer) => Value::from(integer),
            Self::Float(float) => Value::Number(Number::from_f64(float)?),
            Self::Big(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.into_owned()),
            Self::Tree(value) => value.clone(),
        })
    }
}
