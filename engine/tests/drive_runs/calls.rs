//! Workflows that call workflows, and error workflows.

use crate::home::{Home, code, doc, one, output, request, with};
use crate::world::Act;
use serde_json::{Value, json};
use sluice_engine::core::RunStatus;
use sluice_engine::document::Document;
use sluice_engine::drive::{FaultPlan, StartRequest};
use sluice_node_sdk::error::ErrorKind;

fn child() -> Document {
    let nodes = json!([
        { "id": "in", "type": "called" },
        { "id": "work", "type": "once" },
        { "id": "sum", "type": "shape", "params": { "mode": "sum" } },
    ]);
    doc("Child", nodes, &["in > work", "work > sum"])
}

fn parent(params: Value) -> Document {
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "call", "type": "call", "params": params },
        { "id": "end", "type": "idem" },
    ]);
    doc("Parent", nodes, &["start > call", "call > end"])
}

#[tokio::test]
async fn a_caller_waits_for_its_child_and_gets_its_items() {
    let home = Home::new().await;
    let child = home.publish(child()).await;
    let key = home.run(parent(json!({ "workflow": "Child" })), json!({ "n": 4 })).await;
    let view = home.view(&key).await;
    assert_eq!(view.status, RunStatus::Succeeded);
    let runs = home.runs(&child).await;
    assert_eq!(runs.len(), 1);
    let got = &output(&view, "call")[0];
    assert_eq!(
        (&got["items"], &got["run_id"]),
        (&json!([{ "json": { "sum": 4 } }]), &json!(&*runs[0].run_id))
    );
    assert_eq!(home.view(&runs[0]).await.parent_run_id.as_deref(), Some(&*key.run_id));
}

#[tokio::test]
async fn a_caller_that_does_not_wait_goes_on_at_once() {
    let home = Home::new().await;
    let child = home.publish(child()).await;
    home.world.plan("work", [Act::Hold]);
    let workflow = home.publish(parent(json!({ "workflow": child, "wait": false }))).await;
    let key = home.start(&workflow, json!({ "n": 4 })).await;
    home.world.begun("end", 1).await;
    home.world.begun("work", 1).await;
    home.world.release("work", 1);
    home.engine.settle().await;
    let runs = home.runs(&child).await;
    assert_eq!(output(&home.view(&key).await, "call"), [json!({ "run_id": &*runs[0].run_id })]);
    assert_eq!(home.status(&runs[0]).await, RunStatus::Succeeded);
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_call_that_cannot_be_made_fails_its_node_and_works_once_it_can() {
    for wait in [true, false] {
        let home = Home::new().await;
        let key = home.run(parent(json!({ "workflow": "Child", "wait": wait })), json!({ "n": 4 })).await;
        let view = home.view(&key).await;
        assert_eq!((view.status, code(&view)), (RunStatus::Failed, "child_not_started"));
        assert!(view.error.unwrap().message.contains("Child"));
        home.publish(child()).await;
        home.engine.retry(&key).await.unwrap();
        home.engine.settle().await;
        assert_eq!(home.status(&key).await, RunStatus::Succeeded);
    }
}

#[tokio::test]
async fn a_failing_child_fails_its_caller_and_is_retried_with_it() {
    let home = Home::new().await;
    let child = home.publish(child()).await;
    home.world.plan("work", [Act::Fail(ErrorKind::Rejected)]);
    let key = home.run(parent(json!({ "workflow": "Child" })), json!({ "n": 4 })).await;
    let view = home.view(&key).await;
    assert_eq!((view.status, code(&view)), (RunStatus::Failed, "child_failed"));
    home.engine.retry(&key).await.unwrap();
    home.engine.settle().await;
    let view = home.view(&key).await;
    assert_eq!((view.status, code(&view)), (RunStatus::Succeeded, "none"));
    assert_eq!(output(&view, "call")[0]["items"], json!([{ "json": { "sum": 4 } }]));
    assert_eq!(home.runs(&child).await.len(), 1);
    assert_eq!(home.world.order(), ["work", "work", "end"]);
}

#[tokio::test]
async fn a_child_is_cancelled_and_retried_with_its_caller() {
    let home = Home::new().await;
    let mut document = child();
    document.nodes[1].node_type = "t.idem".to_owned();
    let child = home.publish(document).await;
    home.world.plan("work", [Act::Hold]);
    let workflow = home.publish(parent(json!({ "workflow": "Child" }))).await;
    let key = home.start(&workflow, json!({ "n": 4 })).await;
    home.world.begun("work", 1).await;
    home.engine.cancel(&key).await.unwrap();
    home.engine.settle().await;
    assert_eq!(home.status(&home.runs(&child).await[0]).await, RunStatus::Cancelled);
    assert_eq!(home.status(&key).await, RunStatus::Cancelled);
    home.engine.retry(&key).await.unwrap();
    home.engine.settle().await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
    assert_eq!(home.world.order(), ["work", "work", "end"]);
}

#[tokio::test]
async fn a_child_that_waits_does_not_outlive_its_cancelled_caller() {
    let home = Home::new().await;
    let nodes = json!([{ "id": "in", "type": "called" }, { "id": "wait", "type": "wait", "params": { "signal": "k" } }]);
    let child = home.publish(doc("Child", nodes, &["in > wait"])).await;
    let key = home.run(parent(json!({ "workflow": "Child" })), json!({ "n": 4 })).await;
    home.engine.cancel(&key).await.unwrap();
    home.engine.settle().await;
    assert_eq!(home.status(&home.runs(&child).await[0]).await, RunStatus::Cancelled);
}

#[tokio::test]
async fn a_workflow_that_calls_itself_comes_to_an_end() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "in", "type": "called" },
        { "id": "start", "type": "start" },
        { "id": "call", "type": "call", "params": { "workflow": "Again" } },
    ]);
    let workflow = home.publish(doc("Again", nodes, &["in > call", "start > call"])).await;
    let key = home.start(&workflow, json!({ "n": 4 })).await;
    home.engine.settle().await;
    let runs = home.runs(&workflow).await;
    assert_eq!((runs.len(), code(&home.view(&key).await)), (33, "child_failed"));
    let mut deepest = 0;
    for run in &runs {
        deepest += usize::from(code(&home.view(run).await) == "call_too_deep");
    }
    assert_eq!(deepest, 1);
}

