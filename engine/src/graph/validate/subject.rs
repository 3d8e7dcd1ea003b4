//! What is validated: the document's nodes with their types, and who leads to whom. Must not judge anything.

use crate::core::NodeIx;
use crate::document::{Document, NodeDoc};
use crate::graph::plan::PlanEdge;
use crate::graph::problem::{Problem, Severity};
use serde_json::Value;
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::registry::Registry;
use sluice_node_sdk::spec::NodeSpec;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A document under validation.
pub(super) struct Subject<'a> {
    pub(super) document: &'a Document,
    pub(super) nodes: Vec<Node<'a>>,
    /// The node of each id; the first when an id is there twice.
    by_id: HashMap<&'a str, NodeIx>,
    /// Per node, where its edges lead.
    pub(super) after: Vec<Vec<NodeIx>>,
    /// Per node, where edges to it come from.
    pub(super) before: Vec<Vec<NodeIx>>,
}

/// One node of it.
pub(super) struct Node<'a> {
    pub(super) ix: NodeIx,
    pub(super) doc: &'a NodeDoc,
    /// Its type, unless that is unknown.
    pub(super) known: Option<&'a Arc<dyn DynNode>>,
}

impl<'a> Subject<'a> {
    /// Collects the facts. `edges` are those whose ends exist.
    pub(super) fn new(document: &'a Document, registry: &'a Registry, edges: &[PlanEdge]) -> Self {
        let nodes: Vec<Node<'a>> = document
            .nodes
            .iter()
            .enumerate()
            .map(|(ix, doc)| Node { ix: ix as NodeIx, doc, known: registry.get(&doc.node_type) })
            .collect();
        let mut by_id = HashMap::new();
        for node in &nodes {
            by_id.entry(node.doc.id.as_str()).or_insert(node.ix);
        }
        let (mut after, mut before) = (vec![Vec::new(); nodes.len()], vec![Vec::new(); nodes.len()]);
        for edge in edges {
            after[edge.source as usize].push(edge.target);
            before[edge.target as usize].push(edge.source);
        }
        Self { document, nodes, by_id, after, before }
    }

    /// The node of that id.
    pub(super) fn node(&self, id: &str) -> Option<&Node<'a>> {
        self.by_id.get(id).map(|ix| &self.nodes[*ix as usize])
    }

    /// The ids of all nodes.
    pub(super) fn ids(&self) -> impl Iterator<Item = &'a str> {
        self.nodes.iter().map(|node| node.doc.id.as_str())
    }

    /// Whether a problem about a cycle stands even when nodes of unknown types turn out to be loops.
    pub(super) fn is_certain(&self, cycle: &Problem) -> bool {
        let Some(at) = cycle.node.as_deref().and_then(|id| self.node(id)).map(|node| node.ix) else {
            return true;
        };
        let (later, earlier) = (reachable(&self.after, [at]), reachable(&self.before, [at]));
        later.intersection(&earlier).all(|node| self.nodes[*node as usize].known.is_some())
    }
}

impl<'a> Node<'a> {
    /// What its type says of itself.
    pub(super) fn spec(&self) -> Option<&'a NodeSpec> {
        self.known.map(|known| known.spec())
    }

    /// JSON pointer of something inside the node; `rest` begins with `/` or is empty.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/nodes/{}{rest}", self.ix)
    }

    /// A parameter as written.
    pub(super) fn param(&self, pointer: &str) -> Option<&'a Value> {
        let mut tokens = pointer.strip_prefix('/')?.splitn(2, '/');
        let first = self.doc.params.get(tokens.next()?)?;
        match tokens.next() {
            Some(rest) => first.pointer(&format!("/{rest}")),
            None => Some(first),
        }
    }

    /// A problem of this node. What is wrong inside a disabled node does no harm.
    pub(super) fn problem(&self, severity: Severity, code: &str, path: String, message: String) -> Problem {
        let severity = if self.doc.disabled { Severity::Warning } else { severity };
        Problem { severity, ..Problem::error(code, path, message) }.of(&self.doc.id)
    }

    /// An error of this node.
    pub(super) fn error(&self, code: &str, path: String, message: String) -> Problem {
        self.problem(Severity::Error, code, path, message)
    }
}

/// Everything that can be reached from `starts`, which are included.
pub(super) fn reachable(next: &[Vec<NodeIx>], starts: impl IntoIterator<Item = NodeIx>) -> HashSet<NodeIx> {
    let mut seen = HashSet::new();
    let mut open: Vec<NodeIx> = starts.into_iter().collect();
    while let Some(node) = open.pop() {
        if seen.insert(node) {
            open.extend(&next[node as usize]);
        }
    }
    seen
}
