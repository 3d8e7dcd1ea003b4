//! Drafts and versions of workflows. A draft is saved over and over, each time with a new revision; versions
//! are frozen by [`Store::publish`] and outlive their workflow, because runs are pinned to them. Must not know
//! what a document says.

use super::changes::outline;
use super::{Change, Page, Store, StoreError, VersionRow, WorkflowRow, cursor};
use serde_json::Value;
use sluice_db::{DbError, Row, Tx};

/// A workflow to be created.
#[derive(Clone, Debug)]
pub struct NewWorkflow<'a> {
    /// `wf_…`, made by the caller.
    pub id: &'a str,
    /// Name, unique in the workspace.
    pub name: &'a str,
    /// The draft document, as JSON text.
    pub draft: &'a str,
    /// Milliseconds since the epoch.
    pub at: i64,
}

/// A draft to be saved over the one of a certain revision.
#[derive(Clone, Debug)]
pub struct DraftChange<'a> {
    /// The revision that the change was made on.
    pub revision: i64,
    /// Name, unique in the workspace.
    pub name: &'a str,
    /// The draft document, as JSON text.
    pub draft: &'a str,
    /// Milliseconds since the epoch.
    pub at: i64,
}

impl Store {
    /// How many workflows of a workspace are published, one of them left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_published(&self, workspace_id: &str, but: &str) -> Result<i64, StoreError> {
        let sql = "select count(*) as n from workflows where workspace_id = $1 and workflow_id <> $2 \
                   and published_version is not null";
        Ok(self.db.query(sql).bind(workspace_id).bind(but).one().await?.int("n")?)
    }

    /// Creates a workflow with its first draft, at revision 1.
    ///
    /// # Errors
    /// `NameTaken`, or when the database fails.
    pub async fn create_workflow(
        &self,
        workspace_id: &str,
        new: NewWorkflow<'_>,
    ) -> Result<WorkflowRow, StoreError> {
        const SQL: &str = "insert into workflows (workspace_id, workflow_id, name, revision, created_at, updated_at, draft) \
             values ($1, $2, $3, 1, $4, $4, $5)";
        let mut tx = self.db.begin().await?;
        let inserted = tx
            .query(SQL)
            .bind(workspace_id)
            .bind(new.id)
            .bind(new.name)
            .bind(new.at)
            .bind(new.draft)
            .execute()
            .await;
        inserted.map_err(name_taken)?;
        let after = outline(new.name, 1, new.draft);
        let change = self.change(workspace_id, "created", new.id, new.name);
        self.log.write(&mut tx, vec![Change { after, ..change }]).await?;
        tx.commit().await?;
        Ok(WorkflowRow {
            id: new.id.to_owned(),
            name: new.name.to_owned(),
            revision: 1,
            draft: new.draft.to_owned(),
            published_version: None,
            created_at: new.at,
            updated_at: new.at,
        })
    }

    /// A workflow by its id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workflow(&self, workspace_id: &str, id: &str) -> Result<Option<WorkflowRow>, StoreError> {
        let sql = "select * from workflows where workspace_id = $1 and workflow_id = $2";
        let row = self.db.query(sql).bind(workspace_id).bind(id).optional().await?;
        row.as_ref().map(read_workflow).transpose()
    }

    /// A workflow by its name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn workflow_by_name(
        &self,
        workspace_id: &str,
        name: &str,
    ) -> Result<Option<WorkflowRow>, StoreError> {
        let sql = "select * from workflows where workspace_id = $1 and name = $2";
        let row = self.db.query(sql).bind(workspace_id).bind(name).optional().await?;
        row.as_ref().map(read_workflow).transpose()
    }

    /// The workflows of a workspace, by name.
    ///
    /// # Errors
    /// `BadCursor`, or when the database fails.
    pub async fn list_workflows(
        &self,
        workspace_id: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<WorkflowRow>, StoreError> {
        const SQL: &str =
            "select * from workflows where workspace_id = $1 and name > $2 order by name limit $3";
        let name: String = cursor::decode(after)?.unwrap_or_default();
        let size = cursor::page_size(limit);
        let rows = self.db.query(SQL).bind(workspace_id).bind(name).bind(size + 1).all().await?;
        let found = rows.iter().map(read_workflow).collect::<Result<_, _>>()?;
        Ok(cursor::page(found, size, |last: &WorkflowRow| last.name.clone()))
    }

    /// Saves a draft and answers its new revision.
    ///
    /// # Errors
    /// `Conflict` when the draft is not at the revision the change was made on, `NameTaken`, `NotFound`, or when
    /// the database fails.
    pub async fn save_draft(
        &self,
        workspace_id: &str,
        id: &str,
        change: DraftChange<'_>,
    ) -> Result<i64, StoreError> {
        const SQL: &str = "update workflows set name = $4, draft = $5, updated_at = $6, revision = revision + 1 \
             where workspace_id = $1 and workflow_id = $2 and revision = $3";
        let mut tx = self.db.begin().await?;
        let before = workflow_in(&mut tx, workspace_id, id).await?;
        let saved = tx
            .query(SQL)
            .bind(workspace_id)
            .bind(id)
            .bind(change.revision)
            .bind(change.name)
            .bind(change.draft)
            .bind(change.at)
            .execute()
            .await;
        if saved.map_err(name_taken)? == 1 {
            let logged = Change {
                before: before.as_ref().map_or(Value::Null, outline_of),
                after: outline(change.name, change.revision + 1, change.draft),
                ..self.change(workspace_id, "updated", id, change.name)
            };
            self.log.write(&mut tx, vec![logged]).await?;
            tx.commit().await?;
            return Ok(change.revision + 1);
        }
        match before {
            Some(workflow) => Err(StoreError::Conflict { current_revision: workflow.revision }),
            None => Err(StoreError::NotFound),
        }
    }

    /// Deletes a workflow with its draft, triggers and schedules. Its versions and runs stay: a run that waits
    /// still ends as its version says. Answers whether there was one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_workflow(&self, workspace_id: &str, id: &str) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        let before = workflow_in(&mut tx, workspace_id, id).await?;
        super::publish::delete_triggers(&mut tx, workspace_id, id).await?;
        let sql = "delete from workflows where workspace_id = $1 and workflow_id = $2";
        let deleted = tx.query(sql).bind(workspace_id).bind(id).execute().await?;
        if let Some(row) = before {
            let change = self.change(workspace_id, "deleted", id, &row.name);
            self.log.write(&mut tx, vec![Change { before: outline_of(&row), ..change }]).await?;
        }
        tx.commit().await?;
        Ok(deleted == 1)
    }

    /// One version. It is found even after its workflow was deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn version(
        &self,
        workspace_id: &str,
        workflow_id: &str,
        version: i64,
    ) -> Result<Option<VersionRow>, StoreError> {
        const SQL: &str =
            "select * from workflow_versions where workspace_id = $1 and workflow_id = $2 and version = $3";
        let row = self.db.query(SQL).bind(workspace_id).bind(workflow_id).bind(version).optional().await?;
        row.as_ref().map(read_version).transpose()
    }

    /// The versions of a workflow, newest first.
    ///
    /// # Errors
    /// `BadCursor`, or when the database fails.
    pub async fn list_versions(
        &self,
        workspace_id: &str,
        workflow_id: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<VersionRow>, StoreError> {
        const SQL: &str = "select * from workflow_versions where workspace_id = $1 and workflow_id = $2 and version < $3 \
             order by version desc limit $4";
        let before: i64 = cursor::decode(after)?.unwrap_or(i64::MAX);
        let size = cursor::page_size(limit);
        let query = self.db.query(SQL).bind(workspace_id).bind(workflow_id).bind(before);
        let rows = query.bind(size + 1).all().await?;
        let found = rows.iter().map(read_version).collect::<Result<_, _>>()?;
        Ok(cursor::page(found, size, |last: &VersionRow| last.version))
    }
}

