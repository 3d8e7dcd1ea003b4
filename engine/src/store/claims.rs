//! Taking runs over: queued runs, runs of processes that died, and waiting runs whose time has come. A claim writes
//! the process into the run and raises its number of turns, so whoever drove it before can commit nothing more.
//! Claims are made one at a time over all processes, so no two of them see the same lane free. Must not know how
//! runs are driven.

use super::runs::{read_key, read_status};
use super::{RunKey, Store, StoreError};
use crate::core::RunStatus;
use sluice_db::{Listener, Row, Tx, placeholders};
use std::collections::HashSet;

/// The lock under which claims are made.
pub(super) const LOCK: &str = "sluice.claims";

/// Runs taken over with one statement.
const ROWS: usize = 64;

/// A run that was taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Which run.
    pub key: RunKey,
    /// How often it was taken over since its last commit, this time included.
    pub claims: i64,
}

/// A run that is written as driven by a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driven {
    /// Which run.
    pub key: RunKey,
    /// How many turns it has.
    pub turns: i64,
    /// When its pause ends, if it only pauses; milliseconds since the epoch.
    pub pauses_until: Option<i64>,
}

/// Which runs are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Queued and orphaned runs that were taken over less than this many times without coming to a commit.
    Sound(i64),
    /// One that was taken over at least that often: what drove it may have died of it.
    Suspect(i64),
}

/// The workspaces that have runs nobody drives, in the order of their ids, from one on. Jumps from workspace to
/// workspace in the index, however many runs each has.
const WORKSPACES: &str = "with recursive w(id) as ( \
     select (select min(workspace_id) from runs where status <= 1 and owner is null and workspace_id > $1) \
     union all \
     select (select min(workspace_id) from runs where status <= 1 and owner is null and workspace_id > w.id) \
     from w where w.id is not null) select id from w where id is not null limit $2";

/// Most workspaces that take part in one claim; the others follow in the next.
const MOST_WORKSPACES: u32 = 64;

/// No other run of the lane stands in the way: none that is under way, and of those that wait for their turn none
/// for which `or_first` holds.
pub(super) fn lane_is_free(or_first: &str) -> String {
    format!(
        "and (r.lane is null or not exists (select 1 from runs e where e.workspace_id = r.workspace_id \
         and e.lane = r.lane and (e.status <= 1 or e.owner is not null) and e.run_id <> r.run_id \
         and (e.owner is not null or {or_first})))"
    )
}

/// What was under way goes before what is queued, and what was accepted first before the rest.
const FIRST: &str = "e.status > r.status \
     or (e.status = r.status and (e.created_at, e.run_id) < (r.created_at, r.run_id))";

/// Whatever has a claim on the lane goes first.
pub(super) const ANYONE: &str = "e.status <= 1";

pub(super) fn unowned_text(wanted: Wanted) -> String {
    let lane = lane_is_free(FIRST);
    let claims = match wanted {
        Wanted::Sound(most) => format!("coalesce(r.claims, 0) < {most}"),
        Wanted::Suspect(least) => format!("coalesce(r.claims, 0) >= {least}"),
    };
    format!(
        "select r.workspace_id, r.run_id, r.claims from runs r \
         where r.workspace_id = $1 and r.status <= 1 and r.owner is null and {claims} {lane} \
         order by r.created_at, r.run_id limit $2"
    )
}

pub(super) fn due_text() -> String {
    let lane = lane_is_free(ANYONE);
    format!(
        "select r.workspace_id, r.run_id, r.claims, r.lane from runs r \
         where r.wake_at is not null and r.wake_at <= $1 and r.owner is null and r.status = 2 {lane} \
         order by r.wake_at limit $2"
    )
}

pub(super) const ALL: &str = "select workspace_id, run_id, claims from runs where (status <= 1 or owner is not null) \
     and status <= 1 and owner is null and coalesce(claims, 0) < $1 \
     order by created_at, workspace_id, run_id limit $2";

pub(super) const DUE_OF: &str = "select workspace_id, run_id from runs where wake_at is not null and wake_at <= $1 \
     and owner = $2 order by wake_at limit $3";

pub(super) const DRIVEN_BY: &str = "select workspace_id, run_id, turns, status, wake_at from runs \
     where (status <= 1 or owner is not null) and owner = $1 limit $2";

