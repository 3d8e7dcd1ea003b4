//! Keys of single persons. What is sealed with one can be read until the key is destroyed; then it is gone for good,
//! in copies and backups of the sealed values too. Must not know what is sealed with it.

use zeroize::Zeroizing;

use super::cipher::{Key, Place};
use super::columns::SUBJECT_KEY;
use super::{SealError, Vault};
use crate::RecordError;

/// Sealed under the key of a person.
const SUBJECT: u8 = 3;

/// The key of one person in one workspace. Do not keep it: a destroyed key must not live on in memory.
pub struct SubjectKey {
    workspace_id: String,
    key: Key,
}

impl SubjectKey {
    /// Seals `bytes` for one field of one row.
    ///
    /// # Errors
    /// When the operating system has no random numbers.
    pub fn seal(&self, row: &str, field: &str, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
        let place = Place { scope: &self.workspace_id, row, field };
        self.key.seal(&[SUBJECT], SUBJECT, place, bytes)
    }

    /// Opens what was sealed for the same place.
    ///
    /// # Errors
    /// `Damaged` when it was changed or belongs to another place or person.
    pub fn open(&self, row: &str, field: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let place = Place { scope: &self.workspace_id, row, field };
        match sealed.split_first() {
            Some((&SUBJECT, text)) => self.key.open(SUBJECT, place, text),
            _ => Err(SealError::Damaged),
        }
    }
}

impl Vault {
    /// The key of a contact, made when it has none.
    ///
    /// # Errors
    /// `Seal(Erased)` when it was destroyed.
    pub async fn subject_key(&self, workspace_id: &str, contact_id: &str) -> Result<SubjectKey, RecordError> {
        if let Some(found) = self.find_subject_key(workspace_id, contact_id).await? {
            return Ok(found);
        }
        let wrapped = self.seal(workspace_id, contact_id, SUBJECT_KEY, Key::generate()?.0.as_slice()).await?;
        let sql = "insert into subject_keys (workspace_id, contact_id, wrapped, created_at) \
                   values ($1, $2, $3, $4) on conflict do nothing";
        let query = self.db.query(sql).bind(workspace_id).bind(contact_id);
        query.bind(wrapped).bind((self.clock)()).execute().await?;
        let made = self.find_subject_key(workspace_id, contact_id).await?;
        made.ok_or_else(|| RecordError::not_found("key of the contact", contact_id))
    }

    /// The key of a contact, if it has one.
    ///
    /// # Errors
    /// `Seal(Erased)` when it was destroyed.
    pub async fn find_subject_key(
        &self,
        workspace_id: &str,
        contact_id: &str,
    ) -> Result<Option<SubjectKey>, RecordError> {
        let sql = "select wrapped from subject_keys where workspace_id = $1 and contact_id = $2";
        let row = self.db.query(sql).bind(workspace_id).bind(contact_id).optional().await?;
        let Some(row) = row else { return Ok(None) };
        let wrapped = row.opt_bytes("wrapped")?.ok_or(SealError::Erased)?;
        let bytes = self.open(workspace_id, contact_id, SUBJECT_KEY, &wrapped).await?;
        Ok(Some(SubjectKey { workspace_id: workspace_id.to_owned(), key: Key::from_slice(&bytes)? }))
    }

    /// Destroys the key of a contact, whether or not it had one: nobody can make another for it either. Repeating it
    /// changes nothing. Answers whether there was a key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn destroy_subject_key(
        &self,
        workspace_id: &str,
        contact_id: &str,
    ) -> Result<bool, RecordError> {
        let now = (self.clock)();
        let sql = "update subject_keys set wrapped = null, destroyed_at = $3 \
                   where workspace_id = $1 and contact_id = $2 and destroyed_at is null";
        let destroyed = self.db.query(sql).bind(workspace_id).bind(contact_id).bind(now).execute().await?;
        let sql = "insert into subject_keys (workspace_id, contact_id, wrapped, created_at, destroyed_at) \
                   values ($1, $2, null, $3, $3) on conflict do nothing";
        let barred = self.db.query(sql).bind(workspace_id).bind(contact_id).bind(now).execute().await?;
        if destroyed == 0 && barred == 0 {
            // Made between the two statements by somebody else, or destroyed before.
            let sql = "update subject_keys set wrapped = null, destroyed_at = coalesce(destroyed_at, $3) \
                       where workspace_id = $1 and contact_id = $2 and wrapped is not null";
            let late = self.db.query(sql).bind(workspace_id).bind(contact_id).bind(now).execute().await?;
            return Ok(late > 0);
        }
        Ok(destroyed > 0)
    }
}
