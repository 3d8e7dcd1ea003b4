//! Publishing: a version is frozen and its triggers and schedules take the place of the former ones, all or
//! nothing. Must not know what a document says.

use super::{Change, ScheduleRow, Store, StoreError, TriggerRow};
use serde_json::json;
use sluice_db::{DbError, Tx, placeholders};
use std::collections::HashSet;

/// What is published: everything that the store cannot know from the workflow itself.
#[derive(Clone, Debug)]
pub struct Publication<'a> {
    /// The document of the new version, as JSON text.
    pub document: &'a str,
    /// Its triggers. Their workspace, workflow and version are filled in here.
    pub triggers: Vec<TriggerRow>,
    /// Its schedules. Their workspace and workflow are filled in here.
    pub schedules: Vec<ScheduleRow>,
    /// How long its finished runs are kept, milliseconds; `None` for as long as the installation keeps others.
    pub retention_ms: Option<i64>,
    /// Milliseconds since the epoch.
    pub at: i64,
}

impl Store {
    /// Freezes a version, activates its triggers and schedules in place of the former ones, and answers its number.
    ///
    /// # Errors
    /// `NotFound`, `PathTaken` when a webhook path is in use in the workspace, or when the database fails.
    pub async fn publish(
        &self,
        workspace_id: &str,
        workflow_id: &str,
        publication: Publication<'_>,
    ) -> Result<i64, StoreError> {
        let paths = webhook_paths(&publication.triggers);
        match self.try_publish(workspace_id, workflow_id, &publication, &paths).await {
            // Somebody took a path between our look and our write; by now it can be seen who.
            Err(StoreError::Db(DbError::Unique { constraint })) => {
                let mut tx = self.db.begin().await?;
                refuse_taken_paths(&mut tx, workspace_id, workflow_id, &paths).await?;
                Err(DbError::Unique { constraint }.into())
            }
            other => other,
        }
    }

    async fn try_publish(
        &self,
        workspace_id: &str,
        workflow_id: &str,
        publication: &Publication<'_>,
        paths: &[&str],
    ) -> Result<i64, StoreError> {
        let mut tx = self.db.begin().await?;
        let (name, former) = lock_workflow(&mut tx, workspace_id, workflow_id).await?;
        refuse_repeated_paths(paths, &name)?;
        refuse_taken_paths(&mut tx, workspace_id, workflow_id, paths).await?;
        let version = insert_version(&mut tx, workspace_id, workflow_id, publication).await?;
        delete_triggers(&mut tx, workspace_id, workflow_id).await?;
        for trigger in &publication.triggers {
            insert_trigger(&mut tx, workspace_id, workflow_id, version, trigger).await?;
        }
        for schedule in &publication.schedules {
            insert_schedule(&mut tx, workspace_id, workflow_id, schedule).await?;
        }
        set_published(&mut tx, workspace_id, workflow_id, Some(version)).await?;
        let sql = "update workflows set retention_ms = $3 where workspace_id = $1 and workflow_id = $2";
        tx.query(sql).bind(workspace_id).bind(workflow_id).bind(publication.retention_ms).execute().await?;
        let change = Change {
            before: json!({ "published_version": former }),
            after: json!({ "published_version": version }),
            ..self.change(workspace_id, "published", workflow_id, &name)
        };
        self.log.write(&mut tx, vec![change]).await?;
        tx.commit().await?;
        Ok(version)
    }

    /// Takes a workflow out of service: its triggers and schedules go, its versions stay.
    ///
    /// # Errors
    /// `NotFound`, or when the database fails.
    pub async fn unpublish(&self, workspace_id: &str, workflow_id: &str) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let (name, former) = lock_workflow(&mut tx, workspace_id, workflow_id).await?;
        delete_triggers(&mut tx, workspace_id, workflow_id).await?;
        set_published(&mut tx, workspace_id, workflow_id, None).await?;
        if former.is_some() {
            let before = json!({ "published_version": former });
            let change = self.change(workspace_id, "unpublished", workflow_id, &name);
            self.log.write(&mut tx, vec![Change { before, ..change }]).await?;
        }
        Ok(tx.commit().await?)
    }
}

fn webhook_paths(triggers: &[TriggerRow]) -> Vec<&str> {
    triggers.iter().filter(|trigger| trigger.source == "webhook").map(|trigger| &*trigger.key).collect()
}

