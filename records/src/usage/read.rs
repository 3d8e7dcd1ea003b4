//! Reading usage. One statement sees the roll-ups and what they do not hold yet at the same moment, so an answer is
//! always the sum of all events. Must not know who may see it.

use serde_json::Value;
use sluice_db::{DbError, Row};

use crate::{RecordError, Records};

/// An hour and a day, milliseconds. Days are those of UTC.
pub(super) const HOUR_MS: i64 = 3_600_000;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;

/// The length of the intervals of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Hour,
    Day,
}

impl Step {
    /// Milliseconds.
    pub fn ms(self) -> i64 {
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        }
    }

    fn table(self) -> (&'static str, &'static str) {
        match self {
            Self::Hour => ("usage_hourly", "hour"),
            Self::Day => ("usage_daily", "day"),
        }
    }
}

/// Which usage. The times are taken down to the beginning of their interval.
#[derive(Debug, Clone)]
pub struct UsageFilter {
    /// From this moment on, milliseconds since the epoch.
    pub from: i64,
    /// Up to this moment, not included.
    pub to: i64,
    pub step: Step,
    /// Only of this kind.
    pub kind: Option<String>,
}

/// What was used in an interval.
#[derive(Debug, Clone, PartialEq)]
pub struct UsageSum {
    /// The beginning of the interval.
    pub at: i64,
    pub kind: String,
    /// Such as `{"category": "marketing"}`; an empty object when there are none.
    pub attributes: Value,
    /// Pieces.
    pub quantity: i64,
    /// How many events they are the sum of.
    pub events: i64,
}

impl Records {
    /// What a workspace used, by interval, kind and attributes, in this order.
    pub async fn usage(
        &self,
        workspace_id: &str,
        filter: &UsageFilter,
    ) -> Result<Vec<UsageSum>, RecordError> {
        let (table, column) = filter.step.table();
        let step = filter.step.ms();
        let only = if filter.kind.is_some() { "and kind = $5" } else { "" };
        let sql = format!(
            "select begins, kind, attributes, cast(sum(quantity) as bigint) as quantity, \
             cast(sum(events) as bigint) as events from ( \
               select {column} as begins, kind, attributes, quantity, events from {table} \
               where workspace_id = $1 and {column} >= $2 and {column} < $3 {only} \
               union all select at - at % $4, kind, attributes, quantity, 1 from usage_events \
               where workspace_id = $1 and part is null and at >= $2 and at < $3 {only}) u \
             group by begins, kind, attributes order by begins, kind, attributes"
        );
        let query = self.db.query(sql).bind(workspace_id);
        let query = query.bind(filter.from.div_euclid(step).saturating_mul(step));
        let query = query.bind(filter.to.div_euclid(step).saturating_mul(step)).bind(step);
        let rows = query.bind_all(filter.kind.as_deref()).all().await?;
        Ok(rows.iter().map(from_row).collect::<Result<_, _>>()?)
    }

    /// How much of a kind a workspace used since the beginning of the hour of a moment.
    pub async fn used_since(&self, workspace_id: &str, kind: &str, since: i64) -> Result<i64, RecordError> {
        let sql = "select cast(coalesce(sum(quantity), 0) as bigint) as quantity from ( \
               select quantity from usage_hourly where workspace_id = $1 and kind = $2 and hour >= $3 \
               union all select quantity from usage_events \
               where workspace_id = $1 and kind = $2 and part is null and at >= $3) u";
        let query = self.db.query(sql).bind(workspace_id).bind(kind);
        Ok(query.bind(since.div_euclid(HOUR_MS).saturating_mul(HOUR_MS)).one().await?.int("quantity")?)
    }
}

fn from_row(row: &Row) -> Result<UsageSum, DbError> {
    let text = row.text("attributes")?;
    Ok(UsageSum {
        at: row.int("begins")?,
        kind: row.text("kind")?,
        attributes: if text.is_empty() { Value::Object(Default::default()) } else { row.json("attributes")? },
        quantity: row.int("quantity")?,
        events: row.int("events")?,
    })
}
