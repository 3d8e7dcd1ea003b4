//! Functions on moments and dates. A moment is RFC 3339 text or milliseconds since 1970; results
//! are RFC 3339 text in the workflow's zone. Calendar arithmetic happens in that zone, so a day
//! added across a clock change keeps the time of day.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Unit, Zoned};
use rhai::{Dynamic, Engine};

use super::args::{number, text, whole};
use crate::expr::convert::kind_of;
use crate::expr::failure::{Outcome, refused, wrong_type};
use crate::expr::frame;
use crate::expr::ops::{self, Num};

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("now", || -> Outcome { Ok(written(&now()?)) });
    engine.register_fn("now_ms", frame::now_ms);
    engine.register_fn("today", || -> Outcome { Ok(now()?.date().to_string().into()) });
    register_reading(engine);
    register_arithmetic(engine);
    register_parts(engine);
    register_questions(engine);
}

fn register_reading(engine: &mut Engine) {
    engine
        .register_fn("parse_date", |x: Dynamic| -> Outcome { Ok(written(&moment("parse_date", &x, None)?)) });
    engine.register_fn("parse_date", |x: Dynamic, format: Dynamic| parse_date(&x, &format, None));
    engine.register_fn("parse_date", |x: Dynamic, format: Dynamic, zone: Dynamic| {
        parse_date(&x, &format, Some(&zone))
    });
    engine.register_fn("format_date", |x: Dynamic, format: Dynamic| format_date(&x, &format, None));
    engine.register_fn("format_date", |x: Dynamic, format: Dynamic, zone: Dynamic| {
        format_date(&x, &format, Some(&zone))
    });
    engine.register_fn("in_zone", |x: Dynamic, zone: Dynamic| -> Outcome {
        Ok(written(&moment("in_zone", &x, Some(&zone))?))
    });
    engine.register_fn("to_ms", |x: Dynamic| -> Outcome {
        Ok(moment("to_ms", &x, None)?.timestamp().as_millisecond().into())
    });
    engine.register_fn("from_seconds", |x: Dynamic| -> Outcome {
        let seconds = if x.is_string() {
            let t = text("from_seconds", &x)?;
            t.trim().parse::<f64>().map_err(|_| refused(format!("from_seconds() cannot read `{t}`")))?
        } else {
            number("from_seconds", &x)?.float()
        };
        Ok(written(&at_millisecond("from_seconds", seconds * 1000.0)?.to_zoned(zone(None)?)))
    });
}

