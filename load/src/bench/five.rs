//! Workload `five`: a webhook through five pure nodes, answered after its commit, its whole trace stored.

use super::report::Finding;
use super::{Bench, documents, limits, mb};
use crate::database::Kind;
use crate::fault::Tried;

pub(super) async fn measure(bench: &mut Bench) -> Tried<()> {
    let echo = limits::echo(bench).await?;
    for kind in bench.kinds.clone() {
        on(bench, &kind, echo).await?;
    }
    Ok(())
}

/// One database.
async fn on(bench: &mut Bench, kind: &Kind, echo: f64) -> Tried<()> {
    let house = bench.house(kind, "five").await?;
    let (process, _) = house.start().await?;
    house.rest().publish(&documents::five("five", "last_node")).await?;
    let empty = house.database.bytes().await?;
    let make = documents::posting(&house.address, "five");
    let mut runs = 0;
    for connections in [1, 8, limits::CONNECTIONS] {
        let (measured, taken) = bench.press(&house.address, connections, make.clone()).await;
        runs += taken;
        if connections < limits::CONNECTIONS {
            let figure = format!("{connections} connections");
            let finding = Finding::rate("five", kind.name(), &figure, &measured);
            bench.found(finding.against(Some(echo), None).remark("limit: echo"));
        }
    }
    let memory = process.memory();
    process.stop().await?;
    let full = house.database.bytes().await?;
    let per_run = ratio(full.saturating_sub(empty), runs);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand bytes")]
    let bytes = per_run.ceil() as usize;
    bench.bytes_per_run.insert(kind.name(), bytes);
    let (process, _) = house.start().await?;
    let beside = limits::beside(bench, kind, (&house.address, make), 1, bytes).await?;
    process.stop().await?;
    let share = if *kind == Kind::Sqlite { 0.5 } else { 0.4 };
    let finding = Finding::rate("five", kind.name(), "32 connections", &beside.measured);
    bench.found(finding.against(Some(beside.limit), Some(share)).remark(beside.rounds));
    let p99 = beside.measured.latency.quantile_ms(0.99);
    bench.found(Finding::new("five", kind.name(), "p99 at 32 connections", p99, "ms").at_most(10.0));
    let sizes = Finding::new("five", kind.name(), "stored per run", per_run, "bytes").at_most(1_024.0);
    bench.found(sizes.remark(format!("{runs} runs")));
    let peak = Finding::new("five", kind.name(), "peak memory", mb(memory.peak), "MB").at_most(200.0);
    bench.found(peak);
    house.database.remove().await
}

#[allow(clippy::cast_precision_loss, reason = "counts and sizes are far below 2^52")]
fn ratio(bytes: u64, runs: u64) -> f64 {
    bytes as f64 / runs.max(1) as f64
}
