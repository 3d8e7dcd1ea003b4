//! Credentials: secrets go in and never come out. Must not know which node uses which.

mod create;
mod delete;
mod get;
mod list;
mod update;

use crate::error::{self, ApiError};
use crate::state::ApiState;
use serde::Serialize;
use serde_json::Value;
use sluice_records::{Credential, Secret};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list::list, create::create)).routes(routes!(
        get::get,
        update::update,
        delete::delete
    ))
}

/// A credential as it may be shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CredentialView {
    /// `crd_…`.
    id: String,
    /// What workflows call it.
    name: String,
    /// `whatsapp`, `http_bearer`, `http_basic`, `http_header`, `oauth2_client`, …
    kind: String,
    /// What may be displayed.
    #[schema(value_type = Object)]
    public: Value,
    /// When it was stored.
    created_at: i64,
    /// When it was last changed.
    updated_at: i64,
}

impl From<Credential> for CredentialView {
    fn from(credential: Credential) -> Self {
        Self {
            id: credential.id,
            name: credential.name,
            kind: credential.kind,
            public: credential.public,
            created_at: credential.created_at,
            updated_at: credential.updated_at,
        }
    }
}

/// Takes a secret. The value is never part of a message.
fn secret(value: Value) -> Result<Secret, ApiError> {
    if value.is_object() {
        return Ok(Secret::new(value));
    }
    let message = "the secret must be an object, such as { \"access_token\": \"…\" }";
    Err(ApiError::new(error::INVALID_BODY, message).at("/secret"))
}
