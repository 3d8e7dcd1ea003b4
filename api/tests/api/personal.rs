//! The personal data of a customer: exported, erased, proven; and whoever writes again is somebody new.

use crate::ground::{Ground, chain};
use crate::webhook::{NUMBER, WABA, text_message};
use serde_json::{Value, json};
use sluice_db::Db;

const ASHA: &str = "919800000001";
const RAVI: &str = "919800000002";

/// A workflow that hears a message and waits for the answer.
fn talk() -> Value {
    chain(
        "Talk",
        &[
            ("heard", "test.heard", json!({ "event": "whatsapp.message" })),
            ("pause", "test.pause", json!({ "key": "conversation:{{ json.conversation.id }}" })),
        ],
    )
}

async fn says(ground: &Ground, id: &str, from: &str, text: &str) {
    let raw = String::from_utf8(text_message(id, from, text)).unwrap();
    let name = if from == RAVI { "Ravi" } else { "Asha Rao" };
    ground.deliver(raw.replace("Asha Rao", name).as_bytes()).await.expect(200);
    ground.state.settle_inbound().await;
    ground.state.engine.settle().await;
}

async fn contact(ground: &Ground, search: &str) -> String {
    let found = ground.get(&format!("/api/contacts?search={search}")).await.expect(200).json();
    found["items"][0]["id"].as_str().unwrap_or_default().to_owned()
}

/// Brings all erasures to their end.
async fn erased(ground: &Ground) {
    for _ in 0..50 {
        if ground.state.erase_pending().await == 0 {
            return;
        }
        ground.state.engine.settle().await;
    }
    panic!("{:?}", ground.records.open_erasures(10).await);
}

/// Everything that the API shows of the workspace.
async fn shown(ground: &Ground) -> String {
    let mut all = String::new();
    for path in
        ["/api/contacts", "/api/conversations", "/api/inbound", "/api/runs", "/api/erasures", "/api/audit"]
    {
        all.push_str(&ground.get(path).await.expect(200).text());
    }
    let runs = ground.get("/api/runs").await.json();
    for run in runs["items"].as_array().unwrap() {
        all.push_str(&ground.get(&format!("/api/runs/{}", run["id"].as_str().unwrap())).await.text());
    }
    all
}

async fn a_person_is_exported_and_erased(db: Db) {
    let ground = Ground::new(db).await;
    ground.connect(NUMBER, WABA).await;
    ground.published(talk()).await;
    says(&ground, "wamid.1", ASHA, "my secret").await;
    says(&ground, "wamid.2", ASHA, "an answer").await;
    says(&ground, "wamid.3", ASHA, "one more question").await;
    says(&ground, "wamid.4", RAVI, "what Ravi asks").await;
    // A run that only mentions her.
    let mention = chain(
        "Mention",
        &[("start", "test.start", json!({})), ("shape", "test.set", json!({ "value": "{{ json.who }}" }))],
    );
    let id = ground.workflow(mention).await;
    let event = json!({ "trigger": { "who": format!("+{ASHA}") } });
    ground.post(&format!("/api/workflows/{id}/run?wait=10s"), event).await.expect(200);
    let asha = contact(&ground, "asha").await;

    let export = ground.get(&format!("/api/contacts/{asha}/export")).await.expect(200);
    assert!(export.header("content-disposition").contains(&asha));
    let export = export.json();
    assert_eq!(export["contact"]["phone"].as_str().map(|text| text.contains(ASHA)), Some(true), "{export}");
    assert_eq!(export["messages"].as_array().unwrap().len(), 3);
    assert_eq!(export["runs"].as_array().unwrap().len(), 3, "two talks and a mention");
    assert_eq!(export["conversations"].as_array().unwrap().len(), 1);
    assert!(export.to_string().contains("my secret") && !export.to_string().contains("Ravi"));

    let path = format!("/api/contacts/{asha}/erase");
    let begun = ground.post(&path, Value::Null).await.expect(202).json();
    assert_eq!((&begun["phase"], &begun["contact_id"]), (&json!("stopping"), &json!(asha)));
    assert_eq!(ground.post(&path, Value::Null).await.expect(202).json()["id"], begun["id"]);
    erased(&ground).await;
    let proof =
        ground.get(&format!("/api/erasures/{}", begun["id"].as_str().unwrap())).await.expect(200).json();
    assert_eq!((&proof["phase"], &proof["verified"]), (&json!("done"), &json!(true)), "{proof}");
    assert_eq!(proof["counts"]["runs"], 3, "{proof}");
    assert_eq!(proof["counts"]["runs_cancelled"], 1, "{proof}");
    assert_eq!(proof["counts"]["messages"], 3, "{proof}");
    assert_eq!(proof["counts"]["inbound_bodies"], 3, "{proof}");
    let stored = shown(&ground).await;
    for word in ["Asha", ASHA, "my secret", "an answer", "one more question"] {
        assert!(!stored.contains(word), "{word} in {stored}");
    }
    assert!(stored.contains("what Ravi asks") && stored.contains(RAVI));
    ground.get(&format!("/api/contacts/{asha}")).await.fails(404, "not_found");
    ground.get(&format!("/api/contacts/{asha}/export")).await.fails(404, "not_found");
    let verified = ground.get("/api/audit/verify").await.expect(200).json();
    assert!(!verified.to_string().contains("\"fault\":{"), "{verified}");

    // Whoever writes again is somebody new, and answered like anybody.
    says(&ground, "wamid.9", ASHA, "hello again").await;
    let new = contact(&ground, ASHA).await;
    assert!(!new.is_empty() && new != asha);
    let consents = ground.records.consents(&ground.asha.id, &new).await.unwrap();
    assert!(consents.iter().any(|one| one.topic == "marketing" && !one.granted), "{consents:?}");
    let runs = ground.get("/api/runs?status=waiting").await.json();
    assert_eq!(runs["items"].as_array().unwrap().len(), 2, "Ravi's and the new one's");
    // Another erasure touches nothing of the first.
    ground.post(&format!("/api/contacts/{new}/erase"), Value::Null).await.expect(202);
    erased(&ground).await;
    let list = ground.get("/api/erasures").await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(list["items"][0]["marks"], list["items"][1]["marks"], "the same telephone number");
}

