//! Waiting: for a time, for a signal, and over a time in which nothing runs.

use crate::home::{Home, doc, node, output};
use serde_json::{Value, json};
use sluice_engine::core::RunStatus;
use sluice_engine::document::Document;
use sluice_engine::drive::EngineError;
use sluice_engine::view::NodeStatus;

use crate::home::WS;

fn waiting(params: Value) -> Document {
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "wait", "type": "wait", "params": params },
        { "id": "act", "type": "once" },
    ]);
    doc("Waits", nodes, &["start > wait", "wait > act"])
}

#[tokio::test]
async fn a_run_waits_for_a_moment_without_memory() {
    let home = Home::new().await;
    let key = home.run(waiting(json!({ "ms": 5_000 })), json!({})).await;
    assert_eq!(home.status(&key).await, RunStatus::Waiting);
    assert!(!home.engine.is_active(&key));
    assert_eq!(home.engine.fire_due().await.unwrap(), 0);
    home.pass(4_999).await;
    assert_eq!(home.status(&key).await, RunStatus::Waiting);
    home.pass(1).await;
    let view = home.view(&key).await;
    assert_eq!(view.status, RunStatus::Succeeded);
    assert_eq!(output(&view, "wait"), [json!({ "came": "timer" })]);
    assert_eq!(view.wake_at, None);
}

#[tokio::test]
async fn a_signal_wakes_whoever_waits_for_its_key() {
    let home = Home::new().await;
    let key = home.run(waiting(json!({ "signal": "paid" })), json!({})).await;
    let view = home.view(&key).await;
    assert_eq!(node(&view, "wait").wait.as_ref().unwrap()["signal"], "paid");
    let wrong = home.engine.signal(WS, "lost", json!(1)).await.unwrap_err();
    assert!(matches!(wrong, EngineError::NotWaiting(_)));
    let foreign = home.engine.signal("ws_other", "paid", json!(1)).await.unwrap_err();
    assert!(matches!(foreign, EngineError::NotWaiting(_)));
    let woken = home.engine.signal(WS, "paid", json!({ "sum": 7 })).await.unwrap();
    assert_eq!(woken, std::slice::from_ref(&key));
    home.engine.settle().await;
    assert_eq!(output(&home.view(&key).await, "wait"), [json!({ "came": { "sum": 7 } })]);
    let again = home.engine.signal(WS, "paid", json!(1)).await.unwrap_err();
    assert!(matches!(again, EngineError::NotWaiting(_)));
}

#[tokio::test]
async fn of_time_and_signal_the_first_counts() {
    let home = Home::new().await;
    let document = waiting(json!({ "signal": "paid", "ms": 1_000 }));
    let workflow = home.publish(document).await;
    let (early, late) = (home.start(&workflow, json!({})).await, home.start(&workflow, json!({})).await);
    home.engine.settle().await;
    assert_eq!(home.engine.signal(WS, "paid", json!(1)).await.unwrap().len(), 2);
    home.engine.settle().await;
    home.pass(1_000).await;
    for key in [early, late] {
        let view = home.view(&key).await;
        assert_eq!((view.status, output(&view, "wait")), (RunStatus::Succeeded, vec![json!({ "came": 1 })]));
    }
    assert_eq!(home.world.calls().len(), 2);
    let key = home.start(&workflow, json!({})).await;
    home.pass(1_000).await;
    assert_eq!(output(&home.view(&key).await, "wait"), [json!({ "came": "timer" })]);
    let late = home.engine.signal(WS, "paid", json!(1)).await.unwrap_err();
    assert!(matches!(late, EngineError::NotWaiting(_)));
}

#[tokio::test]
async fn several_nodes_of_a_run_wait_side_by_side() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "a", "type": "wait", "params": { "signal": "a" } },
        { "id": "b", "type": "wait", "params": { "signal": "b" } },
        { "id": "c", "type": "wait", "params": { "ms": 1_000 } },
    ]);
    let key = home.run(doc("Waits", nodes, &["start > a", "start > b", "start > c"]), json!({})).await;
    home.engine.signal(WS, "b", json!("b")).await.unwrap();
    home.engine.settle().await;
    assert_eq!(home.status(&key).await, RunStatus::Waiting);
    home.pass(1_000).await;
    let view = home.view(&key).await;
    let status = |id: &str| node(&view, id).status;
    assert_eq!((status("a"), status("b")), (NodeStatus::Waiting, NodeStatus::Succeeded));
    assert_eq!((view.status, status("c")), (RunStatus::Waiting, NodeStatus::Succeeded));
    home.engine.signal(WS, "a", json!("a")).await.unwrap();
    home.engine.settle().await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
}

#[tokio::test]
async fn timers_that_came_due_while_nothing_ran_fire_after_the_start() {
    let mut home = Home::new().await;
    let key = home.run(waiting(json!({ "ms": 5_000 })), json!({})).await;
    home.restart();
    home.clock.advance(3_600_000);
    assert_eq!(home.engine.recover().await.unwrap(), 0);
    assert_eq!(home.status(&key).await, RunStatus::Waiting);
    assert_eq!(home.engine.fire_due().await.unwrap(), 1);
    home.engine.settle().await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
    assert_eq!(home.world.calls().len(), 1);
}

#[tokio::test]
async fn a_signal_reaches_a_run_of_an_engine_that_is_gone() {
    let mut home = Home::new().await;
    let key = home.run(waiting(json!({ "signal": "paid" })), json!({})).await;
    home.restart();
    home.engine.signal(WS, "paid", json!(1)).await.unwrap();
    home.engine.settle().await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_wait_for_a_moment_that_has_passed_is_none() {
    let home = Home::new().await;
    let workflow = home.publish(waiting(json!({ "ms": -1 }))).await;
    let key = home.start(&workflow, json!({})).await;
    home.engine.settle().await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
}
