//! What is kept of people who are not known any more: keyed hashes of what they were known by, and what they refused to
//! hear. Nobody without the master key can tell whom a hash means, not by trying all telephone numbers either.

use aws_lc_rs::hmac;
use sluice_db::{Tx, placeholders};

use crate::consents::set_consent_in;
use crate::vault::{Vault, hex};
use crate::{Consent, Identity, RecordError, Records};

/// What the keys are derived for.
const PURPOSE: &str = "marks of erased people 1";

/// Where a refusal comes from that outlived the contact.
const SOURCE: &str = "erasure";

/// Makes keyed hashes. The keys are made when they are needed: most messages come from people who are known.
pub(crate) struct Marker<'a>(&'a Vault);

impl Marker<'_> {
    /// One key for each master key that is known, by its id, the one in use first.
    fn keys(&self) -> impl Iterator<Item = (String, hmac::Key)> {
        let derived = self.0.derived(PURPOSE).into_iter();
        derived.map(|(id, key)| (id, hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// The marks of identities under the key in use.
    pub(super) fn marks(&self, workspace_id: &str, identities: &[Identity]) -> Vec<String> {
        let marks = |key| identities.iter().map(|one| mark(&key, workspace_id, one)).collect();
        self.keys().next().map_or_else(Vec::new, marks)
    }

    /// The marks of identities under every key.
    fn all_marks(&self, workspace_id: &str, identities: &[Identity]) -> Vec<String> {
        let keys: Vec<_> = self.keys().collect();
        keys.iter().flat_map(|key| identities.iter().map(|one| mark(key, workspace_id, one))).collect()
    }

    /// Gives a contact that is new, or newly known by something, what the person refused before they were erased.
    pub(crate) async fn honour(
        &self,
        tx: &mut Tx,
        workspace_id: &str,
        contact_id: &str,
        identities: &[Identity],
    ) -> Result<(), RecordError> {
        let marks = self.all_marks(workspace_id, identities);
        if marks.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "select topic, max(since) as since from refusals where workspace_id = $1 and mark in ({}) group by topic",
            placeholders(2, marks.len())
        );
        let rows = tx.query(sql).bind(workspace_id).bind_all(marks).all().await?;
        for row in &rows {
            let (topic, changed_at) = (row.text("topic")?, row.int("since")?);
            let refused = Consent { topic, granted: false, source: SOURCE.to_owned(), changed_at };
            set_consent_in(tx, workspace_id, contact_id, &refused).await?;
        }
        Ok(())
    }
}

/// The id of the key, a colon, and the hash. The workspace is in it, so that two workspaces cannot compare.
fn mark((id, key): &(String, hmac::Key), workspace_id: &str, identity: &Identity) -> String {
    let mut context = hmac::Context::with_key(key);
    for part in [workspace_id, identity.kind.as_text().as_ref(), &identity.value] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    format!("{id}:{}", hex(context.sign().as_ref()))
}

impl Records {
    /// Makes keyed hashes under the master keys that are known.
    pub(crate) fn marker(&self) -> Marker<'_> {
        Marker(&self.vault)
    }
}
