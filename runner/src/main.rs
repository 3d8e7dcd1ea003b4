//! The `sluice` binary.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    sluice_runner::main_with(sluice_runner::Cli::parse(), Vec::new())
}
