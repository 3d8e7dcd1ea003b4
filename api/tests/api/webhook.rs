//! WhatsApp's webhook: handshake, signatures, every published sample over HTTP, duplicates, crashes.

use crate::ground::{APP_SECRET, Ground, chain, signature};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sluice_db::Db;
use sluice_engine::drive::{EngineConfig, FaultPlan};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const NUMBER: &str = "106540352242922";
pub(crate) const WABA: &str = "102290129340398";

pub(crate) fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../records/tests/data/whatsapp")
}

fn sample_json(name: &str) -> Value {
    serde_json::from_slice(&fs::read(samples().join(name)).unwrap()).unwrap()
}

/// A body with one text message.
pub(crate) fn text_message(id: &str, from: &str, text: &str) -> Vec<u8> {
    body(json!({
        "contacts": [{ "profile": { "name": "Asha Rao" }, "wa_id": from }],
        "messages": [{ "id": id, "from": from, "timestamp": "1750000000", "type": "text", "text": { "body": text } }],
    }))
}

fn body(mut value: Value) -> Vec<u8> {
    value["metadata"] = json!({ "display_phone_number": "15550783881", "phone_number_id": NUMBER });
    let change = json!({ "field": "messages", "value": value });
    let body =
        json!({ "object": "whatsapp_business_account", "entry": [{ "id": WABA, "changes": [change] }] });
    body.to_string().into_bytes()
}

fn heard(name: &str, more: &[(&str, &str, Value)]) -> Value {
    let mut nodes = vec![("heard", "test.heard", json!({ "event": "whatsapp.message" }))];
    nodes.extend_from_slice(more);
    chain(name, &nodes)
}

async fn as_platform(ground: &Ground, path: &str) -> Value {
    ground.call_as(&ground.platform_key, "GET", path, Value::Null).await.expect(200).json()
}

async fn meta_can_verify_the_address(db: Db) {
    let ground = Ground::new(db).await;
    for case in sample_json("_handshake.json")["cases"].as_array().unwrap() {
        let mut config = (*ground.state.config).clone();
        config.whatsapp_verify_token = case["configured_token"].as_str().unwrap().to_owned();
        let state = ground.state.with_config(config);
        let ground = Ground { api: sluice_api::router(state.clone()), state, ..Ground::clone_of(&ground) };
        let path = format!("/api/whatsapp/webhook?{}", case["query"].as_str().unwrap());
        let answer = ground.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), case["status"], "{case}");
        match case["body"].as_str() {
            Some(wanted) => {
                assert_eq!(answer.text(), wanted, "{case}");
                assert!(answer.header("content-type").starts_with("text/plain"));
            }
            None => assert!(answer.json()["error"]["code"].as_str().unwrap().starts_with("verification_")),
        }
    }
}

async fn every_sample_is_taken_as_its_index_says(db: Db) {
    let ground = Ground::new(db).await;
    let index = sample_json("_index.json");
    let files = index["files"].as_array().unwrap();
    assert!(files.len() > 100);
    for file in files {
        let name = file["file"].as_str().unwrap();
        let raw = fs::read(samples().join(name)).unwrap();
        let answer =
            ground.deliver_signed(&raw, file["x_hub_signature_256"].as_str().unwrap()).await.expect(200);
        ground.state.settle_inbound().await;
        let path = format!("/api/inbound/{}", answer.json()["id"].as_str().unwrap());
        let shown = as_platform(&ground, &path).await;
        assert_eq!(shown["changes"], file["changes"], "{name}");
        assert_eq!(shown["status"], "ignored", "{name}: no number is connected");
        assert_eq!(shown["raw"].as_str().unwrap().as_bytes(), raw, "{name}");
        ground.get(&path).await.fails(404, "not_found");
    }
    let list = as_platform(&ground, "/api/inbound?source=whatsapp&status=ignored&limit=200").await;
    assert_eq!(list["items"].as_array().unwrap().len(), files.len().min(200));
    assert_eq!(as_platform(&ground, "/api/inbound?status=processed").await["items"], json!([]));
    ground.get("/api/inbound?status=odd").await.fails(400, "invalid_query");
}

