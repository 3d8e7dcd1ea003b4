//! `whatsapp.send` and `contact.update` with real records (SQLite in memory) and a real HTTP connection to a
//! stand-in for Meta on loopback.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail loudly")]

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::{Json, Router, routing::post};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use sluice_db::{Db, DbOptions};
use sluice_node_sdk::context::{Doubt, NodeContext, RunInfo};
use sluice_node_sdk::egress::EgressPolicy;
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::item::{Input, Item};
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::outcome::Outcome;
use sluice_node_sdk::services::{Credential, CredentialSource, Services};
use sluice_node_sdk::testkit::{FixedParams, SimClock};
use sluice_node_sdk::transport::ReqwestTransport;
use sluice_node_sdk::usage::{Budget, Spending};
use sluice_records::messages::{Delivery, Direction, Failure, InboundRecord, StatusRecord};
use sluice_records::{Cipher, Identity, MasterKey, NewCredential, NewNumber, Records, Secret};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

const NUMBER: &str = "106540352242922";
const START: i64 = 1_767_607_200_000;
const DAY: i64 = 24 * 3_600_000;

/// What Meta was asked, and what it answers next (`{"messages":[…]}` when nothing is left).
#[derive(Clone, Default)]
struct Meta {
    seen: Arc<Mutex<Vec<(String, String, Value)>>>,
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
}

async fn answer(
    State(meta): State<Meta>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    let token =
        headers.get("authorization").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    let mut seen = meta.seen.lock().unwrap();
    seen.push((uri.path().to_owned(), token, body));
    let usual = json!({ "messages": [{ "id": format!("wamid.{}", seen.len()) }] });
    let (status, body) = meta.answers.lock().unwrap().pop_front().unwrap_or((200, usual));
    (StatusCode::from_u16(status).unwrap(), Json(body))
}

/// Credentials out of the records, as a host lends them.
struct FromRecords(Records);

impl CredentialSource for FromRecords {
    fn credential<'a>(
        &'a self,
        workspace_id: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Credential, NodeError>> {
        Box::pin(async move {
            let open = self.0.open_credential(workspace_id, name).await.unwrap();
            Ok(Credential { kind: open.info.kind, data: open.secret.expose().clone(), public: Vec::new() })
        })
    }
}

struct World {
    records: Records,
    workspace: String,
    meta: Meta,
    base_url: String,
    clock: Arc<SimClock>,
    budget: Arc<Purse>,
}

/// A budget of so many messages, with what became of each.
struct Purse(Mutex<(i64, BTreeMap<String, &'static str>)>);

impl Purse {
    fn told(&self) -> Vec<(String, &'static str)> {
        self.0.lock().unwrap().1.clone().into_iter().collect()
    }

    fn note(&self, key: &str, word: &'static str) -> BoxFuture<'static, Result<(), NodeError>> {
        self.0.lock().unwrap().1.insert(key.to_owned(), word);
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Budget for Purse {
    fn reserve<'a>(&'a self, _: &'a str, spending: &'a Spending) -> BoxFuture<'a, Result<(), NodeError>> {
        let mut purse = self.0.lock().unwrap();
        purse.0 -= spending.quantity;
        let is_enough = purse.0 >= 0;
        drop(purse);
        if is_enough {
            return self.note(&spending.key, "reserved");
        }
        let refused = NodeError::rejected("nothing is left").code("budget_exhausted");
        Box::pin(std::future::ready(Err(refused)))
    }

    fn settle<'a>(&'a self, _: &'a str, spending: &'a Spending) -> BoxFuture<'a, Result<(), NodeError>> {
        self.note(&spending.key, "settled")
    }

    fn release<'a>(&'a self, _: &'a str, key: &'a str) -> BoxFuture<'a, Result<(), NodeError>> {
        self.note(key, "released")
    }
}

