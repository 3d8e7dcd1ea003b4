//! Workload `waiting`: many runs that wait for tomorrow cost bytes on disk and nothing in memory; many that wait for
//! the same moment all go on soon after it.

use super::report::Finding;
use super::{Bench, documents, mb};
use crate::database::Kind;
use crate::fault::{Fault, Tried};
use crate::histogram::Histogram;
use crate::house::House;
use crate::pressure::{Make, Pressure};
use crate::process::Process;
use crate::rest::Rest;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Connections that start runs.
const CONNECTIONS: usize = 32;
/// Timers that are due in the same window, at most.
const TIMERS: u64 = 120_000;
/// How many of them are due per second: more than is wanted, so that the rate shows what can be done.
const DUE_PER_SECOND: u64 = 6_000;

pub(super) async fn measure(bench: &mut Bench) -> Tried<()> {
    for kind in bench.kinds.clone() {
        on(bench, &kind).await?;
    }
    Ok(())
}

/// One database.
async fn on(bench: &mut Bench, kind: &Kind) -> Tried<()> {
    let house = bench.house(kind, "waiting").await?;
    let (process, _) = house.start().await?;
    house.rest().publish(&documents::waiting("day", &json!({ "for": "1d" }))).await?;
    let until = json!({ "until": "{{ json.body.at }}" });
    let timed = house.rest().publish(&documents::waiting("moment", &until)).await?;
    let (empty, before) = (house.database.bytes().await?, process.memory().now);
    let count = bench.waiting;
    let begun = Instant::now();
    start(&house.address, count, documents::posting(&house.address, "day")).await;
    let took = begun.elapsed();
    let after = process.memory().now;
    process.stop().await?;
    let full = house.database.bytes().await?;
    let (process, ready) = house.start().await?;
    let restarted = process.memory().now;
    #[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
    let per_run = full.saturating_sub(empty) as f64 / count.max(1) as f64;
    let place = kind.name();
    let figure = |name: &str, value: f64, unit| Finding::new("waiting", place, name, value, unit);
    let started = format!("{count} runs, started in {:.0} s", took.as_secs_f64());
    bench.found(figure("stored per waiting run", per_run, "bytes").at_most(500.0).remark(started));
    let memory = format!("{:.0} MB before, {:.0} MB after all were started", mb(before), mb(after));
    bench.found(figure("memory after a restart", mb(restarted), "MB").at_most(50.0).remark(memory));
    bench.found(figure("restart to ready", ready.as_secs_f64() * 1_000.0, "ms").at_most(1_000.0));
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let pace = count as f64 / took.as_secs_f64();
    timers(bench, kind, &house, &process, &timed, pace).await?;
    process.stop().await?;
    house.database.remove().await
}

/// Starts runs until there are `count`.
async fn start(address: &str, count: u64, make: Make) {
    let begun = Arc::new(AtomicU64::new(0));
    while begun.load(Ordering::Relaxed) < count {
        let left = count - begun.load(Ordering::Relaxed);
        // In pieces: how fast it goes is not known beforehand. The last piece is paced so that it ends in time.
        let lasting = Duration::from_secs(1);
        #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let pace = (left < 20_000).then(|| (left as f64).max(32.0));
        let pressure = Pressure {
            address: address.to_owned(),
            connections: CONNECTIONS,
            lasting,
            pace,
            make: make.clone(),
        };
        begun.fetch_add(pressure.apply().await.taken(), Ordering::Relaxed);
    }
}

