//! Roll-ups: events become parts of their hour and of their day. In one transaction the parts are written and the events
//! marked as held by them, so every event is in exactly one part of each, whatever crashes and however late it came.
//! Nothing is ever counted up: a part is written once, and parts are added when they are read.
//! Must not know what the figures are for.

use std::collections::BTreeMap;

use sluice_db::{DbError, Tx, placeholders};

use super::RUN;
use super::read::{DAY_MS, HOUR_MS};
use crate::ids::new_id;
use crate::{RecordError, Records};

/// Events whose keys go into one statement.
const MARKED: usize = 200;

/// An event may be deleted when it has been in a roll-up for so long: a repetition that comes later would count again.
pub const PRUNE_AFTER_MS: i64 = 400 * DAY_MS;

/// Parts are merged once their interval has been over for so long.
const MERGE_AFTER_MS: i64 = 2 * DAY_MS;

/// The two roll-ups: table, column and length of the interval.
const ROLLUPS: [(&str, &str, i64); 2] = [("usage_hourly", "hour", HOUR_MS), ("usage_daily", "day", DAY_MS)];

/// Workspace, kind, beginning of the interval, attributes.
type Place = (String, String, i64, String);

impl Records {
    /// Takes up to `limit` events into the roll-ups and says how many it took. Any number of processes may do it at once.
    pub async fn roll_up_usage(&self, limit: u32) -> Result<u64, RecordError> {
        let mut tx = self.begin().await?;
        tx.lock("usage/roll-up").await?;
        let sql = "select workspace_id, usage_key, kind, quantity, attributes, at from usage_events \
                   where part is null order by workspace_id, kind, at limit $1";
        let rows = tx.query(sql).bind(limit).all().await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let part = new_id("part");
        let mut sums: [BTreeMap<Place, (i64, i64)>; 2] = Default::default();
        let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in &rows {
            let (workspace, kind) = (row.text("workspace_id")?, row.text("kind")?);
            let (at, quantity, attributes) = (row.int("at")?, row.int("quantity")?, row.text("attributes")?);
            for (sums, (_, _, length)) in sums.iter_mut().zip(ROLLUPS) {
                let begins = at.div_euclid(length).saturating_mul(length);
                let place = (workspace.clone(), kind.clone(), begins, attributes.clone());
                let sum = sums.entry(place).or_default();
                *sum = (sum.0.saturating_add(quantity), sum.1 + 1);
            }
            keys.entry(workspace).or_default().push(row.text("usage_key")?);
        }
        for (sums, rollup) in sums.iter().zip(ROLLUPS) {
            for (place, sum) in sums {
                insert_part(&mut tx, rollup, place, &part, *sum).await?;
            }
        }
        for (workspace, keys) in &keys {
            for keys in keys.chunks(MARKED) {
                let sql = format!(
                    "update usage_events set part = $1 where workspace_id = $2 and usage_key in ({})",
                    placeholders(3, keys.len())
                );
                tx.query(sql).bind(&part).bind(workspace).bind_all(keys.iter()).execute().await?;
            }
        }
        tx.commit().await?;
        Ok(rows.len() as u64)
    }

    /// Puts one part in the place of the several that old intervals have; looks at up to `limit` of them and says how many
    /// intervals it merged.
    pub async fn merge_usage(&self, limit: u32) -> Result<u64, RecordError> {
        let before = self.now() - MERGE_AFTER_MS;
        let mut tx = self.begin().await?;
        tx.lock("usage/roll-up").await?;
        let mut merged = 0;
        for rollup in ROLLUPS {
            let (table, column, length) = rollup;
            let sql = format!(
                "select workspace_id, kind, {column} as begins, attributes from {table} \
                 where part <> '' and {column} < $1 order by {column} limit $2"
            );
            let rows = tx.query(sql).bind(before - length).bind(limit).all().await?;
            let places = rows.iter().map(|row| {
                let (workspace, kind) = (row.text("workspace_id")?, row.text("kind")?);
                Ok((workspace, kind, row.int("begins")?, row.text("attributes")?))
            });
            let mut places = places.collect::<Result<Vec<Place>, DbError>>()?;
            places.sort_unstable();
            places.dedup();
            for place in &places {
                merge(&mut tx, rollup, place).await?;
            }
            merged += places.len() as u64;
        }
        tx.commit().await?;
        Ok(merged)
    }

    /// Deletes up to `limit` events of before `before` that the roll-ups hold; no sum changes by it. Runs are counted
    /// under keys that nobody repeats, so their events go a day after they happened.
    pub async fn prune_usage(&self, before: i64, limit: u32) -> Result<u64, RecordError> {
        const KIND: &str =
            "select kind from usage_events where part is not null and kind > $1 order by kind limit 1";
        const DELETE: &str = "delete from usage_events where part is not null and (workspace_id, usage_key) in \
             (select workspace_id, usage_key from usage_events where part is not null and kind = $1 and at < $2 \
             order by at limit $3)";
        let (mut kind, mut gone) = (String::new(), 0);
        while let Some(row) = self.db.query(KIND).bind(&kind).optional().await? {
            kind = row.text("kind")?;
            let before = if kind == RUN { before.max(self.now() - DAY_MS) } else { before };
            let left = u64::from(limit).saturating_sub(gone) as i64;
            gone += self.db.query(DELETE).bind(&kind).bind(before).bind(left).execute().await?;
        }
        Ok(gone)
    }
}

async fn insert_part(
    tx: &mut Tx,
    (table, column, _): (&str, &str, i64),
    (workspace, kind, begins, attributes): &Place,
    part: &str,
    (quantity, events): (i64, i64),
) -> Result<(), RecordError> {
    let sql = format!(
        "insert into {table} (workspace_id, kind, {column}, attributes, part, quantity, events) \
         values ($1, $2, $3, $4, $5, $6, $7)"
    );
    let query = tx.query(sql).bind(workspace).bind(kind).bind(*begins).bind(attributes);
    query.bind(part).bind(quantity).bind(events).execute().await?;
    Ok(())
}

async fn merge(tx: &mut Tx, rollup: (&str, &str, i64), place: &Place) -> Result<(), RecordError> {
    let (table, column, _) = rollup;
    let there =
        format!("{table} where workspace_id = $1 and kind = $2 and {column} = $3 and attributes = $4");
    let sql = format!(
        "select cast(sum(quantity) as bigint) as quantity, cast(sum(events) as bigint) as events from {there}"
    );
    let (workspace, kind, begins, attributes) = place;
    let row = tx.query(sql).bind(workspace).bind(kind).bind(*begins).bind(attributes).one().await?;
    let sum = (row.int("quantity")?, row.int("events")?);
    let gone = tx.query(format!("delete from {there}")).bind(workspace).bind(kind);
    gone.bind(*begins).bind(attributes).execute().await?;
    insert_part(tx, rollup, place, "", sum).await
}
