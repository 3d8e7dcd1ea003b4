//! Lists of runs for people. Must not know how runs are driven.

use super::columns::{STATUSES, status_number};
use super::runs::{read_attention, read_error, read_status};
use super::{Page, RunFilter, RunSummary, Store, StoreError, cursor};
use crate::core::RunStatus;
use sluice_db::Row;

/// How many runs have a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCount {
    /// The status.
    pub status: RunStatus,
    /// How many runs have it.
    pub runs: i64,
}

pub(super) const RUNS_OF_INBOUND: &str =
    "select run_id from runs where workspace_id = $1 and inbound_id = $2 order by created_at, run_id";

pub(super) const COUNT_BY_STATUS: &str = "select '' as run_id, status, count(*) as n from runs where workspace_id = $1 \
             group by status order by status";

pub(super) const COUNT_ACTIVE: &str = "select '' as run_id, status, count(*) as n from runs where status <= 1 and (status <= 1 or owner is not null) \
             group by status order by status";

impl Store {
    /// Runs of a workspace, newest first.
    ///
    /// # Errors
    /// `BadCursor`, or when the database fails or what is stored is damaged.
    pub async fn list_runs(
        &self,
        workspace_id: &str,
        filter: &RunFilter,
    ) -> Result<Page<RunSummary>, StoreError> {
        let size = cursor::page_size(filter.limit);
        let (before, last_id) =
            cursor::decode(filter.cursor.as_deref())?.unwrap_or_else(|| (i64::MAX, "\u{10FFFF}".to_owned()));
        let rows = self
            .db
            .query(list_text(filter))
            .bind(workspace_id)
            .bind(before)
            .bind(last_id)
            .bind(filter.since.unwrap_or(i64::MIN))
            .bind(size + 1)
            .bind_all(filter.workflow_id.as_deref())
            .all()
            .await?;
        let found = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(cursor::page(found, size, |last: &RunSummary| (last.created_at, last.id.clone())))
    }

    /// The runs that an inbound body caused, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn runs_of_inbound(
        &self,
        workspace_id: &str,
        inbound_id: &str,
    ) -> Result<Vec<String>, StoreError> {
        let rows = self.db.query(RUNS_OF_INBOUND).bind(workspace_id).bind(inbound_id).all().await?;
        Ok(rows.iter().map(|row| row.text("run_id")).collect::<Result<_, _>>()?)
    }

    /// How many runs of a workspace have each status; a status that no run has is left out. Reads an index entry
    /// per run, so it is not for every second.
    ///
    /// # Errors
    /// When the database fails or what is stored is damaged.
    pub async fn count_by_status(&self, workspace_id: &str) -> Result<Vec<StatusCount>, StoreError> {
        let rows = self.db.query(COUNT_BY_STATUS).bind(workspace_id).all().await?;
        rows.iter().map(read_count).collect()
    }

    /// How many runs are queued and running in all workspaces: the work at hand. Reads only those runs.
    ///
    /// # Errors
    /// When the database fails or what is stored is damaged.
    pub async fn count_active(&self) -> Result<Vec<StatusCount>, StoreError> {
        let rows = self.db.query(COUNT_ACTIVE).all().await?;
        rows.iter().map(read_count).collect()
    }
}

/// One ordered range of an index per status, merged. Without this a list of all runs would need an index of
/// its own, and a list of few among many would read the many.
pub(super) fn list_text(filter: &RunFilter) -> String {
    const COLUMNS: &str = "workspace_id, run_id, workflow_id, version, status, trigger_type, is_test, created_at, \
         started_at, ended_at, error, attention";
    let workflow = if filter.workflow_id.is_some() { "and workflow_id = $6 " } else { "" };
    let wanted = STATUSES.into_iter().filter(|status| filter.status.is_none_or(|only| only == *status));
    let range = |condition: &str, name: &str| {
        format!(
            "select * from (select {COLUMNS} from runs where workspace_id = $1 {workflow}{condition}\
             and (created_at, run_id) < ($2, $3) and created_at >= $4 \
             order by created_at desc, run_id desc limit $5) as range_{name}"
        )
    };
    let ranges: Vec<String> = if filter.attention {
        // Few among many: they have an index of their own, and the rest is looked at row by row.
        let status = filter
            .status
            .map_or_else(String::new, |status| format!("and status + 0 = {} ", status_number(status)));
        vec![range(&format!("and attention is not null {status}"), "attention")]
    } else {
        wanted
            .map(status_number)
            .map(|status| range(&format!("and status = {status} "), &status.to_string()))
            .collect()
    };
    format!(
        "select r.*, w.name as workflow_name from ({}) as r \
         left join workflows w on w.workspace_id = r.workspace_id and w.workflow_id = r.workflow_id \
         order by r.created_at desc, r.run_id desc limit $5",
        ranges.join(" union all ")
    )
}

fn read(row: &Row) -> Result<RunSummary, StoreError> {
    Ok(RunSummary {
        id: row.text("run_id")?,
        workflow_id: row.text("workflow_id")?,
        workflow_name: row.opt_text("workflow_name")?,
        version: row.int("version")?,
        status: read_status(row)?,
        trigger_type: row.text("trigger_type")?,
        is_test: row.bool("is_test")?,
        created_at: row.int("created_at")?,
        started_at: row.opt_int("started_at")?,
        ended_at: row.opt_int("ended_at")?,
        error: read_error(row)?,
        attention: read_attention(row)?,
    })
}

fn read_count(row: &Row) -> Result<StatusCount, StoreError> {
    Ok(StatusCount { status: read_status(row)?, runs: row.int("n")? })
}
