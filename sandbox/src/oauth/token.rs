//! Tokens for codes and refresh tokens (`POST /token`), and their end (`POST /revoke`).
//!
//! It must not know who the person is.

use super::grants::{Asked, Issued};
use super::{OAuth, error, identity};
use crate::exchange::{Call, Reply};
use crate::journal::lock;
use aws_lc_rs::{constant_time, digest};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::HashMap;

type Form = HashMap<String, String>;

pub(crate) fn token(oauth: &OAuth, call: &Call, base: &str) -> Reply {
    let form = form(call);
    if !is_client(oauth, call, &form) {
        return error(StatusCode::UNAUTHORIZED, "invalid_client", "The OAuth client was not found.");
    }
    let issued = match form.get("grant_type").map(String::as_str) {
        Some("authorization_code") => for_code(oauth, &form),
        Some("refresh_token") => for_refresh_token(oauth, &form),
        _ => Err(("unsupported_grant_type", "Invalid grant_type")),
    };
    match issued {
        Ok(issued) => tokens(oauth, &issued, base),
        Err((code, text)) => error(StatusCode::BAD_REQUEST, code, text),
    }
}

fn for_code(oauth: &OAuth, form: &Form) -> Result<Issued, (&'static str, &'static str)> {
    const BAD: (&str, &str) = ("invalid_grant", "Bad Request");
    let code = form.get("code").ok_or(("invalid_request", "Missing required parameter: code"))?;
    let (mut state, now) = (lock(&oauth.state), oauth.clock.now_ms());
    let asked = state.grants.code(code, now).ok_or(BAD)?;
    if form.get("redirect_uri") != Some(&asked.redirect_uri) {
        return Err(("redirect_uri_mismatch", "Bad Request"));
    }
    if !proves(&asked, form.get("code_verifier")) {
        return Err(("invalid_grant", "Invalid code verifier."));
    }
    let (always, life) = (state.settings.always_refresh_token, state.settings.access_token_life_s);
    state.grants.exchange(code, always, now, life).ok_or(BAD)
}

/// PKCE (RFC 7636, section 4.6).
fn proves(asked: &Asked, verifier: Option<&String>) -> bool {
    match (&asked.challenge, verifier) {
        (None, None) => true,
        (Some((challenge, is_hashed)), Some(verifier)) => {
            let hash = digest::digest(&digest::SHA256, verifier.as_bytes());
            let shown = if *is_hashed { URL_SAFE_NO_PAD.encode(hash) } else { verifier.clone() };
            same(&shown, challenge)
        }
        _ => false,
    }
}

fn for_refresh_token(oauth: &OAuth, form: &Form) -> Result<Issued, (&'static str, &'static str)> {
    let missing = ("invalid_request", "Missing required parameter: refresh_token");
    let refresh = form.get("refresh_token").ok_or(missing)?;
    let mut state = lock(&oauth.state);
    let (rotate, life) = (state.settings.rotate_refresh_tokens, state.settings.access_token_life_s);
    let issued = state.grants.renew(refresh, rotate, oauth.clock.now_ms(), life);
    issued.ok_or(("invalid_grant", "Token has been expired or revoked."))
}

fn tokens(oauth: &OAuth, issued: &Issued, base: &str) -> Reply {
    let life = lock(&oauth.state).settings.access_token_life_s;
    let mut answer = json!({
        "access_token": issued.access,
        "expires_in": life,
        "scope": issued.scopes.join(" "),
        "token_type": "Bearer",
    });
    if let Some(refresh) = &issued.refresh {
        answer["refresh_token"] = Value::from(refresh.as_str());
    }
    if issued.scopes.iter().any(|scope| scope == "openid") {
        match identity::id_token(oauth, issued, base) {
            Some(token) => answer["id_token"] = token.into(),
            None => {
                return error(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "There is no signing key.");
            }
        }
    }
    // As bytes, so that the journal keeps no tokens.
    let body = Bytes::from(answer.to_string());
    Reply::bytes(StatusCode::OK, "application/json; charset=utf-8", body)
        .with_header("cache-control", "no-store")
}

/// The client's id and secret, in the form or in the header (RFC 6749, section 2.3.1).
fn is_client(oauth: &OAuth, call: &Call, form: &Form) -> bool {
    let text = |name: &str| form.get(name).cloned().unwrap_or_default();
    let (id, secret) = basic(call).unwrap_or_else(|| (text("client_id"), text("client_secret")));
    id == oauth.config.client_id && same(&secret, &oauth.config.client_secret)
}

fn basic(call: &Call) -> Option<(String, String)> {
    let encoded = call.header("authorization")?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decode = |text: &str| {
        let all = format!("x={text}");
        let value = url::form_urlencoded::parse(all.as_bytes()).next().map(|(_, value)| value.into_owned());
        value.unwrap_or_default()
    };
    Some((decode(id), decode(secret)))
}

pub(crate) fn revoke(oauth: &OAuth, call: &Call) -> Reply {
    let form = form(call);
    let token = form.get("token").map(String::as_str).or_else(|| call.query("token")).unwrap_or_default();
    if lock(&oauth.state).grants.revoke(token) {
        Reply::ok(json!({}))
    } else {
        error(StatusCode::BAD_REQUEST, "invalid_token", "Token expired or revoked")
    }
}

fn form(call: &Call) -> Form {
    url::form_urlencoded::parse(&call.body).into_owned().collect()
}

fn same(given: &str, wanted: &str) -> bool {
    constant_time::verify_slices_are_equal(given.as_bytes(), wanted.as_bytes()).is_ok()
}
