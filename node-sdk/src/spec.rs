//! What a node type says of itself: ports, effect class, parameters, credentials, examples. All of it is
//! data, so that validation, the catalogue and the builder need no code per node.

use crate::credential::CredentialKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What happens outside when a node runs; decides what the engine may repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Same input, same output, no I/O. Runs inline; must never await anything that is not ready.
    Pure,
    /// Has I/O, and repeating it with the same effect id changes nothing more.
    Idempotent,
    /// Repeating it may be seen by a person; never repeated silently.
    Once,
}

/// An effect class that depends on a parameter, for example on the HTTP method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EffectByParam {
    /// JSON pointer of the parameter.
    pub pointer: String,
    /// The class per value of the parameter (text); the empty text stands for a missing parameter. An expression or a
    /// value not listed leaves the node's own class, which must be the most careful one.
    pub values: BTreeMap<String, Effect>,
}

/// One input or output of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Port {
    /// Name used in edges, as in `grade.true`.
    pub name: String,
    /// Help for people.
    pub help: String,
}

impl Port {
    /// A port with its help text.
    pub fn new(name: &str, help: &str) -> Self {
        Self { name: name.to_owned(), help: help.to_owned() }
    }
}

/// The ports of one side of a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ports {
    /// Ports that are always there.
    pub fixed: Vec<Port>,
    /// Further ports, one per element of a list parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_param: Option<PortsFromParam>,
}

/// Ports named by a list parameter, for example the cases of `flow.switch`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PortsFromParam {
    /// JSON pointer of the list, such as `/cases`.
    pub pointer: String,
    /// The field of each element that holds the port's name; without it the element itself is the name.
    pub field: Option<String>,
}

impl Ports {
    /// The one port `main`.
    pub fn main() -> Self {
        Self::fixed(&[("main", "Items")])
    }

    /// No port at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Fixed ports as (name, help).
    pub fn fixed(ports: &[(&str, &str)]) -> Self {
        Self { fixed: ports.iter().map(|(name, help)| Port::new(name, help)).collect(), from_param: None }
    }

    /// The same ports plus one per element of the list parameter at `pointer`.
    #[must_use]
    pub fn plus_from_param(mut self, pointer: &str, field: Option<&str>) -> Self {
        self.from_param =
            Some(PortsFromParam { pointer: pointer.to_owned(), field: field.map(ToOwned::to_owned) });
        self
    }

    /// The names of all ports under the given raw parameters: those of the list first, then the fixed ones.
    pub fn names(&self, params: &Value) -> Vec<String> {
        let listed = self.from_param.iter().flat_map(|from| {
            let elements = params.pointer(&from.pointer).and_then(Value::as_array).into_iter().flatten();
            elements.filter_map(|element| {
                let name = match &from.field {
                    Some(field) => element.get(field)?,
                    None => element,
                };
                name.as_str().map(ToOwned::to_owned)
            })
        });
        listed.chain(self.fixed.iter().map(|port| port.name.clone())).collect()
    }
}

/// What wakes a trigger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TriggerSource {
    /// A person, the REST API or the command line.
    Manual,
    /// An HTTP request to `/hooks/{workspace}/{path}`; the path is the parameter `path`.
    Webhook,
    /// A time plan; parameters `cron`, `timezone`, `catch_up`.
    Schedule,
    /// An event of the given topic, for example `whatsapp.message`. An empty topic means that the
    /// parameter `event` names it.
    Event {
        /// The topic.
        topic: String,
    },
    /// A failed run of another workflow that names this one as its error workflow.
    Error,
    /// A call by another workflow.
    Workflow,
}

/// The trigger side of a node. A trigger has no inputs; it is run with the outside event as its only
/// item and accepts the event by returning items, or declines by returning none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriggerSpec {
    /// What wakes it.
    pub source: TriggerSource,
    /// Whether several published triggers compete for an event, of which exactly one answers. Their
    /// parameters `priority` (lower first, default 100) and `listen_only` then decide.
    pub competes: bool,
}

