//! The process is killed in the middle of an effect that must not be repeated: it is done once, and either evidence
//! shows that or a person says so.

use crate::support::{Api, PATIENCE, Sluice, address_in, command, read, run};
use serde_json::{Value, json};
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::time::Instant;

const CUSTOMER: &str = "919876543210";
const SECRET: &str = "sandbox-app-secret";

/// A service, started again on the same address after a kill.
struct Service {
    process: Sluice,
    folder: tempfile::TempDir,
    address: String,
    graph: String,
    api: Api,
}

fn serve(folder: &Path, listen: &str, graph: &str) -> (Sluice, String) {
    let process = Sluice::start(command(folder).args([
        "serve",
        "--listen",
        listen,
        "--graph-base-url",
        graph,
        "--whatsapp-app-secret",
        SECRET,
        "--egress-allow",
        "127.0.0.1",
    ]));
    let address = format!("127.0.0.1:{}", process.port());
    (process, address)
}

impl Service {
    fn start(graph: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (process, address) = serve(folder.path(), "127.0.0.1:0", graph);
        let (code, out, error) =
            run(command(folder.path()).args(["key", "create", "--workspace", "shop", "--create"]));
        assert_eq!(code, 0, "{error}");
        let api = Api::new(&format!("http://{address}"), out.lines().last().unwrap());
        Self { process, folder, address, graph: graph.to_owned(), api }
    }

    fn kill_and_start_again(&mut self) {
        self.process.kill();
        self.process = serve(self.folder.path(), &self.address, &self.graph).0;
    }

    /// Publishes a workflow of one node after a manual trigger, and starts a run; answers its path.
    async fn start_run(&self, node: Value) -> String {
        let document = json!({
            "sluice": 1, "name": "One effect",
            "nodes": [{ "id": "start", "type": "trigger.manual" }, node],
            "edges": [{ "from": "start", "to": "act" }],
        });
        let (status, created) = self.api.post("/api/workflows", &document).await;
        assert_eq!(status, 201, "{created}");
        let id = created["id"].as_str().unwrap();
        let (status, published) = self.api.post(&format!("/api/workflows/{id}/publish"), &json!({})).await;
        assert_eq!(status, 200, "{published}");
        let body = json!({ "trigger": { "name": "Asha" } });
        let (status, started) = self.api.post(&format!("/api/workflows/{id}/run?version=1"), &body).await;
        assert_eq!(status, 202, "{started}");
        format!("/api/runs/{}", started["id"].as_str().unwrap())
    }

    async fn until_status(&self, path: &str, status: &str) -> Value {
        self.api.until(path, |view| (view["status"] == status).then(|| view.clone())).await
    }

    async fn listed(&self) -> Vec<Value> {
        self.api.get("/api/runs?attention=true").await["items"].as_array().cloned().unwrap_or_default()
    }
}

/// A stand-in for Meta that outlives the service.
struct Meta {
    _process: Sluice,
    base: String,
    client: reqwest::Client,
}

