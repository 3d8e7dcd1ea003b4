//! `data.script`: a Rhai script over the items. Must not know Rhai: the host runs the script.

use crate::values::field::{kind_name, with_json};
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Script;

/// The script.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptParams {
    /// The script (Rhai). Its last value is the result: a list of objects, one object, or nothing.
    #[schemars(length(min = 1, max = 100_000))]
    pub code: String,
    /// Whether it runs once for all items or once for each.
    #[serde(default)]
    pub mode: Mode,
}

/// How often the script runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Once, with the data of all items in the list `items`.
    #[default]
    All,
    /// Once for each item, with its data in `json`.
    Each,
}

impl Node for Script {
    const TYPE: &'static str = "data.script";
    type Params = ScriptParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Script", "Runs a small Rhai script over the items")
            .docs(
                "For what the other nodes cannot do. The script sees what expressions see and, in mode `all`, \
                 the list `items` with the data of every item. Its last value becomes the items: a list gives \
                 one item per element, an object gives one item, nothing (`()`) gives none. It has no access \
                 to network, files or time beyond what expressions have, and is stopped when it takes too \
                 many steps or too much memory.\n\n\
                 ```rhai\nlet total = 0;\nfor item in items { total += item.price; }\n#{ total: total }\n```",
            )
            .raw_param("/code")
            .example(
                Example::new(
                    "Add up",
                    json!({ "code": "let total = 0; for item in items { total += item.price; } #{ total: total }" }),
                )
                .input(vec![json!({ "price": 2 }), json!({ "price": 3 })])
                .output(vec![json!({ "total": 5 })]),
            )
            .example(
                Example::new(
                    "Each item by itself, some left out",
                    json!({ "mode": "each", "code": "if json.price > 2 { #{ cents: json.price * 100 } }" }),
                )
                .input(vec![json!({ "price": 2 }), json!({ "price": 3 })])
                .output(vec![json!({ "cents": 300 })]),
            )
            .example(
                Example::new("A plain value is no item", json!({ "code": "40 + 2" }))
                    .input(vec![json!({})])
                    .error("script_result"),
            )
    }

    async fn run(&self, ctx: &Context<'_, ScriptParams>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        let run = |index, variables| {
            // The host knows the place inside the script but not which parameter holds it.
            let place = |error: NodeError| match error.path.as_deref() {
                None | Some("") => error.at("/code"),
                Some(_) => error,
            };
            ctx.params.run_script(&params.code, index, variables).map_err(place)
        };
        let mut items = Vec::new();
        match params.mode {
            Mode::All => {
                let list = input.items().iter().map(|item| (*item.json).clone()).collect();
                let results = objects(run(0, vec![("items".to_owned(), Value::Array(list))])?)?;
                // With several items in, nobody can tell which one a result came from.
                let single = input.items().len() == 1;
                items.extend(results.into_iter().map(|json| match Item::new(json) {
                    item if single => item.from_input(0),
                    item => item,
                }));
            }
            Mode::Each => {
                for (index, item) in input.items().iter().enumerate() {
                    let results = objects(run(index, Vec::new())?)?;
                    items.extend(results.into_iter().map(|json| with_json(item, index, json)));
                }
            }
        }
        Ok(items.into())
    }
}

/// The data of the items that a script's result stands for.
fn objects(result: Value) -> Result<Vec<Value>, NodeError> {
    let results = match result {
        Value::Null => Vec::new(),
        Value::Array(list) => list,
        other => vec![other],
    };
    match results.iter().find(|value| !value.is_object()) {
        None => Ok(results),
        Some(other) => Err(NodeError::invalid_params(format!(
            "The script must end with an object or a list of objects, but gave {}; write for example `#{{ value: x }}`",
            kind_name(other)
        ))
        .code("script_result")
        .at("/code")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_node_sdk::context::ParamSource;
    use sluice_node_sdk::outcome::Output;
    use sluice_node_sdk::testkit::Bench;
    use std::sync::Arc;

    /// A host whose only script gives back what it sees.
    struct Echo(Value);

    impl ParamSource for Echo {
        fn is_static(&self) -> bool {
            true
        }

        fn resolve(&self, _: usize) -> Result<Value, NodeError> {
            Ok(self.0.clone())
        }

        fn resolve_at(&self, pointer: &str, _: usize) -> Result<Value, NodeError> {
            Ok(self.0.pointer(pointer).cloned().unwrap_or_default())
        }

        fn run_script(
            &self,
            code: &str,
            item: usize,
            seen: Vec<(String, Value)>,
        ) -> Result<Value, NodeError> {
            match code {
                "items" => Ok(seen.into_iter().find(|(name, _)| name == "items").unwrap().1),
                "index" => Ok(json!({ "index": item })),
                _ => Err(NodeError::invalid_params("line 1, column 1: unknown")),
            }
        }
    }

    async fn run(params: Value) -> Result<Vec<Item>, NodeError> {
        let bench = Bench::new(node(Script));
        let input = Input::main(vec![Item::new(json!({ "a": 1 })), Item::new(json!({ "a": 2 }))]);
        let context = bench.context(Arc::new(Echo(params)));
        let Outcome::Done(Output { mut ports, .. }) = node(Script).run(&context, input).await? else {
            panic!("never waits")
        };
        Ok(ports.remove(0).1)
    }

    #[tokio::test]
    async fn all_sees_the_list_and_each_keeps_lineage() {
        let items = run(json!({ "code": "items" })).await.unwrap();
        assert_eq!(items, [Item::new(json!({ "a": 1 })), Item::new(json!({ "a": 2 }))]);
        let items = run(json!({ "code": "index", "mode": "each" })).await.unwrap();
        assert_eq!(items[1], Item::new(json!({ "index": 1 })).from_input(1));
    }

    #[tokio::test]
    async fn faults_point_at_the_code() {
        assert_eq!(run(json!({ "code": "?" })).await.unwrap_err().path.as_deref(), Some("/code"));
        assert_eq!(objects(json!([{ "a": 1 }, 2])).unwrap_err().code, "script_result");
        assert_eq!(objects(Value::Null).unwrap(), Vec::<Value>::new());
    }
}
