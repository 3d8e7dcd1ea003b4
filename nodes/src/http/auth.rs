//! Credentials on requests: bearer, basic, header, and OAuth 2 client credentials with a token cache.
//! Must not log or return a secret; [`Auth::hide`] takes secrets out of texts that are kept.

use super::body::form_text;
use base64::Engine as _;
use serde_json::{Map, Value, json};
use sluice_node_sdk::context::NodeContext;
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::http::HttpRequest;
use sluice_node_sdk::services::Credential;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The kinds that `http.request` takes.
pub(crate) const KINDS: [&str; 5] = ["http_bearer", "http_basic", "http_header", "oauth2_client", "google"];

/// A header that opens the door, and the secrets in it.
#[derive(Clone, Default)]
pub(crate) struct Auth {
    header: Option<(String, String)>,
    secrets: Vec<String>,
    /// The token can be fetched anew.
    pub(crate) renewable: bool,
}

impl Auth {
    /// The request with the header, in place of one of the same name.
    pub(crate) fn sign(&self, mut request: HttpRequest) -> HttpRequest {
        if let Some((name, value)) = &self.header {
            request.headers.retain(|(existing, _)| !existing.eq_ignore_ascii_case(name));
            request.headers.push((name.clone(), value.clone()));
        }
        request
    }

    /// What was presented, for a renewal.
    pub(crate) fn token(&self) -> &str {
        self.secrets.first().map_or("", String::as_str)
    }

    /// The text without our secrets: servers like to echo what they were sent.
    pub(crate) fn hide(&self, text: &str) -> String {
        let secrets = self.secrets.iter().filter(|secret| secret.len() >= 4);
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// A token and when it ends (milliseconds since the epoch).
#[derive(Clone)]
struct Token {
    value: String,
    ends_at: i64,
}

/// OAuth tokens of all workspaces, by everything that decides which token it is.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<[u8; 32], Token>>);

/// How many tokens are kept.
const KEPT: usize = 1_000;
/// A token is renewed this long before its end, so that it does not run out on the way.
const MARGIN_MS: i64 = 60_000;
/// How long a token lasts when its issuer does not say.
const USUAL_MS: i64 = 5 * 60_000;

impl Tokens {
    /// Opens the named credential and makes a header of it; with a token that was `refused`, another one.
    ///
    /// # Errors
    /// `Auth` for a missing, incomplete or unsuitable credential, or a token endpoint that refuses.
    pub(crate) async fn open(
        &self,
        ctx: &NodeContext,
        name: &str,
        refused: Option<&str>,
    ) -> Result<Auth, NodeError> {
        let credential = match ctx.credential(name).await {
            Ok(credential) => credential,
            // Scripted answers come from a file; there is nobody to identify ourselves to.
            Err(error) if ctx.services.http.is_scripted() && error.code == "credential_missing" => {
                return Ok(Auth::default());
            }
            Err(error) => return Err(error),
        };
        match credential.kind.as_str() {
            "http_bearer" => {
                let token = credential.text("token")?;
                Ok(with("authorization", format!("Bearer {token}"), vec![token.to_owned()]))
            }
            "http_basic" => {
                let (user, password) = (credential.text("username")?, credential.text("password")?);
                let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
                ctx.hide(&encoded);
                let secrets = vec![password.to_owned(), encoded.clone()];
                Ok(with("authorization", format!("Basic {encoded}"), secrets))
            }
            "http_header" => {
                let (name, value) = (credential.text("name")?, credential.text("value")?);
                Ok(with(name, value.to_owned(), vec![value.to_owned()]))
            }
            "oauth2_client" => self.client(ctx, &credential, refused.is_some()).await,
            "google" => connected(ctx, name, credential, refused).await,
            other => {
                let message =
                    format!("A credential of kind `{other}` does not fit; use one of {}", KINDS.join(", "));
                Err(NodeError::auth(message).code("credential_kind").at("/credential"))
            }
        }
    }

    /// The client credentials grant (RFC 6749, section 4.4).
    async fn client(
        &self,
        ctx: &NodeContext,
        credential: &Credential,
        anew: bool,
    ) -> Result<Auth, NodeError> {
        let key = key(&ctx.run.workspace_id, &credential.data);
        let secret = credential.text("client_secret")?.to_owned();
        let kept = (!anew).then(|| self.kept(&key, ctx.now_ms())).flatten();
        let token = match kept {
            Some(token) => token,
            None => {
                let token = fetch(ctx, credential).await?;
                self.keep(key, token.clone());
                token
            }
        };
        ctx.hide(&token.value);
        let secrets = vec![token.value.clone(), secret];
        let auth = with("authorization", format!("Bearer {}", token.value), secrets);
        Ok(Auth { renewable: true, ..auth })
    }

    fn kept(&self, key: &[u8; 32], now: i64) -> Option<Token> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(key).filter(|token| token.ends_at > now).cloned()
    }

    fn keep(&self, key: [u8; 32], token: Token) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= KEPT {
            tokens.clear();
        }
        tokens.insert(key, token);
    }
}

