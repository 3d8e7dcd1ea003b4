//! An authorization server as Google runs it: OAuth 2.0 with PKCE (RFC 6749, 7636, 7009) and OpenID Connect. People consent at
//! once, unless the sandbox is told otherwise at `/_sandbox/oauth`.
//!
//! It must not know other providers or any Sluice crate. The paths are Google's, so that only hosts differ:
//! `/o/oauth2/v2/auth`, `/token`, `/revoke`, `/v1/userinfo`, `/oauth2/v3/certs`, `/.well-known/openid-configuration`.

mod authorize;
mod grants;
mod identity;
mod settings;
mod token;

pub(crate) use settings::Patch;
pub use settings::{OAuthConfig, OAuthUser};

use crate::clock::ShiftedClock;
use crate::exchange::{Call, Reply};
use crate::faults::Probe;
use crate::journal::lock;
use axum::http::{Method, StatusCode};
use grants::Grants;
use identity::Signer;
use serde_json::{Value, json};
use settings::Settings;
use std::sync::{Arc, Mutex, OnceLock};

const AUTHORIZE: &str = "/o/oauth2/v2/auth";
const TOKEN: &str = "/token";
const REVOKE: &str = "/revoke";
const USERINFO: &str = "/v1/userinfo";
const CERTS: &str = "/oauth2/v3/certs";
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// The whole stand-in.
pub(crate) struct OAuth {
    config: OAuthConfig,
    clock: Arc<ShiftedClock>,
    state: Mutex<State>,
    /// Made when it is first needed, because making it takes a while.
    signer: OnceLock<Option<Signer>>,
}

/// What changes.
struct State {
    settings: Settings,
    grants: Grants,
}

impl OAuth {
    pub(crate) fn new(config: OAuthConfig, clock: Arc<ShiftedClock>) -> Self {
        let state = Mutex::new(State { settings: Settings::of(&config), grants: Grants::default() });
        Self { config, clock, state, signer: OnceLock::new() }
    }

    /// Forgets everything but the configuration and the signing key.
    pub(crate) fn reset(&self) {
        *lock(&self.state) = State { settings: Settings::of(&self.config), grants: Grants::default() };
    }

    /// Settings and grants, without tokens.
    pub(crate) fn show(&self) -> Value {
        let state = lock(&self.state);
        json!({
            "client_id": self.config.client_id,
            "settings": state.settings,
            "grants": state.grants.show(self.clock.now_ms()),
        })
    }

    pub(crate) fn patch(&self, patch: Patch) {
        lock(&self.state).settings.apply(patch);
    }

    /// The person takes the access back at the provider. Answers how many grants ended.
    pub(crate) fn withdraw(&self, email: Option<&str>) -> usize {
        lock(&self.state).grants.withdraw(email)
    }

    fn signer(&self) -> Option<&Signer> {
        self.signer.get_or_init(Signer::generate).as_ref()
    }
}

/// Whether a path is the authorization server's.
pub(crate) fn owns(path: &str) -> bool {
    [AUTHORIZE, TOKEN, REVOKE, USERINFO, CERTS, DISCOVERY].contains(&path)
}

/// What fault rules look at.
pub(crate) fn probe(call: &Call) -> Probe {
    Probe {
        method: call.method.to_string(),
        path: call.path.clone(),
        bare_path: call.path.trim_start_matches('/').to_owned(),
        object: String::new(),
        to: None,
        sends: false,
    }
}

/// Answers a call; never fails, every refusal is an OAuth error.
pub(crate) fn handle(oauth: &OAuth, call: &Call, base_url: Option<&str>) -> Reply {
    let host = call.header("host").unwrap_or("127.0.0.1");
    let base = base_url.map_or_else(|| format!("http://{host}"), str::to_owned);
    match (call.method.clone(), call.path.as_str()) {
        (Method::GET, AUTHORIZE) => authorize::authorize(oauth, call),
        (Method::POST, TOKEN) => token::token(oauth, call, &base),
        (Method::POST, REVOKE) => token::revoke(oauth, call),
        (Method::GET | Method::POST, USERINFO) => identity::userinfo(oauth, call),
        (Method::GET, CERTS) => identity::certs(oauth),
        (Method::GET, DISCOVERY) => Reply::ok(identity::discovery(&base)),
        _ => error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "The method is not allowed here."),
    }
}

/// An error as RFC 6749, section 5.2, writes it.
fn error(status: StatusCode, code: &str, description: &str) -> Reply {
    Reply::json(status, json!({ "error": code, "error_description": description }))
        .with_header("cache-control", "no-store")
}
