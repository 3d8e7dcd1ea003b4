//! The rows of turns: every statement that writes a run, each for any number of turns at once. None of them fails
//! because someone was faster; they answer how many rows they wrote, and the caller knows how many it should be.
//! Must not know which turns share a transaction.

use super::bulk::{Bulk, Pair, Values, columns, unnest, values};
use super::columns::{attention_number, status_number};
use super::commit::Ready;
use super::types::to_json;
use super::{usage, waits};
use sluice_db::{Arg, ArgType, Db, DbError, Tx};
use std::sync::OnceLock;

/// The columns of a new run.
macro_rules! new_run_columns {
    () => {
        "insert into runs (workspace_id, run_id, workflow_id, version, status, turns, events, is_test, dry_run, \
         created_at, started_at, ended_at, wake_at, trigger_type, lane, parent_run_id, inbound_id, dedupe_key, error, \
         owner, attention, document) "
    };
}

/// The columns of the events of a turn.
macro_rules! event_columns {
    () => {
        "insert into run_events (workspace_id, run_id, first_seq, count, at, body) "
    };
}

pub(super) static INSERT_RUNS: Bulk =
    Bulk::new(concat!(new_run_columns!(), "values "), 22, " on conflict do nothing");

const NEW_RUN_KINDS: [ArgType; 22] = {
    use ArgType::{Bool, Int, Text};
    [
        Text, Text, Text, Int, Int, Int, Int, Bool, Bool, Int, Int, Int, Int, Text, Text, Text, Text, Text,
        Text, Int, Int, Text,
    ]
};

const EVENT_KINDS: [ArgType; 6] =
    [ArgType::Text, ArgType::Text, ArgType::Int, ArgType::Int, ArgType::Int, ArgType::Bytes];

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

static INSERT_EVENTS: Bulk = Bulk::new(concat!(event_columns!(), "values "), 6, "");

static FIRSTS: Pair = Pair::new(&INSERT_RUNS, &INSERT_EVENTS, &usage::RIDER);
static LATERS: Pair = Pair::new(&UPDATE_RUNS, &INSERT_EVENTS, &usage::RIDER);

static INSERT_RECEIPTS: Bulk = Bulk::new(
    "insert into signal_receipts (workspace_id, receipt, run_id, at) values ",
    4,
    " on conflict do nothing",
);

pub(super) static DELETE_WAITS: Bulk =
    Bulk::new("delete from run_waits where (workspace_id, run_id) in (values ", 2, ")");

/// The row of a new run.
fn new_run(ready: &Ready, row: &mut Values) {
    let turn = &ready.turn;
    let Some(run) = &turn.new_run else { return };
    values![row;
        turn.key.workspace_id.clone(), turn.key.run_id.clone(), &run.workflow_id, run.version,
        status_number(turn.status), 1_i64, ready.last_seq, run.is_test, run.dry_run, run.created_at,
        turn.started_at, turn.ended_at, turn.wake_at, &run.trigger_type, &run.lane, &run.parent_run_id,
        &run.inbound_id, &run.dedupe_key, turn.error.as_ref().map(to_json), turn.owner,
        turn.attention.map(attention_number), run.document.as_deref(),
    ];
}

/// What a later turn makes of its run.
fn moved_run(ready: &Ready, row: &mut Values) {
    let turn = &ready.turn;
    values![row;
        turn.key.workspace_id.clone(), turn.key.run_id.clone(), turn.expected, ready.last_seq,
        status_number(turn.status), turn.wake_at, turn.started_at, turn.status.is_over(), turn.ended_at,
        turn.error.as_ref().map(to_json), turn.owner, turn.attention.map(attention_number),
    ];
}

/// The row of the events of a turn.
fn spoken(ready: &Ready, row: &mut Values) {
    let Some(events) = &ready.events else { return };
    let (key, seq) = (&ready.turn.key, ready.turn.first_seq);
    values![row;
        key.workspace_id.clone(), key.run_id.clone(), seq, events.count, events.at, events.body.as_slice(),
    ];
}