/// An account that a person connected; the host keeps its token fresh.
async fn connected(
    ctx: &NodeContext,
    name: &str,
    mut credential: Credential,
    refused: Option<&str>,
) -> Result<Auth, NodeError> {
    if let Some(refused) = refused {
        credential = ctx.renewed_credential(name, refused).await?;
    }
    let token = credential.text("access_token")?.to_owned();
    let auth = with("authorization", format!("Bearer {token}"), vec![token]);
    Ok(Auth { renewable: true, ..auth })
}

fn with(name: &str, value: String, secrets: Vec<String>) -> Auth {
    Auth { header: Some((name.to_owned(), value)), secrets, renewable: false }
}

/// A digest, so that the cache's keys hold no secret; a changed credential is another key.
fn key(workspace_id: &str, data: &Value) -> [u8; 32] {
    let text = format!("{workspace_id}\n{data}");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut key = [0; 32];
    key.copy_from_slice(digest.as_ref());
    key
}

async fn fetch(ctx: &NodeContext, credential: &Credential) -> Result<Token, NodeError> {
    let (id, secret) = (credential.text("client_id")?, credential.text("client_secret")?);
    let mut form = Map::from_iter([("grant_type".to_owned(), json!("client_credentials"))]);
    for field in ["scope", "audience", "resource"] {
        if let Ok(value) = credential.text(field) {
            form.insert(field.to_owned(), value.into());
        }
    }
    let mut request = HttpRequest::new("POST", credential.text("token_url")?)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "application/json");
    if credential.text("auth_style").is_ok_and(|style| style == "body") {
        form.insert("client_id".to_owned(), id.into());
        form.insert("client_secret".to_owned(), secret.into());
    } else {
        // RFC 6749, section 2.3.1: both are form-encoded before they are joined.
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(id), encode(secret));
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        request = request.header("authorization", format!("Basic {pair}"));
    }
    request.body = form_text(&form).into();
    request.max_response_bytes = 64 * 1024;
    // A token fetched twice harms nobody, so an unknown outcome may be tried again.
    let answer = ctx.http(request).await.map_err(|error| match error.kind {
        ErrorKind::UnknownOutcome => NodeError { kind: ErrorKind::Unavailable, ..error },
        _ => error,
    })?;
    let said = answer.json().unwrap_or_default();
    let token = said.get("access_token").and_then(Value::as_str).filter(|_| answer.is_success());
    let Some(token) = token else { return Err(refused(answer.status, &said)) };
    let seconds =
        said.get("expires_in").and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
    let lasts = seconds.map_or(USUAL_MS, |seconds| seconds.clamp(0, 31_536_000) * 1_000);
    Ok(Token { value: token.to_owned(), ends_at: ctx.now_ms() + (lasts - MARGIN_MS).max(lasts / 2) })
}

fn refused(status: u16, said: &Value) -> NodeError {
    let word = said.get("error").and_then(Value::as_str).unwrap_or("no access token in the answer");
    let message = format!("The token endpoint refused with status {status}: {word}");
    match status {
        429 => NodeError::rate_limited(message),
        500.. => NodeError::unavailable(message),
        _ => NodeError::auth(message),
    }
    .code("token_refused")
    .at("/credential")
}
