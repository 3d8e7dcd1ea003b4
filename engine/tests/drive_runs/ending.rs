//! Ends that someone wants: cancelling in every state, retrying, time limits of runs, stopping the engine.

use crate::home::{Home, WS, code, doc, node, one, with};
use crate::world::Act;
use serde_json::json;
use sluice_engine::core::{Refusal, RunStatus};
use sluice_engine::drive::EngineError;
use sluice_engine::view::NodeStatus;
use sluice_node_sdk::error::ErrorKind;
use std::time::Duration;

fn refused(answer: Result<(), EngineError>) -> Refusal {
    match answer.unwrap_err() {
        EngineError::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_run_under_way_is_told_to_stop() {
    let home = Home::new().await;
    home.world.plan("act", [Act::Hold]);
    let workflow = home.publish(one("once", json!({}))).await;
    let key = home.start(&workflow, json!({})).await;
    home.world.begun("act", 1).await;
    home.engine.cancel(&key).await.unwrap();
    home.engine.settle().await;
    let view = home.view(&key).await;
    assert_eq!((view.status, node(&view, "act").status), (RunStatus::Cancelled, NodeStatus::Cancelled));
    assert_eq!(refused(home.engine.cancel(&key).await), Refusal::Over);
}

#[tokio::test]
async fn a_waiting_run_is_cancelled_and_waits_for_nothing() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "wait", "type": "wait", "params": { "signal": "paid", "ms": 1_000 } },
    ]);
    let key = home.run(doc("Waits", nodes, &["start > wait"]), json!({})).await;
    home.engine.cancel(&key).await.unwrap();
    let view = home.view(&key).await;
    assert_eq!((view.status, node(&view, "wait").status), (RunStatus::Cancelled, NodeStatus::Cancelled));
    assert!(home.engine.signal(WS, "paid", json!(1)).await.is_err());
    home.pass(1_000).await;
    assert_eq!(home.status(&key).await, RunStatus::Cancelled);
}

#[tokio::test]
async fn a_run_between_two_attempts_is_cancelled() {
    let home = Home::new().await;
    home.world.plan("act", [Act::Fail(ErrorKind::Unavailable)]);
    let key = home.run(one("idem", json!({ "retry": { "max_attempts": 2 } })), json!({})).await;
    home.engine.cancel(&key).await.unwrap();
    home.pass(60_000).await;
    assert_eq!((home.status(&key).await, home.world.calls().len()), (RunStatus::Cancelled, 1));
}

#[tokio::test]
async fn a_queued_run_is_cancelled_although_its_lane_is_busy() {
    let home = Home::new().await;
    home.world.plan("act", [Act::Hold]);
    let document = with(
        "Lane",
        json!([{ "id": "start", "type": "start" }, { "id": "act", "type": "once" }]),
        &["start > act"],
        json!({ "lane": "one" }),
    );
    let workflow = home.publish(document).await;
    let (first, second) = (home.start(&workflow, json!({})).await, home.start(&workflow, json!({})).await);
    home.world.begun("act", 1).await;
    assert_eq!(home.status(&second).await, RunStatus::Queued);
    home.engine.cancel(&second).await.unwrap();
    assert_eq!(home.status(&second).await, RunStatus::Cancelled);
    home.world.release("act", 1);
    home.engine.settle().await;
    assert_eq!((home.status(&first).await, home.world.calls().len()), (RunStatus::Succeeded, 1));
}

#[tokio::test]
async fn what_is_over_or_unknown_cannot_be_cancelled() {
    let home = Home::new().await;
    let key = home.run(one("shape", json!({})), json!({})).await;
    assert_eq!(refused(home.engine.cancel(&key).await), Refusal::Over);
    let unknown = home.engine.cancel(&crate::home::key("run_unknown")).await.unwrap_err();
    assert!(matches!(unknown, EngineError::NotFound { what: "run", .. }), "{unknown}");
}

#[tokio::test]
async fn a_failed_run_goes_on_from_the_node_that_failed() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "first", "type": "once" },
        { "id": "second", "type": "once" },
    ]);
    home.world.plan("second", [Act::Fail(ErrorKind::Rejected), Act::Fail(ErrorKind::Rejected)]);
    let key = home.run(doc("Retry", nodes, &["start > first", "first > second"]), json!({})).await;
    for _ in 0..2 {
        assert_eq!(home.status(&key).await, RunStatus::Failed);
        home.engine.retry(&key).await.unwrap();
        home.engine.settle().await;
    }
    let view = home.view(&key).await;
    assert_eq!((view.status, view.error), (RunStatus::Succeeded, None));
    assert_eq!(home.world.order(), ["first", "second", "second", "second"]);
    assert_eq!(refused(home.engine.retry(&key).await), Refusal::NotRetryable);
}

