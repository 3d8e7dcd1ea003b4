//! Functions on lists. Where a function is asked for, a path such as `"address.city"` also does.

use std::cmp::Ordering;
use std::collections::HashSet;

use rhai::{Array, Dynamic, Engine, FnPtr, ImmutableString, Map, NativeCallContext};

use super::args::{count, list, needs, number, text, whole};
use super::objects::at_path;
use crate::expr::convert::{dynamic_text, kind_of, push_dynamic_text, to_value};
use crate::expr::failure::{Outcome, charge, charge_bytes, wrong_type};
use crate::expr::ops::{self, Num};
use crate::expr::view::{JsonView, position};

/// Functions that call the function they are given, and keep it no longer than that.
pub(crate) const TAKE_FUNCTIONS: &[&str] =
    &["map", "filter", "find", "any", "all", "group_by", "sort_by", "pluck"];

pub(super) fn register(engine: &mut Engine) {
    register_callbacks(engine);
    register_sorting(engine);
    register_parts(engine);
    engine.register_fn("sum", |items: Dynamic| total("sum", items).map(|(sum, _)| sum.into_dynamic()));
    engine.register_fn("avg", |items: Dynamic| -> Outcome {
        let (sum, count) = total("avg", items)?;
        Ok(if count == 0 { Dynamic::UNIT } else { (sum.float() / count as f64).into() })
    });
    engine.register_fn("join", |items: Dynamic| join(items, ", "));
    engine.register_fn("join", |items: Dynamic, between: Dynamic| join(items, &text("join", &between)?));
    engine.register_fn("unique", unique);
    engine.register_fn("flatten", |items: Dynamic| -> Outcome {
        let mut flat = Array::new();
        for item in list("flatten", items)? {
            match crate::expr::convert::list_of(&item) {
                Some(inner) => {
                    charge(inner.len())?;
                    flat.extend(inner);
                }
                None => flat.push(item),
            }
        }
        Ok(flat.into())
    });
    engine.register_fn("compact", |items: Dynamic| -> Outcome {
        let kept: Array = list("compact", items)?.into_iter().filter(|item| !is_empty(item)).collect();
        Ok(kept.into())
    });
    engine.register_fn("to_list", |items: Dynamic| -> Outcome { Ok(list("to_list", items)?.into()) });
    engine.register_fn("index_of", |items: Dynamic, wanted: Dynamic| index_of(items, &wanted));
    engine.register_fn("len", |x: Dynamic| length(&x));
    engine.register_fn("is_empty", |x: Dynamic| is_empty(&x));
    engine.register_fn(
        "if_empty",
        |x: Dynamic, fallback: Dynamic| {
            if is_empty(&x) { fallback.flatten() } else { x.flatten() }
        },
    );
    engine.register_fn("kind", |x: Dynamic| {
        ImmutableString::from(kind_of(&x).trim_start_matches("a ").trim_start_matches("an "))
    });
}

fn register_callbacks(engine: &mut Engine) {
    engine.register_fn("map", |ctx: NativeCallContext, items: Dynamic, with: Dynamic| -> Outcome {
        let with = Callback::of("map", with)?;
        let mapped: Outcome<Array> =
            list("map", items)?.into_iter().map(|item| with.call(&ctx, item)).collect();
        Ok(mapped?.into())
    });
    engine.register_fn("pluck", |ctx: NativeCallContext, items: Dynamic, path: Dynamic| -> Outcome {
        let with = Callback::of("pluck", path)?;
        let plucked: Outcome<Array> =
            list("pluck", items)?.into_iter().map(|item| with.call(&ctx, item)).collect();
        Ok(plucked?.into())
    });
    engine.register_fn("filter", |ctx: NativeCallContext, items: Dynamic, test: Dynamic| -> Outcome {
        let test = Callback::of("filter", test)?;
        let mut kept = Array::new();
        for item in list("filter", items)? {
            if test.holds(&ctx, &item)? {
                kept.push(item);
            }
        }
        Ok(kept.into())
    });
    engine.register_fn("find", |ctx: NativeCallContext, items: Dynamic, test: Dynamic| -> Outcome {
        let test = Callback::of("find", test)?;
        for item in list("find", items)? {
            if test.holds(&ctx, &item)? {
                return Ok(item);
            }
        }
        Ok(Dynamic::UNIT)
    });
    for (name, stops_at) in [("any", true), ("all", false)] {
        engine.register_fn(
            name,
            move |ctx: NativeCallContext, items: Dynamic, test: Dynamic| -> Outcome<bool> {
                let test = Callback::of(name, test)?;
                for item in list(name, items)? {
                    if test.holds(&ctx, &item)? == stops_at {
                        return Ok(stops_at);
                    }
                }
                Ok(!stops_at)
            },
        );
    }
    engine.register_fn("where", |items: Dynamic, path: Dynamic, wanted: Dynamic| -> Outcome {
        let path = text("where", &path)?;
        let mut kept = Array::new();
        for item in list("where", items)? {
            if ops::equal(&at_path(&item, &path), &wanted)? {
                kept.push(item);
            }
        }
        Ok(kept.into())
    });
    engine.register_fn("group_by", |ctx: NativeCallContext, items: Dynamic, by: Dynamic| -> Outcome {
        let by = Callback::of("group_by", by)?;
        let mut groups = std::collections::BTreeMap::<String, Array>::new();
        for item in list("group_by", items)? {
            let key = dynamic_text(&by.call(&ctx, item.clone())?)?;
            groups.entry(key).or_default().push(item);
        }
        Ok(groups.into_iter().map(|(key, group)| (key.into(), Dynamic::from(group))).collect::<Map>().into())
    });
}

