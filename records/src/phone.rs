//! Telephone numbers: one comparable form for the many ways one number is written.

use std::str::FromStr;

use phonenumber::country;

/// A number in two forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// What is compared: E.164 digits without `+`, with WhatsApp's national peculiarities taken out.
    pub key: String,
    /// What is written to: the digits as given (WhatsApp's own `wa_id` where it came from WhatsApp).
    pub address: String,
}

/// Reads a number with its country code (`+91 98…`, `0091…`, or WhatsApp's bare digits). A national number such as
/// `098…` needs `region`, a two-letter country code. None for what cannot be a number.
pub fn normalise_phone(text: &str, region: Option<&str>) -> Option<Phone> {
    let text = text.trim();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() || digits.len() > 20 || text.chars().any(char::is_alphabetic) {
        return None;
    }
    let international = if text.starts_with('+') {
        digits
    } else if let Some(rest) = digits.strip_prefix("00") {
        rest.to_owned()
    } else if let Some(digits) = region.and_then(|region| national(text, region)) {
        digits
    } else {
        digits
    };
    // E.164: at most 15 digits, no leading zero. The lower bound keeps short codes out.
    if !(6..=15).contains(&international.len()) || international.starts_with('0') {
        return None;
    }
    Some(Phone { key: comparable(&international), address: international })
}

fn national(text: &str, region: &str) -> Option<String> {
    let region = country::Id::from_str(&region.to_ascii_uppercase()).ok()?;
    let number = phonenumber::parse(Some(region), text).ok().filter(phonenumber::is_valid)?;
    Some(digits_of(&number))
}

fn digits_of(number: &phonenumber::PhoneNumber) -> String {
    let formatted = number.format().mode(phonenumber::Mode::E164).to_string();
    formatted.chars().filter(char::is_ascii_digit).collect()
}

/// WhatsApp's `wa_id` and the dialled number differ in two countries: Mexican mobiles may carry an extra 1 after the
/// country code, Brazilian mobiles may lack the ninth digit that all of them have had since 2016. Everything else goes
/// through the numbering plans, which repair such things as a trunk zero after the country code.
fn comparable(digits: &str) -> String {
    if digits.len() == 13 && digits.starts_with("521") {
        return format!("52{}", &digits[3..]);
    }
    if digits.len() == 12 && digits.starts_with("55") && matches!(digits.as_bytes()[4], b'6'..=b'9') {
        return format!("{}9{}", &digits[..4], &digits[4..]);
    }
    match phonenumber::parse(None, format!("+{digits}")) {
        Ok(number) if phonenumber::is_valid(&number) => digits_of(&number),
        // Test numbers and new ranges are not in the plans; the digits themselves must do.
        _ => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str, region: Option<&str>) -> Option<String> {
        normalise_phone(text, region).map(|phone| phone.key)
    }

    #[test]
    fn one_number_many_spellings() {
        for text in ["+91 98765 43210", "919876543210", "00919876543210", "+91-98765-43210"] {
            assert_eq!(key(text, None).as_deref(), Some("919876543210"), "{text}");
        }
        assert_eq!(key("098765 43210", Some("in")).as_deref(), Some("919876543210"));
        assert_eq!(key("98765 43210", Some("IN")).as_deref(), Some("919876543210"));
    }

    #[test]
    fn whatsapp_spellings_of_mexico_and_brazil_agree_with_the_dialled_ones() {
        assert_eq!(key("5215512345678", None), key("+52 55 1234 5678", None));
        assert_eq!(key("553171234567", None), key("+55 31 97123-4567", None));
        assert_eq!(normalise_phone("5215512345678", None).unwrap().address, "5215512345678");
    }

    #[test]
    fn documentation_numbers_stay_as_they_are() {
        for digits in ["16505551234", "16315551181", "12345678", "34600000000"] {
            assert_eq!(key(digits, None).as_deref(), Some(digits));
        }
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "",
            "abc",
            "12",
            "+0123456789",
            "1234567890123456",
            "call 16505551234",
            "US.16947314024294055421",
        ] {
            assert_eq!(key(text, None), None, "{text}");
        }
    }
}