async fn every_sample_of_a_connected_number_is_processed(db: Db) {
    let ground = Ground::new(db).await;
    ground.connect(NUMBER, WABA).await;
    ground.published(heard("Hear", &[])).await;
    for file in sample_json("_index.json")["files"].as_array().unwrap() {
        let name = file["file"].as_str().unwrap();
        let raw = fs::read(samples().join(name)).unwrap();
        let answer = ground.deliver(&raw).await.expect(200);
        ground.state.settle_inbound().await;
        let shown =
            as_platform(&ground, &format!("/api/inbound/{}", answer.json()["id"].as_str().unwrap())).await;
        assert_eq!(shown["changes"], file["changes"], "{name}");
        assert!(
            matches!(shown["status"].as_str(), Some("processed" | "ignored" | "duplicate")),
            "{name}: {shown}"
        );
    }
}

async fn what_is_not_signed_is_not_stored(db: Db) {
    let ground = Ground::new(db).await;
    let raw = text_message("wamid.1", "919800000001", "hi");
    let good = signature(&raw, APP_SECRET);
    let wrong = signature(&raw, "another secret");
    for bad in ["", "sha256=", "sha1=abc", &wrong, &good.replace("sha256=", ""), &good[..good.len() - 2]] {
        ground.deliver_signed(&raw, bad).await.fails(401, "invalid_signature");
    }
    let unsigned = Request::post("/api/whatsapp/webhook").body(Body::from(raw.clone())).unwrap();
    ground.send(unsigned).await.fails(401, "invalid_signature");
    let mut changed = raw.clone();
    *changed.last_mut().unwrap() = b' ';
    ground.deliver_signed(&changed, &good).await.fails(401, "invalid_signature");
    let huge = vec![b' '; 4 * 1024 * 1024 + 1];
    ground.deliver(&huge).await.fails(413, "body_too_large");
    assert_eq!(as_platform(&ground, "/api/inbound").await["items"], json!([]));
    let mut config = (*ground.state.config).clone();
    config.whatsapp_app_secrets.clear();
    let state = ground.state.with_config(config);
    let open = Ground { api: sluice_api::router(state.clone()), state, ..Ground::clone_of(&ground) };
    open.deliver(&raw).await.fails(503, "whatsapp_not_configured");
}

async fn what_cannot_be_read_is_kept_and_visible(db: Db) {
    let ground = Ground::new(db).await;
    let bodies: [Vec<u8>; 5] = [
        b"{".to_vec(),
        vec![0xff, 0xfe],
        br#"{"object":"page","entry":[]}"#.to_vec(),
        "[".repeat(200_000).into_bytes(),
        br#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":5}]}]}"#.to_vec(),
    ];
    for raw in bodies {
        let answer = ground.deliver(&raw).await.expect(200);
        ground.state.settle_inbound().await;
        let shown =
            as_platform(&ground, &format!("/api/inbound/{}", answer.json()["id"].as_str().unwrap())).await;
        assert_eq!(shown["status"], "quarantined", "{shown}");
        assert!(shown["note"].is_string(), "{shown}");
        assert_eq!(shown["raw"].is_null(), shown["raw_base64"].is_string(), "{shown}");
    }
}

async fn a_message_starts_one_run_however_often_it_comes(db: Db) {
    let ground = Ground::new(db).await;
    ground.connect(NUMBER, WABA).await;
    ground
        .published(heard("Hear", &[("shape", "test.set", json!({ "value": "{{ json.message.text }}" }))]))
        .await;
    let raw = text_message("wamid.1", "919800000001", "hello");
    let first = ground.deliver(&raw).await.expect(200).json();
    assert_eq!(first["duplicate"], false);
    ground.state.settle_inbound().await;
    let again = ground.deliver(&raw).await.expect(200).json();
    assert_eq!(again["duplicate"], true);
    let mut other_bytes = raw.clone();
    other_bytes.push(b'\n');
    let third = ground.deliver(&other_bytes).await.expect(200).json();
    ground.state.settle_inbound().await;
    let shown = async |answer: &Value| {
        ground.get(&format!("/api/inbound/{}", answer["id"].as_str().unwrap())).await.expect(200).json()
    };
    let (first, again, third) = (shown(&first).await, shown(&again).await, shown(&third).await);
    assert_eq!(
        (&first["status"], &again["status"], &third["status"]),
        (&json!("processed"), &json!("duplicate"), &json!("duplicate"))
    );
    assert_eq!(again["duplicate_of"], first["id"]);
    let runs = ground.get("/api/runs").await.json();
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
    assert_eq!(first["runs"], json!([runs["items"][0]["id"]]));
    let run = ground.get(&format!("/api/runs/{}", first["runs"][0].as_str().unwrap())).await.json();
    assert_eq!(run["inbound_id"], first["id"]);
    let replayed = ground
        .post(&format!("/api/inbound/{}/replay", first["id"].as_str().unwrap()), Value::Null)
        .await
        .expect(200)
        .json();
    assert_eq!(replayed["runs"], first["runs"], "a replay starts nothing twice");
    assert_eq!(ground.get("/api/runs").await.json()["items"].as_array().unwrap().len(), 1);
}

