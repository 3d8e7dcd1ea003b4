//! Workload `overload`: a thousand connections at once. What is not taken must be refused early and say when to come
//! back; what was acknowledged must be finished; memory must stay flat; afterwards all must be quick again.

use super::report::Finding;
use super::{Bench, documents, mb};
use crate::database::Kind;
use crate::fault::{Fault, Tried};
use crate::histogram::Histogram;
use crate::pressure::{Make, Pressure};
use crate::process::Process;
use crate::wire::Wire;
use std::time::{Duration, Instant};

/// Connections at once.
const CONNECTIONS: usize = 1_000;
/// For how long.
const LASTING: Duration = Duration::from_secs(20);
/// Requests of one connection whose p99 tells whether the server is quick again.
const WINDOW: u32 = 100;
/// What counts as quick.
const QUICK_MS: f64 = 10.0;

pub(super) async fn measure(bench: &mut Bench) -> Tried<()> {
    for kind in bench.kinds.clone() {
        on(bench, &kind).await?;
    }
    Ok(())
}

/// One database.
async fn on(bench: &mut Bench, kind: &Kind) -> Tried<()> {
    let house = bench.house(kind, "overload").await?;
    let (process, _) = house.start().await?;
    let rest = house.rest();
    rest.publish(&documents::five("overload", "last_node")).await?;
    let make = documents::posting(&house.address, "overload");
    let pressure = Pressure {
        address: house.address.clone(),
        connections: CONNECTIONS,
        lasting: LASTING,
        pace: None,
        make: make.clone(),
    };
    let load = tokio::spawn(pressure.apply());
    let memory = watch(&process).await;
    let measured = load.await.map_err(|_| Fault::Late("the load generator ended early".to_owned()))?;
    let quick = until_quick(&house.address, &make).await?;
    super::settle(&rest).await?;
    let runs = rest.all("/api/runs", "").await?;
    let finished = runs.iter().filter(|run| run["status"] == "succeeded").count() as u64;
    let peak = process.memory().peak;
    process.stop().await?;
    house.database.remove().await?;
    report(bench, kind, &measured, finished, quick);
    let steady = Finding::new("overload", kind.name(), "peak memory", mb(peak), "MB").at_most(200.0);
    let seen = memory.map(|bytes| format!("{:.0}", mb(bytes))).join(", ");
    // The highest of all may be later than that: whoever lists all runs reads the whole database.
    bench.found(steady.remark(format!("{seen} MB after 5, 10, 15 and 20 s of load")));
    Ok(())
}

fn report(
    bench: &mut Bench,
    kind: &Kind,
    measured: &crate::pressure::Measured,
    finished: u64,
    quick: Duration,
) {
    let place = kind.name();
    bench.found(Finding::rate("overload", place, "1,000 connections, taken", measured));
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let count = |figure: &str, value: u64| Finding::new("overload", place, figure, value as f64, "");
    let refused = measured.statuses.get(&429).unwrap_or(&0) + measured.statuses.get(&503).unwrap_or(&0);
    let early = format!("p99 of a refusal {:.1} ms", measured.refusals.quantile_ms(0.99));
    bench.found(count("refused with 429 or 503", refused).remark(early));
    bench.found(count("of these without Retry-After", measured.refused_bare).at_most(0.0));
    let taken = measured.taken();
    let lost = taken.saturating_sub(finished);
    bench.found(
        count("acknowledged and not finished", lost).at_most(0.0).remark(format!("{taken} acknowledged")),
    );
    let seconds = quick.as_secs_f64();
    let quick = Finding::new("overload", place, "until one connection is quick again", seconds, "s");
    bench.found(quick.at_most(2.0));
}

/// Memory after each quarter of the load, in bytes.
async fn watch(process: &Process) -> [u64; 4] {
    let mut seen = [0; 4];
    for now in &mut seen {
        tokio::time::sleep(LASTING / 4).await;
        *now = process.memory().now;
    }
    seen
}

/// Asks over one connection until a hundred answers in a row are quick.
async fn until_quick(address: &str, make: &Make) -> Tried<Duration> {
    let begun = Instant::now();
    let mut number = 1 << 40;
    while begun.elapsed() < Duration::from_secs(300) {
        let window = Instant::now();
        let Ok(mut wire) = Wire::connect(address).await else { continue };
        let mut times = Histogram::default();
        for _ in 0..WINDOW {
            number += 1;
            let asked = Instant::now();
            match wire.ask(&make(number)).await {
                Ok(head) if head.status < 300 => times.add(asked.elapsed()),
                _ => break,
            }
            if asked.elapsed().as_secs_f64() * 1_000.0 > QUICK_MS * 10.0 {
                break;
            }
        }
        if times.total() == u64::from(WINDOW) && times.quantile_ms(0.99) < QUICK_MS {
            return Ok(window.duration_since(begun));
        }
    }
    Err(Fault::Late("the server was not quick again within five minutes".to_owned()))
}
