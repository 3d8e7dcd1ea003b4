//! The examples of nodes with the engine's own parameters, so that those with `{{ }}` can be run too.

use crate::document::Document;
use crate::drive::Program;
use crate::drive::scope::{NodeParams, RunFacts, RunScope};
use crate::expr::Expressions;
use serde_json::json;
use sluice_node_sdk::context::{ParamSource, RunInfo};
use sluice_node_sdk::item::Item;
use sluice_node_sdk::registry::Registry;
use sluice_node_sdk::spec::Example;
use sluice_node_sdk::testkit::{SimClock, TEST_NOW_MS};
use std::sync::Arc;

/// The parameters of an example of the node type `node_type`, as a workflow of this one node would give them:
/// expressions see the items of the example's main input.
///
/// # Errors
/// A sentence: the example's parameters do not make a node.
pub fn example_params(
    registry: &Registry,
    expressions: &Expressions,
    node_type: &str,
    example: &Example,
) -> Result<Arc<dyn ParamSource>, String> {
    let document = json!({
        "sluice": 1, "name": "Example",
        "nodes": [{ "id": "node", "type": node_type, "params": example.params }],
    });
    let document: Document = serde_json::from_value(document).map_err(|error| error.to_string())?;
    let program = Program::compile(document, registry, expressions).map_err(|problems| {
        let told: Vec<String> = problems.iter().map(|problem| problem.message.clone()).collect();
        told.join("; ")
    })?;
    let items: Vec<Item> = example.input.iter().cloned().map(Item::new).collect();
    let first = items.first().map(|item| item.json.clone()).unwrap_or_default();
    let clock = Arc::new(SimClock::at(TEST_NOW_MS));
    let info = RunInfo {
        run_id: "run_test".to_owned(),
        workflow_id: "wf_test".to_owned(),
        workflow_name: "Example".to_owned(),
        ..RunInfo::default()
    };
    let facts = RunFacts { info: Arc::new(info), is_test: true, created_at: TEST_NOW_MS, version: 0 };
    let scope = RunScope::new(Arc::new(program), expressions.clone(), facts, first, clock);
    Ok(Arc::new(NodeParams::for_trigger(Arc::new(scope), 0, Arc::new(items))))
}
