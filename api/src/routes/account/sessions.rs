//! Where somebody is signed in. Must not know how sessions are kept.

use super::views::{Done, done};
use crate::answer::Listed;
use crate::auth::Account;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sluice_records::people::Session;

/// A session.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SessionView {
    /// `ses_…`.
    id: String,
    /// Whether it is the one that asks.
    current: bool,
    /// `password`, `oidc`, or `impersonation` for somebody who acts in your place.
    method: String,
    /// Network address at the last refresh.
    #[schema(required)]
    address: Option<String>,
    /// Browser or program.
    #[schema(required)]
    user_agent: Option<String>,
    /// When you signed in.
    created_at: i64,
    /// When its tokens were last renewed.
    last_used_at: i64,
    /// When it ends by itself.
    expires_at: i64,
}

impl SessionView {
    fn of(one: Session, current: &str) -> Self {
        Self {
            current: one.id == current,
            id: one.id,
            method: one.method,
            address: one.address,
            user_agent: one.user_agent,
            created_at: one.created_at,
            last_used_at: one.last_used_at,
            expires_at: one.expires_at,
        }
    }
}

/// List where you are signed in, newest first.
#[utoipa::path(get, path = "/api/sessions", tag = "account",
    responses((status = 200, description = "Your sessions", body = Listed<SessionView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    account: Account,
) -> Result<Json<Listed<SessionView>>, ApiError> {
    let sessions = state.records.list_sessions(&account.signed_in.person_id).await?;
    let current = account.signed_in.session_id.as_str();
    Ok(Json(Listed::all(sessions.into_iter().map(|one| SessionView::of(one, current)).collect())))
}

/// End one of your sessions.
#[utoipa::path(delete, path = "/api/sessions/{id}", tag = "account",
    params(("id" = String, Path, description = "`ses_…`")),
    responses((status = 200, description = "It ended", body = Done)))]
pub(crate) async fn end(
    State(state): State<ApiState>,
    account: Account,
    Path(id): Path<String>,
) -> Result<Json<Done>, ApiError> {
    account.records(&state).end_session(&account.signed_in.person_id, &id).await?;
    Ok(Json(done("The session ended.")))
}
