//! People: who has an account, what state it is in, and everything that proves that somebody is who they say. Must not
//! know HTTP, tokens of browsers, nor how mail is sent.

pub(crate) mod codes;
mod decide;
mod email;
mod identities;
mod impersonate;
mod leave;
mod operators;
mod password;
mod sessions;
mod sign_in;
mod sign_up;
mod standing;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_db::{DbError, Row, Tx};

use crate::ActorKind;
use crate::audit::{Change, Target};
use crate::page::{Cursor, page, page_size};
use crate::{Page, RecordError, Records};

pub use codes::CodePurpose;
pub use decide::Verdict;
pub use email::normalise_email;
pub use identities::{OidcAttempt, OidcClaims};
pub use impersonate::{IMPERSONATION_MS, Impersonation};
pub use leave::{HeldOfPerson, KnownIdentity};
pub use operators::NewPerson;
pub use sessions::{Device, NewSession, Session};
pub use sign_in::SignIn;
pub use sign_up::{Admission, LinkMaker, SignUp};
pub use standing::Standing;

/// What state an account is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonStatus {
    /// The e-mail address is not proven yet.
    PendingVerification,
    /// Proven; somebody has to approve it.
    UnderReview,
    /// May sign in.
    Approved,
    /// Was not approved; the reason says why.
    Rejected,
    /// Was approved, and may not sign in at present.
    Suspended,
}

impl PersonStatus {
    /// Every status.
    pub const ALL: &[Self] =
        &[Self::PendingVerification, Self::UnderReview, Self::Approved, Self::Rejected, Self::Suspended];

    /// As stored and shown.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::PendingVerification => "pending_verification",
            Self::UnderReview => "under_review",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Suspended => "suspended",
        }
    }

    /// The other way; what is not known lets nobody in.
    fn from_stored(text: &str) -> Self {
        Self::ALL.iter().copied().find(|status| status.as_text() == text).unwrap_or(Self::Suspended)
    }
}

/// Somebody with an account, as it may be shown to them and to those who run the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// `per_…`.
    pub id: String,
    /// In lower case; one account each.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Digits with an optional plus sign.
    pub phone: Option<String>,
    /// What their first workspace is called after.
    pub business_name: Option<String>,
    /// What the business does.
    pub industry: Option<String>,
    /// What state the account is in.
    pub status: PersonStatus,
    /// Why it was rejected or suspended.
    pub status_reason: Option<String>,
    /// Rises when all tokens that are out shall be worthless.
    #[serde(skip)]
    pub token_version: i64,
    /// When they signed up.
    pub created_at: i64,
    /// When something of it changed.
    pub updated_at: i64,
    /// When the address was proven.
    pub verified_at: Option<i64>,
    /// When they last signed in.
    pub last_login_at: Option<i64>,
}

/// What people may change about themselves; what is none stays, what is empty is taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonChange {
    /// Must not be empty.
    pub name: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    /// Of the business.
    pub business_name: Option<String>,
    /// Of the business.
    pub industry: Option<String>,
}

impl Person {
    /// What they say about themselves, for the audit trail.
    fn said(&self) -> Value {
        json!({ "name": self.name, "phone": self.phone, "business_name": self.business_name, "industry": self.industry })
    }

    pub(crate) fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: row.text("id")?,
            email: row.text("email")?,
            name: row.text("name")?,
            phone: row.opt_text("phone")?,
            business_name: row.opt_text("business_name")?,
            industry: row.opt_text("industry")?,
            status: PersonStatus::from_stored(&row.text("status")?),
            status_reason: row.opt_text("status_reason")?,
            token_version: row.int("token_version")?,
            created_at: row.int("created_at")?,
            updated_at: row.int("updated_at")?,
            verified_at: row.opt_int("verified_at")?,
            last_login_at: row.opt_int("last_login_at")?,
        })
    }
}

/// A person with the hash of their password.
pub(crate) struct Stored {
    pub(crate) person: Person,
    pub(crate) password_hash: Option<String>,
}

impl Stored {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { person: Person::from_row(row)?, password_hash: row.opt_text("password_hash")? })
    }
}

/// A change of an account, in the trail of those who run the platform. Names and addresses are masked there.
pub(crate) fn change(action: &'static str, person_id: &str) -> Change {
    Change::of_platform(action, Target::new("person", person_id)).personal()
}

/// Reads a person and keeps everybody else from changing them until the transaction ends.
pub(crate) async fn lock_person(tx: &mut Tx, id: &str) -> Result<Stored, RecordError> {
    let sql = format!("select * from people where id = $1{}", tx.dialect().for_update());
    match tx.query(sql).bind(id).optional().await? {
        Some(row) => Ok(Stored::from_row(&row)?),
        None => Err(RecordError::not_found("person", id)),
    }
}

