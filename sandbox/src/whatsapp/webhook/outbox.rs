//! Sends webhooks: signs, delays, holds, duplicates, repeats until the server answers 200 or patience is over.
//!
//! It must not know what the bodies say.

use super::wire;
use crate::config::{Number, SandboxConfig};
use crate::journal::{Log, lock};
use crate::whatsapp::WhatsApp;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Webhooks on the way at the same time.
const PARALLEL: usize = 64;

/// Whose callback a webhook goes to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) number: Number,
    /// `message`, `status` or the name of another field, for the log.
    pub(crate) what: &'static str,
}

/// One webhook in the log.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WebhookEntry {
    pub(crate) seq: u64,
    pub(crate) at: i64,
    pub(crate) what: &'static str,
    pub(crate) url: Option<String>,
    pub(crate) body: Value,
    pub(crate) signature: String,
    /// Tries so far, copies not counted.
    pub(crate) attempts: u32,
    /// HTTP status of the newest try; `null` if there was no answer.
    pub(crate) status: Option<u16>,
    /// `unconnected`, `held`, `sending`, `delivered`, `retrying` or `given_up`.
    pub(crate) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// A webhook ready to go.
#[derive(Debug, Clone)]
struct Prepared {
    seq: u64,
    url: String,
    body: Bytes,
    copies: u32,
}

/// What came of the first try.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: Option<u16>,
    pub(crate) state: &'static str,
    pub(crate) error: Option<String>,
}

/// The way to the connected server.
pub(crate) struct Outbox {
    client: reqwest::Client,
    log: Log<WebhookEntry>,
    held: Mutex<Vec<Prepared>>,
    lanes: Semaphore,
    shutdown: CancellationToken,
    /// Ends everything that was begun before the last reset.
    era: Mutex<CancellationToken>,
}

