//! Erasing a person: asked for once, done in small steps that go on after a crash, proven by a record without personal
//! data. Must not know runs: whoever drives the steps deletes those.
//!
//! A step changes rows and says in the same transaction how far it came, so that repeating it does no harm.

mod bodies;
mod export;
mod leave;
mod marks;
mod messages;
mod proof;
mod traces;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use sluice_db::{DbError, Row, Tx};

use crate::audit::{Change, Target};
use crate::contacts::contact_in;
use crate::page::{Cursor, page, page_size};
use crate::vault::ERASURE;
use crate::{Page, RecordError, Records, new_id};

pub use bodies::BodyStep;
pub(crate) use bodies::ERASED;
pub use export::Held;
pub(crate) use marks::Marker;
pub use messages::MessageStep;
pub use traces::{Finder, Traces};

/// How far an erasure came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// What goes on with the person is cancelled.
    Stopping,
    /// The contact goes. From then on nobody knows the person.
    Leaving,
    /// Provider bodies that tell of the person lose their content.
    Bodies,
    /// Runs that tell of the person are deleted.
    Runs,
    /// Messages and conversations are deleted.
    Messages,
    /// Bodies that came since, such as news of messages sent before, lose their content, unless the person wrote again.
    Late,
    /// What deleted rows left in the files is overwritten.
    Scrubbing,
    /// Nothing is left to do.
    Done,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 8] = [
        Self::Stopping,
        Self::Leaving,
        Self::Bodies,
        Self::Runs,
        Self::Messages,
        Self::Late,
        Self::Scrubbing,
        Self::Done,
    ];

    /// As stored and shown.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Stopping => "stopping",
            Self::Leaving => "leaving",
            Self::Bodies => "bodies",
            Self::Runs => "runs",
            Self::Messages => "messages",
            Self::Late => "late",
            Self::Scrubbing => "scrubbing",
            Self::Done => "done",
        }
    }

    fn from_text(text: &str) -> Result<Self, DbError> {
        let unknown = || DbError::Corrupt { message: format!("the phase {text:?} of an erasure is unknown") };
        Self::ALL.into_iter().find(|phase| phase.as_text() == text).ok_or_else(unknown)
    }
}

/// What was erased of each kind; never less than is said.
pub type Counts = BTreeMap<String, i64>;

/// The erasure of one contact: under way, or proven to be done. Holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Whose contact it was.
    pub workspace_id: String,
    /// `era_…`.
    pub id: String,
    /// What the contact was: `con_…`. Nothing is stored under this id any more.
    pub contact_id: String,
    /// How far it came.
    pub phase: Phase,
    /// Where in its phase; means something only to the step.
    pub place: String,
    /// What holds it up, for people.
    pub note: Option<String>,
    /// Keyed hashes of what the person was known by, each after the id of the key.
    pub marks: Vec<String>,
    /// How much was erased.
    pub counts: Counts,
    /// Who asked: `per_…`, `key_…`, or empty for the program itself.
    pub asked_by: String,
    /// When.
    pub asked_at: i64,
    /// When the contact went; what came later is somebody new.
    pub left_at: Option<i64>,
    /// When nothing was left to do.
    pub finished_at: Option<i64>,
    key_id: String,
    proof: Option<String>,
}

impl Erasure {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let corrupt = |_| DbError::Corrupt { message: "an erasure's lists cannot be read".into() };
        Ok(Self {
            workspace_id: row.text("workspace_id")?,
            id: row.text("id")?,
            contact_id: row.text("contact_id")?,
            phase: Phase::from_text(&row.text("phase")?)?,
            place: row.text("place")?,
            note: row.opt_text("note")?,
            marks: serde_json::from_value(row.json("marks")?).map_err(corrupt)?,
            counts: serde_json::from_value(row.json("counts")?).map_err(corrupt)?,
            asked_by: row.text("asked_by")?,
            asked_at: row.int("asked_at")?,
            left_at: row.opt_int("left_at")?,
            finished_at: row.opt_int("finished_at")?,
            key_id: row.text("key_id")?,
            proof: row.opt_text("proof")?,
        })
    }

    /// Goes on to a phase, from its beginning.
    pub fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.place.clear();
        self.note = None;
    }

    /// Counts what was erased of a kind.
    pub fn count(&mut self, kind: &str, more: u64) {
        if more > 0 {
            *self.counts.entry(kind.to_owned()).or_default() += i64::try_from(more).unwrap_or(i64::MAX);
        }
    }

    /// The seal over a finished record, in hexadecimal digits.
    pub fn proof(&self) -> Option<&str> {
        self.proof.as_deref()
    }
}

