//! `X-Hub-Signature-256`: HMAC-SHA256 of the raw body under the app secret.

use aws_lc_rs::hmac;

/// Why a body is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("no app secret is configured; set SLUICE_WHATSAPP_APP_SECRET to the secret of the Meta app")]
    NoSecret,
    #[error("the X-Hub-Signature-256 header is missing")]
    Missing,
    #[error("the X-Hub-Signature-256 header is not `sha256=` and 64 hexadecimal digits")]
    Malformed,
    #[error(
        "the signature does not fit the body; check that the app secret is that of the Meta app which sends"
    )]
    Mismatch,
}

/// Checks the header over the bytes exactly as they were received. Several secrets are accepted while one is being
/// replaced. The comparison takes the same time wherever the difference is.
pub fn verify(secrets: &[impl AsRef<[u8]>], raw: &[u8], header: Option<&str>) -> Result<(), SignatureError> {
    if secrets.iter().all(|secret| secret.as_ref().is_empty()) {
        return Err(SignatureError::NoSecret);
    }
    let header = header.ok_or(SignatureError::Missing)?;
    let digits = header.trim().strip_prefix("sha256=").ok_or(SignatureError::Malformed)?;
    let tag = decode(digits).ok_or(SignatureError::Malformed)?;
    let fits = |secret: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        hmac::verify(&key, raw, &tag).is_ok()
    };
    // An empty secret would let everybody sign.
    let known = secrets.iter().map(AsRef::as_ref).filter(|secret| !secret.is_empty());
    if known.into_iter().any(fits) { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// 64 hexadecimal digits of either case.
fn decode(digits: &str) -> Option<[u8; 32]> {
    let digits = digits.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut tag = [0u8; 32];
    for (byte, pair) in tag.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = (high * 16 + low) as u8;
    }
    Some(tag)
}
