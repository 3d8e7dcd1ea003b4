//! Conversations: one open thread per number, contact and group, with the 24 hour window and the unread count.

use serde::Serialize;
use serde_json::{Value, json};
use sluice_db::{DbError, Row, Tx};

use crate::audit::{Change, Target};
use crate::page::{Cursor, page, page_size};
use crate::{Page, RecordError, Records, new_id};

/// How long after a customer's last message free-form messages may be sent: 24 hours
/// (<https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages#customer-service-windows>).
pub const WINDOW_MS: i64 = 24 * 60 * 60 * 1000;

/// A thread between one of our numbers and a contact. Messages of a group are kept apart, one thread per participant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conversation {
    pub id: String,
    pub workspace_id: String,
    pub phone_number_id: String,
    pub contact_id: String,
    /// None between two.
    pub group_id: Option<String>,
    /// `open` or `closed`.
    pub status: String,
    /// Customer messages since somebody last looked.
    pub unread: i64,
    pub last_inbound_at: Option<i64>,
    pub last_message_at: i64,
    /// Until when free-form messages may be sent; none when the customer never wrote.
    pub window_expires_at: Option<i64>,
    /// The advertisement or post that led here, the first one.
    pub referral: Option<Value>,
    pub created_at: i64,
}

/// The lane in which everything about a conversation is handled, one run at a time.
pub fn lane(conversation_id: &str) -> String {
    conversation_id.to_owned()
}

impl Conversation {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.text("id")?,
            workspace_id: row.text("workspace_id")?,
            phone_number_id: row.text("phone_number_id")?,
            contact_id: row.text("contact_id")?,
            group_id: Some(row.text("group_id")?).filter(|id| !id.is_empty()),
            status: row.text("status")?,
            unread: row.int("unread")?,
            last_inbound_at: row.opt_int("last_inbound_at")?,
            last_message_at: row.int("last_message_at")?,
            window_expires_at: row.opt_int("window_expires_at")?,
            referral: row.opt_json("referral")?,
            created_at: row.int("created_at")?,
        })
    }
}

/// Selects a conversation, following it to the one it was merged into.
const BY_ID: &str = "select * from conversations where workspace_id = $1 and id = (select coalesce(merged_into, id) \
     from conversations where workspace_id = $1 and id = $2)";

impl Records {
    /// A conversation by id. The id of a merged one leads to the one that took its messages.
    pub async fn conversation(&self, workspace_id: &str, id: &str) -> Result<Conversation, RecordError> {
        match self.db.query(BY_ID).bind(workspace_id).bind(id).optional().await? {
            Some(row) => Ok(Conversation::from_row(&row)?),
            None => Err(RecordError::not_found("conversation", id)),
        }
    }

    /// The open conversation between a number and a contact, opened when there is none.
    ///
    /// # Errors
    /// `NotFound` for the contact or a number that this workspace has not connected.
    pub async fn open_conversation(
        &self,
        workspace_id: &str,
        phone_number_id: &str,
        contact_id: &str,
    ) -> Result<Conversation, RecordError> {
        self.number(workspace_id, phone_number_id).await?;
        let mut tx = self.begin().await?;
        let contact = crate::contacts::contact_in(&mut tx, workspace_id, contact_id).await?;
        let conversation =
            open_in(&mut tx, workspace_id, phone_number_id, &contact.id, "", self.now()).await?;
        tx.commit().await?;
        Ok(conversation)
    }

