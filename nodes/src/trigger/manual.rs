//! `trigger.manual`: a person, the REST API or the command line starts the workflow. Must not know how.

use sluice_node_sdk::prelude::*;

/// The node.
pub struct Manual;

/// It has no parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManualParams {}

impl Node for Manual {
    const TYPE: &'static str = "trigger.manual";
    type Params = ManualParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Manual", "Starts when a person, the REST API or the command line says so")
            .docs(
                "Starts the workflow by hand: with the button *Run*, with `POST /api/workflows/{id}/run` or \
                 with `sluice run`. What is sent along as `trigger` becomes the item; without it the item is \
                 an empty object.",
            )
            .trigger(TriggerSource::Manual, false)
            .example(
                Example::new("Pass on what was sent along", json!({}))
                    .input(vec![json!({ "name": "Asha" })])
                    .output(vec![json!({ "name": "Asha" })]),
            )
    }

    async fn run(&self, _ctx: &Context<'_, ManualParams>, input: Input) -> Result<Outcome, NodeError> {
        Ok(input.items().to_vec().into())
    }
}
