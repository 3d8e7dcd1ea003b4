//! The ground the tests stand on: the whole API over a fresh database, with two workspaces and a key for each.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine as _;
use serde_json::{Value, json};
use sluice_api::{AccountConfig, ApiConfig, ApiState, Metrics, Template, router};
use sluice_db::Db;
use sluice_engine::drive::{Engine, EngineConfig};
use sluice_engine::store::Store;
use sluice_node_sdk::http::{HttpTransport, ScriptedHttp};
use sluice_node_sdk::services::{NoCredentials, Services, SystemClock};
use sluice_records::{Cipher, MasterKey, NewCredential, NewNumber, Records, Scope, Secret, Workspace};
use std::sync::Arc;
use tower::ServiceExt;

/// The secret of the published samples.
pub(crate) const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";

pub(crate) struct Ground {
    pub(crate) api: Router,
    pub(crate) state: ApiState,
    pub(crate) records: Records,
    pub(crate) asha: Workspace,
    /// Key of `asha`.
    pub(crate) key: String,
    /// Key of another workspace.
    pub(crate) other_key: String,
    pub(crate) platform_key: String,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|fault| panic!("{fault}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The answer, which must have this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// The error, which must have this status and code and the whole envelope.
    #[track_caller]
    pub(crate) fn fails(self, status: u16, code: &str) -> Value {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), "application/json");
        let body = answer.json();
        assert_eq!(body["error"]["code"], code, "{body}");
        assert!(body["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        assert_eq!(body["error"]["request_id"], answer.header("x-request-id"), "{body}");
        body["error"].clone()
    }
}

impl Ground {
    pub(crate) async fn new(db: Db) -> Self {
        Self::with(db, |_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn with(db: Db, change: impl FnOnce(&mut ApiConfig)) -> Self {
        Self::built(db, Arc::new(ScriptedHttp::default()), EngineConfig::default(), change).await
    }

    /// The same with something else in the place of the outside.
    pub(crate) async fn reaching(
        db: Db,
        http: Arc<dyn HttpTransport>,
        change: impl FnOnce(&mut ApiConfig),
    ) -> Self {
        Self::built(db, http, EngineConfig::default(), change).await
    }

    /// The same with an engine of other settings.
    pub(crate) async fn with_engine(
        db: Db,
        engine: EngineConfig,
        change: impl FnOnce(&mut ApiConfig),
    ) -> Self {
        Self::built(db, Arc::new(ScriptedHttp::default()), engine, change).await
    }

    async fn built(
        db: Db,
        http: Arc<dyn HttpTransport>,
        engine: EngineConfig,
        change: impl FnOnce(&mut ApiConfig),
    ) -> Self {
        let services = Services {
            clock: Arc::new(SystemClock),
            http,
            credentials: Arc::new(NoCredentials),
            base_urls: Arc::default(),
            budget: sluice_node_sdk::usage::NoBudget::shared(),
        };
        let engine = Engine::new(Store::new(db.clone()), super::nodes::registry(), services, engine);
        let records = Records::new(db, Cipher::new(MasterKey::parse(&"5a".repeat(32)).unwrap()));
        let mut config = ApiConfig {
            whatsapp_app_secrets: vec![APP_SECRET.to_owned()],
            whatsapp_verify_token: "meatyhamhock".to_owned(),
            public_url: "https://sluice.test".to_owned(),
            link_key: b"a key for links".to_vec(),
            accounts: AccountConfig { sends_mail: true, ..AccountConfig::default() },
            ..ApiConfig::default()
        };
        change(&mut config);
        let metrics = Metrics::install().unwrap();
        let state = ApiState::new(engine, records.clone(), config, vec![template()], metrics);
        let asha = records.create_workspace("asha-foods").await.unwrap();
        let other = records.create_workspace("other").await.unwrap();
        let key = |scope| {
            let records = records.clone();
            async move { records.create_api_key(scope, "test").await.unwrap().key }
        };
        Self {
            api: router(state.clone()),
            key: key(Scope::Workspace(asha.id.clone())).await,
            other_key: key(Scope::Workspace(other.id)).await,
            platform_key: key(Scope::Platform).await,
            state,
            records,
            asha,
        }
    }

    /// The same ground, for a test that changes a part of it.
    pub(crate) fn clone_of(other: &Self) -> Self {
        Self {
            api: other.api.clone(),
            state: other.state.clone(),
            records: other.records.clone(),
            asha: other.asha.clone(),
            key: other.key.clone(),
            other_key: other.other_key.clone(),
            platform_key: other.platform_key.clone(),
        }
    }

    /// Sends any request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, address) = (request.method().to_string(), request.uri().path().to_owned());
        let response = self.api.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let kind = parts.headers.get("content-type").map_or("", |value| value.to_str().unwrap());
        super::contract::check(&method, &address, parts.status.as_u16(), kind, &bytes);
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    /// Sends a request with a key and, unless it is null, a JSON body.
    pub(crate) async fn call_as(&self, key: &str, method: &str, path: &str, body: Value) -> Answer {
        let request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
        let request = match body {
            Value::Null => request.body(Body::empty()),
            body => request.header("content-type", "application/json").body(Body::from(body.to_string())),
        };
        self.send(request.unwrap()).await
    }

    /// The same with the key of `asha`.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        self.call_as(&self.key, method, path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, body).await
    }

    /// Creates a workflow and answers its id.
    pub(crate) async fn workflow(&self, document: Value) -> String {
        let made = self.post("/api/workflows", document).await.expect(201).json();
        made["id"].as_str().unwrap().to_owned()
    }

    /// Creates and publishes a workflow and answers its id.
    pub(crate) async fn published(&self, document: Value) -> String {
        let id = self.workflow(document).await;
        self.post(&format!("/api/workflows/{id}/publish"), Value::Null).await.expect(200);
        id
    }

    /// Connects a WhatsApp number to `asha`.
    pub(crate) async fn connect(&self, phone_number_id: &str, waba_id: &str) {
        let credential = NewCredential {
            name: format!("whatsapp-{phone_number_id}"),
            kind: "whatsapp".into(),
            public: json!({}),
            secret: Secret::new(json!({ "access_token": "EAAtoken" })),
        };
        let credential = self.records.create_credential(&self.asha.id, credential).await.unwrap();
        let number = NewNumber {
            phone_number_id: phone_number_id.into(),
            waba_id: waba_id.into(),
            display_phone_number: "15550783881".into(),
            verified_name: None,
            credential: credential.name,
        };
        self.records.connect_number(&self.asha.id, number).await.unwrap();
    }

    /// Posts a body as Meta does.
    pub(crate) async fn deliver(&self, raw: &[u8]) -> Answer {
        self.deliver_signed(raw, &signature(raw, APP_SECRET)).await
    }

    pub(crate) async fn deliver_signed(&self, raw: &[u8], signature: &str) -> Answer {
        let request = Request::post("/api/whatsapp/webhook")
            .header("content-type", "application/json")
            .header("x-hub-signature-256", signature);
        self.send(request.body(Body::from(raw.to_vec())).unwrap()).await
    }
}

/// `sha256=` and the HMAC.
pub(crate) fn signature(raw: &[u8], secret: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, raw);
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

/// A linear workflow of these nodes; each is `(id, type, params)`.
pub(crate) fn chain(name: &str, nodes: &[(&str, &str, Value)]) -> Value {
    let edges: Vec<_> = nodes.windows(2).map(|pair| json!({ "from": pair[0].0, "to": pair[1].0 })).collect();
    let nodes: Vec<_> =
        nodes.iter().map(|(id, kind, params)| json!({ "id": id, "type": kind, "params": params })).collect();
    json!({ "sluice": 1, "name": name, "nodes": nodes, "edges": edges })
}

/// Starts by hand and greets.
pub(crate) fn greeting() -> Value {
    chain(
        "Greeting",
        &[
            ("start", "test.start", json!({})),
            ("shape", "test.set", json!({ "value": "hi {{ json.name }}" })),
        ],
    )
}

fn template() -> Template {
    let document = chain(
        "Echo",
        &[
            ("hook", "test.hook", json!({ "path": "echo", "respond": "last_node" })),
            ("shape", "test.set", json!({ "value": "{{ json.body }}" })),
        ],
    );
    Template { id: "echo".to_owned(), document: serde_json::from_value(document).unwrap() }
}

pub(crate) fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}
