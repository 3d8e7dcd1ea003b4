//! Replay: the recorded outside through any version, with nothing happening.

use crate::home::{Home, WS, doc, one};
use crate::world::Act;
use serde_json::json;
use sluice_engine::core::RunStatus;
use sluice_engine::document::Document;
use sluice_engine::replay::ReplayOn;
use sluice_engine::store::RunKey;
use sluice_node_sdk::error::ErrorKind;

async fn assert_same(home: &Home, key: &RunKey) {
    let (calls, commits) = (home.world.calls().len(), home.faults.commits());
    let view = home.engine.replay(key, ReplayOn::Same).await.unwrap();
    assert!(view.is_same, "{:#?}", (view.status, view.recorded_status, view.differences, view.not_recorded));
    assert_eq!((home.world.calls().len(), home.faults.commits()), (calls, commits));
}

#[tokio::test]
async fn the_same_version_gives_the_same_run() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "act", "type": "idem" },
        { "id": "wait", "type": "wait", "params": { "signal": "go", "ms": 60_000 } },
        { "id": "sleep", "type": "wait", "params": { "ms": 5_000 } },
        { "id": "time", "type": "set", "params": { "value": { "at": "{{ now().to_string() }}" } } },
        { "id": "loop", "type": "loop" },
        { "id": "body", "type": "once" },
    ]);
    let edges = [
        "start > act",
        "act > wait",
        "act > sleep",
        "wait > time",
        "sleep > loop",
        "loop.item > body",
        "body > loop",
    ];
    home.world.plan("act", [Act::Fail(ErrorKind::Unavailable), Act::Give(json!({ "n": 4 }))]);
    let mut document = doc("Replayed", nodes, &edges);
    document.nodes[1].settings.retry =
        serde_json::from_value(json!({ "max_attempts": 2, "initial": "1s" })).unwrap();
    let key = home.run(document, json!({ "n": 1 })).await;
    assert_same(&home, &key).await;
    home.pass(1_000).await;
    assert_same(&home, &key).await;
    home.clock.advance(700);
    home.engine.signal(WS, "go", json!({ "x": 1 })).await.unwrap();
    home.engine.settle().await;
    assert_same(&home, &key).await;
    home.pass(5_000).await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
    home.clock.advance(86_400_000);
    assert_same(&home, &key).await;
}

#[tokio::test]
async fn failures_cancellations_and_retries_are_part_of_the_recording() {
    let home = Home::new().await;
    let settings = json!({ "retry": { "max_attempts": 2, "initial": "1s" } });
    home.world.plan("act", [Act::Fail(ErrorKind::Unavailable), Act::Fail(ErrorKind::Unavailable)]);
    let key = home.run(one("once", settings), json!({})).await;
    home.pass(1_000).await;
    assert_eq!(home.status(&key).await, RunStatus::Failed);
    assert_same(&home, &key).await;
    home.engine.retry(&key).await.unwrap();
    home.engine.settle().await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
    assert_same(&home, &key).await;

    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "slow", "type": "once" },
        { "id": "wait", "type": "wait", "params": { "signal": "never" } },
    ]);
    home.world.plan("slow", [Act::Hold]);
    let workflow = home.publish(doc("Cancelled", nodes, &["start > slow", "start > wait"])).await;
    let key = home.start(&workflow, json!({})).await;
    home.world.begun("slow", 1).await;
    assert_same(&home, &key).await;
    home.engine.cancel(&key).await.unwrap();
    home.engine.settle().await;
    assert_same(&home, &key).await;
}

#[tokio::test]
async fn the_first_of_two_results_stays_the_first() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "bad", "type": "once" },
        { "id": "good", "type": "once" },
        { "id": "next", "type": "once" },
    ]);
    home.world.plan("bad", [Act::Hold, Act::Fail(ErrorKind::Rejected)]);
    home.world.plan("good", [Act::Hold]);
    let workflow = home.publish(doc("Race", nodes, &["start > bad", "start > good", "good > next"])).await;
    let key = home.start(&workflow, json!({})).await;
    home.world.begun("good", 1).await;
    home.world.release("good", 1);
    home.world.begun("next", 1).await;
    home.world.release("bad", 1);
    home.engine.settle().await;
    assert_same(&home, &key).await;
}

#[tokio::test]
async fn a_changed_draft_shows_what_would_be_different() {
    let home = Home::new().await;
    let key = home.run(one("once", json!({})), json!({ "n": 1 })).await;
    let mut changed = one("once", json!({}));
    changed.nodes[2].params.insert("value".to_owned(), json!({ "done": "differently" }));
    let view = home.engine.replay(&key, ReplayOn::Document(Box::new(changed.clone()))).await.unwrap();
    assert!(!view.is_same);
    assert_eq!(view.differences.len(), 1);
    let found = &view.differences[0];
    assert_eq!((found.node.as_str(), found.change.as_str()), ("end", "changed"));
    assert_eq!(found.after.as_ref().unwrap()["output"]["main"][0]["json"]["done"], "differently");
    // Another node with an effect has no recorded answer, and is not run.
    let mut more: Document = changed;
    let mut extra = more.nodes[1].clone();
    extra.id = "extra".to_owned();
    more.nodes.push(extra);
    more.edges.push(sluice_engine::document::EdgeDoc { from: "act".into(), to: "extra".into() });
    let view = home.engine.replay(&key, ReplayOn::Document(Box::new(more))).await.unwrap();
    assert_eq!(view.not_recorded, ["extra"]);
    assert!(view.differences.iter().any(|found| found.node == "extra" && found.change == "added"));
    assert_eq!(home.world.order(), ["act"]);
    assert_eq!(home.runs(&home.view(&key).await.workflow_id).await.len(), 1);
}

#[tokio::test]
async fn another_version_is_replayed_by_its_number() {
    let home = Home::new().await;
    let workflow = home.publish(one("once", json!({}))).await;
    let key = home.start(&workflow, json!({})).await;
    home.engine.settle().await;
    let mut second = one("once", json!({ "on_error": "continue" }));
    second.nodes.pop();
    second.edges.pop();
    home.engine.save_draft(WS, &workflow, 1, second).await.unwrap();
    home.engine.publish(WS, &workflow, None).await.unwrap();
    let view = home.engine.replay(&key, ReplayOn::Version(2)).await.unwrap();
    assert_eq!((view.differences.len(), view.differences[0].change.as_str()), (1, "removed"));
    assert!(home.engine.replay(&key, ReplayOn::Version(9)).await.is_err());
}
