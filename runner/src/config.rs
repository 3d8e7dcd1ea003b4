//! Configuration: flags, then environment, then the file, then defaults. One list of settings serves all
//! three, so a key, a variable and a flag never drift apart.

use crate::mail::MailSettings;
use crate::storage::{Access, Keeping, PayloadSettings};
use clap::{Args, ValueEnum};
use ipnet::IpNet;
use serde::Deserialize;
use sluice_api::{AccountConfig, OidcConfig, SignUpMode};
use sluice_node_sdk::duration::parse_duration_ms;
use sluice_records::people::normalise_email;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// The configuration of one process, complete.
#[derive(Clone, Debug)]
pub struct Config {
    /// Data folder.
    pub data: PathBuf,
    /// Database URL.
    pub database: String,
    /// Listening address.
    pub listen: String,
    /// Role.
    pub role: Role,
    /// Public URL, without a slash at its end.
    pub public_url: String,
    /// App secrets.
    pub whatsapp_app_secrets: Vec<String>,
    /// Verify token.
    pub whatsapp_verify_token: Option<String>,
    /// Base URL per provider.
    pub base_urls: BTreeMap<String, String>,
    /// The app at Google, if there is one.
    pub google: Option<GoogleApp>,
    /// Master key text, if it does not come from the data folder.
    pub master_key: Option<String>,
    /// Texts of earlier master keys.
    pub master_keys_earlier: Vec<String>,
    /// Mail, if it can be sent.
    pub mail: Option<MailSettings>,
    /// Accounts of people.
    pub accounts: AccountConfig,
    /// Name server for proofs of host names, if it is not the system's.
    pub dns_server: Option<SocketAddr>,
    /// Allowed private destinations.
    pub egress_allow: String,
    /// Durability of commits.
    pub synchronous: Synchronous,
    /// Bound of concurrent effects.
    pub max_effects: usize,
    /// Bound of concurrent effects of one workspace.
    pub max_effects_per_workspace: usize,
    /// Bound of runs driven at once.
    pub max_active_runs: usize,
    /// Bound of runs that wait to be driven.
    pub max_queued_runs: u32,
    /// How long a process may stand still.
    pub lease: Duration,
    /// Large bodies.
    pub payloads: PayloadSettings,
    /// How long things are kept.
    pub keeping: Keeping,
    /// Shutdown grace.
    pub shutdown_grace: Duration,
    /// Log filter.
    pub log: String,
    /// Log format.
    pub log_format: LogFormat,
}

/// An app at Google with which people connect accounts.
#[derive(Clone)]
pub struct GoogleApp {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: String,
    /// Where people grant access, without a slash at the end.
    pub accounts_url: String,
    /// Where tokens come from, without a slash at the end.
    pub tokens_url: String,
}

