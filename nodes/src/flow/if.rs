//! `flow.if`: sends each item to `true` or `false`. Must not know the engine.

use crate::values::condition;
use sluice_node_sdk::outcome::Output;
use sluice_node_sdk::prelude::*;

/// The node.
pub struct If;

/// What is asked of each item.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IfParams {
    /// What is asked of each item, for example `{{ json.score > 10 }}`. Must come out as true or false.
    pub condition: bool,
}

impl Node for If {
    const TYPE: &'static str = "flow.if";
    type Params = IfParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("If", "Sends each item one of two ways")
            .docs(
                "Looks at every item and sends it out at `true` or at `false`. Join conditions with `&&`, \
                 `||` and `!`. A condition that is not true or false (a number, a text, nothing) is an \
                 error, so that a misspelt field cannot quietly send everybody one way.",
            )
            .outputs(Ports::fixed(&[
                ("true", "Items for which it holds"),
                ("false", "Items for which it does not"),
            ]))
            .example(
                Example::new("Tell high scores from low", json!({ "condition": "{{ json.score > 10 }}" }))
                    .input(vec![json!({ "score": 42 }), json!({ "score": 7 })])
                    .output_port("true", vec![json!({ "score": 42 })])
                    .output_port("false", vec![json!({ "score": 7 })]),
            )
            .example(
                Example::new("A fixed answer, as when trying a branch", json!({ "condition": false }))
                    .input(vec![json!({ "id": 1 })])
                    .output_port("false", vec![json!({ "id": 1 })]),
            )
            .example(
                Example::new("A text is no condition", json!({ "condition": "yes" }))
                    .input(vec![json!({ "id": 1 })])
                    .error("condition_not_boolean"),
            )
            .example(
                Example::new("A number is no condition", json!({ "condition": "{{ json.score }}" }))
                    .input(vec![json!({ "score": 42 })])
                    .error("condition_not_boolean"),
            )
    }

    async fn run(&self, ctx: &Context<'_, IfParams>, input: Input) -> Result<Outcome, NodeError> {
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        for (index, item) in input.items().iter().enumerate() {
            let way = if condition::holds(ctx, "/condition", index)? { &mut yes } else { &mut no };
            way.push(item.clone().from_input(index));
        }
        Ok(Output::port("true", yes).and("false", no).into())
    }
}
