//! Meta's verification request.

use crate::error::{self, ApiError};
use crate::state::ApiState;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::IntoResponse;
use sluice_records::whatsapp::{HandshakeError, handshake};

/// Meta verifies the address of the webhook.
#[utoipa::path(get, path = "/api/whatsapp/webhook", tag = "whatsapp",
    params(
        ("hub.mode" = String, Query, description = "`subscribe`"),
        ("hub.verify_token" = String, Query, description = "The configured token"),
        ("hub.challenge" = String, Query, description = "Sent back as it is"),
    ),
    responses(
        (status = 200, description = "The challenge", content_type = "text/plain", body = String),
        (status = 400, description = "`verification_incomplete`", body = crate::error::ErrorBody),
        (status = 403, description = "`verification_refused`", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn verify(
    State(state): State<ApiState>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ApiError> {
    let challenge = handshake(&query.unwrap_or_default(), &state.config.whatsapp_verify_token);
    let challenge = challenge.map_err(|fault| {
        let code = match fault {
            HandshakeError::Incomplete => error::VERIFICATION_INCOMPLETE,
            HandshakeError::Refused => error::VERIFICATION_REFUSED,
        };
        ApiError::new(code, fault.to_string())
    })?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], challenge))
}
