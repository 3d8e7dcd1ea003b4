//! Delivery statuses. They come repeatedly, in any order, and sometimes before the message they speak of.
//!
//! Both sides write first and look for the other afterwards: a status is stored and then searches its message, a
//! message is stored and then searches its statuses. Whichever comes second finds the first.

use serde_json::Value;
use sluice_db::{Arg, DbError, Row, Tx};

use super::{Delivery, Direction, Failure, Message, Pricing, by_effect_in, by_wamid_in};
use crate::ids::clean;
use crate::{RecordError, Records};

/// A status as the provider reported it.
#[derive(Debug, Clone)]
pub struct StatusRecord {
    pub workspace_id: String,
    pub phone_number_id: String,
    pub wamid: String,
    /// The provider's word; those we do not rank are kept and move nothing.
    pub status: String,
    pub happened_at: i64,
    /// What came back in `biz_opaque_callback_data`: our effect id.
    pub effect_id: Option<String>,
    /// Who it is about, in a group.
    pub participant: Option<String>,
    pub error: Option<Failure>,
    /// What the provider charges, where it says so. Settled when the status comes, not kept with it.
    pub pricing: Option<Pricing>,
    /// The stored body it came in.
    pub inbound_id: Option<String>,
}

/// What a status did.
#[derive(Debug, Clone)]
pub struct Applied {
    /// Not known before, or known from this very body.
    pub is_new: bool,
    /// It moved its message forward.
    pub changed: bool,
    /// The message it speaks of, as it is now; none when it is not on record (yet): then the status waits for it.
    pub message: Option<Message>,
}

impl Records {
    /// Stores a status, moves its message forward and settles what the message costs.
    pub async fn apply_status(&self, status: &StatusRecord) -> Result<Applied, RecordError> {
        let applied = self.move_by_status(status).await?;
        // Also when nothing was new: the process may have ended here the last time.
        self.charge_by_status(status, applied.message.as_ref()).await?;
        Ok(applied)
    }

    async fn move_by_status(&self, status: &StatusRecord) -> Result<Applied, RecordError> {
        let is_new = self.store_status(status).await?;
        let wamid = &status.wamid;
        let named = self.message_by_wamid(&status.workspace_id, &status.phone_number_id, wamid).await?;
        if let Some(message) = named {
            // Moving it is one statement; there is nothing else to be written with it.
            let moved = match moves_to(&message, status) {
                Some(to) => {
                    let arguments = raised(&message, to, status.happened_at, status.error.as_ref());
                    self.db.query(RAISE).bind_all(arguments).optional().await?
                }
                None => None,
            };
            let changed = moved.is_some();
            let message = moved.as_ref().map(Message::from_row).transpose()?.unwrap_or(message);
            return Ok(Applied { is_new, changed, message: Some(message) });
        }
        let mut tx = self.begin().await?;
        let message = find_message(&mut tx, status).await?;
        let Some(message) = message else {
            tx.rollback().await?;
            return Ok(Applied { is_new, changed: false, message: None });
        };
        let mut changed = adopt_wamid(&mut tx, &message, &clean(&status.wamid)).await?;
        if let Some(delivery) = moves_to(&message, status) {
            changed |= raise(&mut tx, &message, delivery, status.happened_at, status.error.as_ref()).await?;
        }
        let row = tx
            .query("select * from messages where workspace_id = $1 and id = $2")
            .bind(&message.workspace_id)
            .bind(&message.id)
            .one()
            .await?;
        tx.commit().await?;
        Ok(Applied { is_new, changed, message: Some(Message::from_row(&row)?) })
    }

    /// The status that got furthest of those that name an effect: evidence that the provider took its message, whether
    /// or not the message is on record.
    pub async fn status_by_effect(
        &self,
        workspace_id: &str,
        effect_id: &str,
    ) -> Result<Option<StatusRecord>, RecordError> {
        let rows = self
            .db
            .query("select * from message_statuses where workspace_id = $1 and effect_id = $2 order by created_at, status")
            .bind(workspace_id)
            .bind(effect_id)
            .all()
            .await?;
        let found = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
        Ok(found.into_iter().max_by_key(|status| Delivery::from_text(&status.status)))
    }

    async fn store_status(&self, status: &StatusRecord) -> Result<bool, RecordError> {
        let (wamid, word) = (clean(&status.wamid), clean(&status.status));
        if wamid.is_empty() || word.is_empty() {
            return Err(RecordError::invalid("id", "a status without message id or name cannot be recorded"));
        }
        let participant = clean(status.participant.as_deref().unwrap_or(""));
        let written = self
            .db
            .query(
                "insert into message_statuses (workspace_id, phone_number_id, wamid, participant, status, effect_id, \
                 inbound_id, error, happened_at, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                 on conflict do nothing",
            )
            .bind(&status.workspace_id)
            .bind(&status.phone_number_id)
            .bind(&wamid)
            .bind(&participant)
            .bind(&word)
            .bind(status.effect_id.as_deref().map(clean))
            .bind(status.inbound_id.as_deref())
            .bind(status.error.as_ref().map(error_text))
            .bind(status.happened_at)
            .bind(self.now())
            .execute()
            .await?;
        if written == 1 || status.inbound_id.is_none() {
            return Ok(written == 1);
        }
        let known = self
            .db
            .query(
                "select inbound_id from message_statuses where workspace_id = $1 and phone_number_id = $2 \
                 and wamid = $3 and participant = $4 and status = $5",
            )
            .bind(&status.workspace_id)
            .bind(&status.phone_number_id)
            .bind(&wamid)
            .bind(&participant)
            .bind(&word)
            .one()
            .await?;
        Ok(known.opt_text(0)? == status.inbound_id)
    }
}

