//! `flow.noop`: passes items on, to join branches or mark a place. Must not know anything.

use sluice_node_sdk::prelude::*;

/// The node.
pub struct Noop;

/// It has no parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoopParams {}

impl Node for Noop {
    const TYPE: &'static str = "flow.noop";
    type Params = NoopParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Do nothing", "Passes items on unchanged")
            .docs("Passes items on unchanged. Useful to join branches before a common step, or as a label.")
            .example(
                Example::new("Pass on", json!({}))
                    .input(vec![json!({ "id": 1 }), json!({ "id": 2 })])
                    .output(vec![json!({ "id": 1 }), json!({ "id": 2 })]),
            )
    }

    async fn run(&self, _ctx: &Context<'_, NoopParams>, input: Input) -> Result<Outcome, NodeError> {
        Ok(input.pass().into())
    }
}
