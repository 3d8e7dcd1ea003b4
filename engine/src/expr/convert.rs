//! Between Rhai values and JSON, and from values to text.

use rhai::{Array, Dynamic, ImmutableString, Map};
use serde_json::{Number, Value};

use super::failure::Failure;
use super::view::{JsonView, Seen};

/// Deepest nesting of a result; serde_json refuses to read deeper JSON anyway.
pub(crate) const MAX_DEPTH: usize = 120;

/// Why a value has no JSON form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotJson {
    /// Infinite or not a number.
    NotFinite,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// A function, range or other thing without a JSON form.
    NoForm,
}

impl NotJson {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::NotFinite => "the result is not a finite number",
            Self::TooDeep => "the result is nested deeper than 120 levels",
            Self::NoForm => "the result is a function or a range, which has no JSON form",
        }
    }
}

/// The JSON form of a Rhai value; views are copied once here.
pub(crate) fn to_value(value: Dynamic) -> Result<Value, NotJson> {
    nested_to_value(value, 0)
}

fn nested_to_value(value: Dynamic, depth: usize) -> Result<Value, NotJson> {
    if depth > MAX_DEPTH {
        return Err(NotJson::TooDeep);
    }
    let value = value.flatten();
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(integer) = value.as_int() {
        return Ok(Value::from(integer));
    }
    if let Ok(float) = value.as_float() {
        return Number::from_f64(float).map(Value::Number).ok_or(NotJson::NotFinite);
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(character) = value.as_char() {
        return Ok(Value::String(character.to_string()));
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return Ok(Value::String(text.to_string()));
    }
    if let Some(view) = value.read_lock::<JsonView>() {
        return Ok(view.to_value());
    }
    if value.is_array() {
        let list = value.into_array().map_err(|_| NotJson::NoForm)?;
        return list.into_iter().map(|item| nested_to_value(item, depth + 1)).collect();
    }
    if value.is_map() {
        let map = value.try_cast::<Map>().ok_or(NotJson::NoForm)?;
        return map
            .into_iter()
            .map(|(key, item)| Ok((key.to_string(), nested_to_value(item, depth + 1)?)))
            .collect::<Result<serde_json::Map<_, _>, _>>()
            .map(Value::Object);
    }
    if let Some(node) = value.read_lock::<super::frame::NodeHandle>() {
        return Ok(node.view.json.as_ref().clone());
    }
    if let Some(caught) = value.read_lock::<Failure>() {
        // What a script's `catch (error)` holds.
        return Ok(Value::String(caught.message.clone()));
    }
    range_to_list(&value).ok_or(NotJson::NoForm)
}

/// Longest range that is written out as a list.
const MAX_RANGE: i64 = 100_000;

fn range_to_list(value: &Dynamic) -> Option<Value> {
    let bounds = range_bounds(value)?;
    ((bounds.1 - bounds.0) <= MAX_RANGE).then(|| (bounds.0..bounds.1).map(Value::from).collect())
}

/// Start and end (exclusive) of a Rhai range.
pub(crate) fn range_bounds(value: &Dynamic) -> Option<(i64, i64)> {
    if let Some(range) = value.read_lock::<std::ops::Range<i64>>() {
        return Some((range.start, range.end.max(range.start)))
            .filter(|(start, end)| end.checked_sub(*start).is_some());
    }
    let range = value.read_lock::<std::ops::RangeInclusive<i64>>()?;
    let end = range.end().checked_add(1)?.max(*range.start());
    end.checked_sub(*range.start()).map(|_| (*range.start(), end))
}

/// A native Rhai value of owned JSON.
pub(crate) fn from_value(value: Value) -> Dynamic {
    JsonView::open(std::sync::Arc::new(value))
}

/// Appends a JSON value as text: null is empty, text is itself, lists and objects are JSON.
pub(crate) fn push_text(out: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::String(text) => out.push_str(text),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => push_float(out, float),
            None => push_display(out, number),
        },
        Value::Array(_) | Value::Object(_) => push_display(out, value),
    }
}

/// A float as a person writes it: whole numbers without a fraction.
pub(crate) fn push_float(out: &mut String, float: f64) {
    if float.fract() == 0.0 && float.abs() < 1e15 {
        // The conversion is exact: whole and far below 2^53.
        push_display(out, float as i64);
    } else {
        push_display(out, float);
    }
}

pub(crate) fn push_display(out: &mut String, value: impl std::fmt::Display) {
    use std::fmt::Write;
    write!(out, "{value}").expect("writing to a String cannot fail");
}

/// Appends a Rhai value as text by the same rules as [`push_text`].
pub(crate) fn push_dynamic_text(out: &mut String, value: &Dynamic) -> Result<(), NotJson> {
    if value.is_unit() {
        return Ok(());
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        out.push_str(&text);
    } else if let Ok(character) = value.as_char() {
        out.push(character);
    } else if let Ok(integer) = value.as_int() {
        push_display(out, integer);
    } else if let Ok(float) = value.as_float() {
        push_float(out, float);
    } else if let Ok(flag) = value.as_bool() {
        out.push_str(if flag { "true" } else { "false" });
    } else if let Some(Seen::Json(seen)) = value.read_lock::<JsonView>().as_deref().map(JsonView::seen) {
        push_text(out, seen);
    } else {
        push_text(out, &to_value(value.clone())?);
    }
    Ok(())
}

/// The text of a value by the rules of [`push_text`].
pub(crate) fn dynamic_text(value: &Dynamic) -> Result<String, NotJson> {
    let mut out = String::new();
    push_dynamic_text(&mut out, value)?;
    Ok(out)
}

/// What a value is, in the words of error messages.
pub(crate) fn kind_of(value: &Dynamic) -> &'static str {
    if value.is_unit() {
        "null"
    } else if value.is_int() || value.is_float() {
        "a number"
    } else if value.is_string() || value.is_char() {
        "text"
    } else if value.is_bool() {
        "true/false"
    } else if value.is_array() {
        "a list"
    } else if value.is_map() {
        "an object"
    } else if value.is_fnptr() {
        "a function"
    } else if let Some(view) = value.read_lock::<JsonView>() {
        match view.seen() {
            Seen::Items(_) | Seen::Json(Value::Array(_)) => "a list",
            Seen::Json(Value::Object(_)) => "an object",
            Seen::Json(_) => "a number",
        }
    } else if value.read_lock::<super::frame::NodeHandle>().is_some() {
        "a node"
    } else {
        "a range"
    }
}

/// A list as Rhai values, whether native, a view or a range; `None` for anything else.
pub(crate) fn list_of(value: &Dynamic) -> Option<Array> {
    if let Some(view) = value.read_lock::<JsonView>() {
        return view.elements();
    }
    if let Some(list) = value.read_lock::<Array>() {
        return Some(list.clone());
    }
    let (start, end) = range_bounds(value)?;
    (end - start <= MAX_RANGE).then(|| (start..end).map(Dynamic::from_int).collect())
}