impl World {
    async fn new() -> Self {
        let db = Db::open(DbOptions::new("sqlite::memory:")).await.unwrap();
        db.migrate().await.unwrap();
        let cipher = Cipher::new(MasterKey::parse(&"5a".repeat(32)).unwrap());
        let records = Records::with_clock(db, cipher, Arc::new(|| START));
        let workspace = records.create_workspace("asha-foods").await.unwrap().id;
        let credential = NewCredential {
            name: "meta-main".into(),
            kind: "whatsapp".into(),
            public: json!({}),
            secret: Secret::new(json!({ "access_token": "EAAtoken" })),
        };
        records.create_credential(&workspace, credential).await.unwrap();
        let number = NewNumber {
            phone_number_id: NUMBER.into(),
            waba_id: "102290129340398".into(),
            display_phone_number: "+1 555-078-3881".into(),
            verified_name: None,
            credential: "meta-main".into(),
        };
        records.connect_number(&workspace, number).await.unwrap();
        let meta = Meta::default();
        let router = Router::new().route("/{*path}", post(answer)).with_state(meta.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v22.0", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let budget = Arc::new(Purse(Mutex::new((1_000, BTreeMap::new()))));
        Self { records, workspace, meta, base_url, clock: Arc::new(SimClock::at(START)), budget }
    }

    /// A customer writes; the conversation's id.
    async fn customer_writes(&self) -> String {
        let inbound = InboundRecord {
            workspace_id: self.workspace.clone(),
            phone_number_id: NUMBER.into(),
            direction: Direction::In,
            wamid: "wamid.in1".into(),
            kind: "text".into(),
            content: json!({ "text": "Hi" }),
            happened_at: START,
            identities: vec![Identity::phone("919876543210", None).unwrap()],
            profile_name: Some("Asha".into()),
            group_id: None,
            referral: None,
            inbound_id: None,
            speaks: true,
            opens_window: true,
            status: Delivery::Received,
        };
        self.records.record_inbound(&inbound).await.unwrap().conversation.id
    }

    fn context(&self, params: Value, dry_run: bool) -> NodeContext {
        NodeContext {
            run: Arc::new(RunInfo {
                run_id: "run_1".into(),
                workspace_id: self.workspace.clone(),
                time_zone: "UTC".into(),
                dry_run,
                ..RunInfo::default()
            }),
            node_id: "send".into(),
            iteration: 0,
            attempt: 1,
            doubt: None,
            resumed: None,
            loop_state: None,
            params: Arc::new(FixedParams(params)),
            services: Arc::new(Services {
                clock: self.clock.clone(),
                http: Arc::new(ReqwestTransport::new(EgressPolicy::default()).unwrap()),
                credentials: Arc::new(FromRecords(self.records.clone())),
                base_urls: Arc::new(BTreeMap::from([("graph".to_owned(), self.base_url.clone())])),
                budget: self.budget.clone(),
            }),
            cancel: tokio_util::sync::CancellationToken::new(),
            logs: Mutex::default(),
            usage: Mutex::default(),
            secrets: sluice_node_sdk::mask::Secrets::default(),
        }
    }

    fn node(&self, node_type: &str) -> Arc<dyn DynNode> {
        let nodes = sluice_nodes::all(self.records.clone());
        nodes.into_iter().find(|node| node.spec().node_type == node_type).unwrap()
    }

    async fn run(&self, node_type: &str, params: Value, items: &[Value]) -> Result<Vec<Value>, NodeError> {
        self.run_in(&self.context(params, false), node_type, items).await
    }

    async fn run_in(
        &self,
        ctx: &NodeContext,
        node_type: &str,
        items: &[Value],
    ) -> Result<Vec<Value>, NodeError> {
        let input = Input::main(items.iter().cloned().map(Item::new).collect::<Vec<_>>());
        match self.node(node_type).run(ctx, input).await? {
            Outcome::Done(output) => Ok(output.ports[0].1.iter().map(|item| (*item.json).clone()).collect()),
            other => panic!("expected items, got {other:?}"),
        }
    }

    fn sent(&self) -> usize {
        self.meta.seen.lock().unwrap().len()
    }
}

fn hello() -> Value {
    json!({ "type": "text", "text": "Hello" })
}

#[tokio::test]
async fn a_message_is_sent_recorded_and_not_sent_again() {
    let world = World::new().await;
    let conversation = world.customer_writes().await;
    let item = json!({ "conversation": { "id": conversation } });
    let first = world.run("whatsapp.send", hello(), std::slice::from_ref(&item)).await.unwrap();
    assert_eq!(first[0]["sent"]["message_id"], "wamid.1");
    assert_eq!(first[0]["sent"]["conversation_id"], conversation.as_str());
    {
        let seen = world.meta.seen.lock().unwrap();
        let (path, token, body) = &seen[0];
        assert_eq!((path.as_str(), token.as_str()), ("/v22.0/106540352242922/messages", "Bearer EAAtoken"));
        assert_eq!((&body["to"], &body["text"]["body"]), (&json!("919876543210"), &json!("Hello")));
        assert_eq!(body["biz_opaque_callback_data"], "run_1/send/0");
    }
    let stored = world.records.message_by_effect(&world.workspace, "run_1/send/0").await.unwrap().unwrap();
    assert_eq!((stored.wamid.as_deref(), stored.status), (Some("wamid.1"), Delivery::Accepted));
    assert_eq!(stored.content, json!({ "body": "Hello", "preview_url": false }));
    let again = world.run("whatsapp.send", hello(), &[item]).await.unwrap();
    assert_eq!((&again[0]["sent"]["message_id"], world.sent()), (&json!("wamid.1"), 1));
}

#[tokio::test]
async fn a_retry_of_a_list_sends_only_what_is_missing() {
    let world = World::new().await;
    let items: Vec<Value> = (0..3).map(|n| json!({ "n": n })).collect();
    let busy = json!({ "error": { "code": 131_056, "message": "pair limit" } });
    world
        .meta
        .answers
        .lock()
        .unwrap()
        .extend([(200, json!({ "messages": [{ "id": "wamid.a" }] })), (400, busy)]);
    let params =
        json!({ "type": "text", "text": "Hello", "to": "+91 98765 43210", "from": "+1 555 078 3881" });
    let error = world.run("whatsapp.send", params.clone(), &items).await.unwrap_err();
    assert_eq!((error.kind, error.retry_after_ms), (ErrorKind::RateLimited, Some(1_000)));
    let sent = world.run("whatsapp.send", params, &items).await.unwrap();
    let effects: Vec<Value> = world
        .meta
        .seen
        .lock()
        .unwrap()
        .iter()
        .map(|(_, _, body)| body["biz_opaque_callback_data"].clone())
        .collect();
    assert_eq!(effects, ["run_1/send/0", "run_1/send/0#1", "run_1/send/0#1", "run_1/send/0#2"]);
    assert_eq!(sent[0]["sent"]["message_id"], "wamid.a");
}

#[tokio::test]
async fn the_window_is_kept_and_a_dry_run_sends_nothing() {
    let world = World::new().await;
    let item = json!({ "conversation": { "id": world.customer_writes().await } });
    world.clock.set(START + DAY - 1);
    let items = std::slice::from_ref(&item);
    world.run("whatsapp.send", hello(), items).await.unwrap();
    world.clock.set(START + DAY);
    let mut ctx = world.context(hello(), false);
    ctx.node_id = "later".into();
    let error = world.run_in(&ctx, "whatsapp.send", items).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (ErrorKind::Rejected, "window_closed"));
    assert_eq!(world.sent(), 1);
    ctx = world.context(hello(), true);
    let pretended = world.run_in(&ctx, "whatsapp.send", items).await.unwrap();
    assert_eq!(pretended[0]["sent"]["message_id"], "wamid.dry-run.run_1/send/0");
    assert!(ctx.take_logs()[0].message.contains("not sent"));
    let mut ctx = world.context(json!({ "type": "template", "template": "again", "language": "en" }), false);
    ctx.node_id = "template".into();
    world.run_in(&ctx, "whatsapp.send", items).await.unwrap();
    assert_eq!(world.sent(), 2);
}

