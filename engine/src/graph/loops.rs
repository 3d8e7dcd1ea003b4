//! Finds the loops of a graph: which nodes an entry repeats, which edges return to it, which leave.
//!
//! The body of a loop entry `L` is every node that can only be reached through `L` (dominance), is
//! reachable from a port of `L` that leads back to `L`, and is not reachable from the other ports of `L`.
//! A port leads back when a path of nodes that can only be reached through `L` returns to `L`; the way round
//! through an outer loop does not count.

use super::plan::{EdgeIx, LoopIx, LoopPlan, PlanEdge, PlanNode};
use crate::core::{NodeIx, PortIx};
use petgraph::algo::dominators;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeSet, HashMap, HashSet};

/// A cycle that goes through no declared loop entry, as node numbers in order.
pub(super) struct Cycle(pub(super) Vec<NodeIx>);

/// Adjacency used by the searches here.
struct Net<'a> {
    nodes: &'a [PlanNode],
    edges: &'a [PlanEdge],
}

impl Net<'_> {
    fn outputs(&self, node: NodeIx) -> impl Iterator<Item = &PlanEdge> {
        self.nodes[node as usize].outputs.iter().map(|edge| &self.edges[*edge as usize])
    }

    /// Everything reachable from `starts` (included) without passing through `stop`.
    fn reach(&self, starts: impl IntoIterator<Item = NodeIx>, stop: NodeIx) -> HashSet<NodeIx> {
        let mut seen: HashSet<NodeIx> = HashSet::new();
        let mut open: Vec<NodeIx> = starts.into_iter().collect();
        while let Some(node) = open.pop() {
            if !seen.insert(node) || node == stop {
                continue;
            }
            open.extend(self.outputs(node).map(|edge| edge.target));
        }
        seen
    }

    /// Everything that can be reached from `starts` over nodes that are inside; `entry` when one leads there.
    fn reach_inside(
        &self,
        starts: impl IntoIterator<Item = NodeIx>,
        entry: NodeIx,
        is_inside: &mut dyn FnMut(NodeIx) -> bool,
    ) -> HashSet<NodeIx> {
        let mut seen: HashSet<NodeIx> = HashSet::new();
        let mut open: Vec<NodeIx> = starts.into_iter().collect();
        while let Some(node) = open.pop() {
            if node == entry {
                seen.insert(entry);
            } else if is_inside(node) && seen.insert(node) {
                open.extend(self.outputs(node).map(|edge| edge.target));
            }
        }
        seen
    }
}

/// Cycles that are left when edges returning to loop entries are taken away.
pub(super) fn undeclared_cycles(
    nodes: &[PlanNode],
    edges: &[PlanEdge],
    is_entry: &dyn Fn(NodeIx) -> bool,
) -> Vec<Cycle> {
    // Edges into an entry are cut when they can only be the closing edge of a cycle through it.
    let net = Net { nodes, edges };
    let mut graph: DiGraph<NodeIx, ()> = DiGraph::new();
    let at: Vec<_> = (0..nodes.len()).map(|ix| graph.add_node(ix as NodeIx)).collect();
    let mut reach_of_entry = std::collections::HashMap::new();
    for edge in edges {
        let returns = is_entry(edge.target)
            && reach_of_entry
                .entry(edge.target)
                .or_insert_with(|| net.reach(net.outputs(edge.target).map(|edge| edge.target), edge.target))
                .contains(&edge.source)
            || is_entry(edge.target) && edge.source == edge.target;
        if !returns {
            graph.add_edge(at[edge.source as usize], at[edge.target as usize], ());
        }
    }
    petgraph::algo::tarjan_scc(&graph)
        .into_iter()
        .filter(|part| part.len() > 1 || graph.contains_edge(part[0], part[0]))
        .map(|part| {
            let mut cycle: Vec<NodeIx> = part.into_iter().map(|node| graph[node]).collect();
            cycle.sort_unstable();
            Cycle(cycle)
        })
        .collect()
}

/// Works out all loops, and writes what each node and edge needs to know of them.
pub(super) fn find_loops(
    nodes: &mut [PlanNode],
    edges: &mut [PlanEdge],
    is_entry: &dyn Fn(NodeIx) -> bool,
) -> Vec<LoopPlan> {
    let mut loops = bodies(nodes, edges, is_entry);
    // An outer loop has the larger body; sorting makes the last loop that contains a node the innermost.
    loops.sort_by_key(|found| (std::cmp::Reverse(found.body.len()), found.entry));
    mark_nodes(nodes, &mut loops);
    mark_edges(nodes, edges, &mut loops);
    loops
}

fn bodies(nodes: &[PlanNode], edges: &[PlanEdge], is_entry: &dyn Fn(NodeIx) -> bool) -> Vec<LoopPlan> {
    let net = Net { nodes, edges };
    let entries: Vec<NodeIx> = (0..nodes.len() as NodeIx).filter(|node| is_entry(*node)).collect();
    if entries.is_empty() {
        return Vec::new();
    }
    let dominators = dominance(nodes, edges, &entries);
    entries.into_iter().filter_map(|entry| body_of(&net, entry, &dominators)).collect()
}