/// Keeps others from publishing the same workflow meanwhile, and answers its name and published version.
async fn lock_workflow(
    tx: &mut Tx,
    workspace_id: &str,
    workflow_id: &str,
) -> Result<(String, Option<i64>), StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!(
        "select name, published_version from workflows where workspace_id = $1 and workflow_id = $2{lock}"
    );
    let row = tx.query(sql).bind(workspace_id).bind(workflow_id).optional().await?;
    let row = row.ok_or(StoreError::NotFound)?;
    Ok((row.text("name")?, row.opt_int("published_version")?))
}

fn refuse_repeated_paths(paths: &[&str], workflow: &str) -> Result<(), StoreError> {
    let mut seen = HashSet::new();
    match paths.iter().find(|path| !seen.insert(**path)) {
        Some(path) => Err(StoreError::PathTaken { path: (*path).to_owned(), workflow: workflow.to_owned() }),
        None => Ok(()),
    }
}

async fn refuse_taken_paths(
    tx: &mut Tx,
    workspace_id: &str,
    workflow_id: &str,
    paths: &[&str],
) -> Result<(), StoreError> {
    if paths.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "select t.key, w.name from workflow_triggers t \
         join workflows w on w.workspace_id = t.workspace_id and w.workflow_id = t.workflow_id \
         where t.workspace_id = $1 and t.source = 'webhook' and t.workflow_id <> $2 and t.key in ({}) \
         order by t.key limit 1",
        placeholders(3, paths.len())
    );
    let query = tx.query(sql).bind(workspace_id).bind(workflow_id).bind_all(paths.iter().copied());
    match query.optional().await? {
        Some(row) => Err(StoreError::PathTaken { path: row.text("key")?, workflow: row.text("name")? }),
        None => Ok(()),
    }
}

async fn insert_version(
    tx: &mut Tx,
    workspace_id: &str,
    workflow_id: &str,
    publication: &Publication<'_>,
) -> Result<i64, StoreError> {
    const SQL: &str = "insert into workflow_versions (workspace_id, workflow_id, version, published_at, document) \
         select $1, $2, coalesce(max(version), 0) + 1, $3, $4 from workflow_versions \
         where workspace_id = $1 and workflow_id = $2 returning version";
    let query = tx.query(SQL).bind(workspace_id).bind(workflow_id).bind(publication.at);
    Ok(query.bind(publication.document).one().await?.int("version")?)
}

/// Removes the triggers and schedules of a workflow.
pub(super) async fn delete_triggers(
    tx: &mut Tx,
    workspace_id: &str,
    workflow_id: &str,
) -> Result<(), StoreError> {
    for sql in [
        "delete from workflow_triggers where workspace_id = $1 and workflow_id = $2",
        "delete from workflow_schedules where workspace_id = $1 and workflow_id = $2",
    ] {
        tx.query(sql).bind(workspace_id).bind(workflow_id).execute().await?;
    }
    Ok(())
}

async fn insert_trigger(
    tx: &mut Tx,
    workspace_id: &str,
    workflow_id: &str,
    version: i64,
    trigger: &TriggerRow,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into workflow_triggers (workspace_id, workflow_id, node, version, source, key, priority, \
         listen_only, competes) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    tx.query(SQL)
        .bind(workspace_id)
        .bind(workflow_id)
        .bind(&trigger.node)
        .bind(version)
        .bind(&trigger.source)
        .bind(&trigger.key)
        .bind(trigger.priority)
        .bind(trigger.listen_only)
        .bind(trigger.competes)
        .execute()
        .await?;
    Ok(())
}

async fn insert_schedule(
    tx: &mut Tx,
    workspace_id: &str,
    workflow_id: &str,
    schedule: &ScheduleRow,
) -> Result<(), StoreError> {
    const SQL: &str = "insert into workflow_schedules (workspace_id, workflow_id, node, next_at, params) \
         values ($1, $2, $3, $4, $5)";
    tx.query(SQL)
        .bind(workspace_id)
        .bind(workflow_id)
        .bind(&schedule.node)
        .bind(schedule.next_at)
        .bind(&schedule.params)
        .execute()
        .await?;
    Ok(())
}

async fn set_published(
    tx: &mut Tx,
    workspace_id: &str,
    workflow_id: &str,
    version: Option<i64>,
) -> Result<(), StoreError> {
    let sql = "update workflows set published_version = $3 where workspace_id = $1 and workflow_id = $2";
    tx.query(sql).bind(workspace_id).bind(workflow_id).bind(version).execute().await?;
    Ok(())
}
