//! Signing up: an account that waits for its e-mail address to be proven, then for approval where the operator wants it,
//! then has a workspace of its own. Answers tell nobody whether an address has an account. Must not know HTTP.

use serde_json::json;
use sluice_db::Tx;

use super::codes::{CODE_LIFE_MS, CodePurpose, LONG_CODE_LIFE_MS};
use super::operators::reviewers;
use super::{
    Person, PersonStatus, Stored, change, email, lock_person_by_email, normalise_email, password,
    write_person,
};
use crate::audit::Change;
use crate::ids::new_short_id;
use crate::mail::letters;
use crate::throttle;
use crate::tokens::{long_code, six_digits};
use crate::{RecordError, Records};

/// What somebody says who signs up.
#[derive(Clone, Default)]
pub struct SignUp {
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their number; may be empty.
    pub phone: String,
    /// What their workspace is called after; may be empty.
    pub business_name: String,
    /// What the business does; may be empty.
    pub industry: String,
    /// Their password.
    pub password: String,
}

/// Makes the signed link under which those who decide see a sign-up; none when links cannot be made.
pub type LinkMaker = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Who may come in with a proven address.
#[derive(Clone, Copy)]
pub enum Admission<'a> {
    /// Everybody.
    Open,
    /// Those whom somebody approves: people of the platform who may, and these addresses, get a link.
    Review {
        /// Further addresses that are told.
        emails: &'a [String],
        /// Makes the link from the person's id.
        link: &'a LinkMaker,
    },
}

/// The password of a sign-up that was repeated with another one while the first code was good: of the two we cannot tell
/// whose address it is, so neither opens the account. Its owner sets one by mail.
const CONTESTED: &str = "!";

impl Records {
    /// Takes a sign-up and sends a code; when the address has an account, its owner is told that instead. Both look the
    /// same from outside.
    ///
    /// # Errors
    /// `Invalid` for a field that is not allowed, `Throttled` when `address` or the account asked too often.
    pub async fn sign_up(&self, wish: &SignUp, address: &str) -> Result<(), RecordError> {
        let email = normalise_email(&wish.email)?;
        let name = email::line("name", &wish.name)?
            .ok_or_else(|| RecordError::invalid("name", "a name must not be empty"))?;
        let phone = email::phone(&wish.phone)?;
        let business_name = email::line("business_name", &wish.business_name)?;
        let industry = email::line("industry", &wish.industry)?;
        password::check_rules("password", &wish.password, &email)?;
        self.count_try(throttle::SIGN_UP_ADDRESS, address).await?;
        self.count_try(throttle::CODE_SENT_ACCOUNT, &sending(CodePurpose::VerifyEmail, &email)).await?;
        let before = self.db.query("select password_hash from people where email = $1").bind(&email);
        let before = before.optional().await?.map(|row| row.opt_text(0)).transpose()?.flatten();
        // Both are always worked out, so that the time tells nothing.
        let is_same = password::verify(&wish.password, before.clone()).await?;
        let hash = password::hash(&wish.password).await?;
        let code = six_digits()?;
        let now = self.now();
        let mut tx = self.begin().await?;
        let fresh = Person {
            id: new_short_id("per"),
            email: email.clone(),
            name,
            phone,
            business_name,
            industry,
            status: PersonStatus::PendingVerification,
            status_reason: None,
            token_version: 1,
            created_at: now,
            updated_at: now,
            verified_at: None,
            last_login_at: None,
        };
        if insert_person(&mut tx, &fresh, Some(&hash)).await? {
            self.send_code(&mut tx, CodePurpose::VerifyEmail, &email, &code).await?;
            let changes = vec![change("person.signed_up", &fresh.id)];
            self.audit_account(&mut tx, &fresh, changes).await?;
        } else {
            let stored = lock_person_by_email(&mut tx, &email).await?;
            match stored {
                Some(stored) if stored.person.status == PersonStatus::PendingVerification => {
                    let is_contested = stored.password_hash.as_deref() == Some(CONTESTED)
                        || (self.has_living_code(&mut tx, &email).await?
                            && !(is_same && stored.password_hash == before));
                    let password_hash = Some(if is_contested { CONTESTED.to_owned() } else { hash });
                    let person =
                        Person { id: stored.person.id, created_at: stored.person.created_at, ..fresh };
                    write_person(&mut tx, &Stored { person, password_hash }).await?;
                    self.send_code(&mut tx, CodePurpose::VerifyEmail, &email, &code).await?;
                }
                _ => self.post(&mut tx, &letters::already_signed_up(&email)).await?,
            }
        }
        tx.commit().await?;
        self.mail_written();
        Ok(())
    }

