//! AES-256-GCM over one value, bound to the place where it is stored, and the ring of master keys.
//!
//! The associated data is workspace, row, field and version, so that sealed values cannot be swapped between places.
//! Must not know the database.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::master_key::{MASTER_ID_LEN, MasterKey};

/// Bytes of every key.
pub(super) const KEY_LEN: usize = 32;
/// Values that earlier releases sealed with the master key itself.
const DIRECT: u8 = 1;
const DIRECT_HEAD: usize = 1 + MASTER_ID_LEN;
/// The version in the associated data of wrapped keys.
const WRAPPED: u8 = 1;
/// Bytes of the tag of AES-GCM.
const TAG_LEN: usize = 16;

/// Why a key or a sealed value is unusable.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error(
        "the master key must be 32 bytes, as 64 hexadecimal digits or base64 (44 characters); make one with `openssl rand -base64 32`"
    )]
    BadKey,
    #[error(
        "the secret was sealed with master key {sealed_with}, this process has {have}; start it with the right \
         SLUICE_MASTER_KEY or master.key file, or name the old key in SLUICE_MASTER_KEY_EARLIER"
    )]
    WrongKey { sealed_with: String, have: String },
    #[error(
        "the data key {0} of a sealed secret is not in the database; restore it from a backup, or store the secret again"
    )]
    NoDataKey(String),
    #[error("the sealed secret was changed or belongs to another row; store the credential again")]
    Damaged,
    #[error(
        "the key of this person was destroyed when their data was erased; what it sealed is gone for good"
    )]
    Erased,
    #[error("the master key file {path} cannot be used; check its owner and permissions")]
    File {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the operating system has no random numbers to give; try again")]
    NoRandomness,
}

/// The place a sealed value belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The workspace; empty for what belongs to the platform.
    pub(super) scope: &'a str,
    pub(super) row: &'a str,
    pub(super) field: &'a str,
}

impl Place<'_> {
    /// Every part is preceded by its length, so that no two places read the same.
    fn aad(&self, version: u8) -> Vec<u8> {
        let mut aad = Vec::new();
        for part in [self.scope, self.row, self.field] {
            aad.extend_from_slice(&(part.len() as u64).to_be_bytes());
            aad.extend_from_slice(part.as_bytes());
        }
        aad.push(version);
        aad
    }
}

/// A key that is used, not stored: wiped from memory when dropped; has no `Debug`.
#[derive(Clone)]
pub(super) struct Key(pub(super) Zeroizing<[u8; KEY_LEN]>);

impl Key {
    /// A new random key.
    pub(super) fn generate() -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0_u8; KEY_LEN]);
        rand::fill(key.as_mut_slice()).map_err(|_| SealError::NoRandomness)?;
        Ok(Self(key))
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0_u8; KEY_LEN]);
        if bytes.len() != KEY_LEN {
            return Err(SealError::Damaged);
        }
        key.copy_from_slice(bytes);
        Ok(Self(key))
    }

    /// `head`, then nonce, ciphertext and tag.
    pub(super) fn seal(
        &self,
        head: &[u8],
        version: u8,
        place: Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let aead = RandomizedNonceKey::new(&AES_256_GCM, self.0.as_slice()).map_err(|_| SealError::BadKey)?;
        // Encrypted where it will stay, so that no copy of the plain text is left behind.
        let start = head.len() + NONCE_LEN;
        let mut sealed = Vec::with_capacity(start + plain.len() + TAG_LEN);
        sealed.extend_from_slice(head);
        sealed.extend_from_slice(&[0; NONCE_LEN]);
        sealed.extend_from_slice(plain);
        let (nonce, tag) = aead
            .seal_in_place_separate_tag(Aad::from(place.aad(version)), &mut sealed[start..])
            .map_err(|_| SealError::NoRandomness)?;
        sealed[head.len()..start].copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens nonce, ciphertext and tag.
    pub(super) fn open(
        &self,
        version: u8,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::Damaged)?;
        let aead = RandomizedNonceKey::new(&AES_256_GCM, self.0.as_slice()).map_err(|_| SealError::BadKey)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Damaged)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = aead
            .open_in_place(nonce, Aad::from(place.aad(version)), &mut text)
            .map_err(|_| SealError::Damaged)?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

/// The master keys: wraps with the first and unwraps with all.
pub struct Cipher {
    keys: Vec<(MasterKey, [u8; MASTER_ID_LEN])>,
}

impl Cipher {
    /// Wraps and unwraps with `key`.
    pub fn new(key: MasterKey) -> Self {
        let id = key.id();
        Self { keys: vec![(key, id)] }
    }

    /// Also unwraps what an earlier key wrapped.
    #[must_use]
    pub fn with_earlier(mut self, key: MasterKey) -> Self {
        let id = key.id();
        self.keys.push((key, id));
        self
    }

