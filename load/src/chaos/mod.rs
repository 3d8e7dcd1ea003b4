//! `sluice-load chaos`: the program under load while things break, and three logs compared afterwards.

mod cluster;
mod collect;
mod documents;
mod plan;
mod reconcile;
mod traffic;

use crate::database::Kind;
use crate::fault::{Tried, While as _, explain};
use crate::house::House;
use crate::meta;
use crate::process::{Launch, Process, free_address};
use crate::provider::{Cut, Provider};
use crate::rest::Rest;
use clap::Args;
use cluster::{Cluster, Disk};
use plan::{Fault, Sort, Step};
use reconcile::{Verdict, reconcile};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use traffic::{Crowd, Desk, Traffic};

/// How long everything may take to come to an end after the last fault.
const SETTLING: Duration = Duration::from_secs(120);
/// How long the program may take to answer after a fault before the run goes on without it.
const SILENCE: Duration = Duration::from_secs(60);
/// How many breaches of a rule are printed.
const SHOWN: usize = 10;

/// What to break, and how often.
#[derive(Debug, Args)]
pub(crate) struct ChaosArgs {
    /// How many times a process is killed.
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// `sqlite`, or the URL of a PostgreSQL server on which a database may be made.
    #[arg(long, default_value = "sqlite")]
    database: String,
    /// Processes that drive runs beside one that answers HTTP; 0: one process does everything. PostgreSQL only.
    #[arg(long)]
    runners: Option<u32>,
    /// Seconds that the faults are spread over; two per kill when missing.
    #[arg(long)]
    seconds: Option<u64>,
    /// Sorts of faults, with commas; those that are not possible here are named and left out.
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [Sort::Kill, Sort::Cut, Sort::Pause, Sort::Clock, Sort::Disk, Sort::Database])]
    faults: Vec<Sort>,
    /// Seconds for which a process is paused: longer than a lease lasts.
    #[arg(long, default_value_t = 20)]
    pause: u64,
    /// Customers who write messages.
    #[arg(long, default_value_t = 30)]
    customers: u32,
    /// Callers of webhooks, of each sort.
    #[arg(long, default_value_t = 6)]
    callers: u32,
    /// Draws the faults; a random one when missing. It is printed.
    #[arg(long)]
    seed: Option<u64>,
    /// Keep the database, the data folder and the logs of the processes. What was on a small disk is in `saved`.
    #[arg(long)]
    keep: bool,
}

/// What happened besides the logs.
#[derive(Debug, Default)]
struct Diary {
    kills: u32,
    cuts: u32,
    others: Vec<String>,
    /// From the restart of the answering process to its first answer.
    returns: Vec<Duration>,
    silent: u32,
}

/// Runs it; whether every rule held.
///
/// # Errors
/// When the program cannot be driven at all.
pub(crate) async fn run(binary: PathBuf, folder: Option<PathBuf>, args: ChaosArgs) -> Tried<bool> {
    let place = folder.unwrap_or_else(std::env::temp_dir);
    let temporary = tempfile::Builder::new().prefix("sluice-chaos-").tempdir_in(place);
    let mut temporary = temporary.while_trying(|| "making a temporary folder".to_owned())?;
    temporary.disable_cleanup(args.keep);
    let outcome = in_folder(&binary, temporary.path(), &args).await;
    if args.keep {
        println!("kept: {}", temporary.path().display());
    }
    outcome
}

