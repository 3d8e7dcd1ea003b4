//! `sluice vault`: rotates the keys that seal stored secrets, also while the service runs, and says how things stand.

use super::{Answer, configure, exit};
use crate::cli::VaultRotateArgs;
use crate::config::{Config, Settings};
use crate::wiring::{cipher, explain, open_database};
use sluice_db::Db;
use sluice_records::Records;

/// Rotates; exit code 1 when a value did not open.
pub(super) async fn rotate(args: VaultRotateArgs) -> Answer {
    let config = configure(args.settings)?;
    let (db, records) = open(&config).await?;
    let done = records.vault().rotate(args.data_keys).await.map_err(|error| explain(&error))?;
    if done.resumed {
        println!("went on with a renewal that had been interrupted");
    }
    println!("data keys wrapped with the current master key: {}", done.rewrapped);
    println!("data keys made: {}", done.made);
    println!("values sealed anew: {}", done.resealed);
    println!("retired data keys dropped: {}", done.dropped);
    let chains = records.reseal_audit_heads().await.map_err(|error| explain(&error))?;
    println!("audit chains sealed with the current master key: {chains}");
    for failed in &done.failed {
        println!("left as it was: {failed}");
    }
    db.close().await;
    Ok(exit(done.failed.is_empty()))
}

/// Prints the state; exit code 1 when a master key is missing.
pub(super) async fn status(settings: Settings) -> Answer {
    let config = configure(settings)?;
    let (db, records) = open(&config).await?;
    let status = records.vault().status().await.map_err(|error| explain(&error))?;
    println!("master key: {}", status.master_key);
    for (id, count, known) in &status.data_keys {
        let told = match known {
            true if *id == status.master_key => "current",
            true => "earlier; `sluice vault rotate` makes it needless",
            false => "MISSING; add it to SLUICE_MASTER_KEY_EARLIER",
        };
        println!("data keys wrapped with {id}: {count} ({told})");
    }
    println!("retired data keys: {}", status.retired);
    for values in &status.values {
        println!(
            "{}: {} current, {} under retired keys, {} of earlier releases",
            values.table, values.current, values.retired, values.direct
        );
    }
    if status.unfinished_since.is_some() {
        println!("a renewal was interrupted; `sluice vault rotate` finishes it");
    }
    db.close().await;
    Ok(exit(status.data_keys.iter().all(|(_, _, known)| *known)))
}

async fn open(config: &Config) -> Result<(Db, Records), String> {
    let db = open_database(config).await?;
    db.migrate().await.map_err(|error| explain(&error))?;
    Ok((db.clone(), Records::new(db, cipher(config)?)))
}
