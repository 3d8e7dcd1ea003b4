//! Signing in with a password, keeping the session alive, signing out. Must not know how sessions are kept.

use super::views::{AccountStatus, Done, SignedInView, done, opened};
use crate::auth::Account;
use crate::error::{self, ApiError, ErrorBody};
use crate::extract::{Body, OptionalBody};
use crate::session::{ACCESS_COOKIE, Caller, Cookies, REFRESH_COOKIE, cookie};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::json;
use sluice_records::Person;
use sluice_records::people::SignIn;

/// A sign-in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    /// Your address.
    email: String,
    /// Your password.
    password: String,
    /// Whether the answer shall hold tokens: for programs that keep no cookies.
    #[serde(default)]
    tokens: bool,
}

/// The refusal of an account that is not approved (any more).
pub(super) fn not_approved(person: &Person) -> ApiError {
    let status = AccountStatus::from(person.status);
    ApiError::plain(error::NOT_APPROVED).details(json!({ "status": status, "reason": person.status_reason }))
}

/// Sign in with a password. Browsers get cookies; the answer holds tokens when it is asked for them.
#[utoipa::path(post, path = "/api/login", tag = "account", request_body = LoginRequest,
    responses(
        (status = 200, description = "Signed in", body = SignedInView),
        (status = 401, description = "`invalid_credentials`", body = ErrorBody),
        (status = 403, description = "`not_approved`: `details.status` says how the account stands; `cross_site`", body = ErrorBody),
    ))]
pub(crate) async fn login(
    State(state): State<ApiState>,
    caller: Caller,
    Body(request): Body<LoginRequest>,
) -> Result<(HeaderMap, Json<SignedInView>), ApiError> {
    match caller.records(&state).sign_in(&request.email, &request.password, &caller.device).await? {
        SignIn::In(session) => {
            let (headers, view) = opened(&state, session, request.tokens).await?;
            Ok((headers, Json(view)))
        }
        SignIn::Refused => Err(ApiError::plain(error::INVALID_CREDENTIALS)),
        SignIn::NotApproved(person) => Err(not_approved(&person)),
    }
}

/// A refresh.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshRequest {
    /// The refresh token; browsers send it as a cookie. The answer then holds the next one.
    #[serde(default)]
    refresh_token: Option<String>,
}

/// Renew the access token. The refresh token is good once; when it comes a second time, the session ends, because
/// somebody has a copy.
#[utoipa::path(post, path = "/api/refresh", tag = "account", request_body = Option<RefreshRequest>,
    responses(
        (status = 200, description = "Still signed in", body = SignedInView),
        (status = 401, description = "`unauthenticated`: sign in again", body = ErrorBody),
    ))]
pub(crate) async fn refresh(
    State(state): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    OptionalBody(request): OptionalBody<RefreshRequest>,
) -> Result<(HeaderMap, Json<SignedInView>), ApiError> {
    let token = request.refresh_token.as_deref();
    let wants_tokens = token.is_some();
    let token = token.or_else(|| cookie(&headers, REFRESH_COOKIE));
    let session = match token {
        Some(token) => caller.records(&state).refresh_session(token, &caller.device).await?,
        None => None,
    };
    let session = session.ok_or_else(|| {
        ApiError::new(
            error::UNAUTHENTICATED,
            "the session ended or the refresh token was used before; sign in again",
        )
    })?;
    let (headers, view) = opened(&state, session, wants_tokens).await?;
    Ok((headers, Json(view)))
}

/// Sign out: ends the session of the cookie, the access token or the refresh token, and takes the cookies away. Works
/// also when the access token is too old.
#[utoipa::path(post, path = "/api/logout", tag = "account", request_body = Option<RefreshRequest>,
    responses((status = 200, description = "Signed out", body = Done)))]
pub(crate) async fn logout(
    State(state): State<ApiState>,
    caller: Caller,
    headers: HeaderMap,
    OptionalBody(request): OptionalBody<RefreshRequest>,
) -> Result<(HeaderMap, Json<Done>), ApiError> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.split_once(' ')).map(|(_, token)| token.trim());
    let token = bearer.or_else(|| cookie(&headers, ACCESS_COOKIE));
    if let Some(claims) = token.and_then(|token| state.access_tokens.read_expired(token)) {
        match caller.records(&state).end_session(&claims.sub, &claims.ses).await {
            // Whoever acted in another's place is themselves again; their own session goes on.
            Ok(ended) if ended.impersonated_by.is_some() => {
                let mut cookies = Cookies::new(&state.config.public_url);
                cookies.access("", 0);
                return Ok((cookies.into_headers(), Json(done("You are yourself again."))));
            }
            Ok(_) | Err(sluice_records::RecordError::NotFound { .. }) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    let refresh = request.refresh_token.as_deref().or_else(|| cookie(&headers, REFRESH_COOKIE));
    if let Some(token) = refresh {
        caller.records(&state).end_session_of(token).await?;
    }
    Ok((signed_out(&state), Json(done("You are signed out."))))
}

/// Sign out everywhere: ends every session, and makes every token that is out worthless.
#[utoipa::path(post, path = "/api/logout-all", tag = "account",
    responses((status = 200, description = "Signed out everywhere", body = Done)))]
pub(crate) async fn logout_all(
    State(state): State<ApiState>,
    account: Account,
) -> Result<(HeaderMap, Json<Done>), ApiError> {
    account.records(&state).sign_out_everywhere(&account.signed_in.person_id).await?;
    Ok((signed_out(&state), Json(done("You are signed out everywhere."))))
}

fn signed_out(state: &ApiState) -> HeaderMap {
    let mut cookies = Cookies::new(&state.config.public_url);
    cookies.sign_out();
    cookies.into_headers()
}
