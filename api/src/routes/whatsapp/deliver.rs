//! Meta's deliveries.

use crate::answer::to_the_end;
use crate::error::{self, ApiError};
use crate::extract::whole_body;
use crate::inbox::Origin;
use crate::metrics;
use crate::state::ApiState;
use axum::Json;
use axum::extract::{Request, State};
use serde::Serialize;
use sluice_records::RecordError;
use sluice_records::whatsapp::{SignatureError, verify};

/// A delivery that is stored.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Stored {
    /// `in_…`.
    id: String,
    /// Whether exactly these bytes were delivered before.
    duplicate: bool,
}

/// Take a delivery. The signature over the raw bytes is mandatory. It is stored before it is answered and handled
/// afterwards.
#[utoipa::path(post, path = "/api/whatsapp/webhook", tag = "whatsapp",
    params(("x-hub-signature-256" = Option<String>, Header, description = "`sha256=` and the HMAC of the body under the app secret")),
    request_body(content = Object, description = "As Meta sends it"),
    responses(
        (status = 200, description = "It is stored", body = Stored),
        (status = 401, description = "`invalid_signature`; nothing is stored", body = crate::error::ErrorBody),
        (status = 503, description = "`whatsapp_not_configured`", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn deliver(
    State(state): State<ApiState>,
    request: Request,
) -> Result<Json<Stored>, ApiError> {
    let signature = request.headers().get("x-hub-signature-256").map(|value| value.as_bytes().to_vec());
    let signature = signature.and_then(|bytes| String::from_utf8(bytes).ok());
    let raw = whole_body(request, &state).await?;
    verify(&state.config.whatsapp_app_secrets, &raw, signature.as_deref()).map_err(refused)?;
    let work = state.clone();
    let stored = to_the_end(async move {
        // With other processes one of them handles all bodies, in the order in which they were stored.
        let is_ours = work.engine.config().is_alone;
        let stored = work.records.store_inbound("whatsapp", &raw, is_ours).await?;
        match stored.duplicate_of {
            None if is_ours => drop(work.inbox.take(&work, stored.id.clone(), Origin::Delivered)),
            None => work.engine.call_hosts(),
            Some(_) => metrics::inbound("whatsapp", "duplicate"),
        }
        Ok::<_, RecordError>(stored)
    });
    let stored = work_result(stored.await?)?;
    Ok(Json(stored))
}

fn work_result(stored: Result<sluice_records::StoredInbound, RecordError>) -> Result<Stored, ApiError> {
    let stored = stored?;
    Ok(Stored { duplicate: stored.duplicate_of.is_some(), id: stored.id })
}

fn refused(fault: SignatureError) -> ApiError {
    match fault {
        SignatureError::NoSecret => {
            tracing::error!("{fault}");
            ApiError::plain(error::WHATSAPP_NOT_CONFIGURED)
        }
        _ => ApiError::new(error::INVALID_SIGNATURE, fault.to_string()),
    }
}
