//! Proving who one is with a password, and changing it. Unknown accounts take as long and answer the same as known ones
//! with a wrong password. Must not know HTTP.

use super::codes::CodePurpose;
use super::sessions::{Device, NewSession};
use super::{
    Person, PersonStatus, Stored, change, lock_person, lock_person_by_email, normalise_email, password,
    write_person,
};
use crate::mail::letters;
use crate::throttle;
use crate::{RecordError, Records};

/// What became of a sign-in.
// Each is made once and looked at at once: a box would only cost.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq)]
pub enum SignIn {
    /// Signed in.
    In(NewSession),
    /// Address or password are wrong; which of them is not said.
    Refused,
    /// Who it is was proven, but the account is not approved (any more).
    NotApproved(Person),
}

impl Records {
    /// Signs in with a password.
    ///
    /// # Errors
    /// `Throttled` after too many failures for this account or from this network address.
    pub async fn sign_in(&self, email: &str, password: &str, device: &Device) -> Result<SignIn, RecordError> {
        let email = normalise_email(email).unwrap_or_default();
        let address = device.subject();
        self.count_try(throttle::SIGN_IN_ADDRESS, address).await?;
        self.count_try(throttle::SIGN_IN_ACCOUNT, &email).await?;
        let row = self.db.query("select * from people where email = $1").bind(&email).optional().await?;
        let read = row.as_ref().map(Stored::from_row).transpose()?;
        let (id, hash) = read.map(|stored| (stored.person.id, stored.password_hash)).unzip();
        let hash = hash.flatten();
        if !password::verify(password, hash.clone()).await? {
            return Ok(SignIn::Refused);
        }
        let Some(id) = id else { return Ok(SignIn::Refused) };
        self.absolve(throttle::SIGN_IN_ACCOUNT, &email).await?;
        self.forgive(throttle::SIGN_IN_ADDRESS, address).await?;
        let mut tx = self.begin().await?;
        let stored = lock_person(&mut tx, &id).await?;
        // It was changed while we looked.
        if stored.password_hash != hash {
            return Ok(SignIn::Refused);
        }
        if stored.person.status != PersonStatus::Approved {
            return Ok(SignIn::NotApproved(stored.person));
        }
        let session = self.open_session(&mut tx, stored, "password", device).await?;
        self.audit_account(&mut tx, &session.person, vec![session.opened()]).await?;
        tx.commit().await?;
        Ok(SignIn::In(session))
    }

    /// Sets a password with a code, and ends all sessions.
    ///
    /// # Errors
    /// `Invalid` for a password that is not good enough, `CodeRefused`, `Throttled`.
    pub async fn reset_password(
        &self,
        email: &str,
        code: &str,
        new_password: &str,
        address: &str,
    ) -> Result<(), RecordError> {
        let email = normalise_email(email).map_err(|_| RecordError::CodeRefused)?;
        // Before the code, so that a bad password does not cost a try.
        password::check_rules("new_password", new_password, &email)?;
        let right = self.try_code(CodePurpose::ResetPassword, &email, code, address).await?;
        let hash = password::hash(new_password).await?;
        let mut tx = self.begin().await?;
        right.spend(&mut tx).await?;
        let mut stored = lock_person_by_email(&mut tx, &email).await?.ok_or(RecordError::CodeRefused)?;
        stored.password_hash = Some(hash);
        stored.person.token_version += 1;
        stored.person.updated_at = self.now();
        write_person(&mut tx, &stored).await?;
        self.end_sessions(&mut tx, &stored.person.id, None, "password_reset").await?;
        self.post(&mut tx, &letters::password_changed(&email)).await?;
        let changes = vec![change("person.password_reset", &stored.person.id)];
        self.audit_account(&mut tx, &stored.person, changes).await?;
        tx.commit().await?;
        self.absolve(throttle::SIGN_IN_ACCOUNT, &email).await?;
        self.mail_written();
        Ok(())
    }

    /// Changes the password of somebody who is signed in and knows the old one; ends their other sessions. Answers the
    /// person with the new token version.
    ///
    /// # Errors
    /// `Invalid` at `current_password` or `new_password`, `Throttled`.
    pub async fn change_password(
        &self,
        person_id: &str,
        session_id: &str,
        current: &str,
        new_password: &str,
    ) -> Result<Person, RecordError> {
        let row = self.db.query("select * from people where id = $1").bind(person_id).optional().await?;
        let row = row.ok_or_else(|| RecordError::not_found("person", person_id))?;
        let before = Stored::from_row(&row)?;
        let email = before.person.email;
        password::check_rules("new_password", new_password, &email)?;
        self.count_try(throttle::SIGN_IN_ACCOUNT, &email).await?;
        let wrong = || RecordError::invalid("current_password", "this is not your password");
        if !password::verify(current, before.password_hash.clone()).await? {
            return Err(wrong());
        }
        self.absolve(throttle::SIGN_IN_ACCOUNT, &email).await?;
        let hash = password::hash(new_password).await?;
        let mut tx = self.begin().await?;
        let mut stored = lock_person(&mut tx, person_id).await?;
        if stored.password_hash != before.password_hash {
            return Err(wrong());
        }
        stored.password_hash = Some(hash);
        stored.person.token_version += 1;
        stored.person.updated_at = self.now();
        write_person(&mut tx, &stored).await?;
        self.end_sessions(&mut tx, person_id, Some(session_id), "password_changed").await?;
        let sql = "update sessions set token_version = $3 where id = $1 and person_id = $2";
        let query = tx.query(sql).bind(session_id).bind(person_id).bind(stored.person.token_version);
        query.execute().await?;
        self.post(&mut tx, &letters::password_changed(&email)).await?;
        self.audit_account(&mut tx, &stored.person, vec![change("person.password_changed", person_id)])
            .await?;
        tx.commit().await?;
        self.mail_written();
        Ok(stored.person)
    }

    /// Ends every session of somebody, and makes every token that is out worthless.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn sign_out_everywhere(&self, person_id: &str) -> Result<(), RecordError> {
        let mut tx = self.begin().await?;
        let mut stored = lock_person(&mut tx, person_id).await?;
        stored.person.token_version += 1;
        write_person(&mut tx, &stored).await?;
        self.end_sessions(&mut tx, person_id, None, "signed_out_everywhere").await?;
        let changes = vec![change("person.signed_out_everywhere", person_id)];
        self.audit_account(&mut tx, &stored.person, changes).await?;
        tx.commit().await?;
        Ok(())
    }
}
