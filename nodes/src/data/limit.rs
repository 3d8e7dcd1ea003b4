//! `data.limit`: keeps only so many items. Must not know the engine.

use sluice_node_sdk::prelude::*;

/// The node.
pub struct Limit;

/// How many, and from which end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitParams {
    /// How many items to keep at most.
    pub count: usize,
    /// From which end they are counted.
    #[serde(default)]
    pub from: End,
    /// How many items to pass over first, counted from the same end.
    #[serde(default)]
    pub offset: usize,
}

/// One end of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The beginning.
    #[default]
    First,
    /// The end; the order of the items stays.
    Last,
}

impl Node for Limit {
    const TYPE: &'static str = "data.limit";
    type Params = LimitParams;

    fn spec(&self) -> NodeSpec {
        let ids = |ids: &[i64]| ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>();
        NodeSpec::new("Limit", "Keeps only the first or last items")
            .docs("Keeps at most `count` items, from the beginning or the end, and drops the rest.")
            .example(
                Example::new("The first two", json!({ "count": 2 }))
                    .input(ids(&[1, 2, 3]))
                    .output(ids(&[1, 2])),
            )
            .example(
                Example::new("The second page", json!({ "count": 2, "offset": 2 }))
                    .input(ids(&[1, 2, 3]))
                    .output(ids(&[3])),
            )
            .example(
                Example::new("The last but one", json!({ "count": 1, "offset": 1, "from": "last" }))
                    .input(ids(&[1, 2, 3]))
                    .output(ids(&[2])),
            )
            .example(
                Example::new("A count below zero", json!({ "count": -1 }))
                    .input(ids(&[1]))
                    .error("invalid_params"),
            )
    }

    async fn run(&self, ctx: &Context<'_, LimitParams>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        let all = input.items().len();
        let (start, end) = match params.from {
            End::First => (params.offset, params.offset.saturating_add(params.count)),
            End::Last => {
                let end = all.saturating_sub(params.offset);
                (end.saturating_sub(params.count), end)
            }
        };
        let kept = input.items().iter().enumerate().take(end).skip(start);
        Ok(kept.map(|(index, item)| item.clone().from_input(index)).collect::<Vec<_>>().into())
    }
}
