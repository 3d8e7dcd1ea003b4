//! A run as people read it: node by node, with inputs, outputs, errors and times. Worked out from the events,
//! so nothing of it is stored twice.

mod outcome;

use crate::core::{
    Event, EventKind, NodeInput, NodeIx, NodeOutput, NodePhase, RunError, RunState, RunStatus,
};
use crate::drive::{Engine, EngineError, Program};
use crate::store::{Attention, RunKey, StoreError, StoredRun};
pub use outcome::OutcomeView;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_node_sdk::context::LogLine;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::item::{Item, Items};
use sluice_node_sdk::outcome::Reply;
use sluice_node_sdk::spec::Effect;
use std::collections::BTreeMap;

/// A run with its node runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunView {
    /// `run_…`.
    pub id: String,
    /// `wf_…`.
    pub workflow_id: String,
    /// Name of the workflow, as in the version that ran.
    pub workflow_name: String,
    /// Pinned version; 0 for a test run of the draft.
    pub version: i64,
    /// How it stands.
    pub status: RunStatus,
    /// Type of the trigger node.
    pub trigger_type: String,
    /// A test run started by a person.
    pub is_test: bool,
    /// Without outside effects.
    pub dry_run: bool,
    /// When it was accepted, milliseconds since the epoch.
    pub created_at: i64,
    /// When it began.
    pub started_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// The next moment at which it goes on by itself.
    pub wake_at: Option<i64>,
    /// The run that called it.
    pub parent_run_id: Option<String>,
    /// The stored body that caused it.
    pub inbound_id: Option<String>,
    /// Why it failed.
    pub error: Option<RunError>,
    /// Why a person must look at it: `unknown_outcome` or `poisoned`.
    pub attention: Option<Attention>,
    /// The answer given to the caller of a webhook.
    #[schema(value_type = Option<Object>)]
    pub reply: Option<Reply>,
    /// The items that left the workflow: `json` by node, of nodes from which nothing flowed on.
    #[schema(value_type = Object)]
    pub output: BTreeMap<String, Vec<Value>>,
    /// Node runs, in the order in which they began; then the nodes that have not run.
    pub nodes: Vec<NodeRunView>,
    /// What of it is lost. Nodes are then shown up to that place only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
}

/// One node at one iteration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NodeRunView {
    /// Id of the node in the workflow.
    pub id: String,
    /// Node type.
    #[serde(rename = "type")]
    pub node_type: String,
    /// Name on the canvas.
    pub label: Option<String>,
    /// `pending`, `running`, `waiting`, `succeeded`, `failed`, `skipped` or `cancelled`.
    pub status: NodeStatus,
    /// Runs of this node before this one.
    pub iteration: u32,
    /// Attempts so far.
    pub attempt: u32,
    /// When it began, milliseconds since the epoch.
    pub started_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Items by input port.
    #[schema(value_type = Object)]
    pub input: BTreeMap<String, Vec<Item>>,
    /// Items by output port.
    #[schema(value_type = Object)]
    pub output: BTreeMap<String, Vec<Item>>,
    /// Why it failed (the latest failure; a later attempt may have gone well).
    #[schema(value_type = Option<Object>)]
    pub error: Option<NodeError>,
    /// When the next attempt is due.
    pub retry_at: Option<i64>,
    /// What it waits for.
    #[schema(value_type = Option<Object>)]
    pub wait: Option<Value>,
    /// Whether nobody knows, or knew, what became of its effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeView>,
    /// Whether its output was fixed by the person who started the test run; it did not run then.
    #[serde(default)]
    pub pinned: bool,
    /// What it logged.
    #[schema(value_type = Vec<Object>)]
    pub logs: Vec<LogLine>,
}

/// How a node run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeStatus {
    /// Not reached.
    Pending,
    /// Under way.
    Running,
    /// Waiting for a time, a signal or its next attempt.
    Waiting,
    /// Finished.
    Succeeded,
    /// Failed for good.
    Failed,
    /// All inputs were dead.
    Skipped,
    /// Given up because the run ended.
    Cancelled,
}

impl NodeStatus {
    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }
}

impl From<NodePhase> for NodeStatus {
    fn from(phase: NodePhase) -> Self {
        match phase {
            // Ready and not announced: its run is queued, or the process stopped before it began.
            NodePhase::Pending | NodePhase::Ready => Self::Pending,
            NodePhase::Running => Self::Running,
            NodePhase::Waiting => Self::Waiting,
            NodePhase::Succeeded => Self::Succeeded,
            NodePhase::Failed => Self::Failed,
            NodePhase::Skipped => Self::Skipped,
            NodePhase::Cancelled => Self::Cancelled,
        }
    }
}