async fn a_reply_reaches_the_run_that_waits_and_order_is_kept(db: Db) {
    let ground = Ground::new(db).await;
    ground.connect(NUMBER, WABA).await;
    let pause = ("pause", "test.pause", json!({ "key": "conversation:{{ json.conversation.id }}" }));
    ground.published(heard("Talk", &[pause])).await;
    let from = "919800000001";
    let messages = [("wamid.1", "first"), ("wamid.2", "second"), ("wamid.3", "third"), ("wamid.4", "fourth")];
    for (id, text) in messages {
        ground.deliver(&text_message(id, from, text)).await.expect(200);
    }
    ground.state.settle_inbound().await;
    ground.state.engine.settle().await;
    let runs = ground.get("/api/runs").await.json();
    let runs = runs["items"].as_array().unwrap();
    assert_eq!(runs.len(), 2, "each run takes one message to begin and one as its reply");
    for (run, (began, replied)) in runs.iter().rev().zip([("first", "second"), ("third", "fourth")]) {
        let run = ground.get(&format!("/api/runs/{}", run["id"].as_str().unwrap())).await.json();
        assert_eq!(run["nodes"][0]["output"]["main"][0]["json"]["message"]["text"], began);
        assert_eq!(run["nodes"][1]["output"]["main"][0]["json"]["message"]["text"], replied);
    }
    let inbound = ground.get("/api/inbound").await.json();
    assert!(
        inbound["items"].as_array().unwrap().iter().all(|body| body["runs"].as_array().unwrap().len() == 1)
    );
}

async fn a_reply_that_a_run_took_before_a_crash_is_not_taken_again(db: Db) {
    let ground = Ground::new(db).await;
    ground.connect(NUMBER, WABA).await;
    let pause = |id: &'static str| {
        (id, "test.pause", json!({ "key": "{{ \"conversation:\" + node(\"heard\").json.conversation.id }}" }))
    };
    ground.published(heard("Talk", &[pause("first"), pause("second")])).await;
    let from = "919800000001";
    for (id, text) in [("wamid.1", "hi"), ("wamid.2", "yes")] {
        let stored = ground.deliver(&text_message(id, from, text)).await.expect(200).json();
        ground.state.settle_inbound().await;
        ground.state.engine.settle().await;
        // A crash right before the end leaves it like that: the run has the reply, the body is handled again.
        let path = format!("/api/inbound/{}/replay", stored["id"].as_str().unwrap());
        ground.post(&path, Value::Null).await.expect(200);
        ground.state.settle_inbound().await;
        ground.state.engine.settle().await;
    }
    let runs = ground.get("/api/runs").await.json();
    assert_eq!(runs["items"].as_array().unwrap().len(), 1, "{runs:#}");
    let path = format!("/api/runs/{}", runs["items"][0]["id"].as_str().unwrap());
    let run = ground.get(&path).await.json();
    let statuses: Vec<&Value> = run["nodes"].as_array().unwrap().iter().map(|node| &node["status"]).collect();
    assert_eq!(statuses, ["succeeded", "succeeded", "waiting"], "one reply answers one question");
}