    /// Conversations, the one with the latest message first. `status` is `open` or `closed`.
    pub async fn list_conversations(
        &self,
        workspace_id: &str,
        status: Option<&str>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Conversation>, RecordError> {
        let (from, size) = (Cursor::read(cursor)?, page_size(limit));
        let rows = self
            .db
            .query(
                "select * from conversations where workspace_id = $1 and merged_into is null \
                 and (last_message_at < $2 or (last_message_at = $2 and id < $3)) and ($4 is null or status = $4) \
                 order by last_message_at desc, id desc limit $5",
            )
            .bind(workspace_id)
            .bind(from.at)
            .bind(&from.id)
            .bind(status)
            .bind(size + 1)
            .all()
            .await?;
        let all = rows.iter().map(Conversation::from_row).collect::<Result<_, _>>()?;
        Ok(page(all, size, |one: &Conversation| Cursor { at: one.last_message_at, id: one.id.clone() }))
    }

    /// Somebody looked: nothing is unread.
    pub async fn mark_conversation_read(&self, workspace_id: &str, id: &str) -> Result<(), RecordError> {
        let conversation = self.conversation(workspace_id, id).await?;
        self.db
            .query("update conversations set unread = 0 where workspace_id = $1 and id = $2")
            .bind(workspace_id)
            .bind(&conversation.id)
            .execute()
            .await?;
        Ok(())
    }

    /// Ends a conversation; the customer's next message opens another.
    pub async fn close_conversation(&self, workspace_id: &str, id: &str) -> Result<(), RecordError> {
        let mut tx = self.begin().await?;
        let conversation = conversation_in(&mut tx, workspace_id, id).await?;
        let closed = tx
            .query(
                "update conversations set status = 'closed' where workspace_id = $1 and id = $2 \
                 and status <> 'closed'",
            )
            .bind(workspace_id)
            .bind(&conversation.id)
            .execute()
            .await?;
        if closed == 1 {
            let target = Target::new("conversation", &*conversation.id);
            let change = Change::new(workspace_id, "conversation.closed", target)
                .between(json!({ "status": conversation.status }), json!({ "status": "closed" }));
            self.audit(&mut tx, change).await?;
        }
        Ok(tx.commit().await?)
    }
}

pub(crate) async fn conversation_in(
    tx: &mut Tx,
    workspace_id: &str,
    id: &str,
) -> Result<Conversation, RecordError> {
    match tx.query(BY_ID).bind(workspace_id).bind(id).optional().await? {
        Some(row) => Ok(Conversation::from_row(&row)?),
        None => Err(RecordError::not_found("conversation", id)),
    }
}

/// The open conversation, made when missing, locked. An empty `group_id` means between two.
pub(crate) async fn open_in(
    tx: &mut Tx,
    workspace_id: &str,
    phone_number_id: &str,
    contact_id: &str,
    group_id: &str,
    now: i64,
) -> Result<Conversation, RecordError> {
    let find = format!(
        "select * from conversations where workspace_id = $1 and phone_number_id = $2 and contact_id = $3 \
         and group_id = $4 and status = 'open'{}",
        tx.dialect().for_update()
    );
    let found = tx
        .query(find.clone())
        .bind(workspace_id)
        .bind(phone_number_id)
        .bind(contact_id)
        .bind(group_id)
        .optional()
        .await?;
    if let Some(row) = found {
        return Ok(Conversation::from_row(&row)?);
    }
    // Somebody else may open it at this very moment: then ours does nothing and theirs is found.
    tx.query(
        "insert into conversations (workspace_id, id, phone_number_id, contact_id, group_id, status, unread, \
         last_message_at, created_at) values ($1, $2, $3, $4, $5, 'open', 0, $6, $6) on conflict do nothing",
    )
    .bind(workspace_id)
    .bind(new_id("cnv"))
    .bind(phone_number_id)
    .bind(contact_id)
    .bind(group_id)
    .bind(now)
    .execute()
    .await?;
    let row =
        tx.query(find).bind(workspace_id).bind(phone_number_id).bind(contact_id).bind(group_id).one().await?;
    Ok(Conversation::from_row(&row)?)
}

/// What a message does to its conversation. Every part only moves forward, so that messages may come in any order.
pub(crate) struct Touch<'a> {
    pub(crate) happened_at: i64,
    pub(crate) inbound: bool,
    pub(crate) counts_unread: bool,
    pub(crate) opens_window: bool,
    pub(crate) referral: Option<&'a Value>,
}

