//! The rows of turns: every statement that writes a run, each for any number of turns at once. None of them fails
//! because someone was faster; they answer how many rows they wrote, and the caller knows how many it should be.
//! Must not know which turns share a transaction.

use super::bulk::{Bulk, Values, values};
use super::columns::{attention_number, status_number};
use super::commit::Ready;
use super::types::{Turn, to_json};
use super::waits;
use crate::core::RunStatus;
use sluice_db::{ArgType, DbError, Tx};

/// The columns of a new run, with what goes into `created_at`.
macro_rules! new_run_names {
    ($created_at:expr) => {
        concat!(
            "workspace_id, run_id, workflow_id, version, status, turns, events, is_test, dry_run, ",
            $created_at,
            ", started_at, ended_at, wake_at, trigger_type, lane, parent_run_id, inbound_id, dedupe_key, error, \
             owner, attention, document, first_events"
        )
    };
}

macro_rules! new_run_columns {
    () => {
        concat!("insert into runs (", new_run_names!("created_at"), ") ")
    };
}

/// The row of a new run out of `v`. Queued runs of a lane go in the order in which they were accepted, so one is accepted
/// after those of its lane that are not over, also when the clock was set back meanwhile.
macro_rules! new_run_in_turn {
    () => {
        concat!(
            "select ",
            new_run_names!(
                "case when v.lane is null or v.status <> 0 then v.created_at else coalesce((select max(e.created_at) + 1 from runs e \
                 where e.workspace_id = v.workspace_id and e.lane = v.lane and (e.status <= 1 or e.owner is not null) \
                 and e.created_at >= v.created_at), v.created_at) end"
            ),
            " from "
        )
    };
}

/// What a later turn says of its run.
macro_rules! moved_run_columns {
    () => {
        "(workspace_id, run_id, expected, events, status, wake_at, started_at, is_over, ended_at, error, owner, \
         attention)"
    };
}

/// A run that is over keeps its end and its error; one that goes on after a retry loses them. The start stays
/// for good. Whoever claimed it is done with that: the count of claims begins anew.
macro_rules! move_runs {
    () => {
        "update runs set turns = runs.turns + 1, events = v.events, status = v.status, wake_at = v.wake_at, \
         started_at = coalesce(runs.started_at, v.started_at), owner = v.owner, attention = v.attention, claims = null, \
         ended_at = case when v.is_over then coalesce(v.ended_at, runs.ended_at) else null end, \
         error = case when v.is_over then coalesce(v.error, runs.error) else null end "
    };
}

/// Where the turn expects the run to be.
macro_rules! where_expected {
    () => {
        "where runs.workspace_id = v.workspace_id and runs.run_id = v.run_id and runs.turns = v.expected"
    };
}

/// The columns of the events of a turn.
macro_rules! event_columns {
    () => {
        "insert into run_events (workspace_id, run_id, first_seq, count, at, body) "
    };
}

/// The columns of the receipt of a signal.
macro_rules! receipt_columns {
    () => {
        "insert into signal_receipts (workspace_id, receipt, run_id, at) "
    };
}

pub(super) const NEW_RUN_COLUMNS: &str = new_run_columns!();
pub(super) const NEW_RUN_NAMES: &str = new_run_names!("created_at");
pub(super) const NEW_RUN_IN_TURN: &str = new_run_in_turn!();
pub(super) const MOVED_RUN_COLUMNS: &str = moved_run_columns!();
pub(super) const MOVE_RUNS: &str = move_runs!();
pub(super) const WHERE_EXPECTED: &str = where_expected!();
pub(super) const EVENT_COLUMNS: &str = event_columns!();
pub(super) const RECEIPT_COLUMNS: &str = receipt_columns!();

pub(super) const NEW_RUN_KINDS: [ArgType; 23] = {
    use ArgType::{Bool, Bytes, Int, Text};
    [
        Text, Text, Text, Int, Int, Int, Int, Bool, Bool, Int, Int, Int, Int, Text, Text, Text, Text, Text,
        Text, Int, Int, Text, Bytes,
    ]
};

