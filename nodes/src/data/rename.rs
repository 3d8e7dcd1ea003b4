//! `data.rename`: gives fields other names. Must not know the engine.

use crate::values::check;
use crate::values::field::{object_of, remove, set_at_path, with_json};
use indexmap::IndexMap;
use serde_json::Map;
use sluice_node_sdk::prelude::*;

/// The node.
pub struct Rename;

/// Old and new names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameParams {
    /// Old name to new name. Both may be paths: `{ "user.mail": "email" }` moves `mail` out of `user`.
    #[schemars(with = "std::collections::BTreeMap<String, String>", extend("minProperties" = 1))]
    pub fields: IndexMap<String, String>,
}

impl Node for Rename {
    const TYPE: &'static str = "data.rename";
    type Params = RenameParams;

    fn spec(&self) -> NodeSpec {
        NodeSpec::new("Rename fields", "Gives fields other names")
            .docs(
                "Renames fields of each item, all at once, so that two fields can swap their names. A renamed \
                 field keeps its place; one that is missing is passed over. A field that already has the \
                 new name is replaced.",
            )
            .example(
                Example::new("Two names", json!({ "fields": { "fname": "first_name", "lname": "last_name" } }))
                    .input(vec![json!({ "fname": "Asha", "lname": "Rao", "age": 31 })])
                    .output(vec![json!({ "first_name": "Asha", "last_name": "Rao", "age": 31 })]),
            )
            .example(
                Example::new("Out of an object", json!({ "fields": { "user.mail": "email" } }))
                    .input(vec![json!({ "user": { "mail": "a@x.in", "id": 1 } })])
                    .output(vec![json!({ "user": { "id": 1 }, "email": "a@x.in" })]),
            )
            .example(
                Example::new("Two fields cannot share a name", json!({ "fields": { "a": "x", "b": "x" } }))
                    .input(vec![json!({ "a": 1, "b": 2 })])
                    .error("duplicate_field"),
            )
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        check::rule(params, |params: &RenameParams| all_different(&params.fields))
    }

    async fn run(&self, ctx: &Context<'_, RenameParams>, input: Input) -> Result<Outcome, NodeError> {
        let mut items = Vec::with_capacity(input.items().len());
        for (index, item) in input.items().iter().enumerate() {
            let params = ctx.params(index)?;
            let json = renamed(object_of(item, index)?, &params.fields)?;
            items.push(with_json(item, index, Value::Object(json)));
        }
        Ok(items.into())
    }
}

fn all_different(names: &IndexMap<String, String>) -> Result<(), NodeError> {
    for (place, new) in names.values().enumerate() {
        if names.values().take(place).any(|earlier| earlier == new) {
            let message = format!("Two fields would both be named `{new}`");
            return Err(NodeError::invalid_params(message).code("duplicate_field").at("/fields"));
        }
    }
    Ok(())
}

fn renamed(
    mut json: Map<String, Value>,
    names: &IndexMap<String, String>,
) -> Result<Map<String, Value>, NodeError> {
    all_different(names)?;
    // Plain fields keep their place. Those moved from or to inside go last.
    let (plain, deep): (Vec<_>, Vec<_>) =
        names.iter().partition(|(old, new)| json.contains_key(*old) && !new.contains('.'));
    let moved: Vec<(&String, Value)> =
        deep.into_iter().filter_map(|(old, new)| Some((new, remove(&mut json, old)?))).collect();
    let mut result = Map::with_capacity(json.len());
    for (name, value) in json {
        match plain.iter().find(|(old, _)| **old == name) {
            Some((_, new)) => _ = result.insert((*new).clone(), value),
            None if plain.iter().any(|(_, new)| **new == name) => {} // a renamed field takes its name
            None => _ = result.insert(name, value),
        }
    }
    for (path, value) in moved {
        set_at_path(&mut result, path, value).map_err(|blocked| {
            let message = format!("Cannot make `{path}`: `{blocked}` is not an object");
            NodeError::invalid_input(message).code("not_an_object").at("/fields")
        })?;
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swaps_replaces_and_moves() {
        let table = [
            (json!({ "a": "b", "b": "a" }), json!({ "a": 1, "b": 2, "c": 3 }), r#"{"b":1,"a":2,"c":3}"#),
            (json!({ "a": "c" }), json!({ "c": 0, "a": 1, "b": 2 }), r#"{"c":1,"b":2}"#),
            (json!({ "x": "y" }), json!({ "y": 1 }), r#"{"y":1}"#),
            (json!({ "a": "in.b" }), json!({ "a": 1, "in": { "c": 2 } }), r#"{"in":{"c":2,"b":1}}"#),
            (json!({ "in.c": "a" }), json!({ "a": 1, "in": { "c": 2 } }), r#"{"a":2,"in":{}}"#),
            (json!({ "a.b": "n" }), json!({ "a.b": 1, "z": 2 }), r#"{"n":1,"z":2}"#),
        ];
        for (names, json, expected) in table {
            let names: IndexMap<String, String> = serde_json::from_value(names).unwrap();
            let Value::Object(json) = json else { panic!("an object") };
            let result = renamed(json, &names).unwrap();
            assert_eq!(Value::Object(result).to_string(), expected, "{names:?}");
        }
    }
}
