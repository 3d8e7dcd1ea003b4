//! The tests inside documents, and the two tests that hold for every document: they pass where they should, and
//! they find what they are there to find.

use crate::home::{Home, doc};
use crate::world::Act;
use serde_json::{Value, json};
use sluice_engine::document::Document;
use sluice_engine::drive::Engine;
use sluice_engine::testing::{Host, every_crash_point_recovers, every_node_failure_settles, run_tests};
use sluice_node_sdk::http::ScriptedHttp;
use sluice_node_sdk::services::Services;
use sluice_node_sdk::testkit::SimClock;
use std::sync::Arc;

struct TestHost;

impl Host for TestHost {
    async fn engine(
        &self,
        clock: Arc<SimClock>,
        http: Arc<ScriptedHttp>,
    ) -> Result<(Engine, String), String> {
        let home = Home::new().await;
        home.world.plan("flaky", [Act::Fail(sluice_node_sdk::error::ErrorKind::Unavailable)]);
        let services = Services { clock, http, ..home.engine.services().clone() };
        let (store, registry) = (home.engine.store().clone(), home.engine.registry().clone());
        let engine = Engine::new(store, registry, services, home.engine.config().clone());
        Ok((engine, crate::home::WS.to_owned()))
    }
}

fn tested(tests: Value) -> Document {
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "flaky", "type": "idem", "settings": { "retry": { "max_attempts": 2, "initial": "1s" } } },
        { "id": "wait", "type": "wait", "params": { "signal": "go", "ms": 60_000 } },
        { "id": "left", "type": "once" },
        { "id": "right", "type": "idem", "settings": { "on_error": "continue" } },
        { "id": "both", "type": "merge" },
        { "id": "sorry", "type": "idem" },
    ]);
    let edges = [
        "start > flaky",
        "flaky > wait",
        "wait > left",
        "wait > right",
        "left > both",
        "right > both.other",
        "left.error > sorry",
    ];
    let mut document = doc("Tested", nodes, &edges);
    document.tests = serde_json::from_value(tests).unwrap();
    document
}

fn good() -> Document {
    tested(json!([
        {
            "name": "a reply", "trigger": { "n": 1 },
            "steps": [
                { "advance": "2s", "expect": { "status": "waiting", "waiting": ["wait"], "ran": ["flaky"] } },
                { "signal": "*", "payload": { "yes": true } },
            ],
            "expect": {
                "status": "succeeded", "ran": ["left", "right", "both"], "skipped": ["sorry"],
                "output": { "both": [{ "n": 1, "came": { "yes": true } }, { "n": 1 }] },
            },
        },
        { "name": "no reply", "advance": "1h", "expect": { "status": "succeeded", "output": { "wait": [{ "came": "timer" }] } } },
    ]))
}

#[tokio::test]
async fn tests_of_a_document_pass_or_say_why_not() {
    for report in run_tests(&TestHost, &good(), &[]).await {
        assert_eq!(report.failures, Vec::<String>::new(), "{}", report.test);
        assert!(report.run.is_some());
    }
    let bad = tested(json!([
        { "name": "status", "expect": { "status": "failed" } },
        { "name": "nobody waits", "steps": [{ "signal": "lost" }] },
        { "name": "node", "advance": "1h", "expect": { "ran": ["sorry"], "output": { "both": [] }, "error": "x" } },
        { "name": "trigger", "node": "nobody" },
        { "name": "duration", "advance": "soon" },
    ]));
    let failures: Vec<Vec<String>> =
        run_tests(&TestHost, &bad, &[]).await.into_iter().map(|report| report.failures).collect();
    assert_eq!(failures.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 3, 1, 1], "{failures:#?}");
    assert!(failures[0][0].contains("expected the run to be failed, it is waiting"));
    assert!(failures[1][0].contains("step 1: nothing waits for the signal `lost`"));
}

#[tokio::test]
async fn every_failure_settles_and_every_crash_recovers() {
    assert_eq!(every_node_failure_settles(&TestHost, &good(), &[]).await, Vec::<String>::new());
    assert_eq!(every_crash_point_recovers(&TestHost, &good(), &[]).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_document_that_cannot_start_is_a_failure_of_both() {
    let broken = tested(json!([{ "name": "declined", "trigger": { "decline": true } }]));
    assert_eq!(every_node_failure_settles(&TestHost, &broken, &[]).await.len(), 1);
    assert_eq!(every_crash_point_recovers(&TestHost, &broken, &[]).await.len(), 1);
}
