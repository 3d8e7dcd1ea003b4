//! What must be true of every node in `sluice_nodes::core()`: its examples are kept, its schema is usable,
//! it says enough about itself, and it is as pure as it claims. Must not name a single node except where
//! one is an exception.

use futures::FutureExt as _;
use serde_json::{Value, json};
use sluice_node_sdk::context::ParamSource;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::registry::Registry;
use sluice_node_sdk::spec::{Effect, Example};
use sluice_node_sdk::testkit::{Bench, FixedParams, check_examples, example_input};
use std::collections::BTreeSet;
use std::sync::Arc;

fn is_static(example: &Example) -> bool {
    !example.params.to_string().contains("{{")
}

fn schema_of(node: &Arc<dyn DynNode>) -> jsonschema::Validator {
    jsonschema::options().offline().build(&node.spec().params_schema).expect("schemars writes valid schemas")
}

#[tokio::test]
async fn every_example_is_kept() {
    for node in sluice_nodes::core() {
        if let Err(fault) = check_examples(&node).await {
            panic!("{fault}");
        }
    }
}

#[test]
fn the_list_is_sorted_and_free_of_duplicates() {
    let types: Vec<String> = sluice_nodes::core().iter().map(|node| node.spec().node_type.clone()).collect();
    let sorted: Vec<String> = types.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(types, sorted);
    Registry::new(sluice_nodes::core()).unwrap();
}

#[test]
fn every_node_explains_itself() {
    for node in sluice_nodes::core() {
        let spec = node.spec();
        let name = &spec.node_type;
        for (what, text) in [("title", &spec.title), ("summary", &spec.summary), ("docs", &spec.docs)] {
            assert!(!text.trim().is_empty(), "{name} has no {what}");
        }
        assert!(spec.docs.len() > spec.summary.len(), "{name}: the docs say no more than the summary");
        assert!(spec.examples.iter().any(is_static), "{name} needs an example without expressions");
        let titles: BTreeSet<_> = spec.examples.iter().map(|example| &example.title).collect();
        assert_eq!(titles.len(), spec.examples.len(), "{name} has two examples of one title");
        let properties = spec.params_schema.get("properties").and_then(Value::as_object);
        for (field, schema) in properties.into_iter().flatten() {
            assert!(schema["description"].is_string(), "{name}: `{field}` has no help text");
        }
    }
}

#[test]
fn every_schema_compiles_and_refuses_unknown_fields() {
    for node in sluice_nodes::core() {
        let spec = node.spec();
        let checker = schema_of(&node);
        for example in spec.examples.iter().filter(|example| is_static(example) && example.error.is_none()) {
            let place = format!("{} example `{}`", spec.node_type, example.title);
            let faults: Vec<String> = checker.iter_errors(&example.params).map(|e| e.to_string()).collect();
            assert!(faults.is_empty(), "{place}: {faults:?}");
            let mut params = example.params.clone();
            params["no_such_parameter"] = json!(1);
            assert!(!checker.is_valid(&params), "{place}: an unknown field passes");
        }
    }
}

#[test]
fn examples_use_only_ports_that_exist() {
    for node in sluice_nodes::core() {
        let spec = node.spec();
        for example in &spec.examples {
            let names = spec.outputs.names(&example.params);
            let place = format!("{} example `{}`", spec.node_type, example.title);
            assert!(example.output.keys().all(|port| names.contains(port)), "{place}");
            let inputs = spec.inputs.names(&example.params);
            assert!(example.input_ports.keys().all(|port| inputs.contains(port)), "{}", spec.node_type);
        }
    }
}

#[test]
fn pure_nodes_never_await_and_always_answer_the_same() {
    for node in sluice_nodes::core() {
        let is_pure = |example: &&Example| node.spec().effect_of(&example.params) == Effect::Pure;
        for example in node.spec().examples.iter().filter(|example| is_static(example)).filter(is_pure) {
            let context = Bench::new(node.clone()).context(Arc::new(FixedParams(example.params.clone())));
            let once = || node.run(&context, example_input(example)).now_or_never();
            let place = format!("{} example `{}`", node.spec().node_type, example.title);
            let first = once().unwrap_or_else(|| panic!("{place}: a pure node awaited something"));
            assert_eq!(Some(first), once(), "{place}");
        }
    }
}

#[test]
fn every_error_has_a_stable_code_and_says_what_to_do() {
    for node in sluice_nodes::core() {
        let failing = node.spec().examples.iter().filter(|e| is_static(e) && e.error.is_some());
        for example in failing {
            let context = Bench::new(node.clone()).context(Arc::new(FixedParams(example.params.clone())));
            let answer = node.run(&context, example_input(example)).now_or_never();
            let Some(Err(error)) = answer else { continue }; // what needs the engine is checked there
            let place = format!("{} example `{}`", node.spec().node_type, example.title);
            assert!(
                error.code.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
                "{place}: {}",
                error.code
            );
            assert!(error.message.len() > 15, "{place}: {}", error.message);
        }
    }
}

