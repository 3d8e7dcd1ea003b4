//! Consent: what a contact wants to hear, per topic; the latest word counts, whenever it arrives.

use serde::Serialize;
use serde_json::json;
use sluice_db::{DbError, Row, Tx};

use crate::audit::{Change, Target};
use crate::store::first_time;
use crate::{RecordError, Records};

/// The topic of marketing messages; WhatsApp's own stop and resume buttons set it.
pub const MARKETING: &str = "marketing";

/// What a contact last said about a topic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Consent {
    pub topic: String,
    pub granted: bool,
    /// Where it was said: `whatsapp`, `import`, `workflow`, …
    pub source: String,
    pub changed_at: i64,
}

impl Consent {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            topic: row.text("topic")?,
            granted: row.bool("granted")?,
            source: row.text("source")?,
            changed_at: row.int("changed_at")?,
        })
    }
}

impl Records {
    /// Notes a contact's word. An older word than the one on record changes nothing. True when something changed.
    ///
    /// # Errors
    /// `NotFound` for the contact.
    pub async fn set_consent(
        &self,
        workspace_id: &str,
        contact_id: &str,
        consent: &Consent,
        effect_id: Option<&str>,
    ) -> Result<bool, RecordError> {
        let contact = self.contact(workspace_id, contact_id).await?;
        let mut tx = self.begin().await?;
        if !first_time(&mut tx, workspace_id, effect_id, self.now()).await? {
            return Ok(false);
        }
        let before = consent_in(&mut tx, workspace_id, &contact.id, &consent.topic).await?;
        let changed = set_consent_in(&mut tx, workspace_id, &contact.id, consent).await?;
        if changed {
            let change = Change::new(workspace_id, "consent.changed", Target::new("contact", &*contact.id));
            let change = change.after(json!(consent));
            let change = before.into_iter().fold(change, |change, before| change.before(json!(before)));
            self.audit(&mut tx, change).await?;
        }
        tx.commit().await?;
        Ok(changed)
    }

    /// Everything a contact said, by topic.
    pub async fn consents(&self, workspace_id: &str, contact_id: &str) -> Result<Vec<Consent>, RecordError> {
        let contact = self.contact(workspace_id, contact_id).await?;
        let rows = self
            .db
            .query(
                "select * from contact_consents where workspace_id = $1 and contact_id = $2 order by topic",
            )
            .bind(workspace_id)
            .bind(&contact.id)
            .all()
            .await?;
        Ok(rows.iter().map(Consent::from_row).collect::<Result<_, _>>()?)
    }
}

async fn consent_in(
    tx: &mut Tx,
    workspace_id: &str,
    contact_id: &str,
    topic: &str,
) -> Result<Option<Consent>, RecordError> {
    let sql = "select * from contact_consents where workspace_id = $1 and contact_id = $2 and topic = $3";
    let row = tx.query(sql).bind(workspace_id).bind(contact_id).bind(topic).optional().await?;
    Ok(row.as_ref().map(Consent::from_row).transpose()?)
}

pub(crate) async fn set_consent_in(
    tx: &mut Tx,
    workspace_id: &str,
    contact_id: &str,
    consent: &Consent,
) -> Result<bool, RecordError> {
    let written = tx
        .query(
            "insert into contact_consents (workspace_id, contact_id, topic, granted, source, changed_at) \
             values ($1, $2, $3, $4, $5, $6) on conflict (workspace_id, contact_id, topic) do update set \
             granted = excluded.granted, source = excluded.source, changed_at = excluded.changed_at \
             where contact_consents.changed_at < excluded.changed_at",
        )
        .bind(workspace_id)
        .bind(contact_id)
        .bind(&consent.topic)
        .bind(consent.granted)
        .bind(&consent.source)
        .bind(consent.changed_at)
        .execute()
        .await?;
    Ok(written == 1)
}

/// Gives one contact's words to another; of two about one topic the later counts.
pub(crate) async fn move_consents_in(
    tx: &mut Tx,
    workspace_id: &str,
    from: &str,
    to: &str,
) -> Result<(), RecordError> {
    let rows = tx
        .query("select * from contact_consents where workspace_id = $1 and contact_id = $2")
        .bind(workspace_id)
        .bind(from)
        .all()
        .await?;
    for row in &rows {
        set_consent_in(tx, workspace_id, to, &Consent::from_row(row)?).await?;
    }
    tx.query("delete from contact_consents where workspace_id = $1 and contact_id = $2")
        .bind(workspace_id)
        .bind(from)
        .execute()
        .await?;
    Ok(())
}
