//! The kinds of credentials that nodes describe, as forms are drawn from them. Must not know any kind by name.

use crate::answer::Listed;
use crate::auth::Principal;
use crate::error::ApiError;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sluice_node_sdk::credential::{CredentialField, CredentialKind};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The route.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A kind of credential: what people fill in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CredentialKindView {
    /// The kind, as nodes name it.
    kind: String,
    /// Name for people.
    title: String,
    /// What it is for, or where its values are found.
    help: String,
    /// What is filled in, in this order; none when a person grants access at `provider`.
    fields: Vec<CredentialFieldView>,
    /// Where a person grants access (`POST /api/connections/{provider}/start`) in place of filling anything in.
    #[schema(required)]
    provider: Option<String>,
}

/// One text of a credential.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CredentialFieldView {
    /// Its name in `secret` or `public`.
    name: String,
    /// Name for people.
    title: String,
    /// What belongs there.
    help: String,
    /// Whether it belongs into `secret`, else into `public`.
    secret: bool,
    /// Whether nodes fail without it.
    required: bool,
}

/// List the kinds of credentials with their fields. Kinds that no node describes are not listed; they can be stored
/// all the same.
#[utoipa::path(get, path = "/api/credential-kinds", tag = "catalogue",
    responses((status = 200, description = "The kinds, by name", body = Listed<CredentialKindView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Principal,
) -> Result<Json<Listed<CredentialKindView>>, ApiError> {
    let kinds = state.engine.registry().credential_kinds();
    Ok(Json(Listed::all(kinds.map(CredentialKindView::from).collect())))
}

impl From<&CredentialKind> for CredentialKindView {
    fn from(kind: &CredentialKind) -> Self {
        Self {
            kind: kind.kind.clone(),
            title: kind.title.clone(),
            help: kind.help.clone(),
            fields: kind.fields.iter().map(Into::into).collect(),
            provider: kind.provider.clone(),
        }
    }
}

impl From<&CredentialField> for CredentialFieldView {
    fn from(field: &CredentialField) -> Self {
        Self {
            name: field.name.clone(),
            title: field.title.clone(),
            help: field.help.clone(),
            secret: field.secret,
            required: field.required,
        }
    }
}
