//! Messages we send: announced before the call, accepted or failed after it, once per effect.

use serde_json::Value;
use sluice_db::Tx;

use super::status::{apply_waiting, raise};
use super::{Delivery, Failure, Message, by_effect_in};
use crate::contacts::contact_in;
use crate::conversations::{Touch, open_in, touch_in};
use crate::ids::clean;
use crate::{RecordError, Records, new_id};

/// A message on its way to a contact.
#[derive(Debug, Clone)]
pub struct OutboundMessage {
    pub workspace_id: String,
    pub phone_number_id: String,
    pub contact_id: String,
    /// The effect that sends it; sent along as `biz_opaque_callback_data`, so that its status can be matched.
    pub effect_id: String,
    /// The provider's type: `text`, `template`, `image`, `interactive`, …
    pub kind: String,
    pub content: Value,
}

impl Records {
    /// Puts a message on record before the call that sends it. Repeating it changes nothing.
    ///
    /// # Errors
    /// `NotFound` for the contact.
    pub async fn record_outbound_pending(&self, message: &OutboundMessage) -> Result<Message, RecordError> {
        let mut tx = self.begin().await?;
        let message = put(&mut tx, message, self.now()).await?;
        tx.commit().await?;
        Ok(message)
    }

    /// The provider took the message and named it `wamid`. Works with or without a pending record; repeating it
    /// changes nothing. Statuses that came earlier are applied.
    pub async fn record_outbound_accepted(
        &self,
        message: &OutboundMessage,
        wamid: &str,
    ) -> Result<Message, RecordError> {
        let now = self.now();
        let mut tx = self.begin().await?;
        let stored = put(&mut tx, message, now).await?;
        if stored.wamid.is_none() {
            // Without a name from the provider a failure was only a refused call; a later attempt got through.
            let sql = "update messages set wamid = $3, status = $4, status_rank = $5, status_at = $6, error = null \
                 where workspace_id = $1 and id = $2 and wamid is null";
            let named = tx.query(sql).bind(&stored.workspace_id).bind(&stored.id).bind(clean(wamid));
            let accepted = named.bind(Delivery::Accepted.as_text()).bind(Delivery::Accepted.rank()).bind(now);
            accepted.execute().await?;
        } else {
            raise(&mut tx, &stored, Delivery::Accepted, now, None).await?;
        }
        tx.commit().await?;
        self.settle_early_statuses(&stored).await
    }

    /// The call was refused, or the message could not be sent at all.
    pub async fn record_outbound_failed(
        &self,
        message: &OutboundMessage,
        failure: &Failure,
    ) -> Result<Message, RecordError> {
        let now = self.now();
        let mut tx = self.begin().await?;
        let stored = put(&mut tx, message, now).await?;
        raise(&mut tx, &stored, Delivery::Failed, now, Some(failure)).await?;
        tx.commit().await?;
        self.message(&stored.workspace_id, &stored.id).await
    }

    /// In a transaction of its own: see the head of `status.rs`.
    async fn settle_early_statuses(&self, message: &Message) -> Result<Message, RecordError> {
        let current = self.message(&message.workspace_id, &message.id).await?;
        let mut tx = self.begin().await?;
        apply_waiting(&mut tx, &current).await?;
        tx.commit().await?;
        self.message(&message.workspace_id, &message.id).await
    }
}

/// The record of this effect's message, made when missing.
async fn put(tx: &mut Tx, message: &OutboundMessage, now: i64) -> Result<Message, RecordError> {
    let workspace_id = &message.workspace_id;
    if let Some(known) = by_effect_in(tx, workspace_id, &message.effect_id).await? {
        return Ok(known);
    }
    let contact = contact_in(tx, workspace_id, &message.contact_id).await?;
    let conversation = open_in(tx, workspace_id, &message.phone_number_id, &contact.id, "", now).await?;
    let written = tx
        .query(
            "insert into messages (workspace_id, id, conversation_id, contact_id, phone_number_id, direction, type, \
             content, effect_id, status, status_rank, status_at, happened_at, created_at) \
             values ($1, $2, $3, $4, $5, 'out', $6, $7, $8, $9, $10, $11, $11, $11) on conflict do nothing",
        )
        .bind(workspace_id)
        .bind(new_id("msg"))
        .bind(&conversation.id)
        .bind(&contact.id)
        .bind(&message.phone_number_id)
        .bind(clean(&message.kind))
        .bind(message.content.to_string())
        .bind(&message.effect_id)
        .bind(Delivery::Pending.as_text())
        .bind(Delivery::Pending.rank())
        .bind(now)
        .execute()
        .await?;
    if written == 1 {
        let touch = Touch {
            happened_at: now,
            inbound: false,
            counts_unread: false,
            opens_window: false,
            referral: None,
        };
        touch_in(tx, workspace_id, &conversation.id, &touch).await?;
    }
    by_effect_in(tx, workspace_id, &message.effect_id)
        .await?
        .ok_or_else(|| RecordError::not_found("message", &message.effect_id))
}
