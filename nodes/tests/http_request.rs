//! `http.request` against real servers on loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail loudly")]

use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use proptest::prelude::*;
use serde_json::{Value, json};
use sluice_node_sdk::egress::EgressPolicy;
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::item::{FileRef, Input, Item};
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::outcome::Outcome;
use sluice_node_sdk::spec::Effect;
use sluice_node_sdk::testkit::{Bench, FixedParams};
use sluice_node_sdk::transport::ReqwestTransport;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn node() -> Arc<dyn DynNode> {
    sluice_nodes::http::http_nodes().remove(0)
}

/// Answers with what it was asked.
async fn echo(request: Request) -> Json<Value> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let headers: BTreeMap<String, String> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Json(json!({
        "method": parts.method.as_str(), "uri": parts.uri.to_string(), "headers": headers,
        "body": String::from_utf8_lossy(&body),
    }))
}

/// The OAuth side: how many tokens were given out; the newest is the valid one.
#[derive(Clone, Default)]
struct Issuer(Arc<AtomicUsize>);

async fn token(State(issuer): State<Issuer>, request: Request) -> Response {
    let basic = request.headers().get("authorization").cloned();
    if basic.is_none_or(|value| value != "Basic aWQ6cy5lY3JldA==") {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" }))).into_response();
    }
    let n = issuer.0.fetch_add(1, Ordering::SeqCst) + 1;
    Json(json!({ "access_token": format!("token-{n}"), "expires_in": 3600 })).into_response()
}

async fn protected(State(issuer): State<Issuer>, request: Request) -> Response {
    let wanted = format!("Bearer token-{}", issuer.0.load(Ordering::SeqCst));
    let given = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    if given.as_deref() == Some(wanted.as_str()) {
        return "in".into_response();
    }
    (StatusCode::UNAUTHORIZED, format!("you sent {}", given.unwrap_or_default())).into_response()
}

/// Five numbers, two a page, however they are asked for.
async fn list(Query(query): Query<BTreeMap<String, String>>, request: Request) -> Response {
    let number = |name: &str| query.get(name).map(|text| text.parse::<usize>().unwrap());
    let skip =
        number("page").map(|page| (page - 1) * 2).or(number("offset")).or(number("after")).unwrap_or(0);
    let numbers: Vec<usize> = (1..=5).skip(skip).take(2).collect();
    let next = (skip + 2 < 5).then_some(skip + 2);
    let path = request.uri().path().to_owned();
    let link = next.map(|next| format!("{path}?after={next}"));
    let link_header = link.as_ref().map(|link| format!("<{link}>; rel=\"next\"")).unwrap_or_default();
    let body = json!({ "data": numbers, "next": next, "links": { "next": link } });
    ([("link", link_header)], Json(body)).into_response()
}

async fn broken(request: Request) -> Response {
    let status: u16 = request.uri().path().rsplit('/').next().unwrap().parse().unwrap();
    let key =
        request.headers().get("x-key").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let body = Json(json!({ "message": format!("no, {key}") }));
    (StatusCode::from_u16(status).unwrap(), [(header::RETRY_AFTER, "7")], body).into_response()
}

async fn server() -> (String, Issuer) {
    let issuer = Issuer::default();
    let router = Router::new()
        .route("/token", post(token))
        .route("/protected", get(protected))
        .with_state(issuer.clone())
        .route("/list", get(list))
        .route("/status/{code}", any(broken))
        .route("/png", get(|| async { ([("content-type", "image/png")], &b"\x89PNG"[..]) }))
        .route("/away", get(|| async { (StatusCode::FOUND, [("location", "/echo")]) }))
        .fallback(echo);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (base, issuer)
}

/// A bench with credentials of every kind.
fn bench(base: &str) -> Bench {
    Bench::new(node())
        .credential("bearer", "http_bearer", json!({ "token": "bearer-secret" }))
        .credential("basic", "http_basic", json!({ "username": "u", "password": "pässword" }))
        .credential("header", "http_header", json!({ "name": "X-Key", "value": "header-secret" }))
        .credential(
            "oauth",
            "oauth2_client",
            json!({ "token_url": format!("{base}/token"), "client_id": "id", "client_secret": "s.ecret" }),
        )
        .credential(
            "wrong",
            "oauth2_client",
            json!({ "token_url": format!("{base}/token"), "client_id": "id", "client_secret": "wrong-secret" }),
        )
        .credential("other", "whatsapp", json!({}))
}

