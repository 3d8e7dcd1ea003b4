//! The command line. Every command that touches an installation takes the settings of `serve`.

use crate::config::Settings;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Workflow automation for marketing and customer conversations.
#[derive(Debug, Parser)]
#[command(name = "sluice", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the service
    Serve(Settings),
    /// Run the service with the sandbox and a demo workspace
    Demo(DemoArgs),
    /// Run only the stand-ins of outside providers
    Sandbox(SandboxArgs),
    /// Run one workflow in memory and print its trace; exit 1 if it failed
    Run(RunArgs),
    /// Print all problems of workflow files; exit 1 if any is an error
    Validate(ValidateArgs),
    /// Run the tests inside workflow files; exit 1 if any fails
    Test(TestArgs),
    /// Print the catalogue of nodes, or one node's parameters, ports and examples
    Nodes(NodesArgs),
    /// Write the workflows of a workspace into a folder
    Export(TransferArgs),
    /// Read workflow files into a workspace
    Import(TransferArgs),
    /// API keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// The audit trail
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The keys that seal stored secrets
    #[command(subcommand)]
    Vault(VaultCommand),
    /// People and their one-time codes
    #[command(subcommand)]
    Person(PersonCommand),
    /// Credits and usage
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Bring the database schema up to date
    Migrate(Settings),
    /// Check configuration, database and master key
    Doctor(Settings),
    /// Give the free space of a stopped SQLite database back to the disk
    Vacuum(Settings),
    /// Copy a whole installation into another, empty database, and compare both
    Copy(CopyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Address of the sandbox
    #[arg(long, default_value = "127.0.0.1:8090")]
    pub(crate) sandbox_listen: String,
}

#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8090")]
    pub(crate) listen: String,
    /// Where signed webhooks go
    #[arg(long, default_value = "http://127.0.0.1:8080/api/whatsapp/webhook")]
    pub(crate) webhook: String,
    /// Address of the mail server; a free port when it ends in :0
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) smtp_listen: String,
    /// App secret that signs webhooks
    #[arg(
        long,
        env = "SLUICE_WHATSAPP_APP_SECRET",
        hide_env_values = true,
        default_value = "sandbox-app-secret"
    )]
    pub(crate) app_secret: String,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Workflow document
    pub(crate) file: PathBuf,
    /// The trigger's event as JSON: a file, or `-` for standard input; the trigger's fixture when missing
    #[arg(long)]
    pub(crate) input: Option<PathBuf>,
    /// Id of the trigger; the first one when missing
    #[arg(long)]
    pub(crate) trigger: Option<String>,
    /// Print JSON in place of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Describe outside effects in place of having them
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long to stay with a run that waits
    #[arg(long, default_value = "1m")]
    pub(crate) patience: String,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Workflow documents
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Print JSON in place of lines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Workflow documents, or folders of them
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Also write the results as JUnit XML
    #[arg(long)]
    pub(crate) junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct NodesArgs {
    /// One node type
    pub(crate) node_type: Option<String>,
    /// Print JSON in place of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TransferArgs {
    /// Folder of workflow files
    pub(crate) folder: PathBuf,
    /// Name of the workspace
    #[arg(long)]
    pub(crate) workspace: String,
    /// Import: replace the drafts of workflows with the same name
    #[arg(long)]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// Database to copy from, such as `sqlite:data/sluice.db`; no process may use it meanwhile
    #[arg(long, value_name = "URL")]
    pub(crate) from: String,
    /// Empty database to copy into, such as `postgres://user@host/name`
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Print a new API key once, alone on the last line
    Create(KeyCreateArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Compute every seal, chain, closing and sum again; exit 1 if anything is wrong
    Verify(LedgerVerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LedgerVerifyArgs {
    /// Print JSON in place of lines
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Walk through the audit trail and name the first entry that is not as it was written; exit 1 if there is one
    Verify(AuditVerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AuditVerifyArgs {
    /// Name of a workspace; everything when missing
    #[arg(long)]
    pub(crate) workspace: Option<String>,
    /// A file with what earlier verifications found: compared first, brought up to date when all is well. Keep it where
    /// nobody who can write to the database can write
    #[arg(long, value_name = "FILE")]
    pub(crate) witness: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// Wrap all data keys with the current master key; also while the service runs
    Rotate(VaultRotateArgs),
    /// Print which master keys are needed and what a rotation would change
    Status(Settings),
}

#[derive(Debug, Args)]
pub(crate) struct VaultRotateArgs {
    /// Also make new data keys and seal every stored secret under them
    #[arg(long)]
    pub(crate) data_keys: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct KeyCreateArgs {
    /// Name of the workspace that the key opens
    #[arg(long, required_unless_present = "platform", conflicts_with = "platform")]
    pub(crate) workspace: Option<String>,
    /// Make the workspace when it is missing
    #[arg(long)]
    pub(crate) create: bool,
    /// A key for the whole platform
    #[arg(long)]
    pub(crate) platform: bool,
    /// Name of the key, for people
    #[arg(long, default_value = "cli")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// Make a person, or give one a role; print a one-time code to set the password, alone on the last line
    Create(PersonCreateArgs),
    /// Print a new one-time code for a person, alone on the last line; codes from before are worthless
    Code(PersonCodeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PersonCreateArgs {
    /// E-mail address
    #[arg(long)]
    pub(crate) email: String,
    /// Name; the address when missing
    #[arg(long, default_value = "")]
    pub(crate) name: String,
    /// `super_admin` or `platform_admin`; with --workspace `owner`, `admin`, `agent` or `viewer`
    // Not `--role`, which says what a process does.
    #[arg(long = "as", id = "person_role", value_name = "ROLE")]
    pub(crate) role: String,
    /// Name of the workspace in which the role counts
    #[arg(long)]
    pub(crate) workspace: Option<String>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct PersonCodeArgs {
    /// E-mail address
    #[arg(long)]
    pub(crate) email: String,
    /// What the code is for
    #[arg(long, value_enum, default_value = "reset")]
    pub(crate) purpose: CodeFor,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// What a one-time code is for.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum CodeFor {
    /// Sets a password, at `POST /api/password/reset`
    Reset,
    /// Proves the address of a sign-up, at `POST /api/verify-email`
    Verify,
}
