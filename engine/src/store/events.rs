//! Events read back. Must not know what they mean.

use super::runs::read_key;
use super::{RunKey, Store, StoreError, codec};
use crate::core::Event;
use sluice_db::Row;
use std::collections::HashMap;

impl Store {
    /// The events of a run from number `from` on, each with its number; the first event of a run has number 0,
    /// so someone who has seen `n` events asks for `n`.
    ///
    /// # Errors
    /// When the database fails or the events are damaged.
    pub async fn events_since(&self, key: &RunKey, from: i64) -> Result<Vec<(i64, Event)>, StoreError> {
        // The row that holds event `from` is the last one that begins at or before it.
        const SQL: &str = "select first_seq, at, body from run_events where workspace_id = $1 and run_id = $2 \
             and first_seq >= coalesce((select max(first_seq) from run_events \
                 where workspace_id = $1 and run_id = $2 and first_seq <= $3), 0) order by first_seq";
        let rows = self.db.query(SQL).bind(&*key.workspace_id).bind(&*key.run_id).bind(from).all().await?;
        let mut events = Vec::new();
        for row in &rows {
            let numbered = (row.int("first_seq")?..).zip(self.decode(key, row).await?);
            events.extend(numbered.filter(|(number, _)| *number >= from));
        }
        Ok(events)
    }

    /// The rows of events of a run, in order.
    pub(super) async fn event_rows(&self, key: &RunKey) -> Result<Vec<Row>, StoreError> {
        const SQL: &str = "select first_seq, at, body from run_events where workspace_id = $1 and run_id = $2 \
             order by first_seq";
        Ok(self.db.query(SQL).bind(&*key.workspace_id).bind(&*key.run_id).all().await?)
    }

    /// The same of several runs, with a statement that gives those of each in order.
    pub(super) async fn event_rows_of_many<'a>(
        &self,
        sql: String,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<HashMap<RunKey, Vec<Row>>, StoreError> {
        let mut found: HashMap<RunKey, Vec<Row>> = HashMap::new();
        for row in self.db.query(sql).bind_all(names).all().await? {
            found.entry(read_key(&row)?).or_default().push(row);
        }
        Ok(found)
    }

    /// The first `count` events in the rows of a run: exactly those that its own row vouches for, even when a later turn
    /// was committed between the two reads. When some are damaged, those before them and what is wrong.
    pub(super) async fn first_events(
        &self,
        key: &RunKey,
        count: i64,
        rows: &[Row],
    ) -> Result<(Vec<Event>, Option<StoreError>), StoreError> {
        let mut events = Vec::new();
        let corrupt = |what| StoreError::Corrupt { what, id: key.run_id.to_string() };
        for row in rows {
            let first = row.int("first_seq")?;
            if first >= count {
                break;
            }
            if first != events.len() as i64 {
                return Ok((events, Some(corrupt("a row of events"))));
            }
            match self.decode(key, row).await {
                Ok(found) => events.extend(found),
                Err(damage @ StoreError::Corrupt { .. }) => return Ok((events, Some(damage))),
                Err(error) => return Err(error),
            }
        }
        let damage = (events.len() as i64 != count).then(|| corrupt("the last events"));
        Ok((events, damage))
    }

    async fn decode(&self, key: &RunKey, row: &Row) -> Result<Vec<Event>, StoreError> {
        let body = self.whole_body(key, row.bytes("body")?).await?;
        codec::decode(row.int("at")?, &body).map_err(|error| corrupt(key, &error))
    }
}

/// The error for people, with the cause in the log.
pub(super) fn corrupt(key: &RunKey, error: &codec::CodecError) -> StoreError {
    tracing::error!(run = %key.run_id, error = error as &dyn std::error::Error, "events are damaged");
    StoreError::Corrupt { what: "the events", id: key.run_id.to_string() }
}
