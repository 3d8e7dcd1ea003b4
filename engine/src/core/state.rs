//! The state of a run: what its events add up to. Changed by [`super::fold`] only, so that replaying the
//! events always gives the same state.

use super::event::{NodeIx, NodeOutput, Pins, PortIx, RunError, RunStatus, Wait};
use crate::graph::{EdgeIx, Plan};
use sluice_node_sdk::context::Doubt;
use sluice_node_sdk::item::Items;
use sluice_node_sdk::outcome::{Cause, Reply, WaitKind};
use smallvec::SmallVec;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How a node stands in its latest execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodePhase {
    /// Inputs are not all known.
    #[default]
    Pending,
    /// May start.
    Ready,
    /// Announced and started (nodes with an effect only).
    Running,
    /// Waits for a time, a signal, or its next attempt.
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

/// Everything about a run.
#[derive(Clone, Debug)]
pub struct RunState {
    /// Queued until the first event, then running or over; "waiting" is worked out by [`RunState::status`].
    pub(super) over: Option<RunStatus>,
    /// How it will end, once that is decided.
    pub(super) ending: Option<(RunStatus, Option<Box<RunError>>)>,
    /// The trigger that fired.
    pub(super) trigger: Option<NodeIx>,
    /// Fixed outputs of a test run.
    pub(super) pins: Pins,
    /// The run fails at this moment.
    pub(super) deadline: Option<i64>,
    /// When it began, or was last retried.
    pub(super) began: i64,
    /// The answer for the caller of a webhook.
    pub(super) reply: Option<Reply>,
    /// One per node of the plan.
    pub(super) nodes: Vec<NodeState>,
    /// One per edge of the plan.
    pub(super) edges: Vec<EdgeState>,
    /// One per loop of the plan.
    pub(super) loops: Vec<LoopState>,
    /// Nodes that became ready, in order; entries whose node moved on are passed over.
    pub(super) ready: VecDeque<NodeIx>,
    /// Nodes whose inputs all died, to be skipped.
    pub(super) dead: VecDeque<NodeIx>,
    /// Number of nodes in phase `Running`.
    pub(super) running: u32,
    /// Number of nodes in phase `Waiting`.
    pub(super) waiting: u32,
    /// Executions so far, over all nodes, and waits among them.
    pub(super) executions: u64,
    /// The node that finished last.
    pub(super) last: Option<NodeIx>,
}

/// One node of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct NodeState {
    pub(super) phase: NodePhase,
    /// Finished executions before the present one.
    pub(super) iteration: u32,
    /// Attempts of the present execution.
    pub(super) attempt: u32,
    /// Forward inputs that are neither filled nor dead.
    pub(super) open_inputs: u32,
    /// Whether any forward input is filled.
    pub(super) any_filled: bool,
    /// The latest finished execution.
    pub(super) record: Option<Arc<Record>>,
    /// What it waits for (a retry waits for a time only).
    pub(super) wait: Option<Arc<Wait>>,
    /// When the wait began.
    pub(super) since: i64,
    /// The next attempt after a failure.
    pub(super) retry_at: Option<i64>,
    /// What came, for the execution that goes on.
    pub(super) resumed: Option<(Cause, Arc<Wait>)>,
    /// Since when nobody knows what became of the execution's effect.
    pub(super) doubt: Option<i64>,
    /// Whether what nobody knows counts as done.
    pub(super) counts_as_done: bool,
    /// Attempts that the node's policy made although nobody knew.
    pub(super) policy_retries: u32,
}

/// A finished execution: what it read and what it gave.
#[derive(Debug, PartialEq)]
pub struct Record {
    /// Which execution of the node.
    pub iteration: u32,
    /// Where the items of its input came from, in order.
    pub inputs: SmallVec<[Source; 1]>,
    /// What it gave.
    pub output: Arc<NodeOutput>,
}

/// A run of input items that came from one port of one execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The node.
    pub node: NodeIx,
    /// Its execution.
    pub iteration: u32,
    /// Its output port.
    pub port: PortIx,
    /// How many items.
    pub items: u32,
}

/// What one execution sends along an edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Where the items come from.
    pub source: Source,
    /// The items.
    pub items: Items,
}

/// One edge of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct EdgeState {
    pub(super) resolved: bool,
    /// Deliveries: one for ordinary edges, several for edges that leave or close a loop.
    pub(super) deliveries: SmallVec<[Delivery; 1]>,
}

/// One loop of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct LoopState {
    /// An iteration is going on.
    pub(super) active: bool,
    /// The loop is over (or never began and its entry is done).
    pub(super) over: bool,
    /// Direct body nodes that are not through.
    pub(super) open: u32,
    /// What came back in this iteration, in the order of edges.
    pub(super) returned: Vec<(EdgeIx, Delivery)>,
    /// What came back in the iterations before this one. Shared with the running entry, so that handing it
    /// over costs nothing.
    pub(super) rounds: Arc<Vec<Items>>,
}