/// The workflow inside a transaction, locked against other writers.
async fn workflow_in(tx: &mut Tx, workspace_id: &str, id: &str) -> Result<Option<WorkflowRow>, StoreError> {
    let lock = tx.dialect().for_update();
    let sql = format!("select * from workflows where workspace_id = $1 and workflow_id = $2{lock}");
    let row = tx.query(sql).bind(workspace_id).bind(id).optional().await?;
    row.as_ref().map(read_workflow).transpose()
}

fn outline_of(row: &WorkflowRow) -> Value {
    outline(&row.name, row.revision, &row.draft)
}

/// The unique index over names refused; any other refusal stays what it is.
fn name_taken(error: DbError) -> StoreError {
    match &error {
        // `workflows_by_name` on PostgreSQL, `workflows.workspace_id, workflows.name` on SQLite.
        DbError::Unique { constraint } if constraint.ends_with("name") => StoreError::NameTaken,
        _ => error.into(),
    }
}

fn read_workflow(row: &Row) -> Result<WorkflowRow, StoreError> {
    Ok(WorkflowRow {
        id: row.text("workflow_id")?,
        name: row.text("name")?,
        revision: row.int("revision")?,
        draft: row.text("draft")?,
        published_version: row.opt_int("published_version")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

fn read_version(row: &Row) -> Result<VersionRow, StoreError> {
    Ok(VersionRow {
        workflow_id: row.text("workflow_id")?,
        version: row.int("version")?,
        document: row.text("document")?,
        published_at: row.int("published_at")?,
    })
}
