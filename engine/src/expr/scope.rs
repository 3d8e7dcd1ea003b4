//! What an expression can see. The drive loop implements [`Scope`] once per item; this file knows
//! nothing about runs or storage.

use std::sync::Arc;

use serde_json::Value;

/// The surroundings of one evaluation, usually one item of a node run.
///
/// Called once per variable per evaluation, so implementations hand out `Arc`s and never copy.
pub trait Scope: Send + Sync {
    /// The current item's JSON.
    fn json(&self) -> Arc<Value>;

    /// The item of node `id` that led to the current item.
    fn node(&self, id: &str) -> Result<NodeView, ScopeError>;

    /// A named variable (`run`, `workflow`, `trigger`, `contact`, `conversation`, `item`, …).
    /// `None` makes the expression fail with "undefined".
    fn var(&self, name: &str) -> Option<Arc<Value>>;

    /// Now, in milliseconds since the Unix epoch.
    fn now(&self) -> i64;

    /// IANA name of the workflow's time zone.
    fn time_zone(&self) -> &str;
}

/// What `node("Id")` gives: the ancestor item and all items of that node.
#[derive(Debug, Clone)]
pub struct NodeView {
    /// JSON of the item that led to the current one.
    pub json: Arc<Value>,
    /// JSON of every item the node produced. Shared, so that asking 10,000 times copies nothing.
    pub items: Arc<[Arc<Value>]>,
}

/// Why `node("Id")` has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// The workflow has no such node.
    #[error("there is no node `{0}`")]
    UnknownNode(String),
    /// The node exists but did not run on the way to this item.
    #[error("node `{0}` has not run before this node")]
    NotRun(String),
    /// The node ran, but no item of it led to this one.
    #[error("no item of node `{0}` led to this item")]
    NoItem(String),
}

/// A name that stands for data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VariableDoc {
    /// As written in an expression.
    pub name: &'static str,
    /// What it is, one sentence.
    pub help: &'static str,
}

/// Every name that stands for data.
pub fn variables() -> &'static [VariableDoc] {
    VARIABLES
}

const VARIABLES: &[VariableDoc] = &[
    VariableDoc { name: "json", help: "The current item." },
    VariableDoc { name: "item", help: "Where the current item stands: `item.index`, from 0." },
    VariableDoc { name: "trigger", help: "The first item that the trigger gave." },
    VariableDoc { name: "contact", help: "The customer, where the trigger names one." },
    VariableDoc { name: "conversation", help: "The conversation, where the trigger names one." },
    VariableDoc { name: "run", help: "The run: `id`, `is_test`, `dry_run`, `created_at`." },
    VariableDoc { name: "workflow", help: "The workflow: `id`, `name`, `version`." },
];