#[tokio::test]
async fn nothing_is_sent_that_cannot_be_paid_and_every_message_is_counted() {
    let world = World::new().await;
    let told = |word: &'static str| vec![("run_1/send/0".to_owned(), word)];
    let item = json!({ "conversation": { "id": world.customer_writes().await } });
    let gone = json!({ "error": { "code": 131_026, "message": "undeliverable" } });
    world.meta.answers.lock().unwrap().push_back((400, gone));
    let ctx = world.context(hello(), false);
    assert!(world.run_in(&ctx, "whatsapp.send", std::slice::from_ref(&item)).await.is_err());
    assert_eq!(world.budget.told(), told("released"));
    assert!(ctx.take_usage().is_empty());

    let params = json!({ "type": "text", "text": "Hello", "to": "+91 98765 43210" });
    world.budget.0.lock().unwrap().0 = 2;
    let mut ctx = world.context(params, false);
    ctx.node_id = "list".into();
    let items = vec![item; 3];
    let error = world.run_in(&ctx, "whatsapp.send", &items).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (ErrorKind::Rejected, "budget_exhausted"));
    assert_eq!(world.sent(), 1 + 2, "the third was not sent");
    let used: Vec<_> =
        ctx.take_usage().into_iter().map(|note| (note.key, note.quantity, note.attributes)).collect();
    let service = BTreeMap::from([("category".to_owned(), "service".to_owned())]);
    let note = |item| (format!("run_1/list/0/message/{item}"), 1, service.clone());
    assert_eq!(used, [note(0), note(1)]);

    let world = World::new().await;
    let items = vec![json!({ "conversation": { "id": world.customer_writes().await } })];
    assert_eq!(lose(&world, &hello(), &items).await.kind, ErrorKind::UnknownOutcome);
    assert_eq!(world.budget.told(), told("reserved"), "nobody knows yet");
    world.records.apply_status(&status(&world, "run_1/send/0", "sent")).await.unwrap();
    world.run_in_doubt(&hello(), Doubt::Ask, &items).await.unwrap();
    assert_eq!(world.budget.told(), told("settled"));
}

