//! The audit trail and the limits from outside: who may see and set what, tables, refusals.

use crate::ground::Ground;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sluice_db::Db;

async fn the_trail_is_listed_filtered_and_verified(db: Db) {
    let ground = Ground::new(db).await;
    let secret = json!({ "name": "crm", "kind": "http_bearer", "secret": { "token": "hush-hush" } });
    let made = ground.post("/api/credentials", secret).await.expect(201).json();
    let path = format!("/api/credentials/{}", made["id"].as_str().unwrap());
    ground.call("PUT", &path, json!({ "name": "=crm" })).await.expect(200);
    ground.call("DELETE", &path, Value::Null).await.expect(204);

    let trail = ground.get("/api/audit?action=credential").await.expect(200).json();
    let actions: Vec<_> =
        trail["items"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["credential.deleted", "credential.updated", "credential.created"]);
    let updated = &trail["items"][1];
    assert_eq!(updated["actor"]["kind"], "key");
    assert_eq!(updated["actor"]["name"], "test");
    assert!(updated["actor"]["request_id"].as_str().is_some_and(|id| id.starts_with("req_")));
    assert_eq!(updated["target"]["id"], made["id"]);
    assert_eq!((&updated["before"], &updated["after"]), (&json!({"name": "crm"}), &json!({"name": "=crm"})));
    assert!(!trail.to_string().contains("hush"));
    let first = ground.get("/api/audit?limit=1").await.expect(200).json();
    let next = first["next"].as_str().unwrap();
    let second = ground.get(&format!("/api/audit?limit=1&cursor={next}")).await.expect(200).json();
    assert_ne!(first["items"][0]["id"], second["items"][0]["id"]);
    ground.get("/api/audit?cursor=nonsense").await.fails(400, "invalid_cursor");
    ground.get("/api/audit?colour=red").await.fails(400, "invalid_query");

    let found = ground.get("/api/audit/verify").await.expect(200).json();
    assert_eq!(
        (&found["is_whole"], &found["chains"], &found["faults"]),
        (&json!(true), &json!(1), &json!([]))
    );
    assert_eq!(found["head"].as_str().unwrap().len(), 64);
}

async fn everybody_sees_their_own_trail_only(db: Db) {
    let ground = Ground::new(db).await;
    ground.post("/api/credentials", json!({ "name": "a", "kind": "x", "secret": {} })).await.expect(201);
    let others = ground.call_as(&ground.other_key, "GET", "/api/audit", Value::Null).await.expect(200).json();
    assert!(!others.to_string().contains("credential"));
    for path in ["/api/platform/audit", "/api/platform/audit.csv", "/api/platform/audit/verify"] {
        ground.get(path).await.fails(403, "forbidden");
    }
    let platform =
        async |path: &str| ground.call_as(&ground.platform_key, "GET", path, Value::Null).await.expect(200);
    let own = platform("/api/platform/audit?action=workspace.created").await.json();
    assert_eq!(own["items"].as_array().unwrap().len(), 2);
    assert!(!platform("/api/platform/audit").await.text().contains("credential.created"));
    assert!(platform("/api/audit").await.text().contains("credential.created"), "all chains");
    assert!(platform("/api/platform/audit.csv").await.text().contains("workspace.created"));
    assert_eq!(platform("/api/platform/audit/verify").await.json()["is_whole"], true);
    let all = platform("/api/audit/verify").await.json();
    assert_eq!((&all["is_whole"], &all["head"]), (&json!(true), &Value::Null));
    assert!(all["chains"].as_i64().unwrap() >= 3);
}

async fn a_table_is_complete_and_computes_nothing(db: Db) {
    let ground = Ground::new(db).await;
    for number in 0..3 {
        let body = json!({ "name": format!("=cmd|{number}"), "kind": "x", "secret": {} });
        ground.post("/api/credentials", body).await.expect(201);
    }
    let answer = ground.get("/api/audit.csv?action=credential.created").await.expect(200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert!(answer.header("content-disposition").contains("audit.csv"));
    let text = answer.text();
    let lines: Vec<_> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].starts_with("chain,seq,at,actor_kind"));
    assert!(lines[1].contains("\"'=cmd|2\"") && !text.contains(",=cmd"), "{text}");
    // As browsers ask for it.
    let packed = Request::get("/api/audit.csv")
        .header("accept-encoding", "gzip")
        .header("authorization", format!("Bearer {}", ground.key));
    let packed = ground.send(packed.body(Body::empty()).unwrap()).await.expect(200);
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert_eq!(packed.bytes.get(..2), Some(&[0x1f, 0x8b][..]));
    ground.get("/api/audit.csv?limit=3").await.fails(400, "invalid_query");
}

