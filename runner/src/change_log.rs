//! What people and programs change in the engine, written into the audit trail of the records. Must not know who asks.

use serde_json::Value;
use sluice_db::{DbError, Tx};
use sluice_engine::store::{Change, ChangeLog, Logged};
use sluice_records::audit::{self, Target};
use sluice_records::{Actor, RecordError, Records};
use std::sync::Arc;

/// The audit trail as the engine's log.
pub(crate) struct RecordedChanges(pub(crate) Records);

impl ChangeLog for RecordedChanges {
    fn write<'a>(&'a self, tx: &'a mut Tx, changes: Vec<Change>) -> Logged<'a> {
        Box::pin(async move {
            let changes = changes.into_iter().map(translated).collect();
            self.0.audit_all(tx, changes).await.map_err(|error| match error {
                RecordError::Db(error) => error,
                other => DbError::Other(Arc::new(other)),
            })
        })
    }
}

fn translated(change: Change) -> (Actor, audit::Change) {
    let actor = change.by.as_deref().map_or_else(Actor::system, Actor::from_signature);
    let target = Target::new(change.kind, change.id).named(change.name);
    let mut written = audit::Change::new(change.workspace_id, change.action, target);
    if change.before != Value::Null {
        written = written.before(change.before);
    }
    if change.after != Value::Null {
        written = written.after(change.after);
    }
    (actor, written)
}