#[tokio::test]
async fn a_refused_message_is_on_record_as_failed() {
    let world = World::new().await;
    let item = json!({ "conversation": { "id": world.customer_writes().await } });
    let gone = json!({ "error": { "code": 131_026, "message": "undeliverable", "error_data": { "details": "not here" } } });
    world.meta.answers.lock().unwrap().push_back((400, gone));
    let error = world.run("whatsapp.send", hello(), &[item]).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (ErrorKind::Rejected, "recipient_unreachable"));
    let stored = world.records.message_by_effect(&world.workspace, "run_1/send/0").await.unwrap().unwrap();
    let failure = stored.error.unwrap();
    assert_eq!(
        (stored.status, failure.code, failure.details.as_deref()),
        (Delivery::Failed, 131_026, Some("not here"))
    );
}

#[tokio::test]
async fn a_broken_connection_leaves_the_outcome_open() {
    let world = World::new().await;
    let item = json!({ "conversation": { "id": world.customer_writes().await } });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::AsyncReadExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
    });
    let mut ctx = world.context(hello(), false);
    Arc::make_mut(&mut ctx.services).base_urls = Arc::new(BTreeMap::from([("graph".to_owned(), base)]));
    let error = world.run_in(&ctx, "whatsapp.send", &[item]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::UnknownOutcome);
    let stored = world.records.message_by_effect(&world.workspace, "run_1/send/0").await.unwrap().unwrap();
    assert_eq!(stored.status, Delivery::Pending);
}

/// Sends, and the connection breaks before Meta answers.
async fn lose(world: &World, params: &Value, items: &[Value]) -> NodeError {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::AsyncReadExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await;
    });
    let mut ctx = world.context(params.clone(), false);
    Arc::make_mut(&mut ctx.services).base_urls = Arc::new(BTreeMap::from([("graph".to_owned(), base)]));
    world.run_in(&ctx, "whatsapp.send", items).await.unwrap_err()
}

fn status(world: &World, effect_id: &str, status: &str) -> StatusRecord {
    StatusRecord {
        pricing: None,
        workspace_id: world.workspace.clone(),
        phone_number_id: NUMBER.into(),
        wamid: format!("wamid.of.{effect_id}"),
        status: status.into(),
        happened_at: START,
        effect_id: Some(effect_id.into()),
        participant: None,
        error: (status == "failed").then(|| Failure {
            code: 131_026,
            title: "undeliverable".into(),
            details: None,
        }),
        inbound_id: None,
    }
}

impl World {
    async fn run_in_doubt(
        &self,
        params: &Value,
        doubt: Doubt,
        items: &[Value],
    ) -> Result<Vec<Value>, NodeError> {
        let mut ctx = self.context(params.clone(), false);
        ctx.doubt = Some(doubt);
        self.run_in(&ctx, "whatsapp.send", items).await
    }
}

#[tokio::test]
async fn in_doubt_only_evidence_counts() {
    let world = World::new().await;
    let items = [json!({ "conversation": { "id": world.customer_writes().await } })];
    assert_eq!(lose(&world, &hello(), &items).await.kind, ErrorKind::UnknownOutcome);
    let asked = world.run_in_doubt(&hello(), Doubt::Ask, &items).await.unwrap_err();
    assert_eq!((asked.kind, world.sent()), (ErrorKind::UnknownOutcome, 0), "it is not sent again");
    let assumed = world.run_in_doubt(&hello(), Doubt::CountsAsDone, &items).await.unwrap();
    assert_eq!(
        (&assumed[0]["sent"]["status"], &assumed[0]["sent"]["message_id"]),
        (&json!("assumed"), &Value::Null)
    );
    world.records.apply_status(&status(&world, "run_1/send/0", "failed")).await.unwrap();
    // Long after, when nothing but a template could be sent.
    world.clock.set(START + 3 * DAY);
    let settled = world.run_in_doubt(&hello(), Doubt::Ask, &items).await.unwrap();
    let sent = &settled[0]["sent"];
    assert_eq!((&sent["status"], &sent["message_id"]), (&json!("failed"), &json!("wamid.of.run_1/send/0")));
    assert_eq!((&sent["error"]["code"], world.sent()), (&json!(131_026), 0));
}

