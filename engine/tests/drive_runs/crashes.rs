//! The process stops at any point: what was committed stands, what may be repeated is repeated under its effect id,
//! of the rest nobody knows.

use crate::home::{Home, WS, code, doc, node, one, output};
use crate::world::Act;
use serde_json::json;
use sluice_engine::core::RunStatus;
use sluice_engine::drive::{FaultPlan, StartRequest};
use sluice_engine::view::NodeStatus;

#[tokio::test]
async fn what_may_be_repeated_is_repeated_under_the_same_effect_id() {
    let mut home = Home::new().await;
    home.world.plan("act", [Act::Stuck]);
    let workflow = home.publish(one("idem", json!({}))).await;
    let key = home.start(&workflow, json!({})).await;
    home.world.begun("act", 1).await;
    home.crash().await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
    let calls = home.world.calls();
    assert_eq!((calls.len(), calls[0].attempt), (2, 1));
    assert_eq!(calls[0], calls[1]);
}

#[tokio::test]
async fn a_crash_after_any_commit_converges() {
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "first", "type": "idem" },
        { "id": "wait", "type": "wait", "params": { "ms": 1_000 } },
        { "id": "second", "type": "idem" },
        { "id": "third", "type": "idem" },
        { "id": "end", "type": "merge" },
    ]);
    let edges = [
        "start > first",
        "first > wait",
        "wait > second",
        "wait > third",
        "second > end",
        "third > end.other",
    ];
    let mut crashes = 0;
    for commit in 1.. {
        let mut home = Home::new().await;
        home.restart_with(FaultPlan::stop_after(commit), "");
        let workflow = home.publish(doc("Crash", nodes.clone(), &edges)).await;
        let engine = home.engine.clone();
        let whole = async {
            engine.start(crate::home::request(&workflow, json!({ "n": 1 }))).await.unwrap();
            engine.settle().await;
            home.clock.advance(1_000);
            engine.fire_due().await.unwrap();
            engine.settle().await;
        };
        let died = tokio::select! { biased; () = whole => false, () = home.faults.dead() => true };
        crashes += usize::from(died);
        home.crash().await;
        home.pass(1_000).await;
        let key = home.runs(&workflow).await[0].clone();
        let view = home.view(&key).await;
        assert_eq!(view.status, RunStatus::Succeeded, "crash after commit {commit}");
        assert_eq!(output(&view, "end").len(), 2);
        let calls = home.world.calls();
        let mut ids: Vec<&str> = calls.iter().map(|call| call.effect_id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 3);
        if !died {
            break;
        }
    }
    assert_eq!(crashes, 5);
}

#[tokio::test]
async fn a_crash_between_two_attempts_keeps_count() {
    let mut home = Home::new().await;
    home.world.plan("act", [Act::Fail(sluice_node_sdk::error::ErrorKind::Unavailable)]);
    let settings = json!({ "retry": { "max_attempts": 2, "initial": "1s" } });
    let key = home.run(one("once", settings), json!({})).await;
    home.crash().await;
    home.pass(1_000).await;
    let view = home.view(&key).await;
    assert_eq!((view.status, node(&view, "act").attempt), (RunStatus::Succeeded, 2));
}

#[tokio::test]
async fn a_version_with_an_unknown_node_type_fails_its_runs_and_nothing_else() {
    let mut home = Home::new().await;
    home.world.plan("act", [Act::Stuck]);
    let broken = home.publish(one("idem", json!({}))).await;
    let mut fine = one("once", json!({}));
    fine.name = "Fine".to_owned();
    let fine = home.publish(fine).await;
    let broken_run = home.start(&broken, json!({})).await;
    home.world.begun("act", 1).await;
    home.restart_without("t.idem");
    assert_eq!(home.engine.recover().await.unwrap(), 1);
    home.engine.settle().await;
    let view = home.view(&broken_run).await;
    assert_eq!((view.status, code(&view)), (RunStatus::Failed, "unknown_node_type"));
    let error = view.error.unwrap();
    assert_eq!(error.node.as_deref(), Some("act"));
    assert!(error.message.contains("t.idem"), "{}", error.message);
    let key = home.start(&fine, json!({})).await;
    home.engine.settle().await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
    // With the type back, the run shows what was known, and can be retried.
    home.restart();
    let view = home.view(&broken_run).await;
    assert_eq!(node(&view, "act").status, NodeStatus::Failed);
    assert_eq!(node(&view, "act").error.as_ref().unwrap().code, "unknown_outcome");
    home.engine.retry(&broken_run).await.unwrap();
    home.engine.settle().await;
    assert_eq!(home.status(&broken_run).await, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_caller_hears_of_a_child_whose_version_cannot_run() {
    let mut home = Home::new().await;
    let child = json!([{ "id": "in", "type": "called" }, { "id": "act", "type": "idem" }]);
    home.publish(doc("Child", child, &["in > act"])).await;
    home.world.plan("act", [Act::Stuck]);
    let parent = json!([
        { "id": "start", "type": "start" },
        { "id": "call", "type": "call", "params": { "workflow": "Child" } },
    ]);
    let parent = home.publish(doc("Parent", parent, &["start > call"])).await;
    let key = home.start(&parent, json!({})).await;
    home.world.begun("act", 1).await;
    home.restart_without("t.idem");
    home.engine.recover().await.unwrap();
    home.engine.settle().await;
    let view = home.view(&key).await;
    assert_eq!((view.status, code(&view)), (RunStatus::Failed, "child_failed"));
}

#[tokio::test]
async fn signals_and_cancellations_that_were_answered_are_kept() {
    let mut home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "wait", "type": "wait", "params": { "signal": "go" } },
        { "id": "act", "type": "idem" },
    ]);
    let workflow = home.publish(doc("Waits", nodes, &["start > wait", "wait > act"])).await;
    home.world.plan("act", [Act::Stuck]);
    let key = home.start(&workflow, json!({})).await;
    home.engine.settle().await;
    home.engine.signal(WS, "go", json!(7)).await.unwrap();
    home.crash().await;
    let view = home.view(&key).await;
    assert_eq!((view.status, output(&view, "wait")), (RunStatus::Succeeded, vec![json!({ "came": 7 })]));
    let queued = StartRequest { is_test: true, ..crate::home::request(&workflow, json!({})) };
    let queued = home.engine.start(queued).await.unwrap().key;
    home.engine.settle().await;
    home.engine.cancel(&queued).await.unwrap();
    home.crash().await;
    assert_eq!(home.status(&queued).await, RunStatus::Cancelled);
}
