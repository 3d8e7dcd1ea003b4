//! Meta's verification request: it calls with a token that we gave it and wants its challenge back.

use aws_lc_rs::{constant_time, digest};

/// Why the request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Answer 400.
    #[error(
        "not a verification request: hub.mode, hub.verify_token and hub.challenge (at most 256 bytes) are needed"
    )]
    Incomplete,
    /// Answer 403.
    #[error(
        "the verify token is not the configured one; compare SLUICE_WHATSAPP_VERIFY_TOKEN with the Meta app's settings"
    )]
    Refused,
}

impl HandshakeError {
    /// The HTTP status to answer.
    pub fn status(self) -> u16 {
        match self {
            HandshakeError::Incomplete => 400,
            HandshakeError::Refused => 403,
        }
    }
}

/// A longer challenge than Meta ever sends is not echoed: the answer is no place for somebody else's text.
const LONGEST_CHALLENGE: usize = 256;

/// Reads the query string (without `?`) and returns the challenge, to be answered alone, as `text/plain`, with 200.
pub fn handshake(query: &str, verify_token: &str) -> Result<String, HandshakeError> {
    let (mut mode, mut token, mut challenge) = (None, None, None);
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match decoded(name).as_str() {
            "hub.mode" => mode = Some(decoded(value)),
            "hub.verify_token" => token = Some(decoded(value)),
            "hub.challenge" => challenge = Some(decoded(value)),
            _ => {}
        }
    }
    let (Some(mode), Some(token), Some(challenge)) = (mode, token, challenge) else {
        return Err(HandshakeError::Incomplete);
    };
    // An unset token must not be matched by an empty one.
    if mode != "subscribe" || verify_token.is_empty() || !same(&token, verify_token) {
        return Err(HandshakeError::Refused);
    }
    if challenge.is_empty() || challenge.len() > LONGEST_CHALLENGE {
        return Err(HandshakeError::Incomplete);
    }
    Ok(challenge)
}

/// In constant time; over hashes, so that not even the length shows.
fn same(a: &str, b: &str) -> bool {
    let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    constant_time::verify_slices_are_equal(hash(a).as_ref(), hash(b).as_ref()).is_ok()
}

/// Percent-decoding as in HTML forms. What is not an escape stays as it is.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| bytes.get(at + 1..at + 3)).flatten().and_then(|pair| {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8)
        });
        match (escaped, bytes[at]) {
            (Some(byte), _) => {
                plain.push(byte);
                at += 2;
            }
            (None, b'+') => plain.push(b' '),
            (None, byte) => plain.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&plain).into_owned()
}
