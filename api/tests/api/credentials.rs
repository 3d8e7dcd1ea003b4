//! Credentials: secrets go in and never come out.

use crate::ground::Ground;
use serde_json::{Value, json};
use sluice_db::Db;

async fn a_secret_never_comes_out(db: Db) {
    let ground = Ground::new(db).await;
    let new = json!({ "name": "meta-main", "kind": "whatsapp", "public": { "app": "1" }, "secret": { "access_token": "EAAtopsecret" } });
    let made = ground.post("/api/credentials", new.clone()).await.expect(201);
    assert!(!made.text().contains("EAAtopsecret"));
    let id = made.json()["id"].as_str().unwrap().to_owned();
    ground.post("/api/credentials", new).await.fails(409, "conflict");
    for path in [
        "/api/credentials".to_owned(),
        format!("/api/credentials/{id}"),
        "/api/credentials/meta-main".to_owned(),
    ] {
        let shown = ground.get(&path).await.expect(200).text();
        assert!(shown.contains("meta-main") && !shown.contains("EAAtopsecret"), "{shown}");
    }
    let path = format!("/api/credentials/{id}");
    let changed =
        ground.call("PUT", &path, json!({ "secret": { "access_token": "EAAother" } })).await.expect(200);
    assert!(!changed.text().contains("EAAother"));
    let opened = ground.records.open_credential(&ground.asha.id, &id).await.unwrap();
    assert_eq!(opened.secret.text("access_token"), Some("EAAother"));
    assert_eq!(ground.call("PUT", &path, json!({ "name": "meta" })).await.expect(200).json()["name"], "meta");
    ground.call("DELETE", &path, Value::Null).await.expect(204);
    ground.call("DELETE", &path, Value::Null).await.fails(404, "not_found");
}

async fn refusals_do_not_repeat_the_secret(db: Db) {
    let ground = Ground::new(db).await;
    let bodies = [
        json!({ "name": "x", "kind": "k", "secret": "EAAtopsecret" }),
        json!({ "name": "x", "kind": "k", "secret": ["EAAtopsecret"] }),
        json!({ "name": "x", "kind": "k" }),
        json!({ "name": "", "kind": "k", "secret": { "t": "EAAtopsecret" } }),
        json!({ "name": "x", "kind": "k", "secret": {}, "public": "EAAtopsecret" }),
        json!({ "name": "x", "kind": "k", "secret": { "t": "EAAtopsecret" }, "extra": 1 }),
    ];
    for body in bodies {
        let refused = ground.post("/api/credentials", body.clone()).await;
        assert_eq!(refused.status, 422, "{body}");
        assert!(!refused.text().contains("EAAtopsecret"), "{}", refused.text());
    }
}

sluice_db::contract_tests! { a_secret_never_comes_out, refusals_do_not_repeat_the_secret }
