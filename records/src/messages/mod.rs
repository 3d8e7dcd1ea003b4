//! Messages in and out. A message is recognised by the provider's id (`wamid`) or, for ours, by the effect that sent
//! it; its delivery status only moves forward.

mod charges;
mod inbound;
mod outbound;
mod status;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_db::{DbError, Row, Tx};

pub use charges::Pricing;
pub use inbound::{InboundRecord, RecordedInbound};
pub use outbound::OutboundMessage;
pub use status::{Applied, StatusRecord};

use crate::page::{Cursor, page, page_size};
use crate::{Page, RecordError, Records};

/// Who wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    In,
    Out,
}

/// How far a message got. The order is the order of the variants; nothing ever moves back, and `Failed` is the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Announced, not yet taken by the provider.
    Pending,
    /// The provider took it (the send call answered).
    Accepted,
    Sent,
    Delivered,
    Read,
    /// A voice message was listened to.
    Played,
    Failed,
    /// For inbound messages, which have no delivery of their own.
    Received,
}

impl Delivery {
    const NAMES: [(Delivery, &'static str); 8] = [
        (Delivery::Pending, "pending"),
        (Delivery::Accepted, "accepted"),
        (Delivery::Sent, "sent"),
        (Delivery::Delivered, "delivered"),
        (Delivery::Read, "read"),
        (Delivery::Played, "played"),
        (Delivery::Failed, "failed"),
        (Delivery::Received, "received"),
    ];

    /// As stored and as WhatsApp writes it.
    pub fn as_text(self) -> &'static str {
        Self::NAMES[self as usize].1
    }

    /// None for states we do not rank (`deleted`, `warning`, payment states): they are kept but move nothing.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, name)| *name == text).map(|(delivery, _)| *delivery)
    }

    fn rank(self) -> i64 {
        self as i64
    }
}

/// Why a message failed, in the provider's words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The provider's number, for example 131047; 0 when there is none.
    pub code: i64,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

/// A stored message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    pub id: String,
    pub workspace_id: String,
    pub conversation_id: String,
    pub contact_id: String,
    pub phone_number_id: String,
    pub direction: Direction,
    /// The provider's type: `text`, `image`, `interactive`, `template`, …
    #[serde(rename = "type")]
    pub kind: String,
    pub content: Value,
    pub wamid: Option<String>,
    /// The effect that sent it.
    pub effect_id: Option<String>,
    pub status: Delivery,
    pub status_at: i64,
    pub error: Option<Failure>,
    /// The provider's time for inbound messages, ours for outbound ones.
    pub happened_at: i64,
    pub created_at: i64,
}

impl Message {
    pub(crate) fn from_row(row: &Row) -> Result<Self, DbError> {
        let corrupt =
            |what: &str| DbError::Corrupt { message: format!("a message's {what} is not understood") };
        let status = row.text("status")?;
        let error = row.opt_json("error")?;
        Ok(Self {
            id: row.text("id")?,
            workspace_id: row.text("workspace_id")?,
            conversation_id: row.text("conversation_id")?,
            contact_id: row.text("contact_id")?,
            phone_number_id: row.text("phone_number_id")?,
            direction: match row.text("direction")?.as_str() {
                "in" => Direction::In,
                "out" => Direction::Out,
                _ => return Err(corrupt("direction")),
            },
            kind: row.text("type")?,
            content: row.json("content")?,
            wamid: row.opt_text("wamid")?,
            effect_id: row.opt_text("effect_id")?,
            status: Delivery::from_text(&status).ok_or_else(|| corrupt("status"))?,
            status_at: row.int("status_at")?,
            error: error.map(serde_json::from_value).transpose().map_err(|_| corrupt("error"))?,
            happened_at: row.int("happened_at")?,
            created_at: row.int("created_at")?,
        })
    }
}

impl Records {
    /// A message by our id.
    pub async fn message(&self, workspace_id: &str, id: &str) -> Result<Message, RecordError> {
        let query = self.db.query("select * from messages where workspace_id = $1 and id = $2");
        match query.bind(workspace_id).bind(id).optional().await? {
            Some(row) => Ok(Message::from_row(&row)?),
            None => Err(RecordError::not_found("message", id)),
        }
    }

    /// The message with this provider's id, if it is on record.
    pub async fn message_by_wamid(
        &self,
        workspace_id: &str,
        phone_number_id: &str,
        wamid: &str,
    ) -> Result<Option<Message>, RecordError> {
        let row = self
            .db
            .query("select * from messages where workspace_id = $1 and phone_number_id = $2 and wamid = $3")
            .bind(workspace_id)
            .bind(phone_number_id)
            .bind(crate::ids::clean(wamid))
            .optional()
            .await?;
        Ok(row.as_ref().map(Message::from_row).transpose()?)
    }

    /// The message an effect sent, if it is on record: the evidence that settles an unknown outcome. A `status` of
    /// `Pending` says that nobody knows yet.
    pub async fn message_by_effect(
        &self,
        workspace_id: &str,
        effect_id: &str,
    ) -> Result<Option<Message>, RecordError> {
        let query = self.db.query("select * from messages where workspace_id = $1 and effect_id = $2");
        let row = query.bind(workspace_id).bind(effect_id).optional().await?;
        Ok(row.as_ref().map(Message::from_row).transpose()?)
    }

    /// The messages of a conversation, newest first; a cursor leads to older ones.
    pub async fn list_messages(
        &self,
        workspace_id: &str,
        conversation_id: &str,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Page<Message>, RecordError> {
        let conversation = self.conversation(workspace_id, conversation_id).await?;
        let (from, size) = (Cursor::read(before)?, page_size(limit));
        let rows = self
            .db
            .query(
                "select * from messages where workspace_id = $1 and conversation_id = $2 \
                 and (happened_at < $3 or (happened_at = $3 and id < $4)) order by happened_at desc, id desc limit $5",
            )
            .bind(workspace_id)
            .bind(&conversation.id)
            .bind(from.at)
            .bind(&from.id)
            .bind(size + 1)
            .all()
            .await?;
        let all = rows.iter().map(Message::from_row).collect::<Result<_, _>>()?;
        Ok(page(all, size, |one: &Message| Cursor { at: one.happened_at, id: one.id.clone() }))
    }
}

/// The message with this provider's id, inside a transaction.
pub(crate) async fn by_wamid_in(
    tx: &mut Tx,
    workspace_id: &str,
    phone_number_id: &str,
    wamid: &str,
) -> Result<Option<Message>, RecordError> {
    let row = tx
        .query("select * from messages where workspace_id = $1 and phone_number_id = $2 and wamid = $3")
        .bind(workspace_id)
        .bind(phone_number_id)
        .bind(wamid)
        .optional()
        .await?;
    Ok(row.as_ref().map(Message::from_row).transpose()?)
}

/// The message an effect sent, inside a transaction.
pub(crate) async fn by_effect_in(
    tx: &mut Tx,
    workspace_id: &str,
    effect_id: &str,
) -> Result<Option<Message>, RecordError> {
    let row = tx
        .query("select * from messages where workspace_id = $1 and effect_id = $2")
        .bind(workspace_id)
        .bind(effect_id)
        .optional()
        .await?;
    Ok(row.as_ref().map(Message::from_row).transpose()?)
}