/// Dominators from a root that leads to every trigger, to every node without inputs, and to every entry that
/// nothing of these leads to: a loop that is not connected yet is a loop all the same.
fn dominance(
    nodes: &[PlanNode],
    edges: &[PlanEdge],
    entries: &[NodeIx],
) -> dominators::Dominators<NodeIndex> {
    let mut graph: DiGraph<(), ()> = DiGraph::new();
    for _ in nodes {
        graph.add_node(());
    }
    let root = graph.add_node(());
    let targets: HashSet<NodeIx> = edges.iter().map(|edge| edge.target).collect();
    for edge in edges {
        graph.add_edge((edge.source).into(), (edge.target).into(), ());
    }
    let mut reached = vec![false; graph.node_count()];
    for (ix, node) in nodes.iter().enumerate() {
        if node.is_trigger || !targets.contains(&(ix as NodeIx)) {
            join(&mut graph, root, ix as NodeIx, &mut reached);
        }
    }
    for entry in entries {
        if !reached[*entry as usize] {
            join(&mut graph, root, *entry, &mut reached);
        }
    }
    dominators::simple_fast(&graph, root)
}

/// Leads from the root to a node, and marks what becomes reachable by that.
fn join(graph: &mut DiGraph<(), ()>, root: NodeIndex, node: NodeIx, reached: &mut [bool]) {
    graph.add_edge(root, node.into(), ());
    let mut open = vec![NodeIndex::from(node)];
    while let Some(node) = open.pop() {
        if !std::mem::replace(&mut reached[node.index()], true) {
            open.extend(graph.neighbors(node));
        }
    }
}

fn body_of(net: &Net<'_>, entry: NodeIx, dominators: &dominators::Dominators<NodeIndex>) -> Option<LoopPlan> {
    let dominated = |node: NodeIx| {
        let mut above = dominators.strict_dominators(node.into());
        above.as_mut().is_some_and(|above| above.any(|found| found == entry.into()))
    };
    let mut inside: HashMap<NodeIx, bool> = HashMap::new();
    let mut is_inside = |node: NodeIx| *inside.entry(node).or_insert_with(|| dominated(node));
    let mut body_ports: BTreeSet<PortIx> = BTreeSet::new();
    let mut body: HashSet<NodeIx> = HashSet::new();
    let mut outside: HashSet<NodeIx> = HashSet::new();
    let ports: BTreeSet<PortIx> = net.outputs(entry).map(|edge| edge.port).collect();
    for port in ports {
        let starts = net.outputs(entry).filter(|edge| edge.port == port).map(|edge| edge.target);
        let reached = net.reach_inside(starts, entry, &mut is_inside);
        if reached.contains(&entry) {
            body_ports.insert(port);
            body.extend(reached);
        } else {
            outside.extend(reached);
        }
    }
    if body_ports.is_empty() {
        return None;
    }
    let mut body: Vec<NodeIx> =
        body.into_iter().filter(|node| *node != entry && !outside.contains(node)).collect();
    body.sort_unstable();
    Some(LoopPlan { entry, body, body_ports: body_ports.into_iter().collect(), ..LoopPlan::default() })
}

fn mark_nodes(nodes: &mut [PlanNode], loops: &mut [LoopPlan]) {
    for (ix, found) in loops.iter().enumerate() {
        nodes[found.entry as usize].entry_of = Some(ix as LoopIx);
        for node in &found.body {
            nodes[*node as usize].in_loop = Some(ix as LoopIx);
        }
    }
    for (ix, found) in loops.iter_mut().enumerate() {
        found.children =
            found.body.iter().filter(|node| nodes[**node as usize].in_loop == Some(ix as LoopIx)).count()
                as u32;
        found.inner_loops = found.body.iter().filter_map(|node| nodes[*node as usize].entry_of).collect();
    }
}

fn mark_edges(nodes: &mut [PlanNode], edges: &mut [PlanEdge], loops: &mut [LoopPlan]) {
    let bodies: Vec<HashSet<NodeIx>> =
        loops.iter().map(|found| found.body.iter().copied().collect()).collect();
    for (ix, edge) in edges.iter_mut().enumerate() {
        let ix = ix as EdgeIx;
        let from_entry_port =
            |at: usize| edge.source == loops[at].entry && loops[at].body_ports.contains(&edge.port);
        // A source belongs to a loop when it is in the body, or is the entry itself by a body port.
        let holds_source = |at: usize| bodies[at].contains(&edge.source) || from_entry_port(at);
        let back = nodes[edge.target as usize].entry_of.filter(|at| holds_source(*at as usize));
        edge.is_back = back.is_some();
        if let Some(at) = back {
            loops[at as usize].back_edges.push(ix);
        } else {
            nodes[edge.target as usize].inputs.push(ix);
            edge.exits = (0..loops.len())
                .find(|at| holds_source(*at) && !bodies[*at].contains(&edge.target))
                .map(|at| at as LoopIx);
            if let Some(at) = edge.exits {
                loops[at as usize].exit_edges.push(ix);
            }
        }
        for (at, body) in bodies.iter().enumerate() {
            if body.contains(&edge.target) {
                loops[at].inner_edges.push(ix);
            }
        }
    }
}
