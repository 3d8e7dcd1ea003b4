//! Changing lists and objects in place, for scripts. A list or object put into a list is frozen
//! into JSON: Rhai measures a native list again at each change, which would make building a long
//! list of objects take quadratic time.

use rhai::{Array, Dynamic, Engine, ImmutableString, Map};
use serde_json::Value;

use super::args::{count, text};
use crate::expr::convert::{kind_of, to_value};
use crate::expr::failure::{Outcome, charge, charge_bytes, wrong_type};
use crate::expr::view::JsonView;

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("push", |list: &mut Array, item: Dynamic| -> Outcome<()> {
        list.push(frozen(item)?);
        Ok(())
    });
    engine.register_fn("push", |list: &mut JsonView, item: Dynamic| -> Outcome<()> {
        let item = to_value(item)?;
        charge(1)?;
        match list.value_mut() {
            Value::Array(items) => items.push(item),
            _ => {
                return Err(wrong_type(format!(
                    "push() needs a list, not {}",
                    kind_of(&Dynamic::from(list.clone()))
                )));
            }
        }
        Ok(())
    });
    engine.register_fn("pop", |list: &mut Array| list.pop().unwrap_or_default());
    engine.register_fn("remove", |list: &mut Array, index: Dynamic| -> Outcome {
        let index = count("remove", &index)?;
        Ok(if index < list.len() { list.remove(index) } else { Dynamic::UNIT })
    });
    engine.register_fn("insert", |list: &mut Array, index: Dynamic, item: Dynamic| -> Outcome<()> {
        let index = count("insert", &index)?.min(list.len());
        charge(list.len())?;
        list.insert(index, frozen(item)?);
        Ok(())
    });
    engine.register_fn("remove", |map: &mut Map, key: Dynamic| -> Outcome {
        Ok(map.remove(text("remove", &key)?.as_str()).unwrap_or_default())
    });
    engine.register_indexer_set(|view: &mut JsonView, key: ImmutableString, item: Dynamic| -> Outcome<()> {
        let item = to_value(item)?;
        match view.value_mut() {
            Value::Object(map) => {
                map.insert(key.to_string(), item);
                Ok(())
            }
            _ => Err(wrong_type(format!("cannot set property `{key}` of a list"))),
        }
    });
    engine.register_indexer_set(|view: &mut JsonView, index: i64, item: Dynamic| -> Outcome<()> {
        let item = to_value(item)?;
        let place = view.list_len().and_then(|length| crate::expr::view::position(index, length));
        match (view.value_mut(), place) {
            (Value::Array(items), Some(place)) => {
                items[place] = item;
                Ok(())
            }
            _ => Err(wrong_type(format!("there is no element {index} to set"))),
        }
    });
}

/// A native list or object as shared JSON; anything else as it is.
fn frozen(item: Dynamic) -> Outcome {
    charge(1)?;
    // A variable shared with a closure must not be shared by the list too.
    let item = item.flatten();
    if !item.is_array() && !item.is_map() {
        return Ok(item);
    }
    let value = to_value(item)?;
    charge_bytes(weight(&value))?;
    Ok(crate::expr::convert::from_value(value))
}

/// About how many bytes JSON takes in memory.
fn weight(value: &Value) -> usize {
    let own = std::mem::size_of::<Value>();
    own + match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(weight).sum(),
        Value::Object(map) => map.iter().map(|(key, item)| key.len() + 32 + weight(item)).sum(),
        _ => 0,
    }
}