fn register_sorting(engine: &mut Engine) {
    engine.register_fn("sort", |items: Dynamic| -> Outcome {
        let items = list("sort", items)?;
        let keys = items.clone();
        sorted("sort", items, keys)
    });
    engine.register_fn("sort_by", |ctx: NativeCallContext, items: Dynamic, by: Dynamic| -> Outcome {
        let by = Callback::of("sort_by", by)?;
        let items = list("sort_by", items)?;
        let keys: Outcome<Array> = items.iter().cloned().map(|item| by.call(&ctx, item)).collect();
        sorted("sort_by", items, keys?)
    });
    engine.register_fn("reverse", |x: Dynamic| -> Outcome {
        if x.is_string() {
            let t = text("reverse", &x)?;
            charge_bytes(t.len())?;
            return Ok(t.chars().rev().collect::<String>().into());
        }
        let mut items = list("reverse", x)?;
        items.reverse();
        Ok(items.into())
    });
}

fn register_parts(engine: &mut Engine) {
    engine.register_fn("first", |items: Dynamic| -> Outcome {
        Ok(list("first", items)?.into_iter().next().unwrap_or_default())
    });
    engine.register_fn("last", |items: Dynamic| -> Outcome {
        Ok(list("last", items)?.pop().unwrap_or_default())
    });
    engine.register_fn("take", |items: Dynamic, most: Dynamic| -> Outcome {
        let mut items = list("take", items)?;
        items.truncate(count("take", &most)?);
        Ok(items.into())
    });
    engine.register_fn("skip", |items: Dynamic, fewest: Dynamic| -> Outcome {
        let fewest = count("skip", &fewest)?;
        Ok(list("skip", items)?.into_iter().skip(fewest).collect::<Array>().into())
    });
    engine.register_fn("slice", |items: Dynamic, start: Dynamic| slice(items, &start, None));
    engine.register_fn("slice", |items: Dynamic, start: Dynamic, end: Dynamic| {
        slice(items, &start, Some(whole("slice", &end)?))
    });
    engine.register_fn("chunk", |items: Dynamic, size: Dynamic| -> Outcome {
        let size = count("chunk", &size)?.max(1);
        let items = list("chunk", items)?;
        Ok(items.chunks(size).map(|part| Dynamic::from(part.to_vec())).collect::<Array>().into())
    });
}

/// What is done to each element: call a function or read a path.
enum Callback {
    Function(&'static str, FnPtr),
    Path(ImmutableString),
}

impl Callback {
    fn of(function: &'static str, value: Dynamic) -> Outcome<Self> {
        if value.is_string() || value.is_char() {
            return Ok(Self::Path(text(function, &value)?));
        }
        let kind = value.clone();
        value
            .try_cast::<FnPtr>()
            .map(|callback| Self::Function(function, callback))
            .ok_or_else(|| needs(function, "a function such as |x| x.price, or a path in quotes", &kind))
    }

    fn call(&self, ctx: &NativeCallContext, item: Dynamic) -> Outcome {
        match self {
            Self::Function(_, callback) => Ok(callback.call_raw(ctx, None, [item])?.flatten()),
            Self::Path(path) => Ok(at_path(&item, path)),
        }
    }