#[tokio::test]
async fn a_crash_after_any_commit_starts_each_child_once_and_tells_the_caller() {
    for commit in 1.. {
        let mut home = Home::new().await;
        home.restart_with(FaultPlan::stop_after(commit), "");
        let mut document = child();
        document.nodes[1].node_type = "t.idem".to_owned();
        let child = home.publish(document).await;
        let parent = home.publish(parent(json!({ "workflow": "Child" }))).await;
        let engine = home.engine.clone();
        let whole = async {
            engine.start(request(&parent, json!({ "n": 4 }))).await.unwrap();
            engine.settle().await;
        };
        let died = tokio::select! { biased; () = whole => false, () = home.faults.dead() => true };
        home.crash().await;
        let key = home.runs(&parent).await[0].clone();
        let view = home.view(&key).await;
        assert_eq!(view.status, RunStatus::Succeeded, "crash after commit {commit}");
        assert_eq!(output(&view, "call")[0]["items"], json!([{ "json": { "sum": 4 } }]));
        assert_eq!(home.runs(&child).await.len(), 1);
        if !died {
            break;
        }
    }
}

#[tokio::test]
async fn the_lane_of_a_called_workflow_counts() {
    let home = Home::new().await;
    let mut document = child();
    document.settings.lane = Some("one".to_owned());
    home.publish(document).await;
    home.world.plan("work", [Act::Hold, Act::Hold]);
    let parent = home.publish(parent(json!({ "workflow": "Child" }))).await;
    let first = home.start(&parent, json!({ "n": 1 })).await;
    let second = home.start(&parent, json!({ "n": 2 })).await;
    home.world.begun("work", 1).await;
    home.world.release("work", 1);
    home.world.begun("work", 2).await;
    home.world.release("work", 1);
    home.engine.settle().await;
    for key in [first, second] {
        assert_eq!(home.status(&key).await, RunStatus::Succeeded);
    }
}

fn error_workflow() -> Document {
    let nodes = json!([{ "id": "in", "type": "failed" }, { "id": "tell", "type": "once" }]);
    doc("On error", nodes, &["in > tell"])
}

fn failing(settings: Value) -> Document {
    let nodes = json!([{ "id": "start", "type": "start" }, { "id": "act", "type": "once" }]);
    with("Failing", nodes, &["start > act"], settings)
}

#[tokio::test]
async fn a_failed_run_starts_its_error_workflow_once() {
    let mut home = Home::new().await;
    let errors = home.publish(error_workflow()).await;
    home.world.plan("act", [Act::Fail(ErrorKind::Rejected)]);
    let key = home.run(failing(json!({ "error_workflow": "On error" })), json!({})).await;
    home.crash().await;
    let runs = home.runs(&errors).await;
    assert_eq!((runs.len(), home.world.order()), (1, vec!["act".to_owned(), "tell".to_owned()]));
    let event = &output(&home.view(&runs[0]).await, "in")[0];
    assert_eq!((&event["run"]["id"], &event["error"]["code"]), (&json!(&*key.run_id), &json!("rejected")));
    assert_eq!(event["workflow"]["name"], "Failing");
}

#[tokio::test]
async fn test_runs_and_error_workflows_start_no_error_workflow() {
    let home = Home::new().await;
    let mut document = error_workflow();
    document.settings.error_workflow = Some("On error".to_owned());
    let errors = home.publish(document).await;
    let workflow = home.publish(failing(json!({ "error_workflow": errors }))).await;
    home.world.plan("act", [Act::Fail(ErrorKind::Rejected), Act::Fail(ErrorKind::Rejected)]);
    home.world.plan("tell", [Act::Fail(ErrorKind::Rejected)]);
    home.engine.start(StartRequest { is_test: true, ..request(&workflow, json!({})) }).await.unwrap();
    home.engine.settle().await;
    assert!(home.runs(&errors).await.is_empty());
    home.start(&workflow, json!({})).await;
    home.engine.settle().await;
    let runs = home.runs(&errors).await;
    assert_eq!((runs.len(), home.status(&runs[0]).await), (1, RunStatus::Failed));
}

#[tokio::test]
async fn a_missing_error_workflow_changes_nothing() {
    let home = Home::new().await;
    home.world.plan("act", [Act::Fail(ErrorKind::Rejected)]);
    let key = home.run(failing(json!({ "error_workflow": "Nobody" })), json!({})).await;
    let view = home.view(&key).await;
    assert_eq!((view.status, code(&view)), (RunStatus::Failed, "rejected"));
}

#[tokio::test]
async fn a_disabled_trigger_is_not_called() {
    let home = Home::new().await;
    let mut document = child();
    document.nodes[0].disabled = true;
    document.nodes.push(one("set", json!({})).nodes[0].clone());
    document.edges.push(sluice_engine::document::EdgeDoc { from: "start".into(), to: "work".into() });
    home.publish(document).await;
    let key = home.run(parent(json!({ "workflow": "Child" })), json!({})).await;
    assert_eq!(code(&home.view(&key).await), "child_not_started");
}
