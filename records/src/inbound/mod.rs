//! Every provider body that was acknowledged: stored before the answer, handled afterwards, kept to be shown and
//! replayed.

mod handling;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};
use sluice_db::{DbError, Row, placeholders};

use crate::erasure::ERASED;
use crate::ids::clean;
use crate::page::{Cursor, page, page_size};
use crate::vault::hex;
use crate::{Page, RecordError, Records, new_id};

pub use handling::{HandledInbound, TakenInbound};

/// Where a body stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InboundStatus {
    /// Stored, not handled yet.
    Received,
    Processed,
    /// Nothing in it concerns a connected number.
    Ignored,
    /// It cannot be read.
    Quarantined,
    /// Everything in it was known.
    Duplicate,
}

impl InboundStatus {
    const ALL: [(InboundStatus, &'static str); 5] = [
        (InboundStatus::Received, "received"),
        (InboundStatus::Processed, "processed"),
        (InboundStatus::Ignored, "ignored"),
        (InboundStatus::Quarantined, "quarantined"),
        (InboundStatus::Duplicate, "duplicate"),
    ];

    /// As stored and shown.
    pub fn as_text(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The other way.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(status, _)| *status)
    }
}

/// A stored body.
#[derive(Debug, Clone, PartialEq)]
pub struct InboundBody {
    pub id: String,
    /// Who sent it: `whatsapp`, …
    pub source: String,
    pub received_at: i64,
    pub status: InboundStatus,
    /// The exact bytes. None for a workspace when the body also concerns another one: whoever sees a part of it must
    /// not see the rest.
    pub raw: Option<Vec<u8>>,
    pub sha256: String,
    /// What was found in it, as the API shows it: an array. For a workspace, its own part.
    pub changes: Value,
    /// The runs it started or woke. For a workspace, its own.
    pub runs: Vec<String>,
    pub duplicate_of: Option<String>,
    /// Why it was ignored or quarantined, or what went wrong with a part of it.
    pub note: Option<String>,
}

/// What `store_inbound` did.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredInbound {
    pub id: String,
    /// The earlier body with exactly these bytes; then there is nothing to handle.
    pub duplicate_of: Option<String>,
}

/// The part of a body that concerns one workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct InboundShare {
    pub workspace_id: String,
    /// An array, like `InboundBody::changes`.
    pub changes: Value,
}

/// Which bodies to list.
#[derive(Debug, Clone, Default)]
pub struct InboundFilter {
    /// None: all, for platform keys.
    pub workspace_id: Option<String>,
    pub source: Option<String>,
    pub status: Option<InboundStatus>,
}

/// A body being handled belongs to its process for this long; then another one may take it over.
const CLAIM_MS: i64 = 10_000;

impl Records {
    /// Stores a body. Call it before acknowledging; after it returned, the body cannot be lost.
    ///
    /// A body with exactly the bytes of an earlier one that was or will be handled is stored as `duplicate`. (One that
    /// was ignored does not count: the number may have been connected since.)
    pub async fn store_inbound(
        &self,
        source: &str,
        raw: &[u8],
        is_ours: bool,
    ) -> Result<StoredInbound, RecordError> {
        let sha256 = hex(digest::digest(&digest::SHA256, raw).as_ref());
        let now = self.now();
        let earlier = self
            .db
            .query(
                "select id, erased_at from inbound_bodies where source = $1 and sha256 = $2 \
                 and status in ('received', 'processed') order by received_at, id limit 1",
            )
            .bind(source)
            .bind(&sha256)
            .optional()
            .await?;
        let duplicate_of = earlier.as_ref().map(|row| row.text("id")).transpose()?;
        // What was erased does not come back with its repetition.
        let erased_at = earlier.map(|row| row.opt_int("erased_at")).transpose()?.flatten();
        let raw = if erased_at.is_some() { ERASED } else { raw };
        let status = if duplicate_of.is_some() { InboundStatus::Duplicate } else { InboundStatus::Received };
        let id = new_id("in");
        self.db
            .query(
                "insert into inbound_bodies (id, source, received_at, status, raw, sha256, changes, workspace_count, \
                 duplicate_of, claimed_until, erased_at, place) values ($1, $2, $3, $4, $5, $6, '[]', 0, $7, $8, $9, \
                 (select coalesce(max(place), 0) + 1 from inbound_bodies))",
            )
            .bind(&id)
            .bind(source)
            .bind(now)
            .bind(status.as_text())
            .bind(raw)
            .bind(&sha256)
            .bind(duplicate_of.as_deref())
            .bind(if is_ours { now + CLAIM_MS } else { 0 })
            .bind(erased_at)
            .execute()
            .await?;
        if let Some(first) = &duplicate_of {
            self.share_like(&id, first, now).await?;
        }
        Ok(StoredInbound { id, duplicate_of })
    }

