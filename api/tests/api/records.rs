//! Numbers, contacts, conversations and messages.

use crate::ground::Ground;
use crate::webhook::{NUMBER, WABA, text_message};
use serde_json::{Value, json};
use sluice_db::Db;

async fn a_number_is_connected_and_let_go(db: Db) {
    let ground = Ground::new(db).await;
    let number = json!({ "phone_number_id": NUMBER, "waba_id": WABA, "display_phone_number": "+1 555", "credential": "meta" });
    ground.post("/api/numbers", number.clone()).await.fails(404, "not_found");
    ground
        .post(
            "/api/credentials",
            json!({ "name": "meta", "kind": "whatsapp", "secret": { "access_token": "t" } }),
        )
        .await
        .expect(201);
    let made = ground.post("/api/numbers", number.clone()).await.expect(201).json();
    assert_eq!((&made["credential"], &made["status"]), (&json!("meta"), &json!("connected")));
    ground.post("/api/numbers", json!({ "phone_number_id": "../x", "waba_id": "1", "display_phone_number": "", "credential": "meta" })).await.fails(422, "invalid_value");
    ground.call("DELETE", "/api/credentials/meta", Value::Null).await.fails(409, "conflict");
    ground
        .call_as(
            &ground.other_key,
            "POST",
            "/api/credentials",
            json!({ "name": "meta", "kind": "whatsapp", "secret": {} }),
        )
        .await
        .expect(201);
    ground.call_as(&ground.other_key, "POST", "/api/numbers", number).await.fails(409, "conflict");
    let path = format!("/api/numbers/{NUMBER}");
    assert_eq!(ground.get(&path).await.expect(200).json(), made);
    assert_eq!(ground.get("/api/numbers").await.expect(200).json()["items"], json!([made]));
    ground.call("DELETE", &path, Value::Null).await.expect(204);
    ground.get(&path).await.fails(404, "not_found");
}

async fn people_and_what_they_wrote_can_be_read(db: Db) {
    let ground = Ground::new(db).await;
    ground.connect(NUMBER, WABA).await;
    ground.deliver(&text_message("wamid.1", "919800000001", "hello")).await.expect(200);
    ground.state.settle_inbound().await;
    let contacts = ground.get("/api/contacts?search=asha").await.expect(200).json();
    let contact = &contacts["items"][0];
    assert_eq!(
        (&contact["profile_name"], &contact["identities"][0]["kind"]),
        (&json!("Asha Rao"), &json!("phone"))
    );
    assert_eq!(ground.get("/api/contacts?search=nobody").await.expect(200).json()["items"], json!([]));
    assert_eq!(
        ground.get(&format!("/api/contacts/{}", contact["id"].as_str().unwrap())).await.expect(200).json(),
        *contact
    );
    let conversations = ground.get("/api/conversations?status=open").await.expect(200).json();
    let conversation = &conversations["items"][0];
    assert_eq!((&conversation["contact_id"], &conversation["unread"]), (&contact["id"], &json!(1)));
    assert_eq!(ground.get("/api/conversations?status=closed").await.expect(200).json()["items"], json!([]));
    ground.get("/api/conversations?status=odd").await.fails(400, "invalid_query");
    let path = format!("/api/conversations/{}", conversation["id"].as_str().unwrap());
    assert_eq!(ground.get(&path).await.expect(200).json(), *conversation);
    let messages = ground.get(&format!("{path}/messages")).await.expect(200).json();
    let message = &messages["items"][0];
    assert_eq!(
        (&message["direction"], &message["status"], &message["content"]["text"]),
        (&json!("in"), &json!("received"), &json!("hello"))
    );
    assert_eq!(
        ground.get(&format!("/api/messages/{}", message["id"].as_str().unwrap())).await.expect(200).json(),
        *message
    );
    for kind in ["contacts", "conversations", "messages"] {
        ground.get(&format!("/api/{kind}/x_none")).await.fails(404, "not_found");
    }
    ground.get("/api/conversations/x_none/messages").await.fails(404, "not_found");
    for (path, id) in
        [("contacts", &contact["id"]), ("conversations", &conversation["id"]), ("messages", &message["id"])]
    {
        ground
            .call_as(&ground.other_key, "GET", &format!("/api/{path}/{}", id.as_str().unwrap()), Value::Null)
            .await
            .fails(404, "not_found");
    }
}

sluice_db::contract_tests! { a_number_is_connected_and_let_go, people_and_what_they_wrote_can_be_read }
