//! What the sandbox pretends to be: the app, its numbers, templates, limits and the shape of its webhooks.
//!
//! It must not know how any of it is served.

use crate::clock::{Clock, SystemClock};
use crate::oauth::OAuthConfig;
use serde_json::{Value, json};
use std::sync::Arc;

/// One business phone number.
#[derive(Debug, Clone)]
pub struct Number {
    /// Graph id of the number, the first path segment of its calls.
    pub phone_number_id: String,
    /// The number in digits with country code, as in the `metadata` of webhooks.
    pub display_phone_number: String,
    /// Graph id of the WhatsApp Business Account that owns it.
    pub waba_id: String,
    /// The approved display name.
    pub verified_name: String,
}

/// Which generation of webhook bodies is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WebhookShape {
    /// Without business-scoped user ids; statuses carry `conversation`.
    Year2025,
    /// With business-scoped user ids (`user_id`, `from_user_id`, `recipient_user_id`) and `contacts` on statuses.
    #[default]
    Year2026,
}

/// One step in the life of an accepted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusStep {
    /// `sent`, `delivered`, `read` or `played` (`played` only happens to voice notes).
    pub status: String,
    /// Milliseconds after acceptance.
    pub after_ms: u64,
}

impl StatusStep {
    /// A step named `status`, `after_ms` milliseconds after acceptance.
    pub fn new(status: &str, after_ms: u64) -> Self {
        Self { status: status.to_owned(), after_ms }
    }
}

/// How often a webhook is repeated when the server does not answer 200. Meta repeats for days; here it is bounded.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Tries in all, the first one included.
    pub max_attempts: u32,
    /// Wait before the second try, in milliseconds; doubles each time.
    pub first_ms: u64,
    /// Longest wait between two tries, in milliseconds.
    pub max_ms: u64,
}

/// Everything the sandbox can be told before it starts. `SandboxConfig::default()` is a usable demo account.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Key of the webhook signatures.
    pub app_secret: String,
    /// Sent as `hub.verify_token` when a callback is verified.
    pub verify_token: String,
    /// Graph id of the app that is subscribed to the accounts.
    pub app_id: String,
    /// The app's default callback. `None`: nothing is sent until one is connected.
    pub webhook_url: Option<String>,
    /// Accepted access tokens. Empty: any non-empty token is good.
    pub access_tokens: Vec<String>,
    /// The business's numbers; the first one is used where a test names none.
    pub numbers: Vec<Number>,
    /// Message templates present from the start, as in the answer of `GET /{waba_id}/message_templates`.
    /// Each needs `name`, `language`, `category` and `components`; `status` defaults to `APPROVED`.
    pub templates: Vec<Value>,
    /// Status of a template created over the API (`APPROVED` or `PENDING`, for example).
    pub new_template_status: String,
    /// Free-form messages outside the 24-hour window fail with 131047.
    pub enforce_window: bool,
    /// Recipients that are not on WhatsApp: the message fails with 131026. Digits with country code.
    pub unreachable: Vec<String>,
    /// When set, the numbers behave as test numbers: other recipients are refused with 131030.
    pub allowed_recipients: Option<Vec<String>>,
    /// Limits of a real number (80 messages per second, pair limit) apply without a fault rule.
    pub enforce_rate_limits: bool,
    /// What happens to an accepted message, in order. Empty: no status is ever sent.
    pub statuses: Vec<StatusStep>,
    /// Generation of the webhook bodies.
    pub webhook_shape: WebhookShape,
    /// `contacts` also accompany `failed` statuses in the 2026 shape. Meta's page says no; pywa 4.x relies on them.
    pub contacts_on_failed: bool,
    /// Repetition of webhooks that were not answered with 200.
    pub webhook_retry: RetryPolicy,
    /// Milliseconds after which an unanswered webhook counts as failed.
    pub webhook_timeout_ms: u64,
    /// Where the mail server listens, `host:port`; port 0 takes a free one.
    pub smtp_listen: String,
    /// Scheme, host and port that media URLs start with. `None`: taken from the listener, else from the `Host` header.
    pub base_url: Option<String>,
    /// The authorization server.
    pub oauth: OAuthConfig,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for SandboxConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SandboxConfig")
            .field("app_id", &self.app_id)
            .field("webhook_url", &self.webhook_url)
            .field("numbers", &self.numbers)
            .field("webhook_shape", &self.webhook_shape)
            .finish_non_exhaustive()
    }
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            app_secret: "sandbox-app-secret".to_owned(),
            verify_token: "sandbox-verify-token".to_owned(),
            app_id: "670843887433847".to_owned(),
            webhook_url: None,
            access_tokens: Vec::new(),
            numbers: vec![Number {
                phone_number_id: "106540352242922".to_owned(),
                display_phone_number: "15550783881".to_owned(),
                waba_id: "102290129340398".to_owned(),
                verified_name: "Sluice Demo".to_owned(),
            }],
            templates: vec![hello_world()],
            new_template_status: "APPROVED".to_owned(),
            enforce_window: true,
            unreachable: Vec::new(),
            allowed_recipients: None,
            enforce_rate_limits: false,
            statuses: vec![
                StatusStep::new("sent", 30),
                StatusStep::new("delivered", 80),
                StatusStep::new("read", 200),
                StatusStep::new("played", 300),
            ],
            webhook_shape: WebhookShape::default(),
            contacts_on_failed: true,
            webhook_retry: RetryPolicy { max_attempts: 6, first_ms: 500, max_ms: 30_000 },
            webhook_timeout_ms: 20_000,
            smtp_listen: "127.0.0.1:0".to_owned(),
            base_url: None,
            oauth: OAuthConfig::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// The template that every new WhatsApp Business Account has.
fn hello_world() -> Value {
    json!({
        "name": "hello_world",
        "language": "en_US",
        "category": "UTILITY",
        "components": [
            { "type": "HEADER", "format": "TEXT", "text": "Hello World" },
            { "type": "BODY", "text": "Welcome and congratulations!! This message demonstrates your ability to send a WhatsApp message notification from the Cloud API, hosted by Meta. Thank you for taking the time to test with us." },
            { "type": "FOOTER", "text": "WhatsApp Business Platform sample message" }
        ]
    })
}
