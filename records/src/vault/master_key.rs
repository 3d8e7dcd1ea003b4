//! The master key: 32 bytes from the configuration or from a private file. It wraps data keys and seals nothing else.
//! Must not know what is stored under the data keys.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::SealError;
use super::cipher::KEY_LEN;

/// Bytes of the name of a master key.
pub(super) const MASTER_ID_LEN: usize = 4;

/// 32 bytes that open every stored secret. Wiped from memory when dropped; has no `Debug`.
#[derive(Clone)]
pub struct MasterKey(pub(super) Zeroizing<[u8; KEY_LEN]>);

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
    pub(super) fn id(&self) -> [u8; MASTER_ID_LEN] {
        let once = digest::digest(&digest::SHA256, self.0.as_slice());
        let twice = digest::digest(&digest::SHA256, once.as_ref());
        let mut id = [0u8; MASTER_ID_LEN];
        id.copy_from_slice(&twice.as_ref()[..MASTER_ID_LEN]);
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

#[cfg(test)]
mod tests {
    use super::*;

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