async fn statuses_and_bad_neighbours(db: Db) {
    let ground = Ground::new(db).await;
    ground.connect(NUMBER, WABA).await;
    ground
        .published(chain("Statuses", &[("heard", "test.heard", json!({ "event": "whatsapp.status" }))]))
        .await;
    let mut raw: Value = serde_json::from_slice(&body(json!({
        "statuses": [{ "id": "wamid.9", "status": "sent", "timestamp": "1750000000", "recipient_id": "919800000001" }],
    }))).unwrap();
    let changes = raw["entry"][0]["changes"].as_array_mut().unwrap();
    changes.insert(0, json!({ "field": 5 }));
    changes.push(json!({ "field": "something_new", "value": { "x": 1 } }));
    raw["entry"].as_array_mut().unwrap().insert(0, json!("no entry"));
    let answer = ground.deliver(raw.to_string().as_bytes()).await.expect(200).json();
    ground.state.settle_inbound().await;
    let shown = as_platform(&ground, &format!("/api/inbound/{}", answer["id"].as_str().unwrap())).await;
    assert_eq!(
        (&shown["status"], shown["runs"].as_array().unwrap().len()),
        (&json!("processed"), 1),
        "{shown}"
    );
    assert_eq!(shown["changes"][1]["field"], "something_new");
    assert!(shown["note"].as_str().unwrap().contains("entry[0]"), "{shown}");
}

async fn what_a_crash_left_behind_is_taken_up_in_order(db: Db) {
    let ground = Ground::new(db).await;
    ground.connect(NUMBER, WABA).await;
    ground
        .published(heard("Hear", &[("shape", "test.set", json!({ "value": "{{ json.message.text }}" }))]))
        .await;
    for (id, text) in [("wamid.1", "one"), ("wamid.2", "two"), ("wamid.3", "three")] {
        ground
            .records
            .store_inbound("whatsapp", &text_message(id, "919800000001", text), true)
            .await
            .unwrap();
    }
    assert_eq!(sluice_api::recover_inbound(&ground.state).await.unwrap(), 3);
    ground.state.settle_inbound().await;
    ground.state.engine.settle().await;
    let runs = ground.get("/api/runs").await.json();
    let mut texts = Vec::new();
    for run in runs["items"].as_array().unwrap().iter().rev() {
        let run = ground.get(&format!("/api/runs/{}", run["id"].as_str().unwrap())).await.json();
        texts.push(run["nodes"][1]["output"]["main"][0]["json"].clone());
    }
    assert_eq!(texts, ["one", "two", "three"]);
    assert_eq!(sluice_api::recover_inbound(&ground.state).await.unwrap(), 0);
}

/// Twelve people write six messages each, all of which lie there when somebody begins to read.
async fn bodies_of_many_people_keep_the_order_of_each(db: Db) {
    let ground = Ground::new(db).await;
    ground.connect(NUMBER, WABA).await;
    ground
        .published(heard("Hear", &[("shape", "test.set", json!({ "value": "{{ json.message.text }}" }))]))
        .await;
    for number in 0..6 {
        for who in 10..22 {
            let (id, from) = (format!("wamid.{who}.{number}"), format!("9198000000{who}"));
            let body = text_message(&id, &from, &format!("{who} {number}"));
            ground.records.store_inbound("whatsapp", &body, true).await.unwrap();
        }
    }
    assert_eq!(sluice_api::recover_inbound(&ground.state).await.unwrap(), 72);
    ground.state.settle_inbound().await;
    ground.state.engine.settle().await;
    let runs = ground.get("/api/runs?limit=200").await.json();
    let mut heard = std::collections::BTreeMap::<String, Vec<String>>::new();
    for run in runs["items"].as_array().unwrap().iter().rev() {
        let run = ground.get(&format!("/api/runs/{}", run["id"].as_str().unwrap())).await.json();
        let text = run["nodes"][1]["output"]["main"][0]["json"].as_str().unwrap().to_owned();
        let (who, number) = text.split_once(' ').unwrap();
        heard.entry(who.to_owned()).or_default().push(number.to_owned());
    }
    assert_eq!(heard.len(), 12);
    for (who, numbers) in heard {
        assert_eq!(numbers, ["0", "1", "2", "3", "4", "5"], "{who}");
    }
    let left = as_platform(&ground, "/api/inbound?status=received").await;
    assert_eq!(left["items"], json!([]));
}