/// The input of an execution: per input port, where its items come from and the items.
#[derive(Clone, Debug, Default)]
pub struct NodeInput {
    /// Deliveries by port, in the order of the document's edges.
    pub ports: Vec<(Arc<str>, Vec<Delivery>)>,
    /// For loop entries: what came back.
    pub returned: Vec<Delivery>,
    /// For loop entries: what came back in each iteration before the last.
    pub rounds: Option<Arc<Vec<Items>>>,
}

/// The items of several deliveries as one list; a single delivery is shared, not copied.
pub fn join<'a>(deliveries: impl IntoIterator<Item = &'a Delivery>) -> Items {
    let mut deliveries = deliveries.into_iter();
    match (deliveries.next(), deliveries.next()) {
        (None, _) => Items::default(),
        (Some(one), None) => one.items.clone(),
        (Some(first), Some(second)) => {
            let all = [first, second].into_iter().chain(deliveries);
            Arc::new(all.flat_map(|found| found.items.iter().cloned()).collect())
        }
    }
}

impl NodeInput {
    /// The deliveries on a port.
    pub fn port(&self, name: &str) -> &[Delivery] {
        self.ports.iter().find(|(port, _)| &**port == name).map_or(&[], |(_, found)| found)
    }
}

impl RunState {
    /// A run of which nothing has happened.
    pub fn new(plan: &Plan) -> Self {
        let nodes = plan
            .nodes
            .iter()
            .map(|node| NodeState { open_inputs: node.inputs.len() as u32, ..NodeState::default() })
            .collect();
        Self {
            over: None,
            ending: None,
            trigger: None,
            pins: BTreeMap::new(),
            deadline: None,
            began: 0,
            reply: None,
            nodes,
            edges: vec![EdgeState::default(); plan.edges.len()],
            loops: vec![LoopState::default(); plan.loops.len()],
            ready: VecDeque::new(),
            dead: VecDeque::new(),
            running: 0,
            waiting: 0,
            executions: 0,
            last: None,
        }
    }

    /// The status of the run. It is `Waiting` when nothing runs or can run and something waits.
    pub fn status(&self) -> RunStatus {
        match (self.over, self.trigger) {
            (Some(status), _) => status,
            (None, None) => RunStatus::Queued,
            (None, Some(_)) if self.running == 0 && self.waiting > 0 && !self.has_ready() => {
                RunStatus::Waiting
            }
            (None, Some(_)) => RunStatus::Running,
        }
    }

    fn has_ready(&self) -> bool {
        self.nodes_in(NodePhase::Ready).next().is_some()
    }

    /// Why the run failed, if it did or will.
    pub fn error(&self) -> Option<&RunError> {
        self.ending.as_ref().and_then(|(_, error)| error.as_deref())
    }

