//! Waiting: for a time, for a signal, and over a time in which nothing runs.

use crate::home::{Home, doc, node, output, request, with};
use serde_json::{Value, json};
use sluice_db::DbOptions;
use sluice_engine::core::RunStatus;
use sluice_engine::document::Document;
use sluice_engine::drive::{EngineError, StartRequest, Started, WaitFor};
use sluice_engine::view::NodeStatus;
use std::time::Duration;

use crate::home::WS;
use crate::world::Act;

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

/// The run is read when the signal comes. Whoever sends it must neither be told that there is no such run, nor that it
/// was taken when it was not.
#[tokio::test]
async fn a_signal_outlasts_a_moment_without_database() {
    // The only connection of a database in memory: while somebody has it, nobody else is answered.
    let mut options = DbOptions::new("sqlite::memory:");
    options.acquire_timeout = Duration::from_millis(10);
    let home = Home::over(options).await;
    let run = home.run(waiting(json!({ "signal": "paid" })), json!({})).await;
    let held = home.db.begin().await.unwrap();
    let (engine, asked) = (home.engine.clone(), run.clone());
    let mut asking =
        tokio::spawn(async move { engine.signal_run(&asked, "paid".to_owned(), json!(7)).await });
    let early = tokio::time::timeout(Duration::from_millis(100), &mut asking).await;
    assert!(early.is_err(), "answered without a database: {early:?}");
    held.rollback().await.unwrap();
    asking.await.unwrap().unwrap();
    home.engine.settle().await;
    assert_eq!(home.status(&run).await, RunStatus::Succeeded);
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

/// Six hundred runs that all wait for one moment: more than are woken at once.
async fn crowd(home: &Home, watch: bool) -> Vec<Started> {
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "wait", "type": "wait", "params": { "ms": 5_000 } },
    ]);
    let workflow = home.publish(doc("Crowd", nodes, &["start > wait"])).await;
    let watch = watch.then_some(WaitFor::Over);
    let start = async |n| {
        let request = StartRequest { watch, ..request(&workflow, json!({ "n": n })) };
        home.engine.start(request).await.unwrap()
    };
    let mut started = Vec::new();
    for n in 0..600 {
        started.push(start(n).await);
    }
    home.engine.settle().await;
    home.clock.advance(5_000);
    started
}

#[tokio::test]
async fn runs_of_one_moment_are_woken_in_pages() {
    let home = Home::new().await;
    let started = crowd(&home, false).await;
    for expected in [256, 256, 88, 0] {
        assert_eq!(home.engine.fire_due().await.unwrap(), expected);
        home.engine.settle().await;
    }
    for run in started {
        assert_eq!(home.status(&run.key).await, RunStatus::Succeeded);
    }
}

#[tokio::test]
async fn the_loop_wakes_all_that_is_due_and_then_what_becomes_due_earlier_than_it_looked() {
    let home = Home::new().await;
    let started = crowd(&home, true).await;
    home.engine.spawn_loops();
    for run in started {
        assert_eq!(run.later.unwrap().await.unwrap().status, RunStatus::Succeeded);
    }
    // The clock goes back: moments that lie before those that were told are told all the same.
    home.clock.set(1_000);
    let workflow = home.publish(waiting(json!({ "ms": 10 }))).await;
    let watched = StartRequest { watch: Some(WaitFor::Over), ..request(&workflow, json!({})) };
    let late = home.engine.start(watched).await.unwrap().later.unwrap();
    home.clock.advance(10);
    assert_eq!(late.await.unwrap().status, RunStatus::Succeeded);
    home.engine.shut_down(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn many_that_wait_for_one_lane_do_not_keep_others_asleep() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "wait", "type": "wait", "params": { "ms": 5_000 } },
        { "id": "act", "type": "idem" },
    ]);
    let laned = with("Laned", nodes, &["start > wait", "wait > act"], json!({ "lane": "one" }));
    let workflow = home.publish(laned).await;
    let mut laned = Vec::new();
    for _ in 0..300 {
        laned.push(home.start(&workflow, json!({})).await);
    }
    let workflow = home.publish(waiting(json!({ "ms": 5_001 }))).await;
    let watched = StartRequest { watch: Some(WaitFor::Over), ..request(&workflow, json!({})) };
    let later = home.engine.start(watched).await.unwrap().later.unwrap();
    home.engine.settle().await;
    home.world.plan("act", [Act::Hold]);
    home.clock.advance(5_001);
    home.engine.spawn_loops();
    home.world.begun("act", 1).await;
    assert_eq!(later.await.unwrap().status, RunStatus::Succeeded);
    for run in &laned {
        assert_ne!(home.status(run).await, RunStatus::Succeeded, "the lane is held");
    }
    home.world.release("act", 1);
    home.engine.shut_down(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_run_that_cannot_be_read_keeps_nobody_asleep() {
    let home = Home::new().await;
    let (damaged, sound) = (
        home.run(waiting(json!({ "ms": 5_000 })), json!({})).await,
        home.run(
            doc(
                "Sound",
                json!([
                    { "id": "start", "type": "start" },
                    { "id": "wait", "type": "wait", "params": { "ms": 5_000 } },
                ]),
                &["start > wait"],
            ),
            json!({}),
        )
        .await,
    );
    let damage = "update runs set error = '{' where run_id = $1";
    home.db.query(damage).bind(&*damaged.run_id).execute().await.unwrap();
    home.clock.advance(5_000);
    assert_eq!(home.engine.fire_due().await.unwrap(), 2);
    home.engine.settle().await;
    assert_eq!(home.status(&sound).await, RunStatus::Succeeded);
    // It is left alone for a while.
    assert_eq!(home.engine.fire_due().await.unwrap(), 0);
}

#[tokio::test]
async fn what_a_caller_holds_until_its_run_begins_is_small() {
    let home = Home::new().await;
    // Thousands may stand in line at once, and each takes as much as its future is large.
    let size = std::mem::size_of_val(&home.engine.start(StartRequest::default()));
    assert!(size <= 4_096, "{size} bytes");
}
