//! What runs used, written in the commit of the turn that says so, and how many runs began: one row per workspace,
//! workflow and transaction. Must not know what anybody makes of it.
//!
//! Rows are only added. They outlive their runs.

use super::bulk::{Bulk, Rider, Values, values};
use super::commit::Ready;
use super::{RunKey, Store, StoreError};
use sluice_db::{ArgType, DbError, Tx, sortable_id};
use sluice_node_sdk::usage::UsageNote;
use std::collections::BTreeMap;

/// The kind under which runs are counted; tests and dry runs are not.
const RUN: &str = "run";

/// The attribute that names the workflow of the runs that are counted.
const WORKFLOW: &str = "workflow";

const HOUR_MS: i64 = 3_600_000;

/// The columns of a row.
macro_rules! usage_columns {
    () => {
        "insert into usage_events (workspace_id, usage_key, kind, quantity, attributes, run_id, at) "
    };
}

pub(super) const COLUMNS: &str = usage_columns!();

pub(super) const KINDS: [ArgType; 7] = {
    use ArgType::{Int, Text};
    [Text, Text, Text, Int, Text, Text, Int]
};

/// The rows as they go along with those of turns.
pub(super) static RIDER: Rider = Rider { insert: COLUMNS, columns: KINDS.len() };

static INSERT_USAGE: Bulk =
    Bulk::new(concat!(usage_columns!(), "values "), KINDS.len(), " on conflict do nothing");

/// A row that is to be.
pub(super) struct UsageRow<'a> {
    workspace_id: &'a str,
    key: String,
    kind: &'a str,
    quantity: i64,
    attributes: String,
    run_id: Option<&'a str>,
    at: i64,
}

impl<'a> UsageRow<'a> {
    fn of_note(key: &'a RunKey, note: &'a UsageNote) -> Self {
        Self {
            workspace_id: &key.workspace_id,
            key: note.key.clone(),
            kind: &note.kind,
            quantity: note.quantity,
            attributes: attributes_text(&note.attributes),
            run_id: Some(&key.run_id),
            at: note.at,
        }
    }
}

/// Attributes as stored: JSON with sorted names, empty for none.
fn attributes_text(attributes: &BTreeMap<String, String>) -> String {
    if attributes.is_empty() { String::new() } else { super::types::to_json(attributes) }
}

/// What turns used, and the runs that begin with them. Nothing for turns without either.
pub(super) fn rows<'a>(turns: &[&'a Ready]) -> Vec<UsageRow<'a>> {
    let mut begun: BTreeMap<(&str, &str, i64), (i64, i64)> = BTreeMap::new();
    let mut rows = Vec::new();
    for turn in turns.iter().map(|ready| &ready.turn) {
        rows.extend(turn.usage.iter().map(|note| UsageRow::of_note(&turn.key, note)));
        if let Some(run) = turn.new_run.as_deref().filter(|run| !run.is_test && !run.dry_run) {
            let hour = run.created_at.div_euclid(HOUR_MS);
            let count = begun.entry((&*turn.key.workspace_id, &*run.workflow_id, hour)).or_default();
            *count = (count.0 + 1, run.created_at);
        }
    }
    rows.extend(begun.into_iter().map(|((workspace_id, workflow_id, _), (quantity, at))| UsageRow {
        workspace_id,
        // Of no run but of this transaction, which is written once or not at all.
        key: sortable_id("runs"),
        kind: RUN,
        quantity,
        attributes: attributes_text(&BTreeMap::from([(WORKFLOW.to_owned(), workflow_id.to_owned())])),
        run_id: None,
        at,
    }));
    // Two transactions that meet on keys wait for each other in the same order.
    rows.sort_by(|one, other| (one.workspace_id, &one.key).cmp(&(other.workspace_id, &other.key)));
    rows
}

/// Writes rows. Those whose key is there already are left out.
pub(super) async fn insert(tx: &mut Tx, rows: &[UsageRow<'_>]) -> Result<(), DbError> {
    INSERT_USAGE.execute(tx, rows, values).await.map(drop)
}

/// The values of a row.
pub(super) fn values(row: &UsageRow<'_>, into: &mut Values) {
    values![into;
        row.workspace_id, row.key.as_str(), row.kind, row.quantity, row.attributes.as_str(), row.run_id, row.at,
    ];
}

impl Store {
    /// Writes down what an execution of a run used whose result goes into no turn.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_usage(&self, key: &RunKey, usage: Vec<UsageNote>) -> Result<(), StoreError> {
        if usage.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = usage.iter().map(|note| UsageRow::of_note(key, note)).collect();
        let mut tx = self.db.begin().await?;
        insert(&mut tx, &rows).await?;
        tx.commit().await?;
        Ok(())
    }
}
