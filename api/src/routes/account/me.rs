//! What people see and change of themselves, and which workspace they work in. Must not know how they signed in.

use super::views::{PersonView, SignedInView, access_token, signed_in, tokens};
use crate::auth::{Account, find_workspace};
use crate::error::ApiError;
use crate::extract::Body;
use crate::session::{Cookies, LIFE_SECONDS};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use sluice_records::people::PersonChange;

/// Oneself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct MeView {
    /// Who, and where.
    #[serde(flatten)]
    signed_in: SignedInView,
    /// What you may do in the workspace that is meant when a request names none.
    permissions: Vec<&'static str>,
    /// What you are on the platform: `super_admin` or `platform_admin`.
    #[schema(required)]
    platform_role: Option<&'static str>,
    /// Who acts in your place; null when it is yourself.
    #[schema(required)]
    impersonated_by: Option<ImpersonatorView>,
}

/// Who acts in somebody's place.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ImpersonatorView {
    /// `per_…`.
    id: String,
    /// Their address.
    email: String,
    /// Their name.
    name: String,
}

/// Show who is signed in, their workspaces, and the token for `X-CSRF-Token`.
#[utoipa::path(get, path = "/api/me", tag = "account",
    responses((status = 200, description = "Who is signed in", body = MeView)))]
pub(crate) async fn get(State(state): State<ApiState>, account: Account) -> Result<Json<MeView>, ApiError> {
    let person = state.records.person(&account.signed_in.person_id).await?;
    let impersonated_by = match &account.principal.actor.impersonated_by {
        Some(by) => {
            let by = state.records.person(by).await?;
            Some(ImpersonatorView { id: by.id, email: by.email, name: by.name })
        }
        None => None,
    };
    let platform_role = match impersonated_by {
        Some(_) => None,
        None => state.records.platform_role(&person.id).await?,
    };
    let home = account.principal.home.clone();
    let permissions = match &home {
        Some(id) => {
            let workspace = state.records.workspace(id).await?;
            account.principal.permissions_in(&workspace).unwrap_or_default()
        }
        None => Default::default(),
    };
    let mut signed_in = signed_in(&state, person, &account.signed_in.session_id, home.clone(), None).await?;
    if impersonated_by.is_some() {
        signed_in = signed_in.only_in(home.as_deref().unwrap_or_default());
    }
    Ok(Json(MeView {
        signed_in,
        permissions: permissions.iter().map(|one| one.as_text()).collect(),
        platform_role: platform_role.map(|role| role.as_text()),
        impersonated_by,
    }))
}

/// What you change about yourself; what is missing stays, what is empty is taken away.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeRequest {
    /// Your name.
    #[serde(default)]
    name: Option<String>,
    /// With country code.
    #[serde(default)]
    phone: Option<String>,
    /// Your business.
    #[serde(default)]
    business_name: Option<String>,
    /// What it does.
    #[serde(default)]
    industry: Option<String>,
}

/// Change your name, phone number or business.
#[utoipa::path(put, path = "/api/me", tag = "account", request_body = MeRequest,
    responses((status = 200, description = "You, changed", body = PersonView)))]
pub(crate) async fn update(
    State(state): State<ApiState>,
    account: Account,
    Body(request): Body<MeRequest>,
) -> Result<Json<PersonView>, ApiError> {
    let change = PersonChange {
        name: request.name,
        phone: request.phone,
        business_name: request.business_name,
        industry: request.industry,
    };
    let person = account.records(&state).update_person(&account.signed_in.person_id, &change).await?;
    Ok(Json(person.into()))
}

/// Where to work.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SwitchRequest {
    /// Name or id of one of your workspaces.
    workspace: String,
    /// Whether the answer shall hold the access token.
    #[serde(default)]
    tokens: bool,
}

/// Choose the workspace that is meant when a request names none. Gives a new access token.
#[utoipa::path(post, path = "/api/switch", tag = "account", request_body = SwitchRequest,
    responses((status = 200, description = "You work there now", body = SignedInView)))]
pub(crate) async fn switch(
    State(state): State<ApiState>,
    account: Account,
    Body(request): Body<SwitchRequest>,
) -> Result<(HeaderMap, Json<SignedInView>), ApiError> {
    let missing = || ApiError::not_found("workspace", &request.workspace);
    let workspace = find_workspace(&state, &request.workspace).await?;
    account.principal.permissions_in(&workspace).ok_or_else(missing)?;
    let session = account.signed_in.session_id.as_str();
    account.records(&state).choose_workspace(session, &workspace.id).await?;
    let person = state.records.person(&account.signed_in.person_id).await?;
    let access = access_token(&state, &person, session, Some(&workspace.id))?;
    let mut cookies = Cookies::new(&state.config.public_url);
    cookies.access(&access, LIFE_SECONDS);
    let given = request.tokens.then(|| tokens(access, None));
    let view = signed_in(&state, person, session, Some(workspace.id), given).await?;
    Ok((cookies.into_headers(), Json(view)))
}
