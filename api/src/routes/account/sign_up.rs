//! Signing up. Answers tell nobody whether an address has an account. Must not know how codes are kept.

use super::views::{AccountStatus, Done, done};
use super::{admission, needs_mail, review_link};
use crate::config::SignUpMode;
use crate::error::{self, ApiError, ErrorBody};
use crate::extract::{Body, Query};
use crate::links::{PersonTicket, Use, read_ticket, sign_ticket};
use crate::session::{Caller, Cookies, SIGN_UP_COOKIE, cookie};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use sluice_records::people::{CodePurpose, SignUp, normalise_email};

/// How long the proof of a sign-up shows its status, seconds.
const STATUS_LIFE_SECONDS: i64 = 30 * 24 * 60 * 60;

/// How people may come in here.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SignInOptions {
    /// `open`, `review` (somebody approves) or `closed`.
    sign_up: &'static str,
    /// Whether codes can be sent; without, there is no sign-up and no password reset.
    mail: bool,
    /// Another provider to sign in at.
    #[schema(required)]
    oidc: Option<OidcOption>,
}

/// Another provider.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct OidcOption {
    /// What people call it.
    name: String,
    /// Where a browser begins.
    start: &'static str,
}

/// Tell how people may sign in and up.
#[utoipa::path(get, path = "/api/sign-in-options", tag = "account",
    responses((status = 200, description = "The ways in", body = SignInOptions)))]
pub(crate) async fn options(State(state): State<ApiState>) -> Json<SignInOptions> {
    let accounts = &state.config.accounts;
    let sign_up = match accounts.sign_up {
        SignUpMode::Open => "open",
        SignUpMode::Review => "review",
        SignUpMode::Closed => "closed",
    };
    let oidc = state.provider.as_ref();
    let oidc = oidc.map(|one| OidcOption { name: one.name().to_owned(), start: "/api/oidc/start" });
    Json(SignInOptions { sign_up, mail: accounts.sends_mail, oidc })
}

/// A sign-up.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignUpRequest {
    /// Your name.
    name: String,
    /// Your address; a code is sent there.
    email: String,
    /// With country code.
    #[serde(default)]
    phone: Option<String>,
    /// Your workspace is called after it.
    #[serde(default)]
    business_name: Option<String>,
    /// What the business does.
    #[serde(default)]
    industry: Option<String>,
    /// 8 characters to 200 bytes.
    password: String,
}

/// Sign up. A code is sent to the address; when it has an account, its owner is told that instead, and the answer is the
/// same.
#[utoipa::path(post, path = "/api/signup", tag = "account", request_body = SignUpRequest,
    responses(
        (status = 201, description = "Look into your mail", body = Done),
        (status = 403, description = "`sign_up_closed`, `cross_site`", body = ErrorBody),
        (status = 503, description = "`mail_not_configured`", body = ErrorBody),
    ))]
pub(crate) async fn signup(
    State(state): State<ApiState>,
    caller: Caller,
    Body(request): Body<SignUpRequest>,
) -> Result<(StatusCode, Json<Done>), ApiError> {
    if state.config.accounts.sign_up == SignUpMode::Closed {
        return Err(ApiError::plain(error::SIGN_UP_CLOSED));
    }
    needs_mail(&state)?;
    let wish = SignUp {
        name: request.name,
        email: request.email,
        phone: request.phone.unwrap_or_default(),
        business_name: request.business_name.unwrap_or_default(),
        industry: request.industry.unwrap_or_default(),
        password: request.password,
    };
    caller.records(&state).sign_up(&wish, caller.address()).await?;
    Ok((StatusCode::CREATED, Json(done("We sent a code to this address. It is good for 15 minutes."))))
}

/// A code for an address.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeRequest {
    /// The address.
    pub(super) email: String,
    /// From the letter.
    pub(super) code: String,
}

/// How a sign-up stands after its address was proven.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct VerifiedView {
    /// Always true.
    success: bool,
    /// `approved` or `under_review`.
    status: AccountStatus,
    /// One sentence for people.
    message: &'static str,
    /// Shows to `GET /api/status?token=` that you proved the address; browsers get it as a cookie, too.
    #[schema(required)]
    status_token: Option<String>,
}

