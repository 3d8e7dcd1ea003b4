//! `sluice ledger verify`: computes the whole ledger again from its rows, also while the service runs.

use super::{Answer, configure, exit};
use crate::cli::LedgerVerifyArgs;
use crate::wiring::{cipher, explain, open_database};
use sluice_records::Records;
use sluice_records::ledger::LedgerReport;

/// Verifies, prints what was found, and fails when anything is wrong.
pub(super) async fn verify(args: LedgerVerifyArgs) -> Answer {
    let config = configure(args.settings)?;
    let db = open_database(&config).await?;
    db.migrate().await.map_err(|error| explain(&error))?;
    let records = Records::new(db.clone(), cipher(&config)?);
    let report = records.verify_ledger().await.map_err(|error| explain(&error))?;
    db.close().await;
    if args.json {
        let text = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
        println!("{text}");
    } else {
        print(&report);
    }
    Ok(exit(report.is_sound()))
}

fn print(report: &LedgerReport) {
    println!(
        "{} accounts, {} transfers, {} entries, {} closings",
        report.accounts, report.transfers, report.entries, report.closings
    );
    for problem in &report.problems {
        println!("WRONG {}: {}", problem.place, problem.message);
    }
    let unlisted = report.problem_count.saturating_sub(report.problems.len() as u64);
    if unlisted > 0 {
        println!("and {unlisted} more");
    }
    if report.is_sound() {
        println!("ok    every seal, chain, closing and sum is right");
    }
}
