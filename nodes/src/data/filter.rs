//! `data.filter`: keeps the items for which a condition holds. Must not know the engine.

use crate::values::condition;
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Filter;

/// Which items stay.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilterParams {
    /// What must hold for an item to stay, for example `{{ json.opted_in }}`. True or false.
    pub condition: bool,
}

impl Node for Filter {
    const TYPE: &'static str = "data.filter";
    type Params = FilterParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Filter", "Keeps the items for which a condition holds")
            .docs(
                "Keeps the items for which `condition` is true and drops the others. When none is left, the \
                 branch ends here. Use `flow.if` when the others should go somewhere too.",
            )
            .example(
                Example::new("Only those who agreed", json!({ "condition": "{{ json.opted_in }}" }))
                    .input(vec![json!({ "id": 1, "opted_in": true }), json!({ "id": 2, "opted_in": false })])
                    .output(vec![json!({ "id": 1, "opted_in": true })]),
            )
            .example(
                Example::new("Keep everything", json!({ "condition": true }))
                    .input(vec![json!({ "id": 1 })])
                    .output(vec![json!({ "id": 1 })]),
            )
            .example(
                Example::new("A text is no condition", json!({ "condition": "opted_in" }))
                    .input(vec![json!({ "id": 1 })])
                    .error("condition_not_boolean"),
            )
    }

    async fn run(&self, ctx: &Context<'_, FilterParams>, input: Input) -> Result<Outcome, NodeError> {
        let mut kept = Vec::new();
        for (index, item) in input.items().iter().enumerate() {
            if condition::holds(ctx, "/condition", index)? {
                kept.push(item.clone().from_input(index));
            }
        }
        Ok(kept.into())
    }
}
