//! Workload `lists`: how long the list of runs and one run take over many stored runs.

use super::report::Finding;
use super::{Bench, documents};
use crate::fault::Tried;
use crate::histogram::Histogram;
use crate::house::House;
use crate::pressure::Pressure;
use crate::rest::Rest;
use std::time::{Duration, Instant};

/// Requests of each sort.
const ASKED: usize = 1_000;

pub(super) async fn measure(bench: &mut Bench) -> Tried<()> {
    for kind in bench.kinds.clone() {
        let house = bench.house(&kind, "lists").await?;
        let (process, _) = house.start().await?;
        let rest = house.rest();
        let workflow = rest.publish(&documents::five("lists", "last_node")).await?;
        let stored = fill(&house, bench.stored).await;
        let note = format!("{stored} runs stored");
        let ids = spread(&rest).await?;
        let by_list = |_: usize| "/api/runs?limit=50".to_owned();
        let by_filter = |_: usize| format!("/api/runs?limit=50&workflow={workflow}&status=succeeded");
        let by_id = |index: usize| format!("/api/runs/{}", ids[index % ids.len().max(1)]);
        let mut found = Vec::new();
        found.push(("GET /api/runs", timed(&rest, by_list).await?));
        found.push(("GET /api/runs, by workflow and status", timed(&rest, by_filter).await?));
        if !ids.is_empty() {
            found.push(("GET /api/runs/{id}", timed(&rest, by_id).await?));
        }
        process.stop().await?;
        house.database.remove().await?;
        for (figure, times) in found {
            let p99 =
                Finding::new("lists", kind.name(), &format!("{figure}, p99"), times.quantile_ms(0.99), "ms");
            bench.found(p99.at_most(20.0).remark(&note));
        }
    }
    Ok(())
}

/// Stores runs until there are `wanted`.
async fn fill(house: &House, wanted: u64) -> u64 {
    let mut stored = 0;
    while stored < wanted {
        let pressure = Pressure {
            address: house.address.clone(),
            connections: 32,
            lasting: Duration::from_secs(1),
            pace: None,
            make: documents::posting(&house.address, "lists"),
        };
        stored += pressure.apply().await.taken();
    }
    stored
}

/// Ids of runs, new and old.
async fn spread(rest: &Rest) -> Tried<Vec<String>> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    for _ in 0..20 {
        let page = rest.get(&format!("/api/runs?limit=200{cursor}")).await?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        ids.extend(items.iter().filter_map(|run| run["id"].as_str().map(str::to_owned)));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={}", crate::rest::escaped(next)),
            None => break,
        }
    }
    Ok(ids)
}

async fn timed(rest: &Rest, path: impl Fn(usize) -> String) -> Tried<Histogram> {
    let mut times = Histogram::default();
    for index in 0..ASKED {
        let begun = Instant::now();
        rest.get(&path(index)).await?;
        times.add(begun.elapsed());
    }
    Ok(times)
}
