//! Lists credentials without their secrets.

use super::CredentialView;
use crate::answer::Listed;
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// List credentials, by name. Secrets are never shown.
#[utoipa::path(get, path = "/api/credentials", tag = "credentials",
    responses((status = 200, description = "All credentials", body = Listed<CredentialView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
) -> Result<Json<Listed<CredentialView>>, ApiError> {
    let found = tenant.records(&state).list_credentials(&tenant.workspace_id).await?;
    Ok(Json(Listed::all(found.into_iter().map(Into::into).collect())))
}
