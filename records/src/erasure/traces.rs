//! What tells of a person: ids that were theirs alone, and what they were known by. Sealed while an erasure is under way,
//! forgotten with its end.

use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};
use sluice_db::Tx;

use crate::{Contact, Identity, IdentityKind, RecordError, SealError};

/// The shortest word that is looked for: shorter ones are found everywhere.
const SHORTEST: usize = 7;

/// What to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traces {
    /// The contact, and those that were merged into it.
    pub contact_ids: Vec<String>,
    /// Their conversations.
    pub conversation_ids: Vec<String>,
    /// Telephone numbers as digits, user ids, e-mail addresses.
    pub words: Vec<String>,
    /// What is compared to recognise somebody: see [`Identity`].
    pub values: Vec<String>,
}

/// Finds traces in bytes.
#[derive(Debug)]
pub struct Finder {
    ids: AhoCorasick,
    all: AhoCorasick,
}

impl Finder {
    /// Whether the bytes tell of the person by an id that was theirs alone.
    pub fn has_id(&self, bytes: &[u8]) -> bool {
        self.ids.is_match(bytes)
    }

    /// Whether they do so by an id, or by what the person was known by. Somebody new may be known by the same.
    pub fn has_any(&self, bytes: &[u8]) -> bool {
        self.all.is_match(bytes)
    }
}

impl Traces {
    /// The traces of a contact.
    pub(super) async fn of(tx: &mut Tx, contact: &Contact) -> Result<Self, RecordError> {
        let mut traces = Self { contact_ids: vec![contact.id.clone()], ..Self::default() };
        let sql = "select merged_id from contact_merges where workspace_id = $1 and into_id = $2";
        for row in tx.query(sql).bind(&contact.workspace_id).bind(&contact.id).all().await? {
            traces.contact_ids.push(row.text(0)?);
        }
        let sql = "select id from conversations where workspace_id = $1 and contact_id = $2";
        for row in tx.query(sql).bind(&contact.workspace_id).bind(&contact.id).all().await? {
            traces.conversation_ids.push(row.text(0)?);
        }
        traces.words = contact.identities.iter().flat_map(words_of).collect();
        traces.words.sort();
        traces.words.dedup();
        traces.values = contact.identities.iter().map(|one| one.value.clone()).collect();
        Ok(traces)
    }

    /// Adds what others found.
    pub(super) fn add(&mut self, other: Self) {
        for (ours, theirs) in [
            (&mut self.contact_ids, other.contact_ids),
            (&mut self.conversation_ids, other.conversation_ids),
            (&mut self.words, other.words),
            (&mut self.values, other.values),
        ] {
            ours.extend(theirs);
            ours.sort();
            ours.dedup();
        }
    }

    /// Searches for all of them at once, whatever the case.
    ///
    /// # Errors
    /// `Invalid` when there are too many to be searched for.
    pub fn finder(&self) -> Result<Finder, RecordError> {
        let build = |words: Vec<&String>| {
            let built = AhoCorasick::builder().ascii_case_insensitive(true).build(words);
            built.map_err(|error| RecordError::invalid("traces", error.to_string()))
        };
        let ids: Vec<_> = self.contact_ids.iter().chain(&self.conversation_ids).collect();
        let all = ids.iter().copied().chain(&self.words).collect();
        Ok(Finder { ids: build(ids)?, all: build(all)? })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        Ok(serde_json::from_slice(bytes).map_err(|_| SealError::Damaged)?)
    }
}

/// How an identity is written in bodies and events: a telephone number as its digits, with a plus sign or without.
fn words_of(identity: &Identity) -> Vec<String> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let words = match identity.kind {
        IdentityKind::Phone => [digits(&identity.value), digits(&identity.address)],
        _ => [identity.value.clone(), identity.address.clone()],
    };
    words.into_iter().filter(|word| word.len() >= SHORTEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_found_however_they_are_written() {
        let identities = [
            Identity::phone("+91 98765 43210", None).unwrap(),
            Identity::email("Asha@Example.in").unwrap(),
            Identity::external("crm", "17").unwrap(),
        ];
        let traces = Traces {
            contact_ids: vec!["con_1a2b3c".into()],
            conversation_ids: vec!["cnv_9z".into()],
            words: identities.iter().flat_map(words_of).collect(),
            values: Vec::new(),
        };
        let finder = traces.finder().unwrap();
        for text in ["from 919876543210", "+919876543210", "mail asha@example.in", "ASHA@EXAMPLE.IN"] {
            assert!(finder.has_any(text.as_bytes()) && !finder.has_id(text.as_bytes()), "{text}");
        }
        for text in ["lane cnv_9z", "{\"id\":\"con_1a2b3c\"}"] {
            assert!(finder.has_any(text.as_bytes()) && finder.has_id(text.as_bytes()), "{text}");
        }
        for text in ["17", "919876543211", "asha@example.com", ""] {
            assert!(!finder.has_any(text.as_bytes()), "{text}");
        }
        assert_eq!(Traces::from_bytes(&traces.to_bytes()).unwrap(), traces);
        assert!(!Traces::default().finder().unwrap().has_any(b"anything"));
    }
}
