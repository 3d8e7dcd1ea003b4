//! Runs as the driver needs them: one whole run, and the runs that need attention. Must not know decisions.

use super::columns::{attention_of, status_of};
use super::events::EventRow;
use super::{Attention, NewRun, RunKey, Store, StoreError, StoredRun};
use crate::core::{RunError, RunStatus};
use serde::de::DeserializeOwned;
use sluice_db::{Row, placeholders};
use std::collections::HashMap;

/// Sorted by nothing more: a million runs may wait for the same morning, and sorting them to take a few would
/// read them all.
pub(super) const DUE_WAKES: &str = "select workspace_id, run_id, wake_at from runs \
             where wake_at is not null and wake_at > $1 and wake_at <= $2 order by wake_at limit $3";

/// Runs read with one statement.
const ROWS: usize = 64;

/// `with v(w, r)`: the keys of so many runs.
fn keys_text(count: usize) -> String {
    let values: Vec<_> = (0..count).map(|at| format!("({})", placeholders(at * 2 + 1, 2))).collect();
    format!("with v(w, r) as (values {})", values.join(", "))
}

pub(super) fn many_runs_text(count: usize) -> String {
    let keys = keys_text(count);
    format!("{keys} select runs.* from v join runs on runs.workspace_id = v.w and runs.run_id = v.r")
}

pub(super) fn many_events_text(count: usize) -> String {
    let keys = keys_text(count);
    format!(
        "{keys} select e.workspace_id, e.run_id, e.first_seq, e.at, e.body \
         from v join run_events e on e.workspace_id = v.w and e.run_id = v.r \
         order by e.workspace_id, e.run_id, e.first_seq"
    )
}

pub(super) const LANE_HAS_ACTIVE: &str = "select 1 as found from runs where workspace_id = $1 and lane = $2 and run_id <> $3 \
             and (status <= 1 or owner is not null) limit 1";

pub(super) const NEXT_WAKE: &str =
    "select min(wake_at) as at from runs where wake_at is not null and wake_at > $1";

/// The id of the child is cut out of the signal, not the signal put together from the id, so that the child is
/// looked up by its key.
pub(super) const MISSED_CHILDREN: &str = "select a.workspace_id, a.run_id, c.run_id as child from run_waits a \
             join runs c on c.workspace_id = a.workspace_id and c.run_id = substr(a.signal, 5) \
             where a.kind = 4 and a.signal like 'run:%' and c.status >= 3 order by a.workspace_id, a.run_id, c.run_id";

impl Store {
    /// A run with all its events, as of one turn.
    ///
    /// # Errors
    /// When the database fails or what is stored is damaged.
    pub async fn load(&self, key: &RunKey) -> Result<Option<StoredRun>, StoreError> {
        match self.load_readable(key).await? {
            Some((_, Some(damage))) => Err(damage),
            Some((run, None)) => Ok(Some(run)),
            None => Ok(None),
        }
    }

    /// A run with its events up to the first that cannot be read, and why it cannot: for people, who may look at
    /// what is left of a damaged run. Nobody may go on with such a run.
    ///
    /// # Errors
    /// When the database or the payload store fails.
    pub async fn load_readable(
        &self,
        key: &RunKey,
    ) -> Result<Option<(StoredRun, Option<StoreError>)>, StoreError> {
        let row = self
            .db
            .query("select * from runs where workspace_id = $1 and run_id = $2")
            .bind(&*key.workspace_id)
            .bind(&*key.run_id)
            .optional()
            .await?;
        let Some(row) = row else { return Ok(None) };
        let events = self.event_rows(key).await?;
        self.whole_run(key, &row, events).await.map(Some)
    }

    /// A run with its events up to the first that cannot be read, and why it cannot.
    async fn whole_run(
        &self,
        key: &RunKey,
        row: &Row,
        event_rows: Vec<EventRow>,
    ) -> Result<(StoredRun, Option<StoreError>), StoreError> {
        let event_rows = EventRow::inside(row)?.into_iter().chain(event_rows);
        let (events, damage) = self.counted_events(key, row.int("events")?, event_rows).await?;
        let run = StoredRun {
            run: fixed_facts(key, row)?,
            turns: row.int("turns")?,
            status: read_status(row)?,
            error: read_error(row)?,
            events,
            started_at: row.opt_int("started_at")?,
            ended_at: row.opt_int("ended_at")?,
            owner: row.opt_int("owner")?,
            claims: row.opt_int("claims")?.unwrap_or(0),
            attention: read_attention(row)?,
        };
        Ok((run, damage))
    }

