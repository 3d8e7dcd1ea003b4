//! Workflows as the API shows them.

use crate::documents::{self, WorkflowDocument};
use crate::error::ApiError;
use crate::state::ApiState;
use serde::Serialize;
use serde_json::Value;
use sluice_engine::graph::Problem;
use sluice_engine::store::{StoreError, TriggerRow, VersionRow, WorkflowRow};

/// A workflow in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct WorkflowSummary {
    /// `wf_…`.
    pub(crate) id: String,
    /// Name, unique in the workspace.
    pub(crate) name: String,
    /// Counts the saves of the draft, from 1.
    pub(crate) revision: i64,
    /// The active version; null when none is.
    #[schema(required)]
    pub(crate) published_version: Option<i64>,
    /// When it was made.
    pub(crate) created_at: i64,
    /// When the draft was last saved.
    pub(crate) updated_at: i64,
    /// Published triggers that rest because their credential does not open any more. They go on when the account is
    /// connected again.
    pub(crate) paused: Vec<PausedTrigger>,
}

/// A trigger that rests.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PausedTrigger {
    /// Id of the trigger's node.
    pub(crate) node: String,
    /// Name of the credential.
    pub(crate) credential: String,
    /// Why it does not open.
    pub(crate) reason: String,
}

/// A workflow with its draft.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct WorkflowView {
    #[serde(flatten)]
    pub(crate) summary: WorkflowSummary,
    /// The draft.
    #[schema(value_type = WorkflowDocument)]
    pub(crate) document: Value,
    /// Everything wrong with the draft. Drafts are saved nevertheless; only publishing refuses errors.
    pub(crate) problems: Vec<Problem>,
}

/// A frozen version in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct VersionSummary {
    /// From 1.
    pub(crate) version: i64,
    /// When it was frozen.
    pub(crate) published_at: i64,
    /// Whether its triggers are the active ones.
    pub(crate) is_active: bool,
}

/// A frozen version.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct VersionView {
    #[serde(flatten)]
    pub(crate) summary: VersionSummary,
    /// What was frozen.
    #[schema(value_type = WorkflowDocument)]
    pub(crate) document: Value,
}

impl WorkflowSummary {
    /// `resting` are the triggers of the workspace that rest.
    pub(crate) fn new(row: &WorkflowRow, resting: &[TriggerRow]) -> Self {
        let own = resting.iter().filter(|trigger| trigger.workflow_id == row.id);
        Self {
            paused: own.map(PausedTrigger::new).collect(),
            id: row.id.clone(),
            name: row.name.clone(),
            revision: row.revision,
            published_version: row.published_version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl PausedTrigger {
    fn new(row: &TriggerRow) -> Self {
        Self {
            node: row.node.clone(),
            credential: row.credential.clone().unwrap_or_default(),
            reason: row.paused.clone().unwrap_or_default(),
        }
    }
}

impl VersionSummary {
    /// `active` is the published version of its workflow.
    pub(crate) fn new(row: &VersionRow, active: Option<i64>) -> Self {
        Self { version: row.version, published_at: row.published_at, is_active: active == Some(row.version) }
    }
}

/// A workflow with its draft and what is wrong with it.
pub(crate) async fn view(
    state: &ApiState,
    workspace_id: &str,
    row: &WorkflowRow,
) -> Result<WorkflowView, ApiError> {
    let document = stored(&row.draft, &row.id)?;
    let problems = match sluice_engine::graph::parse(&document) {
        Ok(draft) => documents::problems(state, workspace_id, &draft).await?,
        // Saved by another version of the program; shown as it is.
        Err(problems) => problems,
    };
    let resting = state.engine.store().paused_triggers(workspace_id).await?;
    Ok(WorkflowView { summary: WorkflowSummary::new(row, &resting), document, problems })
}

/// A stored document.
pub(crate) fn stored(text: &str, id: &str) -> Result<Value, ApiError> {
    serde_json::from_str(text)
        .map_err(|_| StoreError::Corrupt { what: "the document", id: id.to_owned() }.into())
}
