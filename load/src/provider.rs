//! The outside that workflows call: an HTTP server of our own that answers late, cuts connections on demand and
//! remembers what it took. Must not know what its callers are told.

use crate::fault::{Tried, While as _};
use crate::wire::{Head, Wire, answer};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request that was carried out: whoever sent it may or may not have heard so.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// Path of the request.
    pub(crate) path: String,
    /// `Idempotency-Key`.
    pub(crate) key: Option<String>,
    /// Its body.
    pub(crate) body: Value,
}

/// What happens to the next requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The connection ends before the request is carried out.
    Before,
    /// The request is carried out, and the connection ends in the middle of the answer.
    Midway,
}

#[derive(Default)]
struct Shared {
    delay: Duration,
    keeps: bool,
    taken: Mutex<Vec<Taken>>,
    count: AtomicU64,
    before: AtomicU32,
    midway: AtomicU32,
}

/// The server; stops when dropped.
pub(crate) struct Provider {
    address: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    /// Listens on a free loopback port and answers after `delay`. Remembers what it takes when `keeps`.
    ///
    /// # Errors
    /// [`crate::fault::Fault::Io`] when no port is free.
    pub(crate) async fn start(delay: Duration, keeps: bool) -> Tried<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.while_trying(|| "listening".to_owned())?;
        let address = listener.local_addr().while_trying(|| "asking for the port".to_owned())?.to_string();
        let shared = Arc::new(Shared { delay, keeps, ..Shared::default() });
        let of_task = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, of_task.clone()));
            }
        });
        Ok(Self { address, shared, task })
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Cuts the next `count` requests.
    pub(crate) fn cut_next(&self, count: u32, how: Cut) {
        let counter = if how == Cut::Before { &self.shared.before } else { &self.shared.midway };
        counter.fetch_add(count, Ordering::Relaxed);
    }

    /// Requests that were carried out.
    pub(crate) fn count(&self) -> u64 {
        self.shared.count.load(Ordering::Relaxed)
    }

    /// What was carried out, in order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.shared.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Takes one from a counter.
fn take(counter: &AtomicU32) -> bool {
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let mut wire = Wire::over(stream);
    while let Ok(Some(head)) = wire.hear().await {
        if take(&shared.before) {
            return;
        }
        shared.count.fetch_add(1, Ordering::Relaxed);
        if shared.keeps {
            remember(&shared, head, wire.body());
        }
        if !shared.delay.is_zero() {
            tokio::time::sleep(shared.delay).await;
        }
        let bytes = answer(200, json!({ "ok": true }).to_string().as_bytes());
        if take(&shared.midway) {
            // Whether the caller still reads it does not matter: the connection ends either way.
            let _ = wire.say(&bytes[..bytes.len() - 4]).await;
            return;
        }
        if wire.say(&bytes).await.is_err() {
            return;
        }
    }
}

fn remember(shared: &Shared, head: Head, body: &[u8]) {
    let body = serde_json::from_slice(body).unwrap_or(Value::Null);
    let taken = Taken { path: head.target, key: head.idempotency_key, body };
    shared.taken.lock().unwrap_or_else(PoisonError::into_inner).push(taken);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::request;

    #[tokio::test]
    async fn what_is_cut_before_is_not_taken_and_what_is_cut_midway_is() {
        let provider = Provider::start(Duration::ZERO, true).await.unwrap();
        let asked = request("POST", provider.address(), "/once", &["idempotency-key: k1"], b"{\"n\":1}");
        provider.cut_next(1, Cut::Before);
        assert!(Wire::connect(provider.address()).await.unwrap().ask(&asked).await.is_err());
        assert_eq!(provider.count(), 0);
        provider.cut_next(1, Cut::Midway);
        assert!(Wire::connect(provider.address()).await.unwrap().ask(&asked).await.is_err());
        assert_eq!(Wire::connect(provider.address()).await.unwrap().ask(&asked).await.unwrap().status, 200);
        let taken = provider.taken();
        assert_eq!(
            (taken.len(), taken[0].key.as_deref(), &taken[0].body),
            (2, Some("k1"), &json!({ "n": 1 }))
        );
    }
}
