//! The way of a stored body from being claimed to being handled: whose it is, how often it was taken up, what became of
//! it. Many bodies at a time, because each statement is a way to the database and back. Must not know what is in them.

use std::collections::HashMap;

use serde_json::Value;
use sluice_db::{Arg, Bulk, DbError, Row, placeholders};

use super::{CLAIM_MS, InboundShare, InboundStatus};
use crate::ids::clean;
use crate::page::page_size;
use crate::{RecordError, Records};

/// A body that was taken up so often and never finished brings down whoever handles it.
const MOST_ATTEMPTS: i64 = 5;

/// A body that was taken up so often and not finished is a suspect: it is taken up alone, so that it brings nobody
/// else into suspicion.
const SUSPECT: i64 = 3;

/// A body that was taken up to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenInbound {
    pub id: String,
    /// The exact bytes.
    pub raw: Vec<u8>,
    /// Whoever took it up before did not come to an end. It is not counted yet: count it with
    /// [`Records::count_attempt`] when nothing else is under way.
    pub is_suspect: bool,
}

/// What handling a body led to.
#[derive(Debug, Clone, PartialEq)]
pub struct HandledInbound {
    pub id: String,
    pub status: InboundStatus,
    /// An array, as the API shows it.
    pub changes: Value,
    pub shares: Vec<InboundShare>,
    pub note: Option<String>,
    /// Workspace and id of the runs it started or woke.
    pub runs: Vec<(String, String)>,
}

static FINISH: Bulk = Bulk::new(
    "with done (id, status, changes, workspaces, note) as (values ",
    5,
    ") update inbound_bodies set status = done.status, changes = done.changes, workspace_count = done.workspaces, \
     note = done.note from done where inbound_bodies.id = done.id",
);

static SHARE: Bulk = Bulk::new(
    "with part (workspace_id, inbound_id, changes) as (values ",
    3,
    ") insert into inbound_body_shares (workspace_id, inbound_id, received_at, changes) \
     select part.workspace_id, b.id, b.received_at, part.changes from part join inbound_bodies b \
     on b.id = part.inbound_id where true \
     on conflict (workspace_id, inbound_id) do update set changes = excluded.changes",
);

static NOTE_RUN: Bulk = Bulk::new(
    "insert into inbound_body_runs (workspace_id, inbound_id, run_id) values ",
    3,
    " on conflict do nothing",
);

impl Records {
    /// Takes over bodies that were stored and not handled, in the order in which they came, whatever the clock said:
    /// after a start, or when another process died. They are this caller's for ten seconds. A claim that ends long
    /// after this caller's would is of a clock that was set back since, and void.
    pub async fn claim_pending_inbound(&self, limit: u32) -> Result<Vec<String>, RecordError> {
        let now = self.now();
        let sql = format!(
            "with due as (select id from inbound_bodies where status = 'received' \
             and (claimed_until <= $1 or claimed_until > $4) \
             order by place, received_at, id limit $2{}) update inbound_bodies set claimed_until = $3 \
             where id in (select id from due) returning id, place, received_at",
            self.db.dialect().for_update_skip_locked()
        );
        let until = now + CLAIM_MS;
        // Two machines may differ by less than that.
        let too_late = until + CLAIM_MS;
        let query = self.db.query(sql).bind(now).bind(page_size(limit)).bind(until).bind(too_late);
        let rows = query.all().await?;
        let read = |row: &Row| Ok((row.int("place")?, row.int("received_at")?, row.text("id")?));
        let mut claimed = rows.iter().map(read).collect::<Result<Vec<_>, DbError>>()?;
        claimed.sort_unstable();
        Ok(claimed.into_iter().map(|(_, _, id)| id).collect())
    }

