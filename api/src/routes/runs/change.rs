//! What people may do about a run that exists: done to its end, and answered with the run as it stands afterwards.

use crate::answer::to_the_end;
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use sluice_engine::drive::{Engine, EngineError};
use sluice_engine::store::RunKey;
use sluice_engine::view::RunView;

/// Finds a run of the caller's workspace, changes it, and shows it.
async fn change<Work>(
    state: &ApiState,
    tenant: &Tenant,
    key: RunKey,
    work: impl FnOnce(Engine, RunKey) -> Work,
) -> Result<Json<RunView>, ApiError>
where
    Work: Future<Output = Result<(), EngineError>> + Send + 'static,
{
    super::find(state, &key).await?;
    to_the_end(work(tenant.sign(state).engine.clone(), key.clone())).await??;
    Ok(Json(super::find(state, &key).await?))
}

/// Cancel a run, and the runs that it called and waits for. Answers the run as it stands afterwards.
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
    change(
        &state,
        &tenant,
        super::key_of(&tenant, &id),
        |engine, run| async move { engine.cancel(&run).await },
    )
    .await
}

/// Go on with a failed or cancelled run from the node where it failed. Answers the run as it stands.
#[utoipa::path(post, path = "/api/runs/{id}/retry", tag = "runs", params(("id" = String, Path, description = "`run_…`")),
    responses(
        (status = 200, description = "The run", body = RunView),
        (status = 409, description = "`run_state`: it neither failed nor was cancelled", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn retry(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<RunView>, ApiError> {
    change(
        &state,
        &tenant,
        super::key_of(&tenant, &id),
        |engine, run| async move { engine.retry(&run).await },
    )
    .await
}

/// Take a run that is over off the list of those that need attention. Doing it again changes nothing.
#[utoipa::path(post, path = "/api/runs/{id}/acknowledge", tag = "runs", params(("id" = String, Path, description = "`run_…`")),
    responses(
        (status = 200, description = "The run", body = RunView),
        (status = 409, description = "`run_state`: it is not over; answer its question with `/outcome`", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn acknowledge(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<RunView>, ApiError> {
    let key = super::key_of(&tenant, &id);
    if !super::find(&state, &key).await?.status.is_over() {
        let message =
            "the run goes on and asks until its question is answered; see POST /api/runs/{id}/outcome";
        return Err(ApiError::new(crate::error::RUN_STATE, message));
    }
    change(&state, &tenant, key, |engine, run| async move {
        engine.acknowledge(&run).await?;
        Ok(())
    })
    .await
}