async fn run_with(
    node: &Arc<dyn DynNode>,
    bench: &Bench,
    params: Value,
    items: Vec<Item>,
) -> Result<Vec<Item>, NodeError> {
    let mut ctx = bench.context(Arc::new(FixedParams(params)));
    let policy = EgressPolicy::parse("127.0.0.1").unwrap();
    Arc::make_mut(&mut ctx.services).http = Arc::new(ReqwestTransport::new(policy).unwrap());
    match node.run(&ctx, Input::main(items)).await? {
        Outcome::Done(mut output) => Ok(output.ports.remove(0).1),
        other => panic!("expected items, got {other:?}"),
    }
}

async fn call(base: &str, params: Value) -> Result<Value, NodeError> {
    let items = vec![Item::new(json!({}))];
    run_with(&node(), &bench(base), params, items).await.map(|items| (*items[0].json).clone())
}

#[tokio::test]
async fn methods_queries_headers_and_bodies() {
    let (base, _) = server().await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let answer = call(&base, json!({ "method": method, "url": format!("{base}/echo") })).await.unwrap();
        assert_eq!((&answer["status"], &answer["body"]["method"]), (&json!(200), &json!(method)));
    }
    let head = call(&base, json!({ "method": "HEAD", "url": format!("{base}/echo") })).await.unwrap();
    assert_eq!((&head["status"], &head["body"]), (&json!(200), &Value::Null));
    let query = json!({ "url": format!("{base}/echo?a=1"), "query": { "b": ["x y", 2], "c": null, "d": true },
                        "headers": { "X-One": 1 } });
    let answer = call(&base, query).await.unwrap();
    assert_eq!(answer["body"]["uri"], "/echo?a=1&b=x+y&b=2&d=true");
    assert_eq!(answer["body"]["headers"]["x-one"], "1");
    let cases = [
        (json!({ "json": { "a": [1, null] } }), "application/json", "{\"a\":[1,null]}"),
        (json!({ "json": null }), "application/json", "null"),
        (
            json!({ "form": { "a": "x&y", "b": [1, 2] } }),
            "application/x-www-form-urlencoded",
            "a=x%26y&b=1&b=2",
        ),
        (json!({ "text": "hé" }), "text/plain; charset=utf-8", "hé"),
        (json!({ "text": "<a/>", "content_type": "application/xml" }), "application/xml", "<a/>"),
    ];
    for (body, kind, wanted) in cases {
        let params = json!({ "method": "POST", "url": format!("{base}/echo"), "body": body });
        let answer = call(&base, params).await.unwrap();
        assert_eq!(
            (&answer["body"]["headers"]["content-type"], &answer["body"]["body"]),
            (&json!(kind), &json!(wanted))
        );
    }
}

#[tokio::test]
async fn files_go_out_and_come_back() {
    let (base, _) = server().await;
    let item = || Item::new(json!({})).with_file("doc", FileRef::new("a.txt", "text/plain", &b"content"[..]));
    let send = |body: Value| json!({ "method": "POST", "url": format!("{base}/echo"), "body": body });
    let raw = run_with(&node(), &bench(&base), send(json!({ "file": "doc" })), vec![item()]).await.unwrap();
    assert_eq!(raw[0].json["body"]["body"], "content");
    let fields =
        json!({ "multipart": [{ "name": "kind", "value": "x" }, { "name": "upload", "file": "doc" }] });
    let parts = run_with(&node(), &bench(&base), send(fields), vec![item()]).await.unwrap();
    let text = parts[0].json["body"]["body"].as_str().unwrap().to_owned();
    assert!(text.contains("name=\"kind\"\r\n\r\nx\r\n") && text.contains("filename=\"a.txt\""), "{text}");
    let error = call(&base, send(json!({ "file": "none" }))).await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.path.as_deref()), ("file_missing", Some("/body/file")));
    let params = json!({ "url": format!("{base}/png"), "response_file": "picture" });
    let got = run_with(&node(), &bench(&base), params, vec![item()]).await.unwrap();
    let file = got[0].file("picture").unwrap();
    assert_eq!(
        (file.mime_type.as_str(), file.name.as_str(), &file.data[..]),
        ("image/png", "png", &b"\x89PNG"[..])
    );
}

