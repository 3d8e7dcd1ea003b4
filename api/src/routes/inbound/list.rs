//! Lists stored bodies.

use super::InboundView;
use crate::answer::{Listed, page_size};
use crate::auth::Reach;
use crate::error::{self, ApiError};
use crate::extract::Query;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use sluice_records::{InboundFilter, InboundStatus};

/// Which bodies.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct InboundQuery {
    /// Only of this sender, such as `whatsapp`.
    source: Option<String>,
    /// Only with this status: `received`, `processed`, `ignored`, `quarantined` or `duplicate`.
    #[param(pattern = "^(received|processed|ignored|quarantined|duplicate)$")]
    status: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Size of the page, 1 to 200; 50 when missing.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List stored bodies, newest first. A platform key that names no workspace sees all, those that concern nobody
/// included.
#[utoipa::path(get, path = "/api/inbound", tag = "inbound", params(InboundQuery),
    responses((status = 200, description = "A page of bodies, without their bytes", body = Listed<InboundView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    Reach(workspace_id): Reach,
    Query(query): Query<InboundQuery>,
) -> Result<Json<Listed<InboundView>>, ApiError> {
    let status = query.status.as_deref().map(|text| {
        InboundStatus::from_text(text).ok_or_else(|| {
            let message = "status: use received, processed, ignored, quarantined or duplicate";
            ApiError::new(error::INVALID_QUERY, message).at("status")
        })
    });
    let filter = InboundFilter { workspace_id, source: query.source, status: status.transpose()? };
    let found = state.records.list_inbound(&filter, query.cursor.as_deref(), page_size(query.limit)).await?;
    Ok(Json(Listed { items: found.items.into_iter().map(Into::into).collect(), next: found.next }))
}
