//! Changes as events: written in the transaction of the change, taken away once triggers were asked, so that a
//! crash in between loses none. Must not know who reacts.

use serde_json::Value;
use sluice_db::Tx;

use crate::ids::clean;
use crate::{RecordError, Records, new_id};

/// A tag was put on a contact; the data holds `contact` and `tag`.
pub const CONTACT_TAGGED: &str = "contact.tagged";
/// A tag was taken from a contact; the data holds `contact` and `tag`.
pub const CONTACT_UNTAGGED: &str = "contact.untagged";
/// A contact was made; the data holds `contact`.
pub const CONTACT_CREATED: &str = "contact.created";
/// What is known about a contact changed; the data holds `contact`.
pub const CONTACT_UPDATED: &str = "contact.updated";

/// Longest name of a topic, characters.
const LONGEST_TOPIC: usize = 100;

/// Something that happened to records, not yet shown to triggers.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordEvent {
    pub workspace_id: String,
    /// `evt_…`; later ones sort later.
    pub id: String,
    /// Such as `contact.tagged`.
    pub topic: String,
    pub data: Value,
    pub created_at: i64,
}

/// Writes an event down within the transaction of its change.
pub(crate) async fn emit(
    tx: &mut Tx,
    workspace_id: &str,
    topic: &str,
    data: &Value,
    now: i64,
) -> Result<String, RecordError> {
    let id = new_id("evt");
    let sql =
        "insert into record_events (workspace_id, id, topic, data, created_at) values ($1, $2, $3, $4, $5)";
    let query = tx.query(sql).bind(workspace_id).bind(&id).bind(topic);
    query.bind(clean(&data.to_string())).bind(now).execute().await?;
    Ok(id)
}

impl Records {
    /// Writes down an event that something outside reports, and answers its id.
    ///
    /// # Errors
    /// `Invalid` when the topic is not `word.word` in lower case.
    pub async fn report_event(
        &self,
        workspace_id: &str,
        topic: &str,
        data: &Value,
    ) -> Result<String, RecordError> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        if topic.len() > LONGEST_TOPIC || !topic.contains('.') || !topic.split('.').all(is_word) {
            return Err(RecordError::invalid(
                "topic",
                "a topic is two or more lower-case words joined by dots, such as `order.paid`",
            ));
        }
        let mut tx = self.begin().await?;
        let id = emit(&mut tx, workspace_id, topic, data, self.now()).await?;
        tx.commit().await?;
        self.changed.notify_one();
        Ok(id)
    }

    /// Events that were not yet shown to triggers, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pending_events(&self, limit: u32) -> Result<Vec<RecordEvent>, RecordError> {
        let sql = "select * from record_events order by created_at, id limit $1";
        let rows = self.db.query(sql).bind(i64::from(limit)).all().await?;
        let events = rows.iter().map(|row| {
            Ok(RecordEvent {
                workspace_id: row.text("workspace_id")?,
                id: row.text("id")?,
                topic: row.text("topic")?,
                data: row.json("data")?,
                created_at: row.int("created_at")?,
            })
        });
        events.collect()
    }

    /// Takes away an event that was shown to triggers. Repeating it changes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_event(&self, workspace_id: &str, id: &str) -> Result<(), RecordError> {
        let sql = "delete from record_events where workspace_id = $1 and id = $2";
        self.db.query(sql).bind(workspace_id).bind(id).execute().await?;
        Ok(())
    }

    /// Gives up to `limit` events up that were written before `before` and that nobody could be shown since. Returns
    /// how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_events(&self, before: i64, limit: u32) -> Result<u64, RecordError> {
        const SQL: &str = "delete from record_events where (workspace_id, id) in \
             (select workspace_id, id from record_events where created_at < $1 order by created_at, id limit $2)";
        Ok(self.db.query(SQL).bind(before).bind(limit).execute().await?)
    }

    /// Comes true when this process wrote an event since the last call.
    pub async fn event_written(&self) {
        self.changed.notified().await;
    }
}