    /// Every body that was stored and not handled, in the order in which they came: for a process that is alone.
    pub async fn pending_inbound(&self) -> Result<Vec<String>, RecordError> {
        let sql = "select id from inbound_bodies where status = 'received' order by place, received_at, id";
        let rows = self.db.query(sql).all().await?;
        Ok(rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?)
    }

    /// Takes up bodies that this caller has claimed, in the order given, and counts that it did; suspects are not
    /// counted yet. What was handled in the meantime is left out.
    pub async fn take_up_inbound(&self, ids: &[String]) -> Result<Vec<TakenInbound>, RecordError> {
        let list = padded(ids);
        let marks = placeholders(1, list.len());
        if list.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "update inbound_bodies set attempts = attempts + 1 where id in ({marks}) and status = 'received' \
             and attempts < {SUSPECT} returning id, raw"
        );
        let rows = self.db.query(sql).bind_all(list.iter().copied()).all().await?;
        let mut found = rows.iter().map(|row| read_taken(row, false)).collect::<Result<Vec<_>, _>>()?;
        if found.len() < ids.len() {
            let sql = format!(
                "select id, raw from inbound_bodies where id in ({marks}) and status = 'received' \
                 and attempts >= {SUSPECT}"
            );
            let rows = self.db.query(sql).bind_all(list.iter().copied()).all().await?;
            for row in &rows {
                let suspect = read_taken(row, true)?;
                // What was counted a moment ago is no suspect yet.
                if !found.iter().any(|one| one.id == suspect.id) {
                    found.push(suspect);
                }
            }
        }
        Ok(in_order(found, ids))
    }

    /// Takes up bodies, in the order given, whatever became of them before, and counts nothing: what this process
    /// stored itself a moment ago, or what a person wants to be handled again.
    pub async fn look_at_inbound(&self, ids: &[String]) -> Result<Vec<TakenInbound>, RecordError> {
        let list = padded(ids);
        if list.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "select id, raw, attempts from inbound_bodies where id in ({})",
            placeholders(1, list.len())
        );
        let rows = self.db.query(sql).bind_all(list).all().await?;
        let read = |row: &Row| read_taken(row, row.int("attempts")? >= SUSPECT);
        let found = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(in_order(found, ids))
    }

    /// Counts that a suspect is taken up once more. One that was taken up too often without an end is put aside as
    /// `quarantined`, from where a replay brings it back; `false` then.
    pub async fn count_attempt(&self, id: &str) -> Result<bool, RecordError> {
        let sql = "update inbound_bodies set attempts = attempts + 1 where id = $1 returning attempts";
        let row = self.db.query(sql).bind(id).optional().await?;
        let attempts = row.map_or(Ok(0), |row| row.int("attempts"))?;
        if attempts <= MOST_ATTEMPTS {
            return Ok(true);
        }
        let note = format!(
            "put aside: taken up {MOST_ATTEMPTS} times and never finished, as if it brought the process down; find out \
             why before you replay it"
        );
        let sql = "update inbound_bodies set status = 'quarantined', note = $2 where id = $1";
        self.db.query(sql).bind(id).bind(note).execute().await?;
        Ok(false)
    }

    /// Takes back what was counted: the handling failed in good order, or did not begin.
    pub async fn forget_attempt(&self, id: &str) -> Result<(), RecordError> {
        let sql = "update inbound_bodies set attempts = attempts - 1 where id = $1 and attempts > 0";
        self.db.query(sql).bind(id).execute().await?;
        Ok(())
    }

    /// Gives every unhandled body free at once. Only for a process that begins to lead.
    pub async fn release_pending_inbound(&self) -> Result<u64, RecordError> {
        let sql = "update inbound_bodies set claimed_until = 0 where status = 'received'";
        Ok(self.db.query(sql).execute().await?)
    }

    /// Notes what handling a body led to. May be repeated (after a replay).
    ///
    /// # Errors
    /// `NotFound` when the body is gone.
    pub async fn finish_inbound(
        &self,
        id: &str,
        status: InboundStatus,
        changes: &Value,
        shares: &[InboundShare],
        note: Option<&str>,
    ) -> Result<(), RecordError> {
        let done = HandledInbound {
            id: id.to_owned(),
            status,
            changes: changes.clone(),
            shares: shares.to_vec(),
            note: note.map(str::to_owned),
            runs: Vec::new(),
        };
        match self.finish_all_inbound(&[done]).await? {
            0 => Err(RecordError::not_found("inbound body", id)),
            _ => Ok(()),
        }
    }

    /// Notes what handling bodies led to, all or none. May be repeated (after a replay); runs add up. Returns how many
    /// of the bodies are still there.
    pub async fn finish_all_inbound(&self, done: &[HandledInbound]) -> Result<u64, RecordError> {
        let shares: Vec<(&str, &InboundShare)> =
            done.iter().flat_map(|body| body.shares.iter().map(|share| (&*body.id, share))).collect();
        let mut tx = self.begin().await?;
        let changed = FINISH
            .execute(&mut tx, done, |body, row| {
                row.push(Arg::from(&body.id));
                row.push(Arg::from(body.status.as_text()));
                row.push(Arg::from(body.changes.to_string()));
                row.push(Arg::from(body.shares.len() as i64));
                row.push(Arg::from(body.note.as_deref().map(clean)));
            })
            .await?;
        SHARE
            .execute(&mut tx, &shares, |(id, share), row| {
                row.push(Arg::from(&share.workspace_id));
                row.push(Arg::from(*id));
                row.push(Arg::from(share.changes.to_string()));
            })
            .await?;
        let runs: Vec<[&str; 3]> = done.iter().flat_map(noted_runs).collect();
        NOTE_RUN.execute(&mut tx, &runs, |run, row| row.extend(run.map(Arg::from))).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Notes a run that a body started or woke, before the body is finished. Repeating it changes nothing.
    pub async fn add_inbound_run(
        &self,
        workspace_id: &str,
        id: &str,
        run_id: &str,
    ) -> Result<(), RecordError> {
        self.db
            .query(
                "insert into inbound_body_runs (workspace_id, inbound_id, run_id) values ($1, $2, $3) \
                 on conflict do nothing",
            )
            .bind(workspace_id)
            .bind(id)
            .bind(run_id)
            .execute()
            .await?;
        Ok(())
    }
}

