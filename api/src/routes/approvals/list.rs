//! Lists what waits for a decision.

use super::Question;
use crate::answer::{Listed, PageQuery};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::Query;
use crate::links::{ApprovalTicket, approval_link};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use sluice_engine::store::WaitingNode;

/// A decision that a run waits for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ApprovalView {
    /// Names it in `POST /api/approvals/{id}`.
    id: String,
    /// `run_…`.
    run_id: String,
    /// `wf_…`.
    workflow_id: String,
    /// Node id.
    node: String,
    /// Iteration of the node.
    iteration: u32,
    /// What is to be decided, in a few words.
    #[schema(required)]
    title: Option<String>,
    /// What the person needs to know, Markdown.
    #[schema(required)]
    message: Option<String>,
    /// Who may decide; everybody when empty.
    approvers: Vec<String>,
    /// Since when the run waits.
    since: i64,
    /// When it goes on without a decision.
    #[schema(required)]
    expires_at: Option<i64>,
    /// An address under which the decision can be shown and made without a key; null when links are switched off.
    #[schema(required)]
    link: Option<String>,
}

/// List the decisions that runs wait for, the longest waiting first.
#[utoipa::path(get, path = "/api/approvals", tag = "approvals", params(PageQuery),
    responses((status = 200, description = "A page of open decisions", body = Listed<ApprovalView>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    tenant: Tenant,
    Query(page): Query<PageQuery>,
) -> Result<Json<Listed<ApprovalView>>, ApiError> {
    let store = state.engine.store();
    let found = store.approvals(&tenant.workspace_id, page.cursor.as_deref(), page.size()).await?;
    let items = found.items.into_iter().map(|waiting| view(&state, waiting)).collect();
    Ok(Json(Listed { items, next: found.next }))
}

fn view(state: &ApiState, waiting: WaitingNode) -> ApprovalView {
    let text = |name: &str| waiting.wait.info[name].as_str().map(ToOwned::to_owned);
    let approvers = waiting.wait.info["approvers"].as_array().into_iter().flatten();
    let life = i64::try_from(state.config.link_life.as_millis()).unwrap_or(i64::MAX);
    let link_end = state.engine.now_ms().saturating_add(life);
    let ticket = ApprovalTicket {
        workspace_id: waiting.key.workspace_id.to_string(),
        run_id: waiting.key.run_id.to_string(),
        node: waiting.node.clone(),
        iteration: waiting.iteration,
        expires_at: waiting.wait.until.map_or(link_end, |until| until.min(link_end)),
    };
    let (title, message) = (text("title"), text("message"));
    let approvers = approvers.filter_map(Value::as_str).map(ToOwned::to_owned).collect();
    let question =
        Question { key: waiting.key.clone(), node: waiting.node.clone(), iteration: waiting.iteration };
    ApprovalView {
        id: question.id(),
        run_id: ticket.run_id.clone(),
        workflow_id: waiting.workflow_id,
        node: waiting.node,
        iteration: waiting.iteration,
        title,
        message,
        approvers,
        since: waiting.since,
        expires_at: waiting.wait.until,
        link: approval_link(&state.config, &ticket),
    }
}
