//! `sluice-load bench`: every workload in a file of its own, the machine's own limits in the same run, one table.

mod bodies;
mod documents;
mod effects;
mod five;
mod footprint;
mod half_load;
mod limits;
mod lists;
mod overload;
mod probe;
mod report;
mod runners;
mod waiting;

pub(crate) use probe::{ProbeArgs, probe};

use crate::database::Kind;
use crate::fault::{Fault, Tried, While as _, explain};
use crate::house::House;
use crate::pressure::{Make, Measured, Pressure};
use crate::rest::Rest;
use clap::Args;
use report::{Finding, table};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// All workloads, in the order in which they are measured.
const WORKLOADS: [&str; 10] = [
    "five",
    "one-effect",
    "five-effects",
    "half-load",
    "overload",
    "waiting",
    "lists",
    "runners",
    "bodies",
    "footprint",
];

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Seconds per measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Only these workloads, with commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Also write what was found to this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// A PostgreSQL server on which databases may be made; without it only SQLite is measured.
    #[arg(long, env = "SLUICE_TEST_POSTGRES_URL")]
    postgres: Option<String>,
    /// How many runs wait in `waiting`.
    #[arg(long, default_value_t = 100_000)]
    waiting: u64,
    /// How many runs are stored in `lists`.
    #[arg(long, default_value_t = 100_000)]
    stored: u64,
}

/// A measurement under way.
pub(crate) struct Bench {
    binary: PathBuf,
    folder: TempDir,
    lasting: Duration,
    kinds: Vec<Kind>,
    waiting: u64,
    stored: u64,
    /// Bytes per run of the workload `five`, by database; what the limits of the other workloads store.
    bytes_per_run: BTreeMap<&'static str, usize>,
    findings: Vec<Finding>,
    folders: u32,
}

/// Measures and prints. A missed target is a result, not a failure.
///
/// # Errors
/// When the program cannot be driven or a file cannot be written; what was measured until then is printed first.
pub(crate) async fn run(binary: PathBuf, folder: Option<PathBuf>, args: BenchArgs) -> Tried<bool> {
    if let Some(stranger) = args.only.iter().find(|name| !WORKLOADS.contains(&name.as_str())) {
        return Err(Fault::Usage(format!("no workload `{stranger}`; there are {}", WORKLOADS.join(", "))));
    }
    let mut bench = Bench::new(&binary, folder.as_deref(), &args)?;
    let mut broken = Vec::new();
    for workload in WORKLOADS {
        if !args.only.is_empty() && !args.only.iter().any(|name| name == workload) {
            continue;
        }
        eprintln!("bench: {workload}");
        // One workload that cannot be measured does not hide the others.
        if let Err(fault) = bench.measure(workload).await {
            eprintln!("bench: {workload} could not be measured: {}", explain(&fault));
            broken.push(workload);
        }
    }
    println!("{}", table(&bench.findings));
    if let Some(file) = &args.json {
        let text =
            json!({ "seconds": args.seconds, "broken": broken, "findings": bench.findings }).to_string();
        std::fs::write(file, text).while_trying(|| format!("writing {}", file.display()))?;
    }
    Ok(broken.is_empty())
}

impl Bench {
    fn new(binary: &Path, folder: Option<&Path>, args: &BenchArgs) -> Tried<Self> {
        let place = folder.map_or_else(std::env::temp_dir, Path::to_owned);
        let folder = tempfile::Builder::new().prefix("sluice-load-").tempdir_in(place);
        let mut kinds = vec![Kind::Sqlite];
        kinds.extend(args.postgres.clone().map(Kind::Postgres));
        Ok(Self {
            binary: binary.to_owned(),
            folder: folder.while_trying(|| "making a temporary folder".to_owned())?,
            lasting: Duration::from_secs(args.seconds.max(1)),
            kinds,
            waiting: args.waiting,
            stored: args.stored,
            bytes_per_run: BTreeMap::new(),
            findings: Vec::new(),
            folders: 0,
        })
    }

    async fn measure(&mut self, workload: &str) -> Tried<()> {
        match workload {
            "five" => five::measure(self).await,
            "one-effect" => effects::measure(self, 1).await,
            "five-effects" => effects::measure(self, 5).await,
            "half-load" => half_load::measure(self).await,
            "overload" => overload::measure(self).await,
            "waiting" => waiting::measure(self).await,
            "lists" => lists::measure(self).await,
            "runners" => runners::measure(self).await,
            "bodies" => bodies::measure(self).await,
            _ => footprint::measure(self).await,
        }
    }

    /// Notes a figure, and shows it at once.
    fn found(&mut self, finding: Finding) {
        let line = table(std::slice::from_ref(&finding));
        eprintln!("{}", line.lines().last().unwrap_or_default());
        self.findings.push(finding);
    }

    fn new_folder(&mut self, purpose: &str) -> Tried<PathBuf> {
        self.folders += 1;
        let folder = self.folder.path().join(format!("{purpose}{}", self.folders));
        std::fs::create_dir_all(&folder).while_trying(|| format!("making {}", folder.display()))?;
        Ok(folder)
    }

    async fn house(&mut self, kind: &Kind, purpose: &str) -> Tried<House> {
        let folder = self.new_folder(purpose)?;
        House::furnish(&self.binary, folder, kind, purpose).await
    }

    /// A second to warm up, then the measurement. Also gives how many requests were taken in both together.
    async fn press(&self, address: &str, connections: usize, make: Make) -> (Measured, u64) {
        let lasting = Duration::from_secs(1);
        let mut pressure = Pressure { address: address.to_owned(), connections, lasting, pace: None, make };
        let warm = pressure.clone().apply().await;
        pressure.lasting = self.lasting;
        let measured = pressure.apply().await;
        let taken = warm.taken() + measured.taken();
        (measured, taken)
    }
}

/// Megabytes, as people count memory.
#[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Waits until no run is queued or under way.
///
/// # Errors
/// When that takes longer than two minutes.
async fn settle(rest: &Rest) -> Tried<()> {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let mut busy = 0;
        for status in ["queued", "running"] {
            let page = rest.get(&format!("/api/runs?limit=1&status={status}")).await?;
            busy += page["items"].as_array().map_or(0, Vec::len);
        }
        if busy == 0 {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(Fault::Late("runs were still under way after two minutes".to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
