//! What an operation tells the audit trail. Must not know how it is stored.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::PLATFORM;
use super::redact::{Privacy, presentable};

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `credential`, `workflow`, …
    pub kind: Cow<'static, str>,
    /// Its id.
    pub id: String,
    /// For people who read it later; empty where the name is personal.
    pub name: String,
}

impl Target {
    /// Something without a name.
    pub fn new(kind: impl Into<Cow<'static, str>>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into(), name: String::new() }
    }

    /// With its name.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }
}

/// One change by somebody. Values are taken in as they are; secrets are removed and long texts cut before they are
/// stored.
#[derive(Debug, Clone)]
pub struct Change {
    /// Which chain: `ws_…`, `rs_…` or [`PLATFORM`].
    pub chain: String,
    /// `<kind>.<what was done>`, such as `credential.updated`.
    pub action: Cow<'static, str>,
    /// On what.
    pub target: Target,
    before: Option<Value>,
    after: Option<Value>,
    privacy: Privacy,
}

impl Change {
    /// A change in a workspace or of a reseller, by id.
    pub fn new(chain: impl Into<String>, action: impl Into<Cow<'static, str>>, target: Target) -> Self {
        let (chain, action) = (chain.into(), action.into());
        Self { chain, action, target, before: None, after: None, privacy: Privacy::Plain }
    }

    /// A change of the platform itself.
    pub fn of_platform(action: impl Into<Cow<'static, str>>, target: Target) -> Self {
        Self::new(PLATFORM, action, target)
    }

    /// What it was.
    #[must_use]
    pub fn before(self, value: Value) -> Self {
        Self { before: Some(value), ..self }
    }

    /// What it became.
    #[must_use]
    pub fn after(self, value: Value) -> Self {
        Self { after: Some(value), ..self }
    }

    /// What it was and what it became, of two objects only the fields that differ.
    #[must_use]
    pub fn between(self, before: Value, after: Value) -> Self {
        let (before, after) = difference(before, after);
        self.before(before).after(after)
    }

    /// Names, addresses and numbers in the values are a person's: they are masked.
    #[must_use]
    pub fn personal(self) -> Self {
        Self { privacy: Privacy::Personal, ..self }
    }

    /// Both values as they are stored.
    pub(super) fn values(&self) -> (Option<String>, Option<String>) {
        let text = |value: &Option<Value>| value.as_ref().map(|value| presentable(value, self.privacy));
        (text(&self.before), text(&self.after))
    }
}

fn difference(before: Value, after: Value) -> (Value, Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let differs = |name: &String| before.get(name) != after.get(name);
            let of = |side: &Map<String, Value>| {
                let fields = side.iter().filter(|(name, _)| differs(name));
                Value::Object(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
            };
            (of(&before), of(&after))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_kept() {
        let change = Change::new("ws_1", "thing.updated", Target::new("thing", "1"))
            .between(json!({"a": 1, "b": {"c": 2}, "gone": 3}), json!({"a": 1, "b": {"c": 4}, "new": null}));
        let (before, after) = change.values();
        assert_eq!(before.as_deref(), Some(r#"{"b":{"c":2},"gone":3}"#));
        assert_eq!(after.as_deref(), Some(r#"{"b":{"c":4},"new":null}"#));
        let texts =
            Change::of_platform("thing.updated", Target::new("thing", "1")).between(json!("a"), json!(1));
        assert_eq!(texts.values(), (Some(r#""a""#.to_owned()), Some("1".to_owned())));
        assert_eq!(texts.chain, "platform");
    }
}
