//! Drafts and versions: what is published runs, what runs is pinned.

use crate::home::{Home, WS, doc, one, output, with};
use serde_json::{Value, json};
use sluice_engine::core::RunStatus;
use sluice_engine::document::Document;
use sluice_engine::drive::{EngineError, OutsideEvent, StartRequest};

fn answering(value: &str) -> Document {
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "wait", "type": "wait", "params": { "signal": "go" } },
        { "id": "end", "type": "set", "params": { "value": { "v": value } } },
    ]);
    doc("Versions", nodes, &["start > wait", "wait > end"])
}

async fn save(home: &Home, workflow: &str, document: Document) {
    let row = home.engine.store().workflow(WS, workflow).await.unwrap().unwrap();
    home.engine.save_draft(WS, workflow, row.revision, document).await.unwrap();
}

async fn ends_with(home: &Home, key: &sluice_engine::store::RunKey) -> Value {
    output(&home.view(key).await, "end")[0]["v"].clone()
}

#[tokio::test]
async fn a_run_keeps_its_version_whatever_is_published_meanwhile() {
    let mut home = Home::new().await;
    let workflow = home.publish(answering("one")).await;
    let old = home.start(&workflow, json!({})).await;
    save(&home, &workflow, answering("two")).await;
    let draft_only = home.start(&workflow, json!({})).await;
    home.engine.publish(WS, &workflow, None).await.unwrap();
    let new = home.start(&workflow, json!({})).await;
    let asked = StartRequest { version: Some(1), ..crate::home::request(&workflow, json!({})) };
    let asked = home.engine.start(asked).await.unwrap().key;
    home.engine.settle().await;
    home.restart();
    assert_eq!(home.engine.signal(WS, "go", json!(1)).await.unwrap().len(), 4);
    home.engine.settle().await;
    for (key, expected) in [(&old, "one"), (&draft_only, "one"), (&new, "two"), (&asked, "one")] {
        assert_eq!(ends_with(&home, key).await, expected);
    }
    assert_eq!(home.view(&new).await.version, 2);
}

#[tokio::test]
async fn unpublishing_stops_new_runs_and_lets_old_ones_go_on() {
    let home = Home::new().await;
    let workflow = home.publish(answering("one")).await;
    let key = home.start(&workflow, json!({})).await;
    home.engine.settle().await;
    home.engine.store().unpublish(WS, &workflow).await.unwrap();
    let refused = home.try_start(&workflow, json!({})).await.unwrap_err();
    assert!(matches!(refused, EngineError::NotPublished(_)), "{refused}");
    home.engine.signal(WS, "go", json!(1)).await.unwrap();
    home.engine.settle().await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
    home.engine.publish(WS, &workflow, None).await.unwrap();
    home.start(&workflow, json!({})).await;
}

#[tokio::test]
async fn an_old_version_becomes_the_draft_again_and_a_new_version_when_published() {
    let home = Home::new().await;
    let workflow = home.publish(answering("one")).await;
    save(&home, &workflow, answering("two")).await;
    home.engine.publish(WS, &workflow, None).await.unwrap();
    let first = home.engine.store().version(WS, &workflow, 1).await.unwrap().unwrap();
    save(&home, &workflow, serde_json::from_str(&first.document).unwrap()).await;
    let (version, _) = home.engine.publish(WS, &workflow, None).await.unwrap();
    assert_eq!(version, 3);
    let third = home.engine.store().version(WS, &workflow, 3).await.unwrap().unwrap();
    assert_eq!(third.document, first.document);
}

#[tokio::test]
async fn a_draft_with_problems_is_kept_but_not_published() {
    let home = Home::new().await;
    let mut broken = one("set", json!({}));
    broken.nodes[1].params.insert("value".to_owned(), json!("{{ 1 + }}"));
    broken.nodes[2].node_type = "t.unknown".to_owned();
    let row = home.engine.create_workflow(WS, broken).await.unwrap();
    let refused = home.engine.publish(WS, &row.id, None).await.unwrap_err();
    assert!(matches!(&refused, EngineError::Problems(problems) if !problems.is_empty()), "{refused}");
    let stale = home.engine.save_draft(WS, &row.id, 7, one("set", json!({}))).await.unwrap_err();
    assert!(matches!(stale, EngineError::Store(_)), "{stale}");
    save(&home, &row.id, one("shape", json!({}))).await;
    home.engine.publish(WS, &row.id, None).await.unwrap();
    home.start(&row.id, json!({})).await;
}

#[tokio::test]
async fn published_triggers_change_with_the_version() {
    let home = Home::new().await;
    let reacting = |event: &str| {
        let nodes = json!([{ "id": "in", "type": "event", "params": { "event": event } }]);
        with("Reacts", nodes, &[], json!({}))
    };
    let workflow = home.publish(reacting("old")).await;
    let started = async |topic: &str| {
        let event = OutsideEvent {
            workspace_id: WS.to_owned(),
            topic: topic.to_owned(),
            data: json!({}),
            ..OutsideEvent::default()
        };
        home.engine.dispatch(event, None).await.unwrap().started.len()
    };
    assert_eq!((started("old").await, started("new").await), (1, 0));
    save(&home, &workflow, reacting("new")).await;
    assert_eq!((started("old").await, started("new").await), (1, 0));
    home.engine.publish(WS, &workflow, None).await.unwrap();
    assert_eq!((started("old").await, started("new").await), (0, 1));
    home.engine.store().unpublish(WS, &workflow).await.unwrap();
    assert_eq!((started("old").await, started("new").await), (0, 0));
}
