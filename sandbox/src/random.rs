//! Identifiers that look like the providers' own: digits, hexadecimal, trace ids.
//!
//! It must not know what the identifiers name.

use uuid::Uuid;

/// Sixteen digits that do not start with zero, like Meta's object ids.
pub(crate) fn numeric_id() -> String {
    let number = Uuid::new_v4().as_u128() % 9_000_000_000_000_000 + 1_000_000_000_000_000;
    number.to_string()
}

/// `length` (at most 32) upper-case hexadecimal digits.
pub(crate) fn hex_upper(length: usize) -> String {
    let mut text = Uuid::new_v4().simple().to_string().to_uppercase();
    text.truncate(length);
    text
}

/// A trace id as it stands in `fbtrace_id`.
pub(crate) fn trace_id() -> String {
    format!("A{}", hex_upper(22))
}

/// 244 bits as 64 hexadecimal digits, for codes and tokens of no worth outside the sandbox.
pub(crate) fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
