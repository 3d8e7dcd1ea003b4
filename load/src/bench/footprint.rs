//! Workload `footprint`: size of the program, start on an existing database, memory at rest.

use super::report::Finding;
use super::{Bench, documents, mb};
use crate::database::Kind;
use crate::fault::{Tried, While as _};
use std::time::Duration;

/// Starts that are timed; the median counts.
const STARTS: usize = 5;

pub(super) async fn measure(bench: &mut Bench) -> Tried<()> {
    let size =
        std::fs::metadata(&bench.binary).while_trying(|| format!("measuring {}", bench.binary.display()))?;
    bench.found(Finding::new("footprint", "", "size of the program", mb(size.len()), "MB").at_most(50.0));
    for kind in bench.kinds.clone() {
        on(bench, &kind).await?;
    }
    Ok(())
}

/// One database.
async fn on(bench: &mut Bench, kind: &Kind) -> Tried<()> {
    let house = bench.house(kind, "footprint").await?;
    let (process, _) = house.start().await?;
    house.rest().publish(&documents::five("footprint", "last_node")).await?;
    process.stop().await?;
    let mut times = Vec::new();
    let mut idle = 0;
    for number in 0..STARTS {
        let (process, ready) = house.start().await?;
        times.push(ready);
        if number + 1 == STARTS {
            tokio::time::sleep(Duration::from_secs(1)).await;
            idle = process.memory().now;
        }
        process.stop().await?;
    }
    house.database.remove().await?;
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let place = kind.name();
    let start = Finding::new("footprint", place, "start to ready", median.as_secs_f64() * 1_000.0, "ms");
    bench.found(start.at_most(150.0).remark(format!("median of {STARTS}")));
    bench.found(Finding::new("footprint", place, "memory at rest", mb(idle), "MB").at_most(50.0));
    Ok(())
}