impl Records {
    /// Asks for the erasure of a contact. Asking again answers the same erasure.
    ///
    /// # Errors
    /// `NotFound` when there is no such contact and there was none.
    pub async fn request_erasure(
        &self,
        workspace_id: &str,
        contact_id: &str,
    ) -> Result<Erasure, RecordError> {
        if let Some(known) = self.erasure_of(workspace_id, contact_id).await? {
            return Ok(known);
        }
        let contact_id = self.contact(workspace_id, contact_id).await?.id;
        if let Some(known) = self.erasure_of(workspace_id, &contact_id).await? {
            return Ok(known);
        }
        let sealer = self.vault.sealer(workspace_id).await?;
        let id = new_id("era");
        let mut tx = self.begin().await?;
        let contact = contact_in(&mut tx, workspace_id, &contact_id).await?;
        let traces = Traces::of(&mut tx, &contact).await?;
        let sealed = sealer.seal(&id, ERASURE, &traces.to_bytes())?;
        let marks = self.marker().marks(workspace_id, &contact.identities);
        const SQL: &str = "insert into erasures (workspace_id, id, contact_id, phase, place, sealed, marks, counts, \
             asked_by, asked_at, key_id) values ($1, $2, $3, $4, '', $5, $6, '{}', $7, $8, '') on conflict do nothing";
        let query = tx.query(SQL).bind(workspace_id).bind(&id).bind(&contact.id);
        let query = query.bind(Phase::Stopping.as_text()).bind(sealed).bind(json!(marks).to_string());
        if query.bind(&self.actor().id).bind(self.now()).execute().await? > 0 {
            let target = Target::new("contact", &*contact.id);
            let change = Change::new(workspace_id, "contact.erasure_requested", target);
            self.audit(&mut tx, change.after(json!({ "erasure": id }))).await?;
        }
        tx.commit().await?;
        self.erasing.notify_one();
        // Of two who ask at once one is first.
        let made = self.erasure_of(workspace_id, &contact.id).await?;
        made.ok_or_else(|| RecordError::not_found("erasure", &id))
    }

