//! Workload `bodies`: WhatsApp deliveries of many customers, from the first that is sent to the last that was handled;
//! with several processes also the backlog that lies there when a process begins to read.

use super::report::Finding;
use super::{Bench, settle};
use crate::database::Kind;
use crate::fault::{Fault, Tried, While as _};
use crate::house::House;
use crate::meta;
use crate::process::Process;
use crate::wire::Wire;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Bodies, and customers who send them.
const BODIES: u32 = 3_000;
const CUSTOMERS: u32 = 300;
/// Connections over which they come.
const CONNECTIONS: u32 = 16;
/// How long they may take together.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) async fn measure(bench: &mut Bench) -> Tried<()> {
    for kind in bench.kinds.clone() {
        let house = bench.house(&kind, "bodies").await?;
        if kind == Kind::Sqlite {
            let (process, _) = house.start().await?;
            furnish(&house).await?;
            let begun = Instant::now();
            deliver(&house).await?;
            finish(bench, &house, &kind, "delivered and handled", begun).await?;
            process.kill().await;
        } else {
            let (api, _) = Process::start(house.launch("api", "api")?).await?;
            furnish(&house).await?;
            deliver(&house).await?;
            let (runner, _) = Process::start(house.launch("runner", "runner")?).await?;
            finish(bench, &house, &kind, "a backlog handled by one runner", Instant::now()).await?;
            let begun = Instant::now();
            deliver(&house).await?;
            finish(bench, &house, &kind, "delivered and handled by one runner", begun).await?;
            runner.kill().await;
            api.kill().await;
        }
        house.database.remove().await?;
    }
    Ok(())
}

/// The number, and a workflow without effects that hears every message.
async fn furnish(house: &House) -> Tried<()> {
    meta::connect(&house.rest()).await?;
    let document = json!({
        "sluice": 1, "name": "Hear",
        "nodes": [
            { "id": "in", "type": "whatsapp.message_received", "params": {} },
            { "id": "shape", "type": "data.set", "params": { "fields": { "text": "{{ json.message.text }}" } } },
        ],
        "edges": [{ "from": "in", "to": "shape" }],
    });
    house.rest().publish(&document).await.map(drop)
}

/// Delivers all bodies; those of a customer over one connection, in order.
async fn deliver(house: &House) -> Tried<()> {
    let mut senders = JoinSet::new();
    let round = fastrand::u32(..);
    for first in 0..CONNECTIONS {
        let address = house.address.clone();
        senders.spawn(async move {
            let mut wire = Wire::connect(&address).await?;
            for number in (0..BODIES / CUSTOMERS).map(|number| format!("{round} {number}")) {
                for who in (first..CUSTOMERS).step_by(CONNECTIONS as usize) {
                    let body = meta::message(who, &format!("c{who} m{number}"));
                    let status = wire.ask(&meta::delivery(&address, &body)).await?.status;
                    if status != 200 {
                        return Err(std::io::Error::other(format!("a delivery was answered {status}")));
                    }
                }
            }
            Ok::<_, std::io::Error>(())
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent.unwrap_or_else(|panic| Err(panic.into())).while_trying(|| "delivering bodies".to_owned())?;
    }
    Ok(())
}

async fn finish(bench: &mut Bench, house: &House, kind: &Kind, figure: &str, begun: Instant) -> Tried<()> {
    let platform = house.platform();
    while platform.get("/api/inbound?limit=1&status=received").await?["items"][0].is_object() {
        if begun.elapsed() > PATIENCE {
            return Err(Fault::Late("bodies were not handled within five minutes".to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let rate = f64::from(BODIES) / begun.elapsed().as_secs_f64();
    let figure = format!("{figure}, {CUSTOMERS} customers");
    bench.found(Finding::new("bodies", kind.name(), &figure, rate, "bodies/s"));
    settle(&house.rest()).await
}
