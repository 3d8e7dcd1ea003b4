//! What is committed and what is read back, as plain data. Must not know decisions.

use crate::core::{Event, EventKind, RunError, RunStatus, Wait};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_node_sdk::outcome::Reply;
use sluice_node_sdk::usage::UsageNote;
use std::sync::Arc;

/// Names one run. Every key starts with the workspace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunKey {
    /// `ws_…`.
    pub workspace_id: Arc<str>,
    /// `run_…`.
    pub run_id: Arc<str>,
}

/// The facts of a run that never change.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRun {
    /// Which run.
    pub key: RunKey,
    /// `wf_…`.
    pub workflow_id: String,
    /// The pinned version; 0 for a test run of the draft, whose document is then in `document`.
    pub version: i64,
    /// The document of a draft run.
    pub document: Option<Arc<str>>,
    /// Type of the trigger node, for lists.
    pub trigger_type: String,
    /// A test run started by a person.
    pub is_test: bool,
    /// Nodes describe their outside effects in place of having them.
    pub dry_run: bool,
    /// Runs with the same lane are handled one at a time.
    pub lane: Option<String>,
    /// `run_…` of the run that called this one; it is signalled with `run:<id>` at the end.
    pub parent_run_id: Option<String>,
    /// `in_…` of the inbound body that caused it.
    pub inbound_id: Option<String>,
    /// Start is refused when a run with this key exists in the workspace (deduplication of outside events).
    pub dedupe_key: Option<String>,
    /// When it was accepted, milliseconds since the epoch.
    pub created_at: i64,
}

/// One commit of one run: everything that was decided between two commits.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Which run.
    pub key: RunKey,
    /// The number of turns committed before; a different number in the store makes the commit stale.
    pub expected: i64,
    /// Set on the first turn, when `expected` is 0.
    pub new_run: Option<Box<NewRun>>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// Number of events of this run before this turn.
    pub first_seq: i64,
    /// How the run stands after this turn.
    pub status: RunStatus,
    /// Why it failed.
    pub error: Option<RunError>,
    /// When it began, set by the turn that begins it.
    pub started_at: Option<i64>,
    /// When it ended, set by the turn that ends it.
    pub ended_at: Option<i64>,
    /// The next moment at which the run must be woken; `None` for never. Replaces what was stored.
    pub wake_at: Option<i64>,
    /// The process that goes on driving the run after this turn; `None` when nobody does, because it waits, is
    /// over, or is left for whoever claims it. Replaces what was stored.
    pub owner: Option<i64>,
    /// Why a person must look at the run. Replaces what was stored.
    pub attention: Option<Attention>,
    /// The key of the signal that this turn takes; a second turn with it in the workspace is a duplicate.
    pub receipt: Option<String>,
    /// What somebody did by this turn, for the log.
    pub change: Option<Box<super::Change>>,
    /// All that the run waits for now. Replaces what was stored when `Some`.
    pub waits: Option<Vec<WaitRow>>,
    /// What executions used whose results this turn takes.
    pub usage: Vec<UsageNote>,
    /// Child runs to create in the same transaction, each with its own first turn.
    pub children: Vec<Turn>,
}

impl Turn {
    /// Whether nothing is left to be done after this turn by whoever drives the run.
    pub fn is_all(&self) -> bool {
        (self.status.is_over() || self.status == RunStatus::Waiting) && self.children.is_empty()
    }
}

/// Why a person must look at a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// Nobody knows whether an effect that must not be repeated took place.
    UnknownOutcome,
    /// What drives the run crashed again and again, so it was given up.
    Poisoned,
}

/// One node of a run that waits for a signal.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitRow {
    /// Node id in the workflow.
    pub node: String,
    /// How many times the node ran before in this run.
    pub iteration: u32,
    /// What it waits for.
    pub wait: Arc<Wait>,
    /// Since when, milliseconds since the epoch.
    pub since: i64,
}

/// What became of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// It is durable.
    Done,
    /// Someone else committed a turn of this run first; load it again.
    Stale,
    /// A run with the same deduplication key exists, or the signal was taken before; nothing was written.
    Duplicate,
}