#[tokio::test]
async fn in_doubt_the_rest_of_a_list_is_sent() {
    let world = World::new().await;
    let items: Vec<Value> = (0..3).map(|n| json!({ "n": n })).collect();
    let params = json!({ "type": "text", "text": "Hello", "to": "+91 98765 43210" });
    assert_eq!(lose(&world, &params, &items).await.kind, ErrorKind::UnknownOutcome);
    assert!(world.run_in_doubt(&params, Doubt::Ask, &items).await.is_err());
    world.records.apply_status(&status(&world, "run_1/send/0", "sent")).await.unwrap();
    let sent = world.run_in_doubt(&params, Doubt::Ask, &items).await.unwrap();
    let statuses: Vec<&Value> = sent.iter().map(|item| &item["sent"]["status"]).collect();
    assert_eq!((statuses, world.sent()), (vec![&json!("sent"), &json!("accepted"), &json!("accepted")], 2));
}

#[tokio::test]
async fn a_group_is_in_doubt_until_its_status_comes() {
    let world = World::new().await;
    let params = hello();
    let items = [json!({ "conversation": { "group_id": "120363" } })];
    assert_eq!(lose(&world, &params, &items).await.kind, ErrorKind::UnknownOutcome);
    let asked = world.run_in_doubt(&params, Doubt::Ask, &items).await.unwrap_err();
    assert_eq!(
        (asked.kind, world.sent()),
        (ErrorKind::UnknownOutcome, 0),
        "there is no record, which says nothing"
    );
    world.records.apply_status(&status(&world, "run_1/send/0", "delivered")).await.unwrap();
    let settled = world.run_in_doubt(&params, Doubt::Ask, &items).await.unwrap();
    assert_eq!(settled[0]["sent"]["message_id"], "wamid.of.run_1/send/0");
}

#[tokio::test]
async fn numbers_and_recipients_that_are_missing() {
    let world = World::new().await;
    let send = |params: Value| world.run("whatsapp.send", params, &[Value::Null]);
    let error = send(hello()).await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.path.as_deref()), ("recipient_missing", Some("/to")));
    let error =
        send(json!({ "type": "text", "text": "a", "to": "919876543210", "from": "77" })).await.unwrap_err();
    assert_eq!((error.code.as_ref(), error.path.as_deref()), ("number_unknown", Some("/from")));
    let sent = send(json!({ "type": "text", "text": "a", "to": "+91 98765 43210" })).await.unwrap();
    assert!(sent[0]["sent"]["conversation_id"].as_str().unwrap().starts_with("cnv_"), "{sent:?}");
    let second = NewNumber {
        phone_number_id: "42".into(),
        waba_id: "1".into(),
        display_phone_number: "+1 555 000".into(),
        verified_name: None,
        credential: "meta-main".into(),
    };
    world.records.connect_number(&world.workspace, second).await.unwrap();
    let error = send(json!({ "type": "text", "text": "a", "to": "919876543210" })).await.unwrap_err();
    assert_eq!(error.code, "number_ambiguous");
}

#[tokio::test]
async fn a_contact_is_changed_once() {
    let world = World::new().await;
    let identity = Identity::phone("919876543210", None).unwrap();
    let (contact, _) =
        world.records.resolve_contact(&world.workspace, &[identity], Some("Asha")).await.unwrap();
    let item = json!({ "contact": { "id": contact.id } });
    let params = json!({ "set": { "city": "Pune" }, "add_tags": ["lead"], "email": "asha@example.com" });
    let changed = world.run("contact.update", params.clone(), std::slice::from_ref(&item)).await.unwrap();
    assert_eq!(changed[0]["contact"]["city"], "Pune");
    assert_eq!(changed[0]["contact"]["email"], "asha@example.com");
    assert_eq!(changed[0]["contact"]["tags"], json!(["lead"]));
    let other = json!({ "set": { "city": "Goa" } });
    let again = world.run("contact.update", other, std::slice::from_ref(&item)).await.unwrap();
    assert_eq!(again[0]["contact"]["city"], "Pune", "the same effect is applied once");
    let error = world.run("contact.update", json!({ "email": "no" }), &[item]).await.unwrap_err();
    assert_eq!(error.path.as_deref(), Some("/email"));
    let error =
        world.run("contact.update", json!({ "contact": "con_nobody" }), &[json!({})]).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (ErrorKind::InvalidInput, "not_found"));
}
