//! What is counted, for Prometheus. Must not know what a run does.

use crate::state::ApiState;
use metrics::{Counter, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use sluice_engine::store::Attention;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Upper bounds of the histogram of request times, seconds.
const TIMES: [f64; 11] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// How often observed times are folded into the histogram.
const FOLDING: Duration = Duration::from_secs(5);

/// The counters of this process. The default counts nothing.
#[derive(Clone, Default)]
pub struct Metrics(Option<Arc<Counting>>);

struct Counting {
    handle: PrometheusHandle,
    /// By route. Finding a counter by its labels costs more than the rest of counting.
    requests: RwLock<HashMap<String, Vec<Requests>>>,
}

/// The requests of a route with one method and one status.
struct Requests {
    method: &'static str,
    status: u16,
    count: Counter,
    times: Histogram,
}

impl Requests {
    fn of(method: &'static str, route: &str, status: u16) -> Self {
        let (route, code) = (route.to_owned(), status.to_string());
        Self {
            method,
            status,
            count: counter!("sluice_http_requests_total", "method" => method, "route" => route.clone(), "status" => code),
            times: histogram!("sluice_http_request_seconds", "method" => method, "route" => route),
        }
    }

    fn add(&self, took: Duration) {
        self.count.increment(1);
        self.times.record(took.as_secs_f64());
    }
}

/// Why counting could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("metrics could not be set up; another recorder is installed in this process")]
pub struct MetricsError(#[from] BuildError);

impl Metrics {
    /// Counts in this process from now on. Further calls give the same counters.
    ///
    /// # Errors
    /// When the host has installed another recorder.
    pub fn install() -> Result<Self, MetricsError> {
        static COUNTING: OnceLock<Arc<Counting>> = OnceLock::new();
        static INSTALLING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counting) = COUNTING.get() {
            return Ok(Self(Some(counting.clone())));
        }
        let times = Matcher::Full("sluice_http_request_seconds".to_owned());
        let handle = PrometheusBuilder::new().set_buckets_for_metric(times, &TIMES)?.install_recorder()?;
        let counting = COUNTING.get_or_init(|| Arc::new(Counting { handle, requests: RwLock::default() }));
        Ok(Self(Some(counting.clone())))
    }

    /// Folds observed times into the histogram until `stopping`. Each time is kept by itself until then, and where nobody
    /// asks for the metrics nothing else does it.
    pub(crate) async fn fold_for_ever(self, stopping: CancellationToken) {
        while stopping.run_until_cancelled(tokio::time::sleep(FOLDING)).await.is_some() {
            if let Some(counting) = &self.0 {
                counting.handle.run_upkeep();
            }
        }
    }

    /// Everything in Prometheus' text format.
    pub(crate) fn render(&self) -> String {
        self.0.as_ref().map(|counting| counting.handle.render()).unwrap_or_default()
    }

    /// Counts one answered request.
    pub(crate) fn count_request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let Some(counting) = &self.0 else { return };
        let method = known_method(method);
        let is_it = |requests: &&Requests| requests.method == method && requests.status == status;
        let known = counting.requests.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(requests) = known.get(route).and_then(|of_route| of_route.iter().find(is_it)) {
            return requests.add(took);
        }
        drop(known);
        // Who comes second adds the same counter once more, which is found no worse.
        let requests = Requests::of(method, route, status);
        requests.add(took);
        let mut known = counting.requests.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(route.to_owned()).or_default().push(requests);
    }
}

/// Callers can invent methods; the list of labels must not grow with their fantasy.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("other")
}

/// Counts one stored provider body by what became of it.
pub(crate) fn inbound(source: &str, status: &'static str) {
    counter!("sluice_inbound_total", "source" => source.to_owned(), "status" => status).increment(1);
}

/// Reads what is counted elsewhere, and what is a level and not a count.
pub(crate) async fn read_levels(state: &ApiState) {
    for (step, count) in state.engine.live().counts().read() {
        counter!("sluice_runs_total", "status" => step).absolute(count);
    }
    let backlog = state.engine.store().backlog();
    gauge!("sluice_commits_waiting").set(backlog.turns as f64);
    gauge!("sluice_commit_bytes_waiting").set(backlog.bytes as f64);
    gauge!("sluice_runs_driven").set(state.engine.active_runs() as f64);
    gauge!("sluice_runs_queued").set(state.engine.queued_runs() as f64);
    if let Some(payloads) = state.engine.store().payloads() {
        let (written, read) = payloads.bytes();
        counter!("sluice_payload_bytes_total", "direction" => "written").absolute(written);
        counter!("sluice_payload_bytes_total", "direction" => "read").absolute(read);
    }
    gauge!("sluice_inbound_in_hand").set(state.inbox.in_hand() as f64);
    read_attention(state).await;
    match state.engine.store().count_active().await {
        Ok(counts) => {
            for status in ["queued", "running"] {
                let found = counts.iter().find(|count| count.status.as_str() == status);
                gauge!("sluice_runs_active", "status" => status)
                    .set(found.map_or(0, |count| count.runs) as f64);
            }
        }
        Err(failure) => {
            tracing::error!(error = &failure as &dyn std::error::Error, "runs could not be counted");
        }
    }
}

async fn read_attention(state: &ApiState) {
    match state.engine.store().count_attention().await {
        Ok(counts) => {
            for (reason, name) in
                [(Attention::UnknownOutcome, "unknown_outcome"), (Attention::Poisoned, "poisoned")]
            {
                let found = counts.iter().find(|(counted, _)| *counted == reason);
                gauge!("sluice_runs_attention", "reason" => name)
                    .set(found.map_or(0, |(_, runs)| *runs) as f64);
            }
        }
        Err(failure) => {
            let failure = &failure as &dyn std::error::Error;
            tracing::error!(error = failure, "runs that need attention could not be counted");
        }
    }
}
