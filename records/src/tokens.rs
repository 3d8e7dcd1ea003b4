//! Secrets that are handed out once: random tokens and codes, and what is stored of them. Must not know what they open.

use aws_lc_rs::{digest, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{RecordError, Records};

/// Letters of codes that people copy by hand: none that looks like another, none that spells words.
const LETTERS: &[u8] = b"23456789BCDFGHJKLMNPQRSTVWXYZ";

/// Random bytes of the operating system.
///
/// # Errors
/// `Seal` when it has none.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], RecordError> {
    let mut bytes = [0_u8; N];
    rand::fill(&mut bytes).map_err(|_| crate::SealError::NoRandomness)?;
    Ok(bytes)
}

/// A new token of 256 random bits, such as `sk_…`.
///
/// # Errors
/// When the operating system has no random numbers to give.
pub(crate) fn new_token(prefix: &str) -> Result<String, RecordError> {
    Ok(format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(random_bytes::<32>()?)))
}

/// Six digits, every number equally likely.
pub(crate) fn six_digits() -> Result<String, RecordError> {
    const NUMBERS: u32 = 1_000_000;
    // The last, incomplete round of numbers would make small ones likelier.
    const FAIR: u32 = u32::MAX - u32::MAX % NUMBERS;
    loop {
        let number = u32::from_be_bytes(random_bytes()?);
        if number < FAIR {
            return Ok(format!("{:06}", number % NUMBERS));
        }
    }
}

/// Twelve letters and digits (58 bits) in groups of four, for codes that an operator hands over.
pub(crate) fn long_code() -> Result<String, RecordError> {
    let mut code = String::with_capacity(14);
    let mut letters = 0;
    while letters < 12 {
        for byte in random_bytes::<16>()? {
            // Of the 32 numbers in five bits, those without a letter are drawn again.
            let Some(letter) = LETTERS.get(usize::from(byte & 31)).filter(|_| letters < 12) else { continue };
            if letters > 0 && letters % 4 == 0 {
                code.push('-');
            }
            code.push(char::from(*letter));
            letters += 1;
        }
    }
    Ok(code)
}

/// What is stored of a token. It has so many random bits that a slow hash would protect nothing.
pub(crate) fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}

impl Records {
    /// A key for another purpose, made from the master key in use. Whoever changes the master key makes worthless
    /// what was signed with it.
    pub fn derived_key(&self, purpose: &str) -> Vec<u8> {
        let keys = self.vault.derived(purpose);
        keys.first().map(|(_, key)| key.to_vec()).unwrap_or_default()
    }

    /// What is stored of a short secret that could be guessed: an HMAC over its parts, each preceded by its length.
    pub(crate) fn keyed_hash(&self, purpose: &str, parts: &[&str]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.derived_key(purpose));
        let mut context = hmac::Context::with_key(&key);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        URL_SAFE_NO_PAD.encode(context.sign().as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_form_and_do_not_repeat() {
        let codes: std::collections::HashSet<_> = (0..200).map(|_| six_digits().unwrap()).collect();
        assert!(codes.len() > 190, "{}", codes.len());
        assert!(codes.iter().all(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())));
        let long = long_code().unwrap();
        assert_eq!((long.len(), long.matches('-').count()), (14, 2), "{long}");
        assert!(long.chars().all(|c| c == '-' || c.is_ascii_alphanumeric()), "{long}");
        assert_ne!(new_token("x").unwrap(), new_token("x").unwrap());
    }
}
