//! Removes a credential.

use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::extract::State;
use axum::http::StatusCode;

/// Remove a credential.
#[utoipa::path(delete, path = "/api/credentials/{id}", tag = "credentials",
    params(("id" = String, Path, description = "`crd_…`, or its name")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "`conflict`: a connected number uses it", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn delete(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    tenant.records(&state).delete_credential(&tenant.workspace_id, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
