//! Runs: what happened, what happens, and what people may do about it. Must not know how runs are driven.

mod change;
mod get;
mod list;
mod outcome;
mod replay;
mod signal;
mod stream;

use crate::auth::Tenant;
use crate::error::ApiError;
use crate::state::ApiState;
use sluice_engine::store::RunKey;
use sluice_engine::view::RunView;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(get::get))
        .routes(routes!(stream::stream))
        .routes(routes!(change::cancel))
        .routes(routes!(change::retry))
        .routes(routes!(change::acknowledge))
        .routes(routes!(outcome::settle))
        .routes(routes!(replay::replay))
        .routes(routes!(signal::send))
}

/// Names a run of the caller's workspace.
pub(crate) fn key_of(tenant: &Tenant, id: &str) -> RunKey {
    RunKey { workspace_id: tenant.workspace_id.as_str().into(), run_id: id.into() }
}

/// A run of the caller's workspace as it stands.
pub(crate) async fn find(state: &ApiState, key: &RunKey) -> Result<RunView, ApiError> {
    let run = state.engine.run_view(key).await?;
    run.ok_or_else(|| ApiError::not_found("run", &key.run_id))
}
