//! Schedules of published workflows. Must not know calendars: the caller works out the next moment.

use super::{ScheduleRow, Store, StoreError};
use sluice_db::Row;

/// Schedules whose credential does not open rest: their moments count as missed when it opens again.
pub(super) const DUE: &str = "select s.* from workflow_schedules s where s.next_at is not null and s.next_at <= $1 \
             and not exists (select 1 from paused_credentials p join workflow_triggers t \
             on t.workspace_id = p.workspace_id and t.credential = p.name \
             where p.workspace_id = s.workspace_id and t.workflow_id = s.workflow_id and t.node = s.node) \
             order by s.next_at limit $2";

pub(super) const NEXT: &str = "select s.next_at as at from workflow_schedules s where s.next_at is not null \
             and not exists (select 1 from paused_credentials p join workflow_triggers t \
             on t.workspace_id = p.workspace_id and t.credential = p.name \
             where p.workspace_id = s.workspace_id and t.workflow_id = s.workflow_id and t.node = s.node) \
             order by s.next_at limit 1";

impl Store {
    /// Up to `limit` schedules whose moment has come, the longest overdue first. They stay due until
    /// [`Store::set_next`] moves them on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_schedules(&self, now: i64, limit: u32) -> Result<Vec<ScheduleRow>, StoreError> {
        let rows = self.db.query(DUE).bind(now).bind(limit).all().await?;
        rows.iter().map(read).collect()
    }

    /// Moves a schedule on to `next`, if it still stands at what `schedule` says. `false` means that someone else
    /// took this tick, or that the workflow was published again or taken out of service. To lose no tick to a
    /// crash, start the run first, with a deduplication key made of the tick.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_next(&self, schedule: &ScheduleRow, next: Option<i64>) -> Result<bool, StoreError> {
        const SQL: &str = "update workflow_schedules set next_at = $5 where workspace_id = $1 and workflow_id = $2 \
             and node = $3 and next_at is not distinct from $4";
        let moved = self
            .db
            .query(SQL)
            .bind(&schedule.workspace_id)
            .bind(&schedule.workflow_id)
            .bind(&schedule.node)
            .bind(schedule.next_at)
            .bind(next)
            .execute()
            .await?;
        Ok(moved == 1)
    }

    /// The next moment at which a schedule is due.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_schedule_at(&self) -> Result<Option<i64>, StoreError> {
        let row = self.db.query(NEXT).optional().await?;
        Ok(row.map(|row| row.int("at")).transpose()?)
    }
}

fn read(row: &Row) -> Result<ScheduleRow, StoreError> {
    Ok(ScheduleRow {
        workspace_id: row.text("workspace_id")?,
        workflow_id: row.text("workflow_id")?,
        node: row.text("node")?,
        params: row.text("params")?,
        next_at: row.opt_int("next_at")?,
    })
}
