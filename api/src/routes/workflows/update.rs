//! Saves a draft over the revision it was made on.

use super::views::{WorkflowView, view};
use crate::auth::Tenant;
use crate::documents::{self, WorkflowDocument};
use crate::error::{self, ApiError};
use crate::extract::{Body, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

/// A new draft.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftUpdate {
    /// The revision that the change was made on.
    revision: i64,
    /// The new draft.
    #[schema(value_type = WorkflowDocument)]
    document: Value,
}

/// Save a draft. Answers 409 with the current revision when someone else saved meanwhile.
#[utoipa::path(put, path = "/api/workflows/{id}", tag = "workflows", params(("id" = String, Path, description = "`wf_…`")),
    request_body = DraftUpdate,
    responses(
        (status = 200, description = "The saved workflow", body = WorkflowView),
        (status = 409, description = "`stale_revision` or `name_taken`", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn update(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
    Body(body): Body<Value>,
) -> Result<Json<WorkflowView>, ApiError> {
    let state = tenant.sign(&state);
    super::find(&state, &tenant.workspace_id, &id).await?;
    let change = read(body)?;
    let document = documents::parse(&change.document)?;
    let row = state.engine.save_draft(&tenant.workspace_id, &id, change.revision, document).await?;
    Ok(Json(view(&state, &tenant.workspace_id, &row).await?))
}

/// `{ "revision", "document" }`, or a document with `revision` among its own fields.
fn read(body: Value) -> Result<DraftUpdate, ApiError> {
    match body {
        Value::Object(mut fields) if !fields.contains_key("document") && fields.contains_key("nodes") => {
            let revision = fields.shift_remove("revision").ok_or_else(|| {
                ApiError::new(
                    error::INVALID_BODY,
                    "missing field `revision`: the draft's revision as last read",
                )
                .at("/revision")
            })?;
            crate::extract::shape(json!({ "revision": revision, "document": fields }))
        }
        other => crate::extract::shape(other),
    }
}