fn noted_runs(body: &HandledInbound) -> impl Iterator<Item = [&str; 3]> {
    body.runs.iter().map(|(workspace_id, run_id)| [&**workspace_id, &*body.id, &**run_id])
}

/// The list made as long as the next power of two by repeating its last, so that few texts are prepared.
fn padded(ids: &[String]) -> Vec<&str> {
    let mut padded: Vec<&str> = ids.iter().map(String::as_str).collect();
    if let Some(last) = padded.last().copied() {
        padded.resize(padded.len().next_power_of_two(), last);
    }
    padded
}

fn read_taken(row: &Row, is_suspect: bool) -> Result<TakenInbound, DbError> {
    Ok(TakenInbound { id: row.text("id")?, raw: row.opt_bytes("raw")?.unwrap_or_default(), is_suspect })
}

fn in_order(found: Vec<TakenInbound>, ids: &[String]) -> Vec<TakenInbound> {
    let mut found: HashMap<String, TakenInbound> =
        found.into_iter().map(|one| (one.id.clone(), one)).collect();
    ids.iter().filter_map(|id| found.remove(id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_as_long_as_powers_of_two() {
        for (given, length) in [(0, 0), (1, 1), (2, 2), (3, 4), (5, 8), (64, 64)] {
            let ids: Vec<String> = (0..given).map(|n| format!("in_{n}")).collect();
            let padded = padded(&ids);
            assert_eq!(padded.len(), length);
            assert!(padded.iter().zip(&ids).all(|(one, other)| one == other));
        }
    }
}