    /// Several runs with all their events, each as of one turn. Those that do not exist or cannot be read are left out;
    /// [`Self::load`] says what is wrong with one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load_many(&self, keys: &[RunKey]) -> Result<HashMap<RunKey, StoredRun>, StoreError> {
        let mut found = HashMap::with_capacity(keys.len());
        for some in keys.chunks(ROWS) {
            let names = || some.iter().flat_map(|key| [&*key.workspace_id, &*key.run_id]);
            let rows = self.db.query(many_runs_text(some.len())).bind_all(names()).all().await?;
            let mut events = self.event_rows_of_many(many_events_text(some.len()), names()).await?;
            for row in &rows {
                let key = read_key(row)?;
                let events = events.remove(&key).unwrap_or_default();
                if let Ok((run, None)) = self.whole_run(&key, row, events).await {
                    found.insert(key, run);
                }
            }
        }
        Ok(found)
    }

    /// Up to `limit` runs whose time to be woken has come and lies after `after`, each with that time, the longest
    /// overdue first; those of one moment are in no certain order. They stay due until a turn is committed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_wakes(
        &self,
        after: i64,
        now: i64,
        limit: u32,
    ) -> Result<Vec<(RunKey, i64)>, StoreError> {
        let rows = self.db.query(DUE_WAKES).bind(after).bind(now).bind(limit).all().await?;
        rows.iter().map(|row| Ok((read_key(row)?, row.int("wake_at")?))).collect()
    }

    /// The next moment at which a run must be woken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_wake(&self) -> Result<Option<i64>, StoreError> {
        self.next_wake_after(i64::MIN).await
    }

    /// The next one after `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_wake_after(&self, after: i64) -> Result<Option<i64>, StoreError> {
        let row = self.db.query(NEXT_WAKE).bind(after).one().await?;
        Ok(row.opt_int("at")?)
    }

    /// The lane of a run, if it has one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lane(&self, key: &RunKey) -> Result<Option<String>, StoreError> {
        let row = self
            .db
            .query("select lane from runs where workspace_id = $1 and run_id = $2")
            .bind(&*key.workspace_id)
            .bind(&*key.run_id)
            .optional()
            .await?;
        Ok(row.map(|row| row.opt_text("lane")).transpose()?.flatten())
    }

    /// Callers that still wait for a child run that is over: the process stopped before it could tell them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missed_children(&self) -> Result<Vec<(RunKey, String)>, StoreError> {
        let rows = self.db.query(MISSED_CHILDREN).all().await?;
        rows.iter().map(|row| Ok((read_key(row)?, row.text("child")?))).collect()
    }

    /// Whether a run of the lane, other than `except`, is queued or running.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lane_has_active(
        &self,
        workspace_id: &str,
        lane: &str,
        except: &str,
    ) -> Result<bool, StoreError> {
        let row =
            self.db.query(LANE_HAS_ACTIVE).bind(workspace_id).bind(lane).bind(except).optional().await?;
        Ok(row.is_some())
    }
}

/// The key of a row with `workspace_id` and `run_id`.
pub(super) fn read_key(row: &Row) -> Result<RunKey, StoreError> {
    Ok(RunKey { workspace_id: row.text("workspace_id")?.into(), run_id: row.text("run_id")?.into() })
}

/// The status of a row with `run_id` and `status`.
pub(super) fn read_status(row: &Row) -> Result<RunStatus, StoreError> {
    match status_of(row.int("status")?) {
        Some(status) => Ok(status),
        None => Err(StoreError::Corrupt { what: "the status", id: row.text("run_id")? }),
    }
}

/// Why a person must look at the run of a row with `run_id` and `attention`.
pub(super) fn read_attention(row: &Row) -> Result<Option<Attention>, StoreError> {
    let Some(number) = row.opt_int("attention")? else { return Ok(None) };
    match attention_of(number) {
        Some(attention) => Ok(Some(attention)),
        None => Err(StoreError::Corrupt { what: "the attention", id: row.text("run_id")? }),
    }
}

/// The error of a row with `run_id` and `error`.
pub(super) fn read_error(row: &Row) -> Result<Option<RunError>, StoreError> {
    read_json(row, "error", "the error")
}

fn read_json<T: DeserializeOwned>(
    row: &Row,
    column: &str,
    what: &'static str,
) -> Result<Option<T>, StoreError> {
    let Some(text) = row.opt_text(column)? else { return Ok(None) };
    match serde_json::from_str(&text) {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(StoreError::Corrupt { what, id: row.text("run_id")? }),
    }
}

fn fixed_facts(key: &RunKey, row: &Row) -> Result<NewRun, StoreError> {
    Ok(NewRun {
        key: key.clone(),
        workflow_id: row.text("workflow_id")?,
        version: row.int("version")?,
        document: row.opt_text("document")?.map(Into::into),
        trigger_type: row.text("trigger_type")?,
        is_test: row.bool("is_test")?,
        dry_run: row.bool("dry_run")?,
        lane: row.opt_text("lane")?,
        parent_run_id: row.opt_text("parent_run_id")?,
        inbound_id: row.opt_text("inbound_id")?,
        dedupe_key: row.opt_text("dedupe_key")?,
        created_at: row.int("created_at")?,
    })
}
