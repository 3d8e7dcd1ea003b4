//! Takes a connected account back.

use super::connections;
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Path;
use crate::routes::credentials::{CredentialView, view};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;

/// A connection that was taken back.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RevokedView {
    /// The credential, which holds no tokens any more.
    credential: CredentialView,
    /// Whether the provider took the grant back too. If not, the person can do it in their account there.
    provider_told: bool,
}

/// Revoke a connection: at the provider, and here whatever the provider says. Triggers that use it rest until the account is
/// connected again. Repeating it changes nothing.
#[utoipa::path(post, path = "/api/connections/{id}/revoke", tag = "connections",
    params(("id" = String, Path, description = "`crd_…`, or the name of the credential")),
    responses((status = 200, description = "It does not open any more", body = RevokedView)))]
pub(crate) async fn revoke(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<RevokedView>, ApiError> {
    let by = &tenant.principal.actor;
    let (connection, told) = connections(&state)?.revoke(&tenant.workspace_id, &id, by).await?;
    let records = tenant.records(&state);
    let credential = records.credential(&tenant.workspace_id, &connection.credential_id).await?;
    Ok(Json(RevokedView { credential: view(&records, credential).await?, provider_told: told }))
}
