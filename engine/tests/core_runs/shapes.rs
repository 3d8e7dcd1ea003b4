//! Random workflows: nested blocks (chains, branches, loops), and wilder graphs with any edges that compile.

use crate::harness::{node_with, retries, try_plan};
use proptest::prelude::*;
use serde_json::{Value, json};
use sluice_engine::graph::Plan;
use std::sync::Arc;

/// A plan that is printed as its nodes and edges when a test fails.
#[derive(Clone)]
pub(crate) struct Shape(pub(crate) Arc<Plan>);

impl std::fmt::Debug for Shape {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for node in &self.0.nodes {
            write!(out, "{} {} {:?} {:?}, ", node.id, node.node_type, node.on_error, node.in_loop)?;
        }
        for edge in &self.0.edges {
            let (from, to) = (self.0.at(edge.source), self.0.at(edge.target));
            let marks = (edge.is_back, edge.exits);
            write!(out, "| {}.{} > {} {marks:?} ", from.id, from.ports[usize::from(edge.port)], to.id)?;
        }
        Ok(())
    }
}

/// A plan that compiles.
pub(crate) fn any_plan() -> impl Strategy<Value = Shape> {
    prop_oneof![block().prop_map(|block| built(&block)), wild()].prop_map(Shape)
}

/// A piece of a workflow with one way in and one way out.
#[derive(Clone, Debug)]
enum Block {
    Step(u8),
    Chain(Vec<Block>),
    /// Two branches by port, merged.
    Choice(Box<Block>, Box<Block>),
    /// Branches side by side, merged.
    Fork(Vec<Block>),
    /// A loop; the flags add a leaf, an edge out of the body, and a way around.
    Loop(Box<Block>, [bool; 3]),
}

fn block() -> impl Strategy<Value = Block> {
    let step = any::<u8>().prop_map(Block::Step);
    step.prop_recursive(4, 14, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Block::Chain),
            (inner.clone(), inner.clone()).prop_map(|(yes, no)| Block::Choice(yes.into(), no.into())),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Block::Fork),
            (inner, any::<[bool; 3]>()).prop_map(|(body, flags)| Block::Loop(body.into(), flags)),
        ]
    })
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Value>,
    edges: Vec<(String, String)>,
}

impl Builder {
    fn node(&mut self, kind: &str, settings: Value) -> String {
        let id = format!("n{}", self.nodes.len());
        self.nodes.push(node_with(&id, kind, settings));
        id
    }

    fn edge(&mut self, from: &str, to: &str) {
        self.edges.push((from.to_owned(), to.to_owned()));
    }

    /// Adds a block after the port `from`; answers the port it ends with.
    fn block(&mut self, block: &Block, from: &str) -> String {
        match block {
            Block::Step(kind) => {
                let id = self.node(["pure", "idem", "once", "seek"][*kind as usize % 4], settings(kind / 4));
                self.edge(from, &id);
                id
            }
            Block::Chain(parts) => parts.iter().fold(from.to_owned(), |from, part| self.block(part, &from)),
            Block::Choice(yes, no) => {
                let choice = self.node("pure", json!({}));
                self.edge(from, &choice);
                let ends =
                    [self.block(yes, &format!("{choice}.true")), self.block(no, &format!("{choice}.false"))];
                self.merge(&ends)
            }
            Block::Fork(parts) => {
                let ends: Vec<String> = parts.iter().map(|part| self.block(part, from)).collect();
                self.merge(&ends)
            }
            Block::Loop(body, [leaf, way_out, around]) => {
                let entry = self.node(if *leaf { "loop" } else { "menu" }, json!({}));
                self.edge(from, &entry);
                let end = self.block(body, &format!("{entry}.item"));
                self.edge(&end, &entry);
                if *leaf {
                    self.block(&Block::Step(1), &end);
                }
                let done = format!("{entry}.done");
                if !way_out && !around {
                    return done;
                }
                let merged = self.merge(&[done]);
                if *way_out {
                    self.edge(&end, &merged);
                }
                if *around {
                    self.edge(from, &merged);
                }
                merged
            }
        }
    }

    fn merge(&mut self, ends: &[String]) -> String {
        let merge = self.node("pure", json!({}));
        for end in ends {
            self.edge(end, &merge);
        }
        merge
    }
}

fn settings(choice: u8) -> Value {
    match choice % 6 {
        4 => json!({ "unknown_outcome": "assume_done" }),
        5 => json!({ "unknown_outcome": "retry" }),
        0 => retries(2),
        1 => json!({ "on_error": "continue" }),
        2 => json!({ "on_error": "route" }),
        _ => json!({}),
    }
}

fn built(block: &Block) -> Arc<Plan> {
    let mut builder = Builder::default();
    builder.block(block, "start");
    let edges: Vec<String> = builder.edges.iter().map(|(from, to)| format!("{from} > {to}")).collect();
    let edges: Vec<&str> = edges.iter().map(String::as_str).collect();
    try_plan(&builder.nodes, &edges).unwrap_or_else(|problems| panic!("{block:?}: {problems:#?}"))
}

/// Any edges forward, and as many of some edges back to loop nodes as compile.
fn wild() -> impl Strategy<Value = Arc<Plan>> {
    let nodes = proptest::collection::vec(any::<(u8, u8)>(), 2..11);
    let forward = proptest::collection::vec(any::<(u8, u8, u8)>(), 0..14);
    let back = proptest::collection::vec(any::<(u8, u8, u8)>(), 0..5);
    (nodes, forward, back).prop_map(|(kinds, forward, back)| wild_plan(&kinds, &forward, &back))
}

fn wild_plan(kinds: &[(u8, u8)], forward: &[(u8, u8, u8)], back: &[(u8, u8, u8)]) -> Arc<Plan> {
    const KINDS: [&str; 8] = ["pure", "idem", "once", "loop", "menu", "loop", "pure", "seek"];
    let kind = |ix: usize| KINDS[kinds[ix].0 as usize % KINDS.len()];
    let is_loop = |ix: usize| matches!(kind(ix), "loop" | "menu");
    let port = |ix: usize, choice: u8| {
        let names =
            if is_loop(ix) { ["item", "done", "item", "error"] } else { ["main", "main", "true", "error"] };
        format!("n{ix}.{}", names[choice as usize % 4])
    };
    let nodes: Vec<Value> =
        (0..kinds.len()).map(|ix| node_with(&format!("n{ix}"), kind(ix), settings(kinds[ix].1))).collect();
    let mut edges: Vec<String> = vec!["start > n0".to_owned()];
    for (ix, (kind, choice)) in kinds.iter().enumerate().skip(1) {
        // One in eight has no way in.
        if !choice.is_multiple_of(8) {
            edges.push(format!("{} > n{ix}", port(*choice as usize % ix, kind / 7)));
        }
    }
    for (from, to, choice) in forward {
        let (from, to) = (*from as usize % kinds.len(), *to as usize % kinds.len());
        if from < to {
            edges.push(format!("{} > n{to}", port(from, *choice)));
        }
    }
    for (from, to, choice) in back {
        let (from, to) = (*from as usize % kinds.len(), *to as usize % kinds.len());
        if to <= from && is_loop(to) {
            edges.push(format!("{} > n{to}", port(from, *choice)));
            if compiled(&nodes, &edges).is_none() {
                edges.pop();
            }
        }
    }
    compiled(&nodes, &edges).expect("edges forward always compile")
}

fn compiled(nodes: &[Value], edges: &[String]) -> Option<Arc<Plan>> {
    let edges: Vec<&str> = edges.iter().map(String::as_str).collect();
    try_plan(nodes, &edges).ok()
}
