//! The `sluice` program with the nodes of this crate beside the built-in ones.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    sluice_runner::main_with(sluice_runner::Cli::parse(), sluice_example_custom_node::all())
}