impl Engine {
    /// A run as people read it.
    ///
    /// # Errors
    /// When the store fails or the stored events do not fit the workflow version.
    pub async fn run_view(&self, key: &RunKey) -> Result<Option<RunView>, EngineError> {
        let Some((stored, damage)) = self.store().load_readable(key).await? else { return Ok(None) };
        let mut made = match self.program_of_run(&stored.run).await {
            Ok(program) => view(&program, &stored)?,
            // The version cannot run in this process; the facts of the run are still shown.
            Err(EngineError::Problems(_) | EngineError::NotFound { .. }) => bare(&stored, String::new()),
            Err(error) => return Err(error),
        };
        made.damage = damage.map(|damage| damage.to_string());
        Ok(Some(made))
    }
}

/// Works out the view of a stored run.
///
/// # Errors
/// When the events do not fit the program.
pub fn view(program: &Program, stored: &StoredRun) -> Result<RunView, EngineError> {
    let corrupt = |_| StoreError::Corrupt { what: "events", id: stored.run.key.run_id.to_string() };
    let mut reader =
        Reader { program, state: RunState::new(&program.plan), nodes: Vec::new(), latest: BTreeMap::new() };
    for event in &stored.events {
        reader.read(event).map_err(corrupt)?;
    }
    let mut made = bare(stored, program.document.name.clone());
    made.wake_at = reader.state.next_wake();
    made.output = reader.output();
    made.nodes = reader.finish();
    Ok(made)
}

fn bare(stored: &StoredRun, workflow_name: String) -> RunView {
    RunView {
        id: stored.run.key.run_id.to_string(),
        workflow_id: stored.run.workflow_id.clone(),
        workflow_name,
        version: stored.run.version,
        status: stored.status,
        trigger_type: stored.run.trigger_type.clone(),
        is_test: stored.run.is_test,
        dry_run: stored.run.dry_run,
        created_at: stored.run.created_at,
        started_at: stored.started_at,
        ended_at: stored.ended_at,
        wake_at: None,
        parent_run_id: stored.run.parent_run_id.clone(),
        inbound_id: stored.run.inbound_id.clone(),
        error: stored.error.clone(),
        attention: stored.attention,
        reply: stored.reply().cloned(),
        output: BTreeMap::new(),
        nodes: Vec::new(),
        damage: None,
    }
}

struct Reader<'a> {
    program: &'a Program,
    state: RunState,
    nodes: Vec<NodeRunView>,
    /// Place of the latest view of each node in `nodes`, with its iteration.
    latest: BTreeMap<NodeIx, usize>,
}