/// Writes the runs of turns, new ones and those that exist, all their events, and what they used. Those whose id or deduplication key
/// exists already are left out, and so are those that are not where the turn expects them; answers whether there were
/// none of these. Each run may be there only once.
pub(super) async fn write_runs(tx: &mut Tx, turns: &[&Ready]) -> Result<bool, DbError> {
    let (silent, speaking): (Vec<&Ready>, Vec<&Ready>) =
        turns.iter().partition(|ready| ready.events.is_none());
    let (mut firsts, laters): (Vec<&Ready>, Vec<&Ready>) =
        speaking.into_iter().partition(|ready| ready.turn.new_run.is_some());
    in_order(&mut firsts);
    let used = usage::rows(turns);
    let mut riding = usage::RIDER.args(tx.dialect(), &used, usage::values);
    let are_whole = |turns: &[&Ready], written: u64| written == 2 * turns.len() as u64;
    let along = if firsts.is_empty() { None } else { riding.take() };
    let written =
        FIRSTS.execute(tx, &firsts, |ready, row| new_run(ready, row), |ready, row| spoken(ready, row), along);
    if !are_whole(&firsts, written.await?) {
        return Ok(false);
    }
    let along = if laters.is_empty() { None } else { riding.take() };
    let written = LATERS.execute(
        tx,
        &laters,
        |ready, row| moved_run(ready, row),
        |ready, row| spoken(ready, row),
        along,
    );
    if !are_whole(&laters, written.await?) {
        return Ok(false);
    }
    if riding.is_some() {
        // Nothing to go along with.
        usage::insert(tx, &used).await?;
    }
    Ok(write_run_alone(tx, &silent).await? == silent.len() as u64)
}

/// Writes the runs of turns without their events and counts those that were not left out.
pub(super) async fn write_run_alone(tx: &mut Tx, turns: &[&Ready]) -> Result<u64, DbError> {
    let (mut firsts, laters): (Vec<&Ready>, Vec<&Ready>) =
        turns.iter().partition(|ready| ready.turn.new_run.is_some());
    in_order(&mut firsts);
    let inserted = INSERT_RUNS.execute(tx, &firsts, |ready, row| new_run(ready, row)).await?;
    Ok(inserted + UPDATE_RUNS.execute(tx, &laters, |ready, row| moved_run(ready, row)).await?)
}

/// Two transactions that meet on deduplication keys wait for each other in the same order.
fn in_order(firsts: &mut [&Ready]) {
    firsts.sort_by_key(|ready| ready.turn.new_run.as_ref().and_then(|run| run.dedupe_key.as_deref()));
}

/// Writes first turns on PostgreSQL in one trip: one statement that is its own transaction. It fails, and writes nothing,
/// when one of them is refused.
pub(super) async fn write_firsts_alone(db: &Db, mut turns: Vec<&Ready>) -> Result<(), DbError> {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        format!(
            "with run as ({}select * from {} on conflict do nothing returning 1), event as ({}select * from {}), \
             used as ({}select * from {} on conflict do nothing) select 1 / ((select count(*) from run) = ${})::int",
            new_run_columns!(),
            unnest(1, &NEW_RUN_KINDS),
            event_columns!(),
            unnest(1 + NEW_RUN_KINDS.len(), &EVENT_KINDS),
            usage::COLUMNS,
            unnest(1 + NEW_RUN_KINDS.len() + EVENT_KINDS.len(), &usage::KINDS),
            1 + NEW_RUN_KINDS.len() + EVENT_KINDS.len() + usage::KINDS.len(),
        )
    });
    in_order(&mut turns);
    let mut args = columns(&turns, &NEW_RUN_KINDS, |ready, row| new_run(ready, row));
    args.extend(columns(&turns, &EVENT_KINDS, |ready, row| spoken(ready, row)));
    args.extend(columns(&usage::rows(&turns), &usage::KINDS, usage::values));
    args.push(Arg::Int(turns.len() as i64));
    db.query(text.as_str()).bind_all(args).execute().await.map(drop)
}

/// Writes a row of events for each turn that has any.
pub(super) async fn insert_events(tx: &mut Tx, turns: &[&Ready]) -> Result<(), DbError> {
    let speaking: Vec<&Ready> = turns.iter().filter(|ready| ready.events.is_some()).copied().collect();
    INSERT_EVENTS.execute(tx, &speaking, |ready, row| spoken(ready, row)).await?;
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
