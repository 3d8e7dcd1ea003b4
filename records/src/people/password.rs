//! Passwords: which are good enough, and Argon2id. A hash takes the same time whether there is an account or not. Must
//! not know who signs in.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::tokens::random_bytes;
use crate::{RecordError, SealError};

/// Fewest characters.
const SHORTEST: usize = 8;
/// Most bytes; longer ones only cost time.
const LONGEST: usize = 200;

/// Memory in KiB, passes and lanes: the first recommendation of OWASP's password storage cheat sheet.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The passwords that are tried first (the heads of published lists that have eight characters or more), in lower case.
const COMMON: &[&str] = &[
    "00000000",
    "11111111",
    "12121212",
    "123123123",
    "12341234",
    "12344321",
    "12345678",
    "123456789",
    "1234567890",
    "123456789a",
    "1234qwer",
    "147258369",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "87654321",
    "987654321",
    "9876543210",
    "a1234567",
    "a123456789",
    "aa123456",
    "aaaaaaaa",
    "abc12345",
    "abcd1234",
    "abcdefgh",
    "admin123",
    "adminadmin",
    "administrator",
    "asdf1234",
    "asdfasdf",
    "asdfghjk",
    "asdfghjkl",
    "baseball",
    "changeme",
    "computer",
    "default1",
    "football",
    "iloveyou",
    "india123",
    "internet",
    "jennifer",
    "letmein1",
    "liverpool",
    "michelle",
    "monkey123",
    "p@ssw0rd",
    "passw0rd",
    "password",
    "password1",
    "password1!",
    "password12",
    "password123",
    "password123!",
    "pokemon1",
    "princess",
    "q1w2e3r4",
    "qazwsxedc",
    "qwer1234",
    "qwerty12",
    "qwerty123",
    "qwertyui",
    "qwertyuiop",
    "samantha",
    "sluice123",
    "starwars",
    "sunshine",
    "superman",
    "test1234",
    "testtest",
    "trustno1",
    "welcome1",
    "welcome123",
    "whatever",
    "zaq12wsx",
    "zxcvbnm1",
];

/// Whether a password may be used.
///
/// # Errors
/// `Invalid` at `field`; says what is wrong.
pub(crate) fn check_rules(field: &str, password: &str, email: &str) -> Result<(), RecordError> {
    let lower = password.to_lowercase();
    let fault = if password.chars().count() < SHORTEST {
        format!("a password has at least {SHORTEST} characters")
    } else if password.len() > LONGEST {
        format!("a password has at most {LONGEST} bytes")
    } else if COMMON.contains(&&*lower) {
        "this password is one of the first that anybody tries; choose another".to_owned()
    } else if lower == email || email.split('@').next() == Some(&lower) {
        "a password must not be the e-mail address".to_owned()
    } else {
        return Ok(());
    };
    Err(RecordError::invalid(field, fault))
}

/// At most so many hashes at once: each needs 19 MiB and a processor.
static ROOM: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    Arc::new(Semaphore::new(processors.max(2)))
});

fn argon2() -> Result<Argon2<'static>, RecordError> {
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(|_| fault())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashing fails for want of memory only, as far as we can tell.
fn fault() -> RecordError {
    RecordError::conflict("the password cannot be hashed right now; try again")
}

fn hash_now(password: &[u8]) -> Result<String, RecordError> {
    let salt = random_bytes::<16>()?;
    let hash: PasswordHash = argon2()?.hash_password_with_salt(password, &salt).map_err(|_| fault())?;
    Ok(hash.to_string())
}

/// The hash of a password that nobody has, for accounts that there are not.
fn nobodys_hash() -> Result<&'static str, RecordError> {
    static HASH: LazyLock<Option<String>> = LazyLock::new(|| {
        let password = random_bytes::<32>().ok()?;
        hash_now(&password).ok()
    });
    HASH.as_deref().ok_or(RecordError::Seal(SealError::NoRandomness))
}

/// Does work away from the threads that answer requests, when there is room for it.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RecordError> + Send + 'static,
) -> Result<T, RecordError> {
    let room = ROOM.clone().acquire_owned().await.map_err(|_| fault())?;
    let done = tokio::task::spawn_blocking(move || {
        let result = work();
        drop(room);
        result
    });
    done.await.map_err(|_| fault())?
}

/// The hash of a password, with its parameters and salt (PHC string).
pub(crate) async fn hash(password: &str) -> Result<String, RecordError> {
    let password = Zeroizing::new(password.as_bytes().to_vec());
    aside(move || hash_now(&password)).await
}

/// Whether this is the password. Takes as long when there is no hash; then it never is.
pub(crate) async fn verify(password: &str, stored: Option<String>) -> Result<bool, RecordError> {
    // Longer ones cannot have been accepted, and must not cost more than others.
    let is_possible = password.len() <= LONGEST;
    let password = Zeroizing::new(if is_possible { password.as_bytes().to_vec() } else { Vec::new() });
    aside(move || {
        let text = match &stored {
            Some(text) => text.as_str(),
            None => nobodys_hash()?,
        };
        // An account without a usable hash takes as long as one that is not there.
        let (hash, is_real) = match PasswordHash::new(text) {
            Ok(hash) => (hash, stored.is_some()),
            Err(_) => (PasswordHash::new(nobodys_hash()?).map_err(|_| fault())?, false),
        };
        let is_right = argon2()?.verify_password(&password, &hash).is_ok();
        Ok(is_right && is_real && is_possible)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_list_is_sorted_and_in_reach() {
        assert!(COMMON.is_sorted());
        assert!(COMMON.iter().all(|word| word.len() >= SHORTEST && *word == word.to_lowercase()));
    }

    #[test]
    fn rules() {
        for good in ["correct horse", "ünïcödé!", &"x".repeat(200)] {
            check_rules("password", good, "asha@example.com").unwrap();
        }
        for bad in ["", "short", "Password1", "QWERTYUIOP", "asha@example.com", &"x".repeat(201), "ünïcödé"]
        {
            assert!(check_rules("password", bad, "asha@example.com").is_err(), "{bad}");
        }
        assert!(check_rules("password", "asharao1", "asharao1@example.com").is_err());
    }

    #[tokio::test]
    async fn only_the_right_password_opens() {
        let stored = hash("correct horse").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(stored, hash("correct horse").await.unwrap(), "salted");
        assert!(verify("correct horse", Some(stored.clone())).await.unwrap());
        for wrong in ["", "correct horsE", &"x".repeat(5_000)] {
            assert!(!verify(wrong, Some(stored.clone())).await.unwrap());
            assert!(!verify(wrong, None).await.unwrap());
            assert!(!verify(wrong, Some("!".to_owned())).await.unwrap());
        }
    }
}
