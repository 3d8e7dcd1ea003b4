//! One provider: its addresses by discovery, the way there, and the way back. Must not know accounts or cookies.

use super::keys::KnownKeys;
use crate::config::OidcConfig;
use crate::error::{self, ApiError};
use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use jsonwebtoken::Validation;
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sluice_node_sdk::http::{HttpRequest, HttpTransport};
use sluice_records::people::{OidcAttempt, OidcClaims};
use std::sync::Arc;
use tokio::sync::Mutex;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

/// How long the provider's description is used without asking again, milliseconds.
const KEPT_MS: i64 = 60 * 60 * 1_000;
/// Longest exchange with the provider, milliseconds.
const PATIENCE_MS: u64 = 10_000;
/// Largest answer of the provider, bytes.
const LARGEST: u64 = 1024 * 1024;
/// How far the clocks of the provider and of this machine may be apart, seconds.
const LEEWAY: u64 = 60;

/// What discovery tells (OpenID Connect Discovery 1.0, section 3).
#[derive(Clone, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

/// What the token endpoint gives.
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// What the identity token says.
#[derive(Deserialize)]
struct IdClaims {
    iss: String,
    sub: String,
    /// A text or a list; that we are in it is checked with the signature.
    aud: Value,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_verified: Option<Truth>,
    #[serde(default)]
    name: Option<String>,
}

/// Some providers write booleans as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Truth {
    Is(bool),
    Says(String),
}

#[derive(Default)]
struct Known {
    description: Option<(Description, i64)>,
    keys: KnownKeys,
}

/// One provider, with what is known of it.
pub(crate) struct Provider {
    config: OidcConfig,
    http: Arc<dyn HttpTransport>,
    known: Mutex<Known>,
}

/// The answer of a provider cannot be used.
fn unavailable(reason: &str) -> ApiError {
    tracing::warn!(reason, "the sign-in provider does not answer as it should");
    ApiError::plain(error::PROVIDER_UNAVAILABLE)
}

fn refused(reason: &str) -> ApiError {
    ApiError::new(error::SIGN_IN_REFUSED, reason)
}

impl Provider {
    /// A provider that was not asked yet.
    pub(crate) fn new(config: OidcConfig, http: Arc<dyn HttpTransport>) -> Self {
        Self { config, http, known: Mutex::default() }
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        &self.config.name
    }

    /// Whether this is what it calls itself.
    pub(crate) fn is(&self, issuer: &str) -> bool {
        issuer.trim_end_matches('/') == self.config.issuer.trim_end_matches('/')
    }

