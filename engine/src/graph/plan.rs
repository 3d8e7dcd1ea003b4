//! The plan: a document turned into numbers, with loops worked out, so that the core needs no names and
//! no graph algorithm while a run is going on.

use crate::core::{NodeIx, PortIx};
use crate::document::{Backoff, OnError, UnknownOutcome};
use petgraph::graph::DiGraph;
use sluice_node_sdk::spec::Effect;
use std::collections::HashMap;
use std::sync::Arc;

/// Position of an edge in [`Plan::edges`].
pub type EdgeIx = u32;

/// Position of a loop in [`Plan::loops`].
pub type LoopIx = u32;

/// A workflow version, ready to run.
#[derive(Debug)]
pub struct Plan {
    /// The graph itself: node weights are positions in `nodes`, edge weights positions in `edges`.
    pub graph: DiGraph<NodeIx, EdgeIx>,
    /// Nodes, in the document's order.
    pub nodes: Vec<PlanNode>,
    /// Edges, in the document's order.
    pub edges: Vec<PlanEdge>,
    /// Loops; an outer loop comes before the loops inside it.
    pub loops: Vec<LoopPlan>,
    /// Node numbers by id.
    pub by_id: HashMap<Arc<str>, NodeIx>,
}

/// A node of a plan.
#[derive(Debug)]
pub struct PlanNode {
    /// Id in the document.
    pub id: Arc<str>,
    /// `service.verb`.
    pub node_type: Arc<str>,
    /// What it does to the outside.
    pub effect: Effect,
    /// Whether it is a trigger.
    pub is_trigger: bool,
    /// Whether it passes its input through.
    pub disabled: bool,
    /// Names of its output ports; the position is the port's number. `error` is always among them.
    pub ports: Vec<Arc<str>>,
    /// Forward edges that end here.
    pub inputs: Vec<EdgeIx>,
    /// All edges that start here.
    pub outputs: Vec<EdgeIx>,
    /// The innermost loop whose body it belongs to.
    pub in_loop: Option<LoopIx>,
    /// The loop whose entry it is.
    pub entry_of: Option<LoopIx>,
    /// What a failure does.
    pub on_error: OnError,
    /// Retry policy.
    pub retry: RetryPolicy,
    /// Time limit of one attempt, milliseconds.
    pub timeout_ms: u64,
    /// What is done when nobody knows whether its effect took place.
    pub unknown_outcome: UnknownOutcome,
    /// How long evidence of its effect may take to come, milliseconds; `None` when it cannot get any.
    pub evidence_ms: Option<i64>,
}

/// An edge of a plan.
#[derive(Clone, Debug)]
pub struct PlanEdge {
    /// Where it starts.
    pub source: NodeIx,
    /// The port it starts from.
    pub port: PortIx,
    /// Where it ends.
    pub target: NodeIx,
    /// The port it ends at.
    pub target_port: Arc<str>,
    /// Whether it returns to the entry of a loop around its source.
    pub is_back: bool,
    /// The outermost loop that contains its source and not its target; it delivers when that loop is over.
    pub exits: Option<LoopIx>,
}

/// A loop: an entry and the nodes that run again with each iteration.
#[derive(Debug, Default)]
pub struct LoopPlan {
    /// The entry.
    pub entry: NodeIx,
    /// All nodes of the body, those of inner loops included, without the entry.
    pub body: Vec<NodeIx>,
    /// Number of body nodes that belong to no inner loop.
    pub children: u32,
    /// Ports of the entry that start an iteration.
    pub body_ports: Vec<PortIx>,
    /// Edges that return to the entry.
    pub back_edges: Vec<EdgeIx>,
    /// Edges that end in the body.
    pub inner_edges: Vec<EdgeIx>,
    /// Edges that leave the loop and deliver when it is over.
    pub exit_edges: Vec<EdgeIx>,
    /// Loops inside this one.
    pub inner_loops: Vec<LoopIx>,
}

/// When to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all.
    pub max_attempts: u32,
    /// How pauses grow.
    pub backoff: Backoff,
    /// First pause, milliseconds.
    pub initial_ms: u64,
    /// Longest pause, milliseconds.
    pub max_ms: u64,
}

impl Plan {
    /// The number of the node with that id.
    pub fn node(&self, id: &str) -> Option<NodeIx> {
        self.by_id.get(id).copied()
    }

    /// The node with that number. Numbers come from this plan, so they are always in range.
    pub fn at(&self, node: NodeIx) -> &PlanNode {
        &self.nodes[node as usize]
    }
}

impl PlanNode {
    /// The number of a port by name.
    pub fn port(&self, name: &str) -> Option<PortIx> {
        self.ports.iter().position(|port| &**port == name).and_then(|at| PortIx::try_from(at).ok())
    }
}