    /// The answer for the caller of a webhook, once a node gave one.
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref()
    }

    /// The trigger that fired.
    pub fn trigger(&self) -> Option<NodeIx> {
        self.trigger
    }

    /// How a node stands.
    pub fn phase(&self, node: NodeIx) -> NodePhase {
        self.nodes[node as usize].phase
    }

    /// Finished executions of a node.
    pub fn iteration(&self, node: NodeIx) -> u32 {
        self.nodes[node as usize].iteration
    }

    /// Attempts of the present execution.
    pub fn attempt(&self, node: NodeIx) -> u32 {
        self.nodes[node as usize].attempt
    }

    /// The latest finished execution of a node.
    pub fn record(&self, node: NodeIx) -> Option<&Arc<Record>> {
        self.nodes[node as usize].record.as_ref()
    }

    /// What came for a node that goes on after a wait, and what it had waited for.
    pub fn resumed(&self, node: NodeIx) -> Option<&(Cause, Arc<Wait>)> {
        self.nodes[node as usize].resumed.as_ref()
    }

    /// What a node waits for, and since when. A pause before the next attempt is not a wait.
    pub fn wait(&self, node: NodeIx) -> Option<(&Arc<Wait>, i64)> {
        let node = &self.nodes[node as usize];
        (node.phase == NodePhase::Waiting).then_some(())?;
        node.wait.as_ref().map(|wait| (wait, node.since))
    }

    /// Since when nobody knows what became of the effect of the node's present execution.
    pub fn in_doubt_since(&self, node: NodeIx) -> Option<i64> {
        self.nodes[node as usize].doubt
    }

    /// What the node is to do about what nobody knows.
    pub fn doubt(&self, node: NodeIx) -> Option<Doubt> {
        let node = &self.nodes[node as usize];
        node.doubt.map(|_| if node.counts_as_done { Doubt::CountsAsDone } else { Doubt::Ask })
    }

    /// Attempts that the node's policy made although nobody knew.
    pub(super) fn policy_retries(&self, node: NodeIx) -> u32 {
        self.nodes[node as usize].policy_retries
    }

    /// Whether a person must say what became of an effect: the run waits for that alone, or ended without knowing.
    pub fn needs_answer(&self) -> bool {
        let is_question = |node: &NodeState| {
            node.wait.as_ref().filter(|wait| wait.kind == WaitKind::Outcome).map(|wait| wait.until)
        };
        self.nodes.iter().any(|node| match (self.over, node.phase) {
            (None, NodePhase::Waiting) => is_question(node) == Some(None),
            (Some(_), NodePhase::Failed) => node.doubt.is_some(),
            // Whoever cancels a run sees what it asks; a failure elsewhere in the run ends the question unseen.
            (Some(RunStatus::Failed), NodePhase::Cancelled) => {
                node.doubt.is_some() && is_question(node).is_some()
            }
            _ => false,
        })
    }

    /// When the next attempt of a failed node is due.
    pub fn retry_at(&self, node: NodeIx) -> Option<i64> {
        self.nodes[node as usize].retry_at
    }

    /// How long a failed node pauses before its next attempt, milliseconds.
    pub fn pause(&self, node: NodeIx) -> Option<i64> {
        let node = &self.nodes[node as usize];
        node.retry_at.map(|at| at.saturating_sub(node.since))
    }

    /// The node that finished last; its items are the result of the run.
    pub fn last(&self) -> Option<NodeIx> {
        self.last
    }

    /// The nodes in a phase.
    pub fn nodes_in(&self, phase: NodePhase) -> impl Iterator<Item = NodeIx> {
        self.nodes.iter().enumerate().filter(move |(_, node)| node.phase == phase).map(|(ix, _)| ix as NodeIx)
    }

    /// Number of nodes that are announced and not through.
    pub fn running(&self) -> u32 {
        self.running
    }

    /// Whether a person fixed the node's output for this run.
    pub fn is_pinned(&self, node: NodeIx) -> bool {
        self.pins.contains_key(&node)
    }

    /// The next moment at which something is due: a wait, an attempt or the run's deadline.
    pub fn next_wake(&self) -> Option<i64> {
        if self.over.is_some() {
            return None;
        }
        let waits = self.nodes.iter().filter(|node| node.phase == NodePhase::Waiting);
        let due = waits.filter_map(|node| node.retry_at.or_else(|| node.wait.as_ref()?.until));
        // A run that is ending already is not ended again.
        due.chain(self.deadline.filter(|_| self.ending.is_none())).min()
    }

    /// Whether the time of a waiting node has come. A pause that has not begun yet is of a clock that was set back since:
    /// nobody knows how much of it is left, and it is over.
    pub(super) fn is_due(&self, node: NodeIx, now: i64) -> bool {
        let node = &self.nodes[node as usize];
        match node.retry_at {
            Some(at) => at <= now || now < node.since,
            None => node.wait.as_ref().and_then(|wait| wait.until).is_some_and(|until| until <= now),
        }
    }

    /// What a node reads in its present execution.
    pub fn input(&self, plan: &Plan, node: NodeIx) -> NodeInput {
        let mut input = NodeInput::default();
        for edge in &plan.at(node).inputs {
            let port = &plan.edges[*edge as usize].target_port;
            let deliveries = &self.edges[*edge as usize].deliveries;
            match input.ports.iter_mut().find(|(name, _)| name == port) {
                Some((_, found)) => found.extend(deliveries.iter().cloned()),
                None => input.ports.push((port.clone(), deliveries.to_vec())),
            }
        }
        if let Some(at) = plan.at(node).entry_of {
            let returned = &self.loops[at as usize].returned;
            input.returned = returned.iter().map(|(_, delivery)| delivery.clone()).collect();
            input.rounds = Some(self.loops[at as usize].rounds.clone());
        }
        input
    }

    /// Whether a loop entry is between two iterations of one pass, so that its memory still counts.
    pub fn in_loop_round(&self, plan: &Plan, node: NodeIx) -> bool {
        plan.at(node).entry_of.is_some_and(|at| self.loops[at as usize].active)
    }

    /// Where the items on the `main` input of a node come from.
    pub(super) fn main_sources(&self, plan: &Plan, node: NodeIx) -> SmallVec<[Source; 1]> {
        let edges =
            plan.at(node).inputs.iter().filter(|edge| &*plan.edges[**edge as usize].target_port == "main");
        edges
            .flat_map(|edge| self.edges[*edge as usize].deliveries.iter().map(|found| found.source))
            .collect()
    }
}

impl PartialEq for RunState {
    /// Equal when everything that matters for what happens next is equal. The queues are not compared:
    /// they are a cache of the phases.
    fn eq(&self, other: &Self) -> bool {
        self.over == other.over
            && self.ending == other.ending
            && self.trigger == other.trigger
            && self.pins == other.pins
            && (self.deadline, self.began) == (other.deadline, other.began)
            && self.reply == other.reply
            && self.nodes == other.nodes
            && self.edges == other.edges
            && self.loops == other.loops
            && self.last == other.last
            && (self.running, self.waiting, self.executions)
                == (other.running, other.waiting, other.executions)
    }
}
