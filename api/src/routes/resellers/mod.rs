//! Resellers, for who runs the platform.

use crate::answer::Listed;
use crate::auth::Manager;
use crate::error::ApiError;
use crate::extract::{Body, Path};
use crate::routes::invitations::{InvitationRequest, NewInvitationView};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sluice_records::{Reseller, ResellerChange, Scope, TenantStatus};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update)).routes(routes!(invite))
}

/// A reseller.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ResellerView {
    /// `rs_…`.
    id: String,
    /// Its slug.
    name: String,
    /// Its name for people.
    display_name: String,
    /// `active` or `suspended`.
    #[schema(value_type = String)]
    status: TenantStatus,
    /// When it was made.
    created_at: i64,
    /// When it was changed.
    updated_at: i64,
}

impl From<Reseller> for ResellerView {
    fn from(one: Reseller) -> Self {
        Self {
            id: one.id,
            name: one.name,
            display_name: one.display_name,
            status: one.status,
            created_at: one.created_at,
            updated_at: one.updated_at,
        }
    }
}

/// A reseller to make.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResellerRequest {
    /// Lower-case letters, digits and hyphens.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,62}$")]
    name: String,
    /// Its name for people.
    #[schema(min_length = 1, max_length = 100)]
    display_name: String,
}

/// What may change; what is left out stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResellerChangeRequest {
    /// Its name for people.
    #[schema(min_length = 1, max_length = 100)]
    display_name: Option<String>,
    /// True: its people and keys are refused until this is false again. Its clients go on.
    suspended: Option<bool>,
}

/// List the resellers.
#[utoipa::path(get, path = "/api/resellers", tag = "management",
    responses((status = 200, description = "All resellers, by name", body = Listed<ResellerView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Manager,
) -> Result<Json<Listed<ResellerView>>, ApiError> {
    let found = state.records.list_resellers().await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}

/// Make a reseller. Nobody makes himself one.
#[utoipa::path(post, path = "/api/resellers", tag = "management", request_body = ResellerRequest,
    responses(
        (status = 201, description = "The reseller", body = ResellerView),
        (status = 409, description = "`conflict`: the name is taken", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn create(
    State(state): State<ApiState>,
    manager: Manager,
    Body(request): Body<ResellerRequest>,
) -> Result<(StatusCode, Json<ResellerView>), ApiError> {
    let made = manager.records(&state).create_reseller(&request.name, &request.display_name).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Show a reseller.
#[utoipa::path(get, path = "/api/resellers/{id}", tag = "management",
    params(("id" = String, Path, description = "`rs_…`, or its name")),
    responses((status = 200, description = "The reseller", body = ResellerView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    _: Manager,
    Path(id): Path<String>,
) -> Result<Json<ResellerView>, ApiError> {
    Ok(Json(state.records.reseller(&id).await?.into()))
}

/// Change a reseller, or suspend it.
#[utoipa::path(put, path = "/api/resellers/{id}", tag = "management", request_body = ResellerChangeRequest,
    params(("id" = String, Path, description = "`rs_…`, or its name")),
    responses((status = 200, description = "The reseller", body = ResellerView)))]
pub(crate) async fn update(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
    Body(request): Body<ResellerChangeRequest>,
) -> Result<Json<ResellerView>, ApiError> {
    let id = state.records.reseller(&id).await?.id;
    let status = request.suspended.map(|so| if so { TenantStatus::Suspended } else { TenantStatus::Active });
    let change = ResellerChange { display_name: request.display_name, status };
    Ok(Json(manager.records(&state).update_reseller(&id, change).await?.into()))
}

/// Invite somebody to run a reseller.
#[utoipa::path(post, path = "/api/resellers/{id}/invitations", tag = "management", request_body = InvitationRequest,
    params(("id" = String, Path, description = "`rs_…`, or its name")),
    responses(
        (status = 201, description = "The invitation with its token", body = NewInvitationView),
        (status = 409, description = "`conflict`: a member already", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn invite(
    State(state): State<ApiState>,
    manager: Manager,
    Path(id): Path<String>,
    Body(request): Body<InvitationRequest>,
) -> Result<(StatusCode, Json<NewInvitationView>), ApiError> {
    let scope = Scope::Reseller(state.records.reseller(&id).await?.id);
    let made = manager.records(&state).invite(&scope, &request.email, request.role).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}
