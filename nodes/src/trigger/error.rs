//! `trigger.error`: a failed run of another workflow starts this one. Must not know how runs fail.

use sluice_node_sdk::prelude::*;

/// The node.
pub struct Error;

/// It has no parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorParams {}

impl Node for Error {
    const TYPE: &'static str = "trigger.error";
    type Params = ErrorParams;

    fn spec(&self) -> NodeSpec {
        let event = json!({
            "workflow": { "id": "wf_1", "name": "Greeting" },
            "run": { "id": "run_1" },
            "node": "send",
            "error": { "code": "rate_limited", "message": "Too many messages" }
        });
        NodeSpec::new("On error", "Starts when a run of another workflow fails")
            .docs(
                "Starts for every failed run of a workflow whose setting `error_workflow` names this one. \
                 The item says which workflow, run and node failed and with what error. A failing error \
                 workflow does not start another.",
            )
            .trigger(TriggerSource::Error, false)
            .example(
                Example::new("Pass the failure on", json!({})).input(vec![event.clone()]).output(vec![event]),
            )
    }

    async fn run(&self, _ctx: &Context<'_, ErrorParams>, input: Input) -> Result<Outcome, NodeError> {
        Ok(input.items().to_vec().into())
    }
}