impl std::fmt::Debug for GoogleApp {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GoogleApp").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl GoogleApp {
    /// The app of these settings; none without a client id.
    fn read(
        id: Option<String>,
        secret: Option<String>,
        accounts: Option<String>,
        tokens: Option<String>,
    ) -> Result<Option<Self>, ConfigError> {
        let Some(client_id) = id else { return Ok(None) };
        let missing = || ConfigError::Value("google_client_secret", "it is missing".to_owned());
        let client_secret = secret.ok_or_else(missing)?;
        let base = |name, text: String| match url::Url::parse(&text) {
            Ok(url) if url.has_host() => Ok(text.trim_end_matches('/').to_owned()),
            Ok(_) => Err(ConfigError::Value(name, "it names no host".to_owned())),
            Err(error) => Err(ConfigError::Value(name, error.to_string())),
        };
        // A stand-in plays both.
        let tokens = tokens.or_else(|| accounts.clone());
        let accounts = accounts.unwrap_or_else(|| "https://accounts.google.com".to_owned());
        let tokens = tokens.unwrap_or_else(|| "https://oauth2.googleapis.com".to_owned());
        Ok(Some(Self {
            client_id,
            client_secret,
            accounts_url: base("google_auth_base_url", accounts)?,
            tokens_url: base("google_token_base_url", tokens)?,
        }))
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {0} cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// The file is not TOML, or has an unknown key or a wrong value.
    #[error("the configuration file {0} is wrong: {1}")]
    Wrong(PathBuf, Box<toml::de::Error>),
    /// A value is wrong.
    #[error("the setting `{0}` is wrong: {1}")]
    Value(&'static str, String),
}

impl Settings {
    /// Completes the settings with the file and the defaults.
    ///
    /// # Errors
    /// When the file cannot be read or a setting is wrong.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let file = match &self.config {
            Some(path) => read(path)?,
            None => Self::default(),
        };
        let given = self.or(file);
        let data = given.data.unwrap_or_else(|| PathBuf::from("./data"));
        let listen = given.listen.unwrap_or_else(|| "127.0.0.1:8080".to_owned());
        let grace = given.shutdown_grace.as_deref().unwrap_or("20s");
        let shutdown_grace = duration("shutdown_grace", grace)?;
        let lease = duration("lease", given.lease.as_deref().unwrap_or("6s"))?;
        if lease < Duration::from_secs(1) {
            return Err(ConfigError::Value("lease", "it must be at least 1s".to_owned()));
        }
        let max_effects = given.max_effects.unwrap_or(256);
        let graph = given.graph_base_url.unwrap_or_else(|| "https://graph.facebook.com/v22.0".to_owned());
        let database =
            given.database.unwrap_or_else(|| format!("sqlite:{}", data.join("sluice.db").display()));
        let access = Access {
            endpoint: given.payloads_endpoint,
            region: given.payloads_region,
            key_id: given.payloads_key_id,
            secret: given.payloads_secret,
        };
        let payloads = PayloadSettings::read(
            given.payloads.as_deref(),
            given.payload_threshold.as_deref(),
            given.max_payload.as_deref(),
            access,
            (&data, database.starts_with("postgres")),
        )?;
        let keeping = Keeping::read(
            given.retention.as_deref(),
            given.test_retention.as_deref(),
            given.inbound_retention.as_deref(),
        )?;
        let google = GoogleApp::read(
            given.google_client_id,
            given.google_client_secret,
            given.google_auth_base_url,
            given.google_token_base_url,
        )?;
        let mail = MailSettings::read(given.smtp_url.as_deref(), given.mail_from.as_deref())?;
        let accounts = AccountConfig {
            sign_up: match given.sign_up.unwrap_or_default() {
                SignUp::Open => SignUpMode::Open,
                SignUp::Review => SignUpMode::Review,
                SignUp::Closed => SignUpMode::Closed,
            },
            reviewers: addresses(given.review_emails.as_deref())?,
            sends_mail: mail.is_some(),
            trusted_proxies: networks(given.trusted_proxies.as_deref())?,
            oidc: oidc(given.oidc_issuer, given.oidc_client_id, given.oidc_client_secret, given.oidc_name)?,
        };
        Ok(Config {
            google,
            database,
            payloads,
            keeping,
            public_url: given
                .public_url
                .unwrap_or_else(|| format!("http://{listen}"))
                .trim_end_matches('/')
                .to_owned(),
            role: given.role.unwrap_or_default(),
            whatsapp_app_secrets: list(given.whatsapp_app_secret.as_deref()),
            whatsapp_verify_token: given.whatsapp_verify_token,
            base_urls: BTreeMap::from([("graph".to_owned(), graph_base_url(&graph)?)]),
            mail,
            accounts,
            master_key: given.master_key,
            master_keys_earlier: list(given.master_key_earlier.as_deref()),
            dns_server: given.dns_server,
            egress_allow: given.egress_allow.unwrap_or_default(),
            synchronous: given.synchronous.unwrap_or_default(),
            max_effects,
            max_effects_per_workspace: given
                .max_effects_per_workspace
                .unwrap_or(max_effects - max_effects / 8),
            max_active_runs: given.max_active_runs.unwrap_or(10_000),
            max_queued_runs: given.max_queued_runs.unwrap_or(1_000_000),
            lease,
            shutdown_grace,
            log: given.log.unwrap_or_else(|| "info".to_owned()),
            log_format: given.log_format.unwrap_or_default(),
            data,
            listen,
        })
    }

    /// These settings, with those of `other` where nothing is set.
    fn or(self, other: Self) -> Self {
        Self {
            config: self.config,
            data: self.data.or(other.data),
            database: self.database.or(other.database),
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

fn duration(name: &'static str, text: &str) -> Result<Duration, ConfigError> {
    let milliseconds =
        parse_duration_ms(text).map_err(|error| ConfigError::Value(name, error.to_string()))?;
    Ok(Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default()))
}

fn read(path: &Path) -> Result<Settings, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable(path.to_owned(), error))?;
    toml::from_str(&text).map_err(|error| ConfigError::Wrong(path.to_owned(), Box::new(error)))
}

fn list(text: Option<&str>) -> Vec<String> {
    let parts = text.unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(ToOwned::to_owned).collect()
}

