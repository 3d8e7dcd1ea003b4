//! Parameters against the schema of their node type, and what the node type itself finds in them. Must not
//! know expressions beyond "a text with `{{ }}` stands for anything".

use super::schema::{Fault, Reason, Schema, Texts};
use super::subject::{Node, Subject};
use crate::document::NodeDoc;
use crate::graph::problem::{Problem, Severity};
use serde_json::{Map, Value};
use sluice_node_sdk::spec::NodeSpec;
use std::collections::HashMap;

/// The parameters that a node is run with: those written, and the node's `credential` as the parameter that
/// names the first credential the type needs, unless that is written too.
pub fn effective_params(node: &NodeDoc, spec: &NodeSpec) -> Map<String, Value> {
    let mut params = node.params.clone();
    if let (Some(name), Some(need)) = (&node.credential, spec.credentials.first())
        && !params.contains_key(&need.param)
        && spec.params_schema.pointer("/properties").and_then(|fields| fields.get(&need.param)).is_some()
    {
        params.insert(need.param.clone(), Value::String(name.clone()));
    }
    params
}

/// Checks the parameters of all nodes.
pub(super) fn check(subject: &Subject<'_>, problems: &mut Vec<Problem>) {
    let mut schemas: HashMap<&str, Option<Schema>> = HashMap::new();
    for node in &subject.nodes {
        let (Some(known), Some(spec)) = (node.known, node.spec()) else { continue };
        let params = Value::Object(effective_params(node.doc, spec));
        let schema = schemas.entry(&spec.node_type).or_insert_with(|| compile(node, spec, problems));
        if let Some(schema) = schema {
            let faults = schema.faults(&params, Texts::Templates);
            problems.extend(faults.into_iter().map(|fault| problem(node, spec, &fault)));
        }
        for found in known.check(&params) {
            let path = place(node, spec, &found.pointer);
            // The schema may have said the same already.
            if problems.iter().any(|problem| problem.path == path) {
                continue;
            }
            let severity = if found.is_warning { Severity::Warning } else { Severity::Error };
            problems.push(node.problem(severity, &found.code, path, found.message));
        }
    }
}

/// A type without a schema takes any parameters.
fn compile(node: &Node<'_>, spec: &NodeSpec, problems: &mut Vec<Problem>) -> Option<Schema> {
    if spec.params_schema.is_null() {
        return None;
    }
    match Schema::compile(&spec.params_schema) {
        Ok(schema) => Some(schema),
        Err(error) => {
            let message = format!("The node type `{}` has a defective schema: {error}", spec.node_type);
            problems.push(node.error("defective_node_type", node.path("/type"), message));
            None
        }
    }
}

fn problem(node: &Node<'_>, spec: &NodeSpec, fault: &Fault) -> Problem {
    let code = match fault.reason {
        Reason::Unknown { .. } => "unknown_parameter",
        Reason::Missing { .. } => "missing_parameter",
        Reason::Type { .. } | Reason::Options(_) | Reason::Other(_) => "bad_parameter",
    };
    node.error(code, place(node, spec, &fault.pointer), fault.reason.sentence(&fault.pointer))
}

/// Where a parameter stands in the document: the credential may stand beside the parameters.
fn place(node: &Node<'_>, spec: &NodeSpec, pointer: &str) -> String {
    let is_credential = spec.credentials.first().is_some_and(|need| pointer == format!("/{}", need.param));
    if is_credential && node.doc.credential.is_some() && node.param(pointer).is_none() {
        return node.path("/credential");
    }
    node.path(&format!("/params{pointer}"))
}
