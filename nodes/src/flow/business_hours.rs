//! `flow.business_hours`: sends items one way while the business is open and another while it is closed.
//! Must not know the engine; the time is the context's.

use crate::values::check;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use sluice_node_sdk::context::NodeContext;
use sluice_node_sdk::prelude::*;

/// The node.
pub struct BusinessHours;

/// Opening hours.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessHoursParams {
    /// IANA time zone such as `Asia/Kolkata`. Left out: the workflow's.
    #[serde(default)]
    pub timezone: Option<String>,
    /// Opening hours per weekday; a day left out is closed.
    pub hours: Week,
    /// Days that differ, such as holidays.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
}

/// Opening hours per weekday.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Week {
    /// Monday.
    pub mon: Vec<Range>,
    /// Tuesday.
    pub tue: Vec<Range>,
    /// Wednesday.
    pub wed: Vec<Range>,
    /// Thursday.
    pub thu: Vec<Range>,
    /// Friday.
    pub fri: Vec<Range>,
    /// Saturday.
    pub sat: Vec<Range>,
    /// Sunday.
    pub sun: Vec<Range>,
}

/// A stretch of opening hours. When `to` is not after `from`, it reaches into the next day.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Opens, as `09:00`.
    pub from: String,
    /// Closes, as `17:30`; `24:00` is the end of the day.
    pub to: String,
}

/// A day that differs: closed, or open at other hours.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The day, as `2026-12-25`.
    pub date: String,
    /// Closed all day.
    #[serde(default)]
    pub closed: bool,
    /// Open at these hours.
    #[serde(default)]
    pub ranges: Vec<Range>,
}

impl Node for BusinessHours {
    const TYPE: &'static str = "flow.business_hours";
    type Params = BusinessHoursParams;

