//! What is held about oneself, and its end. Must not know how it is stored.

use super::views::{Done, PersonView, done};
use crate::auth::Account;
use crate::error::ApiError;
use crate::extract::OptionalBody;
use crate::session::Cookies;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use sluice_records::Membership;
use sluice_records::people::{KnownIdentity, Session};

/// Everything that is held about you. What you did in workspaces is in their audit trails, which belong to them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MyExportView {
    /// When, milliseconds since the epoch.
    exported_at: i64,
    /// Your account.
    person: PersonView,
    /// What you are where.
    memberships: Vec<MyMembershipView>,
    /// Where you are signed in.
    sessions: Vec<MySessionView>,
    /// Who you are at other providers.
    identities: Vec<MyIdentityView>,
}

/// A role.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MyMembershipView {
    /// `platform`, `reseller` or `workspace`.
    scope: &'static str,
    /// `rs_…`, `ws_…`, or empty for the platform.
    id: String,
    /// Such as `owner`.
    role: &'static str,
}

/// A session.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MySessionView {
    /// `ses_…`.
    id: String,
    /// `password`, `oidc` or `impersonation`.
    method: String,
    /// Network address.
    #[schema(required)]
    address: Option<String>,
    /// Browser or program.
    #[schema(required)]
    user_agent: Option<String>,
    /// When it began.
    created_at: i64,
}

/// An identity at another provider.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MyIdentityView {
    /// The provider.
    issuer: String,
    /// Your id there.
    subject: String,
    /// The address that it told.
    #[schema(required)]
    email: Option<String>,
    /// Since when it is joined.
    created_at: i64,
}

impl From<Membership> for MyMembershipView {
    fn from(one: Membership) -> Self {
        Self { scope: one.scope.kind(), id: one.scope.id().to_owned(), role: one.role.as_text() }
    }
}

impl From<Session> for MySessionView {
    fn from(one: Session) -> Self {
        let Session { id, method, address, user_agent, created_at, .. } = one;
        Self { id, method, address, user_agent, created_at }
    }
}

impl From<KnownIdentity> for MyIdentityView {
    fn from(one: KnownIdentity) -> Self {
        Self { issuer: one.issuer, subject: one.subject, email: one.email, created_at: one.created_at }
    }
}

/// Export what is held about you.
#[utoipa::path(get, path = "/api/me/export", tag = "account",
    responses((status = 200, description = "All of it", body = MyExportView)))]
pub(crate) async fn export(
    State(state): State<ApiState>,
    account: Account,
) -> Result<Json<MyExportView>, ApiError> {
    let held = state.records.held_of_person(&account.signed_in.person_id).await?;
    Ok(Json(MyExportView {
        exported_at: state.engine.now_ms(),
        person: held.person.into(),
        memberships: held.memberships.into_iter().map(Into::into).collect(),
        sessions: held.sessions.into_iter().map(Into::into).collect(),
        identities: held.identities.into_iter().map(Into::into).collect(),
    }))
}

/// Proof that it is you.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeaveRequest {
    /// Your password, if you have one.
    #[serde(default)]
    current_password: Option<String>,
}

/// Delete your account with your sessions, roles and invitations. Cannot be undone. A workspace of which you are the only
/// owner has to get another one, or be deleted, before.
#[utoipa::path(delete, path = "/api/me", tag = "account", request_body = Option<LeaveRequest>,
    responses(
        (status = 200, description = "It is gone", body = Done),
        (status = 409, description = "`conflict`: a workspace would have no owner", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn leave(
    State(state): State<ApiState>,
    account: Account,
    OptionalBody(request): OptionalBody<LeaveRequest>,
) -> Result<(HeaderMap, Json<Done>), ApiError> {
    let password = request.current_password.as_deref();
    account.records(&state).erase_person(&account.signed_in.person_id, password).await?;
    let mut cookies = Cookies::new(&state.config.public_url);
    cookies.sign_out();
    Ok((cookies.into_headers(), Json(done("Your account is gone."))))
}
