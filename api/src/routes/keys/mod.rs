//! API keys of a workspace.

use crate::answer::Listed;
use crate::auth::Tenant;
use crate::error::{self, ApiError};
use crate::extract::{Body, OptionalBody, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sluice_records::{ApiKey, KeyRequest, NewApiKey, Permission, Permissions, Scope};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long an old key works beside its successor when nothing is said: a day.
const OVERLAP_MS: i64 = 24 * 60 * 60 * 1_000;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, revoke)).routes(routes!(rotate))
}

/// A key, without the key.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct KeyView {
    /// `key_…`.
    id: String,
    /// For people.
    name: String,
    /// How the key begins.
    prefix: String,
    /// What it may do.
    permissions: Vec<&'static str>,
    /// From where it may be used; empty for everywhere.
    addresses: Vec<String>,
    /// Who made it.
    created_by: String,
    /// When it was made.
    created_at: i64,
    /// Until when it is good; null for ever.
    #[schema(required)]
    expires_at: Option<i64>,
    /// The key that it replaces.
    #[schema(required)]
    rotated_from: Option<String>,
    /// When it was used last, within a minute.
    #[schema(required)]
    last_used_at: Option<i64>,
    /// When it was ended.
    #[schema(required)]
    revoked_at: Option<i64>,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            permissions: key.permissions().iter().map(Permission::as_text).collect(),
            addresses: key.addresses.iter().map(ToString::to_string).collect(),
            id: key.id,
            name: key.name,
            prefix: key.prefix,
            created_by: key.created_by,
            created_at: key.created_at,
            expires_at: key.expires_at,
            rotated_from: key.rotated_from,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// A key that was just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct NewKeyView {
    #[serde(flatten)]
    info: KeyView,
    /// What the caller presents; shown this once.
    key: String,
}

impl From<NewApiKey> for NewKeyView {
    fn from(new: NewApiKey) -> Self {
        Self { info: new.info.into(), key: new.key }
    }
}

/// A key to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKeyRequest {
    /// For people.
    #[schema(max_length = 100)]
    name: String,
    /// What it may do, such as `run:read`; all that you may do when left out.
    permissions: Option<Vec<String>>,
    /// Addresses or networks from which it may be used; everywhere when left out.
    #[serde(default)]
    addresses: Vec<String>,
    /// Until when it is good; for ever when left out.
    expires_at: Option<i64>,
}

/// How to rotate a key.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotationRequest {
    /// How many milliseconds the old key goes on working, at most a week; a day when left out.
    #[schema(minimum = 0, maximum = 604_800_000)]
    overlap: Option<i64>,
}

/// What a key is to be allowed: what was asked, if the caller may all of it, else what the caller may.
fn allowed(own: Permissions, asked: Option<Vec<String>>) -> Result<Option<Permissions>, ApiError> {
    let Some(names) = asked else { return Ok(Some(own.and(Permissions::of_workspace()))) };
    let mut set = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        let permission = Permission::from_text(name).ok_or_else(|| {
            ApiError::new(error::INVALID_VALUE, format!("there is no permission `{name}`"))
                .at(&format!("/permissions/{at}"))
        })?;
        if !own.allows(permission) {
            return Err(ApiError::new(error::FORBIDDEN, format!("you do not have `{permission}` yourself")));
        }
        set.push(permission);
    }
    Ok(Some(set.into_iter().collect()))
}

/// List the keys of the workspace.
#[utoipa::path(get, path = "/api/keys", tag = "keys",
    responses((status = 200, description = "The keys, oldest first", body = Listed<KeyView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
) -> Result<Json<Listed<KeyView>>, ApiError> {
    let found = tenant.records(&state).list_api_keys(&Scope::Workspace(tenant.workspace_id.clone())).await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}

/// Make a key. It is shown this once.
#[utoipa::path(post, path = "/api/keys", tag = "keys", request_body = NewKeyRequest,
    responses((status = 201, description = "The key", body = NewKeyView)))]
pub(crate) async fn create(
    State(state): State<ApiState>,
    tenant: Tenant,
    Body(request): Body<NewKeyRequest>,
) -> Result<(StatusCode, Json<NewKeyView>), ApiError> {
    let new = KeyRequest {
        name: request.name,
        allowed: allowed(tenant.permissions, request.permissions)?,
        addresses: request.addresses,
        expires_at: request.expires_at,
    };
    let made =
        tenant.records(&state).make_api_key(Scope::Workspace(tenant.workspace_id.clone()), new).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Show a key, without the key.
#[utoipa::path(get, path = "/api/keys/{id}", tag = "keys",
    params(("id" = String, Path, description = "`key_…`")),
    responses((status = 200, description = "The key", body = KeyView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<KeyView>, ApiError> {
    Ok(Json(
        tenant.records(&state).api_key(&Scope::Workspace(tenant.workspace_id.clone()), &id).await?.into(),
    ))
}

/// Make a successor of a key. The old one goes on working for a while.
#[utoipa::path(post, path = "/api/keys/{id}/rotate", tag = "keys", request_body = Option<RotationRequest>,
    params(("id" = String, Path, description = "`key_…`")),
    responses((status = 201, description = "The new key", body = NewKeyView)))]
pub(crate) async fn rotate(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
    OptionalBody(request): OptionalBody<RotationRequest>,
) -> Result<(StatusCode, Json<NewKeyView>), ApiError> {
    let scope = Scope::Workspace(tenant.workspace_id.clone());
    let old = state.records.api_key(&scope, &id).await?;
    // Whoever gets the successor could do what the old key may.
    if let Some(missing) = old.permissions().without(tenant.permissions).iter().next() {
        return Err(ApiError::new(error::FORBIDDEN, format!("the key may `{missing}`, which you may not")));
    }
    let overlap = request.overlap.unwrap_or(OVERLAP_MS);
    let made = tenant.records(&state).rotate_api_key(&scope, &id, overlap).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// End a key for good.
#[utoipa::path(delete, path = "/api/keys/{id}", tag = "keys",
    params(("id" = String, Path, description = "`key_…`")),
    responses((status = 204, description = "It ended")))]
pub(crate) async fn revoke(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    tenant.records(&state).revoke_api_key(&Scope::Workspace(tenant.workspace_id.clone()), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
