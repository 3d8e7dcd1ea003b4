//! Nodes with effects: attempts, pauses, time limits, panics.

use crate::home::{Home, code, doc, node, one, output};
use crate::world::Act;
use serde_json::json;
use sluice_engine::core::RunStatus;
use sluice_engine::store::{Attention, RunKey};
use sluice_engine::view::NodeStatus;
use sluice_node_sdk::error::ErrorKind;
use sluice_node_sdk::testkit::TEST_NOW_MS;
use std::time::Duration;

fn three_attempts() -> serde_json::Value {
    json!({ "retry": { "max_attempts": 3, "backoff": "exponential", "initial": "1s" } })
}

#[tokio::test]
async fn a_passing_fault_is_tried_again_after_growing_pauses_under_one_effect_id() {
    let home = Home::new().await;
    home.world.plan("act", [Act::Fail(ErrorKind::Unavailable), Act::Fail(ErrorKind::RateLimited)]);
    let key = home.run(one("once", three_attempts()), json!({})).await;
    let view = home.view(&key).await;
    assert_eq!((view.status, view.wake_at), (RunStatus::Waiting, Some(TEST_NOW_MS + 1_000)));
    let act = node(&view, "act");
    assert_eq!((act.status, act.attempt, act.retry_at), (NodeStatus::Waiting, 1, view.wake_at));
    assert!(!home.engine.is_active(&key));
    home.pass(999).await;
    assert_eq!(home.world.calls().len(), 1);
    home.pass(1).await;
    assert_eq!(home.view(&key).await.wake_at, Some(TEST_NOW_MS + 3_000));
    home.pass(2_000).await;
    let view = home.view(&key).await;
    let act = node(&view, "act");
    assert_eq!((view.status, act.status, act.attempt), (RunStatus::Succeeded, NodeStatus::Succeeded, 3));
    assert_eq!((act.retry_at, act.logs.len()), (None, 3));
    let calls = home.world.calls();
    assert_eq!(calls.iter().map(|call| call.attempt).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(calls.iter().all(|call| call.effect_id == format!("{}/act/0", key.run_id)));
}

#[tokio::test]
async fn a_fault_that_does_not_pass_fails_the_run() {
    let home = Home::new().await;
    home.world.plan("act", [Act::Fail(ErrorKind::Unavailable), Act::Fail(ErrorKind::Unavailable)]);
    let key = home.run(one("idem", three_attempts()), json!({})).await;
    home.world.plan("act", [Act::Fail(ErrorKind::Rejected)]);
    home.pass(1_000).await;
    home.pass(2_000).await;
    let view = home.view(&key).await;
    assert_eq!((view.status, code(&view)), (RunStatus::Failed, "rejected"));
    assert_eq!(view.error.unwrap().node.as_deref(), Some("act"));
    assert_eq!(view.nodes.iter().filter(|node| node.status == NodeStatus::Pending).count(), 1);
}

#[tokio::test]
async fn a_failure_can_be_routed_or_passed_over() {
    let home = Home::new().await;
    home.world.plan("act", [Act::Fail(ErrorKind::Rejected), Act::Fail(ErrorKind::Rejected)]);
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "act", "type": "once" },
        { "id": "good", "type": "set", "params": { "value": {} } },
        { "id": "bad", "type": "set", "params": { "value": { "why": "{{ json.error.code }}" } } },
    ]);
    let edges = ["start > act", "act > good", "act.error > bad"];
    let key = home.run(doc("Routed", nodes, &edges), json!({ "n": 1 })).await;
    let view = home.view(&key).await;
    assert_eq!((view.status, node(&view, "good").status), (RunStatus::Succeeded, NodeStatus::Skipped));
    assert_eq!(output(&view, "bad")[0]["why"], "rejected");
    assert_eq!(output(&view, "bad")[0]["input"], json!({ "n": 1 }));
    let key = home.run(one("once", json!({ "on_error": "continue" })), json!({})).await;
    let view = home.view(&key).await;
    assert_eq!((view.status, output(&view, "end")[0]["done"].clone()), (RunStatus::Succeeded, json!(true)));
}

#[tokio::test]
async fn a_panic_fails_the_run_and_nothing_else() {
    let home = Home::new().await;
    home.world.plan("act", [Act::Panic]);
    let key = home.run(one("idem", json!({})), json!({})).await;
    let view = home.view(&key).await;
    assert_eq!((view.status, code(&view)), (RunStatus::Failed, "node_panicked"));
    let mut pure = one("fault", json!({}));
    pure.name = "Pure".to_owned();
    pure.nodes[1].params.insert("panic".to_owned(), json!(true));
    let key = home.run(pure, json!({})).await;
    let view = home.view(&key).await;
    assert_eq!((view.status, code(&view)), (RunStatus::Failed, "node_panicked"));
    assert!(view.error.unwrap().message.contains("as planned"));
}

/// Starts a run whose node never answers, and lets its time limit pass.
async fn time_out(home: &Home, node_type: &str) -> RunKey {
    home.world.plan("act", [Act::Stuck]);
    let workflow = home.publish(one(node_type, json!({ "timeout": "30s" }))).await;
    let key = home.start(&workflow, json!({})).await;
    home.world.begun("act", 1).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(30_001)).await;
    tokio::time::resume();
    home.engine.settle().await;
    key
}

#[tokio::test]
async fn a_node_that_may_be_repeated_times_out() {
    let home = Home::new().await;
    let key = time_out(&home, "idem").await;
    let view = home.view(&key).await;
    assert_eq!((view.status, code(&view)), (RunStatus::Failed, "timeout"));
}

#[tokio::test]
async fn of_a_node_that_must_not_be_repeated_nobody_knows() {
    let home = Home::new().await;
    let key = time_out(&home, "once").await;
    let view = home.view(&key).await;
    assert_eq!((view.status, view.attention), (RunStatus::Waiting, Some(Attention::UnknownOutcome)));
    let outcome = node(&view, "act").outcome.as_ref().unwrap();
    assert!(outcome.is_open && outcome.error.message.contains("30000 ms"), "{outcome:?}");
    assert_eq!(home.world.calls().len(), 1);
}

#[tokio::test]
async fn branches_are_under_way_at_the_same_time() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "left", "type": "idem" },
        { "id": "right", "type": "idem" },
        { "id": "both", "type": "merge" },
    ]);
    let edges = ["start > left", "start > right", "left > both", "right > both.other"];
    home.world.plan("left", [Act::Hold]);
    home.world.plan("right", [Act::Hold]);
    let workflow = home.publish(doc("Branches", nodes, &edges)).await;
    let key = home.start(&workflow, json!({ "n": 1 })).await;
    home.world.begun("left", 1).await;
    home.world.begun("right", 1).await;
    home.world.release("right", 1);
    home.world.release("left", 1);
    home.engine.settle().await;
    assert_eq!(output(&home.view(&key).await, "both").len(), 2);
}
