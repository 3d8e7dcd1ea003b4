//! The real transport against servers on loopback: guard, rebinding, redirects, limits, failure kinds.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail loudly")]

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures::future::BoxFuture;
use sluice_node_sdk::egress::EgressPolicy;
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::http::{HttpRequest, HttpResponse, HttpTransport};
use sluice_node_sdk::transport::{Lookup, ReqwestTransport};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Serves `router` on a loopback port of its own.
async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// Answers with what it was asked.
async fn echo(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> String {
    let mut names: Vec<_> = headers.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    format!("{method} {uri} [{}] {}", names.join(","), String::from_utf8_lossy(&body))
}

/// `/to/<status>?<url>` redirects there; everything else echoes.
async fn redirecting() -> SocketAddr {
    async fn redirect(uri: Uri) -> Response {
        let status = uri.path().trim_start_matches("/to/").parse().unwrap();
        let target = uri.query().unwrap_or_default().to_owned();
        (StatusCode::from_u16(status).unwrap(), [("location", target)]).into_response()
    }
    serve(Router::new().route("/to/{status}", any(redirect)).fallback(echo)).await
}

fn transport(allow: &str) -> ReqwestTransport {
    ReqwestTransport::new(EgressPolicy::parse(allow).unwrap()).unwrap()
}

fn get(url: impl Into<String>) -> HttpRequest {
    HttpRequest::new("GET", url)
}

fn following(request: HttpRequest, redirects: u8) -> HttpRequest {
    HttpRequest { max_redirects: redirects, ..request }
}

#[track_caller]
fn failed(answer: Result<HttpResponse, NodeError>) -> (ErrorKind, String) {
    let error = answer.expect_err("expected a failure");
    (error.kind, error.code.into_owned())
}

fn egress_refused() -> (ErrorKind, String) {
    (ErrorKind::InvalidParams, "egress_refused".to_owned())
}

/// Answers look-ups from a list; the last answer stays.
struct FakeLookup(Mutex<VecDeque<Vec<IpAddr>>>);

impl FakeLookup {
    fn answering(lists: &[&[&str]]) -> Arc<Self> {
        let parse = |list: &&[&str]| list.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(lists.iter().map(parse).collect())))
    }
}

impl Lookup for FakeLookup {
    fn lookup(&self, _name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let mut lists = self.0.lock().unwrap();
        let next = if lists.len() > 1 { lists.pop_front() } else { lists.front().cloned() };
        Box::pin(async move { Ok(next.unwrap_or_default()) })
    }
}