/// Starts runs of the workflow `timed` that all wait for moments within one window, and sees when they ended. `pace`
/// is how many can be started per second.
async fn timers(
    bench: &mut Bench,
    kind: &Kind,
    house: &House,
    process: &Process,
    timed: &str,
    pace: f64,
) -> Tried<()> {
    let count = TIMERS.min(bench.waiting.max(1));
    let window_ms = (count * 1_000 / DUE_PER_SECOND).max(1_000);
    let rest = house.rest();
    // Far enough away that all are waiting when the first is due.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let lead_ms = 10_000 + (count as f64 * 1_500.0 / pace.max(1.0)) as u64;
    let first = now_ms() + lead_ms;
    let (address, path) = (house.address.clone(), format!("/hooks/{}/moment", crate::house::WORKSPACE));
    let make: Make = Arc::new(move |number| {
        let at = first + number.wrapping_mul(7_919) % window_ms;
        let body = format!("{{\"at\":{at}}}");
        crate::wire::request("POST", &address, &path, &[], body.as_bytes())
    });
    start(&house.address, count, make).await;
    let late_start = now_ms() > first;
    let runs = until_ended(&rest, timed, first, window_ms).await?;
    let (rate, lateness) = judge(&runs);
    let place = kind.name();
    let note = format!(
        "{} timers due within {} s{}",
        runs.len(),
        window_ms / 1_000,
        if late_start { ", some due before all were started" } else { "" }
    );
    bench.found(Finding::new("waiting", place, "timers fired", rate, "per s").at_least(5_000.0).remark(note));
    let p99 = Finding::new("waiting", place, "lateness of timers, p99", lateness.quantile_ms(0.99), "ms");
    bench.found(p99.at_most(1_000.0).remark(format!("peak memory {:.0} MB", mb(process.memory().peak))));
    Ok(())
}

/// When a run was due and when it ended, in milliseconds.
struct Fired {
    due: u64,
    ended: u64,
}

/// Waits until nothing of the window is left, then reads a sample of runs with their own moments.
async fn until_ended(rest: &Rest, timed: &str, first: u64, window_ms: u64) -> Tried<Vec<Fired>> {
    let end = Instant::now() + Duration::from_millis(first.saturating_sub(now_ms()) + window_ms + 300_000);
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut left = 0;
        for status in ["waiting", "queued", "running"] {
            let page = rest.get(&format!("/api/runs?limit=1&workflow={timed}&status={status}")).await?;
            left += page["items"].as_array().map_or(0, Vec::len);
        }
        if left == 0 && now_ms() > first + window_ms {
            break;
        }
        if Instant::now() > end {
            return Err(Fault::Late("the timers were not fired within five minutes".to_owned()));
        }
    }
    let mut fired = Vec::new();
    for run in rest.all("/api/runs", &format!("&workflow={timed}&status=succeeded")).await? {
        let ended = run["ended_at"].as_u64().unwrap_or(0);
        fired.push((run["id"].as_str().unwrap_or_default().to_owned(), ended));
    }
    sample(rest, fired).await
}

/// The moments of up to two thousand of them, in even steps; the others keep their end only.
async fn sample(rest: &Rest, fired: Vec<(String, u64)>) -> Tried<Vec<Fired>> {
    let step = (fired.len() / 2_000).max(1);
    let mut found = Vec::with_capacity(fired.len());
    for (index, (id, ended)) in fired.into_iter().enumerate() {
        let due = if index % step == 0 {
            let run = rest.get(&format!("/api/runs/{id}")).await?;
            run.pointer("/nodes/0/output/main/0/json/body/at")
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(0)
        } else {
            0
        };
        found.push(Fired { due, ended });
    }
    Ok(found)
}

/// Ends per second between the first and the last percent, and the lateness of the sample.
fn judge(fired: &[Fired]) -> (f64, Histogram) {
    let mut ends: Vec<u64> = fired.iter().map(|run| run.ended).collect();
    ends.sort_unstable();
    let mut lateness = Histogram::default();
    for run in fired.iter().filter(|run| run.due > 0) {
        lateness.add(Duration::from_millis(run.ended.saturating_sub(run.due)));
    }
    let (Some(first), Some(last)) = (ends.first(), ends.last()) else { return (0.0, lateness) };
    #[allow(clippy::cast_precision_loss, reason = "counts and times are far below 2^52")]
    let rate = ends.len() as f64 * 1_000.0 / (last - first).max(1) as f64;
    (rate, lateness)
}

#[allow(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit into 64 bits")]
fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
