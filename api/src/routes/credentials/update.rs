//! Changes a credential.

use super::{CredentialView, secret, view};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::{Body, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use sluice_records::CredentialChange;

/// What changes; what is missing stays. Has no `Debug`: it may hold a secret.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialUpdate {
    /// Another name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Other public fields, all of them.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    public: Option<Value>,
    /// Another secret, all its fields.
    #[serde(default)]
    #[schema(value_type = Option<Object>, write_only)]
    secret: Option<Value>,
}

/// Change a credential. The kind stays: nodes depend on it.
#[utoipa::path(put, path = "/api/credentials/{id}", tag = "credentials",
    params(("id" = String, Path, description = "`crd_…`, or its name")), request_body = CredentialUpdate,
    responses(
        (status = 200, description = "The credential without its secret", body = CredentialView),
        (status = 409, description = "`conflict`: the name is taken, or a connected account's tokens were to be changed", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn update(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
    Body(request): Body<CredentialUpdate>,
) -> Result<Json<CredentialView>, ApiError> {
    let change = CredentialChange {
        name: request.name,
        public: request.public,
        secret: request.secret.map(secret).transpose()?,
    };
    let records = tenant.records(&state);
    let credential = records.update_credential(&tenant.workspace_id, &id, change).await?;
    Ok(Json(view(&records, credential).await?))
}
