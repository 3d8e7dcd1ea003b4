//! Message ids that look like Meta's: `wamid.` and Base64 of a small record with the user's number and a random part.
//!
//! It must not know the messages.

use crate::random;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A new id for a message to (`outbound`) or from a user named by digits or user id.
pub(crate) fn new(user: &str, outbound: bool) -> String {
    let user: String = user.chars().filter(char::is_ascii_digit).take(20).collect();
    let (kind, token) = if outbound { (0x11, random::hex_upper(18)) } else { (0x12, random::hex_upper(20)) };
    let mut record = vec![0x1c, 0x18, user.len() as u8];
    record.extend_from_slice(user.as_bytes());
    record.extend_from_slice(&[0x15, 0x02, 0x00, kind, 0x18, token.len() as u8]);
    record.extend_from_slice(token.as_bytes());
    record.push(0);
    format!("wamid.{}", STANDARD.encode(record))
}

/// It could be a message id: the prefix, and no more than the 128 characters Meta names.
pub(crate) fn is_well_formed(id: &str) -> bool {
    id.strip_prefix("wamid.").is_some_and(|rest| !rest.is_empty()) && id.len() <= 128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_starts_like_the_documented_ones_and_is_unique() {
        let id = new("16503879439", false);
        assert!(id.starts_with("wamid.HBgLMTY1MDM4Nzk0MzkVAgASGB"), "{id}");
        assert!(is_well_formed(&id));
        assert_ne!(id, new("16503879439", false));
        assert!(is_well_formed(&new("US.12345678901234567890", true)));
        assert!(!is_well_formed("wamid.") && !is_well_formed("x"));
    }
}