    /// An erasure by id.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn erasure(&self, workspace_id: &str, id: &str) -> Result<Erasure, RecordError> {
        let query = self.db.query("select * from erasures where workspace_id = $1 and id = $2");
        match query.bind(workspace_id).bind(id).optional().await? {
            Some(row) => Ok(Erasure::from_row(&row)?),
            None => Err(RecordError::not_found("erasure", id)),
        }
    }

    async fn erasure_of(&self, workspace_id: &str, contact_id: &str) -> Result<Option<Erasure>, RecordError> {
        let query = self.db.query("select * from erasures where workspace_id = $1 and contact_id = $2");
        let row = query.bind(workspace_id).bind(contact_id).optional().await?;
        Ok(row.as_ref().map(Erasure::from_row).transpose()?)
    }

    /// The erasures of a workspace, the newest first.
    ///
    /// # Errors
    /// `Invalid` for a cursor that is not of this list.
    pub async fn list_erasures(
        &self,
        workspace_id: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Erasure>, RecordError> {
        const SQL: &str = "select * from erasures where workspace_id = $1 \
             and (asked_at < $2 or (asked_at = $2 and id < $3)) order by asked_at desc, id desc limit $4";
        let (from, size) = (Cursor::read(cursor)?, page_size(limit));
        let query = self.db.query(SQL).bind(workspace_id).bind(from.at).bind(from.id).bind(size + 1);
        let all = query.all().await?.iter().map(Erasure::from_row).collect::<Result<_, _>>()?;
        Ok(page(all, size, |one: &Erasure| Cursor { at: one.asked_at, id: one.id.clone() }))
    }

    /// Erasures of all workspaces that are not done, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_erasures(&self, limit: u32) -> Result<Vec<Erasure>, RecordError> {
        const SQL: &str = "select * from erasures where finished_at is null order by asked_at, id limit $1";
        let rows = self.db.query(SQL).bind(limit).all().await?;
        Ok(rows.iter().map(Erasure::from_row).collect::<Result<_, _>>()?)
    }

    /// Comes true when this process was asked for an erasure since the last call.
    pub async fn erasure_requested(&self) {
        self.erasing.notified().await;
    }

    /// What has to be looked for.
    ///
    /// # Errors
    /// `Seal` when the list cannot be opened; `NotFound` for an erasure that is done.
    pub async fn traces(&self, erasure: &Erasure) -> Result<Traces, RecordError> {
        let query = self.db.query("select sealed from erasures where workspace_id = $1 and id = $2");
        let row = query.bind(&erasure.workspace_id).bind(&erasure.id).optional().await?;
        let sealed = row.map(|row| row.opt_bytes("sealed")).transpose()?.flatten();
        let sealed = sealed.ok_or_else(|| RecordError::not_found("list of an erasure", &erasure.id))?;
        let bytes = self.vault.open(&erasure.workspace_id, &erasure.id, ERASURE, &sealed).await?;
        Traces::from_bytes(&bytes)
    }

    /// Leaves nothing of deleted rows in the files of the database. Answers whether that is so now; see
    /// [`sluice_db::Db::overwrite_deleted`].
    ///
    /// # Errors
    /// When the database fails or another process is using it.
    pub async fn overwrite_deleted(&self) -> Result<bool, RecordError> {
        Ok(self.db.overwrite_deleted().await?)
    }

    /// Empties the log of the database. Answers whether that was possible.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn empty_log(&self) -> Result<bool, RecordError> {
        Ok(self.db.empty_log().await?)
    }

    /// Writes down how far an erasure came.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_erasure(&self, erasure: &Erasure) -> Result<(), RecordError> {
        let mut tx = self.begin().await?;
        save(&mut tx, erasure).await?;
        Ok(tx.commit().await?)
    }

    /// Ends an erasure: what to look for is forgotten, the record is sealed, and the trail says so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_erasure(&self, erasure: &mut Erasure) -> Result<(), RecordError> {
        erasure.enter(Phase::Done);
        erasure.finished_at = Some(self.now());
        self.prove(erasure);
        const SQL: &str = "update erasures set sealed = null, finished_at = $3, key_id = $4, proof = $5 \
             where workspace_id = $1 and id = $2";
        let mut tx = self.begin().await?;
        save(&mut tx, erasure).await?;
        let query = tx.query(SQL).bind(&erasure.workspace_id).bind(&erasure.id).bind(erasure.finished_at);
        query.bind(&erasure.key_id).bind(erasure.proof.as_deref()).execute().await?;
        let target = Target::new("contact", &*erasure.contact_id);
        let after = json!({ "erasure": erasure.id, "counts": erasure.counts, "proof": erasure.proof });
        let change = Change::new(&*erasure.workspace_id, "contact.erased", target).after(after);
        self.audit(&mut tx, change).await?;
        Ok(tx.commit().await?)
    }
}

/// Writes what changes in every step.
async fn save(tx: &mut Tx, erasure: &Erasure) -> Result<(), RecordError> {
    const SQL: &str = "update erasures set phase = $3, place = $4, note = $5, counts = $6 \
         where workspace_id = $1 and id = $2 and finished_at is null";
    let query = tx.query(SQL).bind(&erasure.workspace_id).bind(&erasure.id);
    let query = query.bind(erasure.phase.as_text()).bind(&erasure.place).bind(erasure.note.as_deref());
    query.bind(json!(erasure.counts).to_string()).execute().await?;
    Ok(())
}
