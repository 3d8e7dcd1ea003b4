//! The vault: seals small secrets under data keys, which are stored wrapped by a master key (envelope encryption).
//!
//! A sealed value is a version byte (2), the id of its data key (8 bytes), a random nonce (12), the ciphertext and the
//! tag (16); it is bound to scope, row and field. Every workspace has data keys of its own; the platform has some too,
//! under the empty scope. Version 1, sealed by the master key itself, is still opened; rotation replaces it.
//! Must not know what the secrets are for.

mod cipher;
mod columns;
mod master_key;
mod rotate;
mod secret;
mod status;
mod subject;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::rand;
use sluice_db::{Db, Row};
use zeroize::Zeroizing;

use crate::store::Clock;
use crate::{RecordError, Records};
use cipher::{Key, Place};

pub(crate) use cipher::hex;
pub use cipher::{Cipher, SealError};
pub(crate) use columns::{CREDENTIAL, ERASURE, VERIFIER};
pub use master_key::MasterKey;
pub use rotate::Rotated;
pub use secret::Secret;
pub use status::{SealedValues, VaultStatus};
pub use subject::SubjectKey;

/// Sealed under a data key.
const ENVELOPE: u8 = 2;
/// Bytes of the id of a data key.
const DATA_KEY_ID_LEN: usize = 8;
const HEAD_LEN: usize = 1 + DATA_KEY_ID_LEN;
/// What a wrapped data key is bound to, beside its workspace and id.
const DATA_KEY: &str = "data_key";
/// Unwrapped keys that a process keeps.
const KEPT: usize = 10_000;

/// Data keys in memory by scope and id.
type Unwrapped = HashMap<(String, String), Arc<Key>>;

/// Seals and opens secrets. Cloning is cheap; clones share the unwrapped keys.
#[derive(Clone)]
pub struct Vault {
    db: Db,
    cipher: Arc<Cipher>,
    clock: Clock,
    keys: Arc<RwLock<Unwrapped>>,
}

/// Seals values of one scope under the data key that was in use when it was made. For work inside a transaction, where
/// the vault cannot be asked; make a new one for every piece of work.
pub struct Sealer {
    scope: String,
    id: String,
    key: Arc<Key>,
}

impl Sealer {
    /// Seals `bytes` for one field of one row.
    ///
    /// # Errors
    /// When the operating system has no random numbers.
    pub fn seal(&self, row: &str, field: &str, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
        let place = Place { scope: &self.scope, row, field };
        self.key.seal(&head(&self.id)?, ENVELOPE, place, bytes)
    }

    /// Whether a value is sealed under this very data key.
    fn has_sealed(&self, sealed: &[u8]) -> bool {
        head(&self.id).is_ok_and(|head| sealed.starts_with(&head))
    }
}

impl Vault {
    pub(crate) fn new(db: Db, cipher: Cipher, clock: Clock) -> Self {
        Self { db, cipher: Arc::new(cipher), clock, keys: Arc::default() }
    }

    /// Seals `bytes` for one field of one row. `scope` is the workspace, or empty for the platform.
    ///
    /// # Errors
    /// When the data key of the scope cannot be unwrapped or the database fails.
    pub async fn seal(
        &self,
        scope: &str,
        row: &str,
        field: &str,
        bytes: &[u8],
    ) -> Result<Vec<u8>, RecordError> {
        Ok(self.sealer(scope).await?.seal(row, field, bytes)?)
    }