impl Outbox {
    pub(crate) fn new(config: &SandboxConfig, shutdown: CancellationToken) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_millis(config.webhook_timeout_ms))
            .user_agent("facebookexternalua")
            .build()?;
        Ok(Self {
            client,
            log: Log::new(),
            held: Mutex::new(Vec::new()),
            lanes: Semaphore::new(PARALLEL),
            era: Mutex::new(shutdown.child_token()),
            shutdown,
        })
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    pub(crate) fn log(&self) -> &Log<WebhookEntry> {
        &self.log
    }

    /// Ends all deliveries under way and forgets the log and what is held.
    pub(crate) fn reset(&self) {
        let fresh = self.shutdown.child_token();
        std::mem::replace(&mut *lock(&self.era), fresh).cancel();
        lock(&self.held).clear();
        self.log.clear();
    }

    /// Runs work in the background until it is done or the sandbox is reset or shut down.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let era = lock(&self.era).clone();
        tokio::spawn(async move { era.run_until_cancelled_owned(work).await });
    }

    /// Sends a webhook and comes back when it was delivered or given up.
    pub(crate) async fn deliver(&self, wa: &WhatsApp, target: &Target, body: &Value) {
        if let Ok(prepared) = self.prepare(wa, target, body) {
            let first = self.first_try(wa, &prepared).await;
            self.repeat(wa, &prepared, first).await;
        }
    }

    /// Sends a webhook, answers what came of the first try and goes on trying in the background.
    pub(crate) async fn deliver_once(&self, wa: &Arc<WhatsApp>, target: &Target, body: &Value) -> Outcome {
        let prepared = match self.prepare(wa, target, body) {
            Ok(prepared) => prepared,
            Err(state) => return Outcome { state, ..Outcome::default() },
        };
        let first = self.first_try(wa, &prepared).await;
        if first.state == "retrying" {
            let (own, outcome) = (wa.clone(), first.clone());
            self.spawn(async move { own.outbox.repeat(&own, &prepared, outcome).await });
        }
        first
    }

    /// Logs and signs a webhook; answers the state instead if it is held or has nowhere to go.
    fn prepare(&self, wa: &WhatsApp, target: &Target, body: &Value) -> Result<Prepared, &'static str> {
        let url = lock(&wa.world).callback(&target.number);
        let bytes = Bytes::from(wire::encode(body));
        let disturbed = wa.faults.webhooks();
        let state = match (&url, disturbed.is_holding()) {
            (None, _) => "unconnected",
            (Some(_), true) => "held",
            (Some(_), false) => "sending",
        };
        let seq = self.log.push(|seq| WebhookEntry {
            seq,
            at: wa.clock.now_ms(),
            what: target.what,
            url: url.clone(),
            body: body.clone(),
            signature: wire::signature(&wa.config.app_secret, &bytes),
            attempts: 0,
            status: None,
            state,
            error: None,
        });
        let copies = disturbed.duplicate.unwrap_or(0);
        let Some(url) = url else { return Err(state) };
        let prepared = Prepared { seq, url, body: bytes, copies };
        if state == "held" {
            lock(&self.held).push(prepared);
            return Err(state);
        }
        Ok(prepared)
    }

    /// Sends what was held, in order or in reverse, and answers how many there were.
    pub(crate) fn release(&self, wa: &Arc<WhatsApp>) -> usize {
        let mut held = std::mem::take(&mut *lock(&self.held));
        if wa.faults.webhooks().is_reordering() {
            held.reverse();
        }
        let count = held.len();
        let own = wa.clone();
        self.spawn(async move {
            for prepared in held {
                let first = own.outbox.first_try(&own, &prepared).await;
                own.outbox.repeat(&own, &prepared, first).await;
            }
        });
        count
    }

    async fn first_try(&self, wa: &WhatsApp, prepared: &Prepared) -> Outcome {
        wa.clock.sleep(wa.faults.webhooks().delay_ms.unwrap_or(0)).await;
        let outcome = self.attempt(wa, prepared, 1).await;
        for _ in 0..prepared.copies {
            // What the server answers to a copy changes nothing.
            let _ = self.post(wa, prepared).await;
        }
        outcome
    }

    async fn repeat(&self, wa: &WhatsApp, prepared: &Prepared, mut last: Outcome) {
        let policy = wa.config.webhook_retry;
        let mut wait = policy.first_ms;
        let mut attempt = 1;
        while last.state == "retrying" {
            wa.clock.sleep(wait).await;
            wait = wait.saturating_mul(2).min(policy.max_ms);
            attempt += 1;
            last = self.attempt(wa, prepared, attempt).await;
        }
    }

    async fn attempt(&self, wa: &WhatsApp, prepared: &Prepared, attempt: u32) -> Outcome {
        let (status, error) = match self.post(wa, prepared).await {
            Ok(status) => (Some(status), None),
            Err(error) => (None, Some(error)),
        };
        let state = match status {
            Some(200) => "delivered",
            _ if attempt < wa.config.webhook_retry.max_attempts => "retrying",
            _ => "given_up",
        };
        if state != "delivered" {
            tracing::warn!(
                url = prepared.url,
                status,
                error,
                attempt,
                state,
                "webhook was not answered with 200"
            );
        }
        self.log.update(prepared.seq, |entry| {
            entry.attempts = attempt;
            entry.status = status;
            entry.state = state;
            entry.error.clone_from(&error);
        });
        Outcome { status, state, error }
    }

    async fn post(&self, wa: &WhatsApp, prepared: &Prepared) -> Result<u16, String> {
        // The semaphore is never closed; without a permit the webhook would still be right, only less polite.
        let _lane = self.lanes.acquire().await;
        let secret = &wa.config.app_secret;
        let request = self
            .client
            .post(&prepared.url)
            .header("content-type", "application/json")
            .header("x-hub-signature", wire::old_signature(secret, &prepared.body))
            .header("x-hub-signature-256", wire::signature(secret, &prepared.body))
            .body(prepared.body.clone());
        let answer = request.send().await.map_err(|error| chain(&error.without_url()))?;
        Ok(answer.status().as_u16())
    }
}

/// The error with its causes, because the outermost text only says that the request failed.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