/// A credential that a node needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CredentialNeed {
    /// The parameter that names it, usually `credential`.
    pub param: String,
    /// Kinds that will do, for example `["whatsapp"]`.
    pub kinds: Vec<String>,
    /// Whether the node works without.
    pub required: bool,
}

/// A worked example: help text for people and a test at the same time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// What it shows.
    pub title: String,
    /// Parameters, as written in a workflow.
    pub params: Value,
    /// The `json` of each input item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<Value>,
    /// Input of other ports.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub input_ports: BTreeMap<String, Vec<Value>>,
    /// The `json` of each expected output item, by port. Ports not named must be empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub output: BTreeMap<String, Vec<Value>>,
    /// Answers of the outside, in the form of a workflow test's `http`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<crate::http::ScriptedReply>,
    /// Credentials the example needs, by name: `{ "kind", "data" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: BTreeMap<String, Value>,
    /// The expected error code, in place of an output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The node is expected to wait, in place of an output.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
}

impl Example {
    /// An example with its title and parameters.
    pub fn new(title: &str, params: Value) -> Self {
        Self { title: title.to_owned(), params, ..Self::default() }
    }

    /// The same example with input items.
    #[must_use]
    pub fn input(mut self, items: Vec<Value>) -> Self {
        self.input = items;
        self
    }

    /// The same example with input items on a further port.
    #[must_use]
    pub fn input_port(mut self, port: &str, items: Vec<Value>) -> Self {
        self.input_ports.insert(port.to_owned(), items);
        self
    }

    /// The same example, expected to wait.
    #[must_use]
    pub fn waits(mut self) -> Self {
        self.waits = true;
        self
    }

    /// The same example with expected items on `main`.
    #[must_use]
    pub fn output(self, items: Vec<Value>) -> Self {
        self.output_port("main", items)
    }

    /// The same example with expected items on a port.
    #[must_use]
    pub fn output_port(mut self, port: &str, items: Vec<Value>) -> Self {
        self.output.insert(port.to_owned(), items);
        self
    }

    /// The same example, expected to fail with a code.
    #[must_use]
    pub fn error(mut self, code: &str) -> Self {
        self.error = Some(code.to_owned());
        self
    }
}

/// How often and how fast to try again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryDefault {
    /// Attempts in all, at least 1.
    pub max_attempts: u32,
    /// First pause, milliseconds.
    pub initial_ms: u64,
    /// Longest pause, milliseconds.
    pub max_ms: u64,
}

impl Default for RetryDefault {
    fn default() -> Self {
        Self { max_attempts: 1, initial_ms: 1_000, max_ms: 60_000 }
    }
}

/// How a node stands to a limited window of time, such as WhatsApp's 24 hours after a customer's last message
/// in which free-form messages may be sent. Validation adds up the waits on the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeWindow {
    /// Which window, for example `whatsapp`.
    pub name: String,
    /// Opens the window, or needs it open.
    pub role: WindowRole,
}

/// What a node does with a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WindowRole {
    /// The window is open, from its beginning, when the node is through (except by its port `timeout`).
    Opens,
    /// The node only works while the window is open.
    Needs {
        /// How long the window stays open, milliseconds.
        length_ms: i64,
        /// JSON pointer of the text parameter that can lift the need, such as `/type`.
        unless_param: String,
        /// Its values that do, such as `["template"]`.
        unless_values: Vec<String>,
    },
}

