//! `data.datetime`: reads, writes, shifts and compares moments in time. Must not know the engine; the
//! present comes from the context's clock.

use crate::values::field::with_field;
use crate::values::{check, moment};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use jiff::{RoundMode, Span, Timestamp, ToSpan, Unit as JiffUnit, Zoned, ZonedRound};
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Datetime;

/// What to do with which moment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatetimeParams {
    /// What to do.
    #[serde(default)]
    pub operation: Operation,
    /// The moment: RFC 3339 text, a local date or date-time, or milliseconds since the epoch. The present
    /// when missing.
    #[serde(default)]
    pub value: Value,
    /// How `value` is written when it is none of these: a pattern such as `%d/%m/%Y %H:%M`, or `unix` for
    /// seconds since the epoch.
    #[serde(default)]
    pub input_format: Option<String>,
    /// IANA time zone for reading local times, for calendar arithmetic and for the result; the workflow's
    /// own when missing.
    #[serde(default)]
    pub timezone: Option<String>,
    /// How the result is written: `iso`, `date`, `time`, `unix`, `unix_ms`, or a pattern such as
    /// `%A, %d %B %Y`.
    #[serde(default = "iso")]
    pub format: String,
    /// How far to shift (`add`, `subtract`): `3d`, `1mo 2d`, `2 hours`, `P1M`. Days, weeks, months and years
    /// follow the calendar of the time zone.
    #[serde(default)]
    pub amount: Option<String>,
    /// The other moment (`diff`), written like `value`. The present when missing.
    #[serde(default)]
    pub to: Value,
    /// Unit of the difference (`diff`) or of the period (`truncate`).
    #[serde(default)]
    pub unit: Unit,
    /// Which edge of the period (`truncate`).
    #[serde(default)]
    pub edge: Edge,
    /// Name of the field for the result.
    #[serde(default = "date_name")]
    #[schemars(length(min = 1))]
    pub into: String,
}

fn iso() -> String {
    "iso".to_owned()
}

fn date_name() -> String {
    "date".to_owned()
}

/// What to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Read the moment and write it in another form or zone.
    #[default]
    Format,
    /// Shift it to later.
    Add,
    /// Shift it to earlier.
    Subtract,
    /// How long it is from `value` to `to`; negative when `to` is earlier.
    Diff,
    /// The beginning or end of the day, week or other period it lies in.
    Truncate,
    /// Its parts: `{ year, month, day, hour, minute, second, weekday, week, … }`.
    Parts,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Milliseconds.
    Millisecond,
    /// Seconds.
    Second,
    /// Minutes.
    Minute,
    /// Hours.
    Hour,
    /// Days of the calendar.
    #[default]
    Day,
    /// Weeks, which begin on Monday.
    Week,
    /// Months of the calendar.
    Month,
    /// Years of the calendar.
    Year,
}

/// One edge of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// Its first moment.
    #[default]
    Start,
    /// Its last millisecond.
    End,
}

impl Unit {
    fn jiff(self) -> JiffUnit {
        match self {
            Self::Millisecond => JiffUnit::Millisecond,
            Self::Second => JiffUnit::Second,
            Self::Minute => JiffUnit::Minute,
            Self::Hour => JiffUnit::Hour,
            Self::Day => JiffUnit::Day,
            Self::Week => JiffUnit::Week,
            Self::Month => JiffUnit::Month,
            Self::Year => JiffUnit::Year,
        }
    }

    fn span(self) -> Span {
        match self {
            Self::Millisecond => 1.millisecond(),
            Self::Second => 1.second(),
            Self::Minute => 1.minute(),
            Self::Hour => 1.hour(),
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
            Self::Year => 1.year(),
        }
    }
}

impl Node for Datetime {
    const TYPE: &'static str = "data.datetime";
    type Params = DatetimeParams;

