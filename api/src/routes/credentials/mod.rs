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
use sluice_records::{Connection, Credential, Records, Secret};
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
    /// `whatsapp`, `http_bearer`, `http_basic`, `http_header`, `oauth2_client`, `google`, …
    kind: String,
    /// What may be displayed.
    #[schema(value_type = Object)]
    public: Value,
    /// Names of the secret fields that are set. Their values are never shown.
    secret_fields: Vec<String>,
    /// For an account that a person connected at a provider.
    #[schema(required)]
    connection: Option<ConnectionView>,
    /// When it was stored.
    created_at: i64,
    /// When it was last changed.
    updated_at: i64,
}

/// What is known about a connected account.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ConnectionView {
    /// Such as `google`.
    provider: String,
    /// `connected`, `expired` (its access ended and cannot be renewed) or `revoked`.
    status: String,
    /// Why it is as it is, for people.
    #[schema(required)]
    reason: Option<String>,
    /// Whose account it is, usually an e-mail address.
    #[schema(required)]
    account: Option<String>,
    /// What was granted.
    scopes: Vec<String>,
    /// When the access token ends; it is renewed before, when it can be.
    #[schema(required)]
    expires_at: Option<i64>,
    /// When it was granted.
    connected_at: i64,
}

impl From<Connection> for ConnectionView {
    fn from(connection: Connection) -> Self {
        Self {
            provider: connection.provider,
            status: connection.status,
            reason: connection.reason,
            account: connection.account,
            scopes: connection.scopes,
            expires_at: connection.expires_at,
            connected_at: connection.connected_at,
        }
    }
}

/// A credential with its connection, if it has one.
pub(crate) async fn view(records: &Records, credential: Credential) -> Result<CredentialView, ApiError> {
    let connection = records.connection(&credential.workspace_id, &credential.id).await?;
    Ok(CredentialView::new(credential, connection))
}

impl CredentialView {
    pub(crate) fn new(credential: Credential, connection: Option<Connection>) -> Self {
        Self {
            secret_fields: credential.secret_fields,
            connection: connection.map(Into::into),
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
