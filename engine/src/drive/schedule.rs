//! Time plans: ordinary crontab lines in an IANA time zone, with correct behaviour when clocks change.
//!
//! The `cron` crate parses; this wrapper adds five-field lines, POSIX weekdays (0 to 7, Sunday is 0 and 7), the
//! crontab rule that day-of-month and day-of-week are alternatives when both are restricted, and clock changes:
//! a plan for fixed times of day runs once when the hour comes twice, and right after the gap when its time
//! is left out; a plan with steps or wildcards in minutes or hours follows elapsed time.

use super::engine::Engine;
use super::error::EngineError;
use super::start::StartRequest;
use crate::store::ScheduleRow;
use chrono::{DateTime, Utc};
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::Deserialize;
use serde_json::{Value, json};
use std::str::FromStr;

/// A time plan.
#[derive(Clone, Debug)]
pub struct Schedule {
    plans: Vec<cron::Schedule>,
    zone: TimeZone,
    is_fixed: bool,
}

/// Why a time plan cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Not a crontab line.
    #[error(
        "`{0}` is not a time plan; write five fields as in `30 9 * * 1-5` (minute hour day month weekday): {1}"
    )]
    Cron(String, String),
    /// Not a time zone.
    #[error("`{0}` is not a time zone; use an IANA name such as `Asia/Kolkata`")]
    Zone(String),
    /// It never comes.
    #[error("`{0}` never comes true")]
    Never(String),
}

/// Clock changes that are looked past: two a year for longer than any plan has to wait.
const MOST_CHANGES: usize = 64;

/// How far ahead a plan is searched: no moment within this many candidates means never.
const SEARCHED: usize = 10_000;

impl Schedule {
    /// Reads a crontab line (five fields, six with seconds first, or `@daily` and its like) in a zone.
    ///
    /// # Errors
    /// When the line or the zone is wrong, or the plan never comes true.
    pub fn parse(line: &str, zone: &str) -> Result<Self, ScheduleError> {
        let schedule = Self {
            plans: plans(line)?,
            zone: TimeZone::get(zone).map_err(|_| ScheduleError::Zone(zone.to_owned()))?,
            is_fixed: is_fixed(line),
        };
        match schedule.next_after(0) {
            Some(_) => Ok(schedule),
            None => Err(ScheduleError::Never(line.to_owned())),
        }
    }

    /// The first moment after `after` (both milliseconds since the epoch).
    pub fn next_after(&self, after: i64) -> Option<i64> {
        let next =
            |plan| if self.is_fixed { self.next_fixed(plan, after) } else { self.next_elapsed(plan, after) };
        self.plans.iter().filter_map(next).min()
    }

    /// Fixed times of day: the plan is followed on the wall clock, and each wall time happens once.
    fn next_fixed(&self, plan: &cron::Schedule, after: i64) -> Option<i64> {
        let wall = jiff::Timestamp::from_millisecond(after).ok()?.to_zoned(self.zone.clone()).datetime();
        // Start a day early: the wall clock may have been set back since.
        let wall = wall.checked_sub(jiff::Span::new().days(1)).ok()?;
        let start = wall.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
        let walls = plan.after(&DateTime::<Utc>::from_timestamp_millis(start)?).take(SEARCHED);
        walls.filter_map(|wall| self.instant_of(wall)).find(|at| *at > after)
    }

    fn instant_of(&self, wall: DateTime<Utc>) -> Option<i64> {
        let wall = jiff::Timestamp::from_millisecond(wall.timestamp_millis())
            .ok()?
            .to_zoned(TimeZone::UTC)
            .datetime();
        let ambiguous = self.zone.to_ambiguous_timestamp(wall);
        let at = match ambiguous.offset() {
            // The first moment after the gap is the transition itself.
            AmbiguousOffset::Gap { .. } => {
                let before = ambiguous.earlier().ok()?;
                self.zone.following(before).next()?.timestamp()
            }
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok()?,
        };
        Some(at.as_millisecond())
    }

