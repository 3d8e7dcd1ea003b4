//! Reading the values of settings that are more than a word: lists, times, addresses, providers. Must not know where they
//! were given.

use super::ConfigError;
use ipnet::IpNet;
use sluice_api::OidcConfig;
use sluice_node_sdk::duration::parse_duration_ms;
use sluice_records::people::normalise_email;
use std::net::IpAddr;
use std::time::Duration;

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
    pub(super) fn read(
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

pub(super) fn duration(name: &'static str, text: &str) -> Result<Duration, ConfigError> {
    let milliseconds =
        parse_duration_ms(text).map_err(|error| ConfigError::Value(name, error.to_string()))?;
    Ok(Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default()))
}

pub(super) fn list(text: Option<&str>) -> Vec<String> {
    let parts = text.unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(ToOwned::to_owned).collect()
}

/// E-mail addresses in a list.
pub(super) fn addresses(text: Option<&str>) -> Result<Vec<String>, ConfigError> {
    let read = |one: String| {
        normalise_email(&one)
            .map_err(|error| ConfigError::Value("review_emails", format!("`{one}`: {error}")))
    };
    list(text).into_iter().map(read).collect()
}

/// Networks in a list; an address alone is a network of one.
pub(super) fn networks(text: Option<&str>) -> Result<Vec<IpNet>, ConfigError> {
    let read = |one: String| {
        let alone = one.parse::<IpAddr>().map(IpNet::from).ok();
        let wrong = || ConfigError::Value("trusted_proxies", format!("`{one}` is no address and no network"));
        alone.or_else(|| one.parse().ok()).ok_or_else(wrong)
    };
    list(text).into_iter().map(read).collect()
}

/// The provider at which people may sign in: all of its settings or none.
pub(super) fn oidc(
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
pub(super) fn graph_base_url(text: &str) -> Result<String, ConfigError> {
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
    fn a_graph_base_url_without_version_gets_ours() {
        assert_eq!(graph_base_url("http://127.0.0.1:8090/").unwrap(), "http://127.0.0.1:8090/v22.0");
        assert_eq!(
            graph_base_url("https://graph.facebook.com/v24.0").unwrap(),
            "https://graph.facebook.com/v24.0"
        );
        assert!(graph_base_url("graph").is_err());
    }
}
