//! Makes the dictionary that event bodies are compressed with, from the events of real installations:
//!
//! ```text
//! cargo run -p sluice-engine --example train_dictionary -- sqlite:data/sluice.db engine/src/store/events.2.dict
//! ```
//!
//! Pieces of what is in the events become part of the program, so take them from demonstrations and tests, never from
//! customers. A dictionary that was released is never changed: a new one gets a codec of its own.

use sluice_db::{Db, DbOptions};
use sluice_engine::core::EventKind;
use sluice_engine::store::{RunKey, Store};
use std::error::Error;

/// Bytes of the dictionary. With 8 KB bodies are a fifth larger, with more than 16 KB hardly smaller.
const SIZE: usize = 16 << 10;

/// Runs that are read.
const MOST_RUNS: i64 = 20_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [databases @ .., file] = args.as_slice() else { return Err("name databases, then a file".into()) };
    let mut samples = Vec::new();
    for url in databases {
        samples.extend(bodies(Db::open(DbOptions::new(url.as_str())).await?).await?);
    }
    let dictionary = zstd::dict::from_samples(&samples, SIZE)?;
    std::fs::write(file, &dictionary)?;
    println!("{} bytes from {} bodies", dictionary.len(), samples.len());
    Ok(())
}

/// The events of each run as JSON, in the form in which a turn is stored.
async fn bodies(db: Db) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let rows = db
        .query("select workspace_id, run_id from runs order by created_at, run_id limit $1")
        .bind(MOST_RUNS)
        .all()
        .await?;
    let store = Store::new(db);
    let mut bodies = Vec::with_capacity(rows.len());
    for row in rows {
        let key =
            RunKey { workspace_id: row.text("workspace_id")?.into(), run_id: row.text("run_id")?.into() };
        let events = store.events_since(&key, 0).await?;
        let first = events.first().map_or(0, |(_, event)| event.at);
        let body: Vec<(i64, &EventKind)> =
            events.iter().map(|(_, event)| (event.at - first, &event.kind)).collect();
        bodies.push(serde_json::to_vec(&body)?);
    }
    Ok(bodies)
}
