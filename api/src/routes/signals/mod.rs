//! Wakes runs from outside. Must not know what they wait for.

use crate::answer::to_the_end;
use crate::auth::Tenant;
use crate::error::{self, ApiError};
use crate::extract::{OptionalBody, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::Value;
use sluice_engine::drive::RESERVED_SIGNALS;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(send))
}

/// Longest name of a signal, characters.
const LONGEST_NAME: usize = 200;

/// Who was woken.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Woken {
    /// Ids of the runs.
    runs: Vec<String>,
}

/// Wake the runs that wait for a key. The body, any JSON, goes to the node that waits.
#[utoipa::path(post, path = "/api/signals/{key}", tag = "runs",
    params(
        ("key" = String, Path, description = "The key; percent-encode slashes"),
        ("idempotency-key" = Option<String>, Header, description = "Names this signal: sent again under the same name it wakes nobody twice and answers the same runs; at most 200 characters"),
    ),
    request_body = Option<Value>,
    responses(
        (status = 200, description = "The runs that were woken", body = Woken),
        (status = 404, description = "`not_waiting`", body = crate::error::ErrorBody),
        (status = 422, description = "`reserved_signal`: the key begins with `approval:`, `run:`, `outcome:` or `conversation:`", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn send(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(key): Path<String>,
    headers: HeaderMap,
    OptionalBody(payload): OptionalBody<Value>,
) -> Result<Json<Woken>, ApiError> {
    if let Some(reserved) = RESERVED_SIGNALS.iter().find(|reserved| key.starts_with(**reserved)) {
        let message = format!("signals that begin with `{reserved}` are not sent by hand");
        return Err(ApiError::new(error::RESERVED_SIGNAL, message).at("/key"));
    }
    let name = idempotency_key(&headers)?;
    let engine = state.engine.clone();
    let send = async move { engine.signal_once(&tenant.workspace_id, &key, payload, name.as_deref()).await };
    let woken = to_the_end(send).await??;
    Ok(Json(Woken { runs: woken.iter().map(|run| run.run_id.to_string()).collect() }))
}

/// The name that the sender gave the signal.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let name = value.to_str().ok().map(str::trim);
    let is_fine = |name: &&str| (1..=LONGEST_NAME).contains(&name.len());
    name.filter(is_fine).map(|name| Some(name.to_owned())).ok_or_else(|| {
        let message = format!("an Idempotency-Key has 1 to {LONGEST_NAME} visible ASCII characters");
        ApiError::new(error::INVALID_VALUE, message).at("idempotency-key")
    })
}
