//! `sluice-load chaos`: the program under load while things break, and three logs compared afterwards.
use crate::fault::Tried;
use clap::Args;
use std::path::PathBuf;
/// Args.
#[derive(Debug, Args)]
pub(crate) struct ChaosArgs {}
pub(crate) async fn run(_b: PathBuf, _f: Option<PathBuf>, _a: ChaosArgs) -> Tried<bool> { Ok(true) }
