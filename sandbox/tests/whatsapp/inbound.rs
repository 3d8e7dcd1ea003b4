//! The customer writes: messages of any type, files, links between phone and user id.
//!
//! It must not know outgoing messages beyond those a reply points to.

use crate::support::{House, NUMBER, USER, WABA};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

#[tokio::test]
async fn a_text_arrives_as_meta_would_send_it() {
    let house = House::open().await;
    let from = json!({ "phone": "+1 650 555-1234", "name": "Zoë" });
    let answer = house.inbound(from, json!({ "type": "text", "text": { "body": "a/b @ ä" } })).await.body;
    assert_eq!((answer["delivered"].clone(), answer["status"].clone()), (json!(true), json!(200)));
    let webhook = house.server.webhooks(1).await[0].clone();
    assert!(String::from_utf8_lossy(&webhook.raw).contains(r"a\/b \u0040 \u00e4"));
    let body = webhook.json();
    assert_eq!(body["entry"][0]["id"], WABA);
    let value = webhook.value();
    let message = &value["messages"][0];
    let keys: Vec<&str> = message.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["from", "from_user_id", "id", "timestamp", "type", "text"]);
    assert_eq!(message["id"], answer["id"]);
    assert_eq!(message["from"], USER);
    assert_eq!(value["contacts"][0]["user_id"], message["from_user_id"]);
}

#[tokio::test]
async fn any_type_is_passed_through() {
    let house = House::open().await;
    let messages = [
        json!({ "type": "location", "location": { "latitude": 1.5, "longitude": 2.5 } }),
        json!({ "type": "contacts", "contacts": [{ "name": { "formatted_name": "A" } }] }),
        json!({ "type": "reaction", "reaction": { "message_id": "wamid.A", "emoji": "👍" } }),
        json!({ "type": "interactive", "interactive": { "type": "nfm_reply", "nfm_reply": { "name": "flow", "response_json": "{}" } } }),
        json!({ "type": "order", "order": { "catalog_id": "1", "product_items": [] } }),
        json!({ "type": "hologram", "hologram": { "frames": 3 } }),
        json!({ "type": "unsupported", "errors": [{ "code": 131051 }] }),
        json!({ "type": "request_welcome" }),
    ];
    for (index, message) in messages.iter().enumerate() {
        house.inbound(json!({ "phone": USER }), message.clone()).await;
        let got = house.server.webhooks(index + 1).await[index].value()["messages"][0].clone();
        for (key, value) in message.as_object().unwrap() {
            assert_eq!(&got[key], value);
        }
    }
}

#[tokio::test]
async fn a_system_message_has_no_contacts() {
    let house = House::open().await;
    let system =
        json!({ "type": "system", "system": { "type": "user_changed_number", "wa_id": "16505550000" } });
    house.inbound(json!({ "phone": USER }), system).await;
    assert!(house.server.webhooks(1).await[0].value().get("contacts").is_none());
}

#[tokio::test]
async fn files_can_be_looked_up_and_downloaded() {
    let house = House::open().await;
    let own = STANDARD.encode(b"my picture");
    let image =
        json!({ "type": "image", "image": { "caption": "c", "data_base64": own, "mime_type": "image/png" } });
    house.inbound(json!({ "phone": USER }), image).await;
    let image = house.server.webhooks(1).await[0].value()["messages"][0]["image"].clone();
    assert_eq!((image["caption"].clone(), image["mime_type"].clone()), (json!("c"), json!("image/png")));
    assert!(image.get("data_base64").is_none());
    let found = house.get(&format!("/{}", image["id"].as_str().unwrap())).await.body;
    let bytes = STANDARD.decode(image["sha256"].as_str().unwrap()).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found["sha256"], hex);
    for url in [&found["url"], &image["url"]] {
        let answer = house.run(house.request("GET", url.as_str().unwrap()).bearer_auth("t")).await;
        assert_eq!(answer.body, "my picture");
    }
    for kind in ["video", "audio", "document", "sticker"] {
        house.inbound(json!({ "phone": USER }), json!({ "type": kind, kind: {} })).await;
    }
    let webhooks = house.server.webhooks(5).await;
    assert_eq!(webhooks[2].value()["messages"][0]["audio"]["voice"], true);
    assert_eq!(webhooks[4].value()["messages"][0]["sticker"]["animated"], false);
    // Ids from webhooks live 7 days.
    house.sandbox.advance(7 * 24 * 3600 * 1000);
    assert_eq!(house.get(&format!("/{}", image["id"].as_str().unwrap())).await.error(), (400, 100));
}