    async fn has_living_code(&self, tx: &mut Tx, email: &str) -> Result<bool, RecordError> {
        let sql =
            "select 1 from sign_in_codes where purpose = 'verify_email' and email = $1 and expires_at > $2";
        Ok(tx.query(sql).bind(email).bind(self.now()).optional().await?.is_some())
    }

    async fn send_code(
        &self,
        tx: &mut Tx,
        purpose: CodePurpose,
        email: &str,
        code: &str,
    ) -> Result<(), RecordError> {
        self.issue_code(tx, purpose, email, code, CODE_LIFE_MS).await?;
        let letter = match purpose {
            CodePurpose::VerifyEmail => letters::verify_email(email, code),
            CodePurpose::ResetPassword => letters::reset_password(email, code),
        };
        self.post(tx, &letter).await
    }

    /// Sends a new code, if there is an account that can use one. What happens is the same from outside.
    ///
    /// # Errors
    /// `Invalid` for what is no address, `Throttled` when `address` or the account asked too often.
    pub async fn request_code(
        &self,
        purpose: CodePurpose,
        email: &str,
        address: &str,
    ) -> Result<(), RecordError> {
        let email = normalise_email(email)?;
        self.count_try(throttle::CODE_SENT_ADDRESS, address).await?;
        self.count_try(throttle::CODE_SENT_ACCOUNT, &sending(purpose, &email)).await?;
        let code = six_digits()?;
        let mut tx = self.begin().await?;
        let stored = lock_person_by_email(&mut tx, &email).await?;
        if stored.is_some_and(|stored| takes_code(stored.person.status, purpose)) {
            self.send_code(&mut tx, purpose, &email, &code).await?;
        } else {
            // A code that nobody gets: what follows then looks the same, too.
            self.issue_code(&mut tx, purpose, &email, &code, CODE_LIFE_MS).await?;
        }
        tx.commit().await?;
        self.mail_written();
        Ok(())
    }

    /// A new code for an operator to hand over; it is not sent.
    ///
    /// # Errors
    /// `NotFound` when there is no such person, `Conflict` when they cannot use such a code.
    pub async fn make_code(&self, purpose: CodePurpose, email: &str) -> Result<String, RecordError> {
        let email = normalise_email(email)?;
        let code = long_code()?;
        let mut tx = self.begin().await?;
        let Some(stored) = lock_person_by_email(&mut tx, &email).await? else {
            return Err(RecordError::not_found("person", &email));
        };
        if !takes_code(stored.person.status, purpose) {
            let status = stored.person.status.as_text();
            return Err(RecordError::conflict(format!(
                "the account of {email} is {status}: such a code is of no use"
            )));
        }
        self.issue_code(&mut tx, purpose, &email, &code, LONG_CODE_LIFE_MS).await?;
        let change = change("person.code_made", &stored.person.id).after(json!({ "purpose": purpose }));
        self.audit(&mut tx, change).await?;
        tx.commit().await?;
        Ok(code)
    }

