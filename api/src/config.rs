//! What an operator decides about the API. Must not know where the values come from.

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
    /// Bounds of requests.
    pub limits: Limits,
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
