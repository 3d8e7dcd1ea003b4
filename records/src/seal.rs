//! Secrets at rest: AES-256-GCM under a master key, bound to the row they belong to.
//!
//! Sealed form: version byte, 4 bytes of key id, 96-bit random nonce, ciphertext and tag. The associated data is
//! workspace, row id, field and version, so that sealed values cannot be swapped between rows.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

const VERSION: u8 = 1;
const KEY_ID_LEN: usize = 4;
const HEAD_LEN: usize = 1 + KEY_ID_LEN + NONCE_LEN;
const KEY_LEN: usize = 32;

/// Why a key or a sealed value is unusable.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error(
        "the master key must be 32 bytes, as 64 hexadecimal digits or base64 (44 characters); make one with `openssl rand -base64 32`"
    )]
    BadKey,
    #[error(
        "the secret was sealed with master key {sealed_with}, this process has {have}; start it with the right SLUICE_MASTER_KEY or master.key file"
    )]
    WrongKey { sealed_with: String, have: String },
    #[error("the sealed secret was changed or belongs to another row; store the credential again")]
    Damaged,
    #[error("the master key file {path} cannot be used; check its owner and permissions")]
    File {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the operating system has no random numbers to give; try again")]
    NoRandomness,
}

/// 32 bytes that open every stored secret. Wiped from memory when dropped; has no `Debug`.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_LEN]>);

impl MasterKey {
    /// Reads 64 hexadecimal digits or base64.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let text = text.trim();
        let bytes = Zeroizing::new(decode_key(text).ok_or(SealError::BadKey)?);
        let mut key = Zeroizing::new([0u8; KEY_LEN]);
        if bytes.len() != KEY_LEN {
            return Err(SealError::BadKey);
        }
        key.copy_from_slice(&bytes);
        Ok(Self(key))
    }

    /// A key for another purpose, made from this one (HMAC-SHA256 over the purpose), so that one secret in the
    /// configuration is enough. Knowing it tells nothing of the master key.
    pub fn derive(&self, purpose: &str) -> Vec<u8> {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, self.0.as_slice());
        aws_lc_rs::hmac::sign(&key, purpose.as_bytes()).as_ref().to_vec()
    }

    /// A new random key.
    pub fn generate() -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0u8; KEY_LEN]);
        rand::fill(key.as_mut_slice()).map_err(|_| SealError::NoRandomness)?;
        Ok(Self(key))
    }

    /// The key in the file, which is made (mode 0600) when it is missing. Two processes that start together end up
    /// with the same key.
    pub fn load_or_create(path: &Path) -> Result<Self, SealError> {
        let failed = |source| SealError::File { path: path.display().to_string(), source };
        match fs::read_to_string(path) {
            Ok(text) => return Self::parse(&Zeroizing::new(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let key = Self::generate()?;
        match write_new(path, &key) {
            Ok(()) => Ok(key),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
                Self::parse(&text)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Names the key without telling anything about it: the start of the hash of its hash.
    fn id(&self) -> [u8; KEY_ID_LEN] {
        let once = digest::digest(&digest::SHA256, self.0.as_slice());
        let twice = digest::digest(&digest::SHA256, once.as_ref());
        let mut id = [0u8; KEY_ID_LEN];
        id.copy_from_slice(&twice.as_ref()[..KEY_ID_LEN]);
        id
    }
}

fn decode_key(text: &str) -> Option<Vec<u8>> {
    if text.len() == 2 * KEY_LEN && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return (0..KEY_LEN).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()).collect();
    }
    STANDARD
        .decode(text)
        .or_else(|_| STANDARD_NO_PAD.decode(text))
        .or_else(|_| URL_SAFE_NO_PAD.decode(text))
        .ok()
}

/// Writes a complete file beside the target and links it there, so that nobody ever reads half a key.
fn write_new(path: &Path, key: &MasterKey) -> std::io::Result<()> {
    let draft = path.with_extension(format!("{}.new", uuid::Uuid::now_v7().simple()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let text = Zeroizing::new(format!("{}\n", STANDARD.encode(key.0.as_slice())));
    let written = options.open(&draft).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::hard_link(&draft, path)
    });
    // The draft may never have come to be; the link is what counts.
    let _ = fs::remove_file(&draft);
    written
}

/// Seals with one key and opens with that and with older ones.
pub struct Cipher {
    keys: Vec<(MasterKey, [u8; KEY_ID_LEN])>,
}

/// The row a sealed value belongs to.
pub(crate) struct Place<'a> {
    pub(crate) workspace_id: &'a str,
    pub(crate) row_id: &'a str,
    pub(crate) field: &'a str,
}

impl Place<'_> {
    /// Every part is preceded by its length, so that no two places read the same.
    fn aad(&self, version: u8) -> Vec<u8> {
        let mut aad = Vec::new();
        for part in [self.workspace_id, self.row_id, self.field] {
            aad.extend_from_slice(&(part.len() as u64).to_be_bytes());
            aad.extend_from_slice(part.as_bytes());
        }
        aad.push(version);
        aad
    }
}

impl Cipher {
    /// Seals and opens with `key`.
    pub fn new(key: MasterKey) -> Self {
        let id = key.id();
        Self { keys: vec![(key, id)] }
    }

    /// Also opens what was sealed with an earlier key.
    pub fn with_earlier(mut self, key: MasterKey) -> Self {
        let id = key.id();
        self.keys.push((key, id));
        self
    }

    /// What every key is made into for another purpose (see [`MasterKey::derive`]), by the id of the key; the one in
    /// use comes first.
    pub(crate) fn derived(&self, purpose: &str) -> Vec<(String, Zeroizing<Vec<u8>>)> {
        let keys = self.keys.iter();
        keys.map(|(key, id)| (hex(id), Zeroizing::new(key.derive(purpose)))).collect()
    }

