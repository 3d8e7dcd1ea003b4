//! `sluice audit verify`: works on the database, also while the service runs. Must not know what a proof is.

use super::{Answer, configure, exit};
use crate::cli::AuditVerifyArgs;
use crate::wiring::{explain, master_key, open_database};
use sluice_records::audit::{ChainReport, Witness};
use sluice_records::{Cipher, Records};
use std::path::Path;

/// Walks through one chain or all of them. Says of each whether it is whole, and names the first entry that is not.
pub(super) async fn verify(args: AuditVerifyArgs) -> Answer {
    let config = configure(args.settings)?;
    let db = open_database(&config).await?;
    db.migrate().await.map_err(|error| explain(&error))?;
    let records = Records::new(db.clone(), Cipher::new(master_key(&config)?));
    let mut witness = args.witness.as_deref().map(read).transpose()?.unwrap_or_default();
    let (mut is_whole, mut chains, mut entries) = (true, 0_u64, 0_i64);
    let mut note = |report: ChainReport, witness: &mut Witness| {
        chains += 1;
        entries += report.entries;
        match report.fault {
            None => {
                println!("{}: whole, {} entries, newest {}", report.chain, report.entries, report.head);
                witness.insert(report.chain, (report.entries, report.head));
            }
            Some(fault) => {
                is_whole = false;
                let place = fault.seq.map_or_else(String::new, |seq| format!(" entry {seq}:"));
                println!("{}: NOT WHOLE:{place} {}", report.chain, fault.reason);
            }
        }
    };
    match &args.workspace {
        Some(name) => {
            let workspace = records.workspace_by_name(name).await.map_err(|error| explain(&error))?;
            let report = records.verify_audit_chain(&workspace.id, &witness).await;
            note(report.map_err(|error| explain(&error))?, &mut witness);
        }
        None => {
            let missing = records.missing_audit_chains(&witness).await.map_err(|error| explain(&error))?;
            missing.into_iter().for_each(|report| note(report, &mut witness));
            let mut chain = String::new();
            while let Some(next) = records.next_audit_chain(&chain).await.map_err(|error| explain(&error))? {
                let report = records.verify_audit_chain(&next, &witness).await;
                note(report.map_err(|error| explain(&error))?, &mut witness);
                chain = next;
            }
        }
    }
    println!(
        "{entries} entries in {chains} chains are as they were written{}",
        if is_whole { "" } else { "; the rest is not" }
    );
    if let Some(path) = args.witness.filter(|_| is_whole) {
        write(&path, &witness)?;
    }
    db.close().await;
    Ok(exit(is_whole))
}

/// A witness; a file that is not there yet knows nothing.
fn read(path: &Path) -> Result<Witness, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| {
            format!("{}: not a file that `sluice audit verify` wrote: {error}", path.display())
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Witness::new()),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Written beside the old one and put in its place, so that none is lost.
fn write(path: &Path, witness: &Witness) -> Result<(), String> {
    let text = serde_json::to_string_pretty(witness).map_err(|error| error.to_string())?;
    let draft = path.with_extension("new");
    let written = std::fs::write(&draft, text + "\n").and_then(|()| std::fs::rename(&draft, path));
    written.map_err(|error| format!("{}: {error}", path.display()))
}