/// E-mail addresses in a list.
fn addresses(text: Option<&str>) -> Result<Vec<String>, ConfigError> {
    let read = |one: String| {
        normalise_email(&one)
            .map_err(|error| ConfigError::Value("review_emails", format!("`{one}`: {error}")))
    };
    list(text).into_iter().map(read).collect()
}

/// Networks in a list; an address alone is a network of one.
fn networks(text: Option<&str>) -> Result<Vec<IpNet>, ConfigError> {
    let read = |one: String| {
        let alone = one.parse::<IpAddr>().map(IpNet::from).ok();
        let wrong = || ConfigError::Value("trusted_proxies", format!("`{one}` is no address and no network"));
        alone.or_else(|| one.parse().ok()).ok_or_else(wrong)
    };
    list(text).into_iter().map(read).collect()
}

/// The provider at which people may sign in: all of its settings or none.
fn oidc(
    issuer: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    name: Option<String>,
) -> Result<Option<OidcConfig>, ConfigError> {
    let Some(issuer) = issuer else {
        return match client_id.or(client_secret) {
            Some(_) => Err(ConfigError::Value(
                "oidc_issuer",
                "it is missing beside the client's settings".to_owned(),
            )),
            None => Ok(None),
        };
    };
    let url =
        url::Url::parse(&issuer).map_err(|error| ConfigError::Value("oidc_issuer", error.to_string()))?;
    let missing = |what| move || ConfigError::Value(what, "it is needed with `oidc_issuer`".to_owned());
    Ok(Some(OidcConfig {
        client_id: client_id.ok_or_else(missing("oidc_client_id"))?,
        client_secret: client_secret.ok_or_else(missing("oidc_client_secret"))?,
        name: name.unwrap_or_else(|| url.host_str().unwrap_or("provider").to_owned()),
        issuer,
    }))
}

/// The base URL with a Graph API version at its end; the one we are built for when none is given.
fn graph_base_url(text: &str) -> Result<String, ConfigError> {
    let url =
        url::Url::parse(text).map_err(|error| ConfigError::Value("graph_base_url", error.to_string()))?;
    let text = text.trim_end_matches('/');
    let last = url.path_segments().and_then(|mut parts| parts.rfind(|part| !part.is_empty()));
    let has_version =
        last.is_some_and(|part| part.starts_with('v') && part[1..].starts_with(|c: char| c.is_ascii_digit()));
    Ok(if has_version { text.to_owned() } else { format!("{text}/v22.0") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sluice.toml");
        std::fs::write(&path, "listen = \"127.0.0.1:9\"\nmax_effects = 3\n").unwrap();
        let flags = Settings { config: Some(path), max_effects: Some(5), ..Settings::default() };
        let config = flags.resolve().unwrap();
        assert_eq!((config.listen.as_str(), config.max_effects), ("127.0.0.1:9", 5));
        assert_eq!(config.public_url, "http://127.0.0.1:9");
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sluice.toml");
        std::fs::write(&path, "lisen = \"127.0.0.1:9\"\n").unwrap();
        let error = Settings { config: Some(path), ..Settings::default() }.resolve().unwrap_err();
        assert!(error.to_string().contains("lisen"), "{error}");
    }

    #[test]
    fn account_settings_are_checked() {
        let with = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.resolve()
        };
        let proxies = with(|all| all.trusted_proxies = Some("10.0.0.0/8, 127.0.0.1".into())).unwrap();
        assert_eq!(proxies.accounts.trusted_proxies.len(), 2);
        for change in [
            (|all| all.trusted_proxies = Some("proxy".into())) as fn(&mut Settings),
            |all| all.review_emails = Some("nobody".into()),
            |all| all.oidc_issuer = Some("https://id.example.com".into()),
            |all| all.oidc_client_id = Some("x".into()),
            |all| all.smtp_url = Some("smtp://127.0.0.1:25".into()),
            |all| all.mail_from = Some("a@example.com".into()),
        ] {
            assert!(with(change).is_err());
        }
        let complete = with(|all| {
            all.oidc_issuer = Some("https://id.example.com/realm".into());
            all.oidc_client_id = Some("x".into());
            all.oidc_client_secret = Some("y".into());
        });
        assert_eq!(complete.unwrap().accounts.oidc.unwrap().name, "id.example.com");
    }

    #[test]
    fn a_graph_base_url_without_version_gets_ours() {
        assert_eq!(graph_base_url("http://127.0.0.1:8090/").unwrap(), "http://127.0.0.1:8090/v22.0");
        assert_eq!(
            graph_base_url("https://graph.facebook.com/v24.0").unwrap(),
            "https://graph.facebook.com/v24.0"
        );
        assert!(graph_base_url("graph").is_err());
    }
}