#[tokio::test]
async fn a_tap_points_to_the_newest_message_with_controls() {
    let house = House::with_open_window().await;
    let buttons = json!({ "type": "interactive", "interactive": { "type": "button", "body": { "text": "b" },
        "action": { "buttons": [{ "type": "reply", "reply": { "id": "a", "title": "A" } }] } } });
    let asked = house.send(buttons).await.message_id();
    house.send_text("anything else").await;
    house.server.webhooks(7).await;
    let tap = json!({ "type": "interactive", "interactive": { "type": "button_reply", "button_reply": { "id": "a", "title": "A" } } });
    house.inbound(json!({ "phone": USER }), tap.clone()).await;
    let context = house.server.webhooks(8).await[7].value()["messages"][0]["context"].clone();
    assert_eq!(context, json!({ "from": "15550783881", "id": asked }));
    let mut own = tap;
    own["context"] = json!({ "id": "wamid.X" });
    house.inbound(json!({ "phone": USER }), own).await;
    assert_eq!(
        house.server.webhooks(9).await[8].value()["messages"][0]["context"],
        json!({ "id": "wamid.X" })
    );
}

#[tokio::test]
async fn phone_and_user_id_given_together_are_one_person_from_then_on() {
    let house = House::open().await;
    let both = json!({ "phone": USER, "user_id": "US.999", "parent_user_id": "US.1000" });
    house.inbound(both, json!({ "type": "text", "text": { "body": "hi" } })).await;
    house.send_text("hello").await;
    let status = house.server.webhooks(2).await[1].value()["statuses"][0].clone();
    assert_eq!(
        (status["recipient_user_id"].clone(), status["parent_recipient_user_id"].clone()),
        (json!("US.999"), json!("US.1000"))
    );
}

#[tokio::test]
async fn wrong_requests_say_what_is_wrong_and_where() {
    let house = House::open().await;
    let text = json!({ "type": "text", "text": { "body": "x" } });
    for (body, path) in [
        (json!({ "from": {}, "message": text }), "from"),
        (json!({ "from": { "phone": "abc" }, "message": text }), "from.phone"),
        (json!({ "from": { "user_id": "abc" }, "message": text }), "from.user_id"),
        (json!({ "phone_number_id": "1", "from": { "phone": USER }, "message": text }), "phone_number_id"),
        (json!({ "from": { "phone": USER }, "message": {} }), "message.type"),
        (json!({ "from": { "phone": USER }, "message": { "type": "image", "image": "x" } }), "message"),
        (
            json!({ "from": { "phone": USER }, "message": { "type": "image", "image": { "data_base64": "%" } } }),
            "message",
        ),
        (json!({ "from": { "phone": USER }, "message": text, "extra": 1 }), ""),
    ] {
        let answer = house.control("POST", "/whatsapp/inbound", body.clone()).await;
        assert_eq!((answer.status, answer.body["error"]["path"].clone()), (400, json!(path)), "{body}");
        assert!(answer.body["error"]["message"].as_str().is_some_and(|text| text.len() > 10));
    }
    assert_eq!(house.server.count(), 0);
}

#[tokio::test]
async fn any_other_webhook_can_be_sent() {
    let house = House::open().await;
    let change = json!({ "phone_number_id": NUMBER, "field": "account_update", "value": { "event": "DISABLED_UPDATE" } });
    let answer = house.control("POST", "/whatsapp/webhook", change).await.body;
    assert_eq!(answer["delivered"], true);
    let body = house.server.webhooks(1).await[0].json();
    assert_eq!(body["entry"][0]["changes"][0]["field"], "account_update");
    assert!(body["entry"][0]["time"].is_i64());
    let whole = json!({ "body": { "object": "whatsapp_business_account", "entry": [] } });
    house.control("POST", "/whatsapp/webhook", whole.clone()).await;
    assert_eq!(house.server.webhooks(2).await[1].json(), whole["body"]);
    assert_eq!(house.control("POST", "/whatsapp/webhook", json!({ "field": "x" })).await.status, 400);
    let nobody = house.control("POST", "/whatsapp/connect", json!({ "webhook_url": Value::Null })).await;
    assert_eq!(nobody.body["whatsapp"]["webhook_url"], Value::Null);
}