/// The same by address; none when there is none.
pub(crate) async fn lock_person_by_email(tx: &mut Tx, email: &str) -> Result<Option<Stored>, RecordError> {
    let sql = format!("select * from people where email = $1{}", tx.dialect().for_update());
    Ok(tx.query(sql).bind(email).optional().await?.as_ref().map(Stored::from_row).transpose()?)
}

/// Writes what may change of a person.
pub(crate) async fn write_person(tx: &mut Tx, stored: &Stored) -> Result<(), RecordError> {
    const SQL: &str = "update people set name = $2, phone = $3, business_name = $4, industry = $5, \
         password_hash = $6, status = $7, status_reason = $8, token_version = $9, updated_at = $10, \
         verified_at = $11, last_login_at = $12 where id = $1";
    let person = &stored.person;
    let query = tx.query(SQL).bind(&person.id).bind(&person.name).bind(&person.phone);
    let query = query.bind(&person.business_name).bind(&person.industry).bind(&stored.password_hash);
    let query = query.bind(person.status.as_text()).bind(&person.status_reason).bind(person.token_version);
    query.bind(person.updated_at).bind(person.verified_at).bind(person.last_login_at).execute().await?;
    Ok(())
}

impl Records {
    /// Writes changes of an account down, signed by who acts; by the person themselves where they prove just now who
    /// they are. Last of all in a transaction.
    pub(crate) async fn audit_account(
        &self,
        tx: &mut Tx,
        person: &Person,
        changes: Vec<Change>,
    ) -> Result<(), RecordError> {
        let mut actor = self.actor().clone();
        if actor.kind == ActorKind::Person && actor.id.is_empty() && actor.name.is_empty() {
            actor.id.clone_from(&person.id);
            actor.name.clone_from(&person.email);
        }
        self.audit_as(tx, &actor, changes).await
    }

    /// The person with this id.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn person(&self, id: &str) -> Result<Person, RecordError> {
        let row = self.db.query("select * from people where id = $1").bind(id).optional().await?;
        match row {
            Some(row) => Ok(Person::from_row(&row)?),
            None => Err(RecordError::not_found("person", id)),
        }
    }

    /// The person with this e-mail address.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Invalid` when it is no address.
    pub async fn person_by_email(&self, email: &str) -> Result<Person, RecordError> {
        let email = normalise_email(email)?;
        let row = self.db.query("select * from people where email = $1").bind(&email).optional().await?;
        match row {
            Some(row) => Ok(Person::from_row(&row)?),
            None => Err(RecordError::not_found("person", &email)),
        }
    }

    /// The people of the installation, newest first; only those of one status when it is given.
    ///
    /// # Errors
    /// `Invalid` for a cursor that is not of this list.
    pub async fn list_people(
        &self,
        status: Option<PersonStatus>,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Person>, RecordError> {
        const SQL: &str = "select * from people where ($1 = '' or status = $1) \
             and (created_at < $2 or (created_at = $2 and id < $3)) order by created_at desc, id desc limit $4";
        let (from, size) = (Cursor::read(cursor)?, page_size(limit));
        let query = self.db.query(SQL).bind(status.map_or("", PersonStatus::as_text));
        let rows = query.bind(from.at).bind(from.id).bind(size + 1).all().await?;
        let people = rows.iter().map(Person::from_row).collect::<Result<_, _>>()?;
        Ok(page(people, size, |person| Cursor { at: person.created_at, id: person.id.clone() }))
    }

    /// Changes what people say about themselves.
    ///
    /// # Errors
    /// `NotFound`, or `Invalid` for a value that is not allowed.
    pub async fn update_person(&self, id: &str, change: &PersonChange) -> Result<Person, RecordError> {
        let mut tx = self.begin().await?;
        let mut stored = lock_person(&mut tx, id).await?;
        let before = stored.person.said();
        let person = &mut stored.person;
        if let Some(name) = &change.name {
            person.name = email::line("name", name)?
                .ok_or_else(|| RecordError::invalid("name", "a name must not be empty"))?;
        }
        if let Some(phone) = &change.phone {
            person.phone = email::phone(phone)?;
        }
        if let Some(name) = &change.business_name {
            person.business_name = email::line("business_name", name)?;
        }
        if let Some(industry) = &change.industry {
            person.industry = email::line("industry", industry)?;
        }
        person.updated_at = self.now();
        write_person(&mut tx, &stored).await?;
        let person = stored.person;
        let changes = vec![self::change("person.updated", id).between(before, person.said())];
        self.audit_account(&mut tx, &person, changes).await?;
        tx.commit().await?;
        Ok(person)
    }
}
