//! Tests of the store: a contract that both engines keep, and random sequences against a model. PostgreSQL takes
//! part under `scripts/with-postgres.sh`.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod arbitrary;
mod bucket;
mod bytes;
mod claims;
mod commits;
mod differential;
mod due;
mod erasing;
mod events;
mod group;
mod lists;
mod model;
mod payloads;
mod plans;
mod pruning;
mod publishing;
mod usage;
mod waits;
mod workflows;

use super::*;
use crate::core::{Event, EventKind, NodeOutput, RunStatus, Wait};
use serde_json::{Value, json};
use sluice_node_sdk::outcome::WaitKind;
use std::sync::Arc;

/// The workspace of most tests.
const WS: &str = "ws_1";

/// Names a run of [`WS`].
fn key(run: &str) -> RunKey {
    RunKey { workspace_id: WS.into(), run_id: run.into() }
}

/// The facts of a plain run.
fn facts(run: &str, created_at: i64) -> NewRun {
    NewRun {
        key: key(run),
        workflow_id: "wf_1".into(),
        version: 1,
        document: None,
        trigger_type: "trigger.webhook".into(),
        is_test: false,
        dry_run: false,
        lane: None,
        parent_run_id: None,
        inbound_id: None,
        dedupe_key: None,
        created_at,
    }
}

/// An event that says little.
fn skipped(at: i64, node: u32) -> Event {
    Event { at, kind: EventKind::NodeSkipped { node } }
}

/// An event that carries data.
fn started(at: i64, json: Value) -> Event {
    let output = NodeOutput { ports: vec![(0, Arc::new(vec![json.into()]))], ..NodeOutput::default() };
    let kind = EventKind::RunStarted {
        trigger: 0,
        output: Arc::new(output),
        pins: Default::default(),
        deadline: None,
    };
    Event { at, kind }
}

/// The first turn of a run, with one event.
fn first_turn(run: NewRun, status: RunStatus) -> Turn {
    Turn {
        key: run.key.clone(),
        expected: 0,
        events: vec![started(run.created_at, json!({ "n": 1 }))],
        first_seq: 0,
        status,
        error: None,
        started_at: Some(run.created_at),
        ended_at: status.is_over().then_some(run.created_at),
        wake_at: None,
        owner: None,
        attention: None,
        receipt: None,
        change: None,
        waits: None,
        usage: Vec::new(),
        children: Vec::new(),
        new_run: Some(Box::new(run)),
    }
}

/// A later turn of a run, with one event.
fn next_turn(run: &str, expected: i64, first_seq: i64, status: RunStatus) -> Turn {
    let at = 1_000 + first_seq;
    Turn {
        key: key(run),
        expected,
        new_run: None,
        events: vec![skipped(at, 1)],
        first_seq,
        status,
        error: None,
        started_at: None,
        ended_at: status.is_over().then_some(at),
        wake_at: None,
        owner: None,
        attention: None,
        receipt: None,
        change: None,
        waits: None,
        usage: Vec::new(),
        children: Vec::new(),
    }
}

/// A wait for a signal, or for a time alone.
fn wait_row(node: &str, kind: WaitKind, signal: Option<&str>, since: i64) -> WaitRow {
    let signal = signal.map(str::to_owned);
    let wait = Wait { kind, until: Some(since + 5), signal, state: json!({ "step": 1 }), info: Value::Null };
    WaitRow { node: node.into(), iteration: 0, wait: Arc::new(wait), since }
}

/// Commits turns that must all be taken.
async fn commit_all(store: &Store, turns: Vec<Turn>) {
    let count = turns.len();
    assert_eq!(store.commit(turns).await.unwrap(), vec![Commit::Done; count]);
}

/// The ids of the runs.
fn ids(keys: &[RunKey]) -> Vec<&str> {
    keys.iter().map(|key| &*key.run_id).collect()
}
