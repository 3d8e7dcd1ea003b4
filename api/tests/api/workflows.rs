//! Workflows: drafts, versions, test runs, files, templates, the catalogue.

use crate::ground::{Ground, chain, greeting};
use serde_json::{Value, json};
use sluice_db::Db;

async fn a_draft_is_created_read_saved_and_deleted(db: Db) {
    let ground = Ground::new(db).await;
    let made = ground.post("/api/workflows", greeting()).await.expect(201).json();
    assert_eq!((&made["revision"], &made["published_version"]), (&json!(1), &Value::Null));
    assert_eq!(made["document"]["nodes"][0]["version"], 1, "types are pinned on save");
    assert_eq!(made["problems"], json!([]));
    let path = format!("/api/workflows/{}", made["id"].as_str().unwrap());
    assert_eq!(ground.get(&path).await.expect(200).json(), made);
    let mut document = greeting();
    document["name"] = "Better greeting".into();
    let saved =
        ground.call("PUT", &path, json!({ "revision": 1, "document": document })).await.expect(200).json();
    assert_eq!((&saved["revision"], &saved["name"]), (&json!(2), &json!("Better greeting")));
    document["revision"] = 2.into();
    ground.call("PUT", &path, document.clone()).await.expect(200);
    let stale = ground.call("PUT", &path, json!({ "revision": 1, "document": greeting() })).await;
    assert_eq!(stale.fails(409, "stale_revision")["details"]["current_revision"], 3);
    ground.post("/api/workflows", json!({ "document": greeting() })).await.expect(201);
    ground.post("/api/workflows", greeting()).await.fails(409, "name_taken");
    let list = ground.get("/api/workflows?limit=1").await.expect(200).json();
    assert_eq!(list["items"][0]["name"], "Better greeting");
    let next = list["next"].as_str().unwrap();
    let list = ground.get(&format!("/api/workflows?cursor={next}")).await.expect(200).json();
    assert_eq!((&list["items"][0]["name"], &list["next"]), (&json!("Greeting"), &Value::Null));
    ground.get("/api/workflows?cursor=nonsense").await.fails(400, "invalid_cursor");
    ground.call("DELETE", &path, Value::Null).await.expect(204);
    ground.call("DELETE", &path, Value::Null).await.fails(404, "not_found");
    ground.get(&path).await.fails(404, "not_found");
}

async fn a_document_that_is_none_is_refused_with_all_its_problems(db: Db) {
    let ground = Ground::new(db).await;
    let mut document = greeting();
    document["nodes"][0]["surprise"] = 1.into();
    document["edges"][0]["form"] = "x".into();
    let refused = ground.post("/api/workflows", document.clone()).await.fails(422, "invalid_workflow");
    let paths: Vec<_> =
        refused["details"]["problems"].as_array().unwrap().iter().map(|one| one["path"].clone()).collect();
    assert!(paths.len() >= 2 && paths.iter().any(|path| path == "/nodes/0/surprise"), "{paths:?}");
    let verdict = ground.post("/api/workflows/validate", document).await.expect(200).json();
    assert_eq!(verdict["valid"], false);
    let verdict = ground.post("/api/workflows/validate", greeting()).await.expect(200).json();
    assert_eq!((&verdict["valid"], &verdict["problems"]), (&json!(true), &json!([])));
    for odd in [json!([]), json!("x"), json!(5), json!({}), json!({ "sluice": 9, "name": "x", "nodes": [] })]
    {
        ground.post("/api/workflows", odd.clone()).await.fails(422, "invalid_workflow");
        assert_eq!(ground.post("/api/workflows/validate", odd).await.expect(200).json()["valid"], false);
    }
    let mut nameless = greeting();
    for name in ["", "  ", "a\u{0}b", "a\nb", &"x".repeat(201)] {
        nameless["name"] = name.into();
        ground.post("/api/workflows", nameless.clone()).await.fails(422, "invalid_workflow");
    }
    let mut draft = greeting();
    draft["nodes"][1]["type"] = "test.unknown".into();
    let made = ground.post("/api/workflows", draft).await.expect(201).json();
    assert_eq!(made["problems"][0]["node"], "shape", "drafts may have problems: {made}");
    let publish = format!("/api/workflows/{}/publish", made["id"].as_str().unwrap());
    ground.post(&publish, Value::Null).await.fails(422, "invalid_workflow");
}

