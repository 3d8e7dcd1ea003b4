//! Deleting what has been kept long enough, in batches that a writer hardly notices. Must not know how long that is,
//! nor when somebody looks.

use super::events::from_all_events;
use super::payloads::{self, KeptPayload, LONGEST_REFERENCE, PayloadKey, REFERENCE};
use super::{RunKey, Store, StoreError, runs};
use futures::future::try_join_all;
use sluice_db::{Row, Tx, placeholders};
use std::collections::{BTreeMap, HashMap};

/// Turns deleted in one transaction, when they belong to more than one run.
const MOST_TURNS: i64 = 500;

/// Payloads deleted at the same time: the place may be far away.
const AT_ONCE: usize = 8;

/// A run that is over, as the pruner judges it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRun {
    /// Which run.
    pub key: RunKey,
    /// `wf_…`.
    pub workflow_id: String,
    /// A test run started by a person.
    pub is_test: bool,
    /// When it ended, milliseconds since the epoch.
    pub ended_at: i64,
    pub(super) turns: i64,
}

/// What a batch deleted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Runs, with all that belongs to them.
    pub runs: u64,
    /// How many of those it was given were looked at; the rest is for the next batch.
    pub looked_at: usize,
    /// Payloads that nothing refers to any more, to be deleted now.
    pub payloads: Vec<String>,
}

/// What a look at payloads found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Payloads deleted because nothing refers to them.
    pub deleted: u64,
    /// Payloads of workspaces that this database does not know; they are left alone.
    pub foreign: u64,
}

/// In the order of the index. Those of one moment are in no certain order, so a reader begins again at the moment at
/// which it stopped.
pub(super) const ENDED: &str = "select workspace_id, run_id, workflow_id, is_test, ended_at, turns from runs \
     where ended_at is not null and ended_at >= $1 and ended_at <= $2 order by ended_at limit $3";

/// The events that begin at number `$3`.
pub(super) const EVENTS_AT: &str =
    from_all_events!("body", "where workspace_id = $1 and run_id = $2 and first_seq = $3");

pub(super) const RETENTIONS: &str =
    "select workspace_id, workflow_id, retention_ms from workflows where retention_ms is not null";

pub(super) const ANSWERED: &str = "delete from run_messages where (workspace_id, run_id, message_id) in \
     (select workspace_id, run_id, message_id from run_messages \
     where answered_at is not null and answered_at < $1 order by answered_at limit $2)";

pub(super) const RECEIPTS: &str = "delete from signal_receipts where (workspace_id, receipt) in \
     (select workspace_id, receipt from signal_receipts where at < $1 order by at limit $2)";

/// Versions that were published before the column was there.
const UNNOTED: &str = "select w.workspace_id, w.workflow_id, v.document from workflows w \
     join workflow_versions v on v.workspace_id = w.workspace_id and v.workflow_id = w.workflow_id \
     and v.version = w.published_version \
     where w.retention_ms is null and v.document like '%\"retention\"%' and (w.workspace_id, w.workflow_id) > ($1, $2) \
     order by w.workspace_id, w.workflow_id limit 100";

