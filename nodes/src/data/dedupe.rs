//! `data.dedupe`: keeps one of several equal items. Must not know the engine, nor what earlier runs saw.

use crate::values::{check, field, order};
use sluice_node_sdk::prelude::*;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The node.
pub struct Dedupe;

/// What makes two items equal.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DedupeParams {
    /// Fields (paths) that must be equal. Without `fields` and `key` the whole data must be equal.
    #[serde(default)]
    pub fields: Vec<String>,
    /// In place of fields: a value worked out for each item, for example `{{ json.email.lower() }}`.
    #[serde(default)]
    pub key: Value,
    /// Which of several equal items stays.
    #[serde(default)]
    pub keep: Keep,
}

/// Which of several equal items stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The first.
    #[default]
    First,
    /// The last, at the place of the first.
    Last,
}

impl Node for Dedupe {
    const TYPE: &'static str = "data.dedupe";
    type Params = DedupeParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Remove duplicates", "Keeps one of several equal items")
            .docs(
                "Compares the items of one execution with each other and keeps one of those that are equal \
                 in `fields`, in `key`, or altogether. Numbers and text are never equal (`1` and `\"1\"`); \
                 the order of fields does not matter.",
            )
            .example(
                Example::new("One per phone number", json!({ "fields": ["phone"] }))
                    .input(vec![
                        json!({ "phone": "+911", "n": 1 }),
                        json!({ "phone": "+912", "n": 2 }),
                        json!({ "phone": "+911", "n": 3 }),
                    ])
                    .output(vec![json!({ "phone": "+911", "n": 1 }), json!({ "phone": "+912", "n": 2 })]),
            )
            .example(
                Example::new("The latest of each", json!({ "fields": ["id"], "keep": "last" }))
                    .input(vec![
                        json!({ "id": 1, "v": "old" }),
                        json!({ "id": 2 }),
                        json!({ "id": 1, "v": "new" }),
                    ])
                    .output(vec![json!({ "id": 1, "v": "new" }), json!({ "id": 2 })]),
            )
            .example(
                Example::new("Without regard to capitals", json!({ "key": "{{ json.email.lower() }}" }))
                    .input(vec![json!({ "email": "A@x.in" }), json!({ "email": "a@X.in" })])
                    .output(vec![json!({ "email": "A@x.in" })]),
            )
            .example(
                Example::new("Fields or a key, not both", json!({ "fields": ["id"], "key": 1 }))
                    .input(vec![json!({ "id": 1 })])
                    .error("dedupe_key"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        let has_fields = params["fields"].as_array().is_some_and(|fields| !fields.is_empty());
        let both = has_fields && check::is_set(params, "key");
        check::problems(if both { Err(two_keys()) } else { Ok(()) })
    }

    async fn run(&self, ctx: &Context<'_, DedupeParams>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        if !params.fields.is_empty() && !params.key.is_null() {
            return Err(two_keys());
        }
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut kept: Vec<Item> = Vec::new();
        for (index, item) in input.items().iter().enumerate() {
            let key = if !params.fields.is_empty() {
                let value =
                    |path: &String| field::get(&item.json, path).map_or_else(String::new, order::canonical);
                params.fields.iter().map(value).collect::<Vec<_>>().join("\u{0}")
            } else {
                match ctx.params.resolve_at("/key", index)? {
                    Value::Null => order::canonical(&item.json),
                    key => order::canonical(&key),
                }
            };
            match places.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push(item.clone().from_input(index));
                }
                Entry::Occupied(place) if params.keep == Keep::Last => {
                    kept[*place.get()] = item.clone().from_input(index);
                }
                Entry::Occupied(_) => {}
            }
        }
        Ok(kept.into())
    }
}

fn two_keys() -> NodeError {
    NodeError::invalid_params("Give `fields` or `key`, not both").code("dedupe_key").at("/key")
}