#[tokio::test]
async fn credentials() {
    let (base, issuer) = server().await;
    let with = |name: &str| {
        json!({ "url": format!("{base}/echo"), "credential": name,
                                    "headers": { "authorization": "mine" } })
    };
    let header = async |name: &str, field: &str| {
        call(&base, with(name)).await.unwrap()["body"]["headers"][field].clone()
    };
    assert_eq!(header("bearer", "authorization").await, "Bearer bearer-secret");
    assert_eq!(header("basic", "authorization").await, "Basic dTpww6Rzc3dvcmQ=");
    assert_eq!(header("header", "x-key").await, "header-secret");
    let error = call(&base, with("other")).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (ErrorKind::Auth, "credential_kind"));
    assert_eq!(call(&base, with("none")).await.unwrap_err().code, "credential_missing");
    assert_eq!(call(&base, with("wrong")).await.unwrap_err().code, "token_refused");

    let node = node();
    let bench = bench(&base);
    let params = json!({ "url": format!("{base}/protected"), "credential": "oauth" });
    let get = async || {
        run_with(&node, &bench, params.clone(), vec![Item::new(json!({}))])
            .await
            .map(|items| items[0].json["body"].clone())
    };
    assert_eq!(get().await.unwrap(), "in");
    assert_eq!(get().await.unwrap(), "in");
    assert_eq!(issuer.0.load(Ordering::SeqCst), 1, "the token is kept");
    issuer.0.fetch_add(1, Ordering::SeqCst);
    assert_eq!(get().await.unwrap(), "in", "a token that was withdrawn is renewed once");
    assert_eq!(issuer.0.load(Ordering::SeqCst), 3);
    bench.clock.advance(3_600_000);
    assert_eq!(get().await.unwrap(), "in");
    assert_eq!(issuer.0.load(Ordering::SeqCst), 4, "an old token is renewed before it is refused");
}

#[tokio::test]
async fn errors_carry_no_secret() {
    let (base, _) = server().await;
    let params = json!({ "url": format!("{base}/status/400"), "credential": "header" });
    let error = call(&base, params).await.unwrap_err();
    let text = serde_json::to_string(&error).unwrap();
    assert!(!text.contains("header-secret") && text.contains("no, ***"), "{text}");
}

#[tokio::test]
async fn statuses() {
    let (base, _) = server().await;
    for (status, kind) in [
        (404, ErrorKind::Rejected),
        (401, ErrorKind::Auth),
        (429, ErrorKind::RateLimited),
        (503, ErrorKind::Unavailable),
    ] {
        let url = format!("{base}/status/{status}");
        let error = call(&base, json!({ "url": url })).await.unwrap_err();
        assert_eq!((error.kind, error.retry_after_ms), (kind, Some(7_000)), "{status}");
        assert_eq!(error.details.unwrap()["body"]["message"], "no, ");
        let passed = call(&base, json!({ "url": url, "on_status": "pass" })).await.unwrap();
        assert_eq!(passed["status"], status);
    }
}

#[tokio::test]
async fn redirects_and_limits() {
    let (base, _) = server().await;
    let followed = call(&base, json!({ "url": format!("{base}/away") })).await.unwrap();
    assert_eq!(followed["body"]["uri"], "/echo");
    let kept = call(&base, json!({ "url": format!("{base}/away"), "redirects": 0 })).await.unwrap();
    assert_eq!((&kept["status"], &kept["headers"]["location"]), (&json!(302), &json!("/echo")));
    let error = call(&base, json!({ "url": format!("{base}/list"), "max_bytes": 10 })).await.unwrap_err();
    assert_eq!(error.code, "response_too_large");
    let error = call(&base, json!({ "url": "http://127.0.0.2:9/" })).await.unwrap_err();
    assert_eq!(error.code, "egress_refused");
    let error = call(&base, json!({ "url": "no address?key=secret" })).await.unwrap_err();
    assert!(error.code == "invalid_url" && !error.message.contains("secret"), "{error}");
}

#[tokio::test]
async fn pagination() {
    let (base, _) = server().await;
    let by = async |rule: Value| {
        let mut rule = rule;
        rule["items"] = "/data".into();
        call(&base, json!({ "url": format!("{base}/list"), "pagination": rule })).await
    };
    let rules = [
        json!({ "by": "page" }),
        json!({ "by": "offset" }),
        json!({ "by": "cursor", "pointer": "/next", "param": "after" }),
        json!({ "by": "next_link", "pointer": "/links/next" }),
        json!({ "by": "link_header" }),
    ];
    for rule in rules {
        let answer = by(rule.clone()).await.unwrap();
        assert_eq!(answer["body"], json!([1, 2, 3, 4, 5]), "{rule}");
    }
    let two = by(json!({ "by": "page", "max_pages": 2 })).await.unwrap();
    assert_eq!((&two["body"], &two["pages"]), (&json!([1, 2, 3, 4]), &json!(2)));
    assert_eq!(by(json!({ "by": "cursor" })).await.unwrap_err().path.as_deref(), Some("/pagination/pointer"));
    let wrong = json!({ "url": format!("{base}/list"), "pagination": { "by": "page", "items": "/nothing" } });
    assert_eq!(call(&base, wrong).await.unwrap_err().code, "no_list");
}

