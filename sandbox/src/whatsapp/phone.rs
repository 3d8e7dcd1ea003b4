//! Phone numbers and business-scoped user ids as WhatsApp writes them.
//!
//! It must not know who owns a number. Rules: Meta's phone-numbers page (plus sign, country code of the business) and
//! business-scoped-user-ids page; the Brazilian and Mexican prefixes are the ones WhatsApp ids are known for.

use aws_lc_rs::digest;

/// Country calling codes of two digits; all others (but 1 and 7) have three.
const TWO_DIGITS: &[&str] = &[
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48",
    "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81",
    "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
];

/// Country of frequent calling codes, for the first two letters of a user id.
const COUNTRIES: &[(&str, &str)] = &[
    ("1", "US"),
    ("7", "RU"),
    ("27", "ZA"),
    ("31", "NL"),
    ("33", "FR"),
    ("34", "ES"),
    ("39", "IT"),
    ("41", "CH"),
    ("43", "AT"),
    ("44", "GB"),
    ("49", "DE"),
    ("52", "MX"),
    ("54", "AR"),
    ("55", "BR"),
    ("61", "AU"),
    ("62", "ID"),
    ("65", "SG"),
    ("91", "IN"),
    ("92", "PK"),
    ("234", "NG"),
    ("254", "KE"),
    ("880", "BD"),
    ("966", "SA"),
    ("971", "AE"),
    ("972", "IL"),
];

/// Digits only.
pub(crate) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The calling code a number in international form starts with.
pub(crate) fn calling_code(number: &str) -> &str {
    let length = match number.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [_, _, ..] if TWO_DIGITS.contains(&&number[..2]) => 2,
        [_, _, _, ..] => 3,
        _ => 0,
    };
    &number[..length]
}

/// The WhatsApp id for what was given as recipient, seen from a business number. `None` if it is no phone number.
pub(crate) fn wa_id(input: &str, business_number: &str) -> Option<String> {
    let text = input.trim();
    if !text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '(' | ')' | ' ' | '.' | '\u{a0}'))
    {
        return None;
    }
    let number = digits(text);
    let international = if text.starts_with('+') {
        number
    } else if let Some(rest) = number.strip_prefix("00") {
        rest.to_owned()
    } else if number.len() > 10 && !number.starts_with('0') {
        number
    } else {
        format!("{}{}", calling_code(business_number), number.trim_start_matches('0'))
    };
    (7..=15).contains(&international.len()).then(|| national_habits(international))
}

/// WhatsApp ids of Mexico carry a 1 after the country code, and those of Brazil outside the old area codes lack the ninth digit.
fn national_habits(number: String) -> String {
    match number.as_bytes() {
        [b'5', b'2', rest @ ..] if rest.len() == 10 => format!("521{}", &number[2..]),
        [b'5', b'5', first @ b'3'..=b'9', second, b'9', rest @ ..]
            if rest.len() == 8 && (*first, *second) != (b'3', b'0') =>
        {
            format!("{}{}", &number[..4], &number[5..])
        }
        _ => number,
    }
}

/// A user id that is always the same for the same person and business: country, dot, digits.
pub(crate) fn user_id(wa_id: &str, business: &str) -> String {
    let code = calling_code(wa_id);
    let country = COUNTRIES.iter().find(|row| row.0 == code).map_or("US", |row| row.1);
    let hash = digest::digest(&digest::SHA256, format!("{business}/{wa_id}").as_bytes());
    let number = hash.as_ref().iter().take(8).fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
    format!("{country}.{number:020}")
}

/// Two letters, a dot and up to 128 letters or digits.
pub(crate) fn is_user_id(text: &str) -> bool {
    let Some((country, rest)) = text.split_once('.') else { return false };
    country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && (1..=128).contains(&rest.len())
        && rest.bytes().all(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_become_whatsapp_ids() {
        for (input, expected) in [
            ("+1 (650) 555-1234", Some("16505551234")),
            ("16505551234", Some("16505551234")),
            ("6505551234", Some("16505551234")),
            ("0049 170 1234567", Some("491701234567")),
            ("+52 55 1234 5678", Some("5215512345678")),
            ("+55 41 98765 4321", Some("554187654321")),
            ("+55 11 98765 4321", Some("5511987654321")),
            ("hello", None),
            ("", None),
            ("+12", None),
            ("+1234567890123456", None),
        ] {
            assert_eq!(wa_id(input, "15550783881").as_deref(), expected, "{input}");
        }
        assert_eq!(wa_id("0170 1234567", "4930123456").as_deref(), Some("491701234567"));
    }

    #[test]
    fn user_ids_are_stable_and_well_formed() {
        let id = user_id("919876543210", "waba");
        assert!(id.starts_with("IN.") && is_user_id(&id));
        assert_eq!(id, user_id("919876543210", "waba"));
        assert_ne!(id, user_id("919876543210", "other"));
        assert!(!is_user_id("16505551234") && !is_user_id("US.") && !is_user_id("us.1"));
    }
}
