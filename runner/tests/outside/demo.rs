//! The first run, from outside: the demo starts, a customer writes, the bot answers, the run can be read node
//! by node, and none of it is lost when the process is killed in the middle of the conversation.

use crate::support::{Api, Sluice, address_in, command, read};
use serde_json::{Value, json};
use std::path::Path;

const CUSTOMER: &str = "919876543210";

struct Demo {
    process: Sluice,
    api: Api,
    sandbox: String,
    number: String,
}

/// Starts the demo. After a kill it starts on the same addresses, as an operator's restart would.
fn start(folder: &Path, listen: &str, sandbox_listen: &str) -> Demo {
    let process =
        Sluice::start(command(folder).args(["demo", "--listen", listen, "--sandbox-listen", sandbox_listen]));
    let service = address_in(&process.line_with(&["Service", "http://"]));
    let sandbox = address_in(&process.line_with(&["Sandbox", "http://"]));
    let key = process.line_with(&["API key"]).split_whitespace().last().unwrap_or_default().to_owned();
    let inbound = process.line_with(&["phone_number_id"]);
    let number = inbound.split("\"phone_number_id\":\"").nth(1).and_then(|rest| rest.split('"').next());
    Demo { process, api: Api::new(&service, &key), sandbox, number: number.unwrap_or_default().to_owned() }
}

impl Demo {
    async fn write(&self, message: Value) -> Value {
        let body = json!({ "phone_number_id": self.number, "from": { "phone": CUSTOMER, "name": "Asha" }, "message": message });
        let url = format!("{}/_sandbox/whatsapp/inbound", self.sandbox);
        let (status, answer) = read(self.api.client.post(url).json(&body).send().await.unwrap()).await;
        assert_eq!((status, &answer["delivered"]), (200, &json!(true)), "{answer}");
        answer
    }

    async fn text(&self, body: &str) -> Value {
        self.write(json!({ "type": "text", "text": { "body": body } })).await
    }

    /// What the customer's phone received so far.
    async fn received(&self) -> Vec<Value> {
        let url = format!("{}/_sandbox/messages?to={CUSTOMER}", self.sandbox);
        let (_, answer) = read(self.api.client.get(url).send().await.unwrap()).await;
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        items.into_iter().filter(|item| item["direction"] == "out").collect()
    }

    /// Waits until the phone has received `count` messages, and gives the last.
    async fn nth_answer(&self, count: usize) -> Value {
        let end = std::time::Instant::now() + crate::support::PATIENCE;
        loop {
            let received = self.received().await;
            if received.len() >= count {
                assert_eq!(received.len(), count, "nobody is answered twice: {received:#?}");
                return received.into_iter().next_back().unwrap();
            }
            assert!(std::time::Instant::now() < end, "only {} answers: {received:#?}", received.len());
            tokio::task::yield_now().await;
        }
    }
}

fn port_of(address: &str) -> String {
    address.trim_start_matches("http://").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_talks_through_the_menu_and_every_run_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let demo = start(folder.path(), "127.0.0.1:0", "127.0.0.1:0");
    demo.text("menu").await;
    let greeting = demo.nth_answer(1).await;
    let text = greeting.to_string();
    assert!(text.contains("button"), "the greeting has buttons: {greeting:#}");

    let run = demo
        .api
        .until("/api/runs?status=waiting", |answer| answer["items"][0]["id"].as_str().map(str::to_owned))
        .await;
    let view = demo.api.get(&format!("/api/runs/{run}")).await;
    assert_eq!(view["status"], "waiting", "{view:#}");
    let nodes = view["nodes"].as_array().unwrap();
    let sent =
        nodes.iter().find(|node| node["type"] == "whatsapp.send" && node["status"] == "succeeded").unwrap();
    assert!(
        !sent["input"].as_object().unwrap().is_empty() && !sent["output"].as_object().unwrap().is_empty()
    );
    assert!(nodes.iter().any(|node| node["type"] == "whatsapp.wait_reply" && node["status"] == "waiting"));

    let inbound = demo.api.get("/api/inbound?source=whatsapp").await;
    assert!(
        inbound["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|body| body["runs"].as_array().is_some_and(|runs| runs.contains(&json!(run))))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_goes_on_with_the_conversation() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = start(folder.path(), "127.0.0.1:0", "127.0.0.1:0");
    demo.text("menu").await;
    demo.nth_answer(1).await;
    demo.api
        .until("/api/runs?status=waiting", |answer| answer["items"][0]["id"].as_str().map(str::to_owned))
        .await;
    let (service, sandbox) = (port_of(&demo.api.base), port_of(&demo.sandbox));
    demo.process.kill();

    // The sandbox lives in the same process, so its phone starts empty; the conversation does not.
    let demo = start(folder.path(), &service, &sandbox);
    let waiting = demo.api.get("/api/runs?status=waiting").await;
    let run = waiting["items"][0]["id"].as_str().unwrap().to_owned();
    demo.text("talk to us").await;
    demo.nth_answer(1).await;
    let view = demo
        .api
        .until(&format!("/api/runs/{run}"), |view| (view["status"] != "waiting").then(|| view.clone()))
        .await;
    let replied = view["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .any(|node| node["type"] == "whatsapp.wait_reply" && node["status"] == "succeeded");
    assert!(replied, "the reply reached the run that waited: {view:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_it_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = start(folder.path(), "127.0.0.1:0", "127.0.0.1:0");
    demo.text("hello").await;
    demo.nth_answer(1).await;
    assert_eq!(demo.process.terminate(), 0);
}
