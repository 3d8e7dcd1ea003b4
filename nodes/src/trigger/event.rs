//! `trigger.event`: a change to the workspace's records starts the workflow. Must not know the records.

use crate::values::condition;
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Event;

/// Which event, and under which condition.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventParams {
    /// The event's topic, such as `contact.tagged`, `crm.lead_created` or `crm.deal_stage_changed`.
    #[schemars(length(min = 1, max = 120), regex(pattern = r"^[a-z0-9_]+(\.[a-z0-9_]+)+$"))]
    pub event: String,
    /// Starts only for events for which this holds, for example `{{ json.tag == "vip" }}`.
    #[serde(default)]
    pub filter: Option<bool>,
}

impl Node for Event {
    const TYPE: &'static str = "trigger.event";
    type Params = EventParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Event", "Starts when something changes in contacts, CRM or campaigns")
            .docs(
                "Starts the workflow for every event of one topic. The item is the event's data. With \
                 `filter` events that do not matter are declined and leave no run behind.",
            )
            .trigger(TriggerSource::Event { topic: String::new() }, false)
            .example(
                Example::new("Whenever a contact gets a tag", json!({ "event": "contact.tagged" }))
                    .input(vec![json!({ "contact": { "id": "con_1" }, "tag": "vip" })])
                    .output(vec![json!({ "contact": { "id": "con_1" }, "tag": "vip" })]),
            )
            .example(
                Example::new(
                    "Only for one tag",
                    json!({ "event": "contact.tagged", "filter": r#"{{ json.tag == "vip" }}"# }),
                )
                .input(vec![json!({ "contact": { "id": "con_1" }, "tag": "new" })]),
            )
            .example(
                Example::new(
                    "A filter must be true or false",
                    json!({ "event": "contact.tagged", "filter": "vip" }),
                )
                .input(vec![json!({ "tag": "vip" })])
                .error("condition_not_boolean"),
            )
    }

    async fn run(&self, ctx: &Context<'_, EventParams>, input: Input) -> Result<Outcome, NodeError> {
        if ctx.params.resolve_at("/filter", 0)?.is_null() {
            return Ok(input.items().to_vec().into());
        }
        let mut accepted = Vec::with_capacity(input.items().len());
        for (index, item) in input.items().iter().enumerate() {
            if condition::holds(ctx, "/filter", index)? {
                accepted.push(item.clone());
            }
        }
        Ok(accepted.into())
    }
}
