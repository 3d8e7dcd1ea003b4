//! Measures the machine's own limits beside a workload: the same requests, the same connections, the same bytes.
//! Must not know the measured program.

use super::Bench;
use super::documents::body;
use super::report::Finding;
use crate::database::{Database, Kind};
use crate::fault::{Tried, While as _};
use crate::pressure::{Measured, Pressure};
use crate::process::{Launch, Process, free_address};
use crate::wire::request;
use std::sync::Arc;
use std::time::Duration;

/// Connections of the limits that results are compared with.
const CONNECTIONS: usize = 32;

/// The HTTP stack alone.
pub(super) async fn echo(bench: &mut Bench) -> Tried<f64> {
    let measured = probed(bench, &["--kind", "echo"]).await?;
    let finding =
        Finding::rate("limit", "memory", "axum echo, JSON parsed and written, 32 connections", &measured);
    let rate = finding.value;
    bench.found(finding);
    Ok(rate)
}

/// Group commit of `bytes` per request in one or two commits, measured once and then remembered.
pub(super) async fn group_commit(bench: &mut Bench, kind: &Kind, commits: u32, bytes: usize) -> Tried<f64> {
    let remembered = (kind.name(), commits, bytes);
    if let Some(rate) = bench.limits.get(&remembered) {
        return Ok(*rate);
    }
    let folder = bench.new_folder("limit")?;
    let mut best: Option<Measured> = None;
    // The best of some counts as the limit. How many writers suit a server depends on it; SQLite has one, which is
    // measured twice, because whatever else the machine does must not pass for its limit.
    let writers: &[&str] = if *kind == Kind::Sqlite { &["1", "1"] } else { &["1", "2", "4"] };
    for count in writers {
        let database = Database::fresh(kind, &folder, "limit").await?;
        let (times, size) = (commits.to_string(), (bytes / commits as usize).max(1).to_string());
        let arguments = [
            "--kind",
            "commit",
            "--database",
            &database.url,
            "--commits",
            &times,
            "--bytes",
            &size,
            "--writers",
            count,
        ];
        let measured = probed(bench, &arguments).await?;
        database.remove().await?;
        if best.as_ref().is_none_or(|best| best.rate() < measured.rate()) {
            best = Some(measured);
        }
    }
    let measured = best.unwrap_or_default();
    let figure = format!("group commit, {bytes} bytes in {commits} commit(s), 32 connections");
    let finding = Finding::rate("limit", kind.name(), &figure, &measured);
    let rate = finding.value;
    bench.found(finding);
    bench.limits.insert(remembered, rate);
    Ok(rate)
}

async fn probed(bench: &Bench, arguments: &[&str]) -> Tried<Measured> {
    let address = free_address()?;
    let binary = std::env::current_exe().while_trying(|| "finding sluice-load itself".to_owned())?;
    let own = ["probe", "--listen", &address];
    let launch = Launch {
        binary,
        arguments: own.iter().chain(arguments).map(|text| (*text).to_owned()).collect(),
        variables: Vec::new(),
        log: bench.folder.path().join("probe.log"),
        address: address.clone(),
    };
    let (process, _) = Process::start(launch).await?;
    let host = address.clone();
    let make = Arc::new(move |number| request("POST", &host, "/", &[], body(number).as_bytes()));
    let mut pressure =
        Pressure { address, connections: CONNECTIONS, lasting: Duration::from_secs(1), pace: None, make };
    let _warm = pressure.clone().apply().await;
    pressure.lasting = bench.lasting;
    let measured = pressure.apply().await;
    process.kill().await;
    Ok(measured)
}
