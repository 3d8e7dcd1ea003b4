//! Deleting runs because of what is in them, before they have been kept long enough. Must not know whom they tell of, nor
//! how a run is stopped.

use super::events::from_all_events;
use super::payloads::{self, LONGEST_REFERENCE, REFERENCE};
use super::prune::{EndedRun, delete_whole};
use super::{RunKey, Store, StoreError, codec, events, runs};
use regex::bytes::Regex;
use sluice_db::{Row, placeholders};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Rows of events read at a time.
const ROWS: u32 = 20;

/// Events of a run behind event `$3`.
pub(super) const EVENTS_AFTER: &str = from_all_events!(
    "first_seq, body",
    "where workspace_id = $1 and run_id = $2 and first_seq > $3 order by first_seq limit $4"
);

/// References of a run to payloads.
pub(super) const REFERENCES: &str = from_all_events!(
    "body",
    "where workspace_id = $1 and run_id = $2 and length(body) <= $3 and substr(body, 1, 1) = $4"
);

/// How the ids of runs are written.
static RUN_ID: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("run_[0-9A-Za-z]+").ok());

/// A run, as somebody sees it who looks for what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRun {
    /// Which run.
    pub key: RunKey,
    /// When it was accepted, milliseconds since the epoch.
    pub created_at: i64,
    /// When it ended, and how it is deleted; none while it goes on.
    ended: Option<EndedRun>,
    /// What its row says beside its events.
    words: Vec<String>,
}

/// What was found in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What was looked for is in it.
    pub is_in: bool,
    /// Runs that it names; those that it started are among them.
    pub named: BTreeSet<String>,
}

impl SeenRun {
    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    fn from_row(row: &Row) -> Result<Self, StoreError> {
        let key = runs::read_key(row)?;
        let is_over = row.int("status")? >= 3;
        let ended_at = row.opt_int("ended_at")?.filter(|_| is_over);
        let ended = match ended_at {
            Some(ended_at) => Some(EndedRun {
                key: key.clone(),
                workflow_id: row.text("workflow_id")?,
                is_test: row.bool("is_test")?,
                ended_at,
                turns: row.int("turns")?,
            }),
            None => None,
        };
        let mut words = Vec::new();
        for column in ["lane", "dedupe_key", "error", "document"] {
            words.extend(row.opt_text(column)?);
        }
        Ok(Self { key, created_at: row.int("created_at")?, ended, words })
    }
}

const COLUMNS: &str = "workspace_id, run_id, workflow_id, status, is_test, created_at, ended_at, turns, lane, \
     dedupe_key, error, document";