    fn spec(&self) -> NodeSpec {
        let example = |title, params, result: Value| {
            Example::new(title, params).input(vec![json!({})]).output(vec![json!({ "date": result })])
        };
        NodeSpec::new("Date and time", "Reads, writes, shifts and compares dates and times")
            .docs(
                "Works one moment out for each item and puts it into the field `into`. Arithmetic follows the \
                 calendar of the time zone: a day later is the same time of day even when clocks change, a \
                 month after 31 January is the last day of February.\n\n\
                 Patterns are those of `strftime`: `%Y` year, `%m` month, `%d` day, `%H` hour, `%M` minute, \
                 `%S` second, `%A` weekday, `%B` month name, `%z` offset.",
            )
            .example(example(
                "For people in India",
                json!({ "value": "2026-01-05T10:00:00Z", "timezone": "Asia/Kolkata", "format": "%d %B %Y, %H:%M" }),
                json!("05 January 2026, 15:30"),
            ))
            .example(example(
                "Read another form",
                json!({ "value": "05/01/2026 15:30", "input_format": "%d/%m/%Y %H:%M", "timezone": "Asia/Kolkata" }),
                json!("2026-01-05T15:30:00+05:30"),
            ))
            .example(example(
                "A month later",
                json!({ "operation": "add", "value": "2026-01-31", "amount": "1mo", "format": "date" }),
                json!("2026-02-28"),
            ))
            .example(example(
                "Days until then",
                json!({ "operation": "diff", "value": "2026-01-05", "to": "2026-03-01" }),
                json!(55),
            ))
            .example(example(
                "End of the month",
                json!({ "operation": "truncate", "value": "2026-02-10", "unit": "month", "edge": "end" }),
                json!("2026-02-28T23:59:59.999Z"),
            ))
            .example(
                Example::new("Not a moment", json!({ "value": "soon" }))
                    .input(vec![json!({})])
                    .error("not_a_moment"),
            )
            .example(
                Example::new("Not an amount", json!({ "operation": "add", "amount": "a while" }))
                    .input(vec![json!({})])
                    .error("not_an_amount"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        check::rule(params, sensible)
    }

    async fn run(&self, ctx: &Context<'_, DatetimeParams>, input: Input) -> Result<Outcome, NodeError> {
        let mut items = Vec::with_capacity(input.items().len());
        for (index, item) in input.items().iter().enumerate() {
            let params = ctx.params(index)?;
            let zone = moment::zone(params.timezone.as_deref(), &ctx.run.time_zone)?;
            let value = read(&params, &params.value, "/value", &zone, ctx.now_ms())?;
            let result = match params.operation {
                Operation::Format => write(&value, &params.format)?,
                Operation::Add => write(&shifted(&params, &value, 1)?, &params.format)?,
                Operation::Subtract => write(&shifted(&params, &value, -1)?, &params.format)?,
                Operation::Diff => {
                    difference(&value, &read(&params, &params.to, "/to", &zone, ctx.now_ms())?, params.unit)?
                }
                Operation::Truncate => {
                    let edge = period_edge(&value, params.unit, params.edge).map_err(|_| out_of_range())?;
                    write(&edge, &params.format)?
                }
                Operation::Parts => parts(&value),
            };
            items.push(with_field(item, index, &params.into, result)?);
        }
        Ok(items.into())
    }
}

/// What can be judged without a moment: zone, format, amount.
fn sensible(params: &DatetimeParams) -> Result<(), NodeError> {
    moment::zone(params.timezone.as_deref(), "UTC")?;
    match params.operation {
        Operation::Add | Operation::Subtract => _ = span(params)?,
        Operation::Diff | Operation::Parts => return Ok(()),
        Operation::Format | Operation::Truncate => {}
    }
    write(&Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC), &params.format).map(drop)
}

fn out_of_range() -> NodeError {
    NodeError::invalid_input("The result lies outside the years -9999 to 9999").code("date_out_of_range")
}

fn read(
    params: &DatetimeParams,
    value: &Value,
    pointer: &str,
    zone: &TimeZone,
    now: i64,
) -> Result<Zoned, NodeError> {
    let moment = match (value, params.input_format.as_deref()) {
        (Value::Null, _) => moment::from_ms(now, zone),
        (value, Some("unix")) => from_unix(value, zone),
        (Value::String(text), Some(pattern)) => from_pattern(text, pattern, zone),
        (value, _) => moment::read(value, zone),
    };
    moment.ok_or_else(|| {
        let pattern = params.input_format.as_ref().map(|pattern| format!(" of the form `{pattern}`"));
        let message = format!(
            "`{}` is not a moment{}; write for example `2026-01-05T10:00:00Z`, or set `input_format`",
            value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned),
            pattern.unwrap_or_default()
        );
        NodeError::invalid_input(message).code("not_a_moment").at(pointer)
    })
}

/// Seconds since the epoch, whole or not, as number or text.
fn from_unix(value: &Value, zone: &TimeZone) -> Option<Zoned> {
    let number = crate::values::order::number_of(value)?;
    let timestamp = match number.as_i64() {
        Some(seconds) => Timestamp::from_second(seconds),
        None => Timestamp::from_millisecond((number.as_f64()? * 1_000.0).round() as i64),
    };
    timestamp.ok().map(|timestamp| timestamp.to_zoned(zone.clone()))
}