    /// Names the key that wraps: eight hexadecimal digits.
    pub(super) fn current(&self) -> String {
        hex(&self.keys[0].1)
    }

    /// Whether what this key wrapped can be unwrapped here.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.keys.iter().any(|(_, known)| hex(known) == id)
    }

    /// A key for another purpose, made from the current master key.
    pub(super) fn derive(&self, purpose: &str) -> Vec<u8> {
        self.keys[0].0.derive(purpose)
    }

    /// What every key is made into for another purpose (see [`MasterKey::derive`]), by the id of the key; the one in
    /// use comes first.
    pub(super) fn derived(&self, purpose: &str) -> Vec<(String, Zeroizing<Vec<u8>>)> {
        let keys = self.keys.iter();
        keys.map(|(key, id)| (hex(id), Zeroizing::new(key.derive(purpose)))).collect()
    }

    pub(super) fn wrap(&self, place: Place<'_>, key: &Key) -> Result<Vec<u8>, SealError> {
        Key(self.keys[0].0.0.clone()).seal(&[], WRAPPED, place, key.0.as_slice())
    }

    pub(super) fn unwrap(&self, place: Place<'_>, id: &str, wrapped: &[u8]) -> Result<Key, SealError> {
        Key::from_slice(&self.key(|known| hex(known) == id, || id.to_owned())?.open(WRAPPED, place, wrapped)?)
    }

    /// Opens what an earlier release sealed with a master key itself.
    pub(super) fn open_direct(
        &self,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (head, text) = sealed.split_at_checked(DIRECT_HEAD).ok_or(SealError::Damaged)?;
        let id = &head[1..];
        self.key(|known| known == id, || hex(id))?.open(DIRECT, place, text)
    }

    fn key(&self, is_it: impl Fn(&[u8]) -> bool, name: impl Fn() -> String) -> Result<Key, SealError> {
        match self.keys.iter().find(|(_, known)| is_it(known)) {
            Some((key, _)) => Ok(Key(key.0.clone())),
            None => Err(SealError::WrongKey { sealed_with: name(), have: self.current() }),
        }
    }
}

/// Whether a value was sealed by the master key itself.
pub(super) fn is_direct(sealed: &[u8]) -> bool {
    sealed.first() == Some(&DIRECT)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'static> = Place { scope: "ws_1", row: "crd_1", field: "credential" };

    #[test]
    fn a_secret_comes_back_and_leaves_no_trace() {
        let key = Key::generate().unwrap();
        let sealed = key.seal(b"head", 2, PLACE, b"very-secret").unwrap();
        assert!(sealed.starts_with(b"head") && !sealed.windows(11).any(|part| part == b"very-secret"));
        assert_eq!(key.open(2, PLACE, &sealed[4..]).unwrap().as_slice(), b"very-secret");
        let again = key.seal(b"head", 2, PLACE, b"very-secret").unwrap();
        assert_ne!(sealed, again, "a nonce must never come twice");
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let key = Key::generate().unwrap();
        let sealed = key.seal(&[], 2, PLACE, b"x").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(2, PLACE, &changed).is_err(), "byte {at}");
        }
        for length in 0..sealed.len() {
            assert!(key.open(2, PLACE, &sealed[..length]).is_err());
        }
    }

    #[test]
    fn a_sealed_value_belongs_to_its_place_and_version() {
        let key = Key::generate().unwrap();
        let sealed = key.seal(&[], 2, PLACE, b"x").unwrap();
        for other in [
            Place { scope: "ws_2", ..PLACE },
            Place { row: "crd_2", ..PLACE },
            Place { field: "other", ..PLACE },
            Place { scope: "ws_1c", row: "rd_1", ..PLACE },
        ] {
            assert!(matches!(key.open(2, other, &sealed), Err(SealError::Damaged)));
        }
        assert!(matches!(key.open(3, PLACE, &sealed), Err(SealError::Damaged)));
    }

    #[test]
    fn another_master_key_is_named() {
        let old = MasterKey::generate().unwrap();
        let (ring, key) = (Cipher::new(old.clone()), Key::generate().unwrap());
        let (id, wrapped) = (ring.current(), ring.wrap(PLACE, &key).unwrap());
        let new = Cipher::new(MasterKey::generate().unwrap());
        let Err(error) = new.unwrap(PLACE, &id, &wrapped) else { panic!("opened with the wrong key") };
        assert!(matches!(error, SealError::WrongKey { .. }));
        assert!(error.to_string().contains("SLUICE_MASTER_KEY_EARLIER"));
        let both = new.with_earlier(old);
        assert_eq!(both.unwrap(PLACE, &id, &wrapped).unwrap().0, key.0);
        assert!(both.knows(&id) && both.current() != id);
    }
}
