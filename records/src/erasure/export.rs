//! Everything that the records hold about a person, in parts that fit into memory. Must not know runs, nor how it is sent.

use serde::Serialize;
use serde_json::Value;

use super::Traces;
use crate::contacts::contact_in;
use crate::messages::Message;
use crate::{Consent, Contact, Conversation, RecordError, Records};

/// What is held but messages and bodies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Held {
    /// The contact with its attributes and identities.
    pub contact: Contact,
    /// What they said they want to hear.
    pub consents: Vec<Consent>,
    /// What contacts were that turned out to be this one.
    pub merged: Vec<Value>,
    /// Their conversations.
    pub conversations: Vec<Conversation>,
    /// Where else to look for them.
    #[serde(skip)]
    pub traces: Traces,
}

impl Records {
    /// What is held about a contact.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn held(&self, workspace_id: &str, contact_id: &str) -> Result<Held, RecordError> {
        let mut tx = self.begin().await?;
        let contact = contact_in(&mut tx, workspace_id, contact_id).await?;
        let traces = Traces::of(&mut tx, &contact).await?;
        let sql = "select was from contact_merges where workspace_id = $1 and into_id = $2 order by merged_at, merged_id";
        let rows = tx.query(sql).bind(workspace_id).bind(&contact.id).all().await?;
        tx.rollback().await?;
        let merged = rows.iter().map(|row| row.json("was")).collect::<Result<_, _>>()?;
        let consents = self.consents(workspace_id, &contact.id).await?;
        let mut conversations = Vec::with_capacity(traces.conversation_ids.len());
        for id in &traces.conversation_ids {
            conversations.push(self.conversation(workspace_id, id).await?);
        }
        // Those that were merged lead to the same one.
        conversations.sort_by(|a, b| a.id.cmp(&b.id));
        conversations.dedup_by(|a, b| a.id == b.id);
        Ok(Held { contact, consents, merged, conversations, traces })
    }

    /// Messages of a contact after the one with the id `after`, by id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages_of_contact(
        &self,
        workspace_id: &str,
        contact_id: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Message>, RecordError> {
        const SQL: &str = "select * from messages where workspace_id = $1 and contact_id = $2 and id > $3 \
             order by id limit $4";
        let query = self.db.query(SQL).bind(workspace_id).bind(contact_id).bind(after).bind(limit);
        Ok(query.all().await?.iter().map(Message::from_row).collect::<Result<_, _>>()?)
    }
}
