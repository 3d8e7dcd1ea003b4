//! JSON seen from Rhai without copying it: a shared root and the steps to a place inside.
//! Scalars are handed over as native values; lists and objects stay views. Changing a view
//! (scripts may) copies what it sees first; the shared root never changes.

use std::sync::Arc;

use rhai::{Dynamic, ImmutableString};
use serde_json::Value;
use smallvec::SmallVec;

/// A list or object (or a number beyond `i64`) inside shared JSON.
#[derive(Clone)]
pub(crate) struct JsonView {
    root: Root,
    /// Steps from the root. Walked again on each access: JSON is at most 128 deep.
    path: SmallVec<[Step; 2]>,
}

#[derive(Clone)]
enum Root {
    Json(Arc<Value>),
    /// All items of a node; its elements are roots of their own, so the path is always empty.
    Items(Arc<[Arc<Value>]>),
}

#[derive(Clone)]
enum Step {
    Key(ImmutableString),
    Index(usize),
}

/// What a view points at.
pub(crate) enum Seen<'a> {
    Json(&'a Value),
    Items(&'a [Arc<Value>]),
}

impl JsonView {
    /// The native value of a scalar root, a view of anything else.
    pub(crate) fn open(root: Arc<Value>) -> Dynamic {
        scalar(&root).unwrap_or_else(|| Dynamic::from(Self { root: Root::Json(root), path: SmallVec::new() }))
    }

    /// A list of separately shared items.
    pub(crate) fn of_items(items: Arc<[Arc<Value>]>) -> Dynamic {
        Dynamic::from(Self { root: Root::Items(items), path: SmallVec::new() })
    }

    /// What this view points at. A path always leads somewhere because roots never change.
    pub(crate) fn seen(&self) -> Seen<'_> {
        let root = match &self.root {
            Root::Items(items) => return Seen::Items(items),
            Root::Json(root) => root.as_ref(),
        };
        Seen::Json(self.path.iter().fold(root, |value, step| match step {
            Step::Key(key) => value.get(key.as_str()).unwrap_or(&Value::Null),
            Step::Index(index) => value.get(*index).unwrap_or(&Value::Null),
        }))
    }

    /// A property; `()` when the object has none. `None` when this is not an object.
    pub(crate) fn property(&self, key: &str) -> Option<Dynamic> {
        match self.seen() {
            Seen::Json(Value::Object(map)) => Some(match map.get(key) {
                Some(value) => self.child(value, || Step::Key(key.into())),
                None => Dynamic::UNIT,
            }),
            _ => None,
        }
    }

    /// An element, counted from the end when negative; `()` out of range. `None` when not a list.
    pub(crate) fn element(&self, index: i64) -> Option<Dynamic> {
        let length = self.list_len()?;
        let Some(index) = position(index, length) else { return Some(Dynamic::UNIT) };
        Some(match self.seen() {
            Seen::Items(items) => Self::open(items[index].clone()),
            Seen::Json(value) => self.child(&value[index], || Step::Index(index)),
        })
    }

    fn child(&self, value: &Value, step: impl FnOnce() -> Step) -> Dynamic {
        scalar(value).unwrap_or_else(|| {
            let mut path = self.path.clone();
            path.push(step());
            Dynamic::from(Self { root: self.root.clone(), path })
        })
    }

    /// Length of a list, `None` for anything else.
    pub(crate) fn list_len(&self) -> Option<usize> {
        match self.seen() {
            Seen::Items(items) => Some(items.len()),
            Seen::Json(Value::Array(list)) => Some(list.len()),
            Seen::Json(_) => None,
        }
    }

    /// Entries of an object, `None` for anything else.
    pub(crate) fn object(&self) -> Option<&serde_json::Map<String, Value>> {
        match self.seen() {
            Seen::Json(Value::Object(map)) => Some(map),
            _ => None,
        }
    }

    /// Elements of a list as values and views, `None` for anything else.
    pub(crate) fn elements(&self) -> Option<Vec<Dynamic>> {
        match self.seen() {
            Seen::Items(items) => Some(items.iter().cloned().map(Self::open).collect()),
            Seen::Json(Value::Array(list)) => Some(
                list.iter().enumerate().map(|(at, value)| self.child(value, || Step::Index(at))).collect(),
            ),
            Seen::Json(_) => None,
        }
    }

    /// Entries of an object as values and views, in document order; `None` for anything else.
    pub(crate) fn entries(&self) -> Option<Vec<(&str, Dynamic)>> {
        let entry = |(key, value): (&'_ String, &Value)| self.child(value, || Step::Key(key.as_str().into()));
        self.object().map(|map| map.iter().map(|(key, value)| (key.as_str(), entry((key, value)))).collect())
    }

    /// What this view points at, for changing; copied first unless nobody else sees it.
    pub(crate) fn value_mut(&mut self) -> &mut Value {
        if !self.path.is_empty() || matches!(self.root, Root::Items(_)) {
            *self = Self { root: Root::Json(Arc::new(self.to_value())), path: SmallVec::new() };
        }
        match &mut self.root {
            Root::Json(root) => Arc::make_mut(root),
            Root::Items(_) => unreachable!("replaced by JSON just above"),
        }
    }

    /// A copy of what this view points at.
    pub(crate) fn to_value(&self) -> Value {
        match self.seen() {
            Seen::Json(value) => value.clone(),
            Seen::Items(items) => Value::Array(items.iter().map(|item| item.as_ref().clone()).collect()),
        }
    }
}

/// Elements of a list or keys of an object, one by one, for `for` loops of scripts.
pub(crate) struct Elements {
    view: JsonView,
    keys: Vec<ImmutableString>,
    next: usize,
}

impl Iterator for Elements {
    type Item = Dynamic;

    fn next(&mut self) -> Option<Dynamic> {
        let at = self.next;
        self.next += 1;
        match self.view.list_len() {
            Some(length) => (at < length).then(|| self.view.element(at as i64).unwrap_or_default()),
            None => self.keys.get(at).cloned().map(Dynamic::from),
        }
    }
}

impl IntoIterator for JsonView {
    type Item = Dynamic;
    type IntoIter = Elements;

    fn into_iter(self) -> Elements {
        let keys = self.object().map(|map| map.keys().map(|key| key.as_str().into()).collect());
        Elements { keys: keys.unwrap_or_default(), view: self, next: 0 }
    }
}

/// Turns an index (negative counts from the end) into a position inside `length`.
pub(crate) fn position(index: i64, length: usize) -> Option<usize> {
    let signed = i64::try_from(length).ok()?;
    let from_start = if index < 0 { signed.checked_add(index)? } else { index };
    usize::try_from(from_start).ok().filter(|position| *position < length)
}

/// The native value of a scalar; `None` for lists, objects and numbers beyond `i64`.
fn scalar(value: &Value) -> Option<Dynamic> {
    match value {
        Value::Null => Some(Dynamic::UNIT),
        Value::Bool(flag) => Some((*flag).into()),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Some(integer.into()),
            None if number.is_u64() => None,
            None => number.as_f64().map(Dynamic::from_float),
        },
        Value::String(text) => Some(text.as_str().into()),
        Value::Array(_) | Value::Object(_) => None,
    }
}
