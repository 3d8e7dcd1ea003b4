//! `data.split`: makes one item per element of a list. Must not know the engine.

use crate::values::field::{get, kind_name, last_name, object_of, remove, with_json};
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Split;

/// Which list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitParams {
    /// Field (path) that holds the list.
    #[schemars(length(min = 1))]
    pub field: String,
    /// Whether the item's other fields are added to each new item.
    #[serde(default)]
    pub keep: bool,
    /// Name of the field for the element. Without it an element that is an object becomes the item
    /// itself, and any other element is put under the list's own name.
    #[serde(default, rename = "as")]
    pub name: Option<String>,
}

impl Node for Split {
    const TYPE: &'static str = "data.split";
    type Params = SplitParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Split out", "Makes one item per element of a list")
            .docs(
                "Takes a list out of each item and sends its elements on as items of their own. An empty or \
                 missing list gives no items. With `keep` the item's other fields go along; a field of the \
                 element with the same name wins.",
            )
            .example(
                Example::new("The lines of an order", json!({ "field": "lines" }))
                    .input(vec![json!({ "order": 7, "lines": [{ "sku": "A" }, { "sku": "B" }] })])
                    .output(vec![json!({ "sku": "A" }), json!({ "sku": "B" })]),
            )
            .example(
                Example::new("Each with its order", json!({ "field": "lines", "keep": true }))
                    .input(vec![json!({ "order": 7, "lines": [{ "sku": "A" }, { "sku": "B" }] })])
                    .output(vec![json!({ "order": 7, "sku": "A" }), json!({ "order": 7, "sku": "B" })]),
            )
            .example(
                Example::new(
                    "Plain values under a name",
                    json!({ "field": "tags", "keep": true, "as": "tag" }),
                )
                .input(vec![json!({ "id": 1, "tags": ["vip", "new"] })])
                .output(vec![json!({ "id": 1, "tag": "vip" }), json!({ "id": 1, "tag": "new" })]),
            )
            .example(
                Example::new("Not a list", json!({ "field": "tags" }))
                    .input(vec![json!({ "tags": "vip" })])
                    .error("not_a_list"),
            )
    }

    async fn run(&self, ctx: &Context<'_, SplitParams>, input: Input) -> Result<Outcome, NodeError> {
        let mut items = Vec::new();
        for (index, item) in input.items().iter().enumerate() {
            let params = ctx.params(index)?;
            let elements = match get(&item.json, &params.field) {
                None | Some(Value::Null) => continue,
                Some(Value::Array(elements)) => elements,
                Some(other) => return Err(not_a_list(&params.field, index, other)),
            };
            for element in elements {
                items.push(with_json(item, index, one(&params, item, index, element)?));
            }
        }
        Ok(items.into())
    }
}

/// The data of one new item.
fn one(params: &SplitParams, item: &Item, index: usize, element: &Value) -> Result<Value, NodeError> {
    let mut json = serde_json::Map::new();
    if params.keep {
        json = object_of(item, index)?;
        remove(&mut json, &params.field);
    }
    match (&params.name, element) {
        (None, Value::Object(fields)) => {
            json.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        (name, element) => {
            let name = name.as_deref().unwrap_or_else(|| last_name(&params.field));
            json.insert(name.to_owned(), element.clone());
        }
    }
    Ok(Value::Object(json))
}

fn not_a_list(path: &str, index: usize, value: &Value) -> NodeError {
    NodeError::invalid_input(format!(
        "`{path}` of item {index} is {}, not a list; to split text write `{{{{ json.{path}.split(\",\") }}}}` into \
         a field with `data.set` first",
        kind_name(value)
    ))
    .code("not_a_list")
    .at("/field")
}
