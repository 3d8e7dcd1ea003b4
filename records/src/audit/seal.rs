//! What proves the audit trail: HMAC-SHA-256 under keys made from the master keys. Without such a key nobody can make an
//! entry, change one or leave one out so that it fits. Must not know the database.

use aws_lc_rs::hmac;

use super::entry::{AuditEntry, put};
use crate::vault::Vault;
use crate::{RecordError, SealError};

/// What the keys are derived for.
const PURPOSE: &str = "audit trail 1";

/// Stands before the bytes of a head.
const HEAD_LABEL: &[u8] = b"sluice audit head 1\0";

/// What stands for the hash of the entry before the first.
pub(super) const NOTHING: [u8; 32] = [0; 32];

/// The newest entry of a chain, sealed: what proves that none is missing at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) chain: String,
    pub(super) entries: i64,
    pub(super) last_hash: Vec<u8>,
    pub(super) key_id: String,
    /// Empty for a head that was found damaged: it stays so, as evidence.
    pub(super) seal: Vec<u8>,
}

impl Head {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = HEAD_LABEL.to_vec();
        put(&mut bytes, Some(self.chain.as_bytes()));
        bytes.extend_from_slice(&self.entries.to_be_bytes());
        put(&mut bytes, Some(&self.last_hash));
        put(&mut bytes, Some(self.key_id.as_bytes()));
        bytes
    }
}

/// One key for each master key, the one in use first.
pub(super) struct Keys(Vec<(String, hmac::Key)>);

impl Keys {
    pub(super) fn of(vault: &Vault) -> Self {
        let derived = vault.derived(PURPOSE).into_iter();
        Self(derived.map(|(id, key)| (id, hmac::Key::new(hmac::HMAC_SHA256, &key))).collect())
    }

    /// Signs an entry, which names the key from now on.
    pub(super) fn sign(&self, entry: &mut AuditEntry) {
        let (id, key) = &self.0[0];
        entry.key_id.clone_from(id);
        entry.hash = hmac::sign(key, &entry.bytes()).as_ref().to_vec();
    }

    /// Seals a head.
    pub(super) fn seal(&self, head: &mut Head) {
        let (id, key) = &self.0[0];
        head.key_id.clone_from(id);
        head.seal = hmac::sign(key, &head.bytes()).as_ref().to_vec();
    }

    /// Whether a head was sealed with the key in use.
    pub(super) fn is_current(&self, head: &Head) -> bool {
        head.key_id == self.0[0].0
    }

    /// Whether an entry is as it was signed.
    ///
    /// # Errors
    /// `Seal` when it was signed with a key that is not at hand.
    pub(super) fn is_signed(&self, entry: &AuditEntry) -> Result<bool, RecordError> {
        let key = self.find(&entry.key_id)?;
        Ok(hmac::verify(key, &entry.bytes(), &entry.hash).is_ok())
    }

    /// Whether a head is as it was sealed.
    ///
    /// # Errors
    /// `Seal` when it was sealed with a key that is not at hand.
    pub(super) fn is_sealed(&self, head: &Head) -> Result<bool, RecordError> {
        let key = self.find(&head.key_id)?;
        Ok(hmac::verify(key, &head.bytes(), &head.seal).is_ok())
    }

    fn find(&self, id: &str) -> Result<&hmac::Key, SealError> {
        let found = self.0.iter().find(|(known, _)| known == id).map(|(_, key)| key);
        found.ok_or_else(|| SealError::WrongKey { sealed_with: id.to_owned(), have: self.0[0].0.clone() })
    }
}
