//! The consent page: `GET /o/oauth2/v2/auth`. Nobody sees it; the person consents, or refuses, at once.
//!
//! It must not know tokens. What a client must not be redirected for is answered with a page (RFC 6749, section 4.1.2.1).

use super::grants::Asked;
use super::settings::Consent;
use super::{OAuth, error};
use crate::exchange::{Call, Reply};
use crate::journal::lock;
use axum::http::StatusCode;
use bytes::Bytes;
use url::Url;

pub(crate) fn authorize(oauth: &OAuth, call: &Call) -> Reply {
    let page = |code: &str, text: &str| error(StatusCode::BAD_REQUEST, code, text);
    if call.query("client_id") != Some(oauth.config.client_id.as_str()) {
        let text = "The OAuth client was not found.";
        return error(StatusCode::UNAUTHORIZED, "invalid_client", text);
    }
    let Some(redirect_uri) = call.query("redirect_uri") else {
        return page("invalid_request", "Missing required parameter: redirect_uri");
    };
    let target = match Url::parse(redirect_uri) {
        Ok(url) if is_registered(oauth, redirect_uri, &url) => url,
        _ => return page("redirect_uri_mismatch", "The redirect_uri is not registered for this client."),
    };
    match decide(oauth, call, redirect_uri) {
        Ok((code, scopes)) => back(target, call, &[("code", &code), ("scope", &scopes)]),
        Err((code, text)) => back(target, call, &[("error", code), ("error_description", text)]),
    }
}

fn is_registered(oauth: &OAuth, text: &str, url: &Url) -> bool {
    if !oauth.config.redirect_uris.is_empty() {
        return oauth.config.redirect_uris.iter().any(|known| known == text);
    }
    matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) && url.fragment().is_none()
}

/// A code and the scopes it is for, or an error for the client.
fn decide(
    oauth: &OAuth,
    call: &Call,
    redirect_uri: &str,
) -> Result<(String, String), (&'static str, &'static str)> {
    if call.query("response_type") != Some("code") {
        return Err(("unsupported_response_type", "Only the response type code is supported."));
    }
    let asked: Vec<String> =
        call.query("scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    if asked.is_empty() {
        return Err(("invalid_scope", "Missing required parameter: scope"));
    }
    let challenge = match (call.query("code_challenge"), call.query("code_challenge_method")) {
        (None, _) => None,
        (Some(text), Some("S256")) => Some((text.to_owned(), true)),
        (Some(text), None | Some("plain")) => Some((text.to_owned(), false)),
        (Some(_), Some(_)) => return Err(("invalid_request", "Unknown code_challenge_method.")),
    };
    let mut state = lock(&oauth.state);
    if state.settings.consent == Consent::Deny {
        return Err(("access_denied", "The person refused."));
    }
    let scopes: Vec<String> =
        asked.into_iter().filter(|scope| !state.settings.withheld_scopes.contains(scope)).collect();
    let text = scopes.join(" ");
    let asked = Asked {
        redirect_uri: redirect_uri.to_owned(),
        scopes,
        user: state.settings.user.clone(),
        nonce: call.query("nonce").map(str::to_owned),
        challenge,
        wants_refresh: call.query("access_type") == Some("offline"),
        was_asked_anew: call
            .query("prompt")
            .is_some_and(|prompt| prompt.split(' ').any(|word| word == "consent")),
    };
    let code = state.grants.add_code(asked, oauth.clock.now_ms());
    Ok((code, text))
}

fn back(mut target: Url, call: &Call, parameters: &[(&str, &str)]) -> Reply {
    if let Some(state) = call.query("state") {
        target.query_pairs_mut().append_pair("state", state);
    }
    target.query_pairs_mut().extend_pairs(parameters);
    Reply::bytes(StatusCode::FOUND, "text/html; charset=utf-8", Bytes::new())
        .with_header("location", target.as_str())
}
