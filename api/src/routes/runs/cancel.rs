//! Ends a run.

use crate::answer::to_the_end;
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use sluice_engine::view::RunView;

/// Cancel a run. Answers the run as it stands afterwards.
#[utoipa::path(post, path = "/api/runs/{id}/cancel", tag = "runs", params(("id" = String, Path, description = "`run_…`")),
    responses(
        (status = 200, description = "The run", body = RunView),
        (status = 409, description = "`run_state`: it is over", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn cancel(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<RunView>, ApiError> {
    let key = super::key_of(&tenant, &id);
    super::find(&state, &key).await?;
    let (engine, run) = (state.engine.clone(), key.clone());
    to_the_end(async move { engine.cancel(&run).await }).await??;
    Ok(Json(super::find(&state, &key).await?))
}
