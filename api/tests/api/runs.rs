//! Runs: lists, cancel, retry, replay.

use crate::ground::{Ground, chain, greeting};
use serde_json::{Value, json};
use sluice_db::Db;

async fn run(ground: &Ground, document: Value) -> Value {
    let id = ground.workflow(document).await;
    ground
        .post(&format!("/api/workflows/{id}/run?wait=30s"), json!({ "trigger": { "name": "A" } }))
        .await
        .expect(200)
        .json()
}

async fn runs_are_listed_newest_first_and_filtered(db: Db) {
    let ground = Ground::new(db).await;
    let first = run(&ground, greeting()).await;
    let failing = chain("Failing", &[("start", "test.start", json!({})), ("fail", "test.fail", json!({}))]);
    let failed = run(&ground, failing).await;
    assert_eq!(
        (&failed["status"], &failed["error"]["code"], &failed["error"]["node"]),
        (&json!("failed"), &json!("no_luck"), &json!("fail"))
    );
    let ids = |list: Value| -> Vec<Value> {
        list["items"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect()
    };
    assert_eq!(
        ids(ground.get("/api/runs").await.expect(200).json()),
        [failed["id"].clone(), first["id"].clone()]
    );
    assert_eq!(ids(ground.get("/api/runs?status=failed").await.expect(200).json()), [failed["id"].clone()]);
    let of_first =
        format!("/api/runs?workflow={}&since=2026-01-01T00:00:00Z", first["workflow_id"].as_str().unwrap());
    assert_eq!(ids(ground.get(&of_first).await.expect(200).json()), [first["id"].clone()]);
    assert!(ids(ground.get("/api/runs?since=9999999999999").await.expect(200).json()).is_empty());
    let page = ground.get("/api/runs?limit=1").await.expect(200).json();
    let next = page["next"].as_str().unwrap();
    assert_eq!(
        ids(ground.get(&format!("/api/runs?limit=1&cursor={next}")).await.expect(200).json()),
        [first["id"].clone()]
    );
    for odd in ["status=odd", "since=yesterday", "limit=x", "surprise=1", "limit=-1", "workflow=a%00b"] {
        ground.get(&format!("/api/runs?{odd}")).await.fails(400, "invalid_query");
    }
    ground.get("/api/runs/run_none").await.fails(404, "not_found");
}

async fn cancel_and_retry_know_what_is_possible(db: Db) {
    let ground = Ground::new(db).await;
    let waiting = run(
        &ground,
        chain("W", &[("start", "test.start", json!({})), ("pause", "test.pause", json!({ "key": "k" }))]),
    )
    .await;
    let path = format!("/api/runs/{}", waiting["id"].as_str().unwrap());
    ground.post(&format!("{path}/retry"), Value::Null).await.fails(409, "run_state");
    let cancelled = ground.post(&format!("{path}/cancel"), Value::Null).await.expect(200).json();
    assert_eq!(cancelled["status"], "cancelled");
    ground.post(&format!("{path}/cancel"), Value::Null).await.fails(409, "run_state");
    ground.post(&format!("{path}/retry"), Value::Null).await.expect(200);
    ground.state.engine.settle().await;
    assert_eq!(ground.get(&path).await.json()["status"], "waiting");
    for verb in ["cancel", "retry", "replay"] {
        ground.post(&format!("/api/runs/run_none/{verb}"), Value::Null).await.fails(404, "not_found");
    }
}

async fn a_test_run_is_told_what_happened_outside(db: Db) {
    let ground = Ground::new(db).await;
    let waits = |key: &str| {
        chain("W", &[("start", "test.start", json!({})), ("pause", "test.pause", json!({ "key": key }))])
    };
    let waiting = run(&ground, waits("conversation:c1")).await;
    let path = format!("/api/runs/{}/signal", waiting["id"].as_str().unwrap());
    ground.post(&path, json!({ "node": "start" })).await.fails(404, "not_waiting");
    ground.post(&path, json!({ "surprise": 1 })).await.fails(422, "invalid_body");
    ground.post("/api/runs/run_none/signal", json!({})).await.fails(404, "not_found");
    ground.post(&path, json!({ "node": "pause", "payload": { "said": "yes" } })).await.expect(200);
    ground.state.engine.settle().await;
    let run_path = format!("/api/runs/{}", waiting["id"].as_str().unwrap());
    assert_eq!(ground.get(&run_path).await.json()["status"], "succeeded");
    ground.post(&path, json!({})).await.fails(404, "not_waiting");
    let asking =
        run(&ground, chain("A", &[("start", "test.start", json!({})), ("ask", "test.ask", json!({}))])).await;
    let path = format!("/api/runs/{}/signal", asking["id"].as_str().unwrap());
    ground.post(&path, json!({ "payload": { "decision": "approve" } })).await.fails(404, "not_waiting");
    // A real customer's answer comes from a customer.
    let mut real = waits("conversation:c2");
    real["name"] = "Real".into();
    real["nodes"][0] =
        json!({ "id": "start", "type": "test.hook", "params": { "path": "real", "respond": "immediately" } });
    ground.published(real).await;
    ground.post(&format!("/hooks/{}/real", ground.asha.name), json!({})).await;
    ground.state.engine.settle().await;
    let runs = ground.get("/api/runs?status=waiting").await.expect(200).json();
    let real = runs["items"].as_array().unwrap().iter().find(|run| run["is_test"] == false).unwrap();
    let path = format!("/api/runs/{}/signal", real["id"].as_str().unwrap());
    ground.post(&path, json!({})).await.fails(409, "run_state");
}

async fn a_replay_tells_the_difference(db: Db) {
    let ground = Ground::new(db).await;
    let done = run(&ground, greeting()).await;
    let path = format!("/api/runs/{}/replay", done["id"].as_str().unwrap());
    let same = ground.post(&path, Value::Null).await.expect(200).json();
    assert_eq!((&same["is_same"], &same["differences"]), (&json!(true), &json!([])));
    let mut changed = greeting();
    changed["nodes"][1]["params"]["value"] = "bye".into();
    let other = ground.post(&path, json!({ "document": changed })).await.expect(200).json();
    assert_eq!((&other["is_same"], &other["differences"][0]["node"]), (&json!(false), &json!("shape")));
    assert_eq!(ground.post(&path, json!({ "draft": true })).await.expect(200).json()["is_same"], true);
    ground.post(&path, json!({ "draft": true, "version": 1 })).await.fails(422, "invalid_body");
    ground.post(&path, json!({ "version": 4 })).await.fails(404, "not_found");
    ground.post(&path, json!({ "document": {} })).await.fails(422, "invalid_workflow");
}

sluice_db::contract_tests! {
    runs_are_listed_newest_first_and_filtered,
    cancel_and_retry_know_what_is_possible,
    a_replay_tells_the_difference,
    a_test_run_is_told_what_happened_outside,
}
