//! Published triggers: who is asked when something happens outside. Must not know what happens then.

use super::{Store, StoreError, TriggerRow};
use sluice_db::Row;

pub(super) const WEBHOOK: &str = "select t.*, p.reason as paused from workflow_triggers t \
             left join paused_credentials p on p.workspace_id = t.workspace_id and p.name = t.credential \
             where t.workspace_id = $1 and t.source = 'webhook' and t.key = $2";

pub(super) const TRIGGERS_FOR: &str = "select t.*, p.reason as paused from workflow_triggers t \
             join workflows w on w.workspace_id = t.workspace_id and w.workflow_id = t.workflow_id \
             left join paused_credentials p on p.workspace_id = t.workspace_id and p.name = t.credential \
             where t.workspace_id = $1 and t.source = $2 and t.key = $3 and p.reason is null \
             order by t.priority, w.created_at, w.name, t.node";

impl Store {
    /// The triggers of a workspace for a source and key (a webhook path, an event topic, or empty), in the order
    /// in which they are asked: by priority, then the older workflow first. Those that rest are left out.
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
        const SQL: &str = "select t.*, p.reason as paused from workflow_triggers t \
             left join paused_credentials p on p.workspace_id = t.workspace_id and p.name = t.credential \
             where t.workspace_id = $1 and t.workflow_id = $2 order by t.node";
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

    /// The triggers of a workspace that rest because their credential does not open, by workflow and node.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn paused_triggers(&self, workspace_id: &str) -> Result<Vec<TriggerRow>, StoreError> {
        const SQL: &str = "select t.*, p.reason as paused from paused_credentials p \
             join workflow_triggers t on t.workspace_id = p.workspace_id and t.credential = p.name \
             where p.workspace_id = $1 order by t.workflow_id, t.node";
        let rows = self.db.query(SQL).bind(workspace_id).all().await?;
        rows.iter().map(read).collect()
    }

    /// Lets the triggers that use these credentials (name and reason) rest, and those of all others go on. Repeating it
    /// changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pause_credentials(
        &self,
        workspace_id: &str,
        resting: &[(String, String)],
        at: i64,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let known = "select name from paused_credentials where workspace_id = $1";
        for row in tx.query(known).bind(workspace_id).all().await? {
            let name = row.text("name")?;
            if !resting.iter().any(|(other, _)| *other == name) {
                let sql = "delete from paused_credentials where workspace_id = $1 and name = $2";
                tx.query(sql).bind(workspace_id).bind(name).execute().await?;
            }
        }
        for (name, reason) in resting {
            let sql = "insert into paused_credentials (workspace_id, name, reason, since) values ($1, $2, $3, $4) \
                       on conflict (workspace_id, name) do update set reason = excluded.reason";
            tx.query(sql).bind(workspace_id).bind(name).bind(reason).bind(at).execute().await?;
        }
        tx.commit().await?;
        Ok(())
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
        credential: row.opt_text("credential")?,
        paused: row.opt_text("paused")?,
    })
}
