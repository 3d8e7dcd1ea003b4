//! Workflows: drafts, versions, test runs, files. Must not know how they run.

mod create;
mod delete;
mod export;
mod get;
pub(crate) mod import;
mod list;
pub(crate) mod publish;
mod restore;
mod run;
mod unpublish;
mod update;
mod validate;
mod versions;
pub(crate) mod views;

use crate::error::ApiError;
use crate::state::ApiState;
use sluice_engine::store::WorkflowRow;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(validate::validate))
        .routes(routes!(import::import))
        .routes(routes!(get::get, update::update, delete::delete))
        .routes(routes!(publish::publish))
        .routes(routes!(unpublish::unpublish))
        .routes(routes!(versions::versions))
        .routes(routes!(versions::version))
        .routes(routes!(restore::restore))
        .routes(routes!(export::export))
}

/// The routes that may wait for a run.
pub(crate) fn waiting_routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(run::run))
}

/// A workflow of this workspace.
pub(crate) async fn find(state: &ApiState, workspace_id: &str, id: &str) -> Result<WorkflowRow, ApiError> {
    let row = state.engine.store().workflow(workspace_id, id).await?;
    row.ok_or_else(|| ApiError::not_found("workflow", id))
}
