//! Provider bodies that were acknowledged: shown, and handled again. Must not know how they are read.

mod get;
mod list;
mod replay;

use crate::state::ApiState;
use serde::Serialize;
use serde_json::Value;
use sluice_records::InboundBody;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list::list)).routes(routes!(get::get))
}

/// The routes that may wait for handling.
pub(crate) fn waiting_routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(replay::replay))
}

/// A stored body.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct InboundView {
    /// `in_…`.
    id: String,
    /// Who sent it: `whatsapp`, …
    source: String,
    /// When it came.
    received_at: i64,
    /// `processed`, `ignored` (nothing in it concerns a connected number), `quarantined` (it cannot be read),
    /// `duplicate`, or `received` while it is being handled.
    status: &'static str,
    /// What was found in it: `{ waba_id, field, messages?, statuses? }`.
    #[schema(value_type = Vec<Object>)]
    changes: Value,
    /// The runs it started or woke.
    runs: Vec<String>,
    /// The body with the same bytes that came first.
    #[schema(required)]
    duplicate_of: Option<String>,
    /// Why it was ignored or quarantined, or what went wrong with a part of it.
    #[schema(required)]
    note: Option<String>,
    /// SHA-256 of the bytes, hexadecimal.
    sha256: String,
    /// The body as text. Null in lists, when it is not UTF-8, and for workspaces that it concerns in part only.
    #[schema(required)]
    raw: Option<String>,
    /// The body in base64, when it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
}

impl From<InboundBody> for InboundView {
    fn from(body: InboundBody) -> Self {
        use base64::Engine as _;
        let (raw, raw_base64) = match body.raw.map(String::from_utf8) {
            None => (None, None),
            Some(Ok(text)) => (Some(text), None),
            Some(Err(fault)) => {
                (None, Some(base64::engine::general_purpose::STANDARD.encode(fault.as_bytes())))
            }
        };
        Self {
            id: body.id,
            source: body.source,
            received_at: body.received_at,
            status: body.status.as_text(),
            changes: body.changes,
            runs: body.runs,
            duplicate_of: body.duplicate_of,
            note: body.note,
            sha256: body.sha256,
            raw,
            raw_base64,
        }
    }
}