    /// Opens what [`Vault::seal`] sealed for the same place. A data key that is not in memory is loaded.
    ///
    /// # Errors
    /// `Seal` when it belongs to another place, was changed, or its key is missing.
    pub async fn open(
        &self,
        scope: &str,
        row: &str,
        field: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, RecordError> {
        let place = Place { scope, row, field };
        if cipher::is_direct(sealed) {
            return Ok(self.cipher.open_direct(place, sealed)?);
        }
        let (head, text) = sealed.split_at_checked(HEAD_LEN).ok_or(SealError::Damaged)?;
        if head[0] != ENVELOPE {
            return Err(SealError::Damaged.into());
        }
        let key = self.data_key(scope, &hex(&head[1..])).await?;
        Ok(key.open(ENVELOPE, place, text)?)
    }

    /// Seals under the data key that is in use now, which is made when there is none.
    ///
    /// # Errors
    /// As for [`Vault::seal`].
    pub async fn sealer(&self, scope: &str) -> Result<Sealer, RecordError> {
        const SQL: &str =
            "select id, master_key, wrapped from data_keys where workspace_id = $1 and retired_at is null";
        let row = match self.db.query(SQL).bind(scope).optional().await? {
            Some(row) => row,
            None => {
                self.make_data_key(scope).await?;
                self.db.query(SQL).bind(scope).one().await?
            }
        };
        let id = row.text("id")?;
        let key = match self.kept(scope, &id) {
            Some(key) => key,
            None => self.unwrap(scope, &id, &row)?,
        };
        Ok(Sealer { scope: scope.to_owned(), id, key })
    }

    /// A key for signing, made from the current master key.
    pub(crate) fn derive(&self, purpose: &str) -> Vec<u8> {
        self.cipher.derive(purpose)
    }

    /// The same of every master key that is known, by its id; the one in use comes first.
    pub(crate) fn derived(&self, purpose: &str) -> Vec<(String, Zeroizing<Vec<u8>>)> {
        self.cipher.derived(purpose)
    }

    /// When two processes make the first key of a scope at once, that of one counts for both.
    async fn make_data_key(&self, scope: &str) -> Result<(), RecordError> {
        let (id, wrapped) = self.new_data_key(scope)?;
        let sql = "insert into data_keys (workspace_id, id, master_key, wrapped, rotation_id, created_at) \
                   values ($1, $2, $3, $4, '', $5) on conflict do nothing";
        let query = self.db.query(sql).bind(scope).bind(id).bind(self.cipher.current());
        query.bind(wrapped).bind((self.clock)()).execute().await?;
        Ok(())
    }

    /// Id and wrapped form of a new data key.
    fn new_data_key(&self, scope: &str) -> Result<(String, Vec<u8>), SealError> {
        let mut id = [0_u8; DATA_KEY_ID_LEN];
        rand::fill(&mut id).map_err(|_| SealError::NoRandomness)?;
        let id = hex(&id);
        let place = Place { scope, row: &id, field: DATA_KEY };
        let wrapped = self.cipher.wrap(place, &Key::generate()?)?;
        Ok((id, wrapped))
    }

    async fn data_key(&self, scope: &str, id: &str) -> Result<Arc<Key>, RecordError> {
        if let Some(key) = self.kept(scope, id) {
            return Ok(key);
        }
        let sql = "select master_key, wrapped from data_keys where workspace_id = $1 and id = $2";
        let row = self.db.query(sql).bind(scope).bind(id).optional().await?;
        match row {
            Some(row) => self.unwrap(scope, id, &row),
            // A value that was moved here from another workspace names a key that this one does not have.
            None if self.exists(id).await? => Err(SealError::Damaged.into()),
            None => Err(SealError::NoDataKey(id.to_owned()).into()),
        }
    }

    async fn exists(&self, id: &str) -> Result<bool, RecordError> {
        let found = self.db.query("select 1 as found from data_keys where id = $1 limit 1").bind(id);
        Ok(found.optional().await?.is_some())
    }

    fn unwrap(&self, scope: &str, id: &str, row: &Row) -> Result<Arc<Key>, RecordError> {
        let place = Place { scope, row: id, field: DATA_KEY };
        let key = self.cipher.unwrap(place, &row.text("master_key")?, &row.bytes("wrapped")?)?;
        let key = Arc::new(key);
        let mut kept = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert((scope.to_owned(), id.to_owned()), key.clone());
        Ok(key)
    }

    fn kept(&self, scope: &str, id: &str) -> Option<Arc<Key>> {
        let kept = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(&(scope.to_owned(), id.to_owned())).cloned()
    }
}

impl Records {
    /// Where secrets are sealed and opened.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }
}

/// What a value begins with that is sealed under the data key of this id.
fn head(id: &str) -> Result<[u8; HEAD_LEN], SealError> {
    let mut head = [ENVELOPE; HEAD_LEN];
    if id.len() != 2 * DATA_KEY_ID_LEN {
        return Err(SealError::Damaged);
    }
    for (at, byte) in head[1..].iter_mut().enumerate() {
        let digits = id.get(2 * at..2 * at + 2).ok_or(SealError::Damaged)?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| SealError::Damaged)?;
    }
    Ok(head)
}
