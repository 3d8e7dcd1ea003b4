//! One-time codes: issued by e-mail or at the command line, good for one use, five tries and a short time. Must not know
//! what a code opens.

use aws_lc_rs::constant_time;
use serde::{Deserialize, Serialize};
use sluice_db::Tx;

use crate::throttle;
use crate::{RecordError, Records};

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodePurpose {
    /// Proves the address of a sign-up.
    VerifyEmail,
    /// Lets its owner set a password.
    ResetPassword,
}

/// How long a code that was sent by mail is good.
pub(crate) const CODE_LIFE_MS: i64 = 15 * 60 * 1_000;
/// How long a code that an operator hands over is good.
pub(crate) const LONG_CODE_LIFE_MS: i64 = 24 * 60 * 60 * 1_000;

/// Tries of one code.
const TRIES: i64 = 5;

/// A code that was found right, to be used up within a transaction.
pub(crate) struct RightCode {
    purpose: CodePurpose,
    email: String,
    hash: String,
}

impl CodePurpose {
    pub(super) fn as_text(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }
}

impl RightCode {
    /// Uses the code up; of two who do so at once, one is refused.
    pub(crate) async fn spend(self, tx: &mut Tx) -> Result<(), RecordError> {
        let sql = "delete from sign_in_codes where purpose = $1 and email = $2 and code_hash = $3";
        let query = tx.query(sql).bind(self.purpose.as_text()).bind(&self.email).bind(&self.hash);
        if query.execute().await? == 0 { Err(RecordError::CodeRefused) } else { Ok(()) }
    }
}

/// As people type it: with spaces, hyphens and small letters.
fn canonical(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()).collect()
}

impl Records {
    fn code_hash(&self, purpose: CodePurpose, email: &str, code: &str) -> String {
        self.keyed_hash("one-time codes", &[purpose.as_text(), email, &canonical(code)])
    }

    /// Stores a code; the one before is worthless from now on.
    pub(crate) async fn issue_code(
        &self,
        tx: &mut Tx,
        purpose: CodePurpose,
        email: &str,
        code: &str,
        life_ms: i64,
    ) -> Result<(), RecordError> {
        const SQL: &str = "insert into sign_in_codes (purpose, email, code_hash, attempts, created_at, expires_at) \
             values ($1, $2, $3, 0, $4, $5) on conflict (purpose, email) do update set \
             code_hash = excluded.code_hash, attempts = 0, created_at = excluded.created_at, \
             expires_at = excluded.expires_at";
        let now = self.now();
        let hash = self.code_hash(purpose, email, code);
        let query = tx.query(SQL).bind(purpose.as_text()).bind(email).bind(hash);
        query.bind(now).bind(now + life_ms).execute().await?;
        Ok(())
    }

    /// Tries a code. The try counts before it is looked at, so that many at once get no more than five.
    ///
    /// # Errors
    /// `CodeRefused` for whatever is wrong with it, `Throttled` when this account or `address` tried too often.
    pub(crate) async fn try_code(
        &self,
        purpose: CodePurpose,
        email: &str,
        code: &str,
        address: &str,
    ) -> Result<RightCode, RecordError> {
        const SQL: &str = "update sign_in_codes set attempts = attempts + 1 \
             where purpose = $1 and email = $2 and attempts < $3 and expires_at > $4 returning code_hash";
        self.count_try(throttle::CODE_ADDRESS, address).await?;
        self.count_try(throttle::CODE_ACCOUNT, email).await?;
        let query = self.db.query(SQL).bind(purpose.as_text()).bind(email).bind(TRIES).bind(self.now());
        let stored = query.optional().await?.ok_or(RecordError::CodeRefused)?.text("code_hash")?;
        let hash = self.code_hash(purpose, email, code);
        constant_time::verify_slices_are_equal(stored.as_bytes(), hash.as_bytes())
            .map_err(|_| RecordError::CodeRefused)?;
        self.forgive(throttle::CODE_ADDRESS, address).await?;
        self.forgive(throttle::CODE_ACCOUNT, email).await?;
        Ok(RightCode { purpose, email: email.to_owned(), hash })
    }

    /// Whether a code would be accepted, without using it up. Counts as a try.
    ///
    /// # Errors
    /// `CodeRefused`, `Throttled`.
    pub async fn check_code(
        &self,
        purpose: CodePurpose,
        email: &str,
        code: &str,
        address: &str,
    ) -> Result<(), RecordError> {
        let email = super::normalise_email(email).map_err(|_| RecordError::CodeRefused)?;
        self.try_code(purpose, &email, code, address).await.map(drop)
    }

    /// Forgets up to `limit` codes, sign-ins under way and sessions that ended before `before`. Returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge_sign_in(&self, before: i64, limit: u32) -> Result<u64, RecordError> {
        const OF_SESSIONS: &str = "delete from refresh_tokens where token_hash in \
             (select t.token_hash from refresh_tokens t join sessions s on s.id = t.session_id \
             where s.expires_at < $1 limit $2)";
        const ALL: &[&str] = &[
            "delete from sign_in_codes where (purpose, email) in \
             (select purpose, email from sign_in_codes where expires_at < $1 limit $2)",
            "delete from oidc_attempts where state_hash in \
             (select state_hash from oidc_attempts where expires_at < $1 limit $2)",
            OF_SESSIONS,
            // After their tokens, so that none is left without its session.
            "delete from sessions where id in (select id from sessions s where expires_at < $1 \
             and not exists (select 1 from refresh_tokens t where t.session_id = s.id) limit $2)",
        ];
        let mut gone = 0;
        for sql in ALL {
            gone += self.db.query(*sql).bind(before).bind(limit).execute().await?;
        }
        Ok(gone)
    }
}
