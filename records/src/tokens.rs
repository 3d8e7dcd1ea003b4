//! Tokens: 256 random bits with a prefix that says what they are for, stored as a hash.

use crate::RecordError;
use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A new token, such as `sk_…`.
///
/// # Errors
/// When the operating system has no random numbers to give.
pub(crate) fn new_token(prefix: &str) -> Result<String, RecordError> {
    let mut secret = [0u8; 32];
    rand::fill(&mut secret).map_err(|_| {
        RecordError::conflict("the operating system has no random numbers to give; try again")
    })?;
    Ok(format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(secret)))
}

/// What is stored of a token. It has so many random bits that a slow hash would protect nothing.
pub(crate) fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}
