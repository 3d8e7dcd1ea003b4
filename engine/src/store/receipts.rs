//! Signals that runs have taken, by the name that their sender gave them. Written by the turn that takes one. Must not
//! know what a signal means.

use super::{RunKey, Store, StoreError};

/// A signal that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The run that took it.
    pub run_id: String,
    /// When, milliseconds since the epoch.
    pub at: i64,
}

pub(super) const RECEIPT: &str =
    "select run_id from signal_receipts where workspace_id = $1 and receipt = $2";

pub(super) const STARTED_BY: &str = "select 1 as found from runs where workspace_id = $1 and dedupe_key >= $2 \
             and dedupe_key < $3 limit 1";

pub(super) const STARTED_UNDER: &str = "select run_id from runs where workspace_id = $1 and dedupe_key = $2";

pub(super) const RECEIPTS: &str = "select run_id, at from signal_receipts where workspace_id = $1 and receipt >= $2 \
             and receipt < $3 order by receipt";

impl Store {
    /// The run that took the signal of this name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn receipt(&self, workspace_id: &str, receipt: &str) -> Result<Option<String>, StoreError> {
        let row = self.db.query(RECEIPT).bind(workspace_id).bind(receipt).optional().await?;
        Ok(row.map(|row| row.text("run_id")).transpose()?)
    }

    /// The signals that were taken under names with this beginning, which ends with a slash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn receipts(&self, workspace_id: &str, prefix: &str) -> Result<Vec<Receipt>, StoreError> {
        let rows = self.db.query(RECEIPTS).bind(workspace_id).bind(prefix).bind(end_of(prefix)).all().await?;
        let found = rows.iter().map(|row| Ok(Receipt { run_id: row.text("run_id")?, at: row.int("at")? }));
        found.collect()
    }

    /// Whether a run was started under a deduplication key with this beginning, which ends with a slash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_started(&self, workspace_id: &str, prefix: &str) -> Result<bool, StoreError> {
        let row =
            self.db.query(STARTED_BY).bind(workspace_id).bind(prefix).bind(end_of(prefix)).optional().await?;
        Ok(row.is_some())
    }

    /// The run that was started under this deduplication key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn started_under(&self, workspace_id: &str, key: &str) -> Result<Option<RunKey>, StoreError> {
        let row = self.db.query(STARTED_UNDER).bind(workspace_id).bind(key).optional().await?;
        let run_id = row.map(|row| row.text("run_id")).transpose()?;
        Ok(run_id.map(|run_id| RunKey { workspace_id: workspace_id.into(), run_id: run_id.into() }))
    }

    /// The run that called a run.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn parent(&self, key: &RunKey) -> Result<Option<String>, StoreError> {
        let row = self
            .db
            .query("select parent_run_id from runs where workspace_id = $1 and run_id = $2")
            .bind(&*key.workspace_id)
            .bind(&*key.run_id)
            .optional()
            .await?;
        Ok(row.map(|row| row.opt_text("parent_run_id")).transpose()?.flatten())
    }
}

/// The first text after all that begin with `prefix`: in the order of bytes `0` comes right after `/`.
fn end_of(prefix: &str) -> String {
    format!("{}0", prefix.strip_suffix('/').unwrap_or(prefix))
}
