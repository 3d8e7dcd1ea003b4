//! One order and one equality over all JSON values, for sorting, de-duplication and joins. Must not know
//! any node.

use serde_json::{Number, Value};
use std::cmp::Ordering;
use std::fmt::Write as _;

/// Orders any two values: numbers by size, text by its characters, and kinds among each other as
/// booleans, numbers, text, lists, objects, null.
pub(crate) fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => {
            let first_difference = a.iter().zip(b).map(|(a, b)| compare(a, b)).find(|order| order.is_ne());
            first_difference.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Object(_), Value::Object(_)) => canonical(a).cmp(&canonical(b)),
        _ => rank(a).cmp(&rank(b)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Bool(_) => 0,
        Value::Number(_) => 1,
        Value::String(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    }
}

/// Orders numbers; whole numbers exactly, others as floating point.
pub(crate) fn compare_numbers(a: &Number, b: &Number) -> Ordering {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().unwrap_or(f64::NAN).total_cmp(&b.as_f64().unwrap_or(f64::NAN)),
    }
}

/// The number that a value stands for: a number itself, or text that is one.
pub(crate) fn number_of(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => {
            let text = text.trim();
            text.parse::<i64>().map(Number::from).ok().or_else(|| {
                let looks_numeric = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
                text.parse::<f64>().ok().filter(|_| looks_numeric).and_then(Number::from_f64)
            })
        }
        _ => None,
    }
}

/// A text that two values share exactly when they are equal: keys sorted, `1.0` the same as `1`.
pub(crate) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => write_number(number, text),
        Value::Array(list) => {
            text.push('[');
            for element in list {
                write_canonical(element, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            text.push('{');
            for (key, value) in entries {
                push_display(&Value::String(key.clone()), text);
                text.push(':');
                write_canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        plain => push_display(plain, text),
    }
}

fn write_number(number: &Number, text: &mut String) {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53, up to which every whole f64 is exact
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT => {
            push_display(&(float as i64), text);
        }
        _ => push_display(number, text),
    }
}

fn push_display(value: &impl std::fmt::Display, text: &mut String) {
    write!(text, "{value}").expect("writing to a String never fails");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn orders_kinds_and_values() {
        let sorted = [
            json!(false),
            json!(true),
            json!(-1),
            json!(2),
            json!(2.5),
            json!(10),
            json!("10"),
            json!("9"),
            json!([1]),
            json!([1, 2]),
            json!({ "a": 1 }),
            json!(null),
        ];
        for (a, b) in sorted.iter().zip(&sorted[1..]) {
            assert_eq!(compare(a, b), Ordering::Less, "{a} before {b}");
            assert_eq!(compare(b, a), Ordering::Greater, "{b} after {a}");
        }
        let large = json!(9_007_199_254_740_993_i64);
        assert_eq!(compare(&large, &json!(9_007_199_254_740_992_i64)), Ordering::Greater);
    }

    #[test]
    fn equal_values_share_their_canonical_text() {
        assert_eq!(canonical(&json!({ "b": 1.0, "a": [0] })), canonical(&json!({ "a": [0], "b": 1 })));
        assert_ne!(canonical(&json!("1")), canonical(&json!(1)));
        assert_ne!(canonical(&json!(["a,b"])), canonical(&json!(["a", "b"])));
    }

    #[test]
    fn numbers_are_read_from_text() {
        assert_eq!(number_of(&json!(" 12.50 ")), Number::from_f64(12.5));
        assert_eq!(number_of(&json!("-3")), Some(Number::from(-3)));
        for not_a_number in [json!("nan"), json!("inf"), json!("12 EUR"), json!(""), json!(null), json!(true)]
        {
            assert_eq!(number_of(&not_a_number), None, "{not_a_number}");
        }
    }
}