async fn only_who_may_erases_and_exports(db: Db) {
    let ground = Ground::new(db).await;
    ground.connect(NUMBER, WABA).await;
    says(&ground, "wamid.1", ASHA, "hi").await;
    let asha = contact(&ground, "asha").await;
    let paths = [
        ("GET", format!("/api/contacts/{asha}/export")),
        ("POST", format!("/api/contacts/{asha}/erase")),
        ("GET", "/api/erasures/era_x".to_owned()),
    ];
    let wanted = json!({ "name": "reader", "permissions": ["contact:read"] });
    let reader =
        ground.post("/api/keys", wanted).await.expect(201).json()["key"].as_str().unwrap().to_owned();
    for (method, path) in &paths {
        ground.call_as(&reader, method, path, Value::Null).await.fails(403, "forbidden");
        ground.call_as(&ground.other_key, method, path, Value::Null).await.fails(404, "not_found");
    }
    assert!(ground.records.open_erasures(10).await.unwrap().is_empty());
    assert!(!contact(&ground, "asha").await.is_empty());
}

async fn an_erasure_goes_on_where_a_crash_left_it(db: Db) {
    let ground = Ground::new(db).await;
    ground.connect(NUMBER, WABA).await;
    ground.published(talk()).await;
    says(&ground, "wamid.1", ASHA, "my secret").await;
    let asha = contact(&ground, "asha").await;
    let ws = &ground.asha.id;
    // The contact was gone when the process died; and a later phase had begun.
    let mut erasure = ground.records.request_erasure(ws, &asha).await.unwrap();
    ground.records.leave(&mut erasure).await.unwrap();
    ground.records.leave(&mut erasure).await.unwrap();
    says(&ground, "wamid.2", ASHA, "as somebody new").await;
    erased(&ground).await;
    let proof = ground.records.erasure(ws, &erasure.id).await.unwrap();
    assert_eq!((proof.counts["contacts"], proof.counts["runs"]), (1, 1), "{proof:?}");
    let stored = shown(&ground).await;
    assert!(!stored.contains("my secret"), "{stored}");
    assert!(stored.contains("as somebody new"));
}

sluice_db::contract_tests! {
    a_person_is_exported_and_erased,
    only_who_may_erases_and_exports,
    an_erasure_goes_on_where_a_crash_left_it,
}
