//! How often passwords and codes may be tried, and letters sent: limits that count from the start. A try is counted before
//! it is made, so that many at once do not slip through; one that turned out well is taken back. Must not know what is
//! tried.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{RecordError, Records};

/// Failed sign-ins to one account.
pub(crate) const SIGN_IN_ACCOUNT: &str = "sign_in.account";
/// Failed sign-ins from one network address.
pub(crate) const SIGN_IN_ADDRESS: &str = "sign_in.address";
/// Wrong codes for one account, over all its codes.
pub(crate) const CODE_ACCOUNT: &str = "code.account";
/// Wrong codes from one network address.
pub(crate) const CODE_ADDRESS: &str = "code.address";
/// Codes of one kind sent to one account.
pub(crate) const CODE_SENT_ACCOUNT: &str = "code_sent.account";
/// Codes sent for one network address.
pub(crate) const CODE_SENT_ADDRESS: &str = "code_sent.address";
/// Accounts made from one network address.
pub(crate) const SIGN_UP_ADDRESS: &str = "sign_up.address";
/// Sign-ins at another provider begun from one network address.
pub(crate) const OIDC_ADDRESS: &str = "oidc.address";

/// All of them: what is limited and is no route of the API.
pub const THROTTLES: [&str; 8] = [
    SIGN_IN_ACCOUNT,
    SIGN_IN_ADDRESS,
    CODE_ACCOUNT,
    CODE_ADDRESS,
    CODE_SENT_ACCOUNT,
    CODE_SENT_ADDRESS,
    SIGN_UP_ADDRESS,
    OIDC_ADDRESS,
];

/// What is stored of a subject: it may be the e-mail address of somebody who has no account.
fn subject_hash(subject: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, subject.as_bytes()).as_ref())
}

impl Records {
    /// Counts a try.
    ///
    /// # Errors
    /// `Throttled` when there were too many.
    pub(crate) async fn count_try(&self, rule: &str, subject: &str) -> Result<(), RecordError> {
        match self.throttle(rule, &subject_hash(subject)).await? {
            Some(decision) if !decision.allowed => Err(RecordError::Throttled(Box::new(decision))),
            _ => Ok(()),
        }
    }

    /// Takes a try back that turned out well.
    pub(crate) async fn forgive(&self, rule: &str, subject: &str) -> Result<(), RecordError> {
        self.take_back(rule, &subject_hash(subject)).await
    }

    /// Forgets all tries of a subject.
    pub(crate) async fn absolve(&self, rule: &str, subject: &str) -> Result<(), RecordError> {
        self.forget_tries(rule, &subject_hash(subject)).await
    }
}
