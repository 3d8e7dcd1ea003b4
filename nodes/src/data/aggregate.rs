//! `data.aggregate`: brings all items together in one. Must not know the engine.

use crate::values::field::{get, last_name};
use serde_json::Map;
use sluice_node_sdk::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The node.
pub struct Aggregate;

/// What goes into the one item.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AggregateParams {
    /// Fields (paths) to gather, each into a list of its own name. Without any, the whole data of the
    /// items goes into one list.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Name of the list when no fields are named.
    #[serde(default = "items_name")]
    #[schemars(length(min = 1))]
    pub into: String,
    /// Whether missing and null values are left out of the lists.
    #[serde(default)]
    pub skip_missing: bool,
    /// Whether the items' files are gathered too. A name that is taken gets a number: `photo`, `photo_2`.
    #[serde(default)]
    pub files: bool,
}

fn items_name() -> String {
    "items".to_owned()
}

impl Node for Aggregate {
    const TYPE: &'static str = "data.aggregate";
    type Params = AggregateParams;

    fn spec(&self) -> NodeSpec {
        let people = || vec![json!({ "id": 1, "name": "Asha" }), json!({ "id": 2 })];
        NodeSpec::new("Aggregate", "Brings all items together in one")
            .docs(
                "Makes one item with lists out of all items: the opposite of `data.split`. To count, add up or \
                 group use `data.summarize`.",
            )
            .example(
                Example::new("All in one list", json!({}))
                    .input(people())
                    .output(vec![json!({ "items": people() })]),
            )
            .example(
                Example::new("One list per field", json!({ "fields": ["id", "name"] }))
                    .input(people())
                    .output(vec![json!({ "id": [1, 2], "name": ["Asha", null] })]),
            )
            .example(
                Example::new("Without gaps", json!({ "fields": ["name"], "skip_missing": true }))
                    .input(people())
                    .output(vec![json!({ "name": ["Asha"] })]),
            )
            .example(
                Example::new("Two fields of one name", json!({ "fields": ["a.id", "b.id"] }))
                    .input(people())
                    .error("duplicate_field"),
            )
    }

    async fn run(&self, ctx: &Context<'_, AggregateParams>, input: Input) -> Result<Outcome, NodeError> {
        let params = ctx.params(0)?;
        let mut json = Map::new();
        if params.fields.is_empty() {
            let list = input.items().iter().map(|item| (*item.json).clone()).collect();
            json.insert(params.into.clone(), Value::Array(list));
        }
        for (place, path) in params.fields.iter().enumerate() {
            let values = input.items().iter().map(|item| get(&item.json, path).cloned().unwrap_or_default());
            let list = values.filter(|value| !params.skip_missing || !value.is_null()).collect();
            if json.insert(last_name(path).to_owned(), Value::Array(list)).is_some() {
                let message =
                    format!("There is already a list `{}`; two fields would share it", last_name(path));
                return Err(NodeError::invalid_params(message)
                    .code("duplicate_field")
                    .at(format!("/fields/{place}")));
            }
        }
        let files = if params.files { gathered_files(input.items()) } else { BTreeMap::new() };
        let files = (!files.is_empty()).then(|| Arc::new(files));
        let from = (input.items().len() == 1).then_some(0);
        Ok(vec![Item { json: Arc::new(Value::Object(json)), files, from }].into())
    }
}

fn gathered_files(items: &[Item]) -> BTreeMap<String, FileRef> {
    let mut files = BTreeMap::new();
    for (name, file) in items.iter().filter_map(|item| item.files.as_deref()).flatten() {
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !files.contains_key(name));
        files.extend(free.map(|name| (name, file.clone())));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_are_numbered() {
        let item = |text: &'static str| {
            Item::new(json!({})).with_file("photo", FileRef::new("p.png", "image/png", text.as_bytes()))
        };
        let files = gathered_files(&[item("a"), item("b"), item("c")]);
        assert_eq!(files.keys().collect::<Vec<_>>(), ["photo", "photo_2", "photo_3"]);
        assert_eq!(&files["photo_3"].data[..], b"c");
    }
}