async fn in_folder(binary: &Path, folder: &Path, args: &ChaosArgs) -> Tried<bool> {
    let kind = match args.database.as_str() {
        "sqlite" => Kind::Sqlite,
        url => Kind::Postgres(url.to_owned()),
    };
    let is_postgres = kind != Kind::Sqlite;
    let runners = if is_postgres { args.runners.unwrap_or(2) } else { 0 };
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    let (possible, impossible) = cluster::possible(&args.faults, is_postgres, runners);
    let spread = Duration::from_secs(args.seconds.unwrap_or_else(|| u64::from(args.kills) * 2));
    let steps = plan::plan(seed, args.kills, spread / args.kills.max(1), &possible);
    println!("chaos: seed {seed}, {}, {} process(es), {} kills", kind.name(), runners + 1, args.kills);
    for reason in impossible {
        println!("left out: {reason}");
    }

    let data = folder.join("data");
    let disk = if possible.contains(&Sort::Disk) { Some(Disk::mount(&data).await?) } else { None };
    let mut house = House::furnish(binary, data, &kind, "chaos").await?;
    let clock = if possible.contains(&Sort::Clock) {
        let (file, variables) = cluster::clock(folder)?;
        house.variables.extend(variables);
        Some(file)
    } else {
        None
    };
    let stage = Stage::set(&mut house, folder).await?;
    let mut cluster = Cluster::start(&house, runners, clock, disk).await?;
    let plain = stage.furnish(&house, args.customers).await?;
    let phone = collect::Phone::follow(&stage.sandbox_address);
    let crowd = Crowd { customers: args.customers, callers: args.callers, waiting: args.callers };
    let traffic = Traffic::start(&house.address, crowd);
    let desk = traffic.desk();
    let mut diary = Diary::default();
    for step in steps {
        happen(step, &mut cluster, &stage, &desk, &mut diary, Duration::from_secs(args.pause)).await?;
    }
    stage.calm().await?;
    // Pauses that began while the clock was ahead end by that clock; so it does not stay behind at the end.
    cluster.set_clock(plan::AHEAD)?;
    let ended_alone = cluster.revive().await?;
    let (sent, acknowledged) = traffic.finish().await;
    let rest = Arc::new(house.rest());
    let platform = house.platform();
    let settled = std::time::Instant::now();
    let drained = collect::quiet(&rest, &platform, SETTLING).await?;
    let settled = settled.elapsed();
    let store = collect::store(rest, &platform, &plain).await?;
    let mut delivered = phone.finish().await?;
    delivered.extend(collect::of_provider(&stage.provider.taken()));
    let verdict = reconcile(&acknowledged, &store.runs, &store.bodies, &delivered);
    print_diary(&diary, ended_alone);
    println!("quiet {} ms after the last request", settled.as_millis());
    for (name, last) in drained {
        println!("  {name}: the last seen after {} ms", last.as_millis());
    }
    println!(
        "requests {sent}, acknowledged {}, runs stored {}, effects carried out {}",
        acknowledged.len(),
        store.runs.len(),
        delivered.len()
    );
    println!(
        "failed runs by code: {:?}; longest from acceptance to end {} ms",
        store.failures, store.slowest_ms
    );
    print_verdict(&verdict);
    cluster.stop(args.keep.then(|| folder.join("saved")).as_deref()).await?;
    if !args.keep {
        house.database.remove().await?;
    }
    Ok(verdict.holds() && diary.silent == 0)
}

/// The outside: the sandbox that plays WhatsApp, and a provider of our own.
struct Stage {
    sandbox: Rest,
    sandbox_address: String,
    provider: Provider,
    _process: Process,
}