async fn find_message(tx: &mut Tx, status: &StatusRecord) -> Result<Option<Message>, RecordError> {
    let wamid = clean(&status.wamid);
    if let Some(message) = by_wamid_in(tx, &status.workspace_id, &status.phone_number_id, &wamid).await? {
        return Ok(Some(message));
    }
    match &status.effect_id {
        Some(effect_id) => by_effect_in(tx, &status.workspace_id, &clean(effect_id)).await,
        None => Ok(None),
    }
}

/// Where this status leads its message. One participant's failure is not the failure of a group message.
fn moves_to(message: &Message, status: &StatusRecord) -> Option<Delivery> {
    let delivery = Delivery::from_text(&status.status).filter(|delivery| *delivery != Delivery::Received)?;
    let one_of_many = status.participant.is_some() && delivery == Delivery::Failed;
    (message.direction == Direction::Out && !one_of_many).then_some(delivery)
}

/// A status may name the provider's id before the answer to our call did.
async fn adopt_wamid(tx: &mut Tx, message: &Message, wamid: &str) -> Result<bool, RecordError> {
    if message.wamid.is_some() {
        return Ok(false);
    }
    let changed = tx
        .query("update messages set wamid = $3 where workspace_id = $1 and id = $2 and wamid is null")
        .bind(&message.workspace_id)
        .bind(&message.id)
        .bind(wamid)
        .execute()
        .await?;
    Ok(changed == 1)
}

/// Moves a message forward, never back. One statement, so that any number of writers in any order end up the same.
const RAISE: &str = "update messages set status = $3, status_rank = $4, status_at = $5, error = $6 \
     where workspace_id = $1 and id = $2 and status_rank < $4 returning *";

/// The arguments of [`RAISE`].
fn raised(message: &Message, delivery: Delivery, at: i64, error: Option<&Failure>) -> [Arg; 6] {
    [
        Arg::from(&message.workspace_id),
        Arg::from(&message.id),
        Arg::from(delivery.as_text()),
        Arg::from(delivery.rank()),
        Arg::from(at),
        Arg::from(error.filter(|_| delivery == Delivery::Failed).map(error_text)),
    ]
}

/// [`RAISE`] as a part of something greater; whether it changed anything.
pub(super) async fn raise(
    tx: &mut Tx,
    message: &Message,
    delivery: Delivery,
    at: i64,
    error: Option<&Failure>,
) -> Result<bool, RecordError> {
    let arguments = raised(message, delivery, at, error);
    Ok(tx.query(RAISE).bind_all(arguments).optional().await?.is_some())
}

/// Applies the statuses that came before their message did.
pub(super) async fn apply_waiting(tx: &mut Tx, message: &Message) -> Result<(), RecordError> {
    let rows = tx
        .query(
            "select * from message_statuses where workspace_id = $1 and ((phone_number_id = $2 and wamid = $3) \
             or effect_id = $4) order by created_at, status",
        )
        .bind(&message.workspace_id)
        .bind(&message.phone_number_id)
        .bind(message.wamid.as_deref())
        .bind(message.effect_id.as_deref())
        .all()
        .await?;
    for row in &rows {
        let status = from_row(row)?;
        adopt_wamid(tx, message, &status.wamid).await?;
        if let Some(delivery) = moves_to(message, &status) {
            raise(tx, message, delivery, status.happened_at, status.error.as_ref()).await?;
        }
    }
    Ok(())
}

fn from_row(row: &Row) -> Result<StatusRecord, DbError> {
    let error = row.opt_json("error")?.map(serde_json::from_value).transpose();
    Ok(StatusRecord {
        workspace_id: row.text("workspace_id")?,
        phone_number_id: row.text("phone_number_id")?,
        wamid: row.text("wamid")?,
        status: row.text("status")?,
        happened_at: row.int("happened_at")?,
        effect_id: row.opt_text("effect_id")?,
        participant: Some(row.text("participant")?).filter(|participant| !participant.is_empty()),
        error: error.map_err(|_| DbError::Corrupt { message: "a status error is not understood".into() })?,
        pricing: None,
        inbound_id: row.opt_text("inbound_id")?,
    })
}

pub(super) fn error_text(error: &Failure) -> String {
    // Through `Value`, because writing a struct could fail in principle and a value cannot.
    let mut fields = serde_json::Map::new();
    fields.insert("code".into(), error.code.into());
    fields.insert("title".into(), error.title.as_str().into());
    if let Some(details) = &error.details {
        fields.insert("details".into(), details.as_str().into());
    }
    Value::Object(fields).to_string()
}
