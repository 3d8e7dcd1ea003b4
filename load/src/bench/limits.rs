//! Measures the machine's own limits beside a workload: the same requests, the same connections, the same bytes.
//! Must not know the measured program.

use super::Bench;
use super::documents::body;
use super::report::{Finding, number};
use crate::database::{Database, Kind};
use crate::fault::{Tried, While as _};
use crate::pressure::{Make, Measured, Pressure};
use crate::process::{Launch, Process, free_address};
use crate::wire::request;
use std::sync::Arc;
use std::time::Duration;

/// Connections of the limits that results are compared with.
pub(super) const CONNECTIONS: usize = 32;

/// How often a workload and its limit are measured in turn.
const ROUNDS: usize = 3;

/// The HTTP stack alone.
pub(super) async fn echo(bench: &mut Bench) -> Tried<f64> {
    let measured = probed(bench, cores(), &["--kind", "echo"]).await?;
    let finding =
        Finding::rate("limit", "memory", "axum echo, JSON parsed and written, 32 connections", &measured);
    let rate = finding.value;
    bench.found(finding);
    Ok(rate)
}

/// A workload and its limit.
pub(super) struct Beside {
    /// The median round of the workload.
    pub(super) measured: Measured,
    /// Requests per second of the median round of the limit.
    pub(super) limit: f64,
    /// How many requests the workload took in all rounds.
    pub(super) taken: u64,
    /// The rates of all rounds, for people.
    pub(super) rounds: String,
}

/// Measures a workload and group commit of `bytes` per request in one or two commits in turn, so that whatever else the
/// machine does strikes both alike; medians of [`ROUNDS`] each.
pub(super) async fn beside(
    bench: &mut Bench,
    kind: &Kind,
    workload: (&str, Make),
    commits: u32,
    bytes: usize,
) -> Tried<Beside> {
    let (address, make) = workload;
    let setup = best_setup(bench, kind, commits, bytes).await?;
    let (mut of_workload, mut of_limit, mut taken) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let (measured, count) = bench.press(address, CONNECTIONS, make.clone()).await;
        taken += count;
        of_workload.push(measured);
        of_limit.push(group_commit(bench, kind, commits, bytes, setup).await?);
    }
    let rates =
        |rounds: &[Measured]| rounds.iter().map(|one| number(one.rate())).collect::<Vec<_>>().join(", ");
    let rounds = format!("rounds {} to {}", rates(&of_workload), rates(&of_limit));
    let limit = median(of_limit);
    let Setup { workers, writers } = setup;
    let figure = format!(
        "group commit, {bytes} bytes in {commits} commit(s), {writers} writer(s), {workers} thread(s), 32 connections"
    );
    let finding = Finding::rate("limit", kind.name(), &figure, &limit);
    let rate = finding.value;
    bench.found(finding);
    Ok(Beside { measured: median(of_workload), limit: rate, taken, rounds })
}

/// The round that has as many quicker ones as slower ones.
fn median(mut rounds: Vec<Measured>) -> Measured {
    rounds.sort_by(|one, other| one.rate().total_cmp(&other.rate()));
    let middle = rounds.len() / 2;
    rounds.into_iter().nth(middle).unwrap_or_default()
}

/// How the server of a limit is set up.
#[derive(Clone, Copy)]
struct Setup {
    /// Threads that serve requests.
    workers: u32,
    /// Tasks that commit.
    writers: u32,
}

/// What suits the server of a limit depends on the machine, so all setups are tried. SQLite has one writer.
async fn best_setup(bench: &mut Bench, kind: &Kind, commits: u32, bytes: usize) -> Tried<Setup> {
    let (cores, writers) = (cores(), if *kind == Kind::Sqlite { &[1][..] } else { &[1, 2, 4] });
    let (mut best, mut most) = (Setup { workers: cores, writers: 1 }, 0.0);
    for workers in cores.saturating_sub(1).max(1)..=cores {
        for writers in writers.iter().copied() {
            let setup = Setup { workers, writers };
            let rate = group_commit(bench, kind, commits, bytes, setup).await?.rate();
            if rate > most {
                (best, most) = (setup, rate);
            }
        }
    }
    Ok(best)
}

/// Those that this process may use.
fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX))
}

async fn group_commit(
    bench: &mut Bench,
    kind: &Kind,
    commits: u32,
    bytes: usize,
    Setup { workers, writers }: Setup,
) -> Tried<Measured> {
    let folder = bench.new_folder("limit")?;
    let database = Database::fresh(kind, &folder, "limit").await?;
    let (times, size) = (commits.to_string(), (bytes / commits as usize).max(1).to_string());
    let writers = writers.to_string();
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
        &writers,
    ];
    let measured = probed(bench, workers, &arguments).await?;
    database.remove().await?;
    Ok(measured)
}

async fn probed(bench: &Bench, workers: u32, arguments: &[&str]) -> Tried<Measured> {
    let address = free_address()?;
    let binary = std::env::current_exe().while_trying(|| "finding sluice-load itself".to_owned())?;
    let own = ["probe", "--listen", &address];
    let launch = Launch {
        binary,
        arguments: own.iter().chain(arguments).map(|text| (*text).to_owned()).collect(),
        variables: vec![("TOKIO_WORKER_THREADS".to_owned(), workers.to_string())],
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