    fn holds(&self, ctx: &NativeCallContext, item: &Dynamic) -> Outcome<bool> {
        let answer = self.call(ctx, item.clone())?;
        match (self, answer.as_bool()) {
            (_, Ok(flag)) => Ok(flag),
            (Self::Path(_), Err(_)) if answer.is_unit() => Ok(false),
            (Self::Path(path), Err(_)) => {
                Err(wrong_type(format!("`{path}` must be true or false, not {}", kind_of(&answer))))
            }
            (Self::Function(name, _), Err(_)) => Err(wrong_type(format!(
                "the function given to {name}() must answer true or false, not {}",
                kind_of(&answer)
            ))),
        }
    }
}

/// Sorts `items` by `keys`; nulls go last. All keys must be numbers or all text, which also keeps
/// the order total: comparing numbers with text has no answer.
fn sorted(function: &str, items: Array, keys: Array) -> Outcome {
    let numeric = keys.iter().all(|key| key.is_unit() || ops::number(key).is_some());
    let textual = keys.iter().all(|key| key.is_unit() || key.is_string());
    if !numeric && !textual {
        return Err(wrong_type(format!("{function}() needs values that are all numbers or all text")));
    }
    charge(items.len().saturating_mul(4))?;
    let mut pairs: Vec<(Dynamic, Dynamic)> = keys.into_iter().zip(items).collect();
    let all_whole = pairs.iter().all(|(key, _)| key.is_unit() || key.is_int());
    pairs.sort_by(|(a, _), (b, _)| key_order(a, b, all_whole));
    Ok(pairs.into_iter().map(|(_, item)| item).collect::<Array>().into())
}

fn key_order(a: &Dynamic, b: &Dynamic, all_whole: bool) -> Ordering {
    if a.is_unit() || b.is_unit() {
        return a.is_unit().cmp(&b.is_unit());
    }
    if all_whole {
        return a.as_int().unwrap_or_default().cmp(&b.as_int().unwrap_or_default());
    }
    match (ops::number(a), ops::number(b)) {
        (Some(a), Some(b)) => a.float().total_cmp(&b.float()),
        _ => a.read_lock::<ImmutableString>().as_deref().cmp(&b.read_lock::<ImmutableString>().as_deref()),
    }
}

/// Sum and count of the numbers in a list, nulls left out.
fn total(function: &str, items: Dynamic) -> Outcome<(Num, usize)> {
    let mut sum = Num::Int(0);
    let mut count = 0;
    for item in list(function, items)?.iter().filter(|item| !item.is_unit()) {
        let number = number(function, item)?;
        // Past the range of whole numbers the sum goes on as a decimal.
        sum = ops::sum(sum, number).unwrap_or(Num::Float(sum.float() + number.float()));
        count += 1;
    }
    Ok((sum, count))
}

fn join(items: Dynamic, between: &str) -> Outcome {
    let mut out = String::new();
    for (index, item) in list("join", items)?.iter().enumerate() {
        let before = out.len();
        if index > 0 {
            out.push_str(between);
        }
        push_dynamic_text(&mut out, item)?;
        charge_bytes(out.len() - before)?;
    }
    Ok(out.into())
}

/// The list without repetitions, first occurrences kept. Compares by JSON form.
fn unique(items: Dynamic) -> Outcome {
    let mut seen = HashSet::new();
    let mut kept = Array::new();
    for item in list("unique", items)? {
        let form = to_value(item.clone())?.to_string();
        charge_bytes(form.len())?;
        if seen.insert(form) {
            kept.push(item);
        }
    }
    Ok(kept.into())
}

fn index_of(items: Dynamic, wanted: &Dynamic) -> Outcome {
    if items.is_string() {
        let (t, part) = (text("index_of", &items)?, text("index_of", wanted)?);
        let found = t.find(part.as_str()).map(|at| t[..at].chars().count());
        return Ok(found.map_or(Dynamic::UNIT, |at| (at as i64).into()));
    }
    for (index, item) in list("index_of", items)?.iter().enumerate() {
        if ops::equal(item, wanted)? {
            return Ok((index as i64).into());
        }
    }
    Ok(Dynamic::UNIT)
}

fn slice(items: Dynamic, start: &Dynamic, end: Option<i64>) -> Outcome {
    let start = whole("slice", start)?;
    let items = list("slice", items)?;
    let bound = |index: i64| {
        if index < 0 { position(index, items.len()).unwrap_or(0) } else { (index as usize).min(items.len()) }
    };
    let (start, end) = (bound(start), end.map_or(items.len(), bound));
    Ok(items[start.min(end)..end].to_vec().into())
}

/// Length of text (characters), list or object.
fn length(x: &Dynamic) -> Outcome<i64> {
    let length = if x.is_string() || x.is_char() {
        text("len", x)?.chars().count()
    } else if let Some(view) = x.read_lock::<JsonView>() {
        let object = view.object().map(serde_json::Map::len);
        view.list_len().or(object).ok_or_else(|| needs("len", "text, a list or an object", x))?
    } else if let Some(list) = x.read_lock::<Array>() {
        list.len()
    } else if let Some(map) = x.read_lock::<Map>() {
        map.len()
    } else if let Some((start, end)) = crate::expr::convert::range_bounds(x) {
        (end - start) as usize
    } else {
        return Err(needs("len", "text, a list or an object", x));
    };
    Ok(length as i64)
}

/// Null, empty text (also only spaces), empty list, empty object.
fn is_empty(x: &Dynamic) -> bool {
    if x.is_unit() {
        return true;
    }
    if let Some(text) = x.read_lock::<ImmutableString>() {
        return text.trim().is_empty();
    }
    matches!(length(x), Ok(0))
}
