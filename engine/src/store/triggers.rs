//! Published triggers: who is asked when something happens outside. Must not know what happens then.

use super::{Store, StoreError, TriggerRow};
use sluice_db::Row;

pub(super) const WEBHOOK: &str =
    "select * from workflow_triggers where workspace_id = $1 and source = 'webhook' and key = $2";

pub(super) const TRIGGERS_FOR: &str = "select t.* from workflow_triggers t \
             join workflows w on w.workspace_id = t.workspace_id and w.workflow_id = t.workflow_id \
             where t.workspace_id = $1 and t.source = $2 and t.key = $3 \
             order by t.priority, w.created_at, w.name, t.node";

impl Store {
    /// The triggers of a workspace for a source and key (a webhook path, an event topic, or empty), in the order
    /// in which they are asked: by priority, then the older workflow first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn triggers_for(
        &self,
        workspace_id: &str,
        source: &str,
        key: &str,
    ) -> Result<Vec<TriggerRow>, StoreError> {
        let rows = self.db.query(TRIGGERS_FOR).bind(workspace_id).bind(source).bind(key).all().await?;
        rows.iter().map(read).collect()
    }

    /// All published triggers of one workflow, by node.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn triggers_of(
        &self,
        workspace_id: &str,
        workflow_id: &str,
    ) -> Result<Vec<TriggerRow>, StoreError> {
        const SQL: &str =
            "select * from workflow_triggers where workspace_id = $1 and workflow_id = $2 order by node";
        let rows = self.db.query(SQL).bind(workspace_id).bind(workflow_id).all().await?;
        rows.iter().map(read).collect()
    }

    /// The webhook trigger of a path.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn webhook(&self, workspace_id: &str, path: &str) -> Result<Option<TriggerRow>, StoreError> {
        let row = self.db.query(WEBHOOK).bind(workspace_id).bind(path).optional().await?;
        row.as_ref().map(read).transpose()
    }
}

fn read(row: &Row) -> Result<TriggerRow, StoreError> {
    Ok(TriggerRow {
        workspace_id: row.text("workspace_id")?,
        workflow_id: row.text("workflow_id")?,
        version: row.int("version")?,
        node: row.text("node")?,
        source: row.text("source")?,
        key: row.text("key")?,
        priority: row.int("priority")?,
        listen_only: row.bool("listen_only")?,
        competes: row.bool("competes")?,
    })
}
