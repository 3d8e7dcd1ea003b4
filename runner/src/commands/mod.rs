//! The commands, one file each. Each returns its exit code or a sentence for standard error.

mod audit;
mod copy;
mod demo;
mod doctor;
mod files;
mod key;
mod ledger;
mod nodes;
mod person;
mod run;
mod sandbox;
mod serve;
mod test;
mod transfer;
mod validate;
mod vault;

use crate::cli::{AuditCommand, Cli, Command, KeyCommand, LedgerCommand, PersonCommand, VaultCommand};
use crate::config::{Config, Settings};
use sluice_node_sdk::node::DynNode;
use std::process::ExitCode;
use std::sync::Arc;

/// Nodes that a host adds to the built-in ones.
pub(crate) type Extra = Vec<Arc<dyn DynNode>>;

/// What a command answers: its exit code, or why it could not do its work (exit code 2).
pub(crate) type Answer = Result<ExitCode, String>;

/// Runs one command.
pub(crate) async fn run(cli: Cli, extra: Extra) -> ExitCode {
    let answer = match cli.command {
        Command::Serve(settings) => serve::run(settings, extra).await,
        Command::Demo(args) => demo::run(args, extra).await,
        Command::Sandbox(args) => sandbox::run(args).await,
        Command::Run(args) => run::run(args, extra).await,
        Command::Validate(args) => validate::run(&args, extra).await,
        Command::Test(args) => test::run(&args, extra).await,
        Command::Nodes(args) => nodes::run(&args, extra).await,
        Command::Export(args) => transfer::export(args, extra).await,
        Command::Import(args) => transfer::import(args, extra).await,
        Command::Key(KeyCommand::Create(args)) => key::create(args).await,
        Command::Audit(AuditCommand::Verify(args)) => audit::verify(args).await,
        Command::Vault(VaultCommand::Rotate(args)) => vault::rotate(args).await,
        Command::Vault(VaultCommand::Status(settings)) => vault::status(settings).await,
        Command::Person(PersonCommand::Create(args)) => person::create(args).await,
        Command::Person(PersonCommand::Code(args)) => person::code(args).await,
        Command::Ledger(LedgerCommand::Verify(args)) => ledger::verify(args).await,
        Command::Migrate(settings) => doctor::migrate(settings).await,
        Command::Doctor(settings) => doctor::doctor(settings).await,
        Command::Vacuum(settings) => doctor::vacuum(settings).await,
        Command::Copy(args) => copy::run(&args).await,
    };
    answer.unwrap_or_else(|message| {
        eprintln!("sluice: {message}");
        ExitCode::from(2)
    })
}

/// The configuration of a command, with logging started.
pub(crate) fn configure(settings: Settings) -> Result<Config, String> {
    let config = settings.resolve().map_err(|error| error.to_string())?;
    crate::logging::start(&config);
    Ok(config)
}

/// Success or failure as an exit code.
pub(crate) fn exit(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
