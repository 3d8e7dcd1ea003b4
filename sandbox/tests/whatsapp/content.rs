//! Plain message types: what is accepted, what is refused, and how the answer looks.
//!
//! It must not know webhooks beyond their absence.

use crate::support::{House, NUMBER, USER, all_refused};
use serde_json::{Value, json};

#[tokio::test]
async fn a_text_is_accepted_with_the_documented_answer() {
    let house = House::with_open_window().await;
    let answer = house
        .send(json!({ "recipient_type": "individual", "to": "+1 (650) 555-1234", "type": "text",
            "text": { "body": "Hi https://example.com", "preview_url": true },
            "context": { "message_id": "wamid.AAAA" }, "biz_opaque_callback_data": "run_1/send/0" }))
        .await;
    let id = answer.message_id();
    assert!(id.starts_with("wamid."));
    assert_eq!(
        answer.body,
        json!({ "messaging_product": "whatsapp", "contacts": [{ "input": "+1 (650) 555-1234", "wa_id": USER }],
            "messages": [{ "id": id }] })
    );
    assert!(answer.headers.contains_key("x-app-usage"));
    let usage: Value =
        serde_json::from_str(answer.headers["x-business-use-case-usage"].to_str().unwrap()).unwrap();
    assert_eq!(usage["102290129340398"][0]["estimated_time_to_regain_access"], 0);
}

#[tokio::test]
async fn every_plain_type_is_accepted() {
    let house = House::with_open_window().await;
    let inbound = house.customer_writes("again").await;
    for fields in [
        json!({ "text": { "body": "type is text when missing" } }),
        json!({ "type": "image", "image": { "link": "https://example.com/a.png", "caption": "c" } }),
        json!({ "type": "video", "video": { "link": "https://example.com/a.mp4" } }),
        json!({ "type": "audio", "audio": { "link": "https://example.com/a.ogg", "voice": true } }),
        json!({ "type": "document", "document": { "link": "https://example.com/a.pdf", "filename": "a.pdf" } }),
        json!({ "type": "sticker", "sticker": { "link": "https://example.com/a.webp" } }),
        json!({ "type": "location", "location": { "latitude": "52.5", "longitude": 13.4, "name": "Berlin" } }),
        json!({ "type": "contacts", "contacts": [{ "name": { "formatted_name": "A B", "first_name": "A" },
            "phones": [{ "phone": "+1" }], "birthday": "1990-02-28" }] }),
        json!({ "type": "reaction", "reaction": { "message_id": inbound, "emoji": "👍" } }),
        json!({ "type": "reaction", "reaction": { "message_id": inbound, "emoji": "" } }),
    ] {
        house.send(fields).await.message_id();
    }
}

#[tokio::test]
async fn wrong_content_is_refused_with_the_documented_code() {
    let house = House::with_open_window().await;
    let media = |value: Value| json!({ "type": "image", "image": value });
    let reaction = |value: Value| json!({ "type": "reaction", "reaction": value });
    let contact = |value: Value| json!({ "type": "contacts", "contacts": [value] });
    all_refused(
        &house,
        vec![
            (json!({ "messaging_product": "sms", "text": { "body": "x" } }), (400, 100)),
            (json!({ "to": "", "text": { "body": "x" } }), (400, 100)),
            (json!({ "to": "nobody", "text": { "body": "x" } }), (400, 100)),
            (json!({ "to": "+15550783881", "text": { "body": "x" } }), (400, 131021)),
            (json!({ "recipient_type": "all", "text": { "body": "x" } }), (400, 100)),
            (json!({ "type": "hologram", "hologram": {} }), (400, 131051)),
            (json!({ "type": 7 }), (400, 100)),
            (json!({ "type": "text" }), (400, 100)),
            (json!({ "text": { "body": "" } }), (400, 100)),
            (json!({ "text": { "body": "x".repeat(4097) } }), (400, 100)),
            (json!({ "text": { "body": "x", "preview": true } }), (400, 100)),
            (json!({ "text": { "body": 5 } }), (400, 100)),
            (json!({ "text": { "body": "x" }, "biz_opaque_callback_data": "x".repeat(513) }), (400, 100)),
            (json!({ "text": { "body": "x" }, "context": {} }), (400, 100)),
            (media(json!({})), (400, 100)),
            (media(json!({ "id": "1", "link": "https://example.com" })), (400, 100)),
            (media(json!({ "link": "ftp://example.com" })), (400, 100)),
            (media(json!({ "id": "404" })), (400, 131009)),
            (media(json!({ "link": "https://example.com", "caption": "x".repeat(1025) })), (400, 100)),
            (json!({ "type": "audio", "audio": { "link": "https://e.com", "caption": "x" } }), (400, 100)),
            (json!({ "type": "location", "location": { "latitude": 1 } }), (400, 100)),
            (json!({ "type": "location", "location": { "latitude": 91, "longitude": 1 } }), (400, 100)),
            (json!({ "type": "contacts", "contacts": [] }), (400, 100)),
            (contact(json!({ "name": { "formatted_name": "A" } })), (400, 131009)),
            (
                contact(json!({ "name": { "formatted_name": "A", "first_name": "A" }, "birthday": "x" })),
                (400, 100),
            ),
            (reaction(json!({ "message_id": "wamid.A" })), (400, 100)),
            (reaction(json!({ "message_id": "wamid.A", "emoji": "ok" })), (400, 100)),
        ],
    )
    .await;
    let mut both = reaction(json!({ "message_id": "wamid.A", "emoji": "👍" }));
    both["context"] = json!({ "message_id": "wamid.A" });
    assert_eq!(house.send(both).await.error(), (400, 100));
}

