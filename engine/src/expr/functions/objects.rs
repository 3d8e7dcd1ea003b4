//! Functions on objects and paths into nested data.

use rhai::{Array, Dynamic, Engine, ImmutableString, Map};

use super::args::{list, object, text};
use crate::expr::failure::Outcome;
use crate::expr::view::{JsonView, position};

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("keys", |x: Dynamic| -> Outcome {
        Ok(ordered("keys", &x)?.into_iter().map(|(key, _)| key.into()).collect::<Array>().into())
    });
    engine.register_fn("values", |x: Dynamic| -> Outcome {
        Ok(ordered("values", &x)?.into_iter().map(|(_, item)| item).collect::<Array>().into())
    });
    engine.register_fn("get", |x: Dynamic, path: Dynamic| get(&x, &path, Dynamic::UNIT));
    engine.register_fn("get", |x: Dynamic, path: Dynamic, default: Dynamic| get(&x, &path, default));
    engine.register_fn("has", |x: Dynamic, path: Dynamic| -> Outcome<bool> {
        Ok(!at_path(&x, &text("has", &path)?).is_unit())
    });
    engine.register_fn("pick", |x: Dynamic, keys: Dynamic| select("pick", &x, keys, true));
    engine.register_fn("omit", |x: Dynamic, keys: Dynamic| select("omit", &x, keys, false));
    engine.register_fn("merge", |a: Dynamic, b: Dynamic| -> Outcome {
        let mut merged = object("merge", &a)?;
        merged.extend(object("merge", &b)?);
        Ok(merged.into())
    });
    engine.register_fn("set", |x: Dynamic, key: Dynamic, value: Dynamic| -> Outcome {
        let mut changed = object("set", &x)?;
        changed.insert(text("set", &key)?.as_str().into(), value.flatten());
        Ok(changed.into())
    });
}

/// Entries in the order of the document, which a native map would lose.
fn ordered(function: &str, x: &Dynamic) -> Outcome<Vec<(String, Dynamic)>> {
    if let Some(view) = x.read_lock::<JsonView>()
        && let Some(entries) = view.entries()
    {
        return Ok(entries.into_iter().map(|(key, item)| (key.to_owned(), item)).collect());
    }
    Ok(object(function, x)?.into_iter().map(|(key, item)| (key.to_string(), item)).collect())
}

fn get(x: &Dynamic, path: &Dynamic, default: Dynamic) -> Outcome {
    let found = at_path(x, &text("get", path)?);
    Ok(if found.is_unit() { default.flatten() } else { found })
}

/// The value at a path such as `address.city` or `lines.0.text`; null where it leads nowhere.
/// A key that contains dots is found when it is written whole.
pub(super) fn at_path(value: &Dynamic, path: &str) -> Dynamic {
    let whole = step(value, path);
    if !whole.is_unit() || !path.contains('.') {
        return whole;
    }
    path.split('.').fold(value.clone(), |value, part| step(&value, part))
}

fn step(value: &Dynamic, part: &str) -> Dynamic {
    if let Some(view) = value.read_lock::<JsonView>() {
        let element = || view.element(part.parse().ok()?);
        return view.property(part).or_else(element).unwrap_or_default();
    }
    if let Some(map) = value.read_lock::<Map>() {
        return map.get(part).cloned().unwrap_or_default();
    }
    let element = |list: &Array| list.get(position(part.parse().ok()?, list.len())?).cloned();
    value.read_lock::<Array>().and_then(|list| element(&list)).unwrap_or_default()
}

fn select(function: &str, x: &Dynamic, keys: Dynamic, wanted: bool) -> Outcome {
    let keys = list(function, keys)?;
    let keys = keys.iter().map(|key| text(function, key)).collect::<Outcome<Vec<ImmutableString>>>()?;
    let keys: std::collections::HashSet<&str> = keys.iter().map(|key| key.as_str()).collect();
    let kept = object(function, x)?.into_iter().filter(|(key, _)| keys.contains(key.as_str()) == wanted);
    Ok(kept.collect::<Map>().into())
}
