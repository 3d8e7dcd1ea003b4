//! Bad input: every refusal has its code and the envelope.

use crate::ground::{Answer, Ground};
use axum::body::Body;
use axum::http::Request;
use sluice_db::Db;

async fn raw(ground: &Ground, kind: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post("/api/workflows").header("authorization", format!("Bearer {}", ground.key));
    let request = if kind.is_empty() { request } else { request.header("content-type", kind) };
    ground.send(request.body(body.into()).unwrap()).await
}

async fn bad_bodies_get_a_clear_error(db: Db) {
    let ground = Ground::with(db, |config| config.limits.body = 100_000).await;
    let json = "application/json";
    let fault = raw(&ground, json, "{\n \"a\": 1,\n}").await.fails(400, "invalid_json");
    assert_eq!((&fault["details"]["line"], &fault["details"]["column"]), (&3.into(), &1.into()));
    let fault = raw(&ground, json, vec![b'"', 0xc3, 0x28, b'"']).await.fails(400, "invalid_json");
    assert_eq!(fault["details"]["offset"], 1);
    raw(&ground, json, "").await.fails(400, "invalid_json");
    raw(&ground, json, "{\"a\":".repeat(90)).await.fails(400, "invalid_json");
    raw(&ground, json, "[".repeat(99_999)).await.fails(400, "invalid_json");
    raw(&ground, json, " ".repeat(100_001)).await.fails(413, "body_too_large");
    raw(&ground, "text/plain", "{}").await.fails(415, "unsupported_media_type");
    raw(&ground, "application/x-www-form-urlencoded", "{}").await.fails(415, "unsupported_media_type");
    raw(&ground, "", "{}").await.fails(422, "invalid_workflow");
    raw(&ground, "application/json; charset=utf-8", "{}").await.fails(422, "invalid_workflow");
}

async fn addresses_and_methods_that_do_not_exist(db: Db) {
    let ground = Ground::new(db).await;
    for path in ["/", "/api", "/api/none", "/nothing/here", "/hooks", "/hooks/asha-foods", "/approvals"] {
        ground.get(path).await.fails(404, "no_such_route");
    }
    let answer = ground.call("PATCH", "/api/workflows", serde_json::Value::Null).await;
    assert!(
        answer.header("allow").contains("GET") && answer.header("allow").contains("POST"),
        "{:?}",
        answer.headers
    );
    answer.fails(405, "method_not_allowed");
    ground.get("/api/workflows/a%00b").await.fails(400, "invalid_path");
    ground.get("/api/workflows/%ff").await.fails(400, "invalid_path");
}

async fn request_ids_go_in_and_out(db: Db) {
    let ground = Ground::new(db).await;
    let call = async |id: &str| {
        let request = Request::get("/api/runs").header("x-request-id", id);
        ground.send(request.body(Body::empty()).unwrap()).await
    };
    let answer = call("my-id.1").await;
    assert_eq!(answer.header("x-request-id"), "my-id.1");
    assert_eq!(answer.fails(401, "unauthenticated")["request_id"], "my-id.1");
    for odd in ["", "a b", "<script>", &"x".repeat(200)] {
        assert!(call(odd).await.header("x-request-id").starts_with("req_"), "{odd}");
    }
    let fine = ground.get("/api/runs").await.expect(200);
    assert_eq!((fine.header("x-content-type-options"), fine.header("x-frame-options")), ("nosniff", "DENY"));
    assert_eq!((fine.header("cache-control"), fine.header("access-control-allow-origin")), ("no-store", ""));
}

sluice_db::contract_tests! {
    bad_bodies_get_a_clear_error,
    addresses_and_methods_that_do_not_exist,
    request_ids_go_in_and_out,
}
