//! Changes that people and programs make to workflows and runs, told to a log of the host's inside the transaction of
//! the change. Must not know who they are: a signature is the host's own text, carried along and handed back.

use super::Store;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_db::{DbError, Tx};
use std::pin::Pin;
use std::sync::Arc;

/// One change by somebody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// `ws_…`.
    pub workspace_id: String,
    /// The signature of whoever did it; `None` for the program itself.
    pub by: Option<Arc<str>>,
    /// Such as `workflow.published` or `run.cancelled`.
    pub action: String,
    /// `workflow` or `run`.
    pub kind: String,
    /// `wf_…` or `run_…`.
    pub id: String,
    /// Name of the workflow, if it is known.
    pub name: String,
    /// What it was.
    pub before: Value,
    /// What it became.
    pub after: Value,
}

/// The answer of a log.
pub type Logged<'a> = Pin<Box<dyn Future<Output = Result<(), DbError>> + Send + 'a>>;

/// Where changes are written down. What it writes stands or falls with the change.
pub trait ChangeLog: Send + Sync {
    /// Writes changes in the transaction that makes them; the last thing it does before it is committed.
    ///
    /// # Errors
    /// When the database fails; then the changes are not made either.
    fn write<'a>(&'a self, tx: &'a mut Tx, changes: Vec<Change>) -> Logged<'a>;
}

/// A log, or none.
#[derive(Clone, Default)]
pub(super) struct Log(pub(super) Option<Arc<dyn ChangeLog>>);

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Log").field(&self.0.is_some()).finish()
    }
}

impl Log {
    pub(super) async fn write(&self, tx: &mut Tx, changes: Vec<Change>) -> Result<(), DbError> {
        match &self.0 {
            Some(log) if !changes.is_empty() => log.write(tx, changes).await,
            _ => Ok(()),
        }
    }
}

/// Who makes changes, and what they call them.
#[derive(Clone, Debug, Default)]
pub struct Signature {
    /// The host's text; `None` for the program itself.
    pub by: Option<Arc<str>>,
    /// What saving a draft is called in place of `created` and `updated`, such as `imported`.
    pub verb: Option<&'static str>,
}

impl Store {
    /// The same store for somebody: changes made through it carry this signature.
    #[must_use]
    pub fn signed(&self, signature: Signature) -> Self {
        Self { signature, ..self.clone() }
    }

    /// A change of a workflow, signed.
    pub(super) fn change(&self, workspace_id: &str, verb: &'static str, id: &str, name: &str) -> Change {
        let verb = match verb {
            "created" | "updated" => self.signature.verb.unwrap_or(verb),
            other => other,
        };
        Change {
            workspace_id: workspace_id.to_owned(),
            by: self.signature.by.clone(),
            action: format!("workflow.{verb}"),
            kind: "workflow".to_owned(),
            id: id.to_owned(),
            name: name.to_owned(),
            before: Value::Null,
            after: Value::Null,
        }
    }
}

/// A document in a few words: its size and the hash of its text say whether two are the same.
pub(super) fn outline(name: &str, revision: i64, draft: &str) -> Value {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, draft.as_bytes());
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    serde_json::json!({ "name": name, "revision": revision, "bytes": draft.len(), "sha256": hash })
}
