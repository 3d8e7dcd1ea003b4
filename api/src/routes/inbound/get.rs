//! Shows a stored body.

use super::InboundView;
use crate::auth::Reach;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// Show a stored body with its bytes.
#[utoipa::path(get, path = "/api/inbound/{id}", tag = "inbound", params(("id" = String, Path, description = "`in_…`")),
    responses((status = 200, description = "The body", body = InboundView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    Reach(workspace_id): Reach,
    Path(id): Path<String>,
) -> Result<Json<InboundView>, ApiError> {
    Ok(Json(state.records.inbound(workspace_id.as_deref(), &id).await?.into()))
}