/// Prove an address with the code that was sent there.
#[utoipa::path(post, path = "/api/verify-email", tag = "account", request_body = CodeRequest,
    responses(
        (status = 200, description = "The address is proven", body = VerifiedView),
        (status = 400, description = "`code_refused`, `invalid_json`", body = ErrorBody),
    ))]
pub(crate) async fn verify_email(
    State(state): State<ApiState>,
    caller: Caller,
    Body(request): Body<CodeRequest>,
) -> Result<(HeaderMap, Json<VerifiedView>), ApiError> {
    let link = review_link(&state);
    let admission = admission(&state, &link);
    let address = caller.address();
    let person =
        caller.records(&state).verify_email(&request.email, &request.code, address, admission).await?;
    let expires_at = state.engine.now_ms() + STATUS_LIFE_SECONDS * 1_000;
    let ticket = PersonTicket { person_id: person.id, expires_at };
    let status_token = sign_ticket(&state.config, Use::SignUpStatus, &ticket);
    let mut cookies = Cookies::new(&state.config.public_url);
    if let Some(token) = &status_token {
        cookies.sign_up(token, STATUS_LIFE_SECONDS);
    }
    let status = person.status.into();
    let message = match status {
        AccountStatus::Approved => "Your address is proven. You can sign in now.",
        _ => "Your address is proven. We write to you when your sign-up was looked at.",
    };
    Ok((cookies.into_headers(), Json(VerifiedView { success: true, status, message, status_token })))
}

/// Whose code.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmailRequest {
    /// The address.
    pub(super) email: String,
}

/// Send the code of a sign-up again: a new one, and the old one is worthless. The answer is the same for every address.
#[utoipa::path(post, path = "/api/resend-code", tag = "account", request_body = EmailRequest,
    responses(
        (status = 200, description = "Look into your mail", body = Done),
        (status = 503, description = "`mail_not_configured`", body = ErrorBody),
    ))]
pub(crate) async fn resend_code(
    State(state): State<ApiState>,
    caller: Caller,
    Body(request): Body<EmailRequest>,
) -> Result<Json<Done>, ApiError> {
    needs_mail(&state)?;
    caller.records(&state).request_code(CodePurpose::VerifyEmail, &request.email, caller.address()).await?;
    Ok(Json(done("If a sign-up waits for a code, we sent a new one.")))
}

/// Whose sign-up.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusQuery {
    /// The address; not needed with a token.
    email: Option<String>,
    /// `status_token` of the answer that proved the address.
    token: Option<String>,
}

/// How a sign-up stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct StatusView {
    /// Always true.
    success: bool,
    /// How it stands.
    status: AccountStatus,
    /// Why it was rejected or suspended.
    #[schema(required)]
    reason: Option<String>,
}

/// Tell how a sign-up stands, to the browser or holder of the token that proved its address. To everybody else every
/// address is one that is not proven.
#[utoipa::path(get, path = "/api/status", tag = "account", params(StatusQuery),
    responses((status = 200, description = "How it stands", body = StatusView)))]
pub(crate) async fn status(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Query(query): Query<StatusQuery>,
) -> Result<Json<StatusView>, ApiError> {
    let unproven = StatusView { success: true, status: AccountStatus::PendingVerification, reason: None };
    let token = query.token.as_deref().or_else(|| cookie(&headers, SIGN_UP_COOKIE));
    let now = state.engine.now_ms();
    let ticket = token
        .and_then(|token| read_ticket::<PersonTicket>(&state.config, Use::SignUpStatus, token, now).ok());
    let Some(ticket) = ticket else { return Ok(Json(unproven)) };
    let Ok(person) = state.records.person(&ticket.person_id).await else { return Ok(Json(unproven)) };
    let asked = query.email.map(|email| normalise_email(&email)).transpose()?;
    if asked.is_some_and(|email| email != person.email) {
        return Ok(Json(unproven));
    }
    Ok(Json(StatusView { success: true, status: person.status.into(), reason: person.status_reason }))
}
