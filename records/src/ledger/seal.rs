//! What makes a changed row show: the seal of a transfer over all that it says, and the hash of an entry over the one
//! before it. Must not know the database.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::account::Account;

/// What the seal of a transfer covers.
pub(super) struct Sealed<'a> {
    pub(super) owner: &'a str,
    pub(super) key: &'a str,
    pub(super) id: &'a str,
    pub(super) reason: &'a str,
    pub(super) reference: Option<&'a str>,
    pub(super) actor: &'a str,
    pub(super) at: i64,
}

/// SHA-256 of parts, each with its length, so that no two lists of parts look alike.
struct Digest(digest::Context);

impl Digest {
    fn new(purpose: &str) -> Self {
        let mut digest = Self(digest::Context::new(&digest::SHA256));
        digest.text(purpose);
        digest
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as i64);
        self.0.update(text.as_bytes());
    }

    fn number(&mut self, number: i64) {
        self.0.update(&number.to_be_bytes());
    }

    fn finish(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.finish().as_ref())
    }
}

impl Sealed<'_> {
    /// The seal, over the lines in the order of their accounts.
    pub(super) fn seal<'a>(&self, lines: impl Iterator<Item = (&'a Account, i64)>) -> String {
        let mut digest = Digest::new("transfer");
        for part in [self.owner, self.key, self.id, self.reason, self.actor] {
            digest.text(part);
        }
        digest.number(i64::from(self.reference.is_some()));
        digest.text(self.reference.unwrap_or_default());
        digest.number(self.at);
        for (account, amount) in lines {
            digest.text(account.owner());
            digest.text(&account.name());
            digest.number(amount);
        }
        digest.finish()
    }
}

/// The hash of an entry. `before` is that of the entry before it in its account; empty for the first.
pub(super) fn entry_hash(before: &str, account: &Account, seq: i64, amount: i64, seal: &str) -> String {
    let mut digest = Digest::new("entry");
    digest.text(before);
    digest.text(account.owner());
    digest.text(&account.name());
    digest.number(seq);
    digest.number(amount);
    digest.text(seal);
    digest.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;
    use crate::ledger::AccountKind;

    #[test]
    fn every_part_shows_in_the_seal() {
        let account = Account::new(&Scope::Platform, AccountKind::Wallet, "INR");
        let base = |key, reference, amount| {
            let sealed = Sealed {
                owner: "platform",
                key,
                id: "trf_1",
                reason: "r",
                reference,
                actor: "system:",
                at: 1,
            };
            sealed.seal([(&account, amount)].into_iter())
        };
        let seals = [
            base("k", None, 1),
            base("k", None, 2),
            base("l", None, 1),
            base("k", Some(""), 1),
            base("kr", None, 1),
        ];
        for (at, one) in seals.iter().enumerate() {
            assert!(seals[at + 1..].iter().all(|other| other != one), "{at}");
        }
        let hash = |before| entry_hash(before, &account, 1, 1, &seals[0]);
        assert_ne!(hash(""), hash("x"));
    }
}
