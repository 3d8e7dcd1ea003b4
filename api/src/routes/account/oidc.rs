//! Signing in at another provider: the browser goes there, and comes back with a code. Must not know the protocol between
//! us and the provider.

use super::sign_in::not_approved;
use super::views::opened;
use super::{admission, review_link};
use crate::config::SignUpMode;
use crate::error::{self, ApiError, ErrorBody};
use crate::extract::Query;
use crate::html;
use crate::oidc::Provider;
use crate::session::{Caller, Cookies, OIDC_COOKIE, cookie};
use crate::state::ApiState;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use sluice_records::people::SignIn;
use std::sync::Arc;

/// How long somebody may take at the provider, seconds.
const ATTEMPT_SECONDS: i64 = 10 * 60;
/// Longest address to return to, bytes.
const LONGEST_RETURN: usize = 1_000;

/// Where to go afterwards.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartQuery {
    /// A path of this server; `/` when missing.
    return_to: Option<String>,
}

/// Sends a browser on, with cookies.
type SentOn = (StatusCode, HeaderMap);

fn provider(state: &ApiState) -> Result<Arc<Provider>, ApiError> {
    state.provider.clone().ok_or_else(|| ApiError::plain(error::OIDC_NOT_CONFIGURED))
}

/// Where the provider sends the browser back to.
fn redirect_uri(state: &ApiState) -> String {
    format!("{}/api/oidc/callback", state.config.public_url.trim_end_matches('/'))
}

fn sent_on(address: &str, cookies: Cookies) -> Result<SentOn, ApiError> {
    let mut headers = cookies.into_headers();
    let address = HeaderValue::from_str(address)
        .map_err(|_| ApiError::new(error::INVALID_QUERY, "return_to: not an address"))?;
    headers.insert(header::LOCATION, address);
    Ok((StatusCode::FOUND, headers))
}

/// A path of this server and nothing that a browser takes for another one.
fn is_local(path: &str) -> bool {
    path.len() <= LONGEST_RETURN
        && path.starts_with('/')
        && !path[1..].starts_with(['/', '\\'])
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

/// Go to the other provider to sign in. For browsers.
#[utoipa::path(get, path = "/api/oidc/start", tag = "account", params(StartQuery),
    responses(
        (status = 302, description = "To the provider"),
        (status = 503, description = "`oidc_not_configured`, `provider_unavailable`", body = ErrorBody),
    ))]
pub(crate) async fn start(
    State(state): State<ApiState>,
    caller: Caller,
    Query(query): Query<StartQuery>,
) -> Result<SentOn, ApiError> {
    let provider = provider(&state)?;
    let return_to = query.return_to.unwrap_or_else(|| "/".to_owned());
    if !is_local(&return_to) {
        return Err(ApiError::new(
            error::INVALID_QUERY,
            "return_to: must be a path of this server, such as `/inbox`",
        ));
    }
    let attempt = caller.records(&state).begin_oidc(&return_to, &caller.device).await?;
    let address = provider.address(&attempt, &redirect_uri(&state), state.engine.now_ms()).await?;
    let mut cookies = Cookies::new(&state.config.public_url);
    cookies.oidc(&attempt.browser, ATTEMPT_SECONDS);
    sent_on(&address, cookies)
}

/// What a provider sends a browser back with. Providers add parameters of their own.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CallbackQuery {
    /// Stands for who signed in there.
    code: Option<String>,
    /// Ours, from the beginning.
    state: Option<String>,
    /// Why there is no code.
    error: Option<String>,
    /// Who sends it (RFC 9207).
    iss: Option<String>,
}

/// Come back from the other provider. For browsers; sets the cookies of a session and goes on to where it began. A browser
/// that is refused is sent to the page for signing in with the code of the error; other programs get the error itself.
#[utoipa::path(get, path = "/api/oidc/callback", tag = "account", params(CallbackQuery),
    responses(
        (status = 302, description = "Signed in; to where it began. Or not, for browsers: to `/sign-in?error=` with one of the codes below"),
        (status = 400, description = "`sign_in_refused`", body = ErrorBody),
        (status = 403, description = "`not_approved`, `sign_up_closed`", body = ErrorBody),
        (status = 503, description = "`oidc_not_configured`, `provider_unavailable`", body = ErrorBody),
    ))]
pub(crate) async fn callback(
    State(state): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<CallbackQuery>,
) -> Result<SentOn, ApiError> {
    match signed_in(&state, &caller, &headers, query).await {
        // The cookie stays: anybody can send a browser here, and a sign-in that is under way is to go on.
        Err(refusal) if html::is_wanted(&headers) => {
            let cookies = Cookies::new(&state.config.public_url);
            sent_on(&format!("/sign-in?error={}", refusal.code().code), cookies)
        }
        done => done,
    }
}

async fn signed_in(
    state: &ApiState,
    caller: &Caller,
    headers: &HeaderMap,
    query: CallbackQuery,
) -> Result<SentOn, ApiError> {
    let provider = provider(state)?;
    let refused = |reason: &str| ApiError::new(error::SIGN_IN_REFUSED, reason);
    let browser = cookie(headers, OIDC_COOKIE).unwrap_or_default();
    let attempt =
        caller.records(state).finish_oidc(query.state.as_deref().unwrap_or_default(), browser).await?;
    let attempt = attempt.ok_or_else(|| {
        refused(
            "this sign-in did not begin in this browser, took too long, or was finished before; start again",
        )
    })?;
    if query.error.is_some() {
        return Err(refused("the provider did not sign you in"));
    }
    if query.iss.as_deref().is_some_and(|issuer| !provider.is(issuer)) {
        return Err(refused("another provider answered than was asked"));
    }
    let code = query.code.ok_or_else(|| refused("the provider sent no code"))?;
    let claims = provider.identity(&attempt, &code, &redirect_uri(state), state.engine.now_ms()).await?;
    let is_closed = state.config.accounts.sign_up == SignUpMode::Closed;
    let link = review_link(state);
    let admission = (!is_closed).then(|| admission(state, &link));
    let session = match caller.records(state).sign_in_as(&claims, &caller.device, admission).await? {
        SignIn::In(session) => session,
        SignIn::NotApproved(person) => return Err(not_approved(&person)),
        SignIn::Refused if is_closed => return Err(ApiError::plain(error::SIGN_UP_CLOSED)),
        SignIn::Refused => return Err(refused("the provider does not vouch for an e-mail address of yours")),
    };
    let (mut headers, _) = opened(state, session, false).await?;
    let mut cookies = Cookies::new(&state.config.public_url);
    cookies.oidc("", 0);
    let (status, more) = sent_on(&attempt.return_to, cookies)?;
    for (name, value) in more.iter() {
        headers.append(name.clone(), value.clone());
    }
    Ok((status, headers))
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_paths_of_this_server_are_returned_to() {
        for good in ["/", "/inbox", "/runs?status=failed#top"] {
            assert!(is_local(good), "{good}");
        }
        for bad in
            ["", "inbox", "//evil.test", "/\\evil.test", "https://evil.test", "/a\r\nb", "/a b", "/\t/e"]
        {
            assert!(!is_local(bad), "{bad:?}");
        }
    }
}
