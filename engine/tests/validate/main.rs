//! Validation from the outside: documents in, problems out. Node types are made up here, so that nothing
//! depends on the built-in ones.

mod nodes;
mod problems;
mod properties;
mod structure;

use nodes::registry;
use serde_json::{Value, json};
use sluice_engine::document::Document;
use sluice_engine::expr::Expressions;
use sluice_engine::graph::{Problem, parse, validate};

/// The problems of a document that is structurally sound, as `code path`.
fn problems(document: &Value) -> Vec<String> {
    full_problems(document).iter().map(|problem| format!("{} {}", problem.code, problem.path)).collect()
}

fn full_problems(document: &Value) -> Vec<Problem> {
    let document: Document = parse(document).unwrap_or_else(|problems| panic!("{problems:#?}"));
    validate(&document, &registry(), &Expressions::default(), None)
}

/// A document of these nodes and edges, beginning with the trigger `start`.
fn document(nodes: &[Value], edges: &[(&str, &str)]) -> Value {
    let mut all = vec![json!({ "id": "start", "type": "trigger.manual" })];
    all.extend_from_slice(nodes);
    let edges: Vec<Value> = edges.iter().map(|(from, to)| json!({ "from": from, "to": to })).collect();
    json!({ "sluice": 1, "name": "Test", "nodes": all, "edges": edges })
}

/// The problems of one node with these parameters, right after the trigger.
fn node_problems(node_type: &str, params: Value) -> Vec<String> {
    let node = json!({ "id": "it", "type": node_type, "params": params });
    problems(&document(&[node], &[("start", "it")]))
}