#[tokio::test]
async fn a_missing_parameter_is_named_as_the_graph_api_names_it() {
    let house = House::open().await;
    let answer = house.send(json!({ "type": "text", "text": {} })).await;
    assert_eq!(answer.body["error"]["message"], "(#100) The parameter text['body'] is required.");
    assert!(answer.body["error"]["fbtrace_id"].is_string());
}

#[tokio::test]
async fn a_business_scoped_user_id_is_a_recipient_and_a_phone_wins_over_it() {
    let house = House::open().await;
    let path = format!("/{NUMBER}/messages");
    let mut body = json!({ "messaging_product": "whatsapp", "recipient": "US.13491208655302741918",
        "type": "text", "text": { "body": "x" } });
    let answer = house.graph("POST", &path, body.clone()).await;
    let contact = json!([{ "input": "US.13491208655302741918", "user_id": "US.13491208655302741918" }]);
    assert_eq!(answer.body["contacts"], contact);
    body["to"] = USER.into();
    assert_eq!(house.graph("POST", &path, body.clone()).await.body["contacts"][0]["wa_id"], USER);
    body["to"] = Value::Null;
    body["recipient"] = "somebody".into();
    assert_eq!(house.graph("POST", &path, body).await.error(), (400, 100));
}

#[tokio::test]
async fn a_group_message_answers_with_the_group() {
    let house = House::open().await;
    let answer = house
        .send(json!({ "recipient_type": "group", "to": "Y2FwaV9ncm91cA", "text": { "body": "x" } }))
        .await;
    assert_eq!(answer.body["messages"][0]["group_id"], "Y2FwaV9ncm91cA");
}

#[tokio::test]
async fn reading_and_typing_are_acknowledged() {
    let house = House::open().await;
    let id = house.customer_writes("hello").await;
    let path = format!("/{NUMBER}/messages");
    let read = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": id,
        "typing_indicator": { "type": "text" } });
    let answer = house.graph("POST", &path, read).await;
    assert_eq!((answer.status, answer.body), (200, json!({ "success": true })));
    let shown = house.control("GET", &format!("/messages?to={USER}"), Value::Null).await;
    assert_eq!(shown.body["items"][0]["read_by_business"], true);
    for wrong in [
        json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "42" }),
        json!({ "messaging_product": "whatsapp", "status": "seen", "message_id": id }),
        json!({ "messaging_product": "whatsapp", "status": "read" }),
        json!({ "messaging_product": "whatsapp", "status": "read", "message_id": id,
            "typing_indicator": { "type": "audio" } }),
    ] {
        assert_eq!(house.graph("POST", &path, wrong).await.status, 400);
    }
}

#[tokio::test]
async fn malformed_bodies_get_a_graph_error() {
    let house = House::open().await;
    let path = format!("/v22.0/{NUMBER}/messages");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [&b"{"[..], b"[]", b"\xff\xfe", b"null", b"\"x\"", deep.as_bytes()] {
        let request = house.request("POST", &path).bearer_auth("t").body(body.to_vec());
        assert_eq!(house.run(request).await.error(), (400, 100));
    }
}

#[tokio::test]
async fn only_allowed_recipients_get_messages_from_a_test_number() {
    let config = sluice_sandbox::SandboxConfig {
        allowed_recipients: Some(vec!["+1 650 555 1234".to_owned()]),
        ..crate::support::config()
    };
    let house = House::with(config).await;
    house.send_text("fine").await;
    assert_eq!(
        house.send(json!({ "to": "+4917012345", "text": { "body": "x" } })).await.error(),
        (400, 131030)
    );
}
