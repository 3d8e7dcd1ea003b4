//! `data.set`: gives each item new fields. The busiest node of all: values are moved, never copied
//! without need. Must not know the engine.

use crate::values::field::{kind_name, not_an_object, remove, set_at_path};
use serde_json::Map;
use sluice_node_sdk::prelude::*;
use std::sync::Arc;

/// The node.
pub struct Set;

/// The fields.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetParams {
    /// The new fields with their values: any JSON, with `{{ }}` where it should depend on the item.
    #[serde(default)]
    pub fields: Map<String, Value>,
    /// Whether the item's other fields and its files stay.
    #[serde(default)]
    pub keep: bool,
    /// Fields (paths) to leave out, with `keep`.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Whether dots in the names of `fields` reach inside: `address.city` then sets `city` in `address`.
    #[serde(default)]
    pub dotted: bool,
}

impl Node for Set {
    const TYPE: &'static str = "data.set";
    type Params = SetParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Set fields", "Gives items new fields, or a new shape altogether")
            .docs(
                "Builds each item anew from `fields`. With `keep` the fields are added to what the item \
                 already has, and `remove` takes some away. A value that is exactly one `{{ }}` keeps its \
                 type (number, list, object); text around it makes it text.",
            )
            .example(
                Example::new(
                    "Shape an item",
                    json!({ "fields": { "name": "{{ json.body.name }}", "score": "{{ json.body.score + 1 }}" } }),
                )
                .input(vec![json!({ "body": { "name": "Asha", "score": 41 } })])
                .output(vec![json!({ "name": "Asha", "score": 42 })]),
            )
            .example(
                Example::new("Add a field", json!({ "fields": { "grade": "high" }, "keep": true }))
                    .input(vec![json!({ "score": 42 })])
                    .output(vec![json!({ "score": 42, "grade": "high" })]),
            )
            .example(
                Example::new(
                    "Reach inside and take away",
                    json!({
                        "fields": { "address.city": "Pune" }, "dotted": true,
                        "keep": true, "remove": ["secret", "address.zip"]
                    }),
                )
                .input(vec![json!({ "secret": 1, "address": { "zip": "411001", "state": "MH" } })])
                .output(vec![json!({ "address": { "state": "MH", "city": "Pune" } })]),
            )
            .example(
                Example::new("Only an object has fields", json!({ "fields": { "a": 1 }, "keep": true }))
                    .input(vec![json!([1, 2])])
                    .error("not_an_object"),
            )
    }

    async fn run(&self, ctx: &Context<'_, SetParams>, input: Input) -> Result<Outcome, NodeError> {
        let keep = ctx.params.resolve_at("/keep", 0)? == Value::Bool(true);
        let dotted = ctx.params.resolve_at("/dotted", 0)? == Value::Bool(true);
        let unwanted = if keep { ctx.params.resolve_at("/remove", 0)? } else { Value::Null };
        let fixed = if ctx.params.is_static() { Some(fields(ctx, 0)?) } else { None };
        let mut items = Vec::with_capacity(input.items().len());
        for (index, item) in input.items().iter().enumerate() {
            let fields = match &fixed {
                Some(fields) => fields.clone(),
                None => fields(ctx, index)?,
            };
            let json = if keep {
                let Value::Object(old) = &*item.json else { return Err(not_an_object(index, &item.json)) };
                let mut json = old.clone();
                take_away(&mut json, &unwanted);
                add(&mut json, fields, dotted)?;
                json
            } else if dotted {
                let mut json = Map::new();
                add(&mut json, fields, true)?;
                json
            } else {
                fields
            };
            let files = if keep { item.files.clone() } else { None };
            items.push(Item { json: Arc::new(Value::Object(json)), files, from: u32::try_from(index).ok() });
        }
        Ok(items.into())
    }
}

fn fields(ctx: &Context<'_, SetParams>, index: usize) -> Result<Map<String, Value>, NodeError> {
    match ctx.params.resolve_at("/fields", index)? {
        Value::Object(fields) => Ok(fields),
        Value::Null => Ok(Map::new()),
        other => {
            let message =
                format!("`fields` must be an object, but for item {index} it is {}", kind_name(&other));
            Err(NodeError::invalid_params(message).at("/fields"))
        }
    }
}

fn take_away(json: &mut Map<String, Value>, unwanted: &Value) {
    for path in unwanted.as_array().into_iter().flatten().filter_map(Value::as_str) {
        remove(json, path);
    }
}

fn add(json: &mut Map<String, Value>, fields: Map<String, Value>, dotted: bool) -> Result<(), NodeError> {
    if !dotted {
        json.extend(fields);
        return Ok(());
    }
    for (path, value) in fields {
        set_at_path(json, &path, value).map_err(|blocked| {
            let message = format!("Cannot set `{path}`: `{blocked}` is not an object");
            NodeError::invalid_input(message).code("not_an_object").at(format!("/fields/{path}"))
        })?;
    }
    Ok(())
}