    /// A duplicate is shown to those who are shown its original.
    async fn share_like(&self, id: &str, first: &str, now: i64) -> Result<(), RecordError> {
        self.db
            .query(
                "insert into inbound_body_shares (workspace_id, inbound_id, received_at, changes) \
                 select workspace_id, $1, $3, changes from inbound_body_shares where inbound_id = $2 \
                 on conflict do nothing",
            )
            .bind(id)
            .bind(first)
            .bind(now)
            .execute()
            .await?;
        self.db
            .query(
                "update inbound_bodies set \
                 changes = (select f.changes from inbound_bodies f where f.id = $2), \
                 workspace_count = (select f.workspace_count from inbound_bodies f where f.id = $2) where id = $1",
            )
            .bind(id)
            .bind(first)
            .execute()
            .await?;
        Ok(())
    }

    /// A body. With a workspace: only its part, and `NotFound` when it has none in there.
    pub async fn inbound(&self, workspace_id: Option<&str>, id: &str) -> Result<InboundBody, RecordError> {
        let row = self.db.query("select * from inbound_bodies where id = $1").bind(id).optional().await?;
        let row = row.ok_or_else(|| RecordError::not_found("inbound body", id))?;
        let mut body = body_from_row(&row)?;
        if let Some(workspace_id) = workspace_id {
            let share = self
                .db
                .query("select changes from inbound_body_shares where workspace_id = $1 and inbound_id = $2")
                .bind(workspace_id)
                .bind(id)
                .optional()
                .await?
                .ok_or_else(|| RecordError::not_found("inbound body", id))?;
            narrow(&mut body, share.json("changes")?, row.int("workspace_count")?);
        }
        body.runs = self.runs_of(workspace_id, id).await?;
        Ok(body)
    }