async fn versions_are_frozen_and_can_be_restored(db: Db) {
    let ground = Ground::new(db).await;
    let id = ground.workflow(chain("Shop", &[("hook", "test.hook", json!({ "path": "shop" }))])).await;
    let path = format!("/api/workflows/{id}");
    let published = ground.post(&format!("{path}/publish"), Value::Null).await.expect(200).json();
    assert_eq!(published["version"], 1);
    assert_eq!(published["triggers"][0]["url"], "https://sluice.test/hooks/asha-foods/shop");
    let taken = chain("Rival", &[("hook", "test.hook", json!({ "path": "shop" }))]);
    let rival = ground.workflow(taken).await;
    let refused = ground.post(&format!("/api/workflows/{rival}/publish"), Value::Null).await;
    assert_eq!(refused.fails(409, "path_taken")["details"]["workflow"], "Shop");
    let changed = chain("Shop 2", &[("hook", "test.hook", json!({ "path": "shop-2" }))]);
    ground.call("PUT", &path, json!({ "revision": 1, "document": changed })).await.expect(200);
    ground.post(&format!("{path}/publish"), Value::Null).await.expect(200);
    let versions = ground.get(&format!("{path}/versions")).await.expect(200).json();
    let shown: Vec<_> = versions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["version"].clone(), one["is_active"].clone()))
        .collect();
    assert_eq!(shown, [(json!(2), json!(true)), (json!(1), json!(false))]);
    let first = ground.get(&format!("{path}/versions/1")).await.expect(200).json();
    assert_eq!(first["document"]["name"], "Shop");
    ground.get(&format!("{path}/versions/9")).await.fails(404, "not_found");
    ground.get(&format!("{path}/versions/x")).await.fails(400, "invalid_path");
    let restored = ground.post(&format!("{path}/restore/1"), Value::Null).await.expect(200).json();
    assert_eq!(
        (&restored["name"], &restored["revision"], &restored["published_version"]),
        (&json!("Shop"), &json!(3), &json!(2))
    );
    ground.post(&format!("{path}/restore/7"), Value::Null).await.fails(404, "not_found");
    let off = ground.post(&format!("{path}/unpublish"), Value::Null).await.expect(200).json();
    assert_eq!(off["published_version"], Value::Null);
}

async fn exported_and_imported_again_is_the_same_text(db: Db) {
    let ground = Ground::new(db).await;
    let mut document = greeting();
    document["nodes"][0]["position"] = json!({ "x": 1.5, "y": -20 });
    document["settings"] = json!({ "timezone": "Asia/Kolkata" });
    document["description"] = "héllo ✓ \"quoted\"".into();
    document["fixtures"] =
        json!({ "start": [{ "json": { "z": 1e3, "a": 0.1, "big": 12345678901234567_u64 } }] });
    let id = ground.workflow(document).await;
    let first = ground.get(&format!("/api/workflows/{id}/export")).await.expect(200);
    assert!(first.text().starts_with("{\n  \"sluice\": 1,") && first.text().ends_with("}\n"));
    ground.call("DELETE", &format!("/api/workflows/{id}"), Value::Null).await.expect(204);
    let imported = ground.post("/api/workflows/import", first.json()).await.expect(200).json();
    let again =
        ground.get(&format!("/api/workflows/{}/export", imported["items"][0]["id"].as_str().unwrap())).await;
    assert_eq!(first.bytes, again.bytes);
    let twice =
        ground.post("/api/workflows/import", json!([first.json(), first.json()])).await.expect(200).json();
    assert_eq!(
        (&twice["items"][0]["name"], &twice["items"][1]["name"]),
        (&json!("Greeting 2"), &json!("Greeting 3"))
    );
    let replaced = ground.post("/api/workflows/import?replace=true", first.json()).await.expect(200).json();
    assert_eq!(
        (&replaced["items"][0]["replaced"], &replaced["items"][0]["revision"]),
        (&json!(true), &json!(2))
    );
    let half = json!([first.json(), { "sluice": 1 }]);
    let refused = ground.post("/api/workflows/import", half).await.fails(422, "invalid_workflow");
    assert_eq!(refused["details"]["document"], 1);
    assert_eq!(
        ground.get("/api/workflows").await.json()["items"].as_array().unwrap().len(),
        3,
        "nothing was saved"
    );
}

