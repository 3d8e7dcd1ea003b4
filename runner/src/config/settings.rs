//! Every setting as it is given: one list serves flags, environment and file, so a key, a variable and a flag never drift
//! apart. Must not know what a setting is worth when nobody gives it.

use super::ConfigError;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Every setting, as given by flag, environment or file.
#[derive(Clone, Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields)]
#[command(next_help_heading = "Settings (flag, environment variable, or key of the configuration file)")]
pub struct Settings {
    /// Configuration file (TOML); keys are the long flags with `_`
    #[arg(long, env = "SLUICE_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Folder for the database, the master key and files [default: ./data]
    #[arg(long, env = "SLUICE_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Database: `sqlite:PATH` or `postgres://…` [default: sluice.db in the data folder]
    #[arg(long, env = "SLUICE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database: Option<String>,
    /// Connections to the database that this process may hold, half of them (one per core, 2 to 4) for writing [default: 8]
    #[arg(long, env = "SLUICE_DATABASE_CONNECTIONS", value_name = "N")]
    pub database_connections: Option<u32>,
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "SLUICE_LISTEN", value_name = "ADDR")]
    pub listen: Option<String>,
    /// What this process does [default: all]
    #[arg(long, env = "SLUICE_ROLE", value_name = "ROLE")]
    pub role: Option<Role>,
    /// Address under which people and providers reach this service [default: http://LISTEN]
    #[arg(long, env = "SLUICE_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Secret of the Meta app that signs webhooks; several separated by commas while rotating
    #[arg(long, env = "SLUICE_WHATSAPP_APP_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub whatsapp_app_secret: Option<String>,
    /// Token that Meta presents when the webhook is set up
    #[arg(long, env = "SLUICE_WHATSAPP_VERIFY_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub whatsapp_verify_token: Option<String>,
    /// Base URL of the Graph API [default: https://graph.facebook.com/v22.0]
    #[arg(long, env = "SLUICE_GRAPH_BASE_URL", value_name = "URL")]
    pub graph_base_url: Option<String>,
    /// Client id of the app at Google with which people connect accounts
    #[arg(long, env = "SLUICE_GOOGLE_CLIENT_ID", value_name = "ID")]
    pub google_client_id: Option<String>,
    /// Secret of that app
    #[arg(long, env = "SLUICE_GOOGLE_CLIENT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub google_client_secret: Option<String>,
    /// Where people grant access [default: https://accounts.google.com]
    #[arg(long, env = "SLUICE_GOOGLE_AUTH_BASE_URL", value_name = "URL")]
    pub google_auth_base_url: Option<String>,
    /// Where tokens come from [default: https://oauth2.googleapis.com, or the address before when it is set]
    #[arg(long, env = "SLUICE_GOOGLE_TOKEN_BASE_URL", value_name = "URL")]
    pub google_token_base_url: Option<String>,
    /// Key that seals credentials: 32 bytes as hex or base64 [default: master.key in the data folder]
    #[arg(long, env = "SLUICE_MASTER_KEY", hide_env_values = true, value_name = "KEY")]
    pub master_key: Option<String>,
    /// Master keys of before, separated by commas, until `sluice vault rotate` has run
    #[arg(long, env = "SLUICE_MASTER_KEY_EARLIER", hide_env_values = true, value_name = "KEYS")]
    pub master_key_earlier: Option<String>,
    /// Mail server for codes and notices: `smtps://USER:PASSWORD@HOST`, or `smtp://…?tls=required` for STARTTLS
    #[arg(long, env = "SLUICE_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<String>,
    /// Who mail comes from, such as `Sluice <no-reply@example.com>`
    #[arg(long, env = "SLUICE_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
    /// Who may sign up: `open`, `review` (somebody approves) or `closed` [default: open]
    #[arg(long, env = "SLUICE_SIGN_UP", value_name = "MODE")]
    pub sign_up: Option<SignUp>,
    /// Addresses that are told of sign-ups to approve, besides the platform's administrators, separated by commas
    #[arg(long, env = "SLUICE_REVIEW_EMAILS", value_name = "LIST")]
    pub review_emails: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed: addresses and networks, separated by commas
    #[arg(long, env = "SLUICE_TRUSTED_PROXIES", value_name = "LIST")]
    pub trusted_proxies: Option<String>,
    /// Name server that proofs of host names are looked up at, such as `127.0.0.1:53` [default: those of the system]
    #[arg(long, env = "SLUICE_DNS_SERVER", value_name = "ADDRESS")]
    pub dns_server: Option<SocketAddr>,
    /// Issuer of an OpenID Connect provider at which people may sign in
    #[arg(long, env = "SLUICE_OIDC_ISSUER", value_name = "URL")]
    pub oidc_issuer: Option<String>,
    /// Client id at that provider
    #[arg(long, env = "SLUICE_OIDC_CLIENT_ID", value_name = "ID")]
    pub oidc_client_id: Option<String>,
    /// Client secret at that provider
    #[arg(long, env = "SLUICE_OIDC_CLIENT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub oidc_client_secret: Option<String>,
    /// What people call that provider [default: its host]
    #[arg(long, env = "SLUICE_OIDC_NAME", value_name = "NAME")]
    pub oidc_name: Option<String>,
    /// Private addresses and networks that workflows may reach, separated by commas
    #[arg(long, env = "SLUICE_EGRESS_ALLOW", value_name = "LIST")]
    pub egress_allow: Option<String>,
    /// Whether a commit waits for the disk: `full`, or `normal` (a power cut may lose the last moments)
    #[arg(long, env = "SLUICE_SYNCHRONOUS", value_name = "MODE")]
    pub synchronous: Option<Synchronous>,
    /// Nodes with outside effects that may be under way at once [default: 256]
    #[arg(long, env = "SLUICE_MAX_EFFECTS", value_name = "N")]
    pub max_effects: Option<usize>,
    /// How many of these one workspace may have [default: seven eighths of them]
    #[arg(long, env = "SLUICE_MAX_EFFECTS_PER_WORKSPACE", value_name = "N")]
    pub max_effects_per_workspace: Option<usize>,
    /// Runs that this process may drive at once; more wait in the database [default: 10000]
    #[arg(long, env = "SLUICE_MAX_ACTIVE_RUNS", value_name = "N")]
    pub max_active_runs: Option<usize>,
    /// Runs that may wait in the database to be driven; more are refused with 503 [default: 1000000]
    #[arg(long, env = "SLUICE_MAX_QUEUED_RUNS", value_name = "N")]
    pub max_queued_runs: Option<u32>,
    /// How long a process may stand still before others take over its runs (PostgreSQL) [default: 6s]
    #[arg(long, env = "SLUICE_LEASE", value_name = "DURATION")]
    pub lease: Option<String>,
    /// Where large bodies go: `file:PATH`, `s3://BUCKET/PREFIX`, or `off` for the database [default: payloads in the data
    /// folder; with PostgreSQL, off]
    #[arg(long, env = "SLUICE_PAYLOADS", value_name = "PLACE")]
    pub payloads: Option<String>,
    /// Address of an S3-compatible server that is not Amazon's
    #[arg(long, env = "SLUICE_PAYLOADS_ENDPOINT", value_name = "URL")]
    pub payloads_endpoint: Option<String>,
    /// Region of the bucket
    #[arg(long, env = "SLUICE_PAYLOADS_REGION", value_name = "REGION")]
    pub payloads_region: Option<String>,
    /// Access key id for the bucket
    #[arg(long, env = "SLUICE_PAYLOADS_KEY_ID", value_name = "ID")]
    pub payloads_key_id: Option<String>,
    /// Secret access key for the bucket
    #[arg(long, env = "SLUICE_PAYLOADS_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub payloads_secret: Option<String>,
    /// From which size on a body counts as large [default: 64KiB]
    #[arg(long, env = "SLUICE_PAYLOAD_THRESHOLD", value_name = "SIZE")]
    pub payload_threshold: Option<String>,
    /// How much one execution of a node may give [default: 16MiB]
    #[arg(long, env = "SLUICE_MAX_PAYLOAD", value_name = "SIZE")]
    pub max_payload: Option<String>,
    /// How long finished runs are kept when their workflow does not say it; or `off` [default: 90d]
    #[arg(long, env = "SLUICE_RETENTION", value_name = "DURATION")]
    pub retention: Option<String>,
    /// How long finished test runs are kept; or `off` [default: 7d]
    #[arg(long, env = "SLUICE_TEST_RETENTION", value_name = "DURATION")]
    pub test_retention: Option<String>,
    /// How long what came in is kept, and a repetition recognised; at least 7d; or `off` [default: 90d]
    #[arg(long, env = "SLUICE_INBOUND_RETENTION", value_name = "DURATION")]
    pub inbound_retention: Option<String>,
    /// How long work under way may take to come to its next commit at shutdown [default: 20s]
    #[arg(long, env = "SLUICE_SHUTDOWN_GRACE", value_name = "DURATION")]
    pub shutdown_grace: Option<String>,
    /// What is logged, as in `info,sluice_engine=debug` [default: info]
    #[arg(long, env = "SLUICE_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// How log lines look [default: text]
    #[arg(long, env = "SLUICE_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

