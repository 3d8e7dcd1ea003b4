//! What the authorization server pretends to be, and what a test may change while it runs.
//!
//! It must not know how any of it is served.

use serde::{Deserialize, Serialize};

/// The person who consents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthUser {
    /// Stable id, `sub` in tokens.
    pub sub: String,
    /// E-mail address.
    pub email: String,
    /// Whether the address counts as verified.
    #[serde(default = "yes")]
    pub email_verified: bool,
    /// Name for people.
    pub name: String,
}

fn yes() -> bool {
    true
}

/// The app that is registered, and how grants behave at the start.
#[derive(Debug, Clone)]
pub struct OAuthConfig {
    /// Id of the only client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Where it may send people back to, compared exactly; empty allows every address on a loopback host.
    pub redirect_uris: Vec<String>,
    /// Who consents.
    pub user: OAuthUser,
}

impl Default for OAuthConfig {
    fn default() -> Self {
        Self {
            client_id: "sandbox-client.apps.example.com".to_owned(),
            client_secret: "sandbox-client-secret".to_owned(),
            redirect_uris: Vec::new(),
            user: OAuthUser {
                sub: "110169484474386276334".to_owned(),
                email: "asha@example.com".to_owned(),
                email_verified: true,
                name: "Asha Rao".to_owned(),
            },
        }
    }
}

/// What the person does when asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Consent {
    Allow,
    Deny,
}

/// What can be changed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Settings {
    pub(crate) user: OAuthUser,
    pub(crate) consent: Consent,
    /// Scopes that the person unticks.
    pub(crate) withheld_scopes: Vec<String>,
    /// Life of access tokens, seconds.
    pub(crate) access_token_life_s: i64,
    /// Every renewal gives a new refresh token and ends the old one.
    pub(crate) rotate_refresh_tokens: bool,
    /// A refresh token is given at every consent; otherwise only at the first one, or with `prompt=consent`.
    pub(crate) always_refresh_token: bool,
}

impl Settings {
    pub(crate) fn of(config: &OAuthConfig) -> Self {
        Self {
            user: config.user.clone(),
            consent: Consent::Allow,
            withheld_scopes: Vec::new(),
            access_token_life_s: 3_599,
            rotate_refresh_tokens: false,
            always_refresh_token: false,
        }
    }

    pub(crate) fn apply(&mut self, patch: Patch) {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut self.user, patch.user);
        set(&mut self.consent, patch.consent);
        set(&mut self.withheld_scopes, patch.withheld_scopes);
        set(&mut self.access_token_life_s, patch.access_token_life_s);
        set(&mut self.rotate_refresh_tokens, patch.rotate_refresh_tokens);
        set(&mut self.always_refresh_token, patch.always_refresh_token);
    }
}

/// What shall be changed; what is missing stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Patch {
    user: Option<OAuthUser>,
    consent: Option<Consent>,
    withheld_scopes: Option<Vec<String>>,
    access_token_life_s: Option<i64>,
    rotate_refresh_tokens: Option<bool>,
    always_refresh_token: Option<bool>,
}
