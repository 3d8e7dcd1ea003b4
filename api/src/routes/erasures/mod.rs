//! Erasures of people: asked for, followed, and proven. Must not know how they are done.

use crate::answer::{Listed, PageQuery};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use sluice_records::Records;
use sluice_records::erasure::{Erasure, Phase};
use std::collections::BTreeMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(erase)).routes(routes!(list)).routes(routes!(get))
}

/// How far an erasure came.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PhaseView {
    /// What goes on with the person is cancelled.
    Stopping,
    /// The contact goes.
    Leaving,
    /// Provider bodies lose their content.
    Bodies,
    /// Runs are deleted.
    Runs,
    /// Messages are deleted.
    Messages,
    /// Bodies that came since lose their content, unless the person wrote again.
    Late,
    /// What deleted rows left in the files is overwritten.
    Scrubbing,
    /// Nothing is left to do.
    Done,
}

/// The erasure of a person: under way, or the proof that it was done. Holds no personal data.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ErasureView {
    /// `era_…`.
    id: String,
    /// What the contact was, `con_…`; nothing is stored under this id any more.
    contact_id: String,
    /// How far it came.
    phase: PhaseView,
    /// What holds it up, for people.
    #[schema(required)]
    note: Option<String>,
    /// Keyed hashes of what the person was known by.
    marks: Vec<String>,
    /// How much was erased of each kind, at least.
    counts: BTreeMap<String, i64>,
    /// Who asked: `per_…` or `key_…`.
    asked_by: String,
    /// When.
    asked_at: i64,
    /// When the contact went: whoever wrote later is somebody new.
    #[schema(required)]
    left_at: Option<i64>,
    /// When nothing was left to do.
    #[schema(required)]
    finished_at: Option<i64>,
    /// The seal over the finished record.
    #[schema(required)]
    proof: Option<String>,
    /// Whether the record is as it was sealed; null while it is not finished, or when the key that sealed it is not at
    /// hand.
    #[schema(required)]
    verified: Option<bool>,
}

impl ErasureView {
    fn of(records: &Records, one: Erasure) -> Self {
        let verified = records.verify_erasure(&one);
        let proof = one.proof().map(str::to_owned);
        let phase = match one.phase {
            Phase::Stopping => PhaseView::Stopping,
            Phase::Leaving => PhaseView::Leaving,
            Phase::Bodies => PhaseView::Bodies,
            Phase::Runs => PhaseView::Runs,
            Phase::Messages => PhaseView::Messages,
            Phase::Late => PhaseView::Late,
            Phase::Scrubbing => PhaseView::Scrubbing,
            Phase::Done => PhaseView::Done,
        };
        Self {
            id: one.id,
            contact_id: one.contact_id,
            phase,
            note: one.note,
            marks: one.marks,
            counts: one.counts,
            asked_by: one.asked_by,
            asked_at: one.asked_at,
            left_at: one.left_at,
            finished_at: one.finished_at,
            proof,
            verified,
        }
    }
}

/// Erase a person: the contact, its messages, the runs and stored bodies that tell of them. Cannot be undone. It goes on
/// after the answer; asking again answers the same erasure.
#[utoipa::path(post, path = "/api/contacts/{id}/erase", tag = "records",
    params(("id" = String, Path, description = "`con_…`")),
    responses((status = 202, description = "It has begun", body = ErasureView)))]
pub(crate) async fn erase(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<ErasureView>), ApiError> {
    let records = tenant.records(&state);
    let erasure = records.request_erasure(&tenant.workspace_id, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(ErasureView::of(&records, erasure))))
}

/// List erasures, the newest first.
#[utoipa::path(get, path = "/api/erasures", tag = "records", params(PageQuery),
    responses((status = 200, description = "A page of erasures", body = Listed<ErasureView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
    Query(query): Query<PageQuery>,
) -> Result<Json<Listed<ErasureView>>, ApiError> {
    let records = tenant.records(&state);
    let cursor = query.cursor.as_deref();
    let found = records.list_erasures(&tenant.workspace_id, cursor, query.size()).await?;
    let items = found.items.into_iter().map(|one| ErasureView::of(&records, one)).collect();
    Ok(Json(Listed { items, next: found.next }))
}

/// Show an erasure.
#[utoipa::path(get, path = "/api/erasures/{id}", tag = "records",
    params(("id" = String, Path, description = "`era_…`")),
    responses((status = 200, description = "The erasure", body = ErasureView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<ErasureView>, ApiError> {
    let records = tenant.records(&state);
    let erasure = records.erasure(&tenant.workspace_id, &id).await?;
    Ok(Json(ErasureView::of(&records, erasure)))
}
