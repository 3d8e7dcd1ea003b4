//! E-mail addresses and the other things people write about themselves: checked, and brought into one form. Must not
//! know where they are kept.

use crate::RecordError;
use crate::ids::clean;

/// Longest address, RFC 5321 section 4.5.3.1.
const LONGEST_ADDRESS: usize = 254;
/// Longest part before the `@`.
const LONGEST_LOCAL: usize = 64;
/// Longest name or other line of text, characters.
const LONGEST_LINE: usize = 200;

/// An address in lower case, without space around it.
///
/// # Errors
/// `Invalid` at `email` when it cannot be an address.
pub fn normalise_email(text: &str) -> Result<String, RecordError> {
    let address = text.trim().to_ascii_lowercase();
    let good = address.len() <= LONGEST_ADDRESS
        && address.rsplit_once('@').is_some_and(|(local, domain)| is_local(local) && is_domain(domain));
    if good { Ok(address) } else { Err(RecordError::invalid("email", "this is not an e-mail address")) }
}

/// An unquoted local part, RFC 5322 section 3.4.1.
fn is_local(local: &str) -> bool {
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    local.len() <= LONGEST_LOCAL && local.split('.').all(|part| !part.is_empty() && part.chars().all(is_atom))
}

/// At least two labels of letters, digits and hyphens.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(is_label)
}

/// One line of text; none when it is empty.
///
/// # Errors
/// `Invalid` at `field` when it is too long or holds control characters.
pub(crate) fn line(field: &str, text: &str) -> Result<Option<String>, RecordError> {
    let text = clean(text.trim());
    if text.chars().count() > LONGEST_LINE {
        return Err(RecordError::invalid(field, format!("at most {LONGEST_LINE} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(RecordError::invalid(field, "no line breaks or other control characters"));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A phone number as digits with an optional plus sign (E.164); none when it is empty.
///
/// # Errors
/// `Invalid` at `phone` when it is not one.
pub(crate) fn phone(text: &str) -> Result<Option<String>, RecordError> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace() && !"-().".contains(*c)).collect();
    if digits.is_empty() {
        return Ok(None);
    }
    let number = digits.strip_prefix('+').unwrap_or(&digits);
    let good = (2..=15).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
        && !number.starts_with('0');
    if good {
        Ok(Some(digits))
    } else {
        Err(RecordError::invalid("phone", "a phone number has its country code and at most 15 digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, wanted) in
            [(" Asha@Example.COM ", "asha@example.com"), ("a.b+c@x-y.co.in", "a.b+c@x-y.co.in")]
        {
            assert_eq!(normalise_email(text).unwrap(), wanted);
        }
        let long = format!("{}@example.com", "x".repeat(65));
        for bad in [
            "",
            "a",
            "a@",
            "@b.c",
            "a@b",
            "a b@c.d",
            "a@b..c",
            ".a@b.c",
            "a@-b.c",
            "a@b.c\r\nBcc: x@y.z",
            "a@b@c.d",
            "<a@b.c>",
            "\u{e4}@b.c",
            &long,
        ] {
            assert!(normalise_email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lines_and_phones() {
        assert_eq!(line("name", "  Asha Rao ").unwrap().as_deref(), Some("Asha Rao"));
        assert_eq!(line("name", " ").unwrap(), None);
        assert!(line("name", "a\nb").is_err() && line("name", &"x".repeat(201)).is_err());
        assert_eq!(phone("+91 98765-43210").unwrap().as_deref(), Some("+919876543210"));
        assert_eq!(phone("").unwrap(), None);
        for bad in ["123456789012345678", "+0123", "call me", "1"] {
            assert!(phone(bad).is_err(), "{bad}");
        }
    }
}