    /// Steps and wildcards: between two clock changes the wall clock runs evenly, so the plan is followed on it and
    /// taken up anew after each change. Times left out by a change are left out, times that come twice come twice.
    fn next_elapsed(&self, plan: &cron::Schedule, after: i64) -> Option<i64> {
        let mut start = jiff::Timestamp::from_millisecond(after).ok()?;
        let mut exclusive = after;
        for _ in 0..MOST_CHANGES {
            let offset = i64::from(self.zone.to_offset(start).seconds()) * 1_000;
            let wall = DateTime::<Utc>::from_timestamp_millis(exclusive + offset)?;
            let found = plan.after(&wall).next()?.timestamp_millis() - offset;
            let Some(change) = self.zone.following(start).next().map(|change| change.timestamp()) else {
                return Some(found);
            };
            if found < change.as_millisecond() {
                return Some(found);
            }
            (start, exclusive) = (change, change.as_millisecond() - 1);
        }
        None
    }
}

/// Minutes and hours are both named, so the plan means times of day and not intervals.
fn is_fixed(line: &str) -> bool {
    let fields: Vec<&str> = line.split_whitespace().collect();
    match fields.as_slice() {
        [nickname] => *nickname != "@hourly",
        [.., minute, hour, _, _, _] => !minute.contains(['*', '/']) && !hour.contains(['*', '/']),
        _ => false,
    }
}

/// The crate's form of a crontab line: two plans when day-of-month and day-of-week are both restricted.
fn plans(line: &str) -> Result<Vec<cron::Schedule>, ScheduleError> {
    let bad = |why: String| ScheduleError::Cron(line.to_owned(), why);
    let parse = |text: &str| cron::Schedule::from_str(text).map_err(|error| bad(error.to_string()));
    let trimmed = line.trim();
    if trimmed.starts_with('@') {
        let nickname = if trimmed == "@midnight" {
            "@daily"
        } else if trimmed == "@annually" {
            "@yearly"
        } else {
            trimmed
        };
        return Ok(vec![parse(nickname)?]);
    }
    let fields: Vec<&str> = trimmed.split_whitespace().collect();
    let (second, rest) = match fields.len() {
        5 => ("0", fields.as_slice()),
        6 => (fields[0], &fields[1..]),
        count => return Err(bad(format!("it has {count} fields"))),
    };
    let [minute, hour, day, month, weekday] = rest else {
        return Err(bad("it has too few fields".to_owned()));
    };
    let weekday = weekdays(weekday).map_err(bad)?;
    let text = |day: &str, weekday: &str| format!("{second} {minute} {hour} {day} {month} {weekday} *");
    let is_any = |field: &str| field == "*" || field == "?";
    if is_any(day) || is_any(&weekday) {
        let day = if day.eq(&"?") { "*" } else { day };
        return Ok(vec![parse(&text(day, if is_any(&weekday) { "*" } else { &weekday }))?]);
    }
    Ok(vec![parse(&text(day, "*"))?, parse(&text("*", &weekday))?])
}

/// POSIX weekdays (0 to 7, names) as a list of names, which mean the same everywhere.
fn weekdays(field: &str) -> Result<String, String> {
    const NAMES: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    if field == "*" || field == "?" {
        return Ok(field.to_owned());
    }
    let number = |text: &str| -> Result<usize, String> {
        let upper = text.to_ascii_uppercase();
        if let Some(at) = NAMES.iter().position(|name| upper.starts_with(name)) {
            return Ok(at);
        }
        text.parse::<usize>().ok().filter(|day| *day <= 7).ok_or_else(|| format!("`{text}` is not a weekday"))
    };
    let mut days = std::collections::BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (
                range,
                step.parse::<usize>().ok().filter(|step| *step > 0).ok_or("a step is a number above 0")?,
            ),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None if range == "*" => (0, 6),
            None if step > 1 => (number(range)?, 6),
            None => (number(range)?, number(range)?),
        };
        let to = if to < from { to + 7 } else { to };
        days.extend((from..=to).step_by(step).map(|day| day % 7));
    }
    Ok(days.into_iter().map(|day| NAMES[day]).collect::<Vec<_>>().join(","))
}

/// What is done about moments that were missed while nothing ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CatchUp {
    /// Nothing.
    Skip,
    /// One run for all of them.
    #[default]
    Once,
    /// One run for each.
    All,
}