impl Stage {
    /// Starts both and tells the house where they are.
    async fn set(house: &mut House, folder: &Path) -> Tried<Self> {
        let address = free_address()?;
        let webhook = format!("http://{}/api/whatsapp/webhook", house.address);
        let arguments = ["sandbox", "--listen", &address, "--webhook", &webhook].map(str::to_owned).to_vec();
        let log = folder.join("sandbox.log");
        let launch = Launch {
            binary: house.binary.clone(),
            arguments,
            variables: Vec::new(),
            log,
            address: address.clone(),
        };
        let process = Process::spawn(launch)?;
        let sandbox = Rest::new(&address, "");
        let end = std::time::Instant::now() + SILENCE;
        while sandbox.get("/_sandbox").await.is_err() {
            if std::time::Instant::now() > end {
                return Err(crate::fault::Fault::Late("the sandbox does not answer".to_owned()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        house.variables.push(("SLUICE_GRAPH_BASE_URL".to_owned(), format!("http://{address}")));
        let provider = Provider::start(Duration::ZERO, true).await?;
        Ok(Self { sandbox, sandbox_address: address, provider, _process: process })
    }

    /// Connects the number, publishes the workflows, lets every customer say hello, which opens the window in which
    /// they may be answered. Gives the workflow without effects.
    async fn furnish(&self, house: &House, customers: u32) -> Tried<String> {
        let rest = house.rest();
        meta::connect(&rest).await?;
        rest.publish(&documents::replies()).await?;
        rest.publish(&documents::effects(self.provider.address())).await?;
        let plain = rest.publish(&documents::sync()).await?;
        for who in 0..customers {
            let hello = json!({
                "from": { "phone": meta::phone(who), "name": format!("Customer {who}") },
                "message": { "type": "text", "text": { "body": format!("c{who} m0") } },
            });
            self.sandbox.expect("POST", "/_sandbox/whatsapp/inbound", Some(&hello)).await?;
        }
        Ok(plain)
    }

    /// Cuts the next requests.
    async fn cut(&self, sandbox: bool, after: bool, count: u32) -> Tried<()> {
        if !sandbox {
            self.provider.cut_next(count, if after { Cut::Midway } else { Cut::Before });
            return Ok(());
        }
        let when = if after { "after" } else { "before" };
        let rule =
            json!({ "match": { "path": "*/messages" }, "times": count, "then": { "drop_connection": when } });
        self.sandbox.expect("POST", "/_sandbox/faults", Some(&rule)).await.map(drop)
    }

    /// Takes back what has not been cut yet.
    async fn calm(&self) -> Tried<()> {
        self.sandbox.expect("DELETE", "/_sandbox/faults", None).await.map(drop)
    }
}

/// Lets one fault happen.
async fn happen(
    step: Step,
    cluster: &mut Cluster,
    stage: &Stage,
    desk: &Desk,
    diary: &mut Diary,
    pause: Duration,
) -> Tried<()> {
    tokio::time::sleep(step.after).await;
    match step.fault {
        Fault::Kill { process, away } => {
            diary.kills += 1;
            if cluster.kill(process, away).await? {
                answered_again(desk, diary, true).await;
            }
        }
        Fault::Cut { sandbox, after, count } => {
            diary.cuts += count;
            stage.cut(sandbox, after, count).await?;
        }
        Fault::Pause { process } => {
            let which = cluster.pause(process, pause).await?;
            diary.others.push(format!("process {which} paused for {} s", pause.as_secs()));
        }
        Fault::Clock { offset } => {
            diary.others.push(format!("clock {offset:+} s"));
            cluster.set_clock(offset)?;
        }
        Fault::Disk { lasting } => {
            diary.others.push(format!("disk full for {} ms", lasting.as_millis()));
            cluster.fill_disk(lasting).await;
            answered_again(desk, diary, false).await;
        }
        Fault::Database => {
            diary.others.push("database restarted".to_owned());
            if let Err(fault) = cluster::restart_database().await {
                println!("chaos: {}", explain(&fault));
            }
            answered_again(desk, diary, false).await;
        }
    }
    Ok(())
}

async fn answered_again(desk: &Desk, diary: &mut Diary, is_restart: bool) {
    match desk.until_answered(SILENCE).await {
        Some(took) if is_restart => diary.returns.push(took),
        Some(_) => {}
        None => {
            diary.silent += 1;
            println!("chaos: no answer for {} s after a fault", SILENCE.as_secs());
        }
    }
}

fn print_diary(diary: &Diary, ended_alone: u32) {
    let mut returns: Vec<u128> = diary.returns.iter().map(Duration::as_millis).collect();
    returns.sort_unstable();
    let (median, longest) = (returns.get(returns.len() / 2).unwrap_or(&0), returns.last().unwrap_or(&0));
    println!(
        "kills {}, requests cut {}, others: {}",
        diary.kills,
        diary.cuts,
        if diary.others.is_empty() { "none".to_owned() } else { diary.others.join(", ") }
    );
    println!("restart to first answer: median {median} ms, longest {longest} ms of {}", returns.len());
    if ended_alone > 0 {
        println!("{ended_alone} process(es) had ended by themselves");
    }
}

fn print_verdict(verdict: &Verdict) {
    for (rule, broken) in verdict.rules() {
        println!("{rule} = {}", broken.len());
        for breach in broken.iter().take(SHOWN) {
            println!("  {breach}");
        }
    }
    println!("effects doubled and marked: {}", verdict.doubled_marked);
    println!("{}", if verdict.holds() { "every rule held" } else { "RULES BROKEN" });
}