async fn a_body_that_was_never_finished_is_put_aside_and_its_neighbours_are_not(db: Db) {
    let ground = Ground::new(db).await;
    ground.connect(NUMBER, WABA).await;
    ground.published(heard("Hear", &[])).await;
    let mut ids = Vec::new();
    for (id, text) in [("wamid.1", "one"), ("wamid.2", "two"), ("wamid.3", "three"), ("wamid.4", "four")] {
        let body = text_message(id, "919800000001", text);
        ids.push(ground.records.store_inbound("whatsapp", &body, true).await.unwrap().id);
    }
    // The second brought the process down five times, the third was beside it until they were told apart.
    for (id, attempts) in [(&ids[1], 5), (&ids[2], 3)] {
        for _ in 0..attempts {
            assert!(ground.records.count_attempt(id).await.unwrap());
        }
    }
    assert_eq!(sluice_api::recover_inbound(&ground.state).await.unwrap(), 4);
    ground.state.settle_inbound().await;
    let status = async |id: &str| {
        as_platform(&ground, &format!("/api/inbound/{id}")).await["status"].as_str().unwrap().to_owned()
    };
    let mut statuses = Vec::new();
    for id in &ids {
        statuses.push(status(id).await);
    }
    assert_eq!(statuses, ["processed", "quarantined", "processed", "processed"]);
    // A person who knows better has it handled.
    let path = format!("/api/inbound/{}/replay", ids[1]);
    let done = ground.call_as(&ground.platform_key, "POST", &path, Value::Null).await.expect(200).json();
    assert_eq!((&done["status"], done["runs"].as_array().unwrap().len()), (&json!("processed"), 1));
}

/// Many kills from outside left many suspects, and their people wait for answers under way.
async fn suspects_that_wait_for_their_lanes_keep_nobody_else_waiting(db: Db) {
    let ground = Ground::new(db).await;
    ground.connect(NUMBER, WABA).await;
    ground.published(heard("Hear", &[])).await;
    let people: Vec<String> = (100..150).map(|who| format!("919800000{who}")).collect();
    for who in &people {
        ground
            .records
            .store_inbound("whatsapp", &text_message(&format!("a.{who}"), who, "hi"), true)
            .await
            .unwrap();
    }
    sluice_api::recover_inbound(&ground.state).await.unwrap();
    ground.state.settle_inbound().await;
    ground.state.engine.settle().await;
    let known = ground.get("/api/conversations?limit=200").await.json();
    let known = known["items"].as_array().unwrap();
    assert_eq!(known.len(), people.len());
    let lanes = ground.state.engine.lanes();
    let names = known.iter().map(|one| sluice_records::lane(one["id"].as_str().unwrap()));
    let held: Vec<_> = names.map(|name| lanes.enter(&name).held_now().unwrap()).collect();
    for who in &people {
        let body = text_message(&format!("b.{who}"), who, "again");
        let id = ground.records.store_inbound("whatsapp", &body, true).await.unwrap().id;
        for _ in 0..3 {
            assert!(ground.records.count_attempt(&id).await.unwrap());
        }
    }
    let body = text_message("wamid.1", "919800000001", "somebody else");
    let other = ground.records.store_inbound("whatsapp", &body, true).await.unwrap().id;
    sluice_api::recover_inbound(&ground.state).await.unwrap();
    // Were each given a third of a second to be alone, it would be a quarter of a minute.
    let path = format!("/api/inbound/{other}");
    let handled = async { while as_platform(&ground, &path).await["status"] != "processed" {} };
    tokio::time::timeout(Duration::from_secs(10), handled).await.unwrap();
    drop(held);
    ground.state.settle_inbound().await;
    let left = as_platform(&ground, "/api/inbound?status=received").await;
    assert_eq!(left["items"], json!([]));
}