impl Reader<'_> {
    fn read(&mut self, event: &Event) -> Result<(), crate::core::fold::IllegalEvent> {
        let node = crate::core::fold::node_of(&event.kind);
        let input = node
            .filter(|node| (*node as usize) < self.program.nodes.len())
            .map(|node| (self.state.input(&self.program.plan, node), self.state.iteration(node)));
        let tried = node.filter(|_| input.is_some()).map_or(0, |node| self.tried(node));
        self.state.apply(&self.program.plan, event)?;
        if matches!(event.kind, EventKind::RunRetried {}) {
            self.reopen();
        }
        let (Some(node), Some((input, iteration))) = (node, input) else { return Ok(()) };
        let phase = self.state.phase(node);
        let program = self.program;
        let view = self.view_of(node, iteration, &input, event.at);
        view.status = phase.into();
        if program.plan.at(node).effect == Effect::Once {
            outcome::read(view, event);
        }
        match &event.kind {
            EventKind::RunStarted { output, .. } => finish(view, event.at, None, Some(output), program, node),
            EventKind::NodeStarted { attempt, .. } => (view.attempt, view.retry_at) = (*attempt, None),
            EventKind::NodeSucceeded { began, output, .. } => {
                view.attempt = tried;
                finish(view, event.at, *began, Some(output), program, node);
            }
            EventKind::NodeFailed { began, error, retry_at, output, logs, .. } => {
                view.error = Some((**error).clone());
                view.retry_at = *retry_at;
                view.logs.extend(logs.iter().cloned());
                view.attempt = tried;
                match retry_at {
                    Some(_) => {}
                    None => finish(view, event.at, *began, output.as_ref(), program, node),
                }
            }
            EventKind::NodeSkipped { .. } => (view.started_at, view.ended_at) = (None, Some(event.at)),
            EventKind::NodeSuspended { wait, .. } => {
                view.attempt = view.attempt.max(1);
                view.wait = serde_json::to_value(wait).ok();
            }
            EventKind::NodeResumed { .. } => (view.wait, view.retry_at) = (None, None),
            EventKind::NodeCancelled { .. } => (view.wait, view.ended_at) = (None, Some(event.at)),
            EventKind::RunEnding { .. } | EventKind::RunFinished { .. } | EventKind::RunRetried {} => {}
        }
        Ok(())
    }

    /// Attempts of a node whose attempt ends with the next event. Pure nodes are not announced, so theirs is not
    /// counted yet.
    fn tried(&self, node: NodeIx) -> u32 {
        let announced = self.state.phase(node) == NodePhase::Running;
        let is_pure = self.program.plan.at(node).effect == Effect::Pure;
        self.state.attempt(node) + u32::from(is_pure && !announced)
    }

    /// What failed or was given up is to run again.
    fn reopen(&mut self) {
        for (node, place) in &self.latest {
            let view = &mut self.nodes[*place];
            if matches!(view.status, NodeStatus::Failed | NodeStatus::Cancelled) {
                view.status = self.state.phase(*node).into();
                view.ended_at = None;
            }
        }
    }

    /// The view of a node's present execution, begun here if it has none.
    fn view_of(&mut self, node: NodeIx, iteration: u32, input: &NodeInput, at: i64) -> &mut NodeRunView {
        let known = self.latest.get(&node).copied();
        let place = known.filter(|place| {
            let view = &self.nodes[*place];
            view.iteration == iteration && !matches!(view.status, NodeStatus::Skipped)
        });
        let place = place.unwrap_or_else(|| {
            let document = &self.program.document.nodes[node as usize];
            let mut view = NodeRunView {
                id: document.id.clone(),
                node_type: document.node_type.clone(),
                label: document.label.clone(),
                status: NodeStatus::Pending,
                iteration,
                attempt: 0,
                started_at: Some(at),
                ended_at: None,
                input: BTreeMap::new(),
                output: BTreeMap::new(),
                error: None,
                retry_at: None,
                wait: None,
                outcome: None,
                pinned: self.state.is_pinned(node),
                logs: Vec::new(),
            };
            for (port, deliveries) in &input.ports {
                let items = deliveries.iter().flat_map(|found| found.items.iter().cloned());
                view.input.entry(port.to_string()).or_default().extend(items);
            }
            if !input.returned.is_empty() {
                let items = input.returned.iter().flat_map(|found| found.items.iter().cloned());
                view.input.insert("returned".to_owned(), items.collect());
            }
            view.input.retain(|_, items| !items.is_empty());
            self.nodes.push(view);
            self.latest.insert(node, self.nodes.len() - 1);
            self.nodes.len() - 1
        });
        &mut self.nodes[place]
    }

    /// The items of nodes from which nothing flowed on.
    fn output(&self) -> BTreeMap<String, Vec<Value>> {
        let plan = &self.program.plan;
        let mut output = BTreeMap::new();
        for (ix, node) in plan.nodes.iter().enumerate() {
            let Some(record) = self.state.record(ix as NodeIx) else { continue };
            let flowed =
                node.outputs.iter().any(|edge| record.output.port(plan.edges[*edge as usize].port).is_some());
            let is_lone_trigger = node.is_trigger && !node.outputs.is_empty();
            if flowed || is_lone_trigger || self.state.phase(ix as NodeIx) != NodePhase::Succeeded {
                continue;
            }
            let items: Vec<Value> = all_items(&record.output).map(|item| (*item.json).clone()).collect();
            if !items.is_empty() {
                output.insert(node.id.to_string(), items);
            }
        }
        output
    }

    fn finish(mut self) -> Vec<NodeRunView> {
        for (ix, node) in self.program.document.nodes.iter().enumerate() {
            if self.latest.contains_key(&(ix as NodeIx)) {
                continue;
            }
            self.nodes.push(NodeRunView {
                id: node.id.clone(),
                node_type: node.node_type.clone(),
                label: node.label.clone(),
                status: self.state.phase(ix as NodeIx).into(),
                iteration: 0,
                attempt: 0,
                started_at: None,
                ended_at: None,
                input: BTreeMap::new(),
                output: BTreeMap::new(),
                error: None,
                retry_at: None,
                wait: None,
                outcome: None,
                pinned: self.state.is_pinned(ix as NodeIx),
                logs: Vec::new(),
            });
        }
        self.nodes
    }
}

fn finish(
    view: &mut NodeRunView,
    at: i64,
    began: Option<i64>,
    output: Option<&std::sync::Arc<NodeOutput>>,
    program: &Program,
    node: NodeIx,
) {
    view.attempt = view.attempt.max(1);
    view.ended_at = Some(at);
    view.retry_at = None;
    if let Some(began) = began {
        view.started_at = Some(view.started_at.map_or(began, |known| known.min(began)));
    }
    if let Some(output) = output {
        view.output = by_port(&program.plan.at(node).ports, &output.ports);
        view.logs.extend(output.logs.iter().cloned());
    }
}

fn by_port(names: &[std::sync::Arc<str>], ports: &[(u16, Items)]) -> BTreeMap<String, Vec<Item>> {
    ports
        .iter()
        .filter_map(|(port, items)| Some((names.get(*port as usize)?.to_string(), (**items).clone())))
        .collect()
}

/// All items of an output, over all its ports.
pub fn all_items(output: &NodeOutput) -> impl Iterator<Item = &Item> {
    output.ports.iter().flat_map(|(_, items)| items.iter())
}
