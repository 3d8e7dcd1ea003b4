//! The rows of turns: every statement that writes a run, each for any number of turns at once. None of them fails
//! because someone was faster; they answer how many rows they wrote, and the caller knows how many it should be.
//! Must not know which turns share a transaction.

use super::bulk::{Bulk, values};
use super::columns::{attention_number, status_number};
use super::commit::Ready;
use super::types::to_json;
use super::waits;
use sluice_db::{DbError, Tx};

pub(super) static INSERT_RUNS: Bulk = Bulk::new(
    "insert into runs (workspace_id, run_id, workflow_id, version, status, turns, events, is_test, dry_run, created_at, \
     started_at, ended_at, wake_at, trigger_type, lane, parent_run_id, inbound_id, dedupe_key, error, owner, attention, \
     document) values ",
    22,
    " on conflict do nothing",
);

/// A run that is over keeps its end and its error; one that goes on after a retry loses them. The start stays
/// for good. Whoever claimed it is done with that: the count of claims begins anew.
pub(super) static UPDATE_RUNS: Bulk = Bulk::new(
    "with v (workspace_id, run_id, expected, events, status, wake_at, started_at, is_over, ended_at, error, owner, \
     attention) as (values ",
    12,
    ") update runs set turns = runs.turns + 1, events = v.events, status = v.status, wake_at = v.wake_at, \
     started_at = coalesce(runs.started_at, v.started_at), owner = v.owner, attention = v.attention, claims = null, \
     ended_at = case when v.is_over then coalesce(v.ended_at, runs.ended_at) else null end, \
     error = case when v.is_over then coalesce(v.error, runs.error) else null end \
     from v where runs.workspace_id = v.workspace_id and runs.run_id = v.run_id and runs.turns = v.expected",
);

static INSERT_EVENTS: Bulk =
    Bulk::new("insert into run_events (workspace_id, run_id, first_seq, count, at, body) values ", 6, "");

static INSERT_RECEIPTS: Bulk = Bulk::new(
    "insert into signal_receipts (workspace_id, receipt, run_id, at) values ",
    4,
    " on conflict do nothing",
);

pub(super) static DELETE_WAITS: Bulk =
    Bulk::new("delete from run_waits where (workspace_id, run_id) in (values ", 2, ")");

/// Writes the runs of first turns. Those whose id or deduplication key exists already are left out.
pub(super) async fn insert_runs(tx: &mut Tx, turns: &[&Ready]) -> Result<u64, DbError> {
    let new = |ready: &&&Ready| ready.turn.new_run.is_some();
    let mut firsts: Vec<&Ready> = turns.iter().filter(new).copied().collect();
    // Two transactions that meet on deduplication keys wait for each other in the same order.
    firsts.sort_by_key(|ready| ready.turn.new_run.as_ref().and_then(|run| run.dedupe_key.as_deref()));
    INSERT_RUNS
        .execute(tx, &firsts, |ready, row| {
            let turn = &ready.turn;
            let Some(run) = &turn.new_run else { return };
            values![row;
                turn.key.workspace_id.clone(), turn.key.run_id.clone(), &run.workflow_id, run.version,
                status_number(turn.status), 1_i64, ready.last_seq, run.is_test, run.dry_run, run.created_at,
                turn.started_at, turn.ended_at, turn.wake_at, &run.trigger_type, &run.lane, &run.parent_run_id,
                &run.inbound_id, &run.dedupe_key, turn.error.as_ref().map(to_json), turn.owner,
                turn.attention.map(attention_number), run.document.as_deref(),
            ];
        })
        .await
}

/// Moves the runs of later turns on. Those that are not where the turn expects them are left out. Each run may be
/// there only once.
pub(super) async fn update_runs(tx: &mut Tx, turns: &[&Ready]) -> Result<u64, DbError> {
    let later = |ready: &&&Ready| ready.turn.new_run.is_none();
    let later: Vec<&Ready> = turns.iter().filter(later).copied().collect();
    UPDATE_RUNS
        .execute(tx, &later, |ready, row| {
            let turn = &ready.turn;
            values![row;
                turn.key.workspace_id.clone(), turn.key.run_id.clone(), turn.expected, ready.last_seq,
                status_number(turn.status), turn.wake_at, turn.started_at, turn.status.is_over(), turn.ended_at,
                turn.error.as_ref().map(to_json), turn.owner, turn.attention.map(attention_number),
            ];
        })
        .await
}

/// Writes a row of events for each turn that has any.
pub(super) async fn insert_events(tx: &mut Tx, turns: &[&Ready]) -> Result<(), DbError> {
    let spoken: Vec<_> = turns.iter().filter_map(|ready| Some((*ready, ready.events.as_ref()?))).collect();
    INSERT_EVENTS
        .execute(tx, &spoken, |(ready, events), row| {
            let (key, seq) = (&ready.turn.key, ready.turn.first_seq);
            values![row;
                key.workspace_id.clone(), key.run_id.clone(), seq, events.count, events.at, events.body.as_slice(),
            ];
        })
        .await?;
    Ok(())
}

/// Notes the signals that turns take. Those taken before are left out.
pub(super) async fn insert_receipts(tx: &mut Tx, turns: &[&Ready]) -> Result<u64, DbError> {
    let mut taking: Vec<_> =
        turns.iter().filter_map(|ready| Some((ready.turn.receipt.as_deref()?, *ready))).collect();
    taking.sort_by_key(|(receipt, _)| *receipt);
    INSERT_RECEIPTS
        .execute(tx, &taking, |(receipt, ready), row| {
            let key = &ready.turn.key;
            let at = ready.events.as_ref().map_or(0, |events| events.at);
            values![row; key.workspace_id.clone(), *receipt, key.run_id.clone(), at];
        })
        .await
}

/// Takes back what [`insert_receipts`] noted for a turn that is refused after all.
pub(super) async fn delete_receipt(tx: &mut Tx, ready: &Ready, receipt: &str) -> Result<(), DbError> {
    tx.query("delete from signal_receipts where workspace_id = $1 and receipt = $2")
        .bind(&*ready.turn.key.workspace_id)
        .bind(receipt)
        .execute()
        .await?;
    Ok(())
}

/// Puts the waits of turns in the place of those that their runs had.
pub(super) async fn replace_waits(tx: &mut Tx, turns: &[&Ready]) -> Result<(), DbError> {
    let replaced = |ready: &&&Ready| ready.turn.waits.is_some() && ready.turn.new_run.is_none();
    let replaced: Vec<&Ready> = turns.iter().filter(replaced).copied().collect();
    DELETE_WAITS
        .execute(tx, &replaced, |ready, row| {
            values![row; ready.turn.key.workspace_id.clone(), ready.turn.key.run_id.clone()];
        })
        .await?;
    let waits: Vec<_> = turns
        .iter()
        .flat_map(|ready| ready.turn.waits.iter().flatten().map(|wait| (&ready.turn.key, wait)))
        .collect();
    waits::insert(tx, &waits).await
}
