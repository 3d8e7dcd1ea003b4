//! Reads workflows from files.

use crate::auth::Tenant;
use crate::documents::{self, WorkflowDocument};
use crate::error::{self, ApiError};
use crate::extract::{Body, Query};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_engine::document::Document;
use sluice_engine::drive::EngineError;
use sluice_engine::graph::Problem;
use sluice_engine::store::{StoreError, WorkflowRow};

/// Most documents in one request.
const MOST: usize = 500;

/// How names that are in use are handled.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportQuery {
    /// Save over the draft of the workflow with the same name, in place of making one with a number behind its name.
    #[serde(default)]
    replace: bool,
}

/// One document, or several.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes the body, which is read by hand to name the place of a fault")]
pub(crate) enum Documents {
    /// One document.
    #[schema(value_type = WorkflowDocument)]
    One(Value),
    /// Several.
    #[schema(value_type = Vec<WorkflowDocument>)]
    Many(Vec<Value>),
}

/// What became of the documents, in their order.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Imports {
    /// One per document.
    items: Vec<Imported>,
}

/// What became of one document.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Imported {
    /// `wf_…`.
    id: String,
    /// The name it got.
    name: String,
    /// Revision of its draft.
    revision: i64,
    /// Whether an existing draft was saved over.
    replaced: bool,
    /// What is wrong with it.
    problems: Vec<Problem>,
}

/// Import a document or a list of documents as drafts. Either all can be read, or nothing is saved.
#[utoipa::path(post, path = "/api/workflows/import", tag = "workflows", params(ImportQuery), request_body = Documents,
    responses(
        (status = 200, description = "What became of each", body = Imports),
        (status = 409, description = "`stale_revision` when someone saved at the same moment", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn import(
    State(state): State<ApiState>,
    tenant: Tenant,
    Query(query): Query<ImportQuery>,
    Body(body): Body<Value>,
) -> Result<Json<Imports>, ApiError> {
    let state = tenant.sign(&state).calling_it("imported");
    let mut items = Vec::new();
    for document in read(&body)? {
        items.push(import_one(&state, &tenant.workspace_id, document, query.replace).await?);
    }
    Ok(Json(Imports { items }))
}

/// Reads all documents before any is saved.
fn read(body: &Value) -> Result<Vec<Document>, ApiError> {
    let Value::Array(list) = body else { return Ok(vec![documents::parse(body)?]) };
    if list.len() > MOST {
        let message = format!("{} documents in one request; send at most {MOST}", list.len());
        return Err(ApiError::new(error::INVALID_BODY, message).at(""));
    }
    let read = list.iter().enumerate().map(|(place, value)| {
        documents::parse(value).map_err(|fault| {
            let message = format!("document {place}: {}", fault.message());
            ApiError::new(fault.code(), message)
                .details(json!({ "document": place, "problems": problems_of(value) }))
        })
    });
    read.collect()
}

fn problems_of(value: &Value) -> Vec<Problem> {
    sluice_engine::graph::parse(value).err().unwrap_or_default()
}

/// Saves one document under its name, or under its name with a number.
pub(crate) async fn import_one(
    state: &ApiState,
    workspace_id: &str,
    document: Document,
    replace: bool,
) -> Result<Imported, ApiError> {
    let problems = documents::problems(state, workspace_id, &document).await?;
    let taken = state.engine.store().workflow_by_name(workspace_id, &document.name).await?;
    let replaced = replace && taken.is_some();
    let row = match taken {
        Some(old) if replace => {
            state.engine.save_draft(workspace_id, &old.id, old.revision, document).await?
        }
        _ => create_under_free_name(state, workspace_id, document).await?,
    };
    Ok(Imported { id: row.id, name: row.name, revision: row.revision, replaced, problems })
}

/// Makes a workflow; when its name is taken, "Name 2", "Name 3" and so on are tried.
pub(crate) async fn create_under_free_name(
    state: &ApiState,
    workspace_id: &str,
    mut document: Document,
) -> Result<WorkflowRow, ApiError> {
    let name = document.name.clone();
    for number in 2..1_000 {
        match state.engine.create_workflow(workspace_id, document.clone()).await {
            Err(EngineError::Store(StoreError::NameTaken)) => document.name = format!("{name} {number}"),
            other => return Ok(other?),
        }
    }
    Err(StoreError::NameTaken.into())
}