    pub(crate) fn seal(&self, place: &Place<'_>, secret: &Secret) -> Result<Vec<u8>, SealError> {
        let (key, id) = &self.keys[0];
        let mut plain = secret.to_bytes();
        let aead = RandomizedNonceKey::new(&AES_256_GCM, key.0.as_slice()).map_err(|_| SealError::BadKey)?;
        let nonce = aead
            .seal_in_place_append_tag(Aad::from(place.aad(VERSION)), &mut *plain)
            .map_err(|_| SealError::NoRandomness)?;
        let mut sealed = Vec::with_capacity(HEAD_LEN + plain.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(id);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&plain);
        Ok(sealed)
    }

    pub(crate) fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Secret, SealError> {
        if sealed.len() < HEAD_LEN || sealed[0] != VERSION {
            return Err(SealError::Damaged);
        }
        let (id, nonce) = (&sealed[1..1 + KEY_ID_LEN], &sealed[1 + KEY_ID_LEN..HEAD_LEN]);
        let Some((key, _)) = self.keys.iter().find(|(_, known)| known == id) else {
            return Err(SealError::WrongKey { sealed_with: hex(id), have: hex(&self.keys[0].1) });
        };
        let aead = RandomizedNonceKey::new(&AES_256_GCM, key.0.as_slice()).map_err(|_| SealError::BadKey)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Damaged)?;
        let mut text = Zeroizing::new(sealed[HEAD_LEN..].to_vec());
        let plain = aead
            .open_in_place(nonce, Aad::from(place.aad(VERSION)), &mut text)
            .map_err(|_| SealError::Damaged)?;
        serde_json::from_slice(plain).map(Secret).map_err(|_| SealError::Damaged)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Secret JSON in the clear. Wiped when dropped; has neither `Debug` nor `Serialize`, so it cannot slip into a log.
pub struct Secret(Value);

impl Secret {
    /// Takes JSON, usually an object of strings.
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// A text field of the object.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    /// Everything. Whoever copies it answers for the copy.
    pub fn expose(&self) -> &Value {
        &self.0
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Room for the tag as well, so that sealing does not move (and leave behind) the plain text.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.0.to_string_len() + 64));
        serde_json::to_writer(&mut *bytes, &self.0).expect("JSON values always serialise into memory");
        bytes
    }
}

/// The length of a JSON text, found by writing it nowhere.
trait TextLength {
    fn to_string_len(&self) -> usize;
}

impl TextLength for Value {
    fn to_string_len(&self) -> usize {
        struct Count(usize);
        impl std::io::Write for Count {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0 += bytes.len();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut count = Count(0);
        serde_json::to_writer(&mut count, self).expect("counting never fails");
        count.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PLACE: Place<'static> = Place { workspace_id: "ws_1", row_id: "crd_1", field: "credential" };

    fn cipher() -> Cipher {
        Cipher::new(MasterKey::generate().unwrap())
    }

    #[test]
    fn a_secret_comes_back_and_leaves_no_trace() {
        let cipher = cipher();
        let sealed = cipher.seal(&PLACE, &Secret::new(json!({"token": "very-secret"}))).unwrap();
        assert!(!sealed.windows(11).any(|part| part == b"very-secret"));
        assert_eq!(cipher.open(&PLACE, &sealed).unwrap().text("token"), Some("very-secret"));
        let again = cipher.seal(&PLACE, &Secret::new(json!({"token": "very-secret"}))).unwrap();
        assert_ne!(sealed, again, "a nonce must never come twice");
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let cipher = cipher();
        let sealed = cipher.seal(&PLACE, &Secret::new(json!({"token": "x"}))).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(cipher.open(&PLACE, &changed).is_err(), "byte {at}");
        }
        for length in 0..sealed.len() {
            assert!(cipher.open(&PLACE, &sealed[..length]).is_err());
        }
    }

    #[test]
    fn a_sealed_value_belongs_to_its_row() {
        let cipher = cipher();
        let sealed = cipher.seal(&PLACE, &Secret::new(json!({"token": "x"}))).unwrap();
        for other in [
            Place { workspace_id: "ws_2", ..PLACE },
            Place { row_id: "crd_2", ..PLACE },
            Place { field: "other", ..PLACE },
            Place { workspace_id: "ws_1c", row_id: "rd_1", ..PLACE },
        ] {
            assert!(matches!(cipher.open(&other, &sealed), Err(SealError::Damaged)));
        }
    }

    #[test]
    fn another_key_is_named() {
        let old = MasterKey::generate().unwrap();
        let sealed = Cipher::new(old.clone()).seal(&PLACE, &Secret::new(json!({"a": 1}))).unwrap();
        let new = cipher();
        let Err(error) = new.open(&PLACE, &sealed) else { panic!("opened with the wrong key") };
        assert!(matches!(error, SealError::WrongKey { .. }));
        assert!(error.to_string().contains("SLUICE_MASTER_KEY"));
        assert!(new.with_earlier(old).open(&PLACE, &sealed).is_ok());
    }

    #[test]
    fn key_texts() {
        assert!(MasterKey::parse(&"ab".repeat(32)).is_ok());
        assert!(MasterKey::parse(&format!(" {}\n", STANDARD.encode([7u8; 32]))).is_ok());
        for bad in ["", "secret", &"ab".repeat(31), &STANDARD.encode([7u8; 31]), &"é".repeat(32)] {
            assert!(matches!(MasterKey::parse(bad), Err(SealError::BadKey)), "{bad}");
        }
    }

    #[test]
    fn the_key_file_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> =
                (0..8).map(|_| scope.spawn(|| MasterKey::load_or_create(&path).unwrap().id())).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