    fn spec(&self) -> NodeSpec {
        let office =
            json!({ "timezone": "Europe/Berlin", "hours": { "mon": [{ "from": "09:00", "to": "17:00" }] } });
        NodeSpec::new("Business hours", "Sends items by whether the business is open")
            .docs(
                "Looks at the clock when it runs. Hours are local: `09:00` stays nine o'clock when daylight saving \
                 time changes. A range may reach past midnight (`22:00` to `02:00`); it belongs to the day on which \
                 it begins. An exception replaces what begins on its day.",
            )
            .outputs(Ports::fixed(&[("open", "Items while open"), ("closed", "Items while closed")]))
            .example(
                Example::new("Open on Monday at eleven", office.clone())
                    .input(vec![json!({ "id": 1 })])
                    .output_port("open", vec![json!({ "id": 1 })]),
            )
            .example(
                Example::new(
                    "Closed on a holiday",
                    json!({ "timezone": "Europe/Berlin", "hours": office["hours"],
                            "exceptions": [{ "date": "2026-01-05", "closed": true }] }),
                )
                .input(vec![json!({ "id": 1 })])
                .output_port("closed", vec![json!({ "id": 1 })]),
            )
            .example(
                Example::new("A time that is none", json!({ "hours": { "mon": [{ "from": "9", "to": "25:00" }] } }))
                    .input(vec![json!({})])
                    .error("invalid_time"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        check::rule(params, check_all)
    }

    async fn run(&self, ctx: &Context<'_, BusinessHoursParams>, input: Input) -> Result<Outcome, NodeError> {
        let (mut open, mut closed) = (Vec::new(), Vec::new());
        for (index, item) in input.items().iter().enumerate() {
            let way = if is_open_now(ctx, &*ctx.params(index)?)? { &mut open } else { &mut closed };
            way.push(item.clone().from_input(index));
        }
        Ok(Output::port("open", open).and("closed", closed).into())
    }
}

fn is_open_now(ctx: &NodeContext, params: &BusinessHoursParams) -> Result<bool, NodeError> {
    let name = params.timezone.as_deref().unwrap_or(&ctx.run.time_zone);
    let zone = TimeZone::get(name).map_err(|_| {
        NodeError::invalid_params(format!("`{name}` is no time zone; write for example `Asia/Kolkata`"))
            .code("invalid_timezone")
            .at("/timezone")
    })?;
    let now = Timestamp::from_millisecond(ctx.now_ms())
        .map_err(|error| NodeError::bug(format!("The clock shows an impossible time: {error}")))?;
    is_open(params, &now.to_zoned(zone))
}

/// Whether the business is open at this moment: by a range that began today or yesterday.
fn is_open(params: &BusinessHoursParams, now: &Zoned) -> Result<bool, NodeError> {
    let today = now.date();
    let minute = i32::from(now.hour()) * 60 + i32::from(now.minute());
    check_all(params)?;
    let began_today = ranges_of(params, today).iter().any(|(from, to)| minute >= *from && minute < *to);
    let yesterday = today.checked_sub(1.day()).unwrap_or(today);
    let since_yesterday = minute + DAY;
    let began_yesterday =
        yesterday != today && ranges_of(params, yesterday).iter().any(|(_, to)| since_yesterday < *to);
    Ok(began_today || began_yesterday)
}

const DAY: i32 = 24 * 60;

/// The ranges that begin on a day, in minutes since its midnight; the end may lie in the next day.
fn ranges_of(params: &BusinessHoursParams, day: Date) -> Vec<(i32, i32)> {
    let exception = params
        .exceptions
        .iter()
        .find(|exception| exception.date.parse::<Date>().is_ok_and(|date| date == day));
    let ranges = match exception {
        Some(exception) if exception.closed => &[],
        Some(exception) => exception.ranges.as_slice(),
        None => params.hours.of(day.weekday()),
    };
    ranges.iter().filter_map(minutes).collect()
}

impl Week {
    fn of(&self, day: Weekday) -> &[Range] {
        match day {
            Weekday::Monday => &self.mon,
            Weekday::Tuesday => &self.tue,
            Weekday::Wednesday => &self.wed,
            Weekday::Thursday => &self.thu,
            Weekday::Friday => &self.fri,
            Weekday::Saturday => &self.sat,
            Weekday::Sunday => &self.sun,
        }
    }
}

/// Begin and end; an end that is not after the begin lies in the next day.
fn minutes(range: &Range) -> Option<(i32, i32)> {
    let (from, to) = (minute(&range.from)?, minute(&range.to)?);
    (from < DAY).then_some((from, if to > from { to } else { to + DAY }))
}

/// `HH:MM`, with `24:00` as the end of the day.
fn minute(text: &str) -> Option<i32> {
    if text.trim() == "24:00" {
        return Some(DAY);
    }
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |part: &str| (1..=2).contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit());
    if !digits(hour) || minute.len() != 2 || !digits(minute) {
        return None;
    }
    let time = Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
    Some(i32::from(time.hour()) * 60 + i32::from(time.minute()))
}

/// Every time and date is looked at, not only today's, so that a mistake shows at once.
fn check_all(params: &BusinessHoursParams) -> Result<(), NodeError> {
    let week = &params.hours;
    let days = [
        ("mon", &week.mon),
        ("tue", &week.tue),
        ("wed", &week.wed),
        ("thu", &week.thu),
        ("fri", &week.fri),
        ("sat", &week.sat),
        ("sun", &week.sun),
    ];
    for (day, ranges) in days {
        check_ranges(&format!("/hours/{day}"), ranges)?;
    }
    for (index, exception) in params.exceptions.iter().enumerate() {
        let path = format!("/exceptions/{index}");
        if exception.date.len() != 10 || exception.date.parse::<Date>().is_err() {
            let message = format!("`{}` is no date; write it as 2026-12-25", exception.date);
            return Err(NodeError::invalid_params(message).code("invalid_date").at(format!("{path}/date")));
        }
        check_ranges(&format!("{path}/ranges"), &exception.ranges)?;
    }
    Ok(())
}

fn check_ranges(path: &str, ranges: &[Range]) -> Result<(), NodeError> {
    for (index, range) in ranges.iter().enumerate() {
        for (field, text) in [("from", &range.from), ("to", &range.to)] {
            if minute(text).is_none_or(|at| field == "from" && at == DAY) {
                let message = format!("`{text}` is no time of day; write it as 09:00");
                let path = format!("{path}/{index}/{field}");
                return Err(NodeError::invalid_params(message).code("invalid_time").at(path));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_at(params: &Value, local: &str) -> bool {
        let params: BusinessHoursParams = serde_json::from_value(params.clone()).unwrap();
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let now = local.parse::<jiff::civil::DateTime>().unwrap().to_zoned(zone).unwrap();
        is_open(&params, &now).unwrap()
    }

    #[test]
    fn borders_nights_and_exceptions() {
        // 2026-01-05 is a Monday.
        let params = json!({
            "hours": {
                "mon": [{ "from": "09:00", "to": "12:00" }, { "from": "13:00", "to": "17:30" }],
                "fri": [{ "from": "22:00", "to": "02:00" }],
                "sat": [{ "from": "00:00", "to": "24:00" }],
                "sun": [{ "from": "23:00", "to": "03:00" }],
                "wed": [{ "from": "20:00", "to": "20:00" }],
            },
            "exceptions": [
                { "date": "2026-01-12", "closed": true },
                { "date": "2026-01-13", "ranges": [{ "from": "10:00", "to": "11:00" }] },
                { "date": "2026-01-16", "closed": true },
            ],
        });
        let cases = [
            ("2026-01-05T08:59:59", false),
            ("2026-01-05T09:00:00", true),
            ("2026-01-05T11:59:59", true),
            ("2026-01-05T12:00:00", false),
            ("2026-01-05T17:29:00", true),
            ("2026-01-05T17:30:00", false),
            ("2026-01-06T10:00:00", false),
            // Friday night reaches into Saturday, which is open anyway; the one after the holiday is not.
            ("2026-01-09T21:59:00", false),
            ("2026-01-09T22:00:00", true),
            ("2026-01-10T01:59:00", true),
            ("2026-01-10T23:59:59", true),
            ("2026-01-11T00:00:00", false),
            // Sunday night reaches into a Monday that is a holiday.
            ("2026-01-11T23:00:00", true),
            ("2026-01-12T02:59:00", true),
            ("2026-01-12T10:00:00", false),
            // Around the clock from Wednesday evening on.
            ("2026-01-07T19:59:00", false),
            ("2026-01-07T20:00:00", true),
            ("2026-01-08T19:59:00", true),
            ("2026-01-08T20:00:00", false),
            ("2026-01-13T10:30:00", true),
            ("2026-01-13T11:00:00", false),
            ("2026-01-16T23:00:00", false),
        ];
        for (at, wanted) in cases {
            assert_eq!(open_at(&params, at), wanted, "{at}");
        }
    }

    #[test]
    fn mistakes_name_their_place() {
        let cases = [
            (json!({ "hours": { "tue": [{ "from": "24:00", "to": "02:00" }] } }), "/hours/tue/0/from"),
            (json!({ "hours": { "sun": [{ "from": "09:00", "to": "9.30" }] } }), "/hours/sun/0/to"),
            (json!({ "hours": {}, "exceptions": [{ "date": "2026-02-30" }] }), "/exceptions/0/date"),
        ];
        for (params, path) in cases {
            let params: BusinessHoursParams = serde_json::from_value(params).unwrap();
            let now = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
            assert_eq!(is_open(&params, &now).unwrap_err().path.as_deref(), Some(path));
        }
    }
}
