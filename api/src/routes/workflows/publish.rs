//! Freezes the draft as a version and activates its triggers.

use crate::answer::to_the_end;
use crate::auth::Tenant;
use crate::documents;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sluice_engine::drive::EngineError;
use sluice_engine::graph::Problem;
use sluice_engine::store::TriggerRow;

/// What was published.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Published {
    /// `wf_…`.
    id: String,
    /// The new version.
    version: i64,
    /// What may be wrong with it.
    problems: Vec<Problem>,
    /// What starts it from now on.
    triggers: Vec<ActiveTrigger>,
}

/// A trigger of a published version.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ActiveTrigger {
    /// Node id.
    node: String,
    /// `manual`, `webhook`, `schedule`, `event`, `error` or `workflow`.
    source: String,
    /// The event topic, for events.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// Where requests must go, for webhooks.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// Publish the draft: it becomes an immutable version and its triggers become active.
#[utoipa::path(post, path = "/api/workflows/{id}/publish", tag = "workflows", params(("id" = String, Path, description = "`wf_…`")),
    responses(
        (status = 200, description = "The version and its triggers", body = Published),
        (status = 402, description = "`plan_limit_reached`: the plan allows no more published workflows", body = crate::error::ErrorBody),
        (status = 409, description = "`path_taken`", body = crate::error::ErrorBody),
        (status = 422, description = "`invalid_workflow`; `details.problems` lists all of them", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn publish(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
) -> Result<Json<Published>, ApiError> {
    let state = tenant.sign(&state);
    super::find(&state, &tenant.workspace_id, &id).await?;
    Ok(Json(publish_draft(&state, &tenant.workspace_id, &id).await?))
}

/// Publishes a draft.
pub(crate) async fn publish_draft(
    state: &ApiState,
    workspace_id: &str,
    id: &str,
) -> Result<Published, ApiError> {
    let others = state.engine.store().count_published(workspace_id, id).await?;
    state.records.require_room(workspace_id, "automations", others).await?;
    let kinds = documents::credential_kinds(state, workspace_id).await?;
    let (engine, workspace, workflow) = (state.engine.clone(), workspace_id.to_owned(), id.to_owned());
    let work = async move {
        let known = |name: &str| kinds.get(name).cloned();
        let (version, problems) = engine.publish(&workspace, &workflow, Some(&known)).await?;
        let triggers = engine.store().triggers_of(&workspace, &workflow).await?;
        Ok::<_, EngineError>((version, problems, triggers))
    };
    let (version, problems, triggers) = to_the_end(work).await??;
    let hooks = hooks_url(state, workspace_id).await?;
    let triggers = triggers.into_iter().map(|row| ActiveTrigger::new(row, &hooks)).collect();
    Ok(Published { id: id.to_owned(), version, problems, triggers })
}

async fn hooks_url(state: &ApiState, workspace_id: &str) -> Result<String, ApiError> {
    let workspace = state.records.workspace(workspace_id).await?;
    Ok(format!("{}/hooks/{}", state.config.public_url.trim_end_matches('/'), workspace.name))
}

impl ActiveTrigger {
    fn new(row: TriggerRow, hooks: &str) -> Self {
        let url = (row.source == "webhook").then(|| format!("{hooks}/{}", row.key));
        let topic = (row.source == "event").then_some(row.key);
        Self { node: row.node, source: row.source, topic, url }
    }
}