    /// Takes the code of a sign-up: the account is approved, or waits for approval.
    ///
    /// # Errors
    /// `CodeRefused`, `Throttled`.
    pub async fn verify_email(
        &self,
        email: &str,
        code: &str,
        address: &str,
        admission: Admission<'_>,
    ) -> Result<Person, RecordError> {
        let email = normalise_email(email).map_err(|_| RecordError::CodeRefused)?;
        let right = self.try_code(CodePurpose::VerifyEmail, &email, code, address).await?;
        let mut tx = self.begin().await?;
        right.spend(&mut tx).await?;
        let stored = lock_person_by_email(&mut tx, &email).await?;
        let mut stored = stored
            .filter(|stored| stored.person.status == PersonStatus::PendingVerification)
            .ok_or(RecordError::CodeRefused)?;
        let changes = self.admit_person(&mut tx, &mut stored, admission).await?;
        self.audit_account(&mut tx, &stored.person, changes).await?;
        tx.commit().await?;
        self.mail_written();
        Ok(stored.person)
    }

    /// Lets somebody in whose address is proven, or puts them before those who decide. Answers what goes into the audit
    /// trail.
    pub(crate) async fn admit_person(
        &self,
        tx: &mut Tx,
        stored: &mut Stored,
        admission: Admission<'_>,
    ) -> Result<Vec<Change>, RecordError> {
        let now = self.now();
        stored.person.verified_at = Some(now);
        stored.person.updated_at = now;
        match admission {
            Admission::Open => {
                stored.person.status = PersonStatus::Approved;
                write_person(tx, stored).await?;
                let founded = self.settle_in(tx, &stored.person).await?;
                Ok([verified(&stored.person)].into_iter().chain(founded).collect())
            }
            Admission::Review { emails, link } => {
                stored.person.status = PersonStatus::UnderReview;
                write_person(tx, stored).await?;
                if let Some(link) = link(&stored.person.id) {
                    for to in reviewers(tx, emails).await? {
                        self.post(tx, &letters::review(&to, &stored.person, &link)).await?;
                    }
                }
                Ok(vec![verified(&stored.person)])
            }
        }
    }

    /// Gives an approved person a workspace of their own, unless they are at home somewhere already. Answers what goes
    /// into the audit trail.
    pub(crate) async fn settle_in(
        &self,
        tx: &mut Tx,
        person: &Person,
    ) -> Result<Option<Change>, RecordError> {
        let sql = "select 1 from memberships where person_id = $1 and status <> 'suspended'";
        if tx.query(sql).bind(&person.id).optional().await?.is_some() {
            return Ok(None);
        }
        let title = person.business_name.as_deref().unwrap_or(&person.name);
        let made = self.found_tenant(tx, title, &person.id).await?;
        Ok(Some(made.created(Some(&person.id))))
    }
}

/// What the audit trail says of a proven address.
fn verified(person: &Person) -> Change {
    change("person.verified", &person.id).after(json!({ "status": person.status }))
}

/// Whose codes are counted: each kind for itself.
fn sending(purpose: CodePurpose, email: &str) -> String {
    format!("{} {email}", purpose.as_text())
}

/// Whether somebody can do something with a code for this.
fn takes_code(status: PersonStatus, purpose: CodePurpose) -> bool {
    match purpose {
        CodePurpose::VerifyEmail => status == PersonStatus::PendingVerification,
        CodePurpose::ResetPassword => matches!(status, PersonStatus::Approved | PersonStatus::UnderReview),
    }
}

/// Writes a new person; false when the address has one.
pub(crate) async fn insert_person(
    tx: &mut Tx,
    person: &Person,
    password_hash: Option<&str>,
) -> Result<bool, RecordError> {
    const SQL: &str = "insert into people (id, email, name, phone, business_name, industry, password_hash, status, \
         token_version, created_at, updated_at, verified_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11) on conflict do nothing";
    let query = tx.query(SQL).bind(&person.id).bind(&person.email).bind(&person.name).bind(&person.phone);
    let query = query.bind(&person.business_name).bind(&person.industry).bind(password_hash);
    let query = query.bind(person.status.as_text()).bind(person.token_version).bind(person.created_at);
    Ok(query.bind(person.verified_at).execute().await? == 1)
}
