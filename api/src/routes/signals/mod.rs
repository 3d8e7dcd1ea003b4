//! Wakes runs from outside. Must not know what they wait for.

use crate::answer::to_the_end;
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::{OptionalBody, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(send))
}

/// Who was woken.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Woken {
    /// Ids of the runs.
    runs: Vec<String>,
}

/// Wake the runs that wait for a key. The body, any JSON, goes to the node that waits.
#[utoipa::path(post, path = "/api/signals/{key}", tag = "runs",
    params(("key" = String, Path, description = "The key; percent-encode slashes")),
    request_body = Option<Value>,
    responses((status = 200, description = "The runs that were woken", body = Woken)))]
pub(crate) async fn send(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(key): Path<String>,
    OptionalBody(payload): OptionalBody<Value>,
) -> Result<Json<Woken>, ApiError> {
    let engine = state.engine.clone();
    let woken = to_the_end(async move { engine.signal(&tenant.workspace_id, &key, payload).await }).await??;
    Ok(Json(Woken { runs: woken.iter().map(|run| run.run_id.to_string()).collect() }))
}