pub(super) const MOVED_RUN_KINDS: [ArgType; 12] = {
    use ArgType::{Bool, Int, Text};
    [Text, Text, Int, Int, Int, Int, Int, Bool, Int, Text, Int, Int]
};

pub(super) const EVENT_KINDS: [ArgType; 6] =
    [ArgType::Text, ArgType::Text, ArgType::Int, ArgType::Int, ArgType::Int, ArgType::Bytes];

pub(super) const RECEIPT_KINDS: [ArgType; 4] = [ArgType::Text, ArgType::Text, ArgType::Text, ArgType::Int];

pub(super) static INSERT_RUNS: Bulk =
    Bulk::new(concat!(new_run_columns!(), "values "), NEW_RUN_KINDS.len(), " on conflict do nothing");

/// The same for runs of which some may wait for their lane.
pub(super) static INSERT_RUNS_IN_TURN: Bulk = Bulk::new(
    concat!("with v (", new_run_names!("created_at"), ") as (values "),
    NEW_RUN_KINDS.len(),
    // `where true`, or `on conflict` would be read as a part of a join.
    concat!(") ", new_run_columns!(), new_run_in_turn!(), "v where true on conflict do nothing"),
);

pub(super) static UPDATE_RUNS: Bulk = Bulk::new(
    concat!("with v ", moved_run_columns!(), " as (values "),
    MOVED_RUN_KINDS.len(),
    concat!(") ", move_runs!(), "from v ", where_expected!()),
);

pub(super) static INSERT_EVENTS: Bulk =
    Bulk::new(concat!(event_columns!(), "values "), EVENT_KINDS.len(), "");

pub(super) static INSERT_RECEIPTS: Bulk =
    Bulk::new(concat!(receipt_columns!(), "values "), RECEIPT_KINDS.len(), " on conflict do nothing");

pub(super) static DELETE_WAITS: Bulk =
    Bulk::new("delete from run_waits where (workspace_id, run_id) in (values ", 2, ")");

/// The row of a new run.
pub(super) fn new_run(ready: &&Ready, row: &mut Values) {
    let turn = &ready.turn;
    let Some(run) = &turn.new_run else { return };
    values![row;
        turn.key.workspace_id.clone(), turn.key.run_id.clone(), &run.workflow_id, run.version,
        status_number(turn.status), 1_i64, ready.last_seq, run.is_test, run.dry_run, run.created_at,
        turn.started_at, turn.ended_at, turn.wake_at, &run.trigger_type, &run.lane, &run.parent_run_id,
        &run.inbound_id, &run.dedupe_key, turn.error.as_ref().map(to_json), turn.owner,
        turn.attention.map(attention_number), run.document.as_deref(), ready.inside(),
    ];
}

/// What a later turn makes of its run.
pub(super) fn moved_run(ready: &&Ready, row: &mut Values) {
    let turn = &ready.turn;
    values![row;
        turn.key.workspace_id.clone(), turn.key.run_id.clone(), turn.expected, ready.last_seq,
        status_number(turn.status), turn.wake_at, turn.started_at, turn.status.is_over(), turn.ended_at,
        turn.error.as_ref().map(to_json), turn.owner, turn.attention.map(attention_number),
    ];
}

/// The row of the events of a turn, if they have one.
pub(super) fn spoken(ready: &&Ready, row: &mut Values) {
    let Some(events) = ready.beside() else { return };
    let (key, seq) = (&ready.turn.key, ready.turn.first_seq);
    values![row;
        key.workspace_id.clone(), key.run_id.clone(), seq, events.count, events.since, events.body.as_slice(),
    ];
}

/// The key of a run.
pub(super) fn key(ready: &&Ready, row: &mut Values) {
    values![row; ready.turn.key.workspace_id.clone(), ready.turn.key.run_id.clone()];
}

