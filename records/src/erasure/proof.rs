//! The seal over a finished erasure: whoever can write to the database but does not have the master key can neither make
//! such a record nor change one.

use aws_lc_rs::hmac;
use serde_json::json;

use super::Erasure;
use crate::Records;
use crate::vault::hex;

/// What the keys are derived for.
const PURPOSE: &str = "proofs of erasure 1";

/// Everything that the record says, in one order.
fn text(erasure: &Erasure) -> String {
    json!([
        erasure.workspace_id,
        erasure.id,
        erasure.contact_id,
        erasure.marks,
        erasure.counts,
        erasure.asked_by,
        erasure.asked_at,
        erasure.left_at,
        erasure.finished_at,
    ])
    .to_string()
}

impl Records {
    /// Seals a record under the key in use.
    pub(super) fn prove(&self, erasure: &mut Erasure) {
        // There is always a key in use; without one there would be no proof, and verification would say so.
        if let Some((id, key)) = self.vault.derived(PURPOSE).into_iter().next() {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), text(erasure).as_bytes());
            erasure.key_id = id;
            erasure.proof = Some(hex(tag.as_ref()));
        }
    }

    /// Whether a finished record is as it was sealed. None when it is not finished, or when the key that sealed it is not
    /// at hand.
    pub fn verify_erasure(&self, erasure: &Erasure) -> Option<bool> {
        let proof = erasure.proof.as_deref()?;
        let keys = self.vault.derived(PURPOSE);
        let (_, key) = keys.iter().find(|(id, _)| *id == erasure.key_id)?;
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text(erasure).as_bytes());
        Some(hex(tag.as_ref()) == proof)
    }
}
