//! Reading the arguments of functions, with errors that name the function and what it got.

use rhai::{Array, Dynamic, ImmutableString, Map};

use crate::expr::convert::{kind_of, list_of};
use crate::expr::failure::{Outcome, charge, wrong_type};
use crate::expr::ops::{self, Num};

/// A text argument; characters count as text.
pub(super) fn text(function: &str, value: &Dynamic) -> Outcome<ImmutableString> {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return Ok(text.clone());
    }
    match value.as_char() {
        Ok(character) => Ok(character.to_string().into()),
        Err(_) => Err(needs(function, "text", value)),
    }
}

/// A number argument.
pub(super) fn number(function: &str, value: &Dynamic) -> Outcome<Num> {
    ops::number(value).ok_or_else(|| needs(function, "a number", value))
}

/// A whole number argument; a decimal without fraction counts.
pub(super) fn whole(function: &str, value: &Dynamic) -> Outcome<i64> {
    match number(function, value)? {
        Num::Int(integer) => Ok(integer),
        Num::Float(float) if float.fract() == 0.0 && float.abs() < 9e15 => Ok(float as i64),
        Num::Float(float) => Err(wrong_type(format!("{function}() needs a whole number, not {float}"))),
    }
}

/// A count that is not negative.
pub(super) fn count(function: &str, value: &Dynamic) -> Outcome<usize> {
    let whole = whole(function, value)?;
    usize::try_from(whole)
        .map_err(|_| wrong_type(format!("{function}() needs a number of at least 0, not {whole}")))
}

/// A list argument, moved out when it is a native list. Its length is charged.
pub(super) fn list(function: &str, value: Dynamic) -> Outcome<Array> {
    let value = value.flatten();
    let list = if value.is_array() {
        value.into_array().unwrap_or_default()
    } else {
        list_of(&value).ok_or_else(|| needs(function, "a list", &value))?
    };
    charge(list.len())?;
    Ok(list)
}

/// An object argument. Its size is charged.
pub(super) fn object(function: &str, value: &Dynamic) -> Outcome<Map> {
    let object = ops::object_of(value).ok_or_else(|| needs(function, "an object", value))?;
    charge(object.len())?;
    Ok(object)
}

/// The error for an argument of the wrong type.
pub(super) fn needs(function: &str, wanted: &str, found: &Dynamic) -> Box<rhai::EvalAltResult> {
    wrong_type(format!("{function}() needs {wanted}, not {}", kind_of(found)))
}
