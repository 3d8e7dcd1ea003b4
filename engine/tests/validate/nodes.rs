//! Node types for these tests. They are never run.

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use sluice_node_sdk::context::NodeContext;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::item::Input;
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::outcome::Outcome;
use sluice_node_sdk::problem::ParamProblem;
use sluice_node_sdk::registry::Registry;
use sluice_node_sdk::spec::{Effect, NodeSpec, Ports, TriggerSource};
use std::sync::Arc;

const DAY_MS: i64 = 86_400_000;

struct Known(NodeSpec);

impl DynNode for Known {
    fn spec(&self) -> &NodeSpec {
        &self.0
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        let title = params.pointer("/buttons/0/title").and_then(Value::as_str).unwrap_or_default();
        let is_long = title.chars().count() > 20 && !title.contains("{{");
        let found = ParamProblem::error("/buttons/0/title", "title_too_long", "At most 20 characters");
        let doubtful = ParamProblem::warning("/buttons", "no_buttons", "A list without buttons");
        let is_empty = params.get("buttons").and_then(Value::as_array).is_some_and(Vec::is_empty);
        is_long.then_some(found).into_iter().chain(is_empty.then_some(doubtful)).collect()
    }

    fn run<'a>(&'a self, _: &'a NodeContext, _: Input) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        Box::pin(async { Err(NodeError::bug("not to be run")) })
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only the schema matters here")]
struct SwitchParams {
    cases: Vec<Case>,
    limit: Option<u32>,
    mode: Option<Mode>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only the schema matters here")]
struct Case {
    name: String,
    condition: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "only the schema matters here")]
enum Mode {
    /// The first that fits.
    First,
    /// All that fit.
    All,
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[allow(dead_code, reason = "only the schema matters here")]
enum SendParams {
    /// Free text.
    Text { text: String, preview: Option<bool>, credential: Option<String> },
    /// An approved template.
    Template { template: String, parameters: Vec<String>, credential: Option<String> },
    /// Buttons.
    Buttons { buttons: Vec<Button>, credential: Option<String> },
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only the schema matters here")]
struct Button {
    title: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only the schema matters here")]
enum TextOrNumber {
    Text(String),
    Number(f64),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only the schema matters here")]
struct LooseParams {
    value: TextOrNumber,
}

fn known(name: &str, mut spec: NodeSpec, schema: Option<schemars::Schema>) -> Arc<dyn DynNode> {
    name.clone_into(&mut spec.node_type);
    spec.params_schema = schema.map(schemars::Schema::to_value).unwrap_or_default();
    Arc::new(Known(spec))
}

fn plain() -> NodeSpec {
    NodeSpec::new("Test", "A node of the tests")
}

pub(crate) fn registry() -> Registry {
    let switch =
        plain().outputs(Ports::fixed(&[("other", "No case")]).plus_from_param("/cases", Some("name")));
    let send = plain().effect(Effect::Once).credential("credential", &["whatsapp"], true).needs_window(
        "whatsapp",
        DAY_MS,
        "/type",
        &["template"],
    );
    let reply = plain()
        .effect(Effect::Idempotent)
        .outputs(Ports::fixed(&[("main", "Answered"), ("timeout", "Not answered")]))
        .timeout_param("/timeout")
        .opens_window("whatsapp");
    let mut old = plain();
    old.version = 3;
    Registry::new([
        known("trigger.manual", plain().trigger(TriggerSource::Manual, false), None),
        known("trigger.webhook", plain().trigger(TriggerSource::Webhook, false), None),
        known("trigger.schedule", plain().trigger(TriggerSource::Schedule, false), None),
        known("data.set", plain(), None),
        known("data.script", plain().raw_param("/code"), None),
        known("data.loose", plain(), Some(schemars::schema_for!(LooseParams))),
        known("data.versioned", old, None),
        known("flow.switch", switch, Some(schemars::schema_for!(SwitchParams))),
        known(
            "flow.loop",
            plain().loop_entry().outputs(Ports::fixed(&[("item", "Each"), ("done", "All")])),
            None,
        ),
        known("flow.wait", plain().pause_param("/for"), None),
        known("chat.send", send, Some(schemars::schema_for!(SendParams))),
        known("chat.wait_reply", reply, None),
    ])
    .expect("the names are different and well-formed")
}