#[test]
fn sound_examples_raise_no_problem_before_they_run() {
    for node in sluice_nodes::core() {
        for example in node.spec().examples.iter().filter(|example| example.error.is_none()) {
            let errors: Vec<_> = node.check(&example.params).into_iter().filter(|p| !p.is_warning).collect();
            assert!(errors.is_empty(), "{} example `{}`: {errors:?}", node.spec().node_type, example.title);
        }
    }
}

#[test]
fn faults_that_show_before_running_are_found() {
    let registry = Registry::new(sluice_nodes::core()).unwrap();
    let table = [
        (
            "data.crypto",
            json!({ "operation": "hmac", "value": "{{ json.x }}" }),
            "key_missing",
            "/credential",
        ),
        ("data.crypto", json!({ "operation": "hmac", "key": "k" }), "key_in_the_open", "/key"),
        ("data.csv", json!({ "operation": "parse" }), "text_missing", "/text"),
        ("data.csv", json!({ "operation": "format", "delimiter": "||" }), "delimiter", "/delimiter"),
        ("data.datetime", json!({ "operation": "add", "amount": "x" }), "not_an_amount", "/amount"),
        ("data.datetime", json!({ "timezone": "Nowhere" }), "unknown_time_zone", "/timezone"),
        ("data.dedupe", json!({ "fields": ["a"], "key": "{{ json.b }}" }), "dedupe_key", "/key"),
        ("data.json_schema", json!({ "schema": { "type": "x" } }), "invalid_schema", "/schema/type"),
        ("data.rename", json!({ "fields": { "a": "x", "b": "x" } }), "duplicate_field", "/fields"),
        ("data.sort", json!({ "by": [{ "value": "{{ json.a }}" }, {}] }), "sort_key_missing", "/by/1"),
        ("data.summarize", json!({ "values": [{ "op": "sum" }] }), "field_missing", "/values/0"),
        ("flow.call", json!({ "workflow": " " }), "workflow_missing", "/workflow"),
        ("flow.merge", json!({ "mode": "combine_by_key" }), "keys_missing", "/keys"),
        ("flow.respond", json!({ "status": 99 }), "invalid_status", "/status"),
        (
            "flow.switch",
            json!({ "cases": [{ "name": "a", "when": "{{ json.x }}" }, { "name": "default", "when": true }] }),
            "duplicate_case",
            "/cases/1/name",
        ),
        ("flow.wait", json!({}), "wait_target", ""),
        ("flow.wait", json!({ "for": "{{ json.a }}", "until": "09:00" }), "wait_target", ""),
        ("flow.wait", json!({ "for": "1d", "timeout": "2d" }), "timeout_unused", "/timeout"),
        (
            "trigger.workflow",
            json!({ "input_schema": { "type": "x" } }),
            "invalid_schema",
            "/input_schema/type",
        ),
    ];
    for (node_type, params, code, pointer) in table {
        let found = registry.get(node_type).unwrap().check(&params);
        let found: Vec<_> = found.iter().map(|found| (&*found.code, &*found.pointer)).collect();
        assert_eq!(found, [(code, pointer)], "{node_type} {params}");
    }
}

/// Parameters that fail for every item, as an expression with a fault does.
struct Broken;

impl ParamSource for Broken {
    fn is_static(&self) -> bool {
        false
    }

    fn resolve(&self, _: usize) -> Result<Value, NodeError> {
        Err(NodeError::invalid_params("broken").code("expression"))
    }

    fn resolve_at(&self, _: &str, item: usize) -> Result<Value, NodeError> {
        self.resolve(item)
    }

    fn run_script(&self, _: &str, item: usize, _: Vec<(String, Value)>) -> Result<Value, NodeError> {
        self.resolve(item)
    }
}

#[test]
fn a_broken_expression_fails_every_node_that_has_parameters() {
    for node in sluice_nodes::core() {
        let context = Bench::new(node.clone()).context(Arc::new(Broken));
        let input = example_input(&Example::new("", json!({})).input(vec![json!({ "id": 1 })]));
        let answer = node.run(&context, input).now_or_never();
        let spec = node.spec();
        if spec.params_schema.get("properties").is_some_and(|fields| fields != &json!({})) {
            let code = answer.and_then(Result::err).map(|error| error.code);
            assert_eq!(code.as_deref(), Some("expression"), "{}", spec.node_type);
        }
    }
}
