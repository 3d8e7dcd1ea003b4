//! Lists credentials without their secrets.

use super::CredentialView;
use crate::answer::Listed;
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use std::collections::HashMap;

/// List credentials, by name, with the state of connected accounts. Secrets are never shown.
#[utoipa::path(get, path = "/api/credentials", tag = "credentials",
    responses((status = 200, description = "All credentials", body = Listed<CredentialView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
) -> Result<Json<Listed<CredentialView>>, ApiError> {
    let records = tenant.records(&state);
    let found = records.list_credentials(&tenant.workspace_id).await?;
    let mut connections: HashMap<String, _> = records
        .list_connections(&tenant.workspace_id)
        .await?
        .into_iter()
        .map(|connection| (connection.credential_id.clone(), connection))
        .collect();
    let with = |credential: sluice_records::Credential| {
        let connection = connections.remove(&credential.id);
        CredentialView::new(credential, connection)
    };
    Ok(Json(Listed::all(found.into_iter().map(with).collect())))
}