#[tokio::test]
async fn a_retry_runs_again_what_was_told_to_stop() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "bad", "type": "idem" },
        { "id": "slow", "type": "idem" },
    ]);
    home.world.plan("bad", [Act::Hold, Act::Fail(ErrorKind::Rejected)]);
    home.world.plan("slow", [Act::Hold]);
    let workflow = home.publish(doc("Both", nodes, &["start > bad", "start > slow"])).await;
    let key = home.start(&workflow, json!({})).await;
    home.world.begun("bad", 1).await;
    home.world.begun("slow", 1).await;
    // Both wishes are in the inbox of one driver.
    let (cancelled, retried) = tokio::join!(home.engine.cancel(&key), home.engine.retry(&key));
    cancelled.unwrap();
    let _ = retried;
    home.engine.settle().await;
    if home.status(&key).await != RunStatus::Failed {
        home.engine.retry(&key).await.unwrap();
        home.engine.settle().await;
    }
    let view = home.view(&key).await;
    assert_eq!((view.status, code(&view)), (RunStatus::Failed, "rejected"));
    home.engine.retry(&key).await.unwrap();
    home.engine.settle().await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_run_that_takes_too_long_fails_and_a_retry_gives_it_the_same_time_again() {
    let home = Home::new().await;
    let document = with(
        "Slow",
        json!([
            { "id": "start", "type": "start" },
            { "id": "wait", "type": "wait", "params": { "signal": "paid" } },
        ]),
        &["start > wait"],
        json!({ "timeout": "1h" }),
    );
    let key = home.run(document, json!({})).await;
    home.pass(3_600_000).await;
    let view = home.view(&key).await;
    assert_eq!((view.status, code(&view)), (RunStatus::Failed, "run_timeout"));
    home.engine.retry(&key).await.unwrap();
    home.engine.settle().await;
    home.pass(3_599_999).await;
    assert_eq!(home.status(&key).await, RunStatus::Waiting);
    home.engine.signal(WS, "paid", json!(1)).await.unwrap();
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_node_can_end_the_run_well() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "stop", "type": "stop" },
        { "id": "wait", "type": "wait", "params": { "signal": "never" } },
        { "id": "after", "type": "once" },
    ]);
    let edges = ["start > wait", "start > stop", "stop > after"];
    let key = home.run(doc("Stops", nodes, &edges), json!({})).await;
    let view = home.view(&key).await;
    assert_eq!(view.status, RunStatus::Succeeded);
    assert!(home.world.calls().is_empty());
    assert!(view.nodes.iter().all(|node| !matches!(node.status, NodeStatus::Running | NodeStatus::Waiting)));
}

#[tokio::test]
async fn an_engine_that_stops_finishes_what_is_under_way_and_begins_nothing() {
    let mut home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "first", "type": "once" },
        { "id": "second", "type": "once" },
    ]);
    home.world.plan("first", [Act::Hold]);
    let workflow = home.publish(doc("Stopping", nodes, &["start > first", "first > second"])).await;
    let key = home.start(&workflow, json!({})).await;
    home.world.begun("first", 1).await;
    let engine = home.engine.clone();
    let stopped = tokio::spawn(async move { engine.shut_down(Duration::from_secs(60)).await });
    while !matches!(home.try_start(&workflow, json!({})).await, Err(EngineError::ShuttingDown)) {}
    home.world.release("first", 1);
    stopped.await.unwrap();
    let view = home.view(&key).await;
    let status = |id: &str| node(&view, id).status;
    assert_eq!((status("first"), status("second")), (NodeStatus::Succeeded, NodeStatus::Pending));
    assert!(view.nodes.iter().all(|node| node.status != NodeStatus::Running));
    let before = home.world.order().len();
    home.restart();
    home.engine.recover().await.unwrap();
    home.engine.settle().await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
    assert!(home.world.order().len() > before);
}

#[tokio::test]
async fn a_stopping_engine_wakes_nobody() {
    let mut home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "wait", "type": "wait", "params": { "ms": 1_000 } },
        { "id": "act", "type": "once" },
    ]);
    let key = home.run(doc("Waits", nodes, &["start > wait", "wait > act"]), json!({})).await;
    home.engine.shut_down(Duration::from_secs(60)).await;
    home.pass(1_000).await;
    assert!(home.world.calls().is_empty());
    home.crash().await;
    home.pass(0).await;
    assert_eq!((home.status(&key).await, home.world.calls().len()), (RunStatus::Succeeded, 1));
}
