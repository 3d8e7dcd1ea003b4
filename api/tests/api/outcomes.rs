//! Runs that need a person: listed, answered, acknowledged; and signals that are sent once.

use crate::ground::{Ground, chain};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sluice_db::Db;

/// A run of which nobody knows whether its node did what it does.
async fn lost(ground: &Ground, name: &str) -> Value {
    let nodes = [
        ("start", "test.start", json!({})),
        ("lose", "test.lose", json!({})),
        ("after", "test.set", json!({ "value": "{{ json.name }}" })),
    ];
    let id = ground.workflow(chain(name, &nodes)).await;
    let run = ground.post(&format!("/api/workflows/{id}/run"), json!({ "trigger": { "name": "A" } })).await;
    ground.state.engine.settle().await;
    let id = run.json()["id"].clone();
    ground.get(&path_of(&id)).await.expect(200).json()
}

fn path_of(id: &Value) -> String {
    format!("/api/runs/{}", id.as_str().unwrap())
}

async fn listed(ground: &Ground, filter: &str) -> Vec<Value> {
    let list = ground.get(&format!("/api/runs?attention=true{filter}")).await.expect(200).json();
    list["items"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect()
}

async fn what_nobody_knows_is_listed_and_settled_by_a_person(db: Db) {
    let ground = Ground::new(db).await;
    let run = lost(&ground, "Lost").await;
    assert_eq!((&run["status"], &run["attention"]), (&json!("waiting"), &json!("unknown_outcome")));
    let asked = &run["nodes"][1]["outcome"];
    assert_eq!((&asked["is_open"], &asked["waits_for"]), (&json!(true), &json!("person")), "{run:#}");
    assert_eq!(listed(&ground, "").await, [run["id"].clone()]);
    let path = format!("{}/outcome", path_of(&run["id"]));
    let note = "the customer has it";
    for (wrong, status, code) in [
        (json!({ "node": "after", "decision": "done" }), 409, "no_open_outcome"),
        (json!({ "node": "lose", "iteration": 1, "decision": "done" }), 409, "no_open_outcome"),
        (json!({ "node": "lose", "decision": "look" }), 422, "invalid_body"),
        (json!({ "node": "lose", "decision": "retry", "output": [] }), 422, "invalid_value"),
        (json!({ "node": "lose", "decision": "fail", "note": "x".repeat(4_001) }), 422, "invalid_value"),
    ] {
        ground.post(&path, wrong).await.fails(status, code);
    }
    ground
        .call_as(&ground.other_key, "POST", &path, json!({ "node": "lose", "decision": "done" }))
        .await
        .fails(404, "not_found");
    let answer = json!({ "node": "lose", "decision": "done", "output": [{ "name": "B" }], "note": note });
    ground.post(&path, answer.clone()).await.expect(200);
    ground.state.engine.settle().await;
    let run = ground.get(&path_of(&run["id"])).await.json();
    assert_eq!((&run["status"], &run["attention"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(run["nodes"][1]["output"]["main"][0]["json"], json!({ "name": "B" }));
    let told = &run["nodes"][1]["outcome"];
    assert_eq!(
        (&told["settled_by"], &told["decision"], &told["note"]),
        (&json!("person"), &json!("done"), &json!(note))
    );
    assert!(told["who"].as_str().is_some_and(|who| !who.is_empty()), "{told}");
    ground.post(&path, answer).await.fails(409, "no_open_outcome");
    assert!(listed(&ground, "").await.is_empty());
}

async fn a_person_has_it_done_again_or_lets_it_fail(db: Db) {
    let ground = Ground::new(db).await;
    for (decision, status) in [("retry", "succeeded"), ("fail", "failed")] {
        let run = lost(&ground, decision).await;
        let answer = json!({ "node": "lose", "iteration": 0, "decision": decision });
        ground.post(&format!("{}/outcome", path_of(&run["id"])), answer).await.expect(200);
        ground.state.engine.settle().await;
        let run = ground.get(&path_of(&run["id"])).await.json();
        assert_eq!((&run["status"], &run["attention"]), (&json!(status), &Value::Null));
        assert_eq!(run["nodes"][1]["outcome"]["decision"], decision);
    }
}

async fn the_list_goes_together_with_the_other_filters(db: Db) {
    let ground = Ground::new(db).await;
    let (first, second) = (lost(&ground, "One").await, lost(&ground, "Two").await);
    let plain = ground.workflow(chain("Plain", &[("start", "test.start", json!({}))])).await;
    ground.post(&format!("/api/workflows/{plain}/run?wait=30s"), json!({ "trigger": {} })).await.expect(200);
    let ids = [second["id"].clone(), first["id"].clone()];
    assert_eq!(listed(&ground, "").await, ids);
    assert_eq!(listed(&ground, "&status=waiting").await, ids);
    assert!(listed(&ground, "&status=failed").await.is_empty());
    assert!(listed(&ground, "&since=9999999999999").await.is_empty());
    let of_first = format!("&workflow={}", first["workflow_id"].as_str().unwrap());
    assert_eq!(listed(&ground, &of_first).await, [first["id"].clone()]);
    let page = ground.get("/api/runs?attention=true&limit=1").await.json();
    assert_eq!(
        (&page["items"][0]["id"], &page["items"][0]["attention"]),
        (&second["id"], &json!("unknown_outcome"))
    );
    let cursor = format!("&limit=1&cursor={}", page["next"].as_str().unwrap());
    assert_eq!(listed(&ground, &cursor).await, [first["id"].clone()]);
    let all = ground.get("/api/runs?attention=false").await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
    ground.get("/api/runs?attention=perhaps").await.fails(400, "invalid_query");
    let counted = ground.get("/metrics").await.text();
    assert!(!counted.contains("status=\"attention\""), "{counted}");
}

async fn acknowledging_is_for_runs_that_are_over(db: Db) {
    let ground = Ground::new(db).await;
    let run = lost(&ground, "Lost").await;
    let path = format!("{}/acknowledge", path_of(&run["id"]));
    ground.post(&path, Value::Null).await.fails(409, "run_state");
    ground.post("/api/runs/run_none/acknowledge", Value::Null).await.fails(404, "not_found");
    ground.post(&format!("{}/cancel", path_of(&run["id"])), Value::Null).await.expect(200);
    for _ in 0..2 {
        assert_eq!(ground.post(&path, Value::Null).await.expect(200).json()["attention"], Value::Null);
    }
}

async fn a_live_reader_hears_of_it(db: Db) {
    let ground = Ground::new(db).await;
    let mut live = ground.state.engine.live().subscribe();
    let run = lost(&ground, "Lost").await;
    let mut told = Vec::new();
    while let Ok(event) = live.try_recv() {
        told.push(event);
    }
    let attention = told.iter().find(|event| event.event == "run.attention").expect("it is told");
    assert_eq!(
        (json!(attention.run_id), &attention.data["attention"]),
        (run["id"].clone(), &json!("unknown_outcome"))
    );
}

async fn reserved_signals_are_not_sent_by_hand(db: Db) {
    let ground = Ground::new(db).await;
    for key in ["approval:x", "run:run_1", "outcome:run_1%2Fa%2F0", "conversation:con_1"] {
        ground.post(&format!("/api/signals/{key}"), json!({})).await.fails(422, "reserved_signal");
    }
}

async fn a_named_signal_wakes_once(db: Db) {
    let ground = Ground::new(db).await;
    let pause = |id: &'static str| (id, "test.pause", json!({ "key": "k" }));
    let nodes = [("start", "test.start", json!({})), pause("first"), pause("second")];
    let id = ground.workflow(chain("Waits", &nodes)).await;
    let run =
        ground.post(&format!("/api/workflows/{id}/run?wait=30s"), json!({ "trigger": {} })).await.json();
    let send = async |name: &str| {
        let request = Request::builder()
            .method("POST")
            .uri("/api/signals/k")
            .header("authorization", format!("Bearer {}", ground.key))
            .header("content-type", "application/json")
            .header("idempotency-key", name)
            .body(Body::from("7"))
            .unwrap();
        let answer = ground.send(request).await;
        ground.state.engine.settle().await;
        answer
    };
    for _ in 0..3 {
        assert_eq!(send("order-1").await.expect(200).json()["runs"], json!([run["id"]]));
    }
    let view = ground.get(&path_of(&run["id"])).await.json();
    assert_eq!((&view["nodes"][2]["id"], &view["nodes"][2]["status"]), (&json!("second"), &json!("waiting")));
    send("order-2").await.expect(200);
    assert_eq!(ground.get(&path_of(&run["id"])).await.json()["status"], "succeeded");
    assert_eq!(send("order-2").await.expect(200).json()["runs"], json!([run["id"]]));
    send("order-3").await.fails(404, "not_waiting");
    send(&"x".repeat(201)).await.fails(422, "invalid_value");
}

sluice_db::contract_tests! {
    what_nobody_knows_is_listed_and_settled_by_a_person,
    a_person_has_it_done_again_or_lets_it_fail,
    the_list_goes_together_with_the_other_filters,
    acknowledging_is_for_runs_that_are_over,
    a_live_reader_hears_of_it,
    reserved_signals_are_not_sent_by_hand,
    a_named_signal_wakes_once,
}
