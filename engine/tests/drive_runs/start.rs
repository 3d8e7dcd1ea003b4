//! How runs begin: what is refused, what is durable when `start` returns, who is told.

use crate::home::{Home, WS, doc, given, node, one, output, request};
use crate::world::Act;
use serde_json::json;
use sluice_engine::core::RunStatus;
use sluice_engine::drive::{EngineError, StartRequest, WaitFor};
use sluice_engine::view::NodeStatus;
use sluice_node_sdk::item::Item;
use std::collections::BTreeMap;

#[tokio::test]
async fn a_pure_run_is_one_commit_and_over_when_start_returns() {
    let home = Home::new().await;
    let workflow = home.publish(one("shape", json!({}))).await;
    let started = home.try_start(&workflow, json!({ "n": 1 })).await.unwrap();
    assert_eq!(given(&started.outcome.unwrap()), [json!({ "sum": 1, "done": true })]);
    assert_eq!(home.faults.commits(), 1);
    let view = home.view(&started.key).await;
    assert_eq!((view.status, view.version), (RunStatus::Succeeded, 1));
    assert_eq!(output(&view, "end"), [json!({ "sum": 1, "done": true })]);
    assert!(!home.engine.is_active(&started.key));
}

#[tokio::test]
async fn an_effect_is_one_commit_more() {
    let home = Home::new().await;
    let key = home.run(one("once", json!({})), json!({})).await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
    assert_eq!(home.faults.commits(), 2);
}

#[tokio::test]
async fn what_cannot_start_is_refused_and_leaves_nothing() {
    let home = Home::new().await;
    let missing = home.try_start("wf_missing", json!({})).await.unwrap_err();
    assert!(matches!(missing, EngineError::NotFound { what: "workflow", .. }), "{missing}");
    let row = home.engine.create_workflow(WS, one("set", json!({}))).await.unwrap();
    let draft = home.try_start(&row.id, json!({})).await.unwrap_err();
    assert!(matches!(draft, EngineError::NotPublished(_)), "{draft}");
    home.engine.publish(WS, &row.id, None).await.unwrap();
    let version = StartRequest { version: Some(7), ..request(&row.id, json!({})) };
    let version = home.engine.start(version).await.unwrap_err();
    assert!(matches!(version, EngineError::NotFound { what: "version", .. }), "{version}");
    let trigger = StartRequest { trigger: Some("act".to_owned()), ..request(&row.id, json!({})) };
    let trigger = home.engine.start(trigger).await.unwrap_err();
    assert!(matches!(trigger, EngineError::NotFound { what: "trigger", .. }), "{trigger}");
    let declined = home.try_start(&row.id, json!({ "decline": true })).await.unwrap_err();
    assert!(matches!(&declined, EngineError::Trigger(why) if why.code == "trigger_declined"), "{declined}");
    let failed = home.try_start(&row.id, json!({ "fail": true })).await.unwrap_err();
    assert!(matches!(&failed, EngineError::Trigger(why) if why.code == "invalid_input"), "{failed}");
    let pins = BTreeMap::from([("nobody".to_owned(), Vec::new().into())]);
    let pinned = home.engine.start(StartRequest { pins, ..request(&row.id, json!({})) }).await.unwrap_err();
    assert!(matches!(pinned, EngineError::NotFound { what: "node", .. }), "{pinned}");
    assert!(home.runs(&row.id).await.is_empty());
    assert_eq!(home.faults.commits(), 0);
}

#[tokio::test]
async fn a_deduplication_key_starts_one_run_only() {
    let home = Home::new().await;
    for (document, name) in [(one("once", json!({})), "effect"), (one("shape", json!({})), "pure")] {
        let document = sluice_engine::document::Document { name: name.to_owned(), ..document };
        let workflow = home.publish(document).await;
        let start = || StartRequest { dedupe_key: Some(name.to_owned()), ..request(&workflow, json!({})) };
        home.engine.start(start()).await.unwrap();
        let again = home.engine.start(start()).await.unwrap_err();
        assert!(matches!(again, EngineError::Duplicate), "{again}");
        home.engine.settle().await;
        assert_eq!(home.runs(&workflow).await.len(), 1);
    }
    assert_eq!(home.world.order(), ["act"]);
}

