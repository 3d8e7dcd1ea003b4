//! What must be true of every node of the program, with the engine around it: every example is kept, those with
//! `{{ }}` too, and a node is as pure, as strict and as discreet as it says. Must not name a node.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use futures::FutureExt as _;
use serde_json::{Value, json};
use sluice_engine::document::Document;
use sluice_engine::drive::Engine;
use sluice_engine::testing::{Host, example_params};
use sluice_node_sdk::error::ErrorKind;
use sluice_node_sdk::http::ScriptedHttp;
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::spec::{Effect, Example};
use sluice_node_sdk::testkit::{Bench, FixedParams, SimClock, TEST_NOW_MS, check_example, example_input};
use sluice_runner::{MemoryHost, Settings};
use std::sync::Arc;

async fn engine() -> Engine {
    let host = MemoryHost { extra: Vec::new(), config: Settings::default().resolve().unwrap() };
    let clock = Arc::new(SimClock::at(TEST_NOW_MS));
    host.engine(clock, Arc::new(ScriptedHttp::default())).await.unwrap().0
}

/// Every example of every node, with its place.
fn examples(engine: &Engine) -> Vec<(Arc<dyn DynNode>, Example, String)> {
    let nodes = engine.registry().nodes();
    let each = nodes.flat_map(|node| {
        let spec = node.spec();
        let place = |example: &Example| format!("{} `{}`", spec.node_type, example.title);
        spec.examples.iter().map(move |example| (node.clone(), example.clone(), place(example)))
    });
    each.collect()
}

fn params_of(
    engine: &Engine,
    node: &Arc<dyn DynNode>,
    example: &Example,
) -> Arc<dyn sluice_node_sdk::context::ParamSource> {
    let node_type = &node.spec().node_type;
    match example_params(engine.registry(), engine.expressions(), node_type, example) {
        Ok(params) => params,
        // What is shown to fail may be refused before it runs; the node is asked all the same.
        Err(_) if example.error.is_some() => Arc::new(FixedParams(example.params.clone())),
        Err(error) => panic!("{node_type} `{}`: {error}", example.title),
    }
}

#[tokio::test]
async fn every_example_is_kept_with_the_parameters_of_the_engine() {
    let engine = engine().await;
    let mut faults = Vec::new();
    for (node, example, _) in examples(&engine) {
        let params = params_of(&engine, &node, &example);
        faults.extend(check_example(&node, &example, params).await.err());
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn pure_nodes_never_wait_for_anything() {
    let engine = engine().await;
    for (node, example, place) in examples(&engine) {
        if node.spec().effect_of(&example.params) == Effect::Pure {
            let ctx = Bench::new(node.clone()).context(params_of(&engine, &node, &example));
            assert!(node.run(&ctx, example_input(&example)).now_or_never().is_some(), "{place}");
        }
    }
}

/// The problems of a workflow of this one node, by code and path.
fn problems(engine: &Engine, node: &Arc<dyn DynNode>, params: &Value) -> Vec<(String, String)> {
    let document = json!({
        "sluice": 1, "name": "One",
        "nodes": [{ "id": "node", "type": node.spec().node_type, "params": params }],
    });
    let document: Document = serde_json::from_value(document).unwrap();
    engine.problems(&document, None).into_iter().map(|found| (found.code, found.path)).collect()
}

#[tokio::test]
async fn an_unknown_parameter_is_refused() {
    let engine = engine().await;
    for (node, example, place) in examples(&engine) {
        let mut params = example.params.clone();
        params["no_such_field"] = json!(true);
        let found = problems(&engine, &node, &params);
        // A node without parameters refuses them as a whole.
        let refused =
            |(code, path): &(String, String)| code == "unknown_parameter" || path == "/nodes/0/params";
        assert!(found.iter().any(refused), "{place}: {found:?}");
    }
}

#[tokio::test]
async fn every_node_says_enough_about_itself() {
    let engine = engine().await;
    for node in engine.registry().nodes() {
        let spec = node.spec();
        let name = &spec.node_type;
        let schema = jsonschema::options().offline().build(&spec.params_schema);
        assert!(schema.is_ok(), "{name}: {schema:?}");
        let texts = [&spec.title, &spec.summary, &spec.docs];
        assert!(texts.iter().all(|text| !text.trim().is_empty()), "{name} lacks a text");
        assert!(!spec.examples.is_empty(), "{name} has no example");
    }
}

#[tokio::test]
async fn a_cancelled_run_stops_what_would_send() {
    let engine = engine().await;
    for (node, example, place) in examples(&engine) {
        if example.http.is_empty() {
            continue;
        }
        let mut bench = Bench::new(node.clone()).http(example.http.clone());
        for (name, credential) in &example.credentials {
            let kind = credential["kind"].as_str().unwrap_or_default();
            bench = bench.credential(name, kind, credential["data"].clone());
        }
        let ctx = bench.context(params_of(&engine, &node, &example));
        ctx.cancel.cancel();
        let error = node.run(&ctx, example_input(&example)).await.expect_err(&place);
        assert_eq!(error.kind, ErrorKind::Cancelled, "{place}");
    }
}

/// All texts in a value.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(map) => map.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn errors_carry_no_secret() {
    let engine = engine().await;
    for (node, example, place) in examples(&engine) {
        let mut bench = Bench::new(node.clone());
        let mut secrets = Vec::new();
        for (name, credential) in &example.credentials {
            texts(&credential["data"], &mut secrets);
            let kind = credential["kind"].as_str().unwrap_or_default();
            bench = bench.credential(name, kind, credential["data"].clone());
        }
        // Nothing is scripted, so whatever is sent fails.
        let ctx = bench.context(params_of(&engine, &node, &example));
        let Err(error) = node.run(&ctx, example_input(&example)).await else { continue };
        let told = format!("{error:?} {}", serde_json::to_string(&error).unwrap());
        for secret in secrets.iter().filter(|secret| secret.len() > 5) {
            assert!(!told.contains(secret.as_str()), "{place}: {told}");
        }
    }
}
