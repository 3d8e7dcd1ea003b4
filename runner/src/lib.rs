//! The `sluice` program: command line, configuration, wiring and signals. A host with nodes of its own calls
//! [`main_with`] from a binary of its own. Must not hold business rules.

pub mod bookkeeping;
mod budget;
mod change_log;
mod cli;
mod commands;
mod config;
mod credentials;
mod dns;
mod logging;
pub mod mail;
pub mod pruning;
pub mod storage;
mod templates;
mod trace;
mod wiring;

pub use cli::Cli;
pub use config::{Config, ConfigError, Role, Settings};
pub use wiring::{Installation, MemoryHost, registry};

use sluice_node_sdk::node::DynNode;
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs the program with the built-in nodes and `extra` ones.
pub fn main_with(cli: Cli, extra: Vec<Arc<dyn DynNode>>) -> ExitCode {
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(workers()).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                eprintln!("sluice: the runtime cannot be started: {error}");
                return ExitCode::from(2);
            }
        };
    let code = runtime.block_on(commands::run(cli, extra));
    // Blocking work (a prompt, a stuck file) must not keep the process from ending.
    runtime.shutdown_background();
    code
}

/// Threads that drive requests and runs: `TOKIO_WORKER_THREADS`, as everywhere with tokio, else all cores but one. That one is for what
/// works beside them: SQLite's own thread, or the server of PostgreSQL, and the rest of the machine
/// (docs/decisions/0019-worker-threads.md).
fn workers() -> usize {
    let wished = std::env::var("TOKIO_WORKER_THREADS").ok().and_then(|text| text.parse().ok());
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    wished.unwrap_or(cores.saturating_sub(1)).max(1)
}