impl Meta {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Sluice::start(command(folder.path()).args([
            "sandbox",
            "--listen",
            "127.0.0.1:0",
            "--app-secret",
            SECRET,
        ]));
        let base = address_in(&process.line_with(&["Graph API", "http://"]));
        Self { _process: process, base, client: reqwest::Client::new() }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) =
            read(self.client.post(format!("{}{path}", self.base)).json(&body).send().await.unwrap()).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    async fn received(&self) -> Vec<Value> {
        let url = format!("{}/_sandbox/messages?to={CUSTOMER}&direction=out", self.base);
        let (_, answer) = read(self.client.get(url).send().await.unwrap()).await;
        answer["items"].as_array().cloned().unwrap_or_default()
    }

    async fn until_received(&self) {
        let end = Instant::now() + PATIENCE;
        while self.received().await.is_empty() {
            assert!(Instant::now() < end, "no message came");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_answer_was_lost_is_settled_by_its_status() {
    let meta = Meta::start();
    let mut service = Service::start(&meta.base);
    let webhook = format!("{}/api/whatsapp/webhook", service.api.base);
    let connected = meta.post("/_sandbox/whatsapp/connect", json!({ "webhook_url": webhook })).await;
    let number = connected["whatsapp"]["numbers"][0].clone();
    let credential =
        json!({ "name": "wa", "kind": "whatsapp", "secret": { "access_token": "sandbox-token" } });
    assert_eq!(service.api.post("/api/credentials", &credential).await.0, 201);
    let number = json!({
        "phone_number_id": number["phone_number_id"], "waba_id": number["waba_id"],
        "display_phone_number": number["display_phone_number"], "credential": "wa",
    });
    let (status, answer) = service.api.post("/api/numbers", &number).await;
    assert_eq!(status, 201, "{answer}");
    // The customer has written, so that anything may be sent.
    let hello = json!({ "type": "text", "text": { "body": "hello" } });
    let from = json!({ "phone": CUSTOMER, "name": "Asha" });
    let inbound = json!({ "phone_number_id": number["phone_number_id"], "from": from, "message": hello });
    meta.post("/_sandbox/whatsapp/inbound", inbound).await;
    let late = json!({
        "rules": [{ "match": { "path": "*/messages" }, "then": { "delay_answer_ms": 600_000 } }],
        "webhooks": { "hold": true },
    });
    meta.post("/_sandbox/faults", late).await;
    let params = json!({ "type": "text", "text": "Your order is on its way", "to": format!("+{CUSTOMER}") });
    let run = service.start_run(json!({ "id": "act", "type": "whatsapp.send", "params": params })).await;
    meta.until_received().await;
    service.kill_and_start_again();

    // Meta has the message, and nobody here knows.
    let view = service.until_status(&run, "waiting").await;
    let asked = &view["nodes"][1]["outcome"];
    assert_eq!((&asked["is_open"], &asked["waits_for"]), (&json!(true), &json!("evidence")), "{view:#}");
    assert_eq!((&view["attention"], service.listed().await.len()), (&Value::Null, 0));
    meta.post("/_sandbox/faults", json!({ "webhooks": { "release": true } })).await;
    let view = service.until_status(&run, "succeeded").await;
    let act = &view["nodes"][1];
    assert_eq!(
        (&act["outcome"]["is_open"], &act["outcome"]["settled_by"]),
        (&json!(false), &json!("evidence"))
    );
    let received = meta.received().await;
    assert_eq!(received.len(), 1, "it was sent once: {received:#?}");
    let sent = &act["output"]["main"][0]["json"]["sent"];
    assert!(sent["message_id"].as_str().is_some_and(|id| id.starts_with("wamid.")), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_evidence_a_person_says_what_happened() {
    // A shop that takes the order and never answers.
    let shop = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/orders", shop.local_addr().unwrap());
    let (told, orders) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in shop.incoming().map_while(Result::ok) {
            let (told, mut reader) = (told.clone(), stream.try_clone().unwrap());
            open.push(stream);
            std::thread::spawn(move || {
                let mut some = [0; 4_096];
                if reader.read(&mut some).is_ok_and(|count| count > 0) {
                    let _ = told.send(());
                }
            });
        }
    });
    let mut service = Service::start("http://127.0.0.1:9");
    let params = json!({ "method": "POST", "url": url, "body": { "json": { "item": "tea" } } });
    let run = service.start_run(json!({ "id": "act", "type": "http.request", "params": params })).await;
    orders.recv_timeout(PATIENCE).expect("the order arrives");
    service.kill_and_start_again();

    let view = service.until_status(&run, "waiting").await;
    assert_eq!(view["attention"], "unknown_outcome", "{view:#}");
    let listed = service.listed().await;
    assert_eq!((listed.len(), &listed[0]["attention"]), (1, &json!("unknown_outcome")));
    let answer = json!({ "node": "act", "decision": "done", "note": "the shop has the order" });
    let (status, answered) = service.api.post(&format!("{run}/outcome"), &answer).await;
    assert_eq!(status, 200, "{answered}");
    let view = service.until_status(&run, "succeeded").await;
    assert_eq!((&view["attention"], service.listed().await.len()), (&Value::Null, 0));
    assert_eq!(view["nodes"][1]["outcome"]["note"], "the shop has the order");
    assert!(orders.try_recv().is_err(), "the order was placed once");
}
