//! Configuration: flags, then environment, then the file, then defaults.

mod settings;
mod values;

use crate::mail::MailSettings;
use crate::storage::{Access, Keeping, PayloadSettings};
use sluice_api::{AccountConfig, SignUpMode};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use values::{addresses, duration, graph_base_url, list, networks, oidc};

pub(crate) use settings::{LogFormat, SignUp, Synchronous};
pub use settings::{Role, Settings};
pub(crate) use values::GoogleApp;

/// The configuration of one process, complete.
#[derive(Clone, Debug)]
pub struct Config {
    /// Data folder.
    pub data: PathBuf,
    /// Database URL.
    pub database: String,
    /// Connections to it.
    pub database_connections: u32,
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
            Some(path) => Self::read(path)?,
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
        let database_connections = given.database_connections.unwrap_or(8);
        if database_connections < 2 {
            let message = "it must be at least 2: one to write and one to read".to_owned();
            return Err(ConfigError::Value("database_connections", message));
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
            database_connections,
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
            |all| all.database_connections = Some(1),
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
}