/// A text of a given form; its own offset counts when the form has one, else the zone does.
fn from_pattern(text: &str, pattern: &str, zone: &TimeZone) -> Option<Zoned> {
    let parts = BrokenDownTime::parse(pattern, text.trim()).ok()?;
    if let Ok(timestamp) = parts.to_timestamp() {
        return Some(timestamp.to_zoned(zone.clone()));
    }
    let local = parts.to_datetime().or_else(|_| parts.to_date().map(Into::into));
    local.ok()?.to_zoned(zone.clone()).ok()
}

fn write(moment: &Zoned, format: &str) -> Result<Value, NodeError> {
    Ok(match format {
        "iso" => Value::from(moment::rfc3339(moment)),
        "date" => Value::from(moment.date().to_string()),
        "time" => Value::from(moment.strftime("%H:%M:%S").to_string()),
        "unix" => Value::from(moment.timestamp().as_second()),
        "unix_ms" => Value::from(moment.timestamp().as_millisecond()),
        pattern if pattern.contains('%') => {
            let text = jiff::fmt::strtime::format(pattern, moment);
            Value::from(text.map_err(|_| unknown_format(pattern))?)
        }
        other => return Err(unknown_format(other)),
    })
}

fn unknown_format(format: &str) -> NodeError {
    NodeError::invalid_params(format!(
        "`{format}` is not a format; use `iso`, `date`, `time`, `unix`, `unix_ms` or a pattern such as `%d.%m.%Y`"
    ))
    .code("unknown_format")
    .at("/format")
}

fn shifted(params: &DatetimeParams, moment: &Zoned, sign: i64) -> Result<Zoned, NodeError> {
    let span = span(params)?;
    let shifted = if sign < 0 { moment.checked_sub(span) } else { moment.checked_add(span) };
    shifted.map_err(|_| out_of_range())
}

fn span(params: &DatetimeParams) -> Result<Span, NodeError> {
    let amount = params.amount.as_deref().unwrap_or_default();
    amount.trim().parse().map_err(|_| {
        let message =
            format!("`{amount}` is not an amount of time; write for example `3d`, `1mo 2d` or `2 hours`");
        NodeError::invalid_params(message).code("not_an_amount").at("/amount")
    })
}

/// The difference in a unit: a whole number when it is one.
fn difference(from: &Zoned, to: &Zoned, unit: Unit) -> Result<Value, NodeError> {
    let total =
        from.until(to).and_then(|span| span.total((unit.jiff(), from))).map_err(|_| out_of_range())?;
    let whole = total.fract() == 0.0 && total.abs() < 9e15; // below that every whole f64 is exact
    Ok(if whole { Value::from(total as i64) } else { Value::from(total) })
}

fn period_edge(moment: &Zoned, unit: Unit, edge: Edge) -> Result<Zoned, jiff::Error> {
    let start = match unit {
        Unit::Millisecond | Unit::Second | Unit::Minute | Unit::Hour => {
            moment.round(ZonedRound::new().smallest(unit.jiff()).mode(RoundMode::Floor))?
        }
        Unit::Day => moment.start_of_day()?,
        Unit::Week => {
            let days = i64::from(moment.weekday().to_monday_zero_offset());
            moment.checked_sub(days.days())?.start_of_day()?
        }
        Unit::Month => moment.first_of_month()?.start_of_day()?,
        Unit::Year => moment.first_of_year()?.start_of_day()?,
    };
    match edge {
        Edge::Start => Ok(start),
        Edge::End => start.checked_add(unit.span())?.checked_sub(1.millisecond()),
    }
}

