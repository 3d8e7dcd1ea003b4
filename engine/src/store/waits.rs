//! Who waits for a signal or for a person's decision. A wait for a time alone needs no row: the time is in
//! the run's own row and the rest in its events. Must not know what a signal means.

use super::bulk::{Bulk, Values, values};
use super::columns::{kind_number, kind_of};
use super::commit::Ready;
use super::runs::read_key;
use super::types::to_json;
use super::{Page, RunKey, Store, StoreError, WaitRow, WaitingNode, cursor};
use crate::core::Wait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_db::{ArgType, Row};
use sluice_node_sdk::outcome::WaitKind;

/// The columns of a wait.
macro_rules! wait_columns {
    () => {
        "insert into run_waits (workspace_id, run_id, node, iteration, kind, since, until, signal, body) "
    };
}

pub(super) const COLUMNS: &str = wait_columns!();

pub(super) const KINDS: [ArgType; 9] = {
    use ArgType::{Int, Text};
    [Text, Text, Text, Int, Int, Int, Int, Text, Text]
};

pub(super) static INSERT: Bulk = Bulk::new(concat!(wait_columns!(), "values "), KINDS.len(), "");

/// The part of a wait that nobody searches for.
#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(default, skip_serializing_if = "Value::is_null")]
    state: Value,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    info: Value,
}

/// The waits of turns that can be found by something else than time, with their runs. The others need no row.
pub(super) fn findable<'a>(turns: &[&'a Ready]) -> Vec<(&'a RunKey, &'a WaitRow)> {
    let waits =
        turns.iter().flat_map(|ready| ready.turn.waits.iter().flatten().map(|row| (&ready.turn.key, row)));
    waits.filter(|(_, row)| is_findable(&row.wait)).collect()
}

/// The values of a row.
pub(super) fn values((key, row): &(&RunKey, &WaitRow), into: &mut Values) {
    values![into;
        key.workspace_id.clone(), key.run_id.clone(), &row.node, row.iteration, kind_number(row.wait.kind),
        row.since, row.wait.until, &row.wait.signal, body(&row.wait),
    ];
}

fn is_findable(wait: &Wait) -> bool {
    wait.signal.is_some() || wait.kind == WaitKind::Approval
}

fn body(wait: &Wait) -> Option<String> {
    if wait.state.is_null() && wait.info.is_null() {
        return None;
    }
    Some(to_json(&Body { state: wait.state.clone(), info: wait.info.clone() }))
}

/// What a list of waits reads; the run knows its workflow.
const SELECT: &str = "select a.workspace_id, a.run_id, a.node, a.iteration, a.kind, a.since, a.until, a.signal, a.body, \
     r.workflow_id from run_waits a join runs r on r.workspace_id = a.workspace_id and r.run_id = a.run_id";

pub(super) fn waiting_for_text() -> String {
    format!(
        "{SELECT} where a.workspace_id = $1 and a.signal = $2 order by a.since, a.run_id, a.node, a.iteration"
    )
}

pub(super) fn approvals_text() -> String {
    format!(
        "{SELECT} where a.workspace_id = $1 and a.kind = 3 \
             and (a.since, a.run_id, a.node, a.iteration) > ($2, $3, $4, $5) \
             order by a.since, a.run_id, a.node, a.iteration limit $6"
    )
}

impl Store {
    /// Everyone in the workspace who waits for the signal, the longest waiting first.
    ///
    /// # Errors
    /// When the database fails or what is stored is damaged.
    pub async fn waiting_for(
        &self,
        workspace_id: &str,
        signal: &str,
    ) -> Result<Vec<WaitingNode>, StoreError> {
        let rows = self.db.query(waiting_for_text()).bind(workspace_id).bind(signal).all().await?;
        rows.iter().map(read).collect()
    }

    /// The nodes that wait for a person's decision, the longest waiting first.
    ///
    /// # Errors
    /// `BadCursor`, or when the database fails or what is stored is damaged.
    pub async fn approvals(
        &self,
        workspace_id: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<WaitingNode>, StoreError> {
        let (since, run, node, iteration) =
            cursor::decode(after)?.unwrap_or_else(|| (i64::MIN, String::new(), String::new(), -1_i64));
        let size = cursor::page_size(limit);
        let query = self
            .db
            .query(approvals_text())
            .bind(workspace_id)
            .bind(since)
            .bind(run)
            .bind(node)
            .bind(iteration);
        let rows = query.bind(size + 1).all().await?;
        let found = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(cursor::page(found, size, |last: &WaitingNode| {
            (last.since, last.key.run_id.to_string(), last.node.clone(), i64::from(last.iteration))
        }))
    }
}

fn read(row: &Row) -> Result<WaitingNode, StoreError> {
    let key = read_key(row)?;
    let corrupt = || StoreError::Corrupt { what: "a wait", id: key.run_id.to_string() };
    let body: Body = match row.opt_text("body")? {
        Some(text) => serde_json::from_str(&text).map_err(|_| corrupt())?,
        None => Body { state: Value::Null, info: Value::Null },
    };
    let wait = Wait {
        kind: kind_of(row.int("kind")?).ok_or_else(corrupt)?,
        until: row.opt_int("until")?,
        signal: row.opt_text("signal")?,
        state: body.state,
        info: body.info,
    };
    let iteration = u32::try_from(row.int("iteration")?).map_err(|_| corrupt())?;
    let (workflow_id, node, since) = (row.text("workflow_id")?, row.text("node")?, row.int("since")?);
    Ok(WaitingNode { key, workflow_id, node, iteration, wait, since })
}
