//! What a node may give: too much or too deep fails the node, not the store; and a run whose data is lost is shown
//! as far as it goes.

use crate::home::{Home, doc, node, request, with};
use serde_json::{Value, json};
use sluice_engine::core::RunStatus;
use sluice_engine::drive::{Engine, EngineConfig, EngineError};
use sluice_engine::store::payloads::{Folder, Payloads};
use sluice_engine::store::{RunKey, Store};
use sluice_engine::view::RunView;
use std::sync::Arc;

/// An engine over the same store whose nodes may give 10,000 bytes.
fn small(home: &Home, store: Store) -> Engine {
    let config = EngineConfig { max_output: 10_000, ..home.engine.config().clone() };
    Engine::new(store, home.engine.registry().clone(), home.engine.services().clone(), config)
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

async fn run(engine: &Engine, workflow: &str, event: Value) -> (RunKey, RunView) {
    let key = engine.start(request(workflow, event)).await.unwrap().key;
    engine.settle().await;
    let view = engine.run_view(&key).await.unwrap().unwrap();
    (key, view)
}

#[tokio::test]
async fn a_node_that_gives_too_much_fails_and_the_run_can_go_on() {
    let home = Home::new().await;
    let engine = small(&home, home.engine.store().clone());
    for (value, code) in [
        (json!({ "text": "x".repeat(12_000) }), "payload_too_large"),
        (json!({ "deep": nested(100) }), "too_deep"),
    ] {
        let nodes = json!([
            { "id": "start", "type": "start" },
            { "id": "big", "type": "set", "params": { "value": value }, "settings": { "on_error": "continue" } },
            { "id": "end", "type": "set", "params": { "value": { "done": true } } },
        ]);
        let workflow = home.publish(doc(code, nodes, &["start > big", "big > end"])).await;
        let (_, view) = run(&engine, &workflow, json!({})).await;
        assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
        assert_eq!(node(&view, "big").error.as_ref().unwrap().code, code);
        assert_eq!(node(&view, "end").output["main"].len(), 1);
    }
}

#[tokio::test]
async fn a_trigger_that_gives_too_much_starts_nothing() {
    let home = Home::new().await;
    let engine = small(&home, home.engine.store().clone());
    let workflow = home.publish(doc("One", json!([{ "id": "start", "type": "start" }]), &[])).await;
    for (event, code) in
        [(json!({ "text": "x".repeat(12_000) }), "payload_too_large"), (nested(101), "too_deep")]
    {
        match engine.start(request(&workflow, event)).await {
            Err(EngineError::Trigger(error)) => assert_eq!(error.code, code),
            other => panic!("{other:?}"),
        }
    }
    assert!(home.runs(&workflow).await.is_empty());
}

#[tokio::test]
async fn many_nodes_in_one_turn_share_its_room() {
    let home = Home::new().await;
    let engine = small(&home, home.engine.store().clone());
    let mut nodes = vec![json!({ "id": "start", "type": "start" })];
    let mut edges = Vec::new();
    for number in 1..8 {
        let value = json!({ "text": "x".repeat(9_000) });
        nodes.push(json!({ "id": format!("n{number}"), "type": "set", "params": { "value": value } }));
        edges.push(if number == 1 {
            "start > n1".to_owned()
        } else {
            format!("n{} > n{number}", number - 1)
        });
    }
    let edges: Vec<&str> = edges.iter().map(String::as_str).collect();
    let workflow = home.publish(with("Many", Value::Array(nodes), &edges, json!({}))).await;
    let (_, view) = run(&engine, &workflow, json!({})).await;
    assert_eq!(view.status, RunStatus::Failed);
    let error = view.error.unwrap();
    assert_eq!((&*error.code, error.node.as_deref()), ("payload_too_large", Some("n5")));
}

#[tokio::test]
async fn a_run_whose_data_is_lost_is_shown_up_to_there() {
    let home = Home::new().await;
    let folder = tempfile::tempdir().unwrap();
    let place = Arc::new(Folder::new(folder.path().join("payloads")));
    let store = Store::new(home.db.clone()).with_payloads(Payloads::new(place, 1_000));
    let engine = small(&home, store);
    // No codec makes it small.
    let digits = (1..400_u64).map(|number| {
        let mixed =
            number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        format!("{mixed:016x}")
    });
    let text: String = digits.collect();
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "hold", "type": "wait", "params": { "signal": "go" } },
        { "id": "big", "type": "set", "params": { "value": { "text": text } } },
    ]);
    let workflow = home.publish(doc("Lost", nodes, &["start > hold", "hold > big"])).await;
    let (key, view) = run(&engine, &workflow, json!({})).await;
    assert_eq!(view.status, RunStatus::Waiting, "{view:#?}");
    engine.signal(crate::home::WS, "go", json!({})).await.unwrap();
    engine.settle().await;
    let whole = engine.run_view(&key).await.unwrap().unwrap();
    assert_eq!((whole.status, &whole.damage), (RunStatus::Succeeded, &None));
    assert_eq!(node(&whole, "big").output["main"][0].json["text"], text);
    std::fs::remove_dir_all(folder.path().join("payloads")).unwrap();
    let rest = engine.run_view(&key).await.unwrap().unwrap();
    assert_eq!(rest.status, RunStatus::Succeeded);
    assert!(rest.damage.as_ref().unwrap().contains(&*key.run_id), "{:?}", rest.damage);
    assert_eq!(node(&rest, "start"), node(&whole, "start"));
    assert!(node(&rest, "big").output.is_empty());
}