fn register_arithmetic(engine: &mut Engine) {
    type MakeSpan = fn(i64) -> Result<Span, jiff::Error>;
    let units: [(&'static str, MakeSpan); 6] = [
        ("add_minutes", |n| Span::new().try_minutes(n)),
        ("add_hours", |n| Span::new().try_hours(n)),
        ("add_days", |n| Span::new().try_days(n)),
        ("add_weeks", |n| Span::new().try_weeks(n)),
        ("add_months", |n| Span::new().try_months(n)),
        ("add_years", |n| Span::new().try_years(n)),
    ];
    for (name, span) in units {
        engine.register_fn(name, move |x: Dynamic, amount: Dynamic| -> Outcome {
            let span = span(whole(name, &amount)?).map_err(|_| out_of_range(name))?;
            moved(name, &x, span)
        });
    }
    engine.register_fn("add", |x: Dynamic, span: Dynamic| -> Outcome {
        let written = text("add", &span)?;
        let parsed: Span = written.trim().trim_start_matches('+').parse().map_err(|_| {
            refused(format!("add() cannot read `{written}` as a span of time; write it like 2d 3h or -30m"))
        })?;
        moved("add", &x, parsed)
    });
    engine.register_fn("diff", |a: Dynamic, b: Dynamic, unit: Dynamic| diff(&a, &b, &unit));
    engine.register_fn("start_of_day", |x: Dynamic| start_of_day(&x, None));
    engine.register_fn("start_of_day", |x: Dynamic, zone: Dynamic| start_of_day(&x, Some(&zone)));
}

fn register_parts(engine: &mut Engine) {
    type Part = fn(&Zoned) -> i64;
    let parts: [(&'static str, Part); 6] = [
        ("year", |at| at.year().into()),
        ("month", |at| at.month().into()),
        ("day", |at| at.day().into()),
        ("hour", |at| at.hour().into()),
        ("minute", |at| at.minute().into()),
        ("weekday", |at| at.weekday().to_monday_one_offset().into()),
    ];
    for (name, part) in parts {
        engine.register_fn(name, move |x: Dynamic| -> Outcome { Ok(part(&moment(name, &x, None)?).into()) });
        engine.register_fn(name, move |x: Dynamic, zone: Dynamic| -> Outcome {
            Ok(part(&moment(name, &x, Some(&zone))?).into())
        });
    }
    engine.register_fn("weekday_name", |x: Dynamic| -> Outcome {
        Ok(weekday_name(&moment("weekday_name", &x, None)?))
    });
    engine.register_fn("weekday_name", |x: Dynamic, zone: Dynamic| -> Outcome {
        Ok(weekday_name(&moment("weekday_name", &x, Some(&zone))?))
    });
}

fn register_questions(engine: &mut Engine) {
    engine.register_fn("is_before", |a: Dynamic, b: Dynamic| -> Outcome<bool> {
        Ok(moment("is_before", &a, None)?.timestamp() < moment("is_before", &b, None)?.timestamp())
    });
    engine.register_fn("is_after", |a: Dynamic, b: Dynamic| -> Outcome<bool> {
        Ok(moment("is_after", &a, None)?.timestamp() > moment("is_after", &b, None)?.timestamp())
    });
    engine.register_fn("is_weekend", |x: Dynamic| -> Outcome<bool> {
        Ok(moment("is_weekend", &x, None)?.weekday().to_monday_one_offset() >= 6)
    });
    engine.register_fn("is_between_hours", |x: Dynamic, from: Dynamic, to: Dynamic| {
        is_between_hours(&x, &from, &to, None)
    });
    engine.register_fn("is_between_hours", |x: Dynamic, from: Dynamic, to: Dynamic, zone: Dynamic| {
        is_between_hours(&x, &from, &to, Some(&zone))
    });
}

fn zone(given: Option<&Dynamic>) -> Outcome<TimeZone> {
    match given {
        None => frame::time_zone().map_err(refused),
        Some(name) => {
            let name = text("a time zone", name)?;
            TimeZone::get(&name)
                .map_err(|_| refused(format!("unknown time zone `{name}`; use a name such as Europe/Berlin")))
        }
    }
}

fn now() -> Outcome<Zoned> {
    let now = Timestamp::from_millisecond(frame::now_ms()).map_err(|_| out_of_range("now"))?;
    Ok(now.to_zoned(zone(None)?))
}

fn at_millisecond(function: &str, milliseconds: f64) -> Outcome<Timestamp> {
    // `as` saturates; jiff then refuses what is beyond its years.
    Timestamp::from_millisecond(milliseconds as i64).map_err(|_| out_of_range(function))
}

fn out_of_range(function: &str) -> Box<rhai::EvalAltResult> {
    refused(format!("{function}(): the moment is beyond the years -9999 to 9999"))
}

/// A moment from RFC 3339 text, milliseconds, or a date with or without a time in the zone.
fn moment(function: &str, x: &Dynamic, in_zone: Option<&Dynamic>) -> Outcome<Zoned> {
    let zone = zone(in_zone)?;
    match ops::number(x) {
        Some(Num::Int(ms)) => {
            let at = Timestamp::from_millisecond(ms).map_err(|_| out_of_range(function))?;
            return Ok(at.to_zoned(zone));
        }
        Some(Num::Float(ms)) => return Ok(at_millisecond(function, ms)?.to_zoned(zone)),
        None if !x.is_string() => {
            return Err(wrong_type(format!(
                "{function}() needs a moment (text or milliseconds), not {}",
                kind_of(x)
            )));
        }
        None => {}
    }
    let written = text(function, x)?;
    let written = written.trim();
    if let Ok(at) = written.parse::<Timestamp>() {
        return Ok(at.to_zoned(zone));
    }
    let local = written.parse::<DateTime>().or_else(|_| written.parse::<Date>().map(DateTime::from));
    local.and_then(|local| local.to_zoned(zone)).map_err(|_| {
        refused(format!(
            "{function}() cannot read `{written}` as a moment; use text such as 2026-03-28T12:00:00Z"
        ))
    })
}

/// RFC 3339 text with the zone's offset.
fn written(at: &Zoned) -> Dynamic {
    if at.time_zone().iana_name() == Some("UTC") {
        return at.timestamp().to_string().into();
    }
    at.timestamp().display_with_offset(at.offset()).to_string().into()
}

fn parse_date(x: &Dynamic, format: &Dynamic, in_zone: Option<&Dynamic>) -> Outcome {
    let (t, format) = (text("parse_date", x)?, text("parse_date", format)?);
    let unreadable = || refused(format!("parse_date() cannot read `{t}` by the format `{format}`"));
    let parts = strtime::parse(format.as_str(), t.trim()).map_err(|_| unreadable())?;
    if parts.offset().is_some() || parts.iana_time_zone().is_some() {
        let at = parts.to_timestamp().or_else(|_| parts.to_zoned().map(|at| at.timestamp()));
        return Ok(written(&at.map_err(|_| unreadable())?.to_zoned(zone(in_zone)?)));
    }
    let local =
        parts.to_datetime().or_else(|_| parts.to_date().map(DateTime::from)).map_err(|_| unreadable())?;
    Ok(written(&local.to_zoned(zone(in_zone)?).map_err(|_| unreadable())?))
}

fn format_date(x: &Dynamic, format: &Dynamic, in_zone: Option<&Dynamic>) -> Outcome {
    let at = moment("format_date", x, in_zone)?;
    let format = text("format_date", format)?;
    strtime::format(format.as_str(), &at).map(Dynamic::from).map_err(|_| {
        refused(format!("format_date() does not know the format `{format}`; use one such as %d.%m.%Y %H:%M"))
    })
}

fn moved(function: &str, x: &Dynamic, span: Span) -> Outcome {
    let at = moment(function, x, None)?;
    at.checked_add(span).map(|at| written(&at)).map_err(|_| out_of_range(function))
}

fn start_of_day(x: &Dynamic, in_zone: Option<&Dynamic>) -> Outcome {
    let at = moment("start_of_day", x, in_zone)?;
    at.start_of_day().map(|at| written(&at)).map_err(|_| out_of_range("start_of_day"))
}

/// Time from `a` to `b` in the unit, whole numbers where exact. Days are 24 hours.
fn diff(a: &Dynamic, b: &Dynamic, unit: &Dynamic) -> Outcome {
    let (a, b) = (moment("diff", a, None)?, moment("diff", b, None)?);
    let unit = text("diff", unit)?;
    let milliseconds = b.timestamp().as_millisecond() - a.timestamp().as_millisecond();
    let length = match unit.trim_end_matches('s') {
        "millisecond" | "m" => 1,
        "second" => 1_000,
        "minute" => 60_000,
        "hour" => 3_600_000,
        "day" => 86_400_000,
        "week" => 604_800_000,
        "month" | "year" => {
            let unit = if unit.starts_with('m') { Unit::Month } else { Unit::Year };
            let whole = a.until((unit, &b)).map_err(|_| out_of_range("diff"))?;
            let count = if unit == Unit::Month {
                i64::from(whole.get_months())
            } else {
                i64::from(whole.get_years())
            };
            return Ok(count.into());
        }
        _ => {
            return Err(refused(format!(
                "diff() does not know the unit `{unit}`; use milliseconds, seconds, minutes, hours, days, weeks, months or years"
            )));
        }
    };
    Ok(if milliseconds % length == 0 {
        (milliseconds / length).into()
    } else {
        (milliseconds as f64 / length as f64).into()
    })
}

fn weekday_name(at: &Zoned) -> Dynamic {
    strtime::format("%A", at).unwrap_or_default().into()
}

/// From `from` up to but without `to`; across midnight when `to` is the earlier one.
fn is_between_hours(x: &Dynamic, from: &Dynamic, to: &Dynamic, in_zone: Option<&Dynamic>) -> Outcome<bool> {
    let at = moment("is_between_hours", x, in_zone)?.time();
    let (from, to) = (time_of_day(from)?, time_of_day(to)?);
    Ok(if from <= to { from <= at && at < to } else { at >= from || at < to })
}

/// `"09:00"`, `"9:30"` or a whole hour. `"24:00"` is the last moment of the day.
fn time_of_day(x: &Dynamic) -> Outcome<Time> {
    let written = if x.is_int() { format!("{x}:00") } else { text("is_between_hours", x)?.to_string() };
    if written.trim() == "24:00" {
        return Ok(Time::MAX);
    }
    let (hour, minute) = written.trim().split_once(':').unwrap_or((written.trim(), "0"));
    let parsed = hour
        .parse()
        .ok()
        .zip(minute.parse().ok())
        .and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok());
    parsed.ok_or_else(|| {
        refused(format!("is_between_hours() cannot read `{written}` as a time of day such as 09:00"))
    })
}
