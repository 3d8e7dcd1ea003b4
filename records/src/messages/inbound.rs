//! Messages from customers (and, with coexistence, those the business typed on its own phone).

use serde_json::Value;
use sluice_db::Tx;

use super::{Delivery, Direction, Message, by_wamid_in};
use crate::contacts::{contact_in, resolve_in};
use crate::conversations::{Touch, conversation_in, open_in, touch_in};
use crate::ids::clean;
use crate::{Contact, Conversation, Identity, RecordError, Records, new_id};

/// What came in.
#[derive(Debug, Clone)]
pub struct InboundRecord {
    pub workspace_id: String,
    pub phone_number_id: String,
    /// `Out` for a message that the business sent from its own app.
    pub direction: Direction,
    pub wamid: String,
    /// The provider's type.
    pub kind: String,
    pub content: Value,
    /// The provider's time.
    pub happened_at: i64,
    /// Who the other side is; at least one.
    pub identities: Vec<Identity>,
    pub profile_name: Option<String>,
    pub group_id: Option<String>,
    pub referral: Option<Value>,
    /// The stored body it came in.
    pub inbound_id: Option<String>,
    /// Whether it counts as unread and opens the 24 hour window: true for what a customer says, false for reactions,
    /// edits and notices of the provider.
    pub speaks: bool,
    /// Whether it opens the window although it says nothing (a first chat being opened).
    pub opens_window: bool,
    /// How far it got, for outgoing ones; inbound ones are `Received`.
    pub status: Delivery,
}

/// What is on record now.
#[derive(Debug, Clone)]
pub struct RecordedInbound {
    pub message: Message,
    pub contact: Contact,
    pub conversation: Conversation,
    /// True when it was not known before, or is known from this very body: a body whose handling was cut short is
    /// handled again and must not lose its messages.
    pub is_new: bool,
    /// True when it is the first inbound message of its conversation.
    pub is_first: bool,
}

impl Records {
    /// Records a message once, however often it comes. Finds or makes contact and conversation.
    ///
    /// # Errors
    /// `Invalid` without identity or id, `NotFound` for the workspace.
    pub async fn record_inbound(&self, inbound: &InboundRecord) -> Result<RecordedInbound, RecordError> {
        let wamid = clean(&inbound.wamid);
        if wamid.is_empty() {
            return Err(RecordError::invalid("id", "a message without an id cannot be recorded"));
        }
        let now = self.now();
        let mut tx = self.begin().await?;
        let workspace_id = &inbound.workspace_id;
        let name = inbound.profile_name.as_deref();
        // Known messages first: their sender may have another number by now, and the old one is not to come back.
        if let Some(known) = by_wamid_in(&mut tx, workspace_id, &inbound.phone_number_id, &wamid).await? {
            return known_already(tx, inbound, known).await;
        }
        let resolved =
            resolve_in(&mut tx, &self.marker(), workspace_id, &inbound.identities, name, now).await?;
        let contact = contact_in(&mut tx, workspace_id, &resolved.contact_id).await?;
        let before = open_in(
            &mut tx,
            workspace_id,
            &inbound.phone_number_id,
            &contact.id,
            &clean(inbound.group_id.as_deref().unwrap_or("")),
            now,
        )
        .await?;
        let Some(message) = insert(&mut tx, inbound, &wamid, &before, now).await? else {
            // Somebody else recorded it at this very moment.
            let known = by_wamid_in(&mut tx, workspace_id, &inbound.phone_number_id, &wamid).await?;
            let known = known.ok_or_else(|| RecordError::not_found("message", &wamid))?;
            return known_already(tx, inbound, known).await;
        };
        let is_in = inbound.direction == Direction::In;
        let touch = Touch {
            happened_at: inbound.happened_at,
            inbound: is_in,
            counts_unread: is_in && inbound.speaks,
            opens_window: is_in && (inbound.speaks || inbound.opens_window),
            referral: inbound.referral.as_ref(),
        };
        let conversation = touch_in(&mut tx, workspace_id, &before.id, &touch).await?;
        tx.commit().await?;
        let is_first = is_in && before.last_inbound_at.is_none();
        Ok(RecordedInbound { message, contact, conversation, is_new: true, is_first })
    }