#[derive(Deserialize)]
struct ScheduleParams {
    cron: String,
    #[serde(default)]
    timezone: Option<String>,
    #[serde(default)]
    catch_up: CatchUp,
}

impl ScheduleParams {
    /// The parameters and the plan they stand for; `zone` is the workflow's.
    fn read(params: &Value, zone: &str) -> Result<(Self, Schedule), ScheduleError> {
        let read = Self::deserialize(params)
            .map_err(|error| ScheduleError::Cron(params["cron"].to_string(), error.to_string()))?;
        let schedule = Schedule::parse(&read.cron, read.timezone.as_deref().unwrap_or(zone))?;
        Ok((read, schedule))
    }
}

/// A moment counts as missed when it is later than this, milliseconds.
const GRACE: i64 = 60_000;

/// Missed moments that are made up for in one go.
const MOST_MISSED: usize = 1_000;

impl Engine {
    /// The schedule of a trigger's raw parameters.
    ///
    /// # Errors
    /// When the plan or the zone is wrong.
    pub fn schedule(params: &Value, zone: &str) -> Result<Schedule, ScheduleError> {
        Ok(ScheduleParams::read(params, zone)?.1)
    }

    /// Starts the workflows whose time has come.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fire_schedules(&self) -> Result<usize, EngineError> {
        let now = self.now_ms();
        let mut fired = 0;
        for row in self.store().due_schedules(now, 100).await? {
            fired += self.fire_schedule(&row, now).await?;
        }
        Ok(fired)
    }

    async fn fire_schedule(&self, row: &ScheduleRow, now: i64) -> Result<usize, EngineError> {
        let Some(due) = row.next_at else { return Ok(0) };
        let params: Value = serde_json::from_str(&row.params).unwrap_or_default();
        let (policy, schedule) = match ScheduleParams::read(&params, "UTC") {
            Ok((read, schedule)) => (read.catch_up, schedule),
            Err(error) => {
                tracing::error!(workflow_id = row.workflow_id, %error, "a published time plan cannot be read; it is switched off");
                self.store().set_next(row, None).await?;
                return Ok(0);
            }
        };
        let mut moments = vec![due];
        while let Some(next) =
            schedule.next_after(*moments.last().unwrap_or(&due)).filter(|next| *next <= now)
        {
            moments.push(next);
            if moments.len() >= MOST_MISSED {
                break;
            }
        }
        let last = *moments.last().unwrap_or(&due);
        match policy {
            CatchUp::All => {}
            CatchUp::Once => moments = vec![last],
            CatchUp::Skip => moments.retain(|moment| now - moment <= GRACE),
        }
        // The runs first: each has a deduplication key, so a crash in between starts none of them twice.
        for moment in &moments {
            self.start_scheduled(row, *moment, now).await?;
        }
        self.store().set_next(row, schedule.next_after(last.max(now))).await?;
        Ok(moments.len())
    }

    async fn start_scheduled(&self, row: &ScheduleRow, moment: i64, now: i64) -> Result<(), EngineError> {
        let text =
            |at: i64| jiff::Timestamp::from_millisecond(at).map(|at| at.to_string()).unwrap_or_default();
        let request = StartRequest {
            workspace_id: row.workspace_id.clone(),
            workflow_id: row.workflow_id.clone(),
            trigger: Some(row.node.clone()),
            event: json!({ "scheduled_at": text(moment), "fired_at": text(now) }),
            dedupe_key: Some(format!("schedule/{}/{}/{moment}", row.workflow_id, row.node)),
            ..StartRequest::default()
        };
        match self.start(request).await {
            Ok(_) | Err(EngineError::Duplicate) => Ok(()),
            // The moment is kept for the next look.
            Err(error) if error.leaves_open() || matches!(error, EngineError::Store(_)) => Err(error),
            Err(error) => {
                tracing::error!(workflow_id = row.workflow_id, %error, "a scheduled workflow could not be started");
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(line: &str, zone: &str, after: &str) -> String {
        let after: jiff::Timestamp = after.parse().unwrap();
        let at = Schedule::parse(line, zone).unwrap().next_after(after.as_millisecond()).unwrap();
        jiff::Timestamp::from_millisecond(at).unwrap().to_string()
    }

    #[test]
    fn crontab_lines_mean_what_crontab_means() {
        let cases = [
            ("30 9 * * 1-5", "Asia/Kolkata", "2026-01-03T00:00:00Z", "2026-01-05T04:00:00Z"),
            ("0 0 * * 0", "UTC", "2026-01-05T00:00:00Z", "2026-01-11T00:00:00Z"),
            ("0 0 * * 7", "UTC", "2026-01-05T00:00:00Z", "2026-01-11T00:00:00Z"),
            ("0 0 * * 5-7", "UTC", "2026-01-10T12:00:00Z", "2026-01-11T00:00:00Z"),
            ("0 0 13 * 5", "UTC", "2026-01-05T00:00:00Z", "2026-01-09T00:00:00Z"),
            ("0 0 13 * 5", "UTC", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z"),
            ("*/15 * * * *", "UTC", "2026-01-05T10:01:00Z", "2026-01-05T10:15:00Z"),
            ("5 0 0 1 1 *", "UTC", "2026-01-05T10:01:00Z", "2027-01-01T00:00:05Z"),
            ("@daily", "UTC", "2026-01-05T10:01:00Z", "2026-01-06T00:00:00Z"),
        ];
        for (line, zone, after, expected) in cases {
            assert_eq!(next(line, zone, after), expected, "{line} in {zone} after {after}");
        }
    }

    #[test]
    fn clock_changes_neither_lose_nor_double_a_fixed_time() {
        // New York, 8 March 2026: 02:00 becomes 03:00. 1 November: 02:00 becomes 01:00.
        let zone = "America/New_York";
        assert_eq!(next("30 2 * * *", zone, "2026-03-07T12:00:00Z"), "2026-03-08T07:00:00Z");
        assert_eq!(next("30 2 * * *", zone, "2026-03-08T07:00:00Z"), "2026-03-09T06:30:00Z");
        assert_eq!(next("30 1 * * *", zone, "2026-10-31T12:00:00Z"), "2026-11-01T05:30:00Z");
        assert_eq!(next("30 1 * * *", zone, "2026-11-01T05:30:00Z"), "2026-11-02T06:30:00Z");
        // Every half hour goes on through the repeated hour.
        assert_eq!(next("*/30 * * * *", zone, "2026-11-01T05:30:00Z"), "2026-11-01T06:00:00Z");
        assert_eq!(next("*/30 * * * *", zone, "2026-11-01T06:00:00Z"), "2026-11-01T06:30:00Z");
    }

    #[test]
    fn wrong_plans_are_refused_with_a_reason() {
        for line in ["", "* * *", "61 * * * *", "0 0 * * 8", "0 0 * * x", "0 0 30 2 *", "* * * * * * * *"] {
            assert!(Schedule::parse(line, "UTC").is_err(), "{line}");
        }
        assert_eq!(
            Schedule::parse("* * * * *", "Mars/Base").unwrap_err(),
            ScheduleError::Zone("Mars/Base".to_owned())
        );
    }

    /// Another implementation of crontab lines must agree, through a year with both clock changes.
    #[test]
    fn another_crontab_reader_agrees() {
        let lines = [
            "0 9 * * *",
            "*/20 * * * *",
            "15 3 1 * *",
            "30 2 * * *",
            "30 1 * * *",
            "0 12 * * 1-5",
            "5 4 13 * 5",
            "0 */6 * * *",
        ];
        for zone in ["UTC", "Asia/Kolkata", "Europe/Berlin", "America/New_York"] {
            for line in lines {
                let ours = Schedule::parse(line, zone).unwrap();
                let theirs = croner::Cron::from_str(line).unwrap();
                let mut at: jiff::Timestamp = "2026-02-20T00:00:00Z".parse().unwrap();
                let end: jiff::Timestamp = "2026-11-20T00:00:00Z".parse().unwrap();
                while at < end {
                    let expected =
                        theirs.find_next_occurrence(&at.in_tz(zone).unwrap(), false).unwrap().timestamp();
                    let found = ours.next_after(at.as_millisecond()).unwrap();
                    assert_eq!(found, expected.as_millisecond(), "`{line}` in {zone} after {at}");
                    at = expected;
                }
            }
        }
    }
}
