//! The `sluice` binary.

use clap::Parser;
use std::process::ExitCode;

/// Turns are many small allocations on several threads; the system's allocator spent a sixth of all time on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sluice_runner::main_with(sluice_runner::Cli::parse(), Vec::new())
}
