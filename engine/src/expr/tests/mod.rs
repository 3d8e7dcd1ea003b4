//! Tests of the expression system from the outside.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;

mod docs;
mod params;
mod properties;
mod scripts;
mod templates;

/// A scope made of literals. Now is 2026-03-28 12:00:00 UTC, the zone Europe/Berlin.
pub(crate) struct TestScope {
    json: Arc<Value>,
    vars: HashMap<&'static str, Arc<Value>>,
    nodes: HashMap<&'static str, NodeView>,
}

pub(crate) const NOW: i64 = 1_774_699_200_000;

impl TestScope {
    pub(crate) fn new(json: Value) -> Self {
        Self { json: Arc::new(json), vars: HashMap::new(), nodes: HashMap::new() }
    }

    pub(crate) fn var(mut self, name: &'static str, value: Value) -> Self {
        self.vars.insert(name, Arc::new(value));
        self
    }

    pub(crate) fn node(mut self, id: &'static str, items: Vec<Value>) -> Self {
        let items: Vec<Arc<Value>> = items.into_iter().map(Arc::new).collect();
        self.nodes.insert(id, NodeView { json: items[0].clone(), items: items.into() });
        self
    }
}

impl Scope for TestScope {
    fn json(&self) -> Arc<Value> {
        self.json.clone()
    }

    fn node(&self, id: &str) -> Result<NodeView, ScopeError> {
        self.nodes.get(id).cloned().ok_or_else(|| ScopeError::UnknownNode(id.to_owned()))
    }

    fn var(&self, name: &str) -> Option<Arc<Value>> {
        self.vars.get(name).cloned()
    }

    fn now(&self) -> i64 {
        NOW
    }

    fn time_zone(&self) -> &str {
        "Europe/Berlin"
    }
}

pub(crate) fn sample() -> TestScope {
    TestScope::new(json!({
        "a": 41, "f": 1.5, "name": "Ada", "nothing": null, "flag": true, "big": u64::MAX,
        "deep": { "b": { "c": "found" } }, "list": [1, 2, 3], "key with space": "x",
        "id": 9_007_199_254_740_993_i64,
        "items": [{ "price": 5, "title": "pen" }, { "price": 20, "title": "book" }],
    }))
    .var("contact", json!({ "first_name": null, "phone": "+49 30 901820" }))
    .var("item", json!({ "index": 3 }))
    .node("Lookup", vec![json!({ "id": 7 }), json!({ "id": 8 })])
}

pub(crate) fn eval(text: &str) -> Result<Value, ExprError> {
    Expressions::default().compile_text(text)?.eval(&sample())
}
