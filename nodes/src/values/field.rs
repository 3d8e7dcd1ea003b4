//! Field paths: a field name, or names joined by dots to reach inside (`address.city`, `tags.0`). A field
//! whose own name contains the dots wins. Must not know any node.

use serde_json::{Map, Value};
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::item::Item;
use std::sync::Arc;

/// What sort of JSON value it is, with its article, for messages.
pub(crate) fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The value at a field path.
pub(crate) fn get<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    if let Some(found) = value.get(path) {
        return Some(found);
    }
    path.split('.').try_fold(value, |inside, step| match inside {
        Value::Object(map) => map.get(step),
        Value::Array(list) => list.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Puts a value at a dotted path, making objects on the way.
///
/// # Errors
/// The part of the path that holds something other than an object.
pub(crate) fn set_at_path(map: &mut Map<String, Value>, path: &str, value: Value) -> Result<(), String> {
    let Some((first, rest)) = path.split_once('.') else {
        map.insert(path.to_owned(), value);
        return Ok(());
    };
    let inside = map.entry(first).or_insert_with(|| Value::Object(Map::new()));
    match inside {
        Value::Object(inside) => {
            set_at_path(inside, rest, value).map_err(|deeper| format!("{first}.{deeper}"))
        }
        _ => Err(first.to_owned()),
    }
}

/// Takes the value at a field path out, keeping the order of what stays.
pub(crate) fn remove(map: &mut Map<String, Value>, path: &str) -> Option<Value> {
    if let Some(found) = map.shift_remove(path) {
        return Some(found);
    }
    let (first, rest) = path.split_once('.')?;
    match map.get_mut(first)? {
        Value::Object(inside) => remove(inside, rest),
        _ => None,
    }
}

/// The last name of a path: `city` of `address.city`.
pub(crate) fn last_name(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// A copy of an item's object, to be changed.
///
/// # Errors
/// `not_an_object` when the item holds something else.
pub(crate) fn object_of(item: &Item, index: usize) -> Result<Map<String, Value>, NodeError> {
    match &*item.json {
        Value::Object(map) => Ok(map.clone()),
        other => Err(not_an_object(index, other)),
    }
}

/// The error for an item that should have been an object.
pub(crate) fn not_an_object(index: usize, value: &Value) -> NodeError {
    NodeError::invalid_input(format!(
        "Item {index} is {}, not an object; shape it with `data.set` first",
        kind_name(value)
    ))
    .code("not_an_object")
}

/// The item with one field added or replaced; files stay.
///
/// # Errors
/// `not_an_object` when the item holds something other than an object.
pub(crate) fn with_field(item: &Item, index: usize, name: &str, value: Value) -> Result<Item, NodeError> {
    let mut map = object_of(item, index)?;
    map.insert(name.to_owned(), value);
    Ok(with_json(item, index, Value::Object(map)))
}

/// The item with other data; files stay, lineage is set.
pub(crate) fn with_json(item: &Item, index: usize, json: Value) -> Item {
    Item { json: Arc::new(json), files: item.files.clone(), from: None }.from_input(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reaches_inside_and_prefers_the_exact_name() {
        let value = json!({ "a": { "b": [10, 20] }, "a.b": "exact" });
        assert_eq!(get(&value, "a.b"), Some(&json!("exact")));
        assert_eq!(get(&value, "a.b.1"), Some(&json!(20)));
        assert_eq!(get(&value, "a.c"), None);
        assert_eq!(get(&value, "a.b.x"), None);
    }

    #[test]
    fn sets_and_removes_at_paths() {
        let mut map = Map::new();
        set_at_path(&mut map, "a.b.c", json!(1)).unwrap();
        set_at_path(&mut map, "a.d", json!(2)).unwrap();
        assert_eq!(Value::Object(map.clone()), json!({ "a": { "b": { "c": 1 }, "d": 2 } }));
        assert_eq!(set_at_path(&mut map, "a.d.x", json!(3)), Err("a.d".to_owned()));
        assert_eq!(remove(&mut map, "a.b.c"), Some(json!(1)));
        assert_eq!(remove(&mut map, "a.nothing"), None);
        assert_eq!(Value::Object(map), json!({ "a": { "b": {}, "d": 2 } }));
    }
}
