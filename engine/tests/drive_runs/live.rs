//! The trace as it happens.

use crate::home::{Home, WS, doc, one, request};
use crate::world::Act;
use serde_json::json;
use sluice_engine::drive::{FaultPlan, LiveEvent};
use sluice_node_sdk::error::ErrorKind;
use std::sync::Arc;

fn names(events: &[Arc<LiveEvent>]) -> Vec<String> {
    let name = |event: &Arc<LiveEvent>| match &event.node {
        Some(node) => format!("{} {node}", event.event),
        None => event.event.clone(),
    };
    events.iter().map(name).collect()
}

#[tokio::test]
async fn events_come_in_order_and_can_be_taken_up_again() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "act", "type": "idem" },
        { "id": "wait", "type": "wait", "params": { "signal": "go" } },
        { "id": "end", "type": "set", "params": { "value": {} } },
        { "id": "never", "type": "set", "params": { "value": {} } },
    ]);
    let edges = ["start > act", "act > wait", "wait > end", "act.error > never"];
    let mut listener = home.engine.live().subscribe();
    let key = home.run(doc("Live", nodes, &edges), json!({ "n": 1 })).await;
    let (before, _) = home.engine.live().resume(0).unwrap();
    let expected = [
        "run.started start",
        "node.succeeded start",
        "node.started act",
        "node.succeeded act",
        "node.skipped never",
        "node.waiting wait",
        "run.waiting",
    ];
    assert_eq!(names(&before), expected);
    assert!(before.windows(2).all(|pair| pair[0].id + 1 == pair[1].id && pair[0].seq <= pair[1].seq));
    assert!(before.iter().all(|event| event.run_id == *key.run_id && event.workspace_id == WS));
    assert_eq!(before[1].data["output"]["main"][0]["json"], json!({ "n": 1 }));
    assert_eq!(before[6].data["nodes"], json!(["wait"]));
    home.engine.signal(WS, "go", json!(1)).await.unwrap();
    home.engine.settle().await;
    let (after, _) = home.engine.live().resume(before[6].id).unwrap();
    let expected = [
        "node.resumed wait",
        "node.started wait",
        "node.succeeded wait",
        "node.started end",
        "node.succeeded end",
        "run.succeeded",
    ];
    assert_eq!(names(&after), expected);
    let mut heard = Vec::new();
    while let Ok(event) = listener.try_recv() {
        heard.push(event);
    }
    assert_eq!(names(&heard), [names(&before), names(&after)].concat());
}

#[tokio::test]
async fn failures_and_attempts_are_told() {
    let home = Home::new().await;
    let _listener = home.engine.live().subscribe();
    home.world.plan("act", [Act::Fail(ErrorKind::Unavailable), Act::Fail(ErrorKind::Rejected)]);
    home.run(one("once", json!({ "retry": { "max_attempts": 2, "initial": "1s" } })), json!({})).await;
    home.pass(1_000).await;
    let (events, _) = home.engine.live().resume(0).unwrap();
    let expected = [
        "run.started start",
        "node.succeeded start",
        "node.started act",
        "node.failed act",
        "run.waiting",
        "node.resumed act",
        "node.started act",
        "node.failed act",
        "run.failed",
    ];
    assert_eq!(names(&events), expected);
    assert_eq!(
        (events[3].data["error"]["code"].clone(), events[6].data["attempt"].clone()),
        (json!("unavailable"), json!(2))
    );
}

#[tokio::test]
async fn what_is_no_longer_kept_cannot_be_taken_up() {
    let home = Home::new().await;
    let _listener = home.engine.live().subscribe();
    let workflow = home.publish(one("shape", json!({}))).await;
    assert!(home.engine.live().resume(0).is_some());
    assert!(home.engine.live().resume(1).is_none());
    home.start(&workflow, json!({})).await;
    let (all, _) = home.engine.live().resume(0).unwrap();
    let last = all.last().unwrap().id;
    assert!(home.engine.live().resume(last).unwrap().0.is_empty());
    assert!(home.engine.live().resume(last + 1).is_none());
    // More than the ring keeps.
    let per_run = all.len() as u64;
    for _ in 0..4_200 / per_run {
        home.start(&workflow, json!({})).await;
    }
    assert!(home.engine.live().resume(0).is_none());
    assert!(home.engine.live().resume(4_100).is_some());
}

#[tokio::test]
async fn a_queued_run_is_told_of_once_when_it_begins() {
    let home = Home::new().await;
    let _listener = home.engine.live().subscribe();
    let mut document = one("idem", json!({}));
    document.settings.lane = Some("one".to_owned());
    let workflow = home.publish(document).await;
    home.world.plan("act", [Act::Hold]);
    home.start(&workflow, json!({})).await;
    home.world.begun("act", 1).await;
    let second = home.start(&workflow, json!({})).await;
    let (events, _) = home.engine.live().resume(0).unwrap();
    assert!(events.iter().all(|event| event.run_id != *second.run_id));
    home.world.release("act", 1);
    home.engine.settle().await;
    let (events, _) = home.engine.live().resume(0).unwrap();
    let of_second: Vec<_> = events.into_iter().filter(|event| event.run_id == *second.run_id).collect();
    assert_eq!(names(&of_second)[..3], ["run.started start", "node.succeeded start", "node.started act"]);
    assert_eq!(of_second.iter().filter(|event| event.event == "run.started").count(), 1);
}

#[tokio::test]
async fn who_begins_to_listen_during_a_commit_misses_nothing() {
    let mut home = Home::new().await;
    let workflow = home.publish(one("shape", json!({}))).await;
    home.restart_with(FaultPlan::holding_answer(1), "");
    let (engine, request) = (home.engine.clone(), request(&workflow, json!({})));
    let starting = tokio::spawn(async move { engine.start(request).await });
    home.faults.held().await;
    let mut listener = home.engine.live().subscribe();
    home.faults.let_go();
    starting.await.unwrap().unwrap();
    home.engine.settle().await;
    let mut heard = Vec::new();
    while let Ok(event) = listener.try_recv() {
        heard.push(event);
    }
    let heard = names(&heard);
    assert_eq!(heard.first().map(String::as_str), Some("run.started start"));
    assert_eq!(heard.last().map(String::as_str), Some("run.succeeded"));
}

#[tokio::test]
async fn who_stays_away_for_long_is_told_that_events_were_missed() {
    let home = Home::new().await;
    let workflow = home.publish(one("shape", json!({}))).await;
    let listener = home.engine.live().subscribe();
    home.start(&workflow, json!({})).await;
    let last = home.engine.live().resume(0).unwrap().0.last().unwrap().id;
    drop(listener);
    // Not long: what happens meanwhile is kept.
    home.start(&workflow, json!({})).await;
    assert!(!home.engine.live().resume(last).unwrap().0.is_empty());
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(120)).await;
    tokio::time::resume();
    home.start(&workflow, json!({})).await;
    assert!(home.engine.live().resume(last).is_none());
}
