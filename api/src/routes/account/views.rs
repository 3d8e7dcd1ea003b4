//! What answers say about people and their sessions. Must not know where it comes from.

use crate::error::ApiError;
use crate::session::{Cookies, LIFE_SECONDS, csrf_token};
use crate::state::ApiState;
use axum::http::HeaderMap;
use serde::Serialize;
use sluice_records::people::NewSession;
use sluice_records::{Person, PersonStatus, Role, Workspace};

/// How an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AccountStatus {
    /// The e-mail address is not proven yet.
    PendingVerification,
    /// Somebody has to approve it.
    UnderReview,
    /// May sign in.
    Approved,
    /// Was not approved.
    Rejected,
    /// May not sign in at present.
    Suspended,
}

impl From<PersonStatus> for AccountStatus {
    fn from(status: PersonStatus) -> Self {
        match status {
            PersonStatus::PendingVerification => Self::PendingVerification,
            PersonStatus::UnderReview => Self::UnderReview,
            PersonStatus::Approved => Self::Approved,
            PersonStatus::Rejected => Self::Rejected,
            PersonStatus::Suspended => Self::Suspended,
        }
    }
}

/// A person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PersonView {
    /// `per_…`.
    id: String,
    /// Their address.
    email: String,
    /// Their name.
    name: String,
    /// Their phone number.
    #[schema(required)]
    phone: Option<String>,
    /// Their business.
    #[schema(required)]
    business_name: Option<String>,
    /// What it does.
    #[schema(required)]
    industry: Option<String>,
    /// How the account stands.
    status: AccountStatus,
    /// Why it was rejected or suspended.
    #[schema(required)]
    status_reason: Option<String>,
    /// When they signed up.
    created_at: i64,
    /// When the address was proven.
    #[schema(required)]
    verified_at: Option<i64>,
    /// When they last signed in.
    #[schema(required)]
    last_login_at: Option<i64>,
}

impl From<Person> for PersonView {
    fn from(one: Person) -> Self {
        Self {
            id: one.id,
            email: one.email,
            name: one.name,
            phone: one.phone,
            business_name: one.business_name,
            industry: one.industry,
            status: one.status.into(),
            status_reason: one.status_reason,
            created_at: one.created_at,
            verified_at: one.verified_at,
            last_login_at: one.last_login_at,
        }
    }
}

/// A workspace in which somebody has a role.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MembershipView {
    /// `ws_…`.
    id: String,
    /// Its name in addresses.
    name: String,
    /// Its name for people.
    display_name: String,
    /// `owner`, `admin`, `agent` or `viewer`.
    role: &'static str,
}

impl From<(Workspace, Role)> for MembershipView {
    fn from((one, role): (Workspace, Role)) -> Self {
        Self { id: one.id, name: one.name, display_name: one.display_name, role: role.as_text() }
    }
}

/// Tokens for programs that keep no cookies.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TokensView {
    /// For the header `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// How long the access token is good, seconds.
    expires_in: i64,
    /// For `POST /api/refresh`; good once.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// Somebody who is signed in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SignedInView {
    /// Always true.
    success: bool,
    /// Who it is.
    user: PersonView,
    /// Where they have a role, by name.
    workspaces: Vec<MembershipView>,
    /// The workspace that is meant when a request names none, `ws_…`.
    #[schema(required)]
    workspace: Option<String>,
    /// For the header `X-CSRF-Token` of every change by cookie.
    csrf_token: String,
    /// Only when the request asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<TokensView>,
}

impl SignedInView {
    /// The same without workspaces but one.
    pub(super) fn only_in(mut self, workspace_id: &str) -> Self {
        self.workspaces.retain(|one| one.id == workspace_id);
        self
    }
}

/// A fresh access token.
///
/// # Errors
/// `internal` when it cannot be signed.
pub(super) fn access_token(
    state: &ApiState,
    person: &Person,
    session_id: &str,
    workspace_id: Option<&str>,
) -> Result<String, ApiError> {
    let now = state.engine.now_ms();
    let token = state.access_tokens.issue(&person.id, session_id, person.token_version, workspace_id, now);
    token.ok_or_else(|| ApiError::internal(&std::io::Error::other("an access token cannot be signed")))
}

/// What somebody learns about their own session.
pub(super) async fn signed_in(
    state: &ApiState,
    person: Person,
    session_id: &str,
    workspace: Option<String>,
    tokens: Option<TokensView>,
) -> Result<SignedInView, ApiError> {
    let workspaces = state.records.workspaces_of(&person.id).await?;
    Ok(SignedInView {
        success: true,
        user: person.into(),
        workspaces: workspaces.into_iter().map(Into::into).collect(),
        workspace,
        csrf_token: csrf_token(state, session_id),
        tokens,
    })
}

/// A session that was just opened or renewed: cookies for browsers, tokens for those who ask.
pub(super) async fn opened(
    state: &ApiState,
    opened: NewSession,
    wants_tokens: bool,
) -> Result<(HeaderMap, SignedInView), ApiError> {
    let NewSession { session, person, refresh_token } = opened;
    let access = access_token(state, &person, &session.id, session.workspace_id.as_deref())?;
    let mut cookies = Cookies::new(&state.config.public_url);
    let left = (session.expires_at - state.engine.now_ms()).max(0) / 1_000;
    cookies.sign_in((&access, LIFE_SECONDS), (&refresh_token, left));
    let tokens = wants_tokens.then(|| tokens(access, Some(refresh_token)));
    let view = signed_in(state, person, &session.id, session.workspace_id, tokens).await?;
    Ok((cookies.into_headers(), view))
}

/// Tokens in an answer.
pub(super) fn tokens(access_token: String, refresh_token: Option<String>) -> TokensView {
    TokensView { access_token, token_type: "Bearer", expires_in: LIFE_SECONDS, refresh_token }
}

/// That something was done.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Done {
    /// Always true.
    success: bool,
    /// One sentence for people.
    message: &'static str,
}

/// Says that something was done.
pub(super) fn done(message: &'static str) -> Done {
    Done { success: true, message }
}