pub(super) const COUNT_UNOWNED: &str =
    "select count(*) as n from (select 1 from runs where status <= 1 and owner is null limit $1) as found";

impl Store {
    /// Takes over up to `limit` runs that are queued or were under way and that nobody drives. Every workspace that
    /// has some gets its share, so that one with very many does not keep the others waiting; `after` is the
    /// workspace at which the last round ended. Answers the runs and where the next round begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_unowned(
        &self,
        runner: i64,
        wanted: Wanted,
        after: &str,
        limit: u32,
    ) -> Result<(Vec<Claimed>, String), StoreError> {
        if self.count_unowned(1).await? == 0 {
            // Most of the time; then nobody is kept from claiming.
            return Ok((Vec::new(), String::new()));
        }
        let mut tx = self.db.begin().await?;
        tx.lock(LOCK).await?;
        let mut workspaces = workspaces(&mut tx, after).await?;
        if workspaces.is_empty() && !after.is_empty() {
            workspaces = self::workspaces(&mut tx, "").await?;
        }
        let share = match wanted {
            Wanted::Suspect(_) => 1,
            Wanted::Sound(_) => (limit / u32::try_from(workspaces.len().max(1)).unwrap_or(1)).max(1),
        };
        let mut claimed = Vec::new();
        let mut last = String::new();
        for workspace in workspaces {
            let room = limit.saturating_sub(u32::try_from(claimed.len()).unwrap_or(u32::MAX));
            if room == 0 {
                break;
            }
            let rows = tx.query(unowned_text(wanted)).bind(&workspace).bind(share.min(room)).all().await?;
            claimed.extend(claim_rows(&mut tx, runner, &rows).await?);
            last = workspace;
        }
        tx.commit().await?;
        Ok((claimed, last))
    }

    /// Takes over up to `limit` runs that nobody drives, the oldest first and whatever their lane: for a process that
    /// is alone and keeps lanes itself. Those that were taken over `suspect` times without a commit are left.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_all(&self, runner: i64, suspect: i64, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        let mut tx = self.db.begin().await?;
        tx.lock(LOCK).await?;
        let rows = tx.query(ALL).bind(suspect).bind(limit).all().await?;
        let claimed = claim_rows(&mut tx, runner, &rows).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// Takes over up to `limit` waiting runs whose time has come and whose lane is free, the longest overdue first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_due(&self, runner: i64, now: i64, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        if self.next_wake().await?.is_none_or(|at| at > now) {
            return Ok(Vec::new());
        }
        let mut tx = self.db.begin().await?;
        tx.lock(LOCK).await?;
        let rows = tx.query(due_text()).bind(now).bind(limit).all().await?;
        let claimed = claim_rows(&mut tx, runner, &one_per_lane(rows)?).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// Runs that this process drives and whose time to be woken has come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_of(&self, runner: i64, now: i64, limit: u32) -> Result<Vec<RunKey>, StoreError> {
        let rows = self.db.query(DUE_OF).bind(now).bind(runner).bind(limit).all().await?;
        rows.iter().map(read_key).collect()
    }

    /// The runs that are written as driven by a process.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn driven_by(&self, runner: i64, limit: u32) -> Result<Vec<Driven>, StoreError> {
        let rows = self.db.query(DRIVEN_BY).bind(runner).bind(limit).all().await?;
        let read = |row: &Row| {
            let is_waiting = read_status(row)? == RunStatus::Waiting;
            let pauses_until = row.opt_int("wake_at")?.filter(|_| is_waiting);
            Ok(Driven { key: read_key(row)?, turns: row.int("turns")?, pauses_until })
        };
        rows.iter().map(read).collect()
    }

    /// Takes a run up again that is written as driven by this process and is not; whoever of this process drove it
    /// before can commit nothing more. `false` when it has moved on since it was looked at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reclaim(&self, runner: i64, key: &RunKey, turns: i64) -> Result<bool, StoreError> {
        const SQL: &str = "update runs set turns = turns + 1 \
             where workspace_id = $1 and run_id = $2 and turns = $3 and owner = $4";
        let query = self.db.query(SQL).bind(&*key.workspace_id).bind(&*key.run_id);
        Ok(query.bind(turns).bind(runner).execute().await? == 1)
    }

    /// How many runs nobody drives, counted up to `most`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_unowned(&self, most: u32) -> Result<u64, StoreError> {
        let row = self.db.query(COUNT_UNOWNED).bind(most).one().await?;
        Ok(u64::try_from(row.int("n")?).unwrap_or(0))
    }

    /// How runs stand: status and number of turns. Those that do not exist are left out.
    ///
    /// # Errors
    /// When the database fails or what is stored is damaged.
    pub async fn standing(&self, keys: &[RunKey]) -> Result<Vec<(RunKey, RunStatus, i64)>, StoreError> {
        let mut found = Vec::with_capacity(keys.len());
        for some in keys.chunks(ROWS) {
            let values: Vec<_> =
                (0..some.len()).map(|at| format!("({})", placeholders(at * 2 + 1, 2))).collect();
            let sql = format!(
                "with v(w, r) as (values {}) select workspace_id, run_id, status, turns from v \
                 join runs on workspace_id = v.w and run_id = v.r",
                values.join(", ")
            );
            let names = some.iter().flat_map(|key| [&*key.workspace_id, &*key.run_id]);
            for row in self.db.query(sql).bind_all(names).all().await? {
                found.push((read_key(&row)?, read_status(&row)?, row.int("turns")?));
            }
        }
        Ok(found)
    }

    /// Tells all processes over this database something, in at most 8,000 bytes per word; hints that may be lost.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell_everyone(&self, channel: &str, words: &[impl AsRef<str>]) -> Result<(), StoreError> {
        Ok(self.db.notify(channel, words).await?)
    }

    /// Makes PostgreSQL's planner look at tables that have outgrown what it knows; answers their names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_statistics(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.db.refresh_statistics().await?)
    }

    /// Listens to what processes tell each other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn listen(&self, channels: &[&str]) -> Result<Listener, StoreError> {
        Ok(self.db.listen(channels).await?)
    }

    /// Gives back a run that was taken over and had nothing to commit, unless somebody has taken it since.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(&self, runner: i64, key: &RunKey, turns: i64) -> Result<(), StoreError> {
        const SQL: &str = "update runs set owner = null, claims = null \
             where workspace_id = $1 and run_id = $2 and turns = $3 and owner = $4";
        let query = self.db.query(SQL).bind(&*key.workspace_id).bind(&*key.run_id);
        query.bind(turns).bind(runner).execute().await?;
        Ok(())
    }
}

