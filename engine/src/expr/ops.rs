//! The meaning of operators, once for all types. Rhai's own are replaced because they divide
//! integers without a remainder, know no JSON views and call many mixed operands "not found".

use std::cmp::Ordering;

use rhai::{Array, Dynamic, Engine, ImmutableString, Map};
use serde_json::Value;

use super::convert::{MAX_DEPTH, kind_of, list_of, push_dynamic_text, range_bounds};
use super::error::ExprErrorKind;
use super::failure::{Outcome, charge, charge_bytes, failure, refused, wrong_type};
use super::view::{JsonView, Seen};

/// Registers every operator on `engine`.
pub(crate) fn register(engine: &mut Engine) {
    engine.register_fn("+", |a: Dynamic, b: Dynamic| add(&a, &b));
    engine.register_fn("-", |a: Dynamic, b: Dynamic| arithmetic(Arithmetic::Subtract, &a, &b));
    engine.register_fn("*", |a: Dynamic, b: Dynamic| arithmetic(Arithmetic::Multiply, &a, &b));
    engine.register_fn("/", |a: Dynamic, b: Dynamic| arithmetic(Arithmetic::Divide, &a, &b));
    engine.register_fn("%", |a: Dynamic, b: Dynamic| arithmetic(Arithmetic::Remainder, &a, &b));
    engine.register_fn("**", |a: Dynamic, b: Dynamic| arithmetic(Arithmetic::Power, &a, &b));
    engine.register_fn("-", |a: Dynamic| negate(&a));
    engine.register_fn("+", |a: Dynamic| plus(&a));
    engine.register_fn("!", |a: Dynamic| not(&a));
    engine.register_fn("==", |a: Dynamic, b: Dynamic| equal(&a, &b));
    engine.register_fn("!=", |a: Dynamic, b: Dynamic| equal(&a, &b).map(|same| !same));
    for (sign, holds) in [
        ("<", Ordering::is_lt as fn(Ordering) -> bool),
        ("<=", Ordering::is_le),
        (">", Ordering::is_gt),
        (">=", Ordering::is_ge),
    ] {
        engine.register_fn(sign, move |a: Dynamic, b: Dynamic| -> Outcome<bool> {
            Ok(compare(sign, &a, &b)?.is_some_and(holds))
        });
    }
    engine.register_fn("contains", |a: Dynamic, b: Dynamic| contains(&a, &b));
    engine.register_fn("+=", |a: &mut Dynamic, b: Dynamic| assign_sum(a, b));
    for (name, how) in [
        ("-=", Arithmetic::Subtract),
        ("*=", Arithmetic::Multiply),
        ("/=", Arithmetic::Divide),
        ("%=", Arithmetic::Remainder),
        ("**=", Arithmetic::Power),
    ] {
        engine.register_fn(name, move |a: &mut Dynamic, b: Dynamic| -> Outcome<()> {
            *a = arithmetic(how, a, &b)?;
            Ok(())
        });
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

impl Arithmetic {
    fn sign(self) -> &'static str {
        match self {
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Power => "**",
        }
    }
}

/// A number as operators see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Num {
    Int(i64),
    Float(f64),
}

