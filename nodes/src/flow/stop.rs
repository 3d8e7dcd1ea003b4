//! `flow.stop`: ends the whole run, well or badly. Must not know the engine.

use sluice_node_sdk::outcome::Stop as StopWish;
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Stop;

/// How the run ends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopParams {
    /// The message with which the run ends as failed. Without it (or when it is empty) the run ends as
    /// succeeded.
    #[serde(default)]
    pub error: Option<String>,
}

impl Node for Stop {
    const TYPE: &'static str = "flow.stop";
    type Params = StopParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Stop", "Ends the whole run now")
            .docs(
                "Ends the run as soon as it is reached; other branches are cancelled. With `error` the run \
                 fails with that message and the error workflow, if any, is started.",
            )
            .outputs(Ports::fixed(&[("main", "The items with which the run ended; nothing follows")]))
            .example(
                Example::new("Nothing left to do", json!({}))
                    .input(vec![json!({ "id": 1 })])
                    .output(vec![json!({ "id": 1 })]),
            )
            .example(
                Example::new("Fail with a message", json!({ "error": "No stock for {{ json.sku }}" }))
                    .input(vec![json!({ "sku": "A-7" })])
                    .output(vec![json!({ "sku": "A-7" })]),
            )
    }

    async fn run(&self, ctx: &Context<'_, StopParams>, input: Input) -> Result<Outcome, NodeError> {
        let error = ctx.params(0)?.error.clone().filter(|message| !message.trim().is_empty());
        Ok(Outcome::Stop(StopWish { error, items: input.pass() }))
    }
}
