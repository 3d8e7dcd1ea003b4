//! How often something may be tried: a count per rule and subject that all processes share. Must not know what is tried.
//!
//! A try is counted before it is made, so that many at once do not slip through; one that turned out well is taken back.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{RecordError, Records};

/// So many tries in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Names it in the database.
    pub name: &'static str,
    /// Tries until it refuses.
    pub tries: i64,
    /// How long a window is, milliseconds. It begins with the first try.
    pub window_ms: i64,
}

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

impl Rule {
    /// Failed sign-ins to one account.
    pub const SIGN_IN_ACCOUNT: Self = Self { name: "sign_in_account", tries: 10, window_ms: 15 * MINUTE };
    /// Failed sign-ins from one network address.
    pub const SIGN_IN_ADDRESS: Self = Self { name: "sign_in_address", tries: 50, window_ms: 15 * MINUTE };
    /// Wrong codes for one account, over all its codes.
    pub const CODE_ACCOUNT: Self = Self { name: "code_account", tries: 15, window_ms: HOUR };
    /// Wrong codes from one network address.
    pub const CODE_ADDRESS: Self = Self { name: "code_address", tries: 50, window_ms: 15 * MINUTE };
    /// Codes sent to one account.
    pub const SEND_ACCOUNT: Self = Self { name: "send_account", tries: 3, window_ms: HOUR };
    /// Codes sent for one network address.
    pub const SEND_ADDRESS: Self = Self { name: "send_address", tries: 30, window_ms: HOUR };
    /// Accounts made from one network address.
    pub const SIGN_UP_ADDRESS: Self = Self { name: "sign_up_address", tries: 30, window_ms: HOUR };
    /// Sign-ins at another provider begun from one network address.
    pub const OIDC_ADDRESS: Self = Self { name: "oidc_address", tries: 60, window_ms: 15 * MINUTE };
}

/// What is stored of a subject: it may be the e-mail address of somebody who has no account.
fn subject_hash(subject: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, subject.as_bytes()).as_ref())
}

impl Records {
    /// Counts a try.
    ///
    /// # Errors
    /// `Throttled` when there were too many; says when the window ends.
    pub async fn count_try(&self, rule: Rule, subject: &str) -> Result<(), RecordError> {
        const SQL: &str = "insert into throttles (rule, subject, hits, window_ends_at) values ($1, $2, 1, $4) \
             on conflict (rule, subject) do update set \
             hits = case when throttles.window_ends_at <= $3 then 1 else throttles.hits + 1 end, \
             window_ends_at = case when throttles.window_ends_at <= $3 then $4 else throttles.window_ends_at end \
             returning hits, window_ends_at";
        let now = self.now();
        let query = self.db.query(SQL).bind(rule.name).bind(subject_hash(subject));
        let row = query.bind(now).bind(now + rule.window_ms).one().await?;
        if row.int("hits")? > rule.tries {
            return Err(RecordError::Throttled { retry_after_ms: (row.int("window_ends_at")? - now).max(1) });
        }
        Ok(())
    }

    /// Takes a try back that turned out well.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forgive(&self, rule: Rule, subject: &str) -> Result<(), RecordError> {
        const SQL: &str =
            "update throttles set hits = hits - 1 where rule = $1 and subject = $2 and hits > 0";
        self.db.query(SQL).bind(rule.name).bind(subject_hash(subject)).execute().await?;
        Ok(())
    }

    /// Forgets all tries of a subject.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn absolve(&self, rule: Rule, subject: &str) -> Result<(), RecordError> {
        let sql = "delete from throttles where rule = $1 and subject = $2";
        self.db.query(sql).bind(rule.name).bind(subject_hash(subject)).execute().await?;
        Ok(())
    }
}
