//! `sluice-load`: drives the real `sluice` program from outside, measures it against the machine's own limits
//! (`bench`) and proves by reconciliation that nothing is lost or doubled when it is killed (`chaos`). Must not know
//! the engine, its tables or its types: what it knows it reads over HTTP, as everybody else does.

mod bench;
mod chaos;
mod database;
mod fault;
mod histogram;
mod house;
mod meta;
mod pressure;
mod process;
mod provider;
mod rest;
mod wire;

use clap::{Parser, Subcommand};
use fault::{Tried, explain};
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures `sluice` from outside, and breaks it.
#[derive(Debug, Parser)]
#[command(name = "sluice-load", version)]
struct Cli {
    /// The program to drive.
    #[arg(long, global = true, default_value = "target/release/sluice")]
    binary: PathBuf,
    /// Folder for temporary data folders; the system's own when missing.
    #[arg(long, global = true)]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure the workloads and the machine's own limits in one run.
    Bench(bench::BenchArgs),
    /// Put the program under load, break things, and reconcile what everybody saw.
    Chaos(chaos::ChaosArgs),
    /// One limit of the machine as a server of its own; started by `bench`.
    #[command(hide = true)]
    Probe(bench::ProbeArgs),
}

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("sluice-load: no threads: {error}");
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(run(Cli::parse())) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("sluice-load: {}", explain(&fault));
            ExitCode::from(2)
        }
    }
}

/// Whether everything held that must hold.
async fn run(cli: Cli) -> Tried<bool> {
    match cli.command {
        Command::Bench(args) => bench::run(cli.binary, cli.folder, args).await,
        Command::Chaos(args) => chaos::run(cli.binary, cli.folder, args).await,
        Command::Probe(args) => bench::probe(args).await,
    }
}
