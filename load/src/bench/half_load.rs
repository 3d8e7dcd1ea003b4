//! Workload `half-load`: webhooks that are answered at once, at half of the rate that the server reaches; how long
//! it then takes from the acceptance of a run to its end, by the run's own times.

use super::report::Finding;
use super::{Bench, documents};
use crate::fault::Tried;
use crate::histogram::Histogram;
use crate::pressure::Pressure;
use crate::rest::Rest;
use serde_json::Value;
use std::time::Duration;

/// Connections of the steady stream.
const CONNECTIONS: usize = 32;

pub(super) async fn measure(bench: &mut Bench) -> Tried<()> {
    for kind in bench.kinds.clone() {
        let house = bench.house(&kind, "half").await?;
        let (process, _) = house.start().await?;
        let rest = house.rest();
        rest.publish(&documents::five("half", "immediately")).await?;
        let make = documents::posting(&house.address, "half");
        let (full, _) = bench.press(&house.address, CONNECTIONS, make.clone()).await;
        super::settle(&rest).await?;
        let pace = full.rate() / 2.0;
        let pressure = Pressure {
            address: house.address.clone(),
            connections: CONNECTIONS,
            lasting: bench.lasting,
            pace: Some(pace),
            make,
        };
        let since = newest(&rest).await?;
        let measured = pressure.apply().await;
        super::settle(&rest).await?;
        let times = from_acceptance_to_end(&rest, since).await?;
        process.stop().await?;
        house.database.remove().await?;
        bench.found(Finding::rate("half-load", kind.name(), "accepted at once, paced", &measured));
        // The first turn of a pure run is all of it, so whoever is answered sees the commit that finished it.
        let answered = measured.latency.quantile_ms(0.99);
        let seen = Finding::new("half-load", kind.name(), "due to answered, p99", answered, "ms");
        bench.found(seen.at_most(20.0).remark("after the commit that finished the run"));
        let p99 = times.quantile_ms(0.99);
        let finding =
            Finding::new("half-load", kind.name(), "accepted to finished, p99", p99, "ms").at_most(20.0);
        bench.found(finding.remark(format!("of {} runs at {pace:.0}/s", times.total())));
    }
    Ok(())
}

/// When the newest run was accepted.
async fn newest(rest: &Rest) -> Tried<i64> {
    let page = rest.get("/api/runs?limit=1").await?;
    Ok(page["items"][0]["created_at"].as_i64().unwrap_or(0))
}

async fn from_acceptance_to_end(rest: &Rest, after: i64) -> Tried<Histogram> {
    let mut times = Histogram::default();
    for run in rest.all("/api/runs", &format!("&since={}", after + 1)).await? {
        if let (Some(from), Some(to)) = (time(&run, "created_at"), time(&run, "ended_at")) {
            times.add(Duration::from_millis(to.saturating_sub(from)));
        }
    }
    Ok(times)
}

fn time(run: &Value, name: &str) -> Option<u64> {
    run[name].as_u64()
}