async fn a_test_run_answers_its_trace(db: Db) {
    let ground = Ground::new(db).await;
    let id = ground.workflow(greeting()).await;
    let path = format!("/api/workflows/{id}/run");
    let run = ground
        .post(&format!("{path}?wait=30s"), json!({ "trigger": { "name": "Asha" } }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&run["status"], &run["is_test"], &run["version"]),
        (&json!("succeeded"), &json!(true), &json!(0))
    );
    assert_eq!(run["nodes"][1]["output"]["main"][0]["json"], "hi Asha");
    let pinned = json!({ "pins": { "shape": ["pinned", { "json": { "a": 1 } }] }, "dry_run": true });
    let run = ground.post(&format!("{path}?wait=30s"), pinned).await.expect(200).json();
    assert_eq!(run["nodes"][1]["output"]["main"][1]["json"], json!({ "a": 1 }));
    assert_eq!(run["dry_run"], true);
    let marks = run["nodes"].as_array().unwrap().iter().filter(|node| node["pinned"] == true);
    assert_eq!(marks.map(|node| &node["id"]).collect::<Vec<_>>(), ["shape"]);
    let by_port = json!({ "pins": { "shape": { "main": ["on its port"] } } });
    let run = ground.post(&format!("{path}?wait=30s"), by_port).await.expect(200).json();
    assert_eq!(run["nodes"][1]["output"]["main"][0]["json"], "on its port");
    ground.post(&path, json!({ "pins": { "shape": { "nowhere": [] } } })).await.fails(404, "not_found");
    let accepted = ground.post(&path, Value::Null).await.expect(202).json();
    assert!(accepted["id"].as_str().unwrap().starts_with("run_"));
    ground.post(&format!("{path}?wait=soon"), Value::Null).await.fails(400, "invalid_query");
    ground.post(&format!("{path}?version=1"), Value::Null).await.fails(404, "not_found");
    ground.post(&path, json!({ "surprise": 1 })).await.fails(422, "invalid_body");
    ground.post(&path, json!({ "node": "nobody" })).await.fails(404, "not_found");
    ground.post(&path, json!({ "pins": { "nobody": [] } })).await.fails(404, "not_found");
    ground.post("/api/workflows/wf_none/run", Value::Null).await.fails(404, "not_found");
    ground.post(&format!("/api/workflows/{id}/publish"), Value::Null).await.expect(200);
    let run = ground.post(&format!("{path}?version=1&wait=30s"), Value::Null).await.expect(200).json();
    assert_eq!(run["version"], 1);
}

async fn waiting_for_a_run_ends_when_it_waits_for_the_outside(db: Db) {
    let ground = Ground::new(db).await;
    let document =
        chain("Ask", &[("start", "test.start", json!({})), ("pause", "test.pause", json!({ "key": "k/1" }))]);
    let id = ground.workflow(document).await;
    let run = ground.post(&format!("/api/workflows/{id}/run?wait=10m"), Value::Null).await.expect(200).json();
    assert_eq!(run["status"], "waiting");
    let woken = ground.post("/api/signals/k%2F1", json!({ "answer": 42 })).await.expect(200).json();
    assert_eq!(woken["runs"], json!([run["id"]]));
    ground.post("/api/signals/k%2F1", Value::Null).await.fails(404, "not_waiting");
    ground.state.engine.settle().await;
    let run = ground.get(&format!("/api/runs/{}", run["id"].as_str().unwrap())).await.expect(200).json();
    assert_eq!(run["nodes"][1]["output"]["main"][0]["json"]["answer"], 42);
}

async fn templates_are_listed_and_installed(db: Db) {
    let ground = Ground::new(db).await;
    let list = ground.get("/api/templates").await.expect(200).json();
    assert_eq!((&list["items"][0]["id"], &list["next"]), (&json!("echo"), &Value::Null));
    assert_eq!(ground.get("/api/templates/echo").await.expect(200).json()["document"]["name"], "Echo");
    ground.get("/api/templates/none").await.fails(404, "not_found");
    let made = ground.post("/api/templates/echo/install", Value::Null).await.expect(201).json();
    assert_eq!((&made["name"], &made["published_version"]), (&json!("Echo"), &Value::Null));
    let wish = json!({ "name": "Echo", "publish": true, "params": { "hook": { "path": "echo-2" } } });
    let made = ground.post("/api/templates/echo/install", wish).await.expect(201).json();
    assert_eq!((&made["name"], &made["published_version"]), (&json!("Echo 2"), &json!(1)));
    assert_eq!(made["document"]["nodes"][0]["params"]["path"], "echo-2");
    let odd = json!({ "params": { "nobody": {} } });
    assert_eq!(
        ground.post("/api/templates/echo/install", odd).await.fails(422, "invalid_value")["details"]["path"],
        "/params/nobody"
    );
}

async fn the_catalogue_shows_every_node_type(db: Db) {
    let ground = Ground::new(db).await;
    let list = ground.get("/api/nodes").await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 9);
    let hook = ground.get("/api/nodes/test.hook").await.expect(200).json();
    assert_eq!(hook["params_schema"]["properties"]["path"]["description"], "Where.");
    assert_eq!(hook["trigger"]["source"]["kind"], "webhook");
    ground.get("/api/nodes/test.none").await.fails(404, "not_found");
    let kinds = ground.get("/api/credential-kinds").await.expect(200).json();
    assert_eq!(kinds["items"].as_array().unwrap().len(), 1);
    assert_eq!(kinds["items"][0]["kind"], "http_header");
    let field = json!({
        "name": "value", "title": "Value", "help": "Nobody sees it", "secret": true, "required": true,
    });
    assert_eq!(kinds["items"][0]["fields"][1], field);
}

sluice_db::contract_tests! {
    a_draft_is_created_read_saved_and_deleted,
    a_document_that_is_none_is_refused_with_all_its_problems,
    versions_are_frozen_and_can_be_restored,
    exported_and_imported_again_is_the_same_text,
    a_test_run_answers_its_trace,
    waiting_for_a_run_ends_when_it_waits_for_the_outside,
    templates_are_listed_and_installed,
    the_catalogue_shows_every_node_type,
}
