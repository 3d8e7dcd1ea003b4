//! Handles a stored body again, for example after its number was connected.

use super::InboundView;
use crate::auth::Reach;
use crate::error::{self, ApiError};
use crate::extract::Path;
use crate::inbox::Origin;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// Handle a stored body again. What is known changes nothing and starts no workflow twice. Answers the body as it
/// stands after at most 30 seconds.
#[utoipa::path(post, path = "/api/inbound/{id}/replay", tag = "inbound", params(("id" = String, Path, description = "`in_…`")),
    responses(
        (status = 200, description = "The body", body = InboundView),
        (status = 409, description = "`inbound_busy`, or `inbound_shared` when it also concerns others", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn replay(
    State(state): State<ApiState>,
    Reach(workspace_id): Reach,
    Path(id): Path<String>,
) -> Result<Json<InboundView>, ApiError> {
    let body = state.records.inbound(workspace_id.as_deref(), &id).await?;
    if body.raw.is_none() {
        return Err(ApiError::plain(error::INBOUND_SHARED));
    }
    // A duplicate has nothing of its own: its original is what is handled.
    let handled = body.duplicate_of.unwrap_or_else(|| id.clone());
    if !state.inbox.take(&state, handled.clone(), Origin::Replayed) {
        return Err(ApiError::plain(error::INBOUND_BUSY));
    }
    let limit = state.config.limits.hook_wait;
    // Whoever asks again later sees the rest.
    let _ = tokio::time::timeout(limit, state.inbox.finished(&handled)).await;
    Ok(Json(state.records.inbound(workspace_id.as_deref(), &id).await?.into()))
}
