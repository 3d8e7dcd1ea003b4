//! Webhooks of published workflows.

use crate::ground::{Answer, Ground, base64, chain};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sluice_db::Db;
use std::time::Duration;

/// A workflow that answers with the whole event.
fn echo(path: &str, more: Value) -> Value {
    let mut params = json!({ "path": path, "respond": "last_node" });
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let shape = ("shape", "test.set", json!({ "value": "{{ json }}" }));
    chain(&format!("Echo {path}"), &[("hook", "test.hook", params), shape])
}

async fn call(
    ground: &Ground,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(format!("/hooks/asha-foods/{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    ground.send(request.body(body.into()).unwrap()).await
}

async fn a_request_becomes_an_event(db: Db) {
    let ground = Ground::new(db).await;
    ground.published(echo("shop/orders", json!({}))).await;
    let headers = [
        ("content-type", "application/json"),
        ("X-Shop", "a"),
        ("x-shop", "b"),
        ("cookie", "c=1"),
        ("authorization", "Bearer x"),
    ];
    let event =
        call(&ground, "POST", "shop/orders?a=1&a=2&b=%20x", &headers, r#"{"id":7}"#).await.expect(200).json();
    assert_eq!(
        (&event["method"], &event["path"], &event["body"]),
        (&json!("POST"), &json!("shop/orders"), &json!({ "id": 7 }))
    );
    assert_eq!(event["query"], json!({ "a": ["1", "2"], "b": " x" }));
    assert_eq!(event["headers"], json!({ "content-type": "application/json", "x-shop": "a, b" }));
    let form = "application/x-www-form-urlencoded";
    let bodies: [(&str, Vec<u8>, Value); 8] = [
        (form, b"a=1&b=x%26y&a=2".to_vec(), json!({ "a": ["1", "2"], "b": "x&y" })),
        (form, br#"{"typed":"as a form"}"#.to_vec(), json!({ "typed": "as a form" })),
        ("text/plain", b"hello".to_vec(), json!("hello")),
        ("text/plain", br#"{"stays":"text"}"#.to_vec(), json!(r#"{"stays":"text"}"#)),
        ("application/octet-stream", vec![0xff, 0x00, 0x01], json!("/wAB")),
        ("application/vnd.shop+json; charset=utf-8", b"[1]".to_vec(), json!([1])),
        ("text/plain", Vec::new(), Value::Null),
        ("application/json", Vec::new(), Value::Null),
    ];
    for (kind, body, wanted) in bodies {
        let event =
            call(&ground, "PUT", "shop/orders", &[("content-type", kind)], body).await.expect(200).json();
        assert_eq!(event["body"], wanted, "{kind}");
        assert_eq!(event.get("body_encoding").is_some(), kind == "application/octet-stream", "{kind}");
    }
    let parts = "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\ncontent-disposition: form-data; name=\"f\"; filename=\"n.txt\"\r\ncontent-type: text/plain\r\n\r\nhi\r\n--x--\r\n";
    let event =
        call(&ground, "POST", "shop/orders", &[("content-type", "multipart/form-data; boundary=x")], parts)
            .await
            .expect(200)
            .json();
    assert_eq!(event["body"]["a"], "1");
    assert_eq!(
        event["body"]["f"],
        json!({ "filename": "n.txt", "content_type": "text/plain", "size": 2, "base64": base64("hi") })
    );
    assert_eq!(
        call(&ground, "GET", "shop/orders/", &[], Body::empty()).await.expect(200).json()["method"],
        "GET"
    );
}

async fn bad_requests_start_nothing(db: Db) {
    let ground = Ground::new(db).await;
    ground.published(echo("in", json!({ "method": "POST" }))).await;
    let kind = [("content-type", "application/json")];
    let fault = call(&ground, "POST", "in", &kind, "{\n  \"a\": }").await.fails(400, "invalid_json");
    assert_eq!(fault["details"], json!({ "line": 2, "column": 8 }));
    call(&ground, "POST", "in", &kind, vec![b'"', 0xff, b'"']).await.fails(400, "invalid_json");
    call(&ground, "POST", "in", &kind, "[".repeat(100_000)).await.fails(400, "invalid_json");
    call(&ground, "POST", "in", &kind, "x".repeat(1024 * 1024 + 1)).await.fails(413, "body_too_large");
    let answer = call(&ground, "GET", "in", &[], Body::empty()).await;
    assert_eq!(answer.header("allow"), "POST");
    answer.fails(405, "method_not_allowed");
    call(&ground, "POST", "in?decline=1", &kind, "{}").await.fails(422, "trigger_declined");
    call(&ground, "POST", "out", &kind, "{}").await.fails(404, "no_such_hook");
    let request = Request::post("/hooks/nobody/in").body(Body::empty()).unwrap();
    ground.send(request).await.fails(404, "no_such_hook");
    assert_eq!(ground.get("/api/runs").await.json()["items"], json!([]));
}

async fn callers_present_the_credential_that_is_asked_for(db: Db) {
    let ground = Ground::new(db).await;
    let credentials = [
        ("bearer", "http_bearer", json!({ "token": "t0ken" }), "authorization", "Bearer t0ken".to_owned()),
        (
            "basic",
            "http_basic",
            json!({ "username": "u", "password": "p" }),
            "authorization",
            format!("Basic {}", base64("u:p")),
        ),
        ("header", "http_header", json!({ "name": "X-Api-Key", "value": "k" }), "x-api-key", "k".to_owned()),
    ];
    for (name, kind, secret, header, value) in credentials {
        ground
            .post("/api/credentials", json!({ "name": name, "kind": kind, "secret": secret }))
            .await
            .expect(201);
        ground.published(echo(name, json!({ "credential": name }))).await;
        let answer = call(&ground, "POST", name, &[], Body::empty()).await;
        assert!(!answer.header("www-authenticate").is_empty());
        answer.fails(401, "hook_unauthorized");
        call(&ground, "POST", name, &[(header, "wrong")], Body::empty())
            .await
            .fails(401, "hook_unauthorized");
        let event = call(&ground, "POST", name, &[(header, &value)], Body::empty()).await.expect(200).json();
        assert_eq!(event["headers"], json!({}), "what opens the door is not kept");
        ground.call("DELETE", &format!("/api/credentials/{name}"), Value::Null).await.expect(204);
        call(&ground, "POST", name, &[(header, &value)], Body::empty()).await.fails(401, "hook_unauthorized");
    }
}

async fn answers_come_as_the_trigger_says(db: Db) {
    let ground = Ground::new(db).await;
    let hook = |path: &str, respond: &str| ("hook", "test.hook", json!({ "path": path, "respond": respond }));
    let set = |value: Value, times: u64| ("shape", "test.set", json!({ "value": value, "times": times }));
    for (path, times, wanted) in
        [("one", 1, json!({ "a": 1 })), ("two", 2, json!([{ "a": 1 }, { "a": 1 }])), ("none", 0, json!([]))]
    {
        ground.published(chain(path, &[hook(path, "last_node"), set(json!({ "a": 1 }), times)])).await;
        assert_eq!(call(&ground, "POST", path, &[], "").await.expect(200).json(), wanted);
    }
    ground
        .published(chain(
            "now",
            &[hook("now", "immediately"), ("pause", "test.pause", json!({ "key": "k" }))],
        ))
        .await;
    let answer = call(&ground, "POST", "now", &[], "").await.expect(200);
    assert!(answer.header("content-security-policy").starts_with("sandbox"));
    let run = answer.json()["run_id"].as_str().unwrap().to_owned();
    ground.get(&format!("/api/runs/{run}")).await.expect(200);
    ground.published(chain("bad", &[hook("bad", "last_node"), ("fail", "test.fail", json!({}))])).await;
    let answer = call(&ground, "POST", "bad", &[], "").await;
    assert!(!answer.text().contains("inner reason"));
    let fault = answer.fails(500, "run_failed");
    assert_eq!(fault["details"]["error"]["code"], "no_luck");
    let run = fault["details"]["run_id"].as_str().unwrap();
    assert_eq!(ground.get(&format!("/api/runs/{run}")).await.expect(200).json()["status"], "failed");
}

async fn a_node_answers_and_the_server_keeps_its_own_headers(db: Db) {
    let ground = Ground::new(db).await;
    let reply = json!({
        "status": 201, "body": "<h1>hi</h1>",
        "headers": {
            "content-type": "text/html", "x-mine": "1", "set-cookie": "session=stolen", "content-length": "99",
            "content-security-policy": "default-src *", "transfer-encoding": "chunked", "bad name": "x", "x-bad": "a\r\nb: c",
        },
    });
    let nodes = [
        ("hook", "test.hook", json!({ "path": "page", "respond": "respond_node" })),
        ("answer", "test.answer", json!({ "reply": reply })),
        ("pause", "test.pause", json!({ "key": "later" })),
    ];
    ground.published(chain("Page", &nodes)).await;
    let answer = call(&ground, "GET", "page", &[], "").await.expect(201);
    assert_eq!(
        (answer.text().as_str(), answer.header("content-type"), answer.header("x-mine")),
        ("<h1>hi</h1>", "text/html", "1")
    );
    assert!(answer.header("content-security-policy").starts_with("sandbox"));
    for refused in ["set-cookie", "transfer-encoding", "x-bad", "b"] {
        assert_eq!(answer.header(refused), "", "{refused}");
    }
    assert_eq!(ground.get("/api/runs").await.json()["items"][0]["status"], "waiting", "the run goes on");
    for (path, reply, text, kind) in [
        ("json", json!({ "status": 200, "body": { "a": [1] } }), r#"{"a":[1]}"#, "application/json"),
        ("text", json!({ "status": 200, "body": "x" }), "\"x\"", "application/json"),
        ("empty", json!({ "status": 204, "body": null }), "", ""),
    ] {
        let nodes = [
            ("hook", "test.hook", json!({ "path": path, "respond": "respond_node" })),
            ("answer", "test.answer", json!({ "reply": reply })),
        ];
        ground.published(chain(path, &nodes)).await;
        let answer = call(&ground, "GET", path, &[], "").await;
        assert_eq!((answer.text().as_str(), answer.header("content-type")), (text, kind), "{path}");
    }
}

async fn a_caller_does_not_wait_for_ever(db: Db) {
    let ground = Ground::with(db, |config| config.limits.hook_wait = Duration::from_millis(1)).await;
    let nodes = [
        ("hook", "test.hook", json!({ "path": "slow", "respond": "last_node" })),
        ("pause", "test.pause", json!({ "key": "k" })),
    ];
    ground.published(chain("Slow", &nodes)).await;
    let run = call(&ground, "POST", "slow", &[], "").await.expect(202).json()["run_id"]
        .as_str()
        .unwrap()
        .to_owned();
    ground.state.engine.settle().await;
    assert_eq!(ground.get(&format!("/api/runs/{run}")).await.expect(200).json()["status"], "waiting");
}

sluice_db::contract_tests! {
    a_request_becomes_an_event,
    bad_requests_start_nothing,
    callers_present_the_credential_that_is_asked_for,
    answers_come_as_the_trigger_says,
    a_node_answers_and_the_server_keeps_its_own_headers,
    a_caller_does_not_wait_for_ever,
}
