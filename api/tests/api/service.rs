//! The service itself.

use crate::ground::{Ground, greeting};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sluice_db::Db;

async fn anybody_may_ask_how_it_is(db: Db) {
    let ground = Ground::new(db.clone()).await;
    let get = async |path: &str| ground.send(Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(get("/healthz").await.expect(200).json()["status"], "ok");
    assert_eq!(get("/readyz").await.expect(200).json()["status"], "ok");
    let document = get("/api/openapi.json").await.expect(200).json();
    assert!(document["paths"]["/api/workflows"]["post"].is_object());
    let id = ground.workflow(greeting()).await;
    ground.post(&format!("/api/workflows/{id}/run?wait=30s"), Value::Null).await.expect(200);
    ground.get("/api/none").await.expect(404);
    let counted = get("/metrics").await.expect(200);
    assert!(counted.header("content-type").starts_with("text/plain"));
    for part in [
        "sluice_http_requests_total{method=\"POST\",route=\"/api/workflows\",status=\"201\"}",
        "route=\"unmatched\"",
        "sluice_http_request_seconds_bucket",
        "sluice_runs_active{status=\"queued\"}",
        "sluice_inbound_in_hand",
    ] {
        assert!(counted.text().contains(part), "{part}\n{}", counted.text());
    }
    ground.state.stopping.cancel();
    get("/readyz").await.fails(503, "shutting_down");
}

async fn a_database_that_is_gone_is_told_without_its_cause(db: Db) {
    let ground = Ground::new(db.clone()).await;
    db.close().await;
    let get = async |path: &str| ground.send(Request::get(path).body(Body::empty()).unwrap()).await;
    get("/healthz").await.expect(200);
    get("/readyz").await.fails(503, "not_ready");
    let fault = ground.get("/api/runs").await.fails(503, "database_unavailable");
    assert_eq!(fault["details"], json!(null));
    assert!(!fault["message"].as_str().unwrap().to_lowercase().contains("sql"));
}

sluice_db::contract_tests! { anybody_may_ask_how_it_is, a_database_that_is_gone_is_told_without_its_cause }