/// The receipt of the signal that a turn takes.
pub(super) fn receipt((receipt, ready): &(&str, &Ready), row: &mut Values) {
    let key = &ready.turn.key;
    let at = ready.events.as_ref().map_or(0, |events| events.at);
    values![row; key.workspace_id.clone(), *receipt, key.run_id.clone(), at];
}

/// First turns and later ones. Two transactions that meet on deduplication keys wait for each other in the same order.
pub(super) fn firsts_and_laters<'a>(turns: &[&'a Ready]) -> (Vec<&'a Ready>, Vec<&'a Ready>) {
    let (mut firsts, laters): (Vec<&Ready>, Vec<&Ready>) =
        turns.iter().partition(|ready| ready.turn.new_run.is_some());
    firsts.sort_by_key(|ready| ready.turn.new_run.as_ref().and_then(|run| run.dedupe_key.as_deref()));
    (firsts, laters)
}

/// Whether it is the first turn of a run that waits until others of its lane are over.
pub(super) fn waits_for_lane(turn: &Turn) -> bool {
    turn.status == RunStatus::Queued && turn.new_run.as_ref().is_some_and(|run| run.lane.is_some())
}

/// The turns whose events have a row of their own.
pub(super) fn speaking<'a>(turns: &[&'a Ready]) -> Vec<&'a Ready> {
    turns.iter().filter(|ready| ready.beside().is_some()).copied().collect()
}

/// The turns of runs that exist that say for what their runs wait now.
pub(super) fn replacing<'a>(turns: &[&'a Ready]) -> Vec<&'a Ready> {
    let replaces = |ready: &&&Ready| ready.turn.waits.is_some() && ready.turn.new_run.is_none();
    turns.iter().filter(replaces).copied().collect()
}

/// The turns that take signals, with the keys of these, in an order that all transactions share.
pub(super) fn taking<'a>(turns: &[&'a Ready]) -> Vec<(&'a str, &'a Ready)> {
    let mut taking: Vec<_> =
        turns.iter().filter_map(|ready| Some((ready.turn.receipt.as_deref()?, *ready))).collect();
    taking.sort_by_key(|(receipt, _)| *receipt);
    taking
}

/// Writes the run of a turn without its events; whether it was not left out.
pub(super) async fn write_run(tx: &mut Tx, turn: &Ready) -> Result<bool, DbError> {
    let written = match turn.turn.new_run {
        Some(_) => INSERT_RUNS_IN_TURN.execute(tx, &[turn], new_run).await?,
        None => UPDATE_RUNS.execute(tx, &[turn], moved_run).await?,
    };
    Ok(written == 1)
}

/// Writes the events of a turn, if they have a row of their own.
pub(super) async fn insert_events(tx: &mut Tx, turn: &Ready) -> Result<(), DbError> {
    INSERT_EVENTS.execute(tx, &speaking(&[turn]), spoken).await.map(drop)
}

/// Notes the signal that a turn takes; whether it was not taken before.
pub(super) async fn insert_receipt(tx: &mut Tx, turn: &Ready, receipt_key: &str) -> Result<bool, DbError> {
    Ok(INSERT_RECEIPTS.execute(tx, &[(receipt_key, turn)], receipt).await? == 1)
}

/// Takes back what [`insert_receipt`] noted for a turn that is refused after all.
pub(super) async fn delete_receipt(tx: &mut Tx, turn: &Ready, receipt: &str) -> Result<(), DbError> {
    tx.query("delete from signal_receipts where workspace_id = $1 and receipt = $2")
        .bind(&*turn.turn.key.workspace_id)
        .bind(receipt)
        .execute()
        .await?;
    Ok(())
}

/// Puts the waits of a turn in the place of those that its run had.
pub(super) async fn replace_waits(tx: &mut Tx, turn: &Ready) -> Result<(), DbError> {
    DELETE_WAITS.execute(tx, &replacing(&[turn]), key).await?;
    waits::INSERT.execute(tx, &waits::findable(&[turn]), waits::values).await.map(drop)
}
