//! Somebody with an account goes for good, and what is held about them. Must not know HTTP.

use serde::Serialize;
use sluice_db::Row;

use super::{Person, Session, Stored, change, lock_person, password};
use crate::ActorKind;
use crate::tenancy::end_memberships;
use crate::throttle;
use crate::{Membership, RecordError, Records};

/// Who somebody is at another provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownIdentity {
    /// The provider.
    pub issuer: String,
    /// Their id there.
    pub subject: String,
    /// The address that it told.
    pub email: Option<String>,
    /// Since when it is joined.
    pub created_at: i64,
}

/// Everything that is held about somebody with an account.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOfPerson {
    /// The account.
    pub person: Person,
    /// What they are where.
    pub memberships: Vec<Membership>,
    /// Where they are signed in.
    pub sessions: Vec<Session>,
    /// Who they are elsewhere.
    pub identities: Vec<KnownIdentity>,
}

fn identity(row: &Row) -> Result<KnownIdentity, sluice_db::DbError> {
    Ok(KnownIdentity {
        issuer: row.text("issuer")?,
        subject: row.text("subject")?,
        email: row.opt_text("email")?,
        created_at: row.int("created_at")?,
    })
}

impl Records {
    /// What is held about somebody.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn held_of_person(&self, person_id: &str) -> Result<HeldOfPerson, RecordError> {
        let sql = "select * from person_identities where person_id = $1 order by created_at, issuer, subject";
        let rows = self.db.query(sql).bind(person_id).all().await?;
        Ok(HeldOfPerson {
            person: self.person(person_id).await?,
            memberships: self.memberships_of(person_id).await?,
            sessions: self.list_sessions(person_id).await?,
            identities: rows.iter().map(identity).collect::<Result<_, _>>()?,
        })
    }

    /// Deletes an account with its sessions, roles, codes and invitations. Who has a password proves with it that it is
    /// them. What they did stays in the audit trail.
    ///
    /// # Errors
    /// `Invalid` for a wrong password; `Throttled` after too many; `Conflict` when a workspace would be left without an
    /// owner, or the platform without anybody who runs it.
    pub async fn erase_person(&self, person_id: &str, password: Option<&str>) -> Result<(), RecordError> {
        let row = self.db.query("select * from people where id = $1").bind(person_id).optional().await?;
        let row = row.ok_or_else(|| RecordError::not_found("person", person_id))?;
        let before = Stored::from_row(&row)?;
        if before.password_hash.is_some() {
            let email = &before.person.email;
            self.count_try(throttle::SIGN_IN_ACCOUNT, email).await?;
            if !password::verify(password.unwrap_or_default(), before.password_hash.clone()).await? {
                return Err(RecordError::invalid("current_password", "this is not your password"));
            }
            self.absolve(throttle::SIGN_IN_ACCOUNT, email).await?;
        }
        let mut tx = self.begin().await?;
        let person = lock_person(&mut tx, person_id).await?.person;
        let mut changes = end_memberships(&mut tx, person_id).await?;
        for sql in [
            "delete from refresh_tokens where session_id in (select id from sessions where person_id = $1)",
            "delete from sessions where person_id = $1",
            "delete from person_identities where person_id = $1",
            "delete from people where id = $1",
        ] {
            tx.query(sql).bind(person_id).execute().await?;
        }
        for sql in ["delete from sign_in_codes where email = $1", "delete from invitations where email = $1"]
        {
            tx.query(sql).bind(&person.email).execute().await?;
        }
        changes.push(change("person.erased", person_id));
        // Under the id alone: the address is what goes.
        let mut actor = self.actor().clone();
        if actor.kind == ActorKind::Person {
            actor.name.clear();
        }
        self.audit_as(&mut tx, &actor, changes).await?;
        Ok(tx.commit().await?)
    }
}
