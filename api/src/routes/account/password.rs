//! Forgotten and changed passwords. Must not know how passwords are kept.

use super::needs_mail;
use super::sign_up::{CodeRequest, EmailRequest};
use super::views::{Done, TokensView, access_token, done, tokens};
use crate::auth::Account;
use crate::error::{ApiError, ErrorBody};
use crate::extract::Body;
use crate::session::{Caller, Cookies, LIFE_SECONDS};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Deserialize;
use sluice_records::people::CodePurpose;

/// Ask for a code to set a new password. The answer is the same for every address.
#[utoipa::path(post, path = "/api/password/forgot", tag = "account", request_body = EmailRequest,
    responses(
        (status = 200, description = "Look into your mail", body = Done),
        (status = 503, description = "`mail_not_configured`", body = ErrorBody),
    ))]
pub(crate) async fn forgot(
    State(state): State<ApiState>,
    caller: Caller,
    Body(request): Body<EmailRequest>,
) -> Result<Json<Done>, ApiError> {
    needs_mail(&state)?;
    caller.records(&state).request_code(CodePurpose::ResetPassword, &request.email, caller.address()).await?;
    Ok(Json(done("If this address has an account, we sent a code. It is good for 15 minutes.")))
}

/// Ask whether a code is right, before a new password is chosen. Counts as a try.
#[utoipa::path(post, path = "/api/password/forgot/validate", tag = "account", request_body = CodeRequest,
    responses(
        (status = 200, description = "The code is right", body = Done),
        (status = 400, description = "`code_refused`, `invalid_json`", body = ErrorBody),
    ))]
pub(crate) async fn validate(
    State(state): State<ApiState>,
    caller: Caller,
    Body(request): Body<CodeRequest>,
) -> Result<Json<Done>, ApiError> {
    let purpose = CodePurpose::ResetPassword;
    caller.records(&state).check_code(purpose, &request.email, &request.code, caller.address()).await?;
    Ok(Json(done("The code is right. Choose a new password.")))
}

/// A new password with a code.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetRequest {
    /// The address.
    email: String,
    /// From the letter, or from the operator.
    code: String,
    /// 8 characters to 200 bytes.
    #[serde(alias = "password", alias = "newPassword")]
    new_password: String,
}

/// Set a new password with a code. Ends every session.
#[utoipa::path(post, path = "/api/password/reset", tag = "account", request_body = ResetRequest,
    responses(
        (status = 200, description = "The password is set", body = Done),
        (status = 400, description = "`code_refused`, `invalid_json`", body = ErrorBody),
    ))]
pub(crate) async fn reset(
    State(state): State<ApiState>,
    caller: Caller,
    Body(request): Body<ResetRequest>,
) -> Result<Json<Done>, ApiError> {
    let address = caller.address();
    caller
        .records(&state)
        .reset_password(&request.email, &request.code, &request.new_password, address)
        .await?;
    Ok(Json(done("Your password is set, and you were signed out everywhere. Sign in with it.")))
}

/// A new password with the old one.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeRequest {
    /// The password so far.
    current_password: String,
    /// 8 characters to 200 bytes.
    new_password: String,
}

/// Change the password. Ends every other session; this one goes on with a new access token.
#[utoipa::path(post, path = "/api/password/change", tag = "account", request_body = ChangeRequest,
    responses(
        (status = 200, description = "The password is changed; the new access token", body = TokensView),
        (status = 422, description = "`invalid_value` at `/current_password` or `/new_password`; `invalid_body`", body = ErrorBody),
    ))]
pub(crate) async fn change(
    State(state): State<ApiState>,
    account: Account,
    Body(request): Body<ChangeRequest>,
) -> Result<(HeaderMap, Json<TokensView>), ApiError> {
    let session = account.signed_in.session_id.as_str();
    let person = account
        .records(&state)
        .change_password(
            &account.signed_in.person_id,
            session,
            &request.current_password,
            &request.new_password,
        )
        .await?;
    let access = access_token(&state, &person, session, account.principal.home.as_deref())?;
    let mut cookies = Cookies::new(&state.config.public_url);
    cookies.access(&access, LIFE_SECONDS);
    Ok((cookies.into_headers(), Json(tokens(access, None))))
}