    /// Replaces the content of a known message, and its type where one is given: the customer edited or deleted it,
    /// or its media came later. False when it is not known.
    pub async fn amend_message(
        &self,
        workspace_id: &str,
        phone_number_id: &str,
        wamid: &str,
        kind: Option<&str>,
        content: &Value,
    ) -> Result<bool, RecordError> {
        let changed = self
            .db
            .query(
                "update messages set content = $4, type = coalesce($5, type) \
                 where workspace_id = $1 and phone_number_id = $2 and wamid = $3",
            )
            .bind(workspace_id)
            .bind(phone_number_id)
            .bind(clean(wamid))
            .bind(content.to_string())
            .bind(kind.map(clean))
            .execute()
            .await?;
        Ok(changed == 1)
    }
}

/// What is on record of a message that was recorded before.
async fn known_already(
    mut tx: Tx,
    inbound: &InboundRecord,
    message: Message,
) -> Result<RecordedInbound, RecordError> {
    let workspace_id = &inbound.workspace_id;
    let contact = contact_in(&mut tx, workspace_id, &message.contact_id).await?;
    let conversation = conversation_in(&mut tx, workspace_id, &message.conversation_id).await?;
    let is_new = came_with(&mut tx, &message, inbound.inbound_id.as_deref()).await?;
    let is_first = inbound.direction == Direction::In && is_first(&mut tx, &message).await?;
    tx.commit().await?;
    Ok(RecordedInbound { message, contact, conversation, is_new, is_first })
}

/// Writes the message; none when it is on record already.
async fn insert(
    tx: &mut Tx,
    inbound: &InboundRecord,
    wamid: &str,
    conversation: &Conversation,
    now: i64,
) -> Result<Option<Message>, RecordError> {
    let written = tx
        .query(
            "insert into messages (workspace_id, id, conversation_id, contact_id, phone_number_id, direction, type, \
             content, wamid, inbound_id, status, status_rank, status_at, happened_at, created_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14) on conflict do nothing \
             returning *",
        )
        .bind(&inbound.workspace_id)
        .bind(new_id("msg"))
        .bind(&conversation.id)
        .bind(&conversation.contact_id)
        .bind(&inbound.phone_number_id)
        .bind(if inbound.direction == Direction::In { "in" } else { "out" })
        .bind(clean(&inbound.kind))
        .bind(inbound.content.to_string())
        .bind(wamid)
        .bind(inbound.inbound_id.as_deref())
        .bind(inbound.status.as_text())
        .bind(inbound.status.rank())
        .bind(inbound.happened_at)
        .bind(now)
        .optional()
        .await?;
    Ok(written.as_ref().map(Message::from_row).transpose()?)
}

async fn came_with(tx: &mut Tx, message: &Message, inbound_id: Option<&str>) -> Result<bool, RecordError> {
    let Some(inbound_id) = inbound_id else { return Ok(false) };
    let row = tx
        .query("select 1 as yes from messages where workspace_id = $1 and id = $2 and inbound_id = $3")
        .bind(&message.workspace_id)
        .bind(&message.id)
        .bind(inbound_id)
        .optional()
        .await?;
    Ok(row.is_some())
}

async fn is_first(tx: &mut Tx, message: &Message) -> Result<bool, RecordError> {
    let other = tx
        .query(
            "select 1 as yes from messages where workspace_id = $1 and conversation_id = $2 and direction = 'in' \
             and id <> $3 limit 1",
        )
        .bind(&message.workspace_id)
        .bind(&message.conversation_id)
        .bind(&message.id)
        .optional()
        .await?;
    Ok(other.is_none())
}
