//! Acting in somebody else's place for a short time. Must not know how sessions are kept.

use super::views::{SignedInView, TokensView, access_token, signed_in, tokens};
use crate::auth::{Manager, find_workspace};
use crate::client::ClientAddress;
use crate::error::{self, ApiError};
use crate::extract::Body;
use crate::session::{Cookies, LIFE_SECONDS};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use sluice_records::people::{Device, Impersonation};

/// In whose place.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImpersonateRequest {
    /// Name or id of a client workspace.
    workspace: String,
    /// A member, by id or e-mail address; the owner who has been there longest when missing.
    #[serde(default)]
    person: Option<String>,
    /// Why; it stays in the audit trail of the workspace and in yours.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
    /// Whether the answer shall hold the access token.
    #[serde(default)]
    tokens: bool,
}

/// You, in somebody else's place.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ImpersonationView {
    /// In whose place, and where.
    #[serde(flatten)]
    signed_in: SignedInView,
    /// Who acts in their place: you, `per_…`.
    impersonated_by: String,
    /// When it ends by itself. It cannot be renewed.
    expires_at: i64,
}

/// Act as a member of a client's workspace, for fifteen minutes and there alone. Everything that is changed names both.
/// `POST /api/logout` ends it; a browser is then itself again after `POST /api/refresh`.
#[utoipa::path(post, path = "/api/impersonate", tag = "management", request_body = ImpersonateRequest,
    responses((status = 201, description = "You are in their place", body = ImpersonationView)))]
pub(crate) async fn impersonate(
    State(state): State<ApiState>,
    manager: Manager,
    headers: HeaderMap,
    extensions: Extensions,
    Body(request): Body<ImpersonateRequest>,
) -> Result<(StatusCode, HeaderMap, Json<ImpersonationView>), ApiError> {
    let Some(who) = &manager.principal.signed_in else {
        let message = "only a person acts in somebody else's place, and a key is none; sign in";
        return Err(ApiError::new(error::FORBIDDEN, message));
    };
    let found = find_workspace(&state, &request.workspace).await?;
    let workspace = manager.client(&state, &found.id).await?;
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let device = Device { address: ClientAddress::of(&extensions), user_agent: agent.map(str::to_owned) };
    let wish = Impersonation {
        by: &who.person_id,
        scope: &manager.scope,
        workspace: &workspace,
        person: request.person.as_deref(),
        reason: &request.reason,
    };
    let (session, person) = manager.records(&state).impersonate(&wish, &device).await?;
    let access = access_token(&state, &person, &session.id, Some(&workspace.id))?;
    let mut cookies = Cookies::new(&state.config.public_url);
    cookies.access(&access, LIFE_SECONDS);
    let given: Option<TokensView> = request.tokens.then(|| tokens(access, None));
    let view = signed_in(&state, person, &session.id, Some(workspace.id.clone()), given).await?;
    let view = ImpersonationView {
        signed_in: view.only_in(&workspace.id),
        impersonated_by: who.person_id.clone(),
        expires_at: session.expires_at,
    };
    Ok((StatusCode::CREATED, cookies.into_headers(), Json(view)))
}