#[tokio::test]
async fn one_request_per_item_and_what_may_be_repeated() {
    let (base, _) = server().await;
    let items = || vec![Item::new(json!({ "n": 1 })), Item::new(json!({ "n": 2 }))];
    let echo = json!({ "url": format!("{base}/echo") });
    let two = run_with(&node(), &bench(&base), echo.clone(), items()).await.unwrap();
    assert_eq!((two.len(), two[1].from), (2, Some(1)));
    let mut once = echo;
    once["once"] = true.into();
    assert_eq!(run_with(&node(), &bench(&base), once, items()).await.unwrap().len(), 1);
    let keyed = json!({ "method": "POST", "url": format!("{base}/echo"), "idempotency_key": true });
    let keyed = run_with(&node(), &bench(&base), keyed, items()).await.unwrap();
    let key = |index: usize| keyed[index].json["body"]["headers"]["idempotency-key"].clone();
    assert_eq!((key(0), key(1)), (json!("run_test/node/0"), json!("run_test/node/0#1")));
    let spec = node();
    let effect = |method: &str| spec.spec().effect_of(&json!({ "method": method }));
    assert_eq!(
        (effect("GET"), effect("DELETE"), effect("POST")),
        (Effect::Idempotent, Effect::Idempotent, Effect::Once)
    );
    assert_eq!(spec.spec().effect_of(&json!({})), Effect::Idempotent, "without a method it is GET");
    assert_eq!(effect("{{ json.method }}"), Effect::Once);
}

/// Takes the request and hangs up.
async fn hangs_up() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 1024]).await;
        }
    });
    base
}

#[tokio::test]
async fn unknown_outcomes_only_where_repeating_would_harm() {
    let base = hangs_up().await;
    let with = |method: &str, key: bool| json!({ "method": method, "url": base, "idempotency_key": key });
    for (params, kind) in [
        (with("GET", false), ErrorKind::Unavailable),
        (with("PUT", false), ErrorKind::Unavailable),
        (with("POST", false), ErrorKind::UnknownOutcome),
        (with("PATCH", false), ErrorKind::UnknownOutcome),
        (with("POST", true), ErrorKind::Unavailable),
    ] {
        assert_eq!(call(&base, params.clone()).await.unwrap_err().kind, kind, "{params}");
    }
}

#[tokio::test]
async fn a_dry_run_reads_but_does_not_write() {
    let (base, issuer) = server().await;
    let bench = bench(&base).dry_run();
    let item = || vec![Item::new(json!({}))];
    let read = run_with(&node(), &bench, json!({ "url": format!("{base}/echo") }), item()).await.unwrap();
    assert_eq!(read[0].json["status"], 200);
    let write = json!({ "method": "POST", "url": format!("{base}/echo"), "body": { "json": { "a": 1 } }, "credential": "oauth" });
    let written = run_with(&node(), &bench, write, item()).await.unwrap();
    assert_eq!((&written[0].json["status"], &written[0].json["dry_run"]), (&json!(0), &json!(true)));
    assert_eq!(written[0].json["request"]["body"], json!({ "a": 1 }));
    assert_eq!(issuer.0.load(Ordering::SeqCst), 0);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        proptest::arbitrary::any::<bool>().prop_map(Value::from),
        proptest::arbitrary::any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z]{1,8}", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_parameters_make_the_node_panic(
        field in prop::sample::select(vec!["method", "url", "query", "headers", "body", "pagination", "timeout", "max_bytes"]),
        value in any_json(),
        reply in any_json(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let script = serde_json::from_value(json!({ "reply": { "body": reply } })).unwrap();
        let bench = Bench::new(node()).http(vec![script]);
        let mut params = json!({ "url": "https://h.test/" });
        params[field] = value;
        let input = Input::main(vec![Item::new(json!({}))]);
        let _ = runtime.block_on(bench.run(params, input));
    }
}