fn parts(moment: &Zoned) -> Value {
    let week = moment.date().iso_week_date();
    json!({
        "year": moment.year(),
        "month": moment.month(),
        "day": moment.day(),
        "hour": moment.hour(),
        "minute": moment.minute(),
        "second": moment.second(),
        "millisecond": moment.millisecond(),
        "weekday": moment.weekday().to_monday_one_offset(),
        "weekday_name": moment.strftime("%A").to_string(),
        "month_name": moment.strftime("%B").to_string(),
        "week": week.week(),
        "quarter": (moment.month() - 1) / 3 + 1,
        "day_of_year": moment.day_of_year(),
        "days_in_month": moment.days_in_month(),
        "timezone": moment.time_zone().iana_name(),
        "offset": moment.strftime("%:z").to_string(),
        "unix_ms": moment.timestamp().as_millisecond(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_node_sdk::outcome::Output;
    use sluice_node_sdk::testkit::Bench;

    async fn result(params: Value) -> Result<Value, NodeError> {
        let input = Input::main(vec![Item::new(json!({}))]);
        let Outcome::Done(Output { ports, .. }) = Bench::new(node(Datetime)).run(params, input).await? else {
            panic!("never waits")
        };
        Ok(ports[0].1[0].json["date"].clone())
    }

    #[tokio::test]
    async fn calendar_and_clock_arithmetic() {
        let table = [
            (json!({}), json!("2026-01-05T10:00:00Z")),
            (json!({ "format": "unix" }), json!(1_767_607_200)),
            (
                json!({ "value": 1_767_607_200, "input_format": "unix", "format": "unix_ms" }),
                json!(1_767_607_200_000_i64),
            ),
            (json!({ "value": "1767607200.5", "input_format": "unix" }), json!("2026-01-05T10:00:00.5Z")),
            (
                json!({ "value": "05.01.2026", "input_format": "%d.%m.%Y", "format": "date" }),
                json!("2026-01-05"),
            ),
            (
                json!({ "value": "2026-01-05 10:00 +0530", "input_format": "%Y-%m-%d %H:%M %z" }),
                json!("2026-01-05T04:30:00Z"),
            ),
            // Clocks go forward in Berlin on 29 March 2026: a day later is 23 hours later.
            (
                json!({ "operation": "add", "value": "2026-03-28T12:00", "amount": "1d", "timezone": "Europe/Berlin" }),
                json!("2026-03-29T12:00:00+02:00"),
            ),
            (
                json!({ "operation": "add", "value": "2026-03-28T12:00", "amount": "24h", "timezone": "Europe/Berlin" }),
                json!("2026-03-29T13:00:00+02:00"),
            ),
            (json!({ "operation": "subtract", "amount": "P1Y2M" }), json!("2024-11-05T10:00:00Z")),
            (json!({ "operation": "subtract", "amount": "90 minutes", "format": "time" }), json!("08:30:00")),
            (json!({ "operation": "diff", "value": "2026-01-05T22:00:00Z", "unit": "hour" }), json!(-12)),
            (
                json!({ "operation": "diff", "value": "2026-01-01", "to": "2026-01-02T12:00", "unit": "day" }),
                json!(1.5),
            ),
            (
                json!({ "operation": "diff", "value": "2026-01-31", "to": "2027-01-31", "unit": "month" }),
                json!(12),
            ),
            (
                json!({ "operation": "diff", "value": "2026-03-28", "to": "2026-03-30", "timezone": "Europe/Berlin" }),
                json!(2),
            ),
            (
                json!({ "operation": "truncate", "unit": "week", "value": "2026-01-11T23:59" }),
                json!("2026-01-05T00:00:00Z"),
            ),
            (
                json!({ "operation": "truncate", "unit": "hour", "edge": "end", "value": "1969-12-31T23:30:00Z" }),
                json!("1969-12-31T23:59:59.999Z"),
            ),
            (
                json!({ "operation": "truncate", "unit": "year", "edge": "end", "format": "date" }),
                json!("2026-12-31"),
            ),
            (
                json!({ "operation": "truncate", "unit": "day", "timezone": "Asia/Kolkata" }),
                json!("2026-01-05T00:00:00+05:30"),
            ),
        ];
        for (params, expected) in table {
            assert_eq!(result(params.clone()).await.unwrap(), expected, "{params}");
        }
    }

    #[tokio::test]
    async fn parts_name_everything() {
        let parts = result(json!({ "operation": "parts", "timezone": "Asia/Kolkata" })).await.unwrap();
        assert_eq!(
            (&parts["hour"], &parts["weekday_name"], &parts["week"]),
            (&json!(15), &json!("Monday"), &json!(2))
        );
        assert_eq!((&parts["quarter"], &parts["offset"]), (&json!(1), &json!("+05:30")));
    }

    #[tokio::test]
    async fn faults_have_codes_and_places() {
        let table = [
            (json!({ "value": "31.02.2026", "input_format": "%d.%m.%Y" }), "not_a_moment", "/value"),
            (json!({ "operation": "diff", "to": true }), "not_a_moment", "/to"),
            (json!({ "format": "german" }), "unknown_format", "/format"),
            (json!({ "format": "%Q%!" }), "unknown_format", "/format"),
            (json!({ "operation": "add" }), "not_an_amount", "/amount"),
            (json!({ "timezone": "Mars/Base" }), "unknown_time_zone", "/timezone"),
        ];
        for (params, code, path) in table {
            let error = result(params.clone()).await.unwrap_err();
            assert_eq!((error.code.as_ref(), error.path.as_deref()), (code, Some(path)), "{params}");
        }
        let error = result(json!({ "operation": "add", "amount": "9000y" })).await.unwrap_err();
        assert_eq!(error.code, "date_out_of_range");
    }
}
