//! Workloads `one-effect` and `five-effects`: the same webhook with HTTP calls to a local server, each announced by a
//! commit before it starts.

use super::report::Finding;
use super::{Bench, documents, limits, mb};
use crate::fault::Tried;
use crate::provider::Provider;
use std::time::Duration;

/// What Restate 1.7 does of five durable steps per second on such a machine (`peers.md`), and how many times that
/// is wanted.
const RESTATE: f64 = 395.0;
const TIMES: f64 = 5.0;

/// Bytes per run when `five` was not measured.
const USUAL_BYTES: usize = 1_024;

pub(super) async fn measure(bench: &mut Bench, count: usize) -> Tried<()> {
    let name = if count == 1 { "one-effect" } else { "five-effects" };
    for kind in bench.kinds.clone() {
        let provider = Provider::start(Duration::ZERO, false).await?;
        let house = bench.house(&kind, "effects").await?;
        let (process, _) = house.start().await?;
        house.rest().publish(&documents::effects(name, "last_node", count, provider.address())).await?;
        let make = documents::posting(&house.address, name);
        let rate = |measured| Finding::rate(name, kind.name(), "32 connections", measured);
        let (finding, taken) = if count == 1 {
            let bytes = bench.bytes_per_run.get(kind.name()).copied().unwrap_or(USUAL_BYTES);
            let beside = limits::beside(bench, &kind, (&house.address, make), 2, bytes).await?;
            let finding = rate(&beside.measured).against(Some(beside.limit), Some(0.35));
            (finding.remark(beside.rounds), beside.taken)
        } else {
            let (measured, taken) = bench.press(&house.address, limits::CONNECTIONS, make).await;
            (rate(&measured).at_least(RESTATE * TIMES), taken)
        };
        let memory = process.memory();
        process.stop().await?;
        house.database.remove().await?;
        bench.found(finding.remark(format!("{} calls for {taken} runs", provider.count())));
        bench.found(Finding::new(name, kind.name(), "peak memory", mb(memory.peak), "MB"));
    }
    Ok(())
}
