//! The processes that drive runs. Each has a number and a beat that it raises while it lives; who sees a beat stand
//! still deletes that process's row, and its runs are anybody's again. No process's clock is compared with
//! another's. Must not know how runs are driven.

use super::runs::read_key;
use super::{Claimed, Store, StoreError};
use sluice_db::Row;

/// A process as the others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerRow {
    /// Its number.
    pub id: i64,
    /// For people: host and process.
    pub name: String,
    /// Raised while it lives.
    pub beat: i64,
}

/// The number after all that are in use, by the living or in runs of the dead.
pub(super) const NEXT: &str = "select coalesce(max(taken), 0) + 1 as next from ( \
     select max(runner_id) as taken from runners \
     union all select max(owner) from runs where (status <= 1 or owner is not null) and owner is not null) as numbers";

/// A run under way that nobody alive drives any more is free. Also takes those whose process came back from a long pause,
/// committed once more, and only then noticed that it had been given up.
const FREE: &str = "update runs set owner = null where (status <= 1 or owner is not null) and owner is not null \
     and status <> 2 and owner not in (select runner_id from runners)";

/// One that only pauses keeps its lane, so it goes from hand to hand. Where its time has come, driving it may be what
/// the former process died of.
const INHERIT: &str = "update runs set owner = $1, turns = turns + 1, \
     claims = case when wake_at <= $2 then coalesce(claims, 0) + 1 else claims end \
     where (status <= 1 or owner is not null) and owner is not null and status = 2 \
     and owner not in (select runner_id from runners) returning workspace_id, run_id, claims, created_at";

impl Store {
    /// Enters a process under a number at or after `wanted` and after those of all others, and answers the number. So
    /// whoever comes in is never the lowest beside others, also when the clock was set back: the lowest leads, and
    /// would not know yet that it no longer does. Nor is it taken for one that is dead and whose runs still bear its number,
    /// as it would be when it comes in the same second.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn join(&self, wanted: i64, name: &str, now: i64) -> Result<i64, StoreError> {
        const SQL: &str = "insert into runners (runner_id, name, beat, started_at) values ($1, $2, 0, $3) \
             on conflict do nothing";
        let mut id = self.db.query(NEXT).one().await?.int("next")?.max(wanted);
        while self.db.query(SQL).bind(id).bind(name).bind(now).execute().await? == 0 {
            id += 1;
        }
        Ok(id)
    }

    /// Raises the beat of a process. `false` when it was given up in the meantime.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn beat(&self, runner: i64) -> Result<bool, StoreError> {
        let sql = "update runners set beat = beat + 1 where runner_id = $1";
        Ok(self.db.query(sql).bind(runner).execute().await? == 1)
    }

    /// All processes, by number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn runners(&self) -> Result<Vec<RunnerRow>, StoreError> {
        let rows = self.db.query("select * from runners order by runner_id").all().await?;
        let read = rows.iter().map(|row| {
            Ok(RunnerRow { id: row.int("runner_id")?, name: row.text("name")?, beat: row.int("beat")? })
        });
        read.collect()
    }

    /// Gives up a process whose beat still is what was last seen. `false` when it has moved or is gone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bury(&self, runner: &RunnerRow) -> Result<bool, StoreError> {
        let sql = "delete from runners where runner_id = $1 and beat = $2";
        Ok(self.db.query(sql).bind(runner.id).bind(runner.beat).execute().await? == 1)
    }

    /// Gives up processes of this name: two cannot listen at one address, so a former one is dead.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bury_former(&self, name: &str) -> Result<u64, StoreError> {
        Ok(self.db.query("delete from runners where name = $1").bind(name).execute().await?)
    }

    /// Takes a process off the list at its orderly end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn leave(&self, runner: i64) -> Result<(), StoreError> {
        self.db.query("delete from runners where runner_id = $1").bind(runner).execute().await?;
        Ok(())
    }

    /// Gives up every process there is. Only for one that knows that it is alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bury_all(&self) -> Result<(), StoreError> {
        self.db.query("delete from runners").execute().await?;
        Ok(())
    }

    /// Frees the runs of processes that are no more; returns how many. Those that pause are left to an heir.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn free_orphans(&self) -> Result<u64, StoreError> {
        Ok(self.db.query(FREE).execute().await?)
    }

    /// Gives the pausing runs of processes that are no more to one that lives, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn inherit(&self, heir: i64, now: i64) -> Result<Vec<Claimed>, StoreError> {
        let rows = self.db.query(INHERIT).bind(heir).bind(now).all().await?;
        let read = |row: &Row| {
            let claims = row.opt_int("claims")?.unwrap_or(0);
            Ok((row.int("created_at")?, Claimed { key: read_key(row)?, claims }))
        };
        let mut inherited = rows.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
        inherited.sort_by_key(|(created_at, _)| *created_at);
        Ok(inherited.into_iter().map(|(_, claimed)| claimed).collect())
    }
}
