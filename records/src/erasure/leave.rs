//! The moment at which a person stops being known: one transaction, after which whoever has their telephone number is
//! somebody new.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Erasure, Phase, Traces, save};
use crate::contacts::contact_in;
use crate::vault::ERASURE;
use crate::{MARKETING, RecordError, Records};

impl Records {
    /// Takes the contact away, keeps what the person refused as keyed hashes, and destroys the person's key. Being
    /// erased is a refusal of marketing, too. Goes on to the next phase.
    ///
    /// # Errors
    /// When the database fails; repeat it then.
    pub async fn leave(&self, erasure: &mut Erasure) -> Result<(), RecordError> {
        let ws = erasure.workspace_id.clone();
        let mut traces = self.traces(erasure).await?;
        let sealer = self.vault.sealer(&ws).await?;
        let marker = self.marker();
        let now = self.now();
        let mut tx = self.begin().await?;
        // Whoever records a message of this person locks the contact as well: it is either before this or after.
        match contact_in(&mut tx, &ws, &erasure.contact_id).await {
            Ok(contact) => {
                traces.add(Traces::of(&mut tx, &contact).await?);
                let marks = marker.marks(&ws, &contact.identities);
                erasure.marks.extend(marks);
                erasure.marks.sort();
                erasure.marks.dedup();
                let sql = "select topic from contact_consents where workspace_id = $1 and contact_id = $2 and not granted";
                let rows = tx.query(sql).bind(&ws).bind(&contact.id).all().await?;
                let mut topics = BTreeSet::from([MARKETING.to_owned()]);
                for row in &rows {
                    topics.insert(row.text(0)?);
                }
                for mark in &erasure.marks {
                    for topic in &topics {
                        let sql = "insert into refusals (workspace_id, mark, topic, since) values ($1, $2, $3, $4) \
                                   on conflict (workspace_id, mark, topic) do update set since = excluded.since";
                        tx.query(sql).bind(&ws).bind(mark).bind(topic).bind(now).execute().await?;
                    }
                }
                for (table, column) in [
                    ("contact_consents", "contact_id"),
                    ("contact_identities", "contact_id"),
                    ("contact_merges", "into_id"),
                    ("contacts", "id"),
                ] {
                    let sql = format!("delete from {table} where workspace_id = $1 and {column} = $2");
                    let gone = tx.query(sql).bind(&ws).bind(&contact.id).execute().await?;
                    erasure.count(table, gone);
                }
            }
            Err(RecordError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        // Nobody reacts any more to what was written down about them. Such an event holds the whole contact.
        for contact_id in &traces.contact_ids {
            let sql = "delete from record_events where workspace_id = $1 and data like $2";
            let gone = tx.query(sql).bind(&ws).bind(format!("%\"{contact_id}\"%")).execute().await?;
            erasure.count("record_events", gone);
        }
        erasure.enter(Phase::Bodies);
        erasure.left_at.get_or_insert(now);
        let sealed = sealer.seal(&erasure.id, ERASURE, &traces.to_bytes())?;
        let sql =
            "update erasures set sealed = $3, marks = $4, left_at = $5 where workspace_id = $1 and id = $2";
        let query = tx.query(sql).bind(&ws).bind(&erasure.id).bind(sealed);
        query.bind(json!(erasure.marks).to_string()).bind(erasure.left_at).execute().await?;
        save(&mut tx, erasure).await?;
        tx.commit().await?;
        for contact_id in &traces.contact_ids {
            self.vault.destroy_subject_key(&ws, contact_id).await?;
        }
        Ok(())
    }
}
