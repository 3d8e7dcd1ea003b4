//! Moments in time as people and services write them, read into a time zone. Must not know any node.

use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::Value;
use sluice_node_sdk::error::NodeError;

/// The time zone of that IANA name; `fallback` when none is given.
///
/// # Errors
/// `unknown_time_zone` at `/timezone`.
pub(crate) fn zone(name: Option<&str>, fallback: &str) -> Result<TimeZone, NodeError> {
    let name = match name.map(str::trim) {
        Some(name) if !name.is_empty() => name,
        _ if fallback.is_empty() => "UTC",
        _ => fallback,
    };
    TimeZone::get(name).map_err(|_| {
        NodeError::invalid_params(format!(
            "There is no time zone `{name}`; write an IANA name such as `Asia/Kolkata` or `UTC`"
        ))
        .code("unknown_time_zone")
        .at("/timezone")
    })
}

/// The moment `milliseconds` after the epoch, in a zone.
pub(crate) fn from_ms(milliseconds: i64, zone: &TimeZone) -> Option<Zoned> {
    Timestamp::from_millisecond(milliseconds).ok().map(|moment| moment.to_zoned(zone.clone()))
}

/// Reads a moment: epoch milliseconds (a number), an RFC 3339 time, a local date-time or date (in the
/// zone), or an e-mail date (RFC 2822). A time that a zone skips or repeats is read as the later offset
/// for gaps and the earlier for overlaps, as most calendars do.
pub(crate) fn read(value: &Value, zone: &TimeZone) -> Option<Zoned> {
    match value {
        Value::Number(number) => {
            let float = || number.as_f64().filter(|float| float.is_finite()).map(|float| float as i64);
            from_ms(number.as_i64().or_else(float)?, zone)
        }
        Value::String(text) => read_text(text.trim(), zone),
        _ => None,
    }
}

fn read_text(text: &str, zone: &TimeZone) -> Option<Zoned> {
    if let Ok(moment) = text.parse::<Zoned>() {
        return Some(moment.with_time_zone(zone.clone()));
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.to_zoned(zone.clone()));
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return local.to_zoned(zone.clone()).ok();
    }
    rfc2822::parse(text).ok().map(|moment| moment.with_time_zone(zone.clone()))
}

/// RFC 3339 with the zone's offset: `2026-01-05T15:30:00+05:30`, `Z` for UTC.
pub(crate) fn rfc3339(moment: &Zoned) -> String {
    if moment.time_zone().iana_name() == Some("UTC") {
        return moment.timestamp().to_string();
    }
    moment.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_the_usual_forms() {
        let kolkata = zone(Some("Asia/Kolkata"), "UTC").unwrap();
        let table = [
            (json!(1_767_607_200_000_i64), "2026-01-05T15:30:00+05:30"),
            (json!("2026-01-05T10:00:00Z"), "2026-01-05T15:30:00+05:30"),
            (json!("2026-01-05T10:00:00.250+00:00"), "2026-01-05T15:30:00.25+05:30"),
            (json!("2026-01-05T15:30"), "2026-01-05T15:30:00+05:30"),
            (json!(" 2026-01-05 15:30:00 "), "2026-01-05T15:30:00+05:30"),
            (json!("2026-01-05"), "2026-01-05T00:00:00+05:30"),
            (json!("Mon, 05 Jan 2026 10:00:00 +0000"), "2026-01-05T15:30:00+05:30"),
            (json!("2026-01-05T10:00:00+00:00[UTC]"), "2026-01-05T15:30:00+05:30"),
        ];
        for (value, expected) in table {
            assert_eq!(read(&value, &kolkata).map(|moment| rfc3339(&moment)).as_deref(), Some(expected));
        }
        for value in [json!("tomorrow"), json!(""), json!(null), json!(true), json!("2026-13-01")] {
            assert!(read(&value, &kolkata).is_none(), "{value}");
        }
    }

    #[test]
    fn an_unknown_zone_is_refused_by_name() {
        let error = zone(Some("Asia/Nowhere"), "UTC").unwrap_err();
        assert_eq!(error.code, "unknown_time_zone");
        assert!(error.message.contains("Asia/Nowhere"));
        assert!(zone(None, "").is_ok());
    }
}
