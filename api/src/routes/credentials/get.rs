//! Shows a credential without its secret.

use super::{CredentialView, view};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// Show a credential without its secret.
#[utoipa::path(get, path = "/api/credentials/{id}", tag = "credentials",
    params(("id" = String, Path, description = "`crd_…`, or its name")),
    responses((status = 200, description = "The credential", body = CredentialView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<CredentialView>, ApiError> {
    let records = tenant.records(&state);
    let credential = records.credential(&tenant.workspace_id, &id).await?;
    Ok(Json(view(&records, credential).await?))
}