impl Settings {
    /// The settings of a file.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, or has a key or value that is wrong.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable(path.to_owned(), error))?;
        toml::from_str(&text).map_err(|error| ConfigError::Wrong(path.to_owned(), Box::new(error)))
    }

    /// These settings, with those of `other` where nothing is set.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            config: self.config,
            data: self.data.or(other.data),
            database: self.database.or(other.database),
            database_connections: self.database_connections.or(other.database_connections),
            listen: self.listen.or(other.listen),
            role: self.role.or(other.role),
            public_url: self.public_url.or(other.public_url),
            whatsapp_app_secret: self.whatsapp_app_secret.or(other.whatsapp_app_secret),
            whatsapp_verify_token: self.whatsapp_verify_token.or(other.whatsapp_verify_token),
            graph_base_url: self.graph_base_url.or(other.graph_base_url),
            google_client_id: self.google_client_id.or(other.google_client_id),
            google_client_secret: self.google_client_secret.or(other.google_client_secret),
            google_auth_base_url: self.google_auth_base_url.or(other.google_auth_base_url),
            google_token_base_url: self.google_token_base_url.or(other.google_token_base_url),
            master_key: self.master_key.or(other.master_key),
            master_key_earlier: self.master_key_earlier.or(other.master_key_earlier),
            smtp_url: self.smtp_url.or(other.smtp_url),
            mail_from: self.mail_from.or(other.mail_from),
            sign_up: self.sign_up.or(other.sign_up),
            review_emails: self.review_emails.or(other.review_emails),
            trusted_proxies: self.trusted_proxies.or(other.trusted_proxies),
            dns_server: self.dns_server.or(other.dns_server),
            oidc_issuer: self.oidc_issuer.or(other.oidc_issuer),
            oidc_client_id: self.oidc_client_id.or(other.oidc_client_id),
            oidc_client_secret: self.oidc_client_secret.or(other.oidc_client_secret),
            oidc_name: self.oidc_name.or(other.oidc_name),
            egress_allow: self.egress_allow.or(other.egress_allow),
            synchronous: self.synchronous.or(other.synchronous),
            max_effects: self.max_effects.or(other.max_effects),
            max_effects_per_workspace: self.max_effects_per_workspace.or(other.max_effects_per_workspace),
            max_active_runs: self.max_active_runs.or(other.max_active_runs),
            max_queued_runs: self.max_queued_runs.or(other.max_queued_runs),
            lease: self.lease.or(other.lease),
            payloads: self.payloads.or(other.payloads),
            payloads_endpoint: self.payloads_endpoint.or(other.payloads_endpoint),
            payloads_region: self.payloads_region.or(other.payloads_region),
            payloads_key_id: self.payloads_key_id.or(other.payloads_key_id),
            payloads_secret: self.payloads_secret.or(other.payloads_secret),
            payload_threshold: self.payload_threshold.or(other.payload_threshold),
            max_payload: self.max_payload.or(other.max_payload),
            retention: self.retention.or(other.retention),
            test_retention: self.test_retention.or(other.test_retention),
            inbound_retention: self.inbound_retention.or(other.inbound_retention),
            shutdown_grace: self.shutdown_grace.or(other.shutdown_grace),
            log: self.log.or(other.log),
            log_format: self.log_format.or(other.log_format),
        }
    }
}

/// What a process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    #[default]
    All,
    /// Answers HTTP.
    Api,
    /// Drives runs.
    Runner,
}

/// Who may sign up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUp {
    /// Everybody.
    #[default]
    Open,
    /// Those whom somebody approves.
    Review,
    /// Nobody; an operator makes the accounts.
    Closed,
}

/// When a commit counts as durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Synchronous {
    /// When it is on the disk.
    #[default]
    Full,
    /// When the operating system has it.
    Normal,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}
