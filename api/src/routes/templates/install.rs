//! Makes a workflow out of a template.

use crate::auth::Tenant;
use crate::documents;
use crate::error::{self, ApiError};
use crate::extract::{OptionalBody, Path};
use crate::routes::workflows;
use crate::routes::workflows::views::{WorkflowView, view};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use sluice_engine::document::Document;
use std::collections::BTreeMap;

/// How to install.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Install {
    /// Name of the workflow; the template's when missing. When it is in use, a number is added.
    #[serde(default)]
    name: Option<String>,
    /// Parameters to set, by node id and parameter.
    #[serde(default)]
    #[schema(value_type = Option<BTreeMap<String, BTreeMap<String, Value>>>)]
    params: BTreeMap<String, Map<String, Value>>,
    /// Publish it at once.
    #[serde(default)]
    publish: bool,
}

/// Install a template as a workflow of the workspace. With `publish`, problems are answered 422 and the draft stays.
#[utoipa::path(post, path = "/api/templates/{id}/install", tag = "catalogue",
    params(("id" = String, Path, description = "Such as `keyword-reply`")), request_body = Option<Install>,
    responses(
        (status = 201, description = "The workflow", body = WorkflowView),
        (status = 409, description = "`path_taken`, with `publish`", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn install(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
    OptionalBody(wish): OptionalBody<Install>,
) -> Result<(StatusCode, Json<WorkflowView>), ApiError> {
    let document = fitted(super::find(&state, &id)?.document.clone(), wish.name, wish.params)?;
    documents::check_name(&document.name)?;
    let state = tenant.sign(&state).calling_it("installed");
    let workspace_id = &tenant.workspace_id;
    let row = workflows::import::create_under_free_name(&state, workspace_id, document).await?;
    if wish.publish {
        workflows::publish::publish_draft(&state, workspace_id, &row.id).await?;
    }
    let row = workflows::find(&state, workspace_id, &row.id).await?;
    Ok((StatusCode::CREATED, Json(view(&state, workspace_id, &row).await?)))
}

fn fitted(
    mut document: Document,
    name: Option<String>,
    params: BTreeMap<String, Map<String, Value>>,
) -> Result<Document, ApiError> {
    if let Some(name) = name {
        document.name = name;
    }
    for (id, values) in params {
        let node = document.nodes.iter_mut().find(|node| node.id == id).ok_or_else(|| {
            ApiError::new(error::INVALID_VALUE, format!("the template has no node `{id}`"))
                .at(&format!("/params/{id}"))
        })?;
        node.params.extend(values);
    }
    Ok(document)
}
