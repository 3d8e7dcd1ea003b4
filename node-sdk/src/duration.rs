//! Lengths of time as people write them: `30s`, `5m`, `2h`, `1d`, `1w`, `1d12h`, `250ms`. One parser for
//! nodes, workflow settings and configuration. Must not know clocks or calendars: a day is 24 hours here.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

const MILLISECOND: i64 = 1;
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// Units from long to short, as [`Duration`] prints them.
const UNITS: [(&str, i64); 6] =
    [("w", WEEK), ("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", MILLISECOND)];

/// The longest accepted duration: 1,000 years of 365 days. Keeps "now plus duration" far from overflow.
pub const MAX_DURATION_MS: i64 = 365_000 * DAY;

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing was written.
    #[error("the duration is empty; write for example `30s`, `5m`, `2h` or `1d12h`")]
    Empty,
    /// A number without its unit, or a unit without its number.
    #[error(
        "`{0}` is not a duration; write whole numbers with a unit (ms, s, m, h, d, w), as in `30s`, `5m` or `1d12h`"
    )]
    Malformed(String),
    /// Longer than [`MAX_DURATION_MS`].
    #[error("`{0}` is longer than 1000 years")]
    TooLong(String),
}

/// Reads a duration such as `90s` or `1d 12h` into milliseconds.
///
/// # Errors
/// When the text is empty, has no unit, has an unknown unit or is longer than 1,000 years.
pub fn parse_duration_ms(text: &str) -> Result<i64, DurationError> {
    let malformed = || DurationError::Malformed(text.trim().to_owned());
    let too_long = || DurationError::TooLong(text.trim().to_owned());
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(DurationError::Empty);
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        if number.is_empty() {
            return Err(malformed());
        }
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let (_, factor) =
            UNITS.iter().find(|(name, _)| unit.eq_ignore_ascii_case(name)).ok_or_else(malformed)?;
        let number: i64 = number.parse().map_err(|_| too_long())?;
        total = number.checked_mul(*factor).and_then(|part| total.checked_add(part)).ok_or_else(too_long)?;
        rest = after.trim_start();
    }
    if total > MAX_DURATION_MS { Err(too_long()) } else { Ok(total) }
}

/// A length of time for parameters and settings; text such as `5m` in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    milliseconds: i64,
}

impl Duration {
    /// A duration of so many milliseconds; negative values count as zero.
    pub const fn from_ms(milliseconds: i64) -> Self {
        Self { milliseconds: if milliseconds < 0 { 0 } else { milliseconds } }
    }

    /// A duration of so many seconds; negative values count as zero.
    pub const fn from_secs(seconds: i64) -> Self {
        Self::from_ms(seconds.saturating_mul(SECOND))
    }

    /// Its length in milliseconds, never negative.
    pub const fn as_ms(self) -> i64 {
        self.milliseconds
    }

    /// The moment that is so long after `now` (both milliseconds since the epoch).
    pub const fn after(self, now: i64) -> i64 {
        now.saturating_add(self.milliseconds)
    }
}

impl std::str::FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        parse_duration_ms(text).map(Self::from_ms)
    }
}

impl From<Duration> for std::time::Duration {
    fn from(duration: Duration) -> Self {
        Self::from_millis(duration.milliseconds.unsigned_abs())
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.milliseconds == 0 {
            return out.write_str("0s");
        }
        let mut rest = self.milliseconds;
        for (name, factor) in UNITS {
            if rest >= factor {
                write!(out, "{}{name}", rest / factor)?;
                rest %= factor;
            }
        }
        Ok(())
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(input)?;
        parse_duration_ms(&text).map(Self::from_ms).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^\s*([0-9]+\s*([mM][sS]|[smhdwSMHDW])\s*)+$",
            "examples": ["30s", "5m", "2h", "1d12h", "1w"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit_and_their_sums() {
        let table = [
            ("250ms", 250),
            ("30s", 30_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("1w", 604_800_000),
            ("1d12h", 129_600_000),
            (" 1D 12 h ", 129_600_000),
            ("0s", 0),
        ];
        for (text, milliseconds) in table {
            assert_eq!(parse_duration_ms(text), Ok(milliseconds), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_duration() {
        for text in ["5", "m", "1.5h", "-5m", "5 minutes", "5m!", "1y", "ten s", "٣s"] {
            assert!(matches!(parse_duration_ms(text), Err(DurationError::Malformed(_))), "{text}");
        }
        assert_eq!(parse_duration_ms("  "), Err(DurationError::Empty));
        for text in ["99999999999999999999s", "9223372036854775807w", "53000w"] {
            assert!(matches!(parse_duration_ms(text), Err(DurationError::TooLong(_))), "{text}");
        }
    }

    #[test]
    fn prints_what_it_reads() {
        for text in ["0s", "250ms", "1m30s", "1d12h", "2w", "1w1d1h1m1s1ms"] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(duration.to_string(), text);
            let json = serde_json::to_value(duration).unwrap();
            assert_eq!(serde_json::from_value::<Duration>(json).unwrap(), duration);
        }
    }

    #[test]
    fn numbers_are_refused_in_json() {
        assert!(serde_json::from_value::<Duration>(serde_json::json!(5)).is_err());
    }
}
