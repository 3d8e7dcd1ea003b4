//! Host names of a workspace, and of a reseller or the platform: claimed, proved by a TXT record, given up.

use super::{DomainRequest, DomainView};
use crate::answer::Listed;
use crate::auth::{Manager, Tenant};
use crate::error::ApiError;
use crate::extract::{Body, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sluice_records::{Records, Scope};

/// List the workspace's host names.
#[utoipa::path(get, path = "/api/branding/workspace/domains", tag = "branding",
    responses((status = 200, description = "All of them, by name", body = Listed<DomainView>)))]
pub(crate) async fn of_workspace(
    State(state): State<ApiState>,
    tenant: Tenant,
) -> Result<Json<Listed<DomainView>>, ApiError> {
    list(&state.records, &tenant.scope()).await
}

/// Claim a host name for the workspace. The answer says which TXT record proves it.
#[utoipa::path(post, path = "/api/branding/workspace/domains", tag = "branding", request_body = DomainRequest,
    responses(
        (status = 201, description = "The claim", body = DomainView),
        (status = 409, description = "`conflict`: too many", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn add_to_workspace(
    State(state): State<ApiState>,
    tenant: Tenant,
    Body(request): Body<DomainRequest>,
) -> Result<(StatusCode, Json<DomainView>), ApiError> {
    add(&tenant.records(&state), &tenant.scope(), &request).await
}

/// Look for the TXT record of the workspace's host name now.
#[utoipa::path(post, path = "/api/branding/workspace/domains/{host}/verify", tag = "branding",
    params(("host" = String, Path, description = "Such as `chat.example.com`")),
    responses(
        (status = 200, description = "The claim: verified, or with its problem", body = DomainView),
        (status = 409, description = "`conflict`: somebody else proves it too", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn verify_of_workspace(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(host): Path<String>,
) -> Result<Json<DomainView>, ApiError> {
    verify(&state, &tenant.records(&state), &tenant.scope(), &host).await
}

/// Give a host name of the workspace up.
#[utoipa::path(delete, path = "/api/branding/workspace/domains/{host}", tag = "branding",
    params(("host" = String, Path, description = "Such as `chat.example.com`")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn remove_from_workspace(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(host): Path<String>,
) -> Result<StatusCode, ApiError> {
    tenant.records(&state).remove_domain(&tenant.scope(), &host).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the host names of the reseller, or of the platform.
#[utoipa::path(get, path = "/api/branding/team/domains", tag = "branding",
    responses((status = 200, description = "All of them, by name", body = Listed<DomainView>)))]
pub(crate) async fn of_team(
    State(state): State<ApiState>,
    manager: Manager,
) -> Result<Json<Listed<DomainView>>, ApiError> {
    list(&state.records, &manager.scope).await
}

/// Claim a host name for the reseller, or for the platform.
#[utoipa::path(post, path = "/api/branding/team/domains", tag = "branding", request_body = DomainRequest,
    responses(
        (status = 201, description = "The claim", body = DomainView),
        (status = 409, description = "`conflict`: too many", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn add_to_team(
    State(state): State<ApiState>,
    manager: Manager,
    Body(request): Body<DomainRequest>,
) -> Result<(StatusCode, Json<DomainView>), ApiError> {
    add(&manager.records(&state), &manager.scope, &request).await
}

/// Look for the TXT record of the reseller's or platform's host name now.
#[utoipa::path(post, path = "/api/branding/team/domains/{host}/verify", tag = "branding",
    params(("host" = String, Path, description = "Such as `chat.example.com`")),
    responses(
        (status = 200, description = "The claim: verified, or with its problem", body = DomainView),
        (status = 409, description = "`conflict`: somebody else proves it too", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn verify_of_team(
    State(state): State<ApiState>,
    manager: Manager,
    Path(host): Path<String>,
) -> Result<Json<DomainView>, ApiError> {
    verify(&state, &manager.records(&state), &manager.scope, &host).await
}

/// Give a host name of the reseller or platform up.
#[utoipa::path(delete, path = "/api/branding/team/domains/{host}", tag = "branding",
    params(("host" = String, Path, description = "Such as `chat.example.com`")),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn remove_from_team(
    State(state): State<ApiState>,
    manager: Manager,
    Path(host): Path<String>,
) -> Result<StatusCode, ApiError> {
    manager.records(&state).remove_domain(&manager.scope, &host).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list(records: &Records, scope: &Scope) -> Result<Json<Listed<DomainView>>, ApiError> {
    let found = records.list_domains(scope).await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}

async fn add(
    records: &Records,
    scope: &Scope,
    request: &DomainRequest,
) -> Result<(StatusCode, Json<DomainView>), ApiError> {
    let made = records.add_domain(scope, &request.host).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

async fn verify(
    state: &ApiState,
    records: &Records,
    scope: &Scope,
    host: &str,
) -> Result<Json<DomainView>, ApiError> {
    Ok(Json(records.verify_domain(scope, host, state.dns.as_ref()).await?.into()))
}
