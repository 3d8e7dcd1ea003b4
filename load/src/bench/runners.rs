//! Workload `runners` (PostgreSQL only): one process that answers HTTP, and one or four that drive runs, on work
//! that waits for the outside.

use super::report::Finding;
use super::{Bench, documents};
use crate::database::Kind;
use crate::fault::Tried;
use crate::process::Process;
use crate::provider::Provider;
use std::time::{Duration, Instant};

/// How long the outside takes.
const OUTSIDE: Duration = Duration::from_millis(20);
/// Nodes with outside effects that a process may have under way when runners are compared: so few that one
/// process is far from using up the two cores that it shares with the server, the database and the load.
const FEW: u32 = 4;
/// The same when it is asked how many runs the machine can do in all.
const MANY: u32 = 32;
/// How much more work comes in than the runners can do.
const MORE: f64 = 1.05;

pub(super) async fn measure(bench: &mut Bench) -> Tried<()> {
    for kind in bench.kinds.clone().into_iter().filter(|kind| *kind != Kind::Sqlite) {
        let one = with_runners(bench, &kind, 1, FEW).await?;
        let four = with_runners(bench, &kind, 4, FEW).await?;
        with_runners(bench, &kind, 1, MANY).await?;
        let times =
            Finding::new("runners", kind.name(), "four runners against one", four / one.max(1e-9), "times");
        bench.found(times.at_least(3.5));
    }
    Ok(())
}

/// Calls to the outside per second with `count` runners that may have so many effects under way each.
async fn with_runners(bench: &mut Bench, kind: &Kind, count: u32, effects: u32) -> Tried<f64> {
    let provider = Provider::start(OUTSIDE, false).await?;
    let mut house = bench.house(kind, "runners").await?;
    house.variables.push(("SLUICE_MAX_EFFECTS".to_owned(), effects.to_string()));
    let (api, _) = Process::start(house.launch("api", "api")?).await?;
    house.rest().publish(&documents::effects("runners", "immediately", 1, provider.address())).await?;
    let mut runners = Vec::new();
    for number in 0..count {
        runners.push(Process::start(house.launch("runner", &format!("runner{number}"))?).await?.0);
    }
    let lasting = bench.lasting;
    let most = f64::from(count * effects) / OUTSIDE.as_secs_f64();
    let pressure = crate::pressure::Pressure {
        address: house.address.clone(),
        connections: 64,
        lasting: lasting + Duration::from_secs(3),
        pace: Some(most * MORE),
        make: documents::posting(&house.address, "runners"),
    };
    let load = tokio::spawn(pressure.apply());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (before, begun) = (provider.count(), Instant::now());
    tokio::time::sleep(lasting).await;
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let rate = (provider.count() - before) as f64 / begun.elapsed().as_secs_f64();
    let trouble = load.await.map(|measured| measured.trouble()).unwrap_or_default();
    for process in runners.into_iter().chain([api]) {
        // With work queued up, an orderly stop would measure the drain as well.
        process.kill().await;
    }
    house.database.remove().await?;
    let figure = format!(
        "{count} runner(s), {effects} effects each, outside takes 20 ms, which is {most:.0}/s at most"
    );
    bench.found(Finding::new("runners", kind.name(), &figure, rate, "runs/s").remark(trouble));
    Ok(rate)
}
