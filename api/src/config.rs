//! What an operator decides about the API. Must not know where the values come from.

use ipnet::IpNet;
use std::time::Duration;

/// Settings of the API.
#[derive(Clone)]
pub struct ApiConfig {
    /// Secrets of the Meta app; several while one is being replaced. Without any, WhatsApp deliveries are refused.
    pub whatsapp_app_secrets: Vec<String>,
    /// What Meta must present when it verifies the webhook address. Empty refuses every verification.
    pub whatsapp_verify_token: String,
    /// How the outside reaches this server, without a slash at the end, such as `https://flows.example.com`.
    pub public_url: String,
    /// Signs approval links. A new key makes all links that are out worthless.
    pub link_key: Vec<u8>,
    /// How long an approval link is good for at most.
    pub link_life: Duration,
    /// Accounts of people.
    pub accounts: AccountConfig,
    /// Bounds of requests.
    pub limits: Limits,
}

/// Who may sign up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignUpMode {
    /// Everybody with an e-mail address.
    #[default]
    Open,
    /// The same, once somebody approved it.
    Review,
    /// Nobody; an operator makes the accounts.
    Closed,
}

/// Accounts of people.
#[derive(Clone, Debug, Default)]
pub struct AccountConfig {
    /// Who may sign up.
    pub sign_up: SignUpMode,
    /// Addresses that are told of sign-ups that wait for approval, besides the people of the platform who may decide.
    pub reviewers: Vec<String>,
    /// Whether mail can be sent. Without it nobody can sign up or reset a password.
    pub sends_mail: bool,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Another provider at which people may sign in.
    pub oidc: Option<OidcConfig>,
}

/// A provider of OpenID Connect.
#[derive(Clone)]
pub struct OidcConfig {
    /// Its address; what it calls itself.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// What we prove that with.
    pub client_secret: String,
    /// What people call it.
    pub name: String,
}

impl std::fmt::Debug for OidcConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OidcConfig").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Bounds of requests.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest body of an API request, bytes.
    pub body: usize,
    /// Largest body of a webhook request under `/hooks`, bytes.
    pub hook_body: usize,
    /// Largest WhatsApp delivery, bytes. Meta sends up to 3 MB.
    pub whatsapp_body: usize,
    /// How deeply JSON may be nested.
    pub json_depth: usize,
    /// Longest handling of a request that does not wait for a run.
    pub request: Duration,
    /// How long a caller of a webhook waits for the run before it is told the run's id.
    pub hook_wait: Duration,
    /// Longest `?wait=` of a test run.
    pub run_wait: Duration,
    /// Pause between two signs of life in a stream of events.
    pub heartbeat: Duration,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            whatsapp_app_secrets: Vec::new(),
            whatsapp_verify_token: String::new(),
            public_url: "http://127.0.0.1:8080".to_owned(),
            link_key: Vec::new(),
            link_life: Duration::from_secs(7 * 24 * 60 * 60),
            accounts: AccountConfig::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 4 * 1024 * 1024,
            hook_body: 1024 * 1024,
            whatsapp_body: 4 * 1024 * 1024,
            json_depth: 64,
            request: Duration::from_secs(30),
            hook_wait: Duration::from_secs(30),
            run_wait: Duration::from_secs(300),
            heartbeat: Duration::from_secs(15),
        }
    }
}
