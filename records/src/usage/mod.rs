//! What was used: messages, tokens, runs. The engine writes what runs report, in their own commits; records add what is
//! learned later, and read. Every figure is a sum of events. Must not know what a piece costs.

mod read;
mod rollup;

pub use read::{Step, UsageFilter, UsageSum};
pub use rollup::PRUNE_AFTER_MS;

use std::collections::BTreeMap;

use sluice_db::Db;

use crate::{RecordError, Records};

/// A message that was sent, by category.
pub const MESSAGE: &str = "message";
/// A run that began, tests left out. Counted by the engine, in the commit that begins it.
pub const RUN: &str = "run";

/// The attribute of messages that names their category.
pub const CATEGORY: &str = "category";

/// Something that was used, or a correction of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageEvent {
    pub workspace_id: String,
    /// A second event of this key is a repetition and counts nothing.
    pub key: String,
    pub kind: String,
    /// Pieces; less than 0 takes back.
    pub quantity: i64,
    pub attributes: BTreeMap<String, String>,
    pub run_id: Option<String>,
    /// Milliseconds since the epoch; it may be long ago.
    pub at: i64,
}

/// Attributes as stored: JSON with sorted names, empty for none. The engine writes the same.
pub(crate) fn attributes_text(attributes: &BTreeMap<String, String>) -> String {
    if attributes.is_empty() {
        return String::new();
    }
    let object: serde_json::Map<_, _> =
        attributes.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    serde_json::Value::Object(object).to_string()
}

/// The attributes of the event of a key, while it is kept.
pub(crate) async fn event_by_key(
    db: &Db,
    workspace_id: &str,
    key: &str,
) -> Result<Option<BTreeMap<String, String>>, RecordError> {
    let sql = "select attributes from usage_events where workspace_id = $1 and usage_key = $2";
    let Some(row) = db.query(sql).bind(workspace_id).bind(key).optional().await? else { return Ok(None) };
    let text = row.text("attributes")?;
    if text.is_empty() {
        return Ok(Some(BTreeMap::new()));
    }
    let read = serde_json::from_str(&text).map_err(|_| sluice_db::DbError::Corrupt {
        message: "the attributes of a usage event are not understood".into(),
    })?;
    Ok(Some(read))
}

impl Records {
    /// Writes events that no run reports, all or none, and says how many were new.
    pub async fn note_usage(&self, events: &[UsageEvent]) -> Result<u64, RecordError> {
        if events.is_empty() {
            return Ok(0);
        }
        let mut tx = self.begin().await?;
        let mut written = 0;
        for event in events {
            written += tx
                .query(
                    "insert into usage_events (workspace_id, usage_key, kind, quantity, attributes, run_id, at) \
                     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
                )
                .bind(&event.workspace_id)
                .bind(&event.key)
                .bind(&event.kind)
                .bind(event.quantity)
                .bind(attributes_text(&event.attributes))
                .bind(&event.run_id)
                .bind(event.at)
                .execute()
                .await?;
        }
        tx.commit().await?;
        Ok(written)
    }
}
