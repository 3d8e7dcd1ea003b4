//! Against requests that pages of other sites make browsers send: the browser says where a request comes from, and a
//! change by cookie carries a token that only our own pages can read. Must not know what is asked.

use crate::error::{self, ApiError};
use crate::state::ApiState;
use aws_lc_rs::hmac;
use axum::http::{HeaderMap, HeaderName, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

/// Carries the token.
const CSRF_HEADER: &str = "x-csrf-token";
/// Says where a request comes from, <https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

fn key(state: &ApiState) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &state.csrf_key)
}

/// The token of a session: what a page shows to prove that it can read our answers.
pub(crate) fn csrf_token(state: &ApiState, session_id: &str) -> String {
    URL_SAFE_NO_PAD.encode(hmac::sign(&key(state), session_id.as_bytes()).as_ref())
}

/// Checks the token of a request, in constant time.
pub(super) fn check_token(state: &ApiState, headers: &HeaderMap, session_id: &str) -> Result<(), ApiError> {
    let shown = headers.get(CSRF_HEADER).and_then(|value| URL_SAFE_NO_PAD.decode(value.as_bytes()).ok());
    let is_right = shown.is_some_and(|tag| hmac::verify(&key(state), session_id.as_bytes(), &tag).is_ok());
    if is_right { Ok(()) } else { Err(ApiError::plain(error::CSRF_REFUSED)) }
}

/// Refuses what a browser says comes from another site. Programs that are no browsers say nothing; they have no cookies
/// that somebody else could use.
pub(crate) fn check_same_site(state: &ApiState, headers: &HeaderMap) -> Result<(), ApiError> {
    let refused = || Err(ApiError::plain(error::CROSS_SITE));
    let site = headers.get(FETCH_SITE).and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return refused();
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let Ok(origin) = origin.to_str() else { return refused() };
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    if is_ours(origin, &state.config.public_url, host) { Ok(()) } else { refused() }
}

/// An origin is ours when it is that of the public address, or names the very host that the browser talks to.
fn is_ours(origin: &str, public_url: &str, host: Option<&str>) -> bool {
    let Ok(origin) = Url::parse(origin) else { return false };
    let public = Url::parse(public_url).ok();
    if public.is_some_and(|public| public.origin().is_tuple() && public.origin() == origin.origin()) {
        return true;
    }
    let Some(name) = origin.host_str() else { return false };
    let named = match origin.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    host.is_some_and(|host| host.eq_ignore_ascii_case(&named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        let public = "https://flows.example.com";
        for (origin, host, wanted) in [
            ("https://flows.example.com", None, true),
            ("https://flows.example.com:443", None, true),
            ("http://localhost:8080", Some("localhost:8080"), true),
            ("http://flows.example.com", None, false),
            ("https://evil.example.com", Some("flows.example.com"), false),
            ("https://flows.example.com.evil.test", Some("flows.example.com"), false),
            ("http://localhost:9", Some("localhost:8080"), false),
            ("null", Some("null"), false),
            ("", None, false),
        ] {
            assert_eq!(is_ours(origin, public, host), wanted, "{origin} {host:?}");
        }
    }
}
