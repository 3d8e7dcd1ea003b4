//! `sluice copy`: a whole installation into another database, with proof.

use super::{Answer, exit};
use crate::cli::CopyArgs;
use crate::wiring::explain;
use sluice_db::{Db, DbOptions, copy_all};
use sluice_engine::store::Store;

/// Copies and prints what was copied.
pub(super) async fn run(args: &CopyArgs) -> Answer {
    let open = async |url: &str| {
        let db = Db::open(DbOptions::new(url)).await.map_err(|error| explain(&error))?;
        db.migrate().await.map_err(|error| explain(&error))?;
        Ok::<_, String>(db)
    };
    let (from, to) = (open(&args.from).await?, open(&args.to).await?);
    let copied = copy_all(&from, &to).await.map_err(|error| explain(&error))?;
    for table in &copied {
        println!("{:<24} {:>10} rows  checksum {:016x}", table.name, table.rows, table.checksum);
    }
    let rows: u64 = copied.iter().map(|table| table.rows).sum();
    println!("{rows} rows of {} tables are equal in both databases", copied.len());
    println!(
        "Credentials stay sealed with the same master key: give SLUICE_MASTER_KEY or master.key to the new place too"
    );
    let references = Store::new(to.clone()).count_references().await.map_err(|error| explain(&error))?;
    if references > 0 {
        println!(
            "{references} rows refer to payloads outside the database, which were not copied: let the new place use the same \
             payload store (`payloads`, by default the folder `payloads` in the data folder)"
        );
    }
    from.close().await;
    to.close().await;
    Ok(exit(true))
}