/// Everything that is known of a node type without running it; served by the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeSpec {
    /// `service.verb`.
    #[serde(rename = "type")]
    pub node_type: String,
    /// Version of the type; raised when parameters change their meaning.
    pub version: u32,
    /// Name for people.
    pub title: String,
    /// One line for the palette.
    pub summary: String,
    /// Longer help in Markdown.
    pub docs: String,
    /// What it does to the outside.
    pub effect: Effect,
    /// A milder effect class under certain parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect_by_param: Option<EffectByParam>,
    /// Inputs; none for triggers.
    pub inputs: Ports,
    /// Outputs. `error` is an ordinary port for nodes that route errors.
    pub outputs: Ports,
    /// Set on triggers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<TriggerSpec>,
    /// Whether edges may return to this node.
    pub loop_entry: bool,
    /// JSON pointer of the duration for which it holds its items back, for nodes that do nothing but wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_param: Option<String>,
    /// JSON pointer of the duration after which items leave at the port `timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_param: Option<String>,
    /// How it stands to a limited window of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<TimeWindow>,
    /// Credentials it needs.
    pub credentials: Vec<CredentialNeed>,
    /// Kinds of credentials that it describes: those that are its own, for it and for other nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credential_kinds: Vec<CredentialKind>,
    /// JSON pointers of parameters that are program text and must not be searched for `{{ }}`.
    pub raw_params: Vec<String>,
    /// Longest time one attempt may take, milliseconds.
    pub timeout_ms: u64,
    /// Retry policy when the workflow does not set one.
    pub retry: RetryDefault,
    /// For nodes of class `once` that can find out what became of an attempt nobody answered for: how long the
    /// evidence may take, milliseconds. Such a node is run again with `doubt` set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_ms: Option<u64>,
    /// JSON Schema (draft 2020-12) of the parameters.
    pub params_schema: Value,
    /// Worked examples.
    pub examples: Vec<Example>,
}

impl NodeSpec {
    /// A pure node with one input and one output, to be refined with the methods below. Type and
    /// parameter schema are filled in when the node is registered.
    pub fn new(title: &str, summary: &str) -> Self {
        Self {
            node_type: String::new(),
            version: 1,
            title: title.to_owned(),
            summary: summary.to_owned(),
            docs: String::new(),
            effect: Effect::Pure,
            effect_by_param: None,
            inputs: Ports::main(),
            outputs: Ports::main(),
            trigger: None,
            loop_entry: false,
            pause_param: None,
            timeout_param: None,
            window: None,
            credentials: Vec::new(),
            credential_kinds: Vec::new(),
            raw_params: Vec::new(),
            timeout_ms: 30_000,
            retry: RetryDefault::default(),
            evidence_ms: None,
            params_schema: Value::Null,
            examples: Vec::new(),
        }
    }

    /// Sets the longer help (Markdown).
    #[must_use]
    pub fn docs(mut self, markdown: &str) -> Self {
        self.docs = markdown.trim().to_owned();
        self
    }

    /// Sets the effect class.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// Sets a milder effect class for certain values of the text parameter at `pointer`.
    #[must_use]
    pub fn effect_by_param(mut self, pointer: &str, values: &[(&str, Effect)]) -> Self {
        let values = values.iter().map(|(value, effect)| ((*value).to_owned(), *effect)).collect();
        self.effect_by_param = Some(EffectByParam { pointer: pointer.to_owned(), values });
        self
    }

    /// The effect class under these raw parameters (expressions not yet evaluated).
    pub fn effect_of(&self, params: &Value) -> Effect {
        let milder = self.effect_by_param.as_ref().and_then(|by| {
            let value = params.pointer(&by.pointer).map_or(Some(""), Value::as_str)?;
            by.values.get(value).copied()
        });
        milder.unwrap_or(self.effect)
    }

    /// Sets the inputs.
    #[must_use]
    pub fn inputs(mut self, inputs: Ports) -> Self {
        self.inputs = inputs;
        self
    }

    /// Sets the outputs.
    #[must_use]
    pub fn outputs(mut self, outputs: Ports) -> Self {
        self.outputs = outputs;
        self
    }