#[tokio::test]
async fn private_addresses_are_refused_unless_opened_or_the_operators() {
    let address = redirecting().await;
    let url = format!("http://{address}/x");
    assert_eq!(failed(transport("").send(get(&url)).await), egress_refused());
    assert_eq!(transport("127.0.0.0/8").send(get(&url)).await.unwrap().status, 200);
    assert_eq!(transport(&address.to_string()).send(get(&url)).await.unwrap().status, 200);
    assert_eq!(transport("").send(get(&url).to_operator_url()).await.unwrap().status, 200);
    assert_eq!(
        failed(transport("").send(get(format!("http://localhost:{}/", address.port()))).await),
        egress_refused()
    );
    let named = format!("localhost:{}", address.port());
    assert_eq!(transport(&named).send(get(format!("http://{named}/"))).await.unwrap().status, 200);
    let pooled = transport("");
    assert!(pooled.send(get(&url).to_operator_url()).await.is_ok());
    assert_eq!(
        failed(pooled.send(get(&url)).await),
        egress_refused(),
        "a pooled connection is no way around"
    );
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_refused_when_connecting() {
    let close = || async { ([("connection", "close")], "once") };
    let address = serve(Router::new().fallback(close)).await;
    let lookup = FakeLookup::answering(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let policy = EgressPolicy::parse("127.0.0.1/32").unwrap();
    let transport = ReqwestTransport::with_lookup(policy, lookup).unwrap();
    let url = format!("http://rebind.test:{}/", address.port());
    assert_eq!(transport.send(get(&url)).await.unwrap().text(), "once");
    assert_eq!(failed(transport.send(get(&url)).await), egress_refused());
}

#[tokio::test]
async fn names_that_lead_inside_are_refused() {
    let cases: [&[&str]; 5] =
        [&["10.0.0.7"], &["169.254.169.254"], &["8.8.8.8", "127.0.0.1"], &["::1"], &["::ffff:192.168.0.1"]];
    for addresses in cases {
        let lookup = FakeLookup::answering(&[addresses]);
        let transport = ReqwestTransport::with_lookup(EgressPolicy::default(), lookup).unwrap();
        assert_eq!(
            failed(transport.send(get("http://inside.test/")).await),
            egress_refused(),
            "{addresses:?}"
        );
    }
}

#[tokio::test]
async fn redirects_into_closed_ranges_are_refused() {
    let address = redirecting().await;
    let targets = [
        "http://127.0.0.2:8080/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[::1]:8080/".to_owned(),
        "http://2130706434:8080/".to_owned(),
        "//10.0.0.1/".to_owned(),
    ];
    for target in targets {
        let url = format!("http://{address}/to/302?{target}");
        let allowed = transport("127.0.0.1").send(following(get(&url), 5)).await;
        assert_eq!(failed(allowed), egress_refused(), "{target}");
        let operator = transport("").send(following(get(&url).to_operator_url(), 5)).await;
        assert_eq!(failed(operator), egress_refused(), "the operator trusted only the first place: {target}");
    }
    let scheme = format!("http://{address}/to/302?file:///etc/passwd");
    let (kind, code) = failed(transport("127.0.0.1").send(following(get(scheme), 5)).await);
    assert_eq!((kind, code.as_str()), (ErrorKind::InvalidParams, "invalid_url"));
}

#[tokio::test]
async fn secrets_stay_with_their_origin() {
    let (first, second) = (redirecting().await, redirecting().await);
    let transport = transport("127.0.0.1");
    let with_secrets = |url: String| {
        let request =
            get(url).header("Authorization", "Bearer t").header("X-Api-Key", "k").header("accept", "a/b");
        following(request.header("cookie", "c=1"), 3)
    };
    let same = transport.send(with_secrets(format!("http://{first}/to/302?/end"))).await.unwrap().text();
    assert!(same.contains("authorization,cookie") && same.contains("x-api-key"), "{same}");
    let other =
        transport.send(with_secrets(format!("http://{first}/to/302?http://{second}/end"))).await.unwrap();
    assert_eq!(other.url, format!("http://{second}/end"));
    let seen = other.text();
    assert!(
        !seen.contains("authorization") && !seen.contains("x-api-key") && !seen.contains("cookie"),
        "{seen}"
    );
    assert!(seen.contains("[accept,"), "{seen}");
}

#[tokio::test]
async fn redirect_methods_and_limits() {
    let address = redirecting().await;
    let transport = transport("127.0.0.1");
    let post = |status: u16| {
        let request = HttpRequest::new("POST", format!("http://{address}/to/{status}?/end"));
        following(request.json(&serde_json::json!({ "a": 1 })), 3)
    };
    for (status, start, body) in [
        (301, "GET /end", ""),
        (302, "GET /end", ""),
        (303, "GET /end", ""),
        (307, "POST /end", "{\"a\":1}"),
        (308, "POST /end", "{\"a\":1}"),
    ] {
        let text = transport.send(post(status)).await.unwrap().text();
        assert!(text.starts_with(start) && text.ends_with(&format!("] {body}")), "{status}: {text}");
        assert_eq!(text.contains("content-type"), !body.is_empty(), "{status}: {text}");
    }
    let unfollowed = transport.send(following(post(302), 0)).await.unwrap();
    assert_eq!((unfollowed.status, unfollowed.header("location")), (302, Some("/end")));
    let twice = format!("http://{address}/to/302?/to/302?/end");
    assert_eq!(failed(transport.send(following(get(&twice), 1)).await).1, "too_many_redirects");
    assert_eq!(transport.send(following(get(&twice), 2)).await.unwrap().status, 200);
}

#[tokio::test]
async fn bodies_are_capped_after_decompression() {
    let router = Router::new()
        .route("/zeros", any(|| async { "0".repeat(100_000) }))
        .layer(tower_http::compression::CompressionLayer::new());
    let address = serve(router).await;
    let transport = transport("127.0.0.1");
    let limited =
        |limit: u64| HttpRequest { max_response_bytes: limit, ..get(format!("http://{address}/zeros")) };
    assert_eq!(transport.send(limited(100_000)).await.unwrap().body.len(), 100_000);
    let (kind, code) = failed(transport.send(limited(99_999)).await);
    assert_eq!((kind, code.as_str()), (ErrorKind::InvalidInput, "response_too_large"));
}

#[tokio::test]
async fn failures_before_sending_are_unavailable() {
    let transport = transport("127.0.0.1");
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = failed(transport.send(get(format!("http://{gone}/"))).await);
    assert_eq!(refused, (ErrorKind::Unavailable, "connection_failed".into()));
    let nameless =
        ReqwestTransport::with_lookup(EgressPolicy::default(), FakeLookup::answering(&[&[]])).unwrap();
    let unresolved = failed(nameless.send(get("http://dead.invalid/")).await);
    assert_eq!(unresolved, (ErrorKind::Unavailable, "name_not_resolved".into()));
    let plain = redirecting().await;
    let no_tls = failed(transport.send(get(format!("https://{plain}/"))).await);
    assert_eq!(no_tls, (ErrorKind::Unavailable, "connection_failed".into()));
}

/// A name look-up that never ends.
struct Stuck;

impl Lookup for Stuck {
    fn lookup(&self, _name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_time_limit_while_connecting_is_unavailable() {
    let transport = ReqwestTransport::with_lookup(EgressPolicy::default(), Arc::new(Stuck)).unwrap();
    let request = HttpRequest { timeout_ms: 20, ..HttpRequest::new("POST", "http://slow.test/") };
    assert_eq!(failed(transport.send(request).await), (ErrorKind::Unavailable, "connect_timeout".into()));
}

/// Reads a request, then does `after` with the connection.
async fn raw<F>(after: fn(tokio::net::TcpStream) -> F) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            assert!(stream.read(&mut buffer).await.unwrap() > 0);
            tokio::spawn(after(stream));
        }
    });
    address
}