    /// Where the browser goes to sign in.
    ///
    /// # Errors
    /// `provider_unavailable`.
    pub(crate) async fn address(
        &self,
        attempt: &OidcAttempt,
        redirect_uri: &str,
        now: i64,
    ) -> Result<String, ApiError> {
        let mut url = self.description(now).await?.authorization_endpoint;
        let challenge = digest::digest(&digest::SHA256, attempt.verifier.as_bytes());
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", "openid email profile")
            .append_pair("state", &attempt.state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(challenge.as_ref()))
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// Whom a code stands for.
    ///
    /// # Errors
    /// `sign_in_refused` when the provider does not take the code, or its token is not for this sign-in;
    /// `provider_unavailable`.
    pub(crate) async fn identity(
        &self,
        attempt: &OidcAttempt,
        code: &str,
        redirect_uri: &str,
        now: i64,
    ) -> Result<OidcClaims, ApiError> {
        let description = self.description(now).await?;
        let token = self.exchange(&description, attempt, code, redirect_uri).await?;
        let claims = self.verified(&description, &token, now).await?;
        let right_nonce = claims.nonce.as_deref().is_some_and(|nonce| {
            constant_time::verify_slices_are_equal(nonce.as_bytes(), attempt.nonce.as_bytes()).is_ok()
        });
        if !right_nonce {
            return Err(refused("the identity was given for another sign-in"));
        }
        let is_shared = claims.aud.as_array().is_some_and(|all| all.len() > 1);
        if claims.azp.as_ref().map_or(is_shared, |party| *party != self.config.client_id) {
            return Err(refused("the identity was given to somebody else"));
        }
        let email_verified = match claims.email_verified {
            Some(Truth::Is(is_verified)) => is_verified,
            Some(Truth::Says(text)) => text == "true",
            None => false,
        };
        Ok(OidcClaims {
            issuer: claims.iss,
            subject: claims.sub,
            email: claims.email,
            email_verified,
            name: claims.name,
        })
    }

    async fn description(&self, now: i64) -> Result<Description, ApiError> {
        let mut known = self.known.lock().await;
        if let Some((description, at)) = &known.description
            && now - at <= KEPT_MS
        {
            return Ok(description.clone());
        }
        let issuer = self.config.issuer.trim_end_matches('/');
        let address = format!("{issuer}/.well-known/openid-configuration");
        let found: Description = self.get(&address).await?;
        // Discovery 1.0, section 4.3: it must be the very issuer that was asked.
        if found.issuer.trim_end_matches('/') != issuer {
            return Err(unavailable("discovery answers for another issuer"));
        }
        known.description = Some((found.clone(), now));
        Ok(found)
    }

    fn token_request(
        &self,
        description: &Description,
        attempt: &OidcAttempt,
        code: &str,
        redirect_uri: &str,
    ) -> HttpRequest {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("code_verifier", &attempt.verifier);
        let methods = &description.token_endpoint_auth_methods_supported;
        // Basic is what a provider takes that says nothing (Discovery 1.0, section 3).
        let by_form = !methods.is_empty() && !methods.iter().any(|method| method == "client_secret_basic");
        let mut request = HttpRequest::new("POST", description.token_endpoint.as_str()).to_operator_url();
        if by_form {
            form.append_pair("client_id", &self.config.client_id)
                .append_pair("client_secret", &self.config.client_secret);
        } else {
            // RFC 6749 section 2.3.1: both are form-encoded first.
            let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let both = format!("{}:{}", encode(&self.config.client_id), encode(&self.config.client_secret));
            request = request.header("authorization", format!("Basic {}", STANDARD.encode(both)));
        }
        request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json");
        request.body = Bytes::from(form.finish());
        request
    }

    async fn exchange(
        &self,
        description: &Description,
        attempt: &OidcAttempt,
        code: &str,
        redirect_uri: &str,
    ) -> Result<String, ApiError> {
        let request = self.token_request(description, attempt, code, redirect_uri);
        let answer = self.send(request).await?;
        if (400..500).contains(&answer.status) {
            tracing::info!(status = answer.status, "the sign-in provider refused a code");
            return Err(refused("the provider does not accept the code; start again"));
        }
        let tokens =
            answer.is_success().then(|| serde_json::from_slice::<Tokens>(&answer.body).ok()).flatten();
        Ok(tokens.ok_or_else(|| unavailable("no identity token"))?.id_token)
    }

    async fn verified(&self, description: &Description, token: &str, now: i64) -> Result<IdClaims, ApiError> {
        let wrong = || refused("the identity token is not a good one");
        let header = jsonwebtoken::decode_header(token).map_err(|_| wrong())?;
        let key_id = header.kid.as_deref();
        let key = {
            let mut known = self.known.lock().await;
            if known.keys.should_ask(key_id, now) {
                let keys: JwkSet = self.get(description.jwks_uri.as_str()).await?;
                known.keys.take(keys, key_id, now);
            }
            known.keys.find(key_id, header.alg).ok_or_else(wrong)?
        };
        let mut rules = Validation::new(header.alg);
        rules.leeway = LEEWAY;
        rules.validate_nbf = true;
        rules.set_audience(&[&self.config.client_id]);
        rules.set_issuer(&[&description.issuer]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        jsonwebtoken::decode(token, &key, &rules).map(|data| data.claims).map_err(|fault| {
            tracing::warn!(%fault, "an identity token of the sign-in provider was refused");
            wrong()
        })
    }

    async fn get<T: DeserializeOwned>(&self, address: &str) -> Result<T, ApiError> {
        let request = HttpRequest::new("GET", address).to_operator_url().header("accept", "application/json");
        let answer = self.send(request).await?;
        if !answer.is_success() {
            return Err(unavailable(&format!("{address} answers {}", answer.status)));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|fault| unavailable(&format!("{address} answers something else: {fault}")))
    }

    async fn send(&self, mut request: HttpRequest) -> Result<sluice_node_sdk::http::HttpResponse, ApiError> {
        request.timeout_ms = PATIENCE_MS;
        request.max_response_bytes = LARGEST;
        self.http.send(request).await.map_err(|fault| unavailable(&fault.message))
    }
}
