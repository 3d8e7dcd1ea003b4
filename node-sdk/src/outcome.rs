//! What a node answers: items on ports, or a wish to wait, to call another workflow, or to end the run.

use crate::item::Item;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The name of a port. Almost always a literal.
pub type PortName = Cow<'static, str>;

/// The answer of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Finished: items per output port. A port without items kills its edges.
    Done(Output),
    /// Wait for a time, a signal, or whichever comes first; the node is then run again with
    /// [`crate::context::NodeContext::resumed`] set.
    Suspend(Suspend),
    /// Start another workflow as a child run.
    Call(Call),
    /// End the whole run now.
    Stop(Stop),
}

/// Items per output port, and what else a finished node has to say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// Items by port; a port may be named once only.
    pub ports: Vec<(PortName, Vec<Item>)>,
    /// An answer for the caller of a webhook trigger.
    pub reply: Option<Reply>,
    /// For loop entries: what to remember until the next iteration.
    pub loop_state: Option<Value>,
}

impl Output {
    /// Items on the `main` port.
    pub fn main(items: Vec<Item>) -> Self {
        Self::port("main", items)
    }

    /// Items on one named port.
    pub fn port(name: impl Into<PortName>, items: Vec<Item>) -> Self {
        Self { ports: vec![(name.into(), items)], ..Self::default() }
    }

    /// The same output with items on a further port.
    #[must_use]
    pub fn and(mut self, name: impl Into<PortName>, items: Vec<Item>) -> Self {
        self.ports.push((name.into(), items));
        self
    }
}

/// The HTTP answer that `flow.respond` gives to the caller of a webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// Header fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// JSON is sent as JSON; a string together with a non-JSON `content-type` is sent as it is.
    pub body: Value,
}

/// What a suspended node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitKind {
    /// A moment in time.
    Time,
    /// A signal by key.
    Signal,
    /// A customer's reply in a conversation.
    Reply,
    /// A person's decision.
    Approval,
    /// A child run.
    Call,
    /// An answer to the question whether an effect took place. Only the engine asks it.
    Outcome,
}

/// A wish to wait. The run then holds no memory and no task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspend {
    /// What is waited for.
    pub kind: WaitKind,
    /// Wake at this time (milliseconds since the epoch) at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Wake when this key is signalled. Keys are scoped to the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// Handed back on resumption.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub state: Value,
    /// Shown to people while waiting, for example an approval's title and question.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub info: Value,
}

impl Suspend {
    /// Wait until a moment (milliseconds since the epoch).
    pub fn until(at: i64) -> Self {
        Self { kind: WaitKind::Time, until: Some(at), signal: None, state: Value::Null, info: Value::Null }
    }

    /// Wait for a signal, without limit unless [`Suspend::or_until`] sets one.
    pub fn for_signal(kind: WaitKind, key: impl Into<String>) -> Self {
        Self { kind, until: None, signal: Some(key.into()), state: Value::Null, info: Value::Null }
    }

    /// The same wait with a time limit (milliseconds since the epoch).
    #[must_use]
    pub fn or_until(mut self, at: Option<i64>) -> Self {
        self.until = at;
        self
    }

    /// The same wait, remembering `state`.
    #[must_use]
    pub fn state(mut self, state: Value) -> Self {
        self.state = state;
        self
    }

    /// The same wait with facts for people.
    #[must_use]
    pub fn info(mut self, info: Value) -> Self {
        self.info = info;
        self
    }
}

/// Why a suspended node runs again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// The time came.
    Timer,
    /// The signal came.
    Signal {
        /// What came with it.
        payload: Value,
    },
}

/// What a resumed node is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resumed {
    /// Why it runs again.
    #[serde(flatten)]
    pub cause: Cause,
    /// What it asked to remember.
    pub state: Value,
}

/// A wish to start another workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Id or name of the workflow; its published version runs, from its `trigger.workflow` node.
    pub workflow: String,
    /// The items it starts with.
    pub items: Vec<Item>,
    /// Wait for its end. The node is then resumed with a signal whose payload is
    /// `{ "run_id", "status", "items"?, "error"? }`. Without waiting it is resumed at once with `{ "run_id" }`.
    pub wait: bool,
}

/// A wish to end the whole run.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// `None` ends the run as succeeded; a message ends it as failed.
    pub error: Option<String>,
    /// Items that stand as this node's output.
    pub items: Vec<Item>,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self::Done(output)
    }
}

impl From<Vec<Item>> for Outcome {
    fn from(items: Vec<Item>) -> Self {
        Self::Done(Output::main(items))
    }
}

impl From<Suspend> for Outcome {
    fn from(wait: Suspend) -> Self {
        Self::Suspend(wait)
    }
}
