//! Events read back: those of a first turn from the row of the run when they are few bytes, all others from rows of their
//! own. Must not know what they mean.

use super::runs::read_key;
use super::{RunKey, Store, StoreError, codec};
use crate::core::Event;
use sluice_db::Row;
use std::collections::HashMap;

/// Asks a table of the events of all runs, turn by turn, wherever they stand: columns, then conditions.
macro_rules! from_all_events {
    ($columns:literal, $rest:literal) => {
        concat!(
            "select ",
            $columns,
            " from (select workspace_id, run_id, 0 as first_seq, created_at as at, first_events as body from runs \
             where first_events is not null \
             union all select workspace_id, run_id, first_seq, at, body from run_events) as e ",
            $rest
        )
    };
}
pub(super) use from_all_events;

/// The row that holds event `$3` is the last one that begins at or before it.
pub(super) const SINCE: &str = from_all_events!(
    "first_seq, at, body",
    "where workspace_id = $1 and run_id = $2 \
     and first_seq >= coalesce((select max(first_seq) from run_events \
         where workspace_id = $1 and run_id = $2 and first_seq <= $3), 0) order by first_seq"
);

/// The events of one turn as they are stored.
pub(super) struct EventRow {
    /// How many events the run had before.
    first_seq: i64,
    /// The moment from which their times count.
    since: i64,
    body: Vec<u8>,
}

impl EventRow {
    /// A row with `first_seq`, `at` and `body`.
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { first_seq: row.int("first_seq")?, since: row.int("at")?, body: row.bytes("body")? })
    }

    /// The events inside the row of a run.
    pub(super) fn inside(run: &Row) -> Result<Option<Self>, StoreError> {
        let body = run.opt_bytes("first_events")?;
        let since = run.int("created_at")?;
        Ok(body.map(|body| Self { first_seq: 0, since, body }))
    }
}

impl Store {
    /// The events of a run from number `from` on, each with its number; the first event of a run has number 0,
    /// so someone who has seen `n` events asks for `n`.
    ///
    /// # Errors
    /// When the database fails or the events are damaged.
    pub async fn events_since(&self, key: &RunKey, from: i64) -> Result<Vec<(i64, Event)>, StoreError> {
        let rows = self.db.query(SINCE).bind(&*key.workspace_id).bind(&*key.run_id).bind(from).all().await?;
        let mut events = Vec::new();
        for row in &rows {
            let row = EventRow::read(row)?;
            let numbered = (row.first_seq..).zip(self.decode(key, row).await?);
            events.extend(numbered.filter(|(number, _)| *number >= from));
        }
        Ok(events)
    }

    /// The events of a run that have rows of their own, in order.
    pub(super) async fn event_rows(&self, key: &RunKey) -> Result<Vec<EventRow>, StoreError> {
        const SQL: &str = "select first_seq, at, body from run_events where workspace_id = $1 and run_id = $2 \
             order by first_seq";
        let rows = self.db.query(SQL).bind(&*key.workspace_id).bind(&*key.run_id).all().await?;
        rows.iter().map(EventRow::read).collect()
    }

    /// The same of several runs, with a statement that gives those of each in order.
    pub(super) async fn event_rows_of_many<'a>(
        &self,
        sql: String,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<HashMap<RunKey, Vec<EventRow>>, StoreError> {
        let mut found: HashMap<RunKey, Vec<EventRow>> = HashMap::new();
        for row in self.db.query(sql).bind_all(names).all().await? {
            found.entry(read_key(&row)?).or_default().push(EventRow::read(&row)?);
        }
        Ok(found)
    }

    /// The first `count` events of a run: exactly those that its own row vouches for, even when a later turn
    /// was committed between the two reads. When some are damaged, those before them and what is wrong.
    pub(super) async fn counted_events(
        &self,
        key: &RunKey,
        count: i64,
        rows: impl Iterator<Item = EventRow>,
    ) -> Result<(Vec<Event>, Option<StoreError>), StoreError> {
        let mut events = Vec::new();
        let corrupt = |what| StoreError::Corrupt { what, id: key.run_id.to_string() };
        for row in rows {
            if row.first_seq >= count {
                break;
            }
            if row.first_seq != events.len() as i64 {
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

    async fn decode(&self, key: &RunKey, row: EventRow) -> Result<Vec<Event>, StoreError> {
        let body = self.whole_body(key, row.body).await?;
        codec::decode(row.since, &body).map_err(|error| corrupt(key, &error))
    }
}

/// The error for people, with the cause in the log.
pub(super) fn corrupt(key: &RunKey, error: &codec::CodecError) -> StoreError {
    tracing::error!(run = %key.run_id, error = error as &dyn std::error::Error, "events are damaged");
    StoreError::Corrupt { what: "the events", id: key.run_id.to_string() }
}
