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
use std::process::ExitCode;
use std::sync::Arc;

/// Runs the program with the built-in nodes and `extra` ones.
pub fn main_with(cli: Cli, extra: Vec<Arc<dyn DynNode>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
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
