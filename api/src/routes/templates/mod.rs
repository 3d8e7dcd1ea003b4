//! Built-in workflows. Must not know what they do.

mod install;

use crate::answer::Listed;
use crate::auth::Principal;
use crate::documents::WorkflowDocument;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::{ApiState, Template};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(install::install))
}

/// A built-in workflow in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TemplateSummary {
    /// Stable name.
    id: String,
    /// Name for people.
    name: String,
    /// What it is for.
    description: String,
    /// The node types it uses.
    node_types: Vec<String>,
    /// Tests inside.
    tests: usize,
}

/// A built-in workflow.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct TemplateView {
    #[serde(flatten)]
    summary: TemplateSummary,
    /// The workflow.
    #[schema(value_type = WorkflowDocument)]
    document: Value,
}

/// List the built-in workflows.
#[utoipa::path(get, path = "/api/templates", tag = "catalogue",
    responses((status = 200, description = "All templates", body = Listed<TemplateSummary>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Principal,
) -> Result<Json<Listed<TemplateSummary>>, ApiError> {
    Ok(Json(Listed::all(state.templates.iter().map(Into::into).collect())))
}

/// Show a built-in workflow.
#[utoipa::path(get, path = "/api/templates/{id}", tag = "catalogue",
    params(("id" = String, Path, description = "Such as `keyword-reply`")),
    responses((status = 200, description = "The template", body = TemplateView)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    _: Principal,
    Path(id): Path<String>,
) -> Result<Json<TemplateView>, ApiError> {
    let template = find(&state, &id)?;
    let document = serde_json::to_value(&template.document).map_err(|fault| ApiError::internal(&fault))?;
    Ok(Json(TemplateView { summary: template.into(), document }))
}

fn find<'a>(state: &'a ApiState, id: &str) -> Result<&'a Template, ApiError> {
    let found = state.templates.iter().find(|template| template.id == id);
    found.ok_or_else(|| ApiError::not_found("template", id))
}

impl From<&Template> for TemplateSummary {
    fn from(template: &Template) -> Self {
        let mut node_types: Vec<_> =
            template.document.nodes.iter().map(|node| node.node_type.clone()).collect();
        node_types.sort_unstable();
        node_types.dedup();
        Self {
            id: template.id.clone(),
            name: template.document.name.clone(),
            description: template.document.description.clone(),
            node_types,
            tests: template.document.tests.len(),
        }
    }
}
