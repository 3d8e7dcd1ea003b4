//! Signing in at another provider (OpenID Connect): what has to be remembered on the way, and whose account an identity
//! opens. Must not know the protocol.

use serde_json::json;

use super::sign_in::SignIn;
use super::sign_up::{Admission, insert_person};
use super::{
    Device, Person, PersonStatus, Stored, change, email, lock_person, lock_person_by_email, normalise_email,
};
use crate::ids::new_short_id;
use crate::throttle;
use crate::tokens;
use crate::{RecordError, Records};

/// How long somebody may take at the provider, milliseconds.
const LIFE_MS: i64 = 10 * 60 * 1_000;

/// A sign-in that is under way at a provider. Nonce and verifier are made from the state and the master key, so they
/// are stored nowhere.
#[derive(Clone)]
pub struct OidcAttempt {
    /// Comes back from the provider; good once.
    pub state: String,
    /// Stays in the browser that began.
    pub browser: String,
    /// Must be in the identity that the provider gives.
    pub nonce: String,
    /// Proves to the provider that who began also ends (RFC 7636).
    pub verifier: String,
    /// Where the browser goes afterwards.
    pub return_to: String,
}

/// What a provider says about somebody, after it was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcClaims {
    /// The provider.
    pub issuer: String,
    /// The person there; never given to another.
    pub subject: String,
    /// An address.
    pub email: Option<String>,
    /// Whether the provider says that the address is theirs.
    pub email_verified: bool,
    /// Their name.
    pub name: Option<String>,
}

impl Records {
    fn attempt(&self, state: String, browser: String, return_to: String) -> OidcAttempt {
        let nonce = self.keyed_hash("oidc nonce", &[&state]);
        let verifier = self.keyed_hash("oidc verifier", &[&state]);
        OidcAttempt { state, browser, nonce, verifier, return_to }
    }

    /// Begins a sign-in at a provider.
    ///
    /// # Errors
    /// `Throttled` when `address` began too many.
    pub async fn begin_oidc(&self, return_to: &str, device: &Device) -> Result<OidcAttempt, RecordError> {
        const SQL: &str = "insert into oidc_attempts (state_hash, browser_hash, return_to, created_at, expires_at) \
             values ($1, $2, $3, $4, $5)";
        self.count_try(throttle::OIDC_ADDRESS, device.subject()).await?;
        let attempt = self.attempt(
            tokens::new_token("oidc")?,
            tokens::new_token("oidc")?,
            crate::ids::clean(return_to),
        );
        let now = self.now();
        let query =
            self.db.query(SQL).bind(tokens::hash(&attempt.state)).bind(tokens::hash(&attempt.browser));
        query.bind(&attempt.return_to).bind(now).bind(now + LIFE_MS).execute().await?;
        Ok(attempt)
    }

    /// Ends it: none when the state is unknown, too old, used before, or began in another browser. Either way it is
    /// used up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_oidc(&self, state: &str, browser: &str) -> Result<Option<OidcAttempt>, RecordError> {
        const SQL: &str =
            "delete from oidc_attempts where state_hash = $1 returning browser_hash, return_to, expires_at";
        let Some(row) = self.db.query(SQL).bind(tokens::hash(state)).optional().await? else {
            return Ok(None);
        };
        if row.int("expires_at")? <= self.now() || row.text("browser_hash")? != tokens::hash(browser) {
            return Ok(None);
        }
        Ok(Some(self.attempt(state.to_owned(), browser.to_owned(), row.text("return_to")?)))
    }

    /// Signs in whom a provider vouches for. An identity that is not known yet is joined to the account with its verified
    /// address, or gets an account of its own where `admission` allows one. `Refused` when neither is possible.
    ///
    /// # Errors
    /// `Invalid` when the provider gave an address that is none.
    pub async fn sign_in_as(
        &self,
        claims: &OidcClaims,
        device: &Device,
        admission: Option<Admission<'_>>,
    ) -> Result<SignIn, RecordError> {
        const KNOWN: &str = "select person_id from person_identities where issuer = $1 and subject = $2";
        const LINK: &str = "insert into person_identities (issuer, subject, person_id, email, created_at, last_used_at) \
             values ($1, $2, $3, $4, $5, $5) on conflict (issuer, subject) do update set \
             email = excluded.email, last_used_at = excluded.last_used_at";
        let now = self.now();
        let mut tx = self.begin().await?;
        let known = tx.query(KNOWN).bind(&claims.issuer).bind(&claims.subject).optional().await?;
        let is_new = known.is_none();
        let mut stored = match known {
            Some(row) => lock_person(&mut tx, &row.text(0)?).await?,
            None => {
                let proven = claims.email.as_deref().filter(|_| claims.email_verified);
                let Some(address) = proven.map(normalise_email).transpose()? else {
                    return Ok(SignIn::Refused);
                };
                match lock_person_by_email(&mut tx, &address).await? {
                    Some(stored) => stored,
                    None if admission.is_some() => {
                        let person = self.newcomer(claims, address);
                        if !insert_person(&mut tx, &person, None).await? {
                            return Err(RecordError::conflict(
                                "somebody signs up with this address right now",
                            ));
                        }
                        Stored { person, password_hash: None }
                    }
                    None => return Ok(SignIn::Refused),
                }
            }
        };
        let mut changes = Vec::new();
        if is_new {
            changes.push(
                change("person.identity_joined", &stored.person.id).after(json!({ "issuer": claims.issuer })),
            );
        }
        if stored.person.status == PersonStatus::PendingVerification {
            // The provider proves the address. Whoever chose the password did not: it must not open the account.
            let Some(admission) = admission else { return Ok(SignIn::Refused) };
            stored.password_hash = None;
            changes.extend(self.admit_person(&mut tx, &mut stored, admission).await?);
        }
        let query = tx.query(LINK).bind(&claims.issuer).bind(&claims.subject).bind(&stored.person.id);
        query.bind(&claims.email).bind(now).execute().await?;
        if stored.person.status != PersonStatus::Approved {
            self.audit_account(&mut tx, &stored.person, changes).await?;
            tx.commit().await?;
            self.mail_written();
            return Ok(SignIn::NotApproved(stored.person));
        }
        let session = self.open_session(&mut tx, stored, "oidc", device).await?;
        changes.push(session.opened());
        self.audit_account(&mut tx, &session.person, changes).await?;
        tx.commit().await?;
        Ok(SignIn::In(session))
    }

    /// Somebody whom a provider brings and nobody here knows.
    fn newcomer(&self, claims: &OidcClaims, address: String) -> Person {
        let now = self.now();
        let name = claims.name.as_deref().and_then(|name| email::line("name", name).ok().flatten());
        Person {
            id: new_short_id("per"),
            name: name.unwrap_or_else(|| address.clone()),
            email: address,
            phone: None,
            business_name: None,
            industry: None,
            status: PersonStatus::PendingVerification,
            status_reason: None,
            token_version: 1,
            created_at: now,
            updated_at: now,
            verified_at: None,
            last_login_at: None,
        }
    }
}
