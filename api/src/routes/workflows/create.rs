//! Creates a workflow from its first draft.

use super::views::{WorkflowView, view};
use crate::auth::Tenant;
use crate::documents::{self, WorkflowDocument};
use crate::error::ApiError;
use crate::extract::Body;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;

/// Create a workflow. The body is the document; drafts may have problems.
#[utoipa::path(post, path = "/api/workflows", tag = "workflows", request_body = WorkflowDocument,
    responses(
        (status = 201, description = "The workflow", body = WorkflowView),
        (status = 409, description = "`name_taken`", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn create(
    State(state): State<ApiState>,
    tenant: Tenant,
    Body(body): Body<Value>,
) -> Result<(StatusCode, Json<WorkflowView>), ApiError> {
    let state = tenant.sign(&state);
    let document = documents::parse(wrapped(&body).unwrap_or(&body))?;
    let row = state.engine.create_workflow(&tenant.workspace_id, document).await?;
    Ok((StatusCode::CREATED, Json(view(&state, &tenant.workspace_id, &row).await?)))
}

/// The document inside `{ "document": … }`, which is taken as well because updates are written like that.
fn wrapped(body: &Value) -> Option<&Value> {
    let fields = body.as_object()?;
    fields.get("document").filter(|_| fields.len() == 1)
}