async fn one_too_many_is_refused_with_everything_a_client_needs(db: Db) {
    let ground = Ground::new(db).await;
    let free = ground.get("/api/runs").await.expect(200);
    assert_eq!(free.header("ratelimit-limit"), "", "no limit, no headers");
    let limit = json!({ "level": "key", "route": "GET /api/runs", "window_limit": 2, "window_seconds": 600 });
    let made = ground.call("PUT", "/api/limits", limit).await.expect(200).json();
    assert_eq!((&made["subject"], &made["daily_limit"]), (&Value::Null, &Value::Null));
    for left in ["1", "0"] {
        let answer = ground.get("/api/runs").await.expect(200);
        assert_eq!(answer.header("ratelimit-limit"), "2");
        assert_eq!(answer.header("ratelimit-remaining"), left);
        assert_eq!(answer.header("ratelimit-policy"), "2;w=600");
    }
    let answer = ground.get("/api/runs").await;
    let wait: i64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=660).contains(&wait), "{wait}");
    assert_eq!(answer.header("ratelimit-remaining"), "0");
    assert_eq!(answer.header("ratelimit-reset"), answer.header("retry-after"));
    let error = answer.fails(429, "rate_limited");
    let details =
        json!({ "limit": 2, "window_seconds": 600, "limit_type": "window", "retry_after_seconds": wait });
    assert_eq!(error["details"], details);
    ground.get("/api/contacts").await.expect(200);
    ground.call_as(&ground.other_key, "GET", "/api/runs", Value::Null).await.expect(200);
    let path = format!("/api/limits/{}", made["id"].as_str().unwrap());
    ground.call_as(&ground.other_key, "DELETE", &path, Value::Null).await.fails(404, "not_found");
    ground.call("DELETE", &path, Value::Null).await.expect(204);
    ground.get("/api/runs").await.expect(200);
    ground.get("/api/audit?action=limit.deleted").await.expect(200);
}

async fn a_workspace_cannot_loosen_what_the_platform_sets(db: Db) {
    let ground = Ground::new(db).await;
    let platform = async |method: &str, path: &str, body: Value| {
        ground.call_as(&ground.platform_key, method, path, body).await
    };
    let limits = platform("GET", "/api/platform/limits", Value::Null).await.expect(200).json();
    let guessing = limits["items"].as_array().unwrap();
    assert_eq!(guessing.len(), 8, "those against guessing");
    for limit in guessing {
        let mut again = limit.clone();
        for made in ["id", "created_at", "updated_at"] {
            again.as_object_mut().unwrap().remove(made);
        }
        platform("PUT", "/api/platform/limits", again).await.expect(200);
    }
    let strict = json!({ "level": "workspace", "route": "read", "daily_limit": 3 });
    platform("PUT", "/api/platform/limits", strict).await.expect(200);
    let loose = json!({ "level": "key", "window_limit": 1_000_000, "window_seconds": 1 });
    ground.call("PUT", "/api/limits", loose).await.expect(200);
    for _ in 0..3 {
        ground.get("/api/runs").await.expect(200);
    }
    let error = ground.get("/api/contacts").await.fails(429, "rate_limited");
    assert_eq!((&error["details"]["limit"], &error["details"]["limit_type"]), (&json!(3), &json!("daily")));
    ground
        .call("PUT", "/api/platform/limits", json!({ "level": "global", "daily_limit": 1 }))
        .await
        .fails(403, "forbidden");
    for (path, bad) in [
        ("/route", json!({ "level": "key", "route": "GET /api/nothing", "daily_limit": 1 })),
        ("/route", json!({ "level": "key", "route": "sign_in.account", "daily_limit": 1 })),
    ] {
        let error = ground.call("PUT", "/api/limits", bad).await.fails(422, "invalid_value");
        assert_eq!(error["details"]["path"], path);
    }
    ground.call("PUT", "/api/limits", json!({ "level": "key" })).await.fails(422, "invalid_value");
    ground
        .call("PUT", "/api/limits", json!({ "level": "king", "daily_limit": 1 }))
        .await
        .fails(422, "invalid_body");
    let guess =
        json!({ "level": "global", "route": "sign_in.account", "window_limit": 3, "window_seconds": 60 });
    platform("PUT", "/api/platform/limits", guess).await.expect(200);
    let limits = platform("GET", "/api/platform/limits", Value::Null).await.expect(200).json();
    assert_eq!(limits["items"].as_array().unwrap().len(), 9, "the one for sign-in was replaced");
}

sluice_db::contract_tests! {
    the_trail_is_listed_filtered_and_verified,
    everybody_sees_their_own_trail_only,
    a_table_is_complete_and_computes_nothing,
    one_too_many_is_refused_with_everything_a_client_needs,
    a_workspace_cannot_loosen_what_the_platform_sets,
}