impl Store {
    /// How long finished runs of a workflow are kept, milliseconds, by workspace and workflow; those without a wish of
    /// their own are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retentions(&self) -> Result<BTreeMap<(String, String), i64>, StoreError> {
        let rows = self.db.query(RETENTIONS).all().await?;
        let read = |row: &Row| {
            let key = (row.text("workspace_id")?, row.text("workflow_id")?);
            Ok((key, row.int("retention_ms")?))
        };
        rows.iter().map(read).collect()
    }

    /// Published documents that may wish for a retention that is not noted with their workflow, a hundred at a time:
    /// workspace, workflow, document.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unnoted_retentions(
        &self,
        after: (&str, &str),
    ) -> Result<Vec<(String, String, String)>, StoreError> {
        let rows = self.db.query(UNNOTED).bind(after.0).bind(after.1).all().await?;
        let read =
            |row: &Row| Ok((row.text("workspace_id")?, row.text("workflow_id")?, row.text("document")?));
        rows.iter().map(read).collect()
    }

    /// Notes the retention of a workflow.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_retention(
        &self,
        workspace_id: &str,
        workflow_id: &str,
        ms: i64,
    ) -> Result<(), StoreError> {
        let sql = "update workflows set retention_ms = $3 where workspace_id = $1 and workflow_id = $2";
        self.db.query(sql).bind(workspace_id).bind(workflow_id).bind(ms).execute().await?;
        Ok(())
    }

    /// Up to `limit` runs that ended between two moments, both included, in the order of their ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ended_runs(&self, from: i64, to: i64, limit: u32) -> Result<Vec<EndedRun>, StoreError> {
        let rows = self.db.query(ENDED).bind(from).bind(to).bind(limit).all().await?;
        let read = |row: &Row| {
            Ok(EndedRun {
                key: runs::read_key(row)?,
                workflow_id: row.text("workflow_id")?,
                is_test: row.bool("is_test")?,
                ended_at: row.int("ended_at")?,
                turns: row.int("turns")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Deletes runs with their events, waits and messages, in one transaction that is not too long; so many of them as
    /// fit. A run that goes on again, that a process holds, or whose caller has yet to hear of its end, stays.
    ///
    /// # Errors
    /// When the database fails. Nothing is deleted then.
    pub async fn delete_runs(&self, runs: &[EndedRun]) -> Result<Deleted, StoreError> {
        let mut turns = 0;
        let fits = runs.iter().take_while(|run| {
            let is_first = turns == 0;
            turns += run.turns.max(1);
            is_first || turns <= MOST_TURNS
        });
        let mut by_workspace: HashMap<&str, Vec<&EndedRun>> = HashMap::new();
        let mut deleted = Deleted::default();
        for run in fits {
            by_workspace.entry(&run.key.workspace_id).or_default().push(run);
        }
        if by_workspace.is_empty() {
            return Ok(deleted);
        }
        let mut tx = self.db.begin().await?;
        for (workspace_id, runs) in by_workspace {
            let gone = delete_whole(&mut tx, workspace_id, &runs).await?;
            deleted.runs += gone.runs;
            deleted.looked_at += gone.looked_at;
            deleted.payloads.extend(gone.payloads);
        }
        tx.commit().await?;
        Ok(deleted)
    }

    /// Deletes payloads that nothing refers to.
    ///
    /// # Errors
    /// When the payload store fails; the others stay until the sweep.
    pub async fn delete_payloads(&self, keys: &[String]) -> Result<(), StoreError> {
        let Some(payloads) = self.payloads() else { return Ok(()) };
        for keys in keys.chunks(AT_ONCE) {
            try_join_all(keys.iter().map(|key| payloads.place().delete(key))).await?;
        }
        Ok(())
    }

    /// Deletes those of the listed payloads that were written before `before` and that no row refers to: what a crash
    /// left between a payload and its commit, or between the deletion of a run and that of its payloads. `before` must
    /// leave every commit under way the time to come about.
    ///
    /// # Errors
    /// When the database or the payload store fails.
    pub async fn sweep_payloads(&self, listed: &[KeptPayload], before: i64) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        let Some(payloads) = self.payloads() else { return Ok(swept) };
        for kept in listed.iter().filter(|kept| kept.written_at < before) {
            match self.owner_of(&kept.key).await? {
                Owner::Row => {}
                Owner::Stranger => swept.foreign += 1,
                Owner::Nobody => {
                    payloads.place().delete(&kept.key).await?;
                    swept.deleted += 1;
                }
            }
        }
        Ok(swept)
    }

    async fn owner_of(&self, name: &str) -> Result<Owner, StoreError> {
        // A file that was never finished has the name it was to get, and more.
        let Some(key) = PayloadKey::parse(name.strip_suffix(".tmp").unwrap_or(name)) else {
            return Ok(Owner::Stranger);
        };
        let (workspace, run) = (&*key.run.workspace_id, &*key.run.run_id);
        let row = self.db.query(EVENTS_AT).bind(workspace).bind(run).bind(key.first_seq).optional().await?;
        match row.map(|row| row.bytes("body")).transpose()? {
            Some(body) if payloads::key_in(&body).as_deref() == Some(name) => Ok(Owner::Row),
            Some(_) => Ok(Owner::Nobody),
            None if self.knows(workspace).await? => Ok(Owner::Nobody),
            None => Ok(Owner::Stranger),
        }
    }

    /// Whether this database has anything of a workspace. Two installations may share a place for payloads by mistake;
    /// neither must take what the other one wrote for forgotten.
    async fn knows(&self, workspace_id: &str) -> Result<bool, StoreError> {
        for sql in [
            "select 1 as found from workflows where workspace_id = $1 limit 1",
            "select 1 as found from runs where workspace_id = $1 limit 1",
        ] {
            if self.db.query(sql).bind(workspace_id).optional().await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Forgets up to `limit` messages that were answered before `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_answered(&self, before: i64, limit: u32) -> Result<u64, StoreError> {
        Ok(self.db.query(ANSWERED).bind(before).bind(limit).execute().await?)
    }

    /// Forgets up to `limit` receipts of signals taken before `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_receipts(&self, before: i64, limit: u32) -> Result<u64, StoreError> {
        Ok(self.db.query(RECEIPTS).bind(before).bind(limit).execute().await?)
    }

    /// Gives at most `pages` free pages back to the disk, when many are free, and says whether more remain. Some are
    /// kept: new rows need them soon.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_space_back(&self, pages: u32) -> Result<bool, StoreError> {
        let too_many = |space: sluice_db::Space| {
            let spare = (space.pages / 20).max(64);
            u32::try_from(space.free_pages - spare).ok().filter(|_| space.can_shrink).unwrap_or(0)
        };
        let found = self.db.space().await?.map_or(0, too_many);
        if found > 0 {
            self.db.give_back(found.min(pages)).await?;
        }
        Ok(found > pages)
    }

    /// How many rows refer to payloads. Reads every row of events.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_references(&self) -> Result<i64, StoreError> {
        const SQL: &str =
            from_all_events!("count(*) as n", "where length(body) <= $1 and substr(body, 1, 1) = $2");
        let query = self.db.query(SQL).bind(LONGEST_REFERENCE).bind(&[REFERENCE][..]);
        Ok(query.one().await?.int("n")?)
    }
}

/// Who needs a payload.
enum Owner {
    Row,
    Nobody,
    /// Somebody else, as far as this database can tell.
    Stranger,
}

/// Deletes those of the runs that may go, with all that belongs to them. Their own rows go first: that keeps everybody
/// else from a run, and whoever commits a turn of it now learns that it is gone.
pub(super) async fn delete_whole(
    tx: &mut Tx,
    workspace_id: &str,
    runs: &[&EndedRun],
) -> Result<Deleted, StoreError> {
    let sql = format!(
        "delete from runs where workspace_id = $1 and run_id in ({}) and ended_at <= $2 and status >= 3 \
         and owner is null and not exists (select 1 from run_waits w where w.workspace_id = $1 and w.signal = 'run:' || runs.run_id) \
         returning run_id, first_events",
        placeholders(3, runs.len())
    );
    let last = runs.iter().map(|run| run.ended_at).max().unwrap_or(i64::MIN);
    let ids = runs.iter().map(|run| &*run.key.run_id);
    let rows = tx.query(sql).bind(workspace_id).bind(last).bind_all(ids).all().await?;
    let mut gone = Deleted { runs: rows.len() as u64, looked_at: runs.len(), payloads: Vec::new() };
    if rows.is_empty() {
        return Ok(gone);
    }
    for row in &rows {
        gone.payloads.extend(row.opt_bytes("first_events")?.and_then(|body| payloads::key_in(&body)));
    }
    let runs = rows.iter().map(|row| row.text("run_id")).collect::<Result<Vec<_>, _>>()?;
    let sql = format!(
        "select body from run_events where workspace_id = $1 and run_id in ({}) and length(body) <= $2 \
         and substr(body, 1, 1) = $3",
        placeholders(4, runs.len())
    );
    let query = tx.query(sql).bind(workspace_id).bind(LONGEST_REFERENCE).bind(&[REFERENCE][..]);
    for row in &query.bind_all(runs.iter().map(String::as_str)).all().await? {
        gone.payloads.extend(payloads::key_in(&row.bytes("body")?));
    }
    for table in ["run_events", "run_waits", "run_messages"] {
        let sql = format!(
            "delete from {table} where workspace_id = $1 and run_id in ({})",
            placeholders(2, runs.len())
        );
        tx.query(sql).bind(workspace_id).bind_all(runs.iter().map(String::as_str)).execute().await?;
    }
    Ok(gone)
}
