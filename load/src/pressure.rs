//! Many connections that ask again and again, as fast as they are answered or at a given pace. Must not know what
//! the answers mean.

use crate::histogram::Histogram;
use crate::wire::Wire;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a client stays away after a refusal or a broken connection.
const AWAY: Duration = Duration::from_millis(100);

/// Makes the request with a given number.
pub(crate) type Make = Arc<dyn Fn(u64) -> Vec<u8> + Send + Sync>;

/// What to do.
#[derive(Clone)]
pub(crate) struct Pressure {
    /// `host:port`.
    pub(crate) address: String,
    /// Connections at once.
    pub(crate) connections: usize,
    /// For how long.
    pub(crate) lasting: Duration,
    /// Requests per second over all connections; as fast as possible when missing. Latency then counts from the
    /// moment at which a request was due, so that waiting behind slow ones is not hidden.
    pub(crate) pace: Option<f64>,
    /// The requests.
    pub(crate) make: Make,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    /// Answers by status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// 429 and 503 without `Retry-After`.
    pub(crate) refused_bare: u64,
    /// Requests without an answer.
    pub(crate) broken: u64,
    /// Of answers below 300.
    pub(crate) latency: Histogram,
    /// Of all other answers.
    pub(crate) refusals: Histogram,
    /// How long it lasted.
    pub(crate) took: Duration,
}

impl Measured {
    /// Answers with a status below 300.
    pub(crate) fn taken(&self) -> u64 {
        self.statuses.range(..300).map(|(_, count)| count).sum()
    }

    /// Answers below 300 per second.
    #[allow(clippy::cast_precision_loss, reason = "counts of a measurement are far below 2^52")]
    pub(crate) fn rate(&self) -> f64 {
        self.taken() as f64 / self.took.as_secs_f64().max(1e-9)
    }

    /// Everything that was not taken, for people; empty when all was.
    pub(crate) fn trouble(&self) -> String {
        let others = self.statuses.range(300..).map(|(status, count)| format!("{count}×{status}"));
        let broken = (self.broken > 0).then(|| format!("{} broken", self.broken));
        others.chain(broken).collect::<Vec<_>>().join(", ")
    }

    fn merge(&mut self, other: &Self) {
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        self.refused_bare += other.refused_bare;
        self.broken += other.broken;
        self.latency.merge(&other.latency);
        self.refusals.merge(&other.refusals);
    }
}

impl Pressure {
    /// Does it.
    pub(crate) async fn apply(self) -> Measured {
        let begun = Instant::now();
        let number = Arc::new(AtomicU64::new(0));
        let tasks: Vec<_> = (0..self.connections)
            .map(|place| tokio::spawn(one_connection(self.clone(), place, number.clone(), begun)))
            .collect();
        let mut all = Measured::default();
        for task in tasks {
            match task.await {
                Ok(part) => all.merge(&part),
                Err(_) => all.broken += 1,
            }
        }
        all.took = begun.elapsed();
        all
    }
}

async fn one_connection(load: Pressure, place: usize, number: Arc<AtomicU64>, begun: Instant) -> Measured {
    let mut measured = Measured::default();
    let mut wire = None;
    let end = begun + load.lasting;
    let mut turn = 0;
    while Instant::now() < end {
        let due = load.due(begun, place, turn);
        turn += 1;
        if let Some(due) = due {
            tokio::time::sleep_until(due.into()).await;
        }
        let open = match wire.take() {
            Some(open) => open,
            None => match Wire::connect(&load.address).await {
                Ok(open) => open,
                Err(_) => {
                    measured.broken += 1;
                    tokio::time::sleep(AWAY).await;
                    continue;
                }
            },
        };
        let request = (load.make)(number.fetch_add(1, Ordering::Relaxed));
        wire = ask(open, &request, due, &mut measured).await;
    }
    measured
}

/// One request. Gives the connection back when it may be used again.
async fn ask(mut wire: Wire, request: &[u8], due: Option<Instant>, measured: &mut Measured) -> Option<Wire> {
    let since = due.unwrap_or_else(Instant::now);
    let Ok(head) = wire.ask(request).await else {
        measured.broken += 1;
        tokio::time::sleep(AWAY).await;
        return None;
    };
    *measured.statuses.entry(head.status).or_default() += 1;
    if head.status < 300 {
        measured.latency.add(since.elapsed());
    } else {
        measured.refusals.add(since.elapsed());
        if matches!(head.status, 429 | 503) && !head.has_retry_after {
            measured.refused_bare += 1;
        }
        tokio::time::sleep(AWAY).await;
    }
    (!head.closes).then_some(wire)
}

impl Pressure {
    /// When the `turn`-th request of a connection is due.
    #[allow(clippy::cast_precision_loss, reason = "numbers of connections and turns are small")]
    fn due(&self, begun: Instant, place: usize, turn: u64) -> Option<Instant> {
        let pace = self.pace?;
        let nth = turn as f64 * self.connections as f64 + place as f64;
        Some(begun + Duration::from_secs_f64(nth / pace.max(0.01)))
    }
}
