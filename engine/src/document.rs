//! Workflow documents: the JSON that people write, the builder saves, export writes and import reads.
//! Field order here is the order of the exported file. Must not know node implementations.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use sluice_node_sdk::http::ScriptedReply;
use std::collections::BTreeMap;

/// The version of the document format that this program writes and reads.
pub const FORMAT: u32 = 1;

/// A workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Format version, always 1.
    pub sluice: u32,
    /// Name for people.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The nodes.
    pub nodes: Vec<NodeDoc>,
    /// The edges between them.
    #[serde(default)]
    pub edges: Vec<EdgeDoc>,
    /// Settings of the whole workflow.
    #[serde(default, skip_serializing_if = "is_default")]
    pub settings: Settings,
    /// Sample items per node, for trying out.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Vec<Value>>")]
    pub fixtures: IndexMap<String, Vec<Value>>,
    /// Tests, run by `sluice test`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<TestDoc>,
    /// Notes, groups and other things that only the builder shows.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub canvas: Map<String, Value>,
}

/// One node of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeDoc {
    /// Unique in the workflow; `[a-z][a-z0-9_-]{0,63}`.
    pub id: String,
    /// Node type, `service.verb`.
    #[serde(rename = "type")]
    pub node_type: String,
    /// Version of the node type; the newest when missing, pinned on save.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Name on the canvas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Place on the canvas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Parameters; text may hold `{{ expression }}`.
    #[serde(default)]
    pub params: Map<String, Value>,
    /// Name of the credential it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// A disabled node passes its input through.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// What happens on failure, and how long and how often it may try.
    #[serde(default, skip_serializing_if = "is_default")]
    pub settings: NodeSettings,
    /// A remark for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// Place on the canvas, in pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Rightwards.
    #[schemars(with = "f64")]
    pub x: Number,
    /// Downwards.
    #[schemars(with = "f64")]
    pub y: Number,
}

/// An edge. `from` and `to` are `node` or `node.port`; the default port is `main`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeDoc {
    /// Where it starts.
    pub from: String,
    /// Where it ends.
    pub to: String,
}

/// Splits `node.port` into node and port; the port defaults to `main`.
pub fn endpoint(text: &str) -> (&str, &str) {
    text.split_once('.').unwrap_or((text, "main"))
}

/// Settings of one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeSettings {
    /// What a failure does. `route` sends it to the port `error`; it is the default when an edge leaves that port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_error: Option<OnError>,
    /// Time limit of one attempt, such as `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// Retry policy; the node type's default when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetrySettings>,
    /// What is done when nobody knows whether the node's effect took place and no evidence comes; only for nodes
    /// whose effect must not be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_outcome: Option<UnknownOutcome>,
}

/// What is done when nobody knows whether an effect took place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownOutcome {
    /// The run waits until a person says what became of it.
    #[default]
    Ask,
    /// It counts as done; the input passes through, with a mark in the trace.
    AssumeDone,
    /// It is tried again, as often as `retry` allows and at least once; after that a person is asked.
    Retry,
    /// It counts as failed; `on_error` decides.
    Fail,
}

/// What the failure of a node does to its run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The run fails.
    #[default]
    Fail,
    /// The error leaves through the port `main`, as `{ "error": …, "input": … }` per input item.
    Continue,
    /// The same through the port `error`.
    Route,
}

/// How often and how fast to try again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetrySettings {
    /// Attempts in all, 1 to 100.
    #[serde(default = "one")]
    pub max_attempts: u32,
    /// How the pauses grow.
    #[serde(default)]
    pub backoff: Backoff,
    /// The first pause, such as `1s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<String>,
    /// The longest pause, such as `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
}

fn one() -> u32 {
    1
}

/// How pauses between attempts grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// Double each time.
    #[default]
    Exponential,
    /// Grow by the first pause each time.
    Linear,
    /// Stay the same.
    Fixed,
}

/// Settings of a workflow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// IANA time zone; UTC when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Id or name of the workflow that is started when a run of this one fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_workflow: Option<String>,
    /// Longest life of a run, such as `90d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// Runs whose lane expression gives the same text are handled one at a time, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// How long finished runs are kept, such as `30d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<String>,
}

/// A test inside a workflow document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestDoc {
    /// What it shows.
    pub name: String,
    /// Id of the trigger that fires; the first trigger when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The `json` of the event.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub trigger: Value,
    /// The moment at which the virtual clock starts (RFC 3339); 2026-01-05T10:00:00Z when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
    /// Answers of the outside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<Value>")]
    pub http: Vec<ScriptedReply>,
    /// Outputs of nodes that are not to run.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Vec<Value>>")]
    pub pins: IndexMap<String, Vec<Value>>,
    /// What happens after the first items are through, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepDoc>,
    /// Short for one last step that lets time pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advance: Option<String>,
    /// What must be true at the end.
    #[serde(default)]
    pub expect: Expect,
}

/// One step of a test: `advance` or `signal` (with `payload`), and what is expected after it; or only that.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepDoc {
    /// Let time pass, such as `2d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advance: Option<String>,
    /// Wake what waits for this key; `*` wakes whatever waits for a signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// What comes with the signal.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub payload: Value,
    /// What must be true after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expect>,
}

/// What a test expects; what is missing is not checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Status of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<crate::core::RunStatus>,
    /// Nodes that succeeded, in any order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ran: Vec<String>,
    /// Nodes that were skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
    /// Nodes that wait.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<String>,
    /// The `json` of a node's last output items, over all its ports; objects may have more keys than named.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "BTreeMap<String, Vec<Value>>")]
    pub output: IndexMap<String, Vec<Value>>,
    /// The code of the run's error; `trigger_declined` when the trigger is to turn the event away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The node that failed the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_node: Option<String>,
    /// The answer given to the caller of the webhook.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub reply: Value,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The exported form of a stored document: indented, with a line break at its end. Importing it and exporting
/// again gives the same bytes.
///
/// # Errors
/// When the stored text is not a document.
pub fn export_text(stored: &str) -> Result<String, serde_json::Error> {
    let document: Document = serde_json::from_str(stored)?;
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}
