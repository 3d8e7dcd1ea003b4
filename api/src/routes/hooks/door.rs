//! Who may call a webhook: the method and the credential that its trigger asks for.

use super::receive::Settings;
use crate::error::{self, ApiError};
use crate::state::ApiState;
use aws_lc_rs::{constant_time, digest};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sluice_records::OpenCredential;

/// Lets a request pass, or says why not.
pub(super) async fn check(
    state: &ApiState,
    workspace_id: &str,
    settings: &Settings,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    if let Some(wanted) = &settings.method
        && !method.as_str().eq_ignore_ascii_case(wanted)
    {
        let fault = ApiError::new(error::METHOD_NOT_ALLOWED, format!("this webhook takes {wanted} only"));
        return Err(match HeaderValue::from_str(wanted) {
            Ok(value) => fault.header(header::ALLOW, value),
            Err(_) => fault,
        });
    }
    let Some(name) = &settings.credential else { return Ok(()) };
    // A credential that is gone or of another kind locks the door; it must not open it.
    let credential = state.records.open_credential(workspace_id, name).await.map_err(|failure| {
        tracing::warn!(
            credential = name,
            error = &failure as &dyn std::error::Error,
            "a webhook's credential is missing"
        );
        refused(HeaderValue::from_static("Bearer"))
    })?;
    if presents(&credential, headers) { Ok(()) } else { Err(refused(challenge(&credential))) }
}

fn refused(challenge: HeaderValue) -> ApiError {
    ApiError::plain(error::HOOK_UNAUTHORIZED).header(header::WWW_AUTHENTICATE, challenge)
}

fn challenge(credential: &OpenCredential) -> HeaderValue {
    match credential.info.kind.as_str() {
        "http_basic" => HeaderValue::from_static("Basic realm=\"webhook\", charset=\"UTF-8\""),
        _ => HeaderValue::from_static("Bearer realm=\"webhook\""),
    }
}

/// Fields may be public or secret: a header's name usually is public.
fn field(credential: &OpenCredential, name: &str) -> Option<String> {
    let text = credential.secret.text(name).or_else(|| credential.info.public.get(name)?.as_str())?;
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

fn presents(credential: &OpenCredential, headers: &HeaderMap) -> bool {
    let expected = match credential.info.kind.as_str() {
        "http_bearer" => {
            field(credential, "token").map(|token| ("authorization".to_owned(), format!("Bearer {token}")))
        }
        "http_basic" => {
            field(credential, "username").zip(field(credential, "password")).map(|(user, password)| {
                (
                    "authorization".to_owned(),
                    format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
                )
            })
        }
        "http_header" => field(credential, "name").zip(field(credential, "value")),
        _ => None,
    };
    let Some((name, value)) = expected else { return false };
    headers.get(&name).is_some_and(|given| same(given.as_bytes(), value.as_bytes()))
}

/// In constant time; over hashes, so that not even the length shows.
fn same(given: &[u8], wanted: &[u8]) -> bool {
    let hash = |bytes: &[u8]| digest::digest(&digest::SHA256, bytes);
    constant_time::verify_slices_are_equal(hash(given).as_ref(), hash(wanted).as_ref()).is_ok()
}