pub(crate) async fn touch_in(
    tx: &mut Tx,
    workspace_id: &str,
    id: &str,
    touch: &Touch<'_>,
) -> Result<Conversation, RecordError> {
    let greatest = tx.dialect().greatest();
    let sql = format!(
        "update conversations set last_message_at = {greatest}(last_message_at, $3), unread = unread + $4, \
         last_inbound_at = case when $5 then {greatest}(coalesce(last_inbound_at, $3), $3) else last_inbound_at end, \
         window_expires_at = case when $6 then {greatest}(coalesce(window_expires_at, $7), $7) \
         else window_expires_at end, referral = coalesce(referral, $8) where workspace_id = $1 and id = $2 returning *"
    );
    let row = tx
        .query(sql)
        .bind(workspace_id)
        .bind(id)
        .bind(touch.happened_at)
        .bind(i64::from(touch.counts_unread))
        .bind(touch.inbound)
        .bind(touch.opens_window)
        .bind(touch.happened_at.saturating_add(WINDOW_MS))
        .bind(touch.referral.map(Value::to_string))
        .one()
        .await?;
    Ok(Conversation::from_row(&row)?)
}

/// Gives the conversations of one contact to another. Where both have an open one with the same number, the messages
/// of the mover's go over and its id leads to the other.
pub(crate) async fn move_conversations_in(
    tx: &mut Tx,
    workspace_id: &str,
    from: &str,
    to: &str,
) -> Result<(), RecordError> {
    let rows = tx
        .query(
            "select * from conversations where workspace_id = $1 and contact_id = $2 and merged_into is null",
        )
        .bind(workspace_id)
        .bind(from)
        .all()
        .await?;
    for row in &rows {
        let moved = Conversation::from_row(row)?;
        if moved.status == "open" {
            let kept = tx
                .query(
                    "select * from conversations where workspace_id = $1 and phone_number_id = $2 \
                     and contact_id = $3 and group_id = $4 and status = 'open'",
                )
                .bind(workspace_id)
                .bind(&moved.phone_number_id)
                .bind(to)
                .bind(moved.group_id.as_deref().unwrap_or(""))
                .optional()
                .await?;
            if let Some(kept) = kept {
                unite(tx, &Conversation::from_row(&kept)?, &moved).await?;
            }
        }
    }
    tx.query("update conversations set contact_id = $3 where workspace_id = $1 and contact_id = $2")
        .bind(workspace_id)
        .bind(from)
        .bind(to)
        .execute()
        .await?;
    Ok(())
}

async fn unite(tx: &mut Tx, kept: &Conversation, moved: &Conversation) -> Result<(), RecordError> {
    for sql in [
        "update messages set conversation_id = $3 where workspace_id = $1 and conversation_id = $2",
        "update conversations set merged_into = $3 where workspace_id = $1 and merged_into = $2",
        "update conversations set merged_into = $3, status = 'closed', unread = 0 where workspace_id = $1 and id = $2",
    ] {
        tx.query(sql).bind(&kept.workspace_id).bind(&moved.id).bind(&kept.id).execute().await?;
    }
    let first_referral = match (&kept.referral, &moved.referral) {
        (Some(ours), Some(theirs)) if moved.created_at < kept.created_at => Some(theirs).or(Some(ours)),
        (ours, theirs) => ours.as_ref().or(theirs.as_ref()),
    };
    tx.query(
        "update conversations set unread = unread + $3, last_inbound_at = $4, last_message_at = $5, \
         window_expires_at = $6, referral = $7 where workspace_id = $1 and id = $2",
    )
    .bind(&kept.workspace_id)
    .bind(&kept.id)
    .bind(moved.unread)
    .bind(kept.last_inbound_at.max(moved.last_inbound_at))
    .bind(kept.last_message_at.max(moved.last_message_at))
    .bind(kept.window_expires_at.max(moved.window_expires_at))
    .bind(first_referral.map(Value::to_string))
    .execute()
    .await?;
    Ok(())
}