#[tokio::test]
async fn a_draft_runs_with_pinned_outputs_and_without_its_pinned_nodes() {
    let home = Home::new().await;
    let pins = BTreeMap::from([("act".to_owned(), vec![Item::new(json!({ "n": 3 }))].into())]);
    let started = home
        .engine
        .start(StartRequest {
            draft: Some(one("once", json!({}))),
            pins,
            is_test: true,
            ..request("wf_draft", json!({}))
        })
        .await
        .unwrap();
    let view = home.view(&started.key).await;
    assert_eq!((view.status, view.version, view.is_test), (RunStatus::Succeeded, 0, true));
    assert_eq!(output(&view, "end"), [json!({ "n": 3, "done": true })]);
    assert!(home.world.calls().is_empty());
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_take_the_run_along() {
    let home = Home::new().await;
    let draft = StartRequest { draft: Some(one("once", json!({}))), ..request("wf_draft", json!({})) };
    {
        let start = home.engine.start(draft);
        tokio::pin!(start);
        assert!(futures::poll!(start).is_pending());
    }
    home.engine.settle().await;
    let runs = home.runs("wf_draft").await;
    assert_eq!(home.status(&runs[0]).await, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_caller_is_told_of_the_reply_or_of_the_end() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "early", "type": "once" },
        { "id": "answer", "type": "respond" },
        { "id": "late", "type": "idem" },
    ]);
    let edges = ["start > early", "early > answer", "answer > late"];
    let workflow = home.publish(doc("Answers", nodes, &edges)).await;
    home.world.plan("late", [Act::Hold, Act::Hold]);
    let watched = |watch| StartRequest { watch: Some(watch), ..request(&workflow, json!({ "n": 1 })) };
    let reply = home.engine.start(watched(WaitFor::Reply)).await.unwrap();
    assert!(reply.outcome.is_none());
    let told = reply.later.unwrap().await.unwrap();
    assert_eq!((told.status, told.reply.unwrap().status), (RunStatus::Running, 201));
    let over = home.engine.start(watched(WaitFor::Over)).await.unwrap();
    home.world.release("late", 2);
    let told = over.later.unwrap().await.unwrap();
    assert_eq!((told.status, given(&told)), (RunStatus::Succeeded, vec![json!({ "n": 1 })]));
    assert!(told.reply.is_some());
}

#[tokio::test]
async fn a_reply_in_the_first_turn_is_there_at_once() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "answer", "type": "respond" },
        { "id": "late", "type": "idem" },
    ]);
    let workflow = home.publish(doc("Answers", nodes, &["start > answer", "answer > late"])).await;
    home.world.plan("late", [Act::Hold]);
    let watch = StartRequest { watch: Some(WaitFor::Reply), ..request(&workflow, json!({ "n": 1 })) };
    let started = home.engine.start(watch).await.unwrap();
    assert_eq!(started.outcome.unwrap().reply.unwrap().body, json!({ "n": 1 }));
    home.world.release("late", 1);
    home.engine.settle().await;
}

#[tokio::test]
async fn what_leads_nowhere_is_skipped() {
    let home = Home::new().await;
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "split", "type": "shape", "params": { "mode": "split" } },
        { "id": "odd", "type": "idem" },
        { "id": "even", "type": "idem" },
        { "id": "off", "type": "once", "disabled": true },
    ]);
    let edges = ["start > split", "split.a > odd", "split.b > even", "odd > off"];
    let key = home.run(doc("Split", nodes, &edges), json!({ "n": 3 })).await;
    let view = home.view(&key).await;
    assert_eq!(node(&view, "even").status, NodeStatus::Skipped);
    assert_eq!(output(&view, "off"), [json!({ "n": 3 })]);
    assert_eq!(home.world.order(), ["odd"]);
}