impl Store {
    /// Runs of a workspace after one, by id; only those that are not over where `live` says so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn runs_after(
        &self,
        workspace_id: &str,
        after: &str,
        live: bool,
        limit: u32,
    ) -> Result<Vec<SeenRun>, StoreError> {
        let live = if live { "and status <= 2 " } else { "" };
        let sql = format!(
            "select {COLUMNS} from runs where workspace_id = $1 and run_id > $2 {live}order by run_id limit $3"
        );
        let rows = self.db.query(sql).bind(workspace_id).bind(after).bind(limit).all().await?;
        rows.iter().map(SeenRun::from_row).collect()
    }

    /// The runs of these ids, those that there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn seen_runs(
        &self,
        workspace_id: &str,
        ids: &BTreeSet<String>,
    ) -> Result<Vec<SeenRun>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let list = placeholders(2, ids.len());
        let sql = format!("select {COLUMNS} from runs where workspace_id = $1 and run_id in ({list})");
        let rows = self.db.query(sql).bind(workspace_id).bind_all(ids.iter().map(String::as_str)).all();
        rows.await?.iter().map(SeenRun::from_row).collect()
    }

    /// Those of the runs that were started by this one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn started_by(
        &self,
        parent: &RunKey,
        named: &BTreeSet<String>,
    ) -> Result<Vec<SeenRun>, StoreError> {
        let mut found = Vec::new();
        // A run that calls for every item of a list names many.
        let named: Vec<String> = named.iter().cloned().collect();
        for part in named.chunks(500) {
            let list = placeholders(3, part.len());
            let sql = format!(
                "select {COLUMNS} from runs where workspace_id = $1 and parent_run_id = $2 and run_id in ({list})"
            );
            let query = self.db.query(sql).bind(&*parent.workspace_id).bind(&*parent.run_id);
            let rows = query.bind_all(part.iter().map(String::as_str)).all().await?;
            for row in &rows {
                found.push(SeenRun::from_row(row)?);
            }
        }
        Ok(found)
    }

    /// Looks through all that is stored of a run. What cannot be read is passed over, and the log says so.
    ///
    /// # Errors
    /// When the database or the payload store fails.
    pub async fn look_through(
        &self,
        run: &SeenRun,
        is_it: &(dyn Fn(&[u8]) -> bool + Sync),
    ) -> Result<Found, StoreError> {
        const WAITS: &str = "select signal, body from run_waits where workspace_id = $1 and run_id = $2";
        const MESSAGES: &str = "select body from run_messages where workspace_id = $1 and run_id = $2";
        let (workspace, id) = (&*run.key.workspace_id, &*run.key.run_id);
        let is_in = run.words.iter().any(|word| is_it(word.as_bytes()));
        let mut found = Found { is_in, ..Found::default() };
        for row in self.db.query(WAITS).bind(workspace).bind(id).all().await? {
            let texts = [row.opt_text("signal")?, row.opt_text("body")?];
            found.is_in |= texts.iter().flatten().any(|text| is_it(text.as_bytes()));
        }
        for row in self.db.query(MESSAGES).bind(workspace).bind(id).all().await? {
            found.is_in |= is_it(row.text("body")?.as_bytes());
        }
        let mut after = -1;
        loop {
            let query = self.db.query(EVENTS_AFTER).bind(workspace).bind(id).bind(after).bind(ROWS);
            let rows = query.all().await?;
            for row in &rows {
                after = row.int("first_seq")?;
                let body = match self.whole_body(&run.key, row.bytes("body")?).await {
                    Ok(body) => body,
                    // Its payload is gone or damaged; the log has it.
                    Err(StoreError::Corrupt { .. }) => continue,
                    Err(error) => return Err(error),
                };
                match codec::text_of(&body) {
                    Ok(text) => found.read(&text, is_it),
                    Err(error) => drop(events::corrupt(&run.key, &error)),
                }
            }
            if rows.len() < ROWS as usize {
                return Ok(found);
            }
        }
    }

    /// Deletes runs that are over, with all that belongs to them. Payloads go first: a crash in between leaves rows,
    /// which are found again, and not files, which would not be. Answers which runs are gone; one that goes on again, or
    /// whose caller has yet to hear of its end, stays.
    ///
    /// # Errors
    /// When the database or the payload store fails; repeat it then.
    pub async fn erase_runs(&self, runs: &[SeenRun]) -> Result<Vec<RunKey>, StoreError> {
        let mut gone = Vec::new();
        for run in runs {
            let Some(ended) = &run.ended else { continue };
            let (workspace, id) = (&*run.key.workspace_id, &*run.key.run_id);
            let query = self.db.query(REFERENCES).bind(workspace).bind(id).bind(LONGEST_REFERENCE);
            let rows = query.bind(&[REFERENCE][..]).all().await?;
            let mut keys = Vec::new();
            for row in &rows {
                keys.extend(payloads::key_in(&row.bytes("body")?));
            }
            self.delete_payloads(&keys).await?;
            let mut tx = self.db.begin().await?;
            let deleted = delete_whole(&mut tx, workspace, &[ended]).await?;
            tx.commit().await?;
            if deleted.runs > 0 {
                gone.push(run.key.clone());
            }
        }
        Ok(gone)
    }

    /// Deletes receipts of signals whose name has this part.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erase_receipts(&self, workspace_id: &str, part: &str) -> Result<u64, StoreError> {
        let sql = "delete from signal_receipts where workspace_id = $1 and receipt like $2";
        Ok(self.db.query(sql).bind(workspace_id).bind(format!("%{part}%")).execute().await?)
    }
}

impl Found {
    fn read(&mut self, text: &[u8], is_it: &(dyn Fn(&[u8]) -> bool + Sync)) {
        self.is_in = self.is_in || is_it(text);
        for id in RUN_ID.iter().flat_map(|pattern| pattern.find_iter(text)) {
            self.named.insert(String::from_utf8_lossy(id.as_bytes()).into_owned());
        }
    }
}
