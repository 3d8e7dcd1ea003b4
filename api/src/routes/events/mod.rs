//! Events reported from outside, for `trigger.event`. Must not know who reacts.

use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::{OptionalBody, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(report))
}

/// An event that was written down.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Reported {
    /// `evt_…`.
    id: String,
}

/// Report an event. Published workflows whose `trigger.event` names the topic are started with the body as its data.
#[utoipa::path(post, path = "/api/events/{topic}", tag = "runs",
    params(("topic" = String, Path, description = "Two or more lower-case words joined by dots, such as `order.paid`")),
    request_body = Option<Value>,
    responses((status = 202, description = "The event is stored and will be shown to triggers", body = Reported)))]
pub(crate) async fn report(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(topic): Path<String>,
    OptionalBody(data): OptionalBody<Value>,
) -> Result<(StatusCode, Json<Reported>), ApiError> {
    let id = state.records.report_event(&tenant.workspace_id, &topic, &data).await?;
    Ok((StatusCode::ACCEPTED, Json(Reported { id })))
}