/// A run as the driver loads it.
#[derive(Clone, Debug)]
pub struct StoredRun {
    /// Its fixed facts.
    pub run: NewRun,
    /// Number of turns committed.
    pub turns: i64,
    /// Status after the last turn.
    pub status: RunStatus,
    /// Why it failed.
    pub error: Option<RunError>,
    /// All events, in order.
    pub events: Vec<Event>,
    /// When it began.
    pub started_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// The process that drives it.
    pub owner: Option<i64>,
    /// How often a process took it up since its last commit.
    pub claims: i64,
    /// Why a person must look at it.
    pub attention: Option<Attention>,
}

impl StoredRun {
    /// The answer given to a webhook: the first that a node gave.
    pub fn reply(&self) -> Option<&Reply> {
        self.events.iter().find_map(|event| match &event.kind {
            EventKind::RunStarted { output, .. } | EventKind::NodeSucceeded { output, .. } => {
                output.reply.as_ref()
            }
            _ => None,
        })
    }
}

/// A run in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunSummary {
    /// `run_…`.
    pub id: String,
    /// `wf_…`.
    pub workflow_id: String,
    /// Name of the workflow, as it is now.
    pub workflow_name: Option<String>,
    /// Pinned version; 0 for a test run of the draft.
    pub version: i64,
    /// How it stands.
    pub status: RunStatus,
    /// Type of the trigger node.
    pub trigger_type: String,
    /// A test run started by a person.
    pub is_test: bool,
    /// When it was accepted, milliseconds since the epoch.
    pub created_at: i64,
    /// When it began.
    pub started_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Why it failed.
    pub error: Option<RunError>,
    /// Why a person must look at it.
    pub attention: Option<Attention>,
}

/// Filter of a list of runs; newest first.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Only of this workflow.
    pub workflow_id: Option<String>,
    /// Only with this status.
    pub status: Option<RunStatus>,
    /// Only accepted at or after this moment.
    pub since: Option<i64>,
    /// Only those that a person must look at.
    pub attention: bool,
    /// Go on after the last item of the page before.
    pub cursor: Option<String>,
    /// Page size, 1 to 200.
    pub limit: u32,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// A draft, with its place in the history of its workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkflowRow {
    /// `wf_…`.
    pub id: String,
    /// Name, unique in the workspace.
    pub name: String,
    /// Counts the saves of the draft, from 1.
    pub revision: i64,
    /// The draft document, as JSON text.
    pub draft: String,
    /// The published version, if one is active.
    pub published_version: Option<i64>,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Milliseconds since the epoch.
    pub updated_at: i64,
}

/// An immutable version.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionRow {
    /// `wf_…`.
    pub workflow_id: String,
    /// From 1.
    pub version: i64,
    /// The document, as JSON text.
    pub document: String,
    /// Milliseconds since the epoch.
    pub published_at: i64,
}

/// A published trigger: who is asked when something happens outside.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerRow {
    /// `ws_…`.
    pub workspace_id: String,
    /// `wf_…`.
    pub workflow_id: String,
    /// The published version.
    pub version: i64,
    /// Node id of the trigger.
    pub node: String,
    /// `manual`, `webhook`, `schedule`, `event`, `error` or `workflow`.
    pub source: String,
    /// Webhook path, or event topic; empty for the others.
    pub key: String,
    /// Lower is asked first.
    pub priority: i64,
    /// Does not count as an answer.
    pub listen_only: bool,
    /// Competes with others for each event.
    pub competes: bool,
    /// The credential that it names.
    pub credential: Option<String>,
    /// Why it rests, when its credential does not open; set when it is read.
    pub paused: Option<String>,
}

/// A schedule of a published workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleRow {
    /// `ws_…`.
    pub workspace_id: String,
    /// `wf_…`.
    pub workflow_id: String,
    /// Node id of the trigger.
    pub node: String,
    /// Parameters of the trigger, as JSON text.
    pub params: String,
    /// The next moment, milliseconds since the epoch; `None` when there is none.
    pub next_at: Option<i64>,
}

/// Someone who waits, as found by signal key or listed as an approval.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitingNode {
    /// Which run.
    pub key: RunKey,
    /// `wf_…`.
    pub workflow_id: String,
    /// Node id.
    pub node: String,
    /// Iteration of the node.
    pub iteration: u32,
    /// What it waits for.
    pub wait: Wait,
    /// Since when.
    pub since: i64,
}

/// Stored as JSON in columns; here so that the row mapping stays in one place.
pub(crate) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| Value::String(error.to_string()).to_string())
}