    /// Bodies, newest first; the bytes of long ones (over 64 KiB) are left out.
    pub async fn list_inbound(
        &self,
        filter: &InboundFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<InboundBody>, RecordError> {
        let (from, size) = (Cursor::read(cursor)?, page_size(limit));
        let sql = match filter.workspace_id {
            Some(_) => LIST_SHARED,
            None => LIST_ALL,
        };
        let rows = self
            .db
            .query(sql)
            .bind(from.at)
            .bind(&from.id)
            .bind(filter.source.as_deref())
            .bind(filter.status.map(InboundStatus::as_text))
            .bind(size + 1)
            .bind_all(filter.workspace_id.as_deref())
            .all()
            .await?;
        let read = |row: &Row| match filter.workspace_id {
            Some(_) => shared_body_from_row(row),
            None => body_from_row(row),
        };
        let all = rows.iter().map(read).collect::<Result<_, _>>()?;
        let mut page =
            page(all, size, |one: &InboundBody| Cursor { at: one.received_at, id: one.id.clone() });
        for body in &mut page.items {
            body.runs = self.runs_of(filter.workspace_id.as_deref(), &body.id).await?;
        }
        Ok(page)
    }

    async fn runs_of(&self, workspace_id: Option<&str>, id: &str) -> Result<Vec<String>, RecordError> {
        let rows = self
            .db
            .query(
                "select run_id from inbound_body_runs where inbound_id = $1 and ($2 is null or workspace_id = $2) \
                 order by run_id",
            )
            .bind(id)
            .bind(workspace_id)
            .all()
            .await?;
        Ok(rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?)
    }

    /// True the first time an event is seen, and again for the same body, whose handling may have been cut short.
    pub async fn first_seen(&self, event_key: &str, inbound_id: &str) -> Result<bool, RecordError> {
        self.db
            .query("insert into inbound_seen (event_key, inbound_id, seen_at) values ($1, $2, $3) on conflict do nothing")
            .bind(clean(event_key))
            .bind(inbound_id)
            .bind(self.now())
            .execute()
            .await?;
        let row = self
            .db
            .query("select inbound_id from inbound_seen where event_key = $1")
            .bind(clean(event_key))
            .one()
            .await?;
        Ok(row.text(0)? == inbound_id)
    }

    /// Deletes up to `limit` handled bodies received before `before`, oldest first, with what each workspace saw of
    /// them and which runs they led to. Providers repeat themselves for up to seven days: keep at least that. Returns
    /// the number of bodies.
    pub async fn purge_inbound(&self, before: i64, limit: u32) -> Result<u64, RecordError> {
        let mut tx = self.begin().await?;
        let rows = tx.query(OLD_BODIES).bind(before).bind(limit).all().await?;
        let ids: Vec<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
        if ids.is_empty() {
            return Ok(0);
        }
        let list = placeholders(1, ids.len());
        for (table, column) in [
            ("inbound_body_runs", "inbound_id"),
            ("inbound_body_shares", "inbound_id"),
            ("inbound_bodies", "id"),
        ] {
            let sql = format!("delete from {table} where {column} in ({list})");
            tx.query(sql).bind_all(ids.iter().map(String::as_str)).execute().await?;
        }
        tx.commit().await?;
        Ok(ids.len() as u64)
    }

    /// Forgets up to `limit` keys of events seen before `before`. Returns how many.
    pub async fn purge_seen(&self, before: i64, limit: u32) -> Result<u64, RecordError> {
        Ok(self.db.query(OLD_KEYS).bind(before).bind(limit).execute().await?)
    }
}

const OLD_BODIES: &str = "select id from inbound_bodies where received_at < $1 and status <> 'received' \
     order by received_at, id limit $2";

const OLD_KEYS: &str = "delete from inbound_seen where event_key in \
     (select event_key from inbound_seen where seen_at < $1 order by seen_at limit $2)";

const LIST_ALL: &str = "select id, source, received_at, status, sha256, changes, duplicate_of, note, \
     case when length(raw) <= 65536 then raw end as raw from inbound_bodies \
     where (received_at < $1 or (received_at = $1 and id < $2)) and ($3 is null or source = $3) \
     and ($4 is null or status = $4) order by received_at desc, id desc limit $5";

const LIST_SHARED: &str = "select b.id, b.source, b.received_at, b.status, b.sha256, b.changes, b.duplicate_of, b.note, \
     b.workspace_count, s.changes as own_changes, case when length(b.raw) <= 65536 then b.raw end as raw \
     from inbound_body_shares s join inbound_bodies b on b.id = s.inbound_id where s.workspace_id = $6 \
     and (s.received_at < $1 or (s.received_at = $1 and s.inbound_id < $2)) and ($3 is null or b.source = $3) \
     and ($4 is null or b.status = $4) order by s.received_at desc, s.inbound_id desc limit $5";

/// Leaves only what one of `workspaces` workspaces may see.
fn narrow(body: &mut InboundBody, changes: Value, workspaces: i64) {
    let everything_is_ours = workspaces == 1 && changes == body.changes;
    if !everything_is_ours {
        body.raw = None;
        body.note = None;
    }
    body.changes = changes;
}

fn body_from_row(row: &Row) -> Result<InboundBody, DbError> {
    let status = row.text("status")?;
    Ok(InboundBody {
        id: row.text("id")?,
        source: row.text("source")?,
        received_at: row.int("received_at")?,
        status: InboundStatus::from_text(&status)
            .ok_or_else(|| DbError::Corrupt { message: format!("inbound status {status:?} is unknown") })?,
        raw: row.opt_bytes("raw")?,
        sha256: row.text("sha256")?,
        changes: row.json("changes")?,
        runs: Vec::new(),
        duplicate_of: row.opt_text("duplicate_of")?,
        note: row.opt_text("note")?,
    })
}

/// A row of `LIST_SHARED`, narrowed to what its workspace may see.
fn shared_body_from_row(row: &Row) -> Result<InboundBody, DbError> {
    let mut body = body_from_row(row)?;
    narrow(&mut body, row.json("own_changes")?, row.int("workspace_count")?);
    Ok(body)
}

impl InboundBody {
    /// As the API shows it. `raw` is the body as text; bytes that are no text come as `raw_base64` instead.
    pub fn view(&self) -> Value {
        let text = self.raw.as_deref().map(std::str::from_utf8);
        let mut view = json!({
            "id": self.id, "source": self.source, "received_at": self.received_at, "status": self.status,
            "sha256": self.sha256, "changes": self.changes, "runs": self.runs,
            "duplicate_of": self.duplicate_of, "note": self.note, "raw": text.and_then(Result::ok),
        });
        if let (Some(Err(_)), Some(raw)) = (text, &self.raw) {
            view["raw_base64"] = json!(STANDARD.encode(raw));
        }
        view
    }
}
