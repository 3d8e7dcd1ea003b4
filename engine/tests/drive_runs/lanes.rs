//! Lanes: runs of one lane one at a time and in order, runs of different lanes side by side.

use crate::home::{Home, WS, output, request, with};
use crate::world::Act;
use serde_json::json;
use sluice_engine::core::RunStatus;
use sluice_engine::document::Document;
use sluice_engine::store::RunKey;
use sluice_node_sdk::error::ErrorKind;

fn laned() -> Document {
    let nodes = json!([{ "id": "start", "type": "start" }, { "id": "act", "type": "idem" }]);
    with("Laned", nodes, &["start > act"], json!({ "lane": "{{ json.who }}" }))
}

/// The runs whose node began, in order.
fn begun(home: &Home) -> Vec<String> {
    home.world.calls().iter().map(|call| call.effect_id.split('/').next().unwrap().to_owned()).collect()
}

fn ids(keys: &[RunKey]) -> Vec<String> {
    keys.iter().map(|key| key.run_id.to_string()).collect()
}

#[tokio::test]
async fn runs_of_one_lane_never_overlap_and_keep_their_order() {
    let home = Home::new().await;
    let workflow = home.publish(laned()).await;
    home.world.plan("act", (0..5).map(|_| Act::Hold));
    let mut keys = Vec::new();
    for n in 0..5 {
        keys.push(home.start(&workflow, json!({ "who": "asha", "n": n })).await);
    }
    for count in 1..=5 {
        home.world.begun("act", count).await;
        assert_eq!(begun(&home), ids(&keys[..count]));
        for key in &keys[count..] {
            assert_eq!(home.status(key).await, RunStatus::Queued);
        }
        home.world.release("act", 1);
    }
    home.engine.settle().await;
    for key in &keys {
        assert_eq!(home.status(key).await, RunStatus::Succeeded);
    }
}

#[tokio::test]
async fn different_lanes_run_side_by_side() {
    let home = Home::new().await;
    let workflow = home.publish(laned()).await;
    home.world.plan("act", [Act::Hold, Act::Hold]);
    home.start(&workflow, json!({ "who": "asha" })).await;
    home.start(&workflow, json!({ "who": "ben" })).await;
    home.world.begun("act", 2).await;
    home.world.release("act", 2);
    home.engine.settle().await;
}

#[tokio::test]
async fn a_run_whose_lane_is_free_is_over_with_its_first_commit() {
    let home = Home::new().await;
    let nodes = json!([{ "id": "start", "type": "start" }]);
    let document = with("Laned", nodes, &[], json!({ "lane": "{{ json.who }}" }));
    let workflow = home.publish(document).await;
    let started = home.engine.start(request(&workflow, json!({ "who": "asha" }))).await.unwrap();
    assert_eq!(started.outcome.unwrap().status, RunStatus::Succeeded);
}

#[tokio::test]
async fn an_event_without_a_lane_is_not_queued() {
    let home = Home::new().await;
    let workflow = home.publish(laned()).await;
    home.world.plan("act", [Act::Hold, Act::Hold]);
    home.start(&workflow, json!({ "who": null })).await;
    home.start(&workflow, json!({ "who": null })).await;
    home.world.begun("act", 2).await;
    home.world.release("act", 2);
    home.engine.settle().await;
}

#[tokio::test]
async fn queued_runs_keep_their_order_over_a_crash() {
    let mut home = Home::new().await;
    let workflow = home.publish(laned()).await;
    home.world.plan("act", [Act::Stuck]);
    let mut keys = Vec::new();
    for n in 0..6 {
        home.clock.advance(1);
        keys.push(home.start(&workflow, json!({ "who": "asha", "n": n })).await);
    }
    home.world.begun("act", 1).await;
    home.crash().await;
    let mut expected = ids(&keys);
    expected.insert(0, expected[0].clone());
    assert_eq!(begun(&home), expected);
    for key in &keys {
        assert_eq!(home.status(key).await, RunStatus::Succeeded);
    }
}

/// With a pause of half a minute before the second attempt.
fn laned_with_pause() -> Document {
    let settings = json!({ "retry": { "max_attempts": 2, "initial": "30s" } });
    let nodes =
        json!([{ "id": "start", "type": "start" }, { "id": "act", "type": "idem", "settings": settings }]);
    with("Laned", nodes, &["start > act"], json!({ "lane": "{{ json.who }}" }))
}

#[tokio::test]
async fn a_pause_between_two_attempts_keeps_its_lane_over_a_crash() {
    let mut home = Home::new().await;
    let workflow = home.publish(laned_with_pause()).await;
    home.world.plan("act", [Act::Fail(ErrorKind::Unavailable)]);
    let mut keys = Vec::new();
    for n in 0..3 {
        keys.push(home.start(&workflow, json!({ "who": "asha", "n": n })).await);
        if n == 0 {
            home.engine.settle().await;
        }
    }
    home.restart();
    home.engine.recover().await.unwrap();
    home.pass(30_000).await;
    let mut expected = ids(&keys);
    expected.insert(0, expected[0].clone());
    assert_eq!(begun(&home), expected);
}

#[tokio::test]
async fn a_waiting_run_leaves_its_lane_to_others_and_queues_again() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "wait", "type": "wait", "params": { "signal": "{{ json.key }}" } },
        { "id": "act", "type": "idem" },
    ]);
    let document = with("Laned", nodes, &["start > wait", "wait > act"], json!({ "lane": "one" }));
    let workflow = home.publish(document).await;
    let first = home.start(&workflow, json!({ "key": "first" })).await;
    let second = home.start(&workflow, json!({ "key": "second" })).await;
    home.engine.settle().await;
    assert_eq!(home.status(&second).await, RunStatus::Waiting);
    home.world.plan("act", [Act::Hold]);
    home.engine.signal(WS, "second", json!(2)).await.unwrap();
    home.world.begun("act", 1).await;
    let engine = home.engine.clone();
    let queued = tokio::spawn(async move { engine.signal(WS, "first", json!(1)).await });
    home.world.release("act", 1);
    assert_eq!(queued.await.unwrap().unwrap(), std::slice::from_ref(&first));
    home.engine.settle().await;
    assert_eq!(begun(&home), ids(&[second, first.clone()]));
    assert_eq!(output(&home.view(&first).await, "wait")[0]["came"], 1);
}