/// Of runs of one lane that came due together only the first may be taken.
fn one_per_lane(rows: Vec<Row>) -> Result<Vec<Row>, StoreError> {
    let mut lanes = HashSet::new();
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        let lane = row.opt_text("lane")?.map(|lane| Ok::<_, StoreError>((row.text("workspace_id")?, lane)));
        if lane.transpose()?.is_none_or(|lane| lanes.insert(lane)) {
            kept.push(row);
        }
    }
    Ok(kept)
}

async fn workspaces(tx: &mut Tx, after: &str) -> Result<Vec<String>, StoreError> {
    let rows = tx.query(WORKSPACES).bind(after).bind(MOST_WORKSPACES).all().await?;
    Ok(rows.iter().map(|row| row.text("id")).collect::<Result<_, _>>()?)
}

/// Writes the process into runs that were selected in this transaction, under the lock of claims.
pub(super) async fn claim_rows(tx: &mut Tx, runner: i64, rows: &[Row]) -> Result<Vec<Claimed>, StoreError> {
    let read = rows
        .iter()
        .map(|row| Ok(Claimed { key: read_key(row)?, claims: row.opt_int("claims")?.unwrap_or(0) + 1 }));
    let claimed = read.collect::<Result<Vec<_>, StoreError>>()?;
    for some in claimed.chunks(ROWS) {
        let values: Vec<_> = (0..some.len()).map(|at| format!("({})", placeholders(at * 2 + 2, 2))).collect();
        let sql = format!(
            "with v(w, r) as (values {}) update runs set owner = $1, turns = turns + 1, \
             claims = coalesce(claims, 0) + 1 from v where workspace_id = v.w and run_id = v.r and owner is null",
            values.join(", ")
        );
        let keys = some.iter().flat_map(|claimed| [&*claimed.key.workspace_id, &*claimed.key.run_id]);
        tx.query(sql).bind(runner).bind_all(keys).execute().await?;
    }
    Ok(claimed)
}