/// The first commit is not answered, as when the database is restarted: its body is tried again in its place.
async fn what_the_database_could_not_take_for_a_moment_is_not_overtaken(db: Db) {
    let faults = FaultPlan::losing_answer(1);
    let config = EngineConfig { faults, ..EngineConfig::default() };
    let ground = Ground::with_engine(db, config, |_| {}).await;
    ground.connect(NUMBER, WABA).await;
    ground
        .published(heard("Hear", &[("shape", "test.set", json!({ "value": "{{ json.message.text }}" }))]))
        .await;
    let mut stored = Vec::new();
    for (id, text) in [("wamid.1", "one"), ("wamid.2", "two"), ("wamid.3", "three")] {
        let body = text_message(id, "919800000001", text);
        stored.push(ground.deliver(&body).await.expect(200).json()["id"].as_str().unwrap().to_owned());
    }
    ground.state.settle_inbound().await;
    ground.state.engine.settle().await;
    let mut texts = Vec::new();
    for id in stored {
        let body = as_platform(&ground, &format!("/api/inbound/{id}")).await;
        assert_eq!(body["status"], "processed", "{body}");
        let run = ground.get(&format!("/api/runs/{}", body["runs"][0].as_str().unwrap())).await.json();
        texts.push((
            run["created_at"].as_i64().unwrap(),
            run["nodes"][1]["output"]["main"][0]["json"].clone(),
        ));
    }
    assert!(texts.is_sorted_by_key(|(at, _)| *at), "{texts:?}");
    let texts: Vec<Value> = texts.into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    assert_eq!(ground.get("/api/runs").await.json()["items"].as_array().unwrap().len(), 3);
}

/// The run was started, and the process ended before that was noted.
async fn a_run_that_was_started_before_a_crash_is_noted_after_it(db: Db) {
    let ground = Ground::new(db.clone()).await;
    ground.connect(NUMBER, WABA).await;
    ground.published(heard("Hear", &[])).await;
    let body = text_message("wamid.1", "919800000001", "hi");
    let stored = ground.deliver(&body).await.expect(200).json();
    ground.state.settle_inbound().await;
    ground.state.engine.settle().await;
    let path = format!("/api/inbound/{}", stored["id"].as_str().unwrap());
    let before = as_platform(&ground, &path).await["runs"].clone();
    assert_eq!(before.as_array().unwrap().len(), 1);
    db.query("delete from inbound_body_runs").execute().await.unwrap();
    db.query("update inbound_bodies set status = 'received'").execute().await.unwrap();
    assert_eq!(sluice_api::recover_inbound(&ground.state).await.unwrap(), 1);
    ground.state.settle_inbound().await;
    assert_eq!(as_platform(&ground, &path).await["runs"], before);
}

async fn an_ignored_body_is_handled_once_its_number_is_connected(db: Db) {
    let ground = Ground::new(db).await;
    ground.published(heard("Hear", &[])).await;
    let answer = ground.deliver(&text_message("wamid.1", "919800000001", "hi")).await.expect(200).json();
    ground.state.settle_inbound().await;
    let path = format!("/api/inbound/{}/replay", answer["id"].as_str().unwrap());
    ground.post(&path, Value::Null).await.fails(404, "not_found");
    ground.connect(NUMBER, WABA).await;
    let done = ground.call_as(&ground.platform_key, "POST", &path, Value::Null).await.expect(200).json();
    assert_eq!((&done["status"], done["runs"].as_array().unwrap().len()), (&json!("processed"), 1));
}

sluice_db::contract_tests! {
    meta_can_verify_the_address,
    every_sample_is_taken_as_its_index_says,
    every_sample_of_a_connected_number_is_processed,
    what_is_not_signed_is_not_stored,
    what_cannot_be_read_is_kept_and_visible,
    a_message_starts_one_run_however_often_it_comes,
    a_reply_reaches_the_run_that_waits_and_order_is_kept,
    a_reply_that_a_run_took_before_a_crash_is_not_taken_again,
    statuses_and_bad_neighbours,
    what_a_crash_left_behind_is_taken_up_in_order,
    bodies_of_many_people_keep_the_order_of_each,
    a_body_that_was_never_finished_is_put_aside_and_its_neighbours_are_not,
    suspects_that_wait_for_their_lanes_keep_nobody_else_waiting,
    a_run_that_was_started_before_a_crash_is_noted_after_it,
    what_the_database_could_not_take_for_a_moment_is_not_overtaken,
    an_ignored_body_is_handled_once_its_number_is_connected,
}
