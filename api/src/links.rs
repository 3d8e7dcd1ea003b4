//! Signed links that let a person decide one thing without signing in: they name what is decided and until when, and
//! nothing else. Single-use because a decision ends the state they speak of.

use crate::config::ApiConfig;
use crate::error::{self, ApiError};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a link is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalTicket {
    /// `ws_…`.
    #[serde(rename = "w")]
    pub workspace_id: String,
    /// `run_…`.
    #[serde(rename = "r")]
    pub run_id: String,
    /// Node id.
    #[serde(rename = "n")]
    pub node: String,
    /// Iteration of the node.
    #[serde(rename = "i")]
    pub iteration: u32,
    /// Last moment, milliseconds since the epoch.
    #[serde(rename = "e")]
    pub expires_at: i64,
}

/// What somebody may do about one person, or learn of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PersonTicket {
    /// `per_…`.
    #[serde(rename = "p")]
    pub(crate) person_id: String,
    /// Last moment, milliseconds since the epoch.
    #[serde(rename = "e")]
    pub(crate) expires_at: i64,
}

/// What a ticket is for. Part of what is signed, so that no ticket passes for one of another kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use {
    /// Decides an approval of a run.
    Approval,
    /// Decides a sign-up.
    SignUp,
    /// Shows how a sign-up stands.
    SignUpStatus,
}

impl Use {
    fn label(self) -> &'static str {
        match self {
            Self::Approval => "approval link v1",
            Self::SignUp => "sign-up link v1",
            Self::SignUpStatus => "sign-up status v1",
        }
    }
}

/// Something with a last moment.
pub(crate) trait Expires {
    /// Milliseconds since the epoch.
    fn expires_at(&self) -> i64;
}

impl Expires for ApprovalTicket {
    fn expires_at(&self) -> i64 {
        self.expires_at
    }
}

impl Expires for PersonTicket {
    fn expires_at(&self) -> i64 {
        self.expires_at
    }
}

/// The address under which this approval can be shown and decided; none when no key is configured.
pub fn approval_link(config: &ApiConfig, ticket: &ApprovalTicket) -> Option<String> {
    let token = sign_ticket(config, Use::Approval, ticket)?;
    Some(format!("{}/approvals/{token}", config.public_url.trim_end_matches('/')))
}

/// A ticket as signed text; none when no key is configured.
pub(crate) fn sign_ticket<T: Serialize>(config: &ApiConfig, what_for: Use, ticket: &T) -> Option<String> {
    if config.link_key.is_empty() {
        return None;
    }
    let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(ticket).ok()?);
    let tag = hmac::sign(&key(config), signed(what_for, &body).as_bytes());
    let tag = URL_SAFE_NO_PAD.encode(tag.as_ref());
    Some(format!("{body}.{tag}"))
}

/// What a token stands for.
///
/// # Errors
/// `link_invalid` for a token that we did not make for this, `link_expired` for one whose time is over.
pub(crate) fn read_ticket<T: DeserializeOwned + Expires>(
    config: &ApiConfig,
    what_for: Use,
    token: &str,
    now: i64,
) -> Result<T, ApiError> {
    let invalid = || ApiError::plain(error::LINK_INVALID);
    if config.link_key.is_empty() {
        return Err(invalid());
    }
    let (body, tag) = token.split_once('.').ok_or_else(invalid)?;
    let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| invalid())?;
    hmac::verify(&key(config), signed(what_for, body).as_bytes(), &tag).map_err(|_| invalid())?;
    let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| invalid())?;
    let ticket: T = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    if ticket.expires_at() < now {
        return Err(ApiError::plain(error::LINK_EXPIRED));
    }
    Ok(ticket)
}

fn key(config: &ApiConfig) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &config.link_key)
}

fn signed(what_for: Use, body: &str) -> String {
    format!("sluice {}:{body}", what_for.label())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_token(config: &ApiConfig, token: &str, now: i64) -> Result<ApprovalTicket, ApiError> {
        read_ticket(config, Use::Approval, token, now)
    }

    fn ticket() -> ApprovalTicket {
        ApprovalTicket {
            workspace_id: "ws_1".into(),
            run_id: "run_1".into(),
            node: "ask".into(),
            iteration: 2,
            expires_at: 1_000,
        }
    }

    fn config(key: &[u8]) -> ApiConfig {
        ApiConfig { link_key: key.to_vec(), public_url: "https://x.test/".into(), ..ApiConfig::default() }
    }

    fn token(config: &ApiConfig) -> String {
        approval_link(config, &ticket()).unwrap().rsplit('/').next().unwrap().to_owned()
    }

    #[test]
    fn a_link_leads_back_to_its_ticket_until_it_expires() {
        let config = config(b"key");
        assert!(approval_link(&config, &ticket()).unwrap().starts_with("https://x.test/approvals/"));
        assert_eq!(read_token(&config, &token(&config), 1_000).unwrap(), ticket());
        let late = read_token(&config, &token(&config), 1_001).unwrap_err();
        assert_eq!(late.code(), error::LINK_EXPIRED);
    }

    #[test]
    fn what_we_did_not_sign_is_refused() {
        let good = token(&config(b"key"));
        let (body, tag) = good.split_once('.').unwrap();
        let other = URL_SAFE_NO_PAD.encode(br#"{"w":"ws_2","r":"run_1","n":"ask","i":2,"e":1000}"#);
        for bad in ["", ".", body, &format!("{body}."), &format!("{other}.{tag}"), &good[1..]] {
            assert_eq!(read_token(&config(b"key"), bad, 0).unwrap_err().code(), error::LINK_INVALID, "{bad}");
        }
        assert_eq!(read_token(&config(b"other"), &good, 0).unwrap_err().code(), error::LINK_INVALID);
        assert_eq!(read_token(&config(b""), &good, 0).unwrap_err().code(), error::LINK_INVALID);
        assert!(approval_link(&config(b""), &ticket()).is_none());
    }

    #[test]
    fn a_ticket_for_one_thing_is_worthless_for_another() {
        let config = config(b"key");
        let ticket = PersonTicket { person_id: "per_1".into(), expires_at: 9 };
        let token = sign_ticket(&config, Use::SignUpStatus, &ticket).unwrap();
        assert_eq!(read_ticket::<PersonTicket>(&config, Use::SignUpStatus, &token, 9).unwrap(), ticket);
        assert!(read_ticket::<PersonTicket>(&config, Use::SignUp, &token, 9).is_err());
        assert!(read_token(&config, &token, 9).is_err());
    }
}
