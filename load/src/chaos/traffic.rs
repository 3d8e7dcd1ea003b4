//! The clients: customers who write WhatsApp messages one after the other, callers of webhooks with outside effects,
//! callers who wait for an answer. They remember only what they were told is taken. Must not know what breaks.

use super::reconcile::Acknowledged;
use crate::house::WORKSPACE;
use crate::meta::{delivery, digest, message};
use crate::wire::{Wire, request};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long it stays away after it was not answered.
const AWAY: Duration = Duration::from_millis(50);

/// Messages per second of all customers together when nothing breaks. Less than the 80 that Meta lets a number send, and
/// every message is answered: so what is left at the end comes from the faults.
const MESSAGES_PER_SECOND: f64 = 60.0;

/// How many clients of each sort.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    /// Customers who write messages.
    pub(super) customers: u32,
    /// Callers of webhooks with effects.
    pub(super) callers: u32,
    /// Callers who wait for the answer.
    pub(super) waiting: u32,
}

/// What all clients share.
pub(super) struct Desk {
    address: String,
    stopped: AtomicBool,
    numbers: AtomicU64,
    acknowledged: Mutex<Vec<Acknowledged>>,
    sent: AtomicU64,
}

/// The clients at work.
pub(super) struct Traffic {
    desk: Arc<Desk>,
    tasks: Vec<JoinHandle<()>>,
}

impl Traffic {
    /// Sets them to work.
    pub(super) fn start(address: &str, crowd: Crowd) -> Self {
        let desk = Arc::new(Desk {
            address: address.to_owned(),
            stopped: AtomicBool::new(false),
            numbers: AtomicU64::new(0),
            acknowledged: Mutex::default(),
            sent: AtomicU64::new(0),
        });
        let mean_pause = Duration::from_secs_f64(f64::from(crowd.customers) / MESSAGES_PER_SECOND);
        let mut tasks: Vec<_> =
            (0..crowd.customers).map(|who| tokio::spawn(write(desk.clone(), who, mean_pause))).collect();
        tasks.extend((0..crowd.callers).map(|_| tokio::spawn(call(desk.clone(), "effects", 20..120))));
        tasks.extend((0..crowd.waiting).map(|_| tokio::spawn(call(desk.clone(), "sync", 10..60))));
        Self { desk, tasks }
    }

    /// What they share.
    pub(super) fn desk(&self) -> Arc<Desk> {
        self.desk.clone()
    }

    /// Lets everybody finish what is under way; gives how much was sent, and what was acknowledged.
    pub(super) async fn finish(self) -> (u64, Vec<Acknowledged>) {
        self.desk.stopped.store(true, Ordering::Relaxed);
        for task in self.tasks {
            // A client that panicked has lost its place, not its notes.
            let _ = task.await;
        }
        let acknowledged = self.desk.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (self.desk.sent.load(Ordering::Relaxed), acknowledged)
    }
}

impl Desk {
    fn is_open(&self) -> bool {
        !self.stopped.load(Ordering::Relaxed)
    }

    fn note(&self, input: Acknowledged) {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push(input);
    }

    /// One request over the kept or a new connection: its body when it was answered 2xx.
    async fn ask(&self, wire: &mut Option<Wire>, bytes: &[u8]) -> Option<Value> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let asked = async {
            let mut open = match wire.take() {
                Some(open) => open,
                None => Wire::connect(&self.address).await?,
            };
            let head = open.ask(bytes).await?;
            let body = serde_json::from_slice(open.body()).unwrap_or(Value::Null);
            Ok::<_, std::io::Error>((open, head, body))
        };
        let (open, head, body) = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
        if !head.closes {
            *wire = Some(open);
        }
        (200..300).contains(&head.status).then_some(body)
    }

    /// Calls a synchronous webhook until it answers; gives how long that took.
    pub(super) async fn until_answered(&self, limit: Duration) -> Option<Duration> {
        let begun = Instant::now();
        let mut wire = None;
        while begun.elapsed() < limit {
            if self.hook("sync", &mut wire).await {
                return Some(begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        None
    }

    /// Calls a webhook once; whether it was acknowledged.
    async fn hook(&self, path: &str, wire: &mut Option<Wire>) -> bool {
        let token = format!("{path}-{}", self.numbers.fetch_add(1, Ordering::Relaxed));
        let body = json!({ "token": token }).to_string();
        let target = format!("/hooks/{WORKSPACE}/{path}");
        let Some(answer) =
            self.ask(wire, &request("POST", &self.address, &target, &[], body.as_bytes())).await
        else {
            return false;
        };
        let run = answer["run_id"].as_str().map(str::to_owned);
        self.note(Acknowledged { token, run, digest: None });
        true
    }
}

/// Calls a webhook again and again. A request that was not answered is not repeated: it may have been taken.
async fn call(desk: Arc<Desk>, path: &'static str, pause_ms: std::ops::Range<u64>) {
    let mut wire = None;
    while desk.is_open() {
        let pause = if desk.hook(path, &mut wire).await {
            Duration::from_millis(fastrand::u64(pause_ms.clone()))
        } else {
            AWAY
        };
        tokio::time::sleep(pause).await;
    }
}

/// Writes one message after the other; each is delivered again until it is acknowledged, as Meta does.
async fn write(desk: Arc<Desk>, who: u32, mean_pause: Duration) {
    let mut wire = None;
    let mut number = 0;
    while desk.is_open() {
        number += 1;
        let token = format!("c{who} m{number}");
        let body = message(who, &token);
        let bytes = delivery(&desk.address, &body);
        while desk.ask(&mut wire, &bytes).await.is_none() {
            if !desk.is_open() {
                return;
            }
            tokio::time::sleep(AWAY).await;
        }
        let digest = Some(digest(&body));
        desk.note(Acknowledged { token, run: None, digest });
        tokio::time::sleep(mean_pause.mul_f64(0.2 + 1.6 * fastrand::f64())).await;
    }
}