    /// Makes it a trigger: no inputs.
    #[must_use]
    pub fn trigger(mut self, source: TriggerSource, competes: bool) -> Self {
        self.trigger = Some(TriggerSpec { source, competes });
        self.inputs = Ports::none();
        self
    }

    /// Declares that the node can find out what became of an attempt of unknown outcome, and how long the evidence
    /// may take to come (milliseconds). See [`crate::context::NodeContext::doubt`].
    #[must_use]
    pub fn evidence(mut self, within_ms: u64) -> Self {
        self.evidence_ms = Some(within_ms);
        self
    }

    /// Allows edges to return to this node.
    #[must_use]
    pub fn loop_entry(mut self) -> Self {
        self.loop_entry = true;
        self
    }

    /// Names the duration parameter (JSON pointer) for which the node holds its items back.
    #[must_use]
    pub fn pause_param(mut self, pointer: &str) -> Self {
        self.pause_param = Some(pointer.to_owned());
        self
    }

    /// Names the duration parameter (JSON pointer) after which items leave at the port `timeout`.
    #[must_use]
    pub fn timeout_param(mut self, pointer: &str) -> Self {
        self.timeout_param = Some(pointer.to_owned());
        self
    }

    /// Says that a window of time opens when this node is through, except by its port `timeout`.
    #[must_use]
    pub fn opens_window(mut self, name: &str) -> Self {
        self.window = Some(TimeWindow { name: name.to_owned(), role: WindowRole::Opens });
        self
    }

    /// Says that the node only works within `length_ms` after the window opened, unless the text parameter
    /// at `pointer` has one of these values.
    #[must_use]
    pub fn needs_window(mut self, name: &str, length_ms: i64, pointer: &str, unless: &[&str]) -> Self {
        let unless_values = unless.iter().map(|value| (*value).to_owned()).collect();
        let role = WindowRole::Needs { length_ms, unless_param: pointer.to_owned(), unless_values };
        self.window = Some(TimeWindow { name: name.to_owned(), role });
        self
    }

    /// Adds a credential that the parameter `param` names.
    #[must_use]
    pub fn credential(mut self, param: &str, kinds: &[&str], required: bool) -> Self {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        self.credentials.push(CredentialNeed { param: param.to_owned(), kinds, required });
        self
    }

    /// Describes kinds of credentials, so that people get a form for each. One node describes a kind for all that take it.
    #[must_use]
    pub fn credential_kinds(mut self, kinds: impl IntoIterator<Item = CredentialKind>) -> Self {
        self.credential_kinds.extend(kinds);
        self
    }

    /// Leaves a parameter (JSON pointer) free of `{{ }}` handling because it is program text.
    #[must_use]
    pub fn raw_param(mut self, pointer: &str) -> Self {
        self.raw_params.push(pointer.to_owned());
        self
    }

    /// Sets the time limit of one attempt, in milliseconds.
    #[must_use]
    pub fn timeout_ms(mut self, milliseconds: u64) -> Self {
        self.timeout_ms = milliseconds;
        self
    }

    /// Sets the default retry policy.
    #[must_use]
    pub fn retry(mut self, max_attempts: u32, initial_ms: u64, max_ms: u64) -> Self {
        self.retry = RetryDefault { max_attempts, initial_ms, max_ms };
        self
    }

    /// Adds an example.
    #[must_use]
    pub fn example(mut self, example: Example) -> Self {
        self.examples.push(example);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_effect_class_can_follow_a_parameter() {
        let spec = NodeSpec::new("Request", "Sends")
            .effect(Effect::Once)
            .effect_by_param("/method", &[("GET", Effect::Idempotent), ("PUT", Effect::Idempotent)]);
        assert_eq!(spec.effect_of(&json!({ "method": "GET" })), Effect::Idempotent);
        for params in
            [json!({ "method": "POST" }), json!({ "method": "{{ json.m }}" }), json!({}), json!(null)]
        {
            assert_eq!(spec.effect_of(&params), Effect::Once, "{params}");
        }
    }
}
