//! Functions on numbers, and conversions between numbers and text.

use rhai::{Dynamic, Engine};

use super::args::{count, list, needs, number, text, whole};
use crate::expr::convert::{dynamic_text, kind_of};
use crate::expr::failure::{Outcome, refused};
use crate::expr::ops::{self, Num};

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("round", |x: Dynamic| to_whole("round", &x, f64::round));
    engine.register_fn("round", |x: Dynamic, digits: Dynamic| round_to(&x, whole("round", &digits)?));
    engine.register_fn("floor", |x: Dynamic| to_whole("floor", &x, f64::floor));
    engine.register_fn("ceil", |x: Dynamic| to_whole("ceil", &x, f64::ceil));
    engine.register_fn("to_int", |x: Dynamic| {
        to_whole("to_int", &parsed("to_int", &x)?.into_dynamic(), f64::trunc)
    });
    engine.register_fn("abs", |x: Dynamic| -> Outcome {
        match number("abs", &x)? {
            Num::Int(integer) => integer
                .checked_abs()
                .map(Dynamic::from_int)
                .ok_or_else(|| refused("abs() cannot hold this number")),
            Num::Float(float) => Ok(float.abs().into()),
        }
    });
    engine.register_fn("min", |a: Dynamic, b: Dynamic| smaller("min", a, b));
    engine.register_fn("max", |a: Dynamic, b: Dynamic| larger("max", a, b));
    engine.register_fn("min", |items: Dynamic| extreme("min", items, smaller));
    engine.register_fn("max", |items: Dynamic| extreme("max", items, larger));
    engine.register_fn("clamp", |x: Dynamic, low: Dynamic, high: Dynamic| -> Outcome {
        smaller("clamp", larger("clamp", x, low)?, high)
    });
    engine.register_fn("to_number", |x: Dynamic| -> Outcome { Ok(parsed("to_number", &x)?.into_dynamic()) });
    engine.register_fn("to_number", |x: Dynamic, default: Dynamic| -> Outcome {
        Ok(parsed("to_number", &x).map_or_else(|_| default.flatten(), Num::into_dynamic))
    });
    engine.register_fn("to_text", |x: Dynamic| -> Outcome { Ok(dynamic_text(&x)?.into()) });
    // Rhai's name for the same, used by its back-tick texts.
    engine.register_fn("to_string", |x: Dynamic| -> Outcome { Ok(dynamic_text(&x)?.into()) });
    engine.register_fn("format_number", |x: Dynamic| format_number(&x, None, ",", "."));
    engine.register_fn("format_number", |x: Dynamic, digits: Dynamic| {
        format_number(&x, Some(count("format_number", &digits)?), ",", ".")
    });
    engine.register_fn("format_number", |x: Dynamic, digits: Dynamic, thousands: Dynamic, point: Dynamic| {
        let digits = Some(count("format_number", &digits)?);
        format_number(&x, digits, &text("format_number", &thousands)?, &text("format_number", &point)?)
    });
}

fn to_whole(function: &str, x: &Dynamic, rounding: fn(f64) -> f64) -> Outcome {
    match number(function, x)? {
        Num::Int(integer) => Ok(integer.into()),
        Num::Float(float) => {
            let rounded = rounding(float);
            // Beyond 2^63 there is no whole number type to hold it; the decimal stays exact.
            Ok(if rounded.abs() < 9.2e18 { (rounded as i64).into() } else { rounded.into() })
        }
    }
}

/// Rounds half away from zero to `digits` decimals; negative digits round to tens, hundreds, ….
fn round_to(x: &Dynamic, digits: i64) -> Outcome {
    let x = number("round", x)?;
    if digits == 0 {
        return to_whole("round", &x.into_dynamic(), f64::round);
    }
    if matches!(x, Num::Int(_)) && digits > 0 {
        return Ok(x.into_dynamic());
    }
    let digits = i32::try_from(digits.clamp(-18, 18)).unwrap_or(0);
    let factor = 10_f64.powi(digits);
    let rounded = (x.float() * factor).round() / factor;
    if !rounded.is_finite() {
        return Ok(x.into_dynamic());
    }
    let whole = matches!(x, Num::Int(_)) && rounded.abs() < 9e15;
    Ok(if whole { (rounded as i64).into() } else { rounded.into() })
}

fn smaller(function: &'static str, a: Dynamic, b: Dynamic) -> Outcome {
    Ok(if ops::compare(function, &b, &a)?.is_some_and(|order| order.is_lt()) { b } else { a }.flatten())
}

fn larger(function: &'static str, a: Dynamic, b: Dynamic) -> Outcome {
    Ok(if ops::compare(function, &b, &a)?.is_some_and(|order| order.is_gt()) { b } else { a }.flatten())
}

type Choose = fn(&'static str, Dynamic, Dynamic) -> Outcome;

/// The smallest or largest of a list, nulls left out; null for an empty list.
fn extreme(function: &'static str, items: Dynamic, choose: Choose) -> Outcome {
    let mut items = list(function, items)?.into_iter().filter(|item| !item.is_unit());
    let Some(first) = items.next() else { return Ok(Dynamic::UNIT) };
    if ops::number(&first).is_none() && !first.is_string() {
        return Err(needs(function, "a list of numbers or texts", &first));
    }
    items.try_fold(first, |best, item| choose(function, best, item))
}

/// A number, also from text, true (1) and false (0).
fn parsed(function: &str, x: &Dynamic) -> Outcome<Num> {
    if let Some(number) = ops::number(x) {
        return Ok(number);
    }
    if let Ok(flag) = x.as_bool() {
        return Ok(Num::Int(i64::from(flag)));
    }
    if !x.is_string() && !x.is_char() {
        return Err(refused(format!("{function}() cannot make a number of {}", kind_of(x))));
    }
    let written = text(function, x)?;
    let trimmed = written.trim();
    if let Ok(integer) = trimmed.parse::<i64>() {
        return Ok(Num::Int(integer));
    }
    // Rust also reads "inf" and "nan", which no one means as a number.
    let looks_numeric =
        trimmed.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    match trimmed.parse::<f64>() {
        Ok(float) if looks_numeric && float.is_finite() => Ok(Num::Float(float)),
        _ => Err(refused(format!("{function}() cannot read `{trimmed}` as a number"))),
    }
}

/// Most decimals that make sense for a 64-bit float.
const MAX_DIGITS: usize = 20;

fn format_number(x: &Dynamic, digits: Option<usize>, thousands: &str, point: &str) -> Outcome {
    let number = number("format_number", x)?;
    let plain = match (number, digits) {
        (Num::Int(integer), None | Some(0)) => integer.to_string(),
        (number, Some(digits)) => format!("{:.*}", digits.min(MAX_DIGITS), number.float()),
        (number, None) => dynamic_text(&number.into_dynamic())?,
    };
    let (sign, plain) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let mut out = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push_str(thousands);
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push_str(point);
        out.push_str(fraction);
    }
    Ok(out.into())
}