#[tokio::test]
async fn failures_after_sending_are_of_unknown_outcome() {
    let transport = transport("127.0.0.1");
    let closes = raw(|stream| async move { drop(stream) }).await;
    let post = |address: SocketAddr| HttpRequest {
        timeout_ms: 200,
        ..HttpRequest::new("POST", format!("http://{address}/")).json(&serde_json::json!({}))
    };
    let closed = failed(transport.send(post(closes)).await);
    assert_eq!(closed, (ErrorKind::UnknownOutcome, "connection_broken".into()));
    let silent = raw(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    });
    let silent = failed(transport.send(post(silent.await)).await);
    assert_eq!(silent, (ErrorKind::UnknownOutcome, "response_timeout".into()));
    let half = raw(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
    });
    let half = failed(transport.send(post(half.await)).await);
    assert_eq!(half, (ErrorKind::UnknownOutcome, "connection_broken".into()));
}

#[tokio::test]
async fn a_lost_result_page_does_not_mean_that_nothing_happened() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let address = redirecting().await;
    let transport = transport("127.0.0.1");
    let to = |method: &str, status: u16| {
        following(HttpRequest::new(method, format!("http://{address}/to/{status}?http://{gone}/")), 3)
    };
    assert_eq!(failed(transport.send(to("POST", 303)).await).0, ErrorKind::UnknownOutcome);
    assert_eq!(failed(transport.send(to("POST", 307)).await).0, ErrorKind::Unavailable);
    assert_eq!(failed(transport.send(to("GET", 302)).await).0, ErrorKind::Unavailable);
}

#[tokio::test]
async fn reserved_headers_and_methods_are_refused() {
    let address = redirecting().await;
    let transport = transport("127.0.0.1");
    let url = format!("http://{address}/");
    for (name, value) in
        [("Host", "a"), ("content-length", "3"), ("Transfer-Encoding", "chunked"), ("x", "a\r\nb: c")]
    {
        let (kind, code) = failed(transport.send(get(&url).header(name, value)).await);
        assert_eq!((kind, code.as_str()), (ErrorKind::InvalidParams, "invalid_header"), "{name}");
    }
    for method in ["CONNECT", "TRACE", "GE T"] {
        assert_eq!(failed(transport.send(HttpRequest::new(method, &url)).await).0, ErrorKind::InvalidParams);
    }
}

#[tokio::test]
async fn connections_are_reused() {
    type Seen = Arc<Mutex<Vec<SocketAddr>>>;
    async fn note(
        axum::extract::ConnectInfo(from): axum::extract::ConnectInfo<SocketAddr>,
        State(seen): State<Seen>,
    ) {
        seen.lock().unwrap().push(from);
    }
    let seen = Seen::default();
    let router = Router::new().fallback(note).with_state(seen.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let transport = transport("127.0.0.1");
    for _ in 0..3 {
        transport.send(get(format!("http://{address}/"))).await.unwrap();
    }
    let seen = seen.lock().unwrap();
    assert!(seen.len() == 3 && seen.iter().all(|from| *from == seen[0]), "{seen:?}");
}
