//! `trigger.workflow`: another workflow calls this one. Must not know how calls are carried.

use crate::values::{check, schema};
use serde_json::Map;
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Workflow;

/// What callers must send.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowParams {
    /// JSON Schema that each item of a caller must satisfy; anything is accepted when missing.
    #[serde(default)]
    pub input_schema: Option<Map<String, Value>>,
}

impl Node for Workflow {
    const TYPE: &'static str = "trigger.workflow";
    type Params = WorkflowParams;

    fn spec(&self) -> NodeSpec {
        let schema = json!({ "type": "object", "required": ["name"] });
        NodeSpec::new("Called by a workflow", "Starts when another workflow calls this one")
            .docs(
                "Starts when a `flow.call` node of another workflow names this one. The caller's items are \
                 passed on. With `input_schema` a call with wrong data fails here, naming what is wrong, \
                 in place of failing somewhere deep inside.",
            )
            .trigger(TriggerSource::Workflow, false)
            .raw_param("/input_schema")
            .example(
                Example::new("Accept anything", json!({}))
                    .input(vec![json!({ "id": 1 }), json!({ "id": 2 })])
                    .output(vec![json!({ "id": 1 }), json!({ "id": 2 })]),
            )
            .example(
                Example::new("Insist on a name", json!({ "input_schema": schema }))
                    .input(vec![json!({ "id": 1 })])
                    .error("input_rejected"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        match params.get("input_schema") {
            Some(schema) if schema.is_object() => {
                check::problems(schema::compile(schema, "/input_schema").map(drop))
            }
            _ => Vec::new(), // the node's own schema speaks of that
        }
    }

    async fn run(&self, ctx: &Context<'_, WorkflowParams>, input: Input) -> Result<Outcome, NodeError> {
        if let Some(wanted) = &ctx.params(0)?.input_schema {
            let checker = schema::compile(&Value::Object(wanted.clone()), "/input_schema")?;
            for (index, item) in input.items().iter().enumerate() {
                let faults = schema::faults(&checker, &item.json);
                if let Some(first) = faults.first() {
                    let fault = first["message"].as_str().unwrap_or_default();
                    let message = format!("Item {index} of the call is not acceptable: {fault}");
                    let details = json!({ "item": index, "errors": faults });
                    return Err(NodeError::invalid_input(message).code("input_rejected").details(details));
                }
            }
        }
        Ok(input.items().to_vec().into())
    }
}
