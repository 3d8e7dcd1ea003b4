//! A running sandbox, a client for it and a server that receives its webhooks.
//!
//! It must not know single tests.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use serde_json::{Value, json};
use sluice_sandbox::{RetryPolicy, Sandbox, SandboxConfig, StatusStep};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

pub(crate) const NUMBER: &str = "106540352242922";
pub(crate) const WABA: &str = "102290129340398";
pub(crate) const USER: &str = "16505551234";
/// Nothing in a test takes this long unless it is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// One webhook as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) raw: Bytes,
    pub(crate) headers: HeaderMap,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.raw).unwrap()
    }

    pub(crate) fn value(&self) -> Value {
        self.json()["entry"][0]["changes"][0]["value"].clone()
    }

    pub(crate) fn statuses(&self) -> Vec<String> {
        let value = self.value();
        let list = value["statuses"].as_array().cloned().unwrap_or_default();
        list.iter().map(|s| s["status"].as_str().unwrap().to_owned()).collect()
    }
}

/// The connected server.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    received: Arc<watch::Sender<Vec<Received>>>,
    /// Answers to give before 200.
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}/webhook", listener.local_addr().unwrap()),
            received: Arc::new(watch::Sender::new(Vec::new())),
            answers: Arc::default(),
        };
        let routes =
            axum::Router::new().route("/webhook", get(challenge).post(take)).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        server
    }

    pub(crate) fn answer_next(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    /// The first `count` webhooks, as soon as they are there.
    pub(crate) async fn webhooks(&self, count: usize) -> Vec<Received> {
        let mut received = self.received.subscribe();
        let all = tokio::time::timeout(PATIENCE, received.wait_for(|all| all.len() >= count)).await;
        let all = all.unwrap_or_else(|_| panic!("{count} webhooks expected, {:?}", self.received.borrow()));
        all.unwrap()[..count].to_vec()
    }

    pub(crate) fn count(&self) -> usize {
        self.received.borrow().len()
    }
}

async fn challenge(Query(query): Query<HashMap<String, String>>) -> (StatusCode, String) {
    if query["hub.verify_token"] != "good" || query["hub.mode"] != "subscribe" {
        return (StatusCode::FORBIDDEN, "no".to_owned());
    }
    (StatusCode::OK, query["hub.challenge"].clone())
}

async fn take(State(server): State<Server>, headers: HeaderMap, raw: Bytes) -> StatusCode {
    server.received.send_modify(|all| all.push(Received { raw, headers }));
    let status = server.answers.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}

/// A sandbox with a connected server.
pub(crate) struct House {
    pub(crate) sandbox: Sandbox,
    pub(crate) server: Server,
    http: reqwest::Client,
}

/// Statuses follow at once and webhooks are repeated without waiting.
pub(crate) fn config() -> SandboxConfig {
    let step = |status: &str| StatusStep::new(status, 0);
    SandboxConfig {
        statuses: vec![step("sent"), step("delivered"), step("read"), step("played")],
        webhook_retry: RetryPolicy { max_attempts: 4, first_ms: 0, max_ms: 0 },
        ..SandboxConfig::default()
    }
}

/// An answer: HTTP status, headers, JSON body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn error(&self) -> (u16, i64) {
        (
            self.status,
            self.body["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {}", self.body)),
        )
    }

    pub(crate) fn message_id(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body["messages"][0]["id"].as_str().unwrap().to_owned()
    }
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(config()).await
    }

    pub(crate) async fn with(config: SandboxConfig) -> Self {
        let server = Server::start().await;
        let sandbox = Sandbox::start(config).await.unwrap();
        sandbox.connect(Some(&server.url));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sandbox, server, http }
    }

    /// A house in which [`USER`] has just written; its webhook is the server's first.
    pub(crate) async fn with_open_window() -> Self {
        let house = Self::open().await;
        house.customer_writes("hi").await;
        house
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url())
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = if path.starts_with("http") { path.to_owned() } else { self.url(path) };
        self.http.request(method, url)
    }

    pub(crate) async fn run(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status, headers, body }
    }

    /// A call on the Graph API with a token.
    pub(crate) async fn graph(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self.request(method, &format!("/v22.0{path}")).bearer_auth("token");
        let request = if body.is_null() { request } else { request.json(&body) };
        self.run(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.graph("GET", path, Value::Null).await
    }

    /// Sends a message to [`USER`]: `fields` are everything but the envelope.
    pub(crate) async fn send(&self, fields: Value) -> Answer {
        let mut body = json!({ "messaging_product": "whatsapp", "to": format!("+{USER}") });
        for (key, value) in fields.as_object().unwrap() {
            body[key] = value.clone();
        }
        self.graph("POST", &format!("/{NUMBER}/messages"), body).await
    }

    pub(crate) async fn send_text(&self, text: &str) -> String {
        self.send(json!({ "type": "text", "text": { "body": text } })).await.message_id()
    }

    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self.request(method, &format!("/_sandbox{path}"));
        let request = if body.is_null() { request } else { request.json(&body) };
        self.run(request).await
    }

    pub(crate) async fn inbound(&self, from: Value, message: Value) -> Answer {
        let body = json!({ "phone_number_id": NUMBER, "from": from, "message": message });
        self.control("POST", "/whatsapp/inbound", body).await
    }

    pub(crate) async fn customer_writes(&self, text: &str) -> String {
        let from = json!({ "phone": USER, "name": "Zoë" });
        let answer = self.inbound(from, json!({ "type": "text", "text": { "body": text } })).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn faults(&self, body: Value) -> Value {
        let answer = self.control("POST", "/faults", body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }
}

/// A table of requests and the (HTTP status, code) each must be refused with.
pub(crate) async fn all_refused(house: &House, table: Vec<(Value, (u16, i64))>) {
    for (fields, expected) in table {
        let answer = house.send(fields.clone()).await;
        assert_eq!(answer.error(), expected, "{fields} -> {}", answer.body);
        assert_eq!(answer.body["error"]["type"], "OAuthException");
    }
}
