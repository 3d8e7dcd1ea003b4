//! What operators and programs ask of the service itself: is it alive, is it ready, what does it count, what can it do.

use crate::error::{self, ApiError};
use crate::metrics;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use std::sync::OnceLock;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(counters))
        .routes(routes!(document))
}

/// How the service is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    status: &'static str,
    /// Version of the program.
    version: &'static str,
}

fn ok() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Whether the process is alive.
#[utoipa::path(get, path = "/healthz", tag = "service", responses((status = 200, description = "It is", body = Health)))]
pub(crate) async fn healthz() -> Json<Health> {
    ok()
}

/// Whether the service can work: its database answers and it is not stopping.
#[utoipa::path(get, path = "/readyz", tag = "service",
    responses(
        (status = 200, description = "It can", body = Health),
        (status = 503, description = "`not_ready` or `shutting_down`", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn readyz(State(state): State<ApiState>) -> Result<Json<Health>, ApiError> {
    if state.stopping.is_cancelled() {
        return Err(ApiError::plain(error::SHUTTING_DOWN));
    }
    state.engine.store().next_wake().await.map_err(|failure| {
        tracing::error!(error = &failure as &dyn std::error::Error, "the database does not answer");
        ApiError::plain(error::NOT_READY)
    })?;
    Ok(ok())
}

/// What is counted, in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "service",
    responses((status = 200, description = "Counters", content_type = "text/plain", body = String)))]
pub(crate) async fn counters(State(state): State<ApiState>) -> impl IntoResponse {
    metrics::read_levels(&state).await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.metrics.render())
}

/// This API as an OpenAPI 3.1 document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "service",
    responses((status = 200, description = "The document", body = Object)))]
pub(crate) async fn document() -> Result<impl IntoResponse, ApiError> {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = match TEXT.get() {
        Some(text) => text,
        None => {
            let text =
                crate::openapi::openapi().to_pretty_json().map_err(|fault| ApiError::internal(&fault))?;
            TEXT.get_or_init(|| text)
        }
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], text.as_str()))
}