impl Num {
    pub(crate) fn float(self) -> f64 {
        match self {
            Self::Int(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }

    pub(crate) fn into_dynamic(self) -> Dynamic {
        match self {
            Self::Int(integer) => Dynamic::from_int(integer),
            Self::Float(float) => Dynamic::from_float(float),
        }
    }
}

/// The number in a value; numbers beyond `i64` become floats.
pub(crate) fn number(value: &Dynamic) -> Option<Num> {
    if let Ok(integer) = value.as_int() {
        return Some(Num::Int(integer));
    }
    if let Ok(float) = value.as_float() {
        return Some(Num::Float(float));
    }
    match value.read_lock::<JsonView>()?.seen() {
        Seen::Json(Value::Number(number)) => number.as_f64().map(Num::Float),
        _ => None,
    }
}

/// Integer and float arithmetic. `None` on division by zero or integer overflow.
pub(crate) fn calculate(how: Arithmetic, a: Num, b: Num) -> Option<Num> {
    if let (Num::Int(a), Num::Int(b)) = (a, b) {
        return match how {
            Arithmetic::Subtract => a.checked_sub(b).map(Num::Int),
            Arithmetic::Multiply => a.checked_mul(b).map(Num::Int),
            Arithmetic::Divide if b == 0 => None,
            // A quotient that is not whole becomes a float: 1 / 2 is 0.5.
            Arithmetic::Divide => match a.checked_rem(b) {
                Some(0) => a.checked_div(b).map(Num::Int),
                _ => Some(Num::Float(a as f64 / b as f64)),
            },
            Arithmetic::Remainder if b == 0 => None,
            Arithmetic::Remainder => Some(Num::Int(a.checked_rem(b).unwrap_or(0))),
            Arithmetic::Power => match u32::try_from(b) {
                Ok(exponent) => a.checked_pow(exponent).map(Num::Int),
                Err(_) => Some(Num::Float((a as f64).powf(b as f64))),
            },
        };
    }
    let (a, b) = (a.float(), b.float());
    match how {
        Arithmetic::Subtract => Some(Num::Float(a - b)),
        Arithmetic::Multiply => Some(Num::Float(a * b)),
        Arithmetic::Divide => (b != 0.0).then(|| Num::Float(a / b)),
        Arithmetic::Remainder => (b != 0.0).then(|| Num::Float(a % b)),
        Arithmetic::Power => Some(Num::Float(a.powf(b))),
    }
}

fn arithmetic(how: Arithmetic, a: &Dynamic, b: &Dynamic) -> Outcome {
    let (Some(left), Some(right)) = (number(a), number(b)) else { return Err(mismatch(how.sign(), a, b)) };
    calculate(how, left, right).map(Num::into_dynamic).ok_or_else(|| match how {
        Arithmetic::Divide | Arithmetic::Remainder => refused("cannot divide by zero"),
        _ => too_large(),
    })
}

fn too_large() -> Box<rhai::EvalAltResult> {
    failure(ExprErrorKind::Limit, "the number is too large for a whole number; use a decimal such as 1.0")
}

fn mismatch(sign: &str, a: &Dynamic, b: &Dynamic) -> Box<rhai::EvalAltResult> {
    wrong_type(format!("`{sign}` cannot be used with {} and {}", kind_of(a), kind_of(b)))
}

/// Sum of numbers. `None` on integer overflow.
pub(crate) fn sum(a: Num, b: Num) -> Option<Num> {
    match (a, b) {
        (Num::Int(a), Num::Int(b)) => a.checked_add(b).map(Num::Int),
        (a, b) => Some(Num::Float(a.float() + b.float())),
    }
}

fn is_text(value: &Dynamic) -> bool {
    value.is_string() || value.is_char()
}

fn add(a: &Dynamic, b: &Dynamic) -> Outcome {
    if let (Some(left), Some(right)) = (number(a), number(b)) {
        return sum(left, right).map(Num::into_dynamic).ok_or_else(too_large);
    }
    if is_text(a) || is_text(b) {
        let mut text = String::new();
        push_dynamic_text(&mut text, a)?;
        push_dynamic_text(&mut text, b)?;
        charge_bytes(text.len())?;
        return Ok(text.into());
    }
    if let (Some(mut left), Some(right)) = (list_of(a), list_of(b)) {
        charge(left.len() + right.len())?;
        left.extend(right);
        return Ok(left.into());
    }
    if let (Some(mut left), Some(right)) = (object_of(a), object_of(b)) {
        charge(left.len() + right.len())?;
        left.extend(right);
        return Ok(left.into());
    }
    Err(mismatch("+", a, b))
}

/// An object as a Rhai map, whether native or a view; `None` for anything else.
pub(crate) fn object_of(value: &Dynamic) -> Option<Map> {
    if let Some(view) = value.read_lock::<JsonView>() {
        return Some(view.entries()?.into_iter().map(|(key, item)| (key.into(), item)).collect());
    }
    value.read_lock::<Map>().map(|map| map.clone())
}

/// `a += b`, in place where that avoids copying `a` again and again in a loop.
fn assign_sum(a: &mut Dynamic, b: Dynamic) -> Outcome<()> {
    if let Some(mut list) = a.write_lock::<Array>() {
        match list_of(&b) {
            Some(more) => {
                charge(more.len())?;
                list.extend(more);
            }
            None => return Err(wrong_type(format!("`+=` cannot add {} to a list; use push()", kind_of(&b)))),
        }
        return Ok(());
    }
    if let Some(mut text) = a.write_lock::<ImmutableString>() {
        let mut tail = String::new();
        push_dynamic_text(&mut tail, &b)?;
        charge_bytes(tail.len())?;
        text.make_mut().push_str(&tail);
        return Ok(());
    }
    *a = add(a, &b)?;
    Ok(())
}

fn negate(value: &Dynamic) -> Outcome {
    match number(value) {
        Some(Num::Int(integer)) => integer.checked_neg().map(Dynamic::from_int).ok_or_else(too_large),
        Some(Num::Float(float)) => Ok((-float).into()),
        None => Err(wrong_type(format!("`-` cannot be used with {}", kind_of(value)))),
    }
}

fn plus(value: &Dynamic) -> Outcome {
    number(value)
        .map(Num::into_dynamic)
        .ok_or_else(|| wrong_type(format!("`+` cannot be used with {}", kind_of(value))))
}

fn not(value: &Dynamic) -> Outcome<bool> {
    value
        .as_bool()
        .map(|flag| !flag)
        .map_err(|_| wrong_type(format!("`!` needs true or false, not {}", kind_of(value))))
}

/// Order of two numbers without losing whole digits where both are whole.
pub(crate) fn compare_numbers(a: Num, b: Num) -> Option<Ordering> {
    match (a, b) {
        (Num::Int(a), Num::Int(b)) => Some(a.cmp(&b)),
        (a, b) => a.float().partial_cmp(&b.float()),
    }
}

/// Order of two values; `Ok(None)` when a number is not a number.
pub(crate) fn compare(sign: &str, a: &Dynamic, b: &Dynamic) -> Outcome<Option<Ordering>> {
    if let (Some(left), Some(right)) = (number(a), number(b)) {
        return Ok(match (large(a), large(b)) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => compare_numbers(left, right),
        });
    }
    if is_text(a) && is_text(b) {
        return Ok(Some(with_texts(a, b, Ord::cmp)));
    }
    Err(mismatch(sign, a, b))
}

/// A number beyond `i64`.
fn large(value: &Dynamic) -> Option<u64> {
    match value.read_lock::<JsonView>()?.seen() {
        Seen::Json(Value::Number(number)) => number.as_u64(),
        _ => None,
    }
}

fn with_texts<T>(a: &Dynamic, b: &Dynamic, then: impl Fn(&str, &str) -> T) -> T {
    let text = |value: &Dynamic| match value.as_char() {
        Ok(character) => ImmutableString::from(character.to_string()),
        Err(_) => value.read_lock::<ImmutableString>().map(|text| text.clone()).unwrap_or_default(),
    };
    then(&text(a), &text(b))
}

/// Equality; values of different types differ, whole and decimal numbers compare by value.
pub(crate) fn equal(a: &Dynamic, b: &Dynamic) -> Outcome<bool> {
    equal_at(a, b, 0)
}

fn equal_at(a: &Dynamic, b: &Dynamic, depth: usize) -> Outcome<bool> {
    if depth > MAX_DEPTH {
        return Err(failure(ExprErrorKind::Limit, "the values are nested too deeply to be compared"));
    }
    if let (Some(left), Some(right)) = (number(a), number(b)) {
        return Ok(match (large(a), large(b)) {
            (Some(left), Some(right)) => left == right,
            _ => compare_numbers(left, right) == Some(Ordering::Equal),
        });
    }
    if is_text(a) && is_text(b) {
        return Ok(with_texts(a, b, |a, b| a == b));
    }
    if a.is_unit() || b.is_unit() {
        return Ok(a.is_unit() && b.is_unit());
    }
    if let (Ok(left), Ok(right)) = (a.as_bool(), b.as_bool()) {
        return Ok(left == right);
    }
    if let (Some(left), Some(right)) = (list_of(a), list_of(b)) {
        if left.len() != right.len() {
            return Ok(false);
        }
        charge(left.len())?;
        return all_equal(left.iter().zip(right.iter()), depth + 1);
    }
    if let (Some(left), Some(right)) = (object_of(a), object_of(b)) {
        if !left.keys().eq(right.keys()) {
            return Ok(false);
        }
        charge(left.len())?;
        return all_equal(left.values().zip(right.values()), depth + 1);
    }
    Ok(false)
}

fn all_equal<'a>(pairs: impl Iterator<Item = (&'a Dynamic, &'a Dynamic)>, depth: usize) -> Outcome<bool> {
    for (left, right) in pairs {
        if !equal_at(left, right, depth)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `b in a`: part of a text, element of a list, key of an object, number in a range.
pub(crate) fn contains(a: &Dynamic, b: &Dynamic) -> Outcome<bool> {
    if is_text(a) {
        if !is_text(b) {
            return Err(wrong_type(format!("text can only contain text, not {}", kind_of(b))));
        }
        return Ok(with_texts(a, b, |a, b| a.contains(b)));
    }
    if let Some((start, end)) = range_bounds(a) {
        return Ok(number(b).is_some_and(|n| n.float() >= start as f64 && n.float() < end as f64));
    }
    if let Some(list) = list_of(a) {
        charge(list.len())?;
        for item in &list {
            if equal(item, b)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    has_key(a, b).ok_or_else(|| wrong_type(format!("`in` and contains() cannot look inside {}", kind_of(a))))
}

fn has_key(a: &Dynamic, key: &Dynamic) -> Option<bool> {
    let key = key.read_lock::<ImmutableString>();
    let has = |contained: &dyn Fn(&str) -> bool| key.as_ref().is_some_and(|key| contained(key));
    if let Some(view) = a.read_lock::<JsonView>() {
        let map = view.object()?;
        return Some(has(&|key| map.contains_key(key)));
    }
    let map = a.read_lock::<Map>()?;
    Some(has(&|key| map.contains_key(key)))
}
