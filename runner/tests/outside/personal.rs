//! The real program erases a customer: afterwards nothing of them is in any file that it wrote, and when they write again
//! they are somebody new.

use crate::support::{Api, Sluice, address_in, command, read, run};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const CUSTOMER: &str = "919811122233";
const NAME: &str = "Zebulonia Quist";
const WORD: &str = "xylophonist";

struct Demo {
    process: Sluice,
    api: Api,
    sandbox: String,
    number: String,
}

/// Starts the demo; even small bodies go to the payload folder.
fn start(folder: &Path) -> Demo {
    let mut command = command(folder);
    command.args(["demo", "--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0"]);
    let process = Sluice::start(command.env("SLUICE_PAYLOAD_THRESHOLD", "64"));
    let service = address_in(&process.line_with(&["Service", "http://"]));
    let sandbox = address_in(&process.line_with(&["Sandbox", "http://"]));
    let key = process.line_with(&["API key"]).split_whitespace().last().unwrap_or_default().to_owned();
    let inbound = process.line_with(&["phone_number_id"]);
    let number = inbound.split("\"phone_number_id\":\"").nth(1).and_then(|rest| rest.split('"').next());
    Demo { process, api: Api::new(&service, &key), sandbox, number: number.unwrap_or_default().to_owned() }
}

impl Demo {
    async fn text(&self, body: &str) {
        let from = json!({ "phone": CUSTOMER, "name": NAME });
        let message = json!({ "type": "text", "text": { "body": body } });
        let body = json!({ "phone_number_id": self.number, "from": from, "message": message });
        let url = format!("{}/_sandbox/whatsapp/inbound", self.sandbox);
        let (status, answer) = read(self.api.client.post(url).json(&body).send().await.unwrap()).await;
        assert_eq!((status, &answer["delivered"]), (200, &json!(true)), "{answer}");
    }

    /// The customer's contact, once it is there.
    async fn contact(&self) -> String {
        let first = |answer: &Value| answer["items"][0]["id"].as_str().map(str::to_owned);
        self.api.until(&format!("/api/contacts?search={CUSTOMER}"), first).await
    }

    async fn waiting_run(&self) -> String {
        let first = |answer: &Value| answer["items"][0]["id"].as_str().map(str::to_owned);
        self.api.until("/api/runs?status=waiting", first).await
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The files in which a text is found.
fn found_in(folder: &Path, text: &str) -> Vec<PathBuf> {
    let has = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    };
    files(folder).into_iter().filter(has).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_erased_customer_is_found_in_any_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = start(folder.path());
    demo.text("menu").await;
    let waiting = demo.waiting_run().await;
    demo.text(&format!("I am a {WORD}, {WORD} by night and by day")).await;
    let contact = demo.contact().await;
    let settled = |view: &Value| view["nodes"].to_string().contains(WORD).then_some(());
    demo.api.until(&format!("/api/runs/{waiting}"), settled).await;
    let export = demo.api.get(&format!("/api/contacts/{contact}/export")).await;
    for word in [CUSTOMER, NAME, WORD] {
        assert!(export.to_string().contains(word), "{export:#}");
        assert!(!found_in(folder.path(), word).is_empty(), "{word} is stored");
    }
    assert!(!files(&folder.path().join("data/demo/payloads")).is_empty());

    let (status, begun) = demo.api.post(&format!("/api/contacts/{contact}/erase"), &json!({})).await;
    assert_eq!(status, 202, "{begun}");
    let path = format!("/api/erasures/{}", begun["id"].as_str().unwrap());
    let done = |view: &Value| (view["phase"] == "done").then(|| view.clone());
    let proof = demo.api.until(&path, done).await;
    assert_eq!(proof["verified"], true, "{proof:#}");
    assert!(proof["counts"]["messages"].as_i64().unwrap() >= 3, "{proof:#}");
    let mut seen = proof.to_string();
    let workflows = demo.api.get("/api/workflows").await;
    for workflow in workflows["items"].as_array().unwrap() {
        let id = workflow["id"].as_str().unwrap();
        seen += &demo.api.get(&format!("/api/workflows/{id}/export")).await.to_string();
    }
    for path in ["/api/contacts", "/api/runs", "/api/inbound", "/api/audit", "/api/conversations"] {
        seen += &demo.api.get(path).await.to_string();
    }
    // While it runs, and after its end.
    for word in [CUSTOMER, NAME, WORD] {
        assert!(!seen.contains(word), "{word} in {seen}");
        assert_eq!(found_in(folder.path(), word), Vec::<PathBuf>::new(), "{word}");
    }
    assert_eq!(demo.process.terminate(), 0);
    let log = demo.process.rest().join("\n");
    for word in [CUSTOMER, NAME, WORD] {
        assert!(!log.contains(word), "{word} in the log: {log}");
        assert_eq!(found_in(folder.path(), word), Vec::<PathBuf>::new(), "{word}");
    }
    let (code, out, error) = run(command(folder.path()).args(["audit", "verify", "--data", "data/demo"]));
    assert_eq!(code, 0, "{out}{error}");

    // They write again.
    let demo = start(folder.path());
    demo.text("menu").await;
    let new = demo.contact().await;
    assert_ne!(new, contact);
    demo.waiting_run().await;
    let export = demo.api.get(&format!("/api/contacts/{new}/export")).await;
    assert_eq!(export["consents"][0]["topic"], "marketing", "{export:#}");
    assert_eq!(export["consents"][0]["granted"], false, "{export:#}");
    assert!(!export.to_string().contains(WORD), "{export:#}");
    assert_eq!(demo.api.get(&path).await["verified"], true);
}
