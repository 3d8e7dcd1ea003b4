//! Stores a credential.

use super::{CredentialView, secret};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Body;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

/// A credential to store. Has no `Debug`: it holds a secret.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialRequest {
    /// What workflows call it; unique in the workspace.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// `whatsapp`, `http_bearer`, `http_basic`, `http_header`, `oauth2_client`, `google`, …
    #[schema(min_length = 1, max_length = 100)]
    kind: String,
    /// What may be displayed. Not for secrets.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    public: Value,
    /// The secret fields, such as `access_token`. Sealed at once and never shown again.
    #[schema(value_type = Object, write_only)]
    secret: Value,
}

/// Store a credential.
#[utoipa::path(post, path = "/api/credentials", tag = "credentials", request_body = CredentialRequest,
    responses(
        (status = 201, description = "The credential without its secret", body = CredentialView),
        (status = 409, description = "`conflict`: the name is taken", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn create(
    State(state): State<ApiState>,
    tenant: Tenant,
    Body(request): Body<CredentialRequest>,
) -> Result<(StatusCode, Json<CredentialView>), ApiError> {
    let new = sluice_records::NewCredential {
        name: request.name,
        kind: request.kind,
        public: request.public,
        secret: secret(request.secret)?,
    };
    let credential = tenant.records(&state).create_credential(&tenant.workspace_id, new).await?;
    Ok((StatusCode::CREATED, Json(CredentialView::new(credential, None))))
}
