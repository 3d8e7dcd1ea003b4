//! What happens after acceptance: statuses as signed webhooks, the window, prices, both shapes.
//!
//! It must not know how messages are checked.

use crate::support::{House, NUMBER, USER, config};
use base64::Engine as _;
use serde_json::{Value, json};
use sluice_sandbox::whatsapp::webhook::wire;
use sluice_sandbox::{Clock as _, ManualClock, RetryPolicy, SandboxConfig, StatusStep, WebhookShape};
use std::sync::Arc;

#[test]
fn signatures_match_the_published_vectors() {
    let vectors: Value = serde_json::from_str(include_str!("../data/webhook_signatures.json")).unwrap();
    let secret = vectors["app_secret"].as_str().unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let raw = case["body_base64"].as_str().unwrap();
        let body = base64::engine::general_purpose::STANDARD.decode(raw).unwrap();
        let same = wire::signature(secret, &body) == case["header"].as_str().unwrap();
        assert_eq!(same, case["valid"] == true, "{}", case["name"]);
        if case["name"] == "ascii_escaped_as_meta_sends_it" {
            assert_eq!(wire::encode(&serde_json::from_slice(&body).unwrap()), body);
        }
    }
}

#[tokio::test]
async fn statuses_come_in_order_signed_and_with_the_callback_data() {
    let house = House::with_open_window().await;
    let sent =
        house.send(json!({ "text": { "body": "hä?" }, "biz_opaque_callback_data": "run_1/n/0" })).await;
    let webhooks = house.server.webhooks(4).await;
    for webhook in &webhooks {
        let expected = wire::signature("sandbox-app-secret", &webhook.raw);
        assert_eq!(webhook.headers["x-hub-signature-256"], expected);
        assert!(webhook.headers["x-hub-signature"].to_str().unwrap().starts_with("sha1="));
        assert_eq!(webhook.headers["content-type"], "application/json");
        assert!(webhook.raw.is_ascii());
    }
    let statuses: Vec<Value> = webhooks[1..].iter().map(|w| w.value()["statuses"][0].clone()).collect();
    let names: Vec<&str> = statuses.iter().map(|s| s["status"].as_str().unwrap()).collect();
    assert_eq!(names, ["sent", "delivered", "read"]);
    for status in &statuses {
        assert_eq!(status["id"], sent.message_id());
        assert_eq!(status["biz_opaque_callback_data"], "run_1/n/0");
        assert_eq!(status["recipient_id"], USER);
        assert!(status["recipient_user_id"].as_str().unwrap().starts_with("US."));
        assert!(status["timestamp"].is_string());
    }
    let price = json!({ "billable": false, "pricing_model": "PMP", "type": "free_customer_service", "category": "service" });
    assert_eq!(statuses[0]["pricing"], price);
    assert!(statuses[2].get("pricing").is_none() && statuses[0].get("conversation").is_none());
    let value = webhooks[1].value();
    assert_eq!(value["contacts"][0]["profile"]["name"], "Zoë");
    assert_eq!(
        value["metadata"],
        json!({ "display_phone_number": "15550783881", "phone_number_id": NUMBER })
    );
}

#[tokio::test]
async fn outside_the_window_free_form_messages_are_accepted_and_fail() {
    let house = House::open().await;
    let id = house.send_text("too early").await;
    let failed = house.server.webhooks(1).await[0].value();
    assert_eq!(failed["statuses"][0]["id"], id);
    assert_eq!(failed["statuses"][0]["errors"][0]["code"], 131047);
    assert_eq!(failed["statuses"][0]["errors"][0]["title"], "Re-engagement message");
    assert!(failed["statuses"][0]["errors"][0]["error_data"]["details"].is_string());
    assert!(failed["contacts"].is_array());

    house.customer_writes("hi").await;
    house.send_text("in time").await;
    assert_eq!(house.server.webhooks(5).await[4].statuses(), ["read"]);

    house.sandbox.advance(24 * 3600 * 1000);
    house.send_text("too late").await;
    assert_eq!(house.server.webhooks(6).await[5].statuses(), ["failed"]);
    let shown = house.control("GET", "/messages?direction=out", Value::Null).await.body;
    assert_eq!(shown["items"][2]["status"], "failed");
    assert_eq!(shown["items"][2]["error"]["code"], 131047);
}

#[tokio::test]
async fn the_window_can_be_switched_off_and_some_people_are_not_on_whatsapp() {
    let open =
        SandboxConfig { enforce_window: false, unreachable: vec!["+49 170 1234567".into()], ..config() };
    let house = House::with(open).await;
    house.send_text("fine").await;
    assert_eq!(house.server.webhooks(3).await[2].statuses(), ["read"]);
    house.send(json!({ "to": "+491701234567", "text": { "body": "x" } })).await.message_id();
    let failed = house.server.webhooks(4).await[3].value();
    assert_eq!(failed["statuses"][0]["errors"][0]["code"], 131026);
}

#[tokio::test]
async fn prices_follow_category_window_and_entry_point() {
    let house = House::open().await;
    let hello =
        json!({ "type": "template", "template": { "name": "hello_world", "language": { "code": "en_US" } } });
    house.send(hello.clone()).await.message_id();
    let price = |value: Value| value["statuses"][0]["pricing"].clone();
    let regular = price(house.server.webhooks(3).await[0].value());
    assert_eq!((regular["type"].clone(), regular["category"].clone()), (json!("regular"), json!("utility")));
    house.customer_writes("hi").await;
    house.send(hello).await.message_id();
    let free = price(house.server.webhooks(7).await[4].value());
    assert_eq!(
        (free["type"].clone(), free["billable"].clone()),
        (json!("free_customer_service"), json!(false))
    );
    let from_ad = json!({ "type": "text", "text": { "body": "hi" }, "referral": { "source_type": "ad", "source_id": "1" } });
    house.inbound(json!({ "phone": USER }), from_ad).await;
    house.send_text("welcome").await;
    let sent = house.server.webhooks(9).await[8].value()["statuses"][0].clone();
    assert_eq!(sent["pricing"]["type"], "free_entry_point");
    assert_eq!(sent["conversation"]["origin"]["type"], "referral_conversion");
}

#[tokio::test]
async fn the_shape_of_2025_has_conversations_and_no_user_ids() {
    let old = SandboxConfig { webhook_shape: WebhookShape::Year2025, ..config() };
    let house = House::with(old).await;
    house.customer_writes("hi").await;
    house.send_text("hello").await;
    let webhooks = house.server.webhooks(4).await;
    for webhook in &webhooks {
        assert!(!webhook.json().to_string().contains("user_id"), "{}", webhook.json());
    }
    let sent = webhooks[1].value();
    assert!(sent.get("contacts").is_none());
    assert!(sent["statuses"][0]["conversation"]["expiration_timestamp"].is_string());
    assert!(webhooks[2].value()["statuses"][0]["conversation"].get("expiration_timestamp").is_none());
    let refused =
        house.inbound(json!({ "user_id": "US.1" }), json!({ "type": "text", "text": { "body": "x" } })).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn a_reaction_is_only_sent_and_fails_on_an_old_target() {
    let house = House::open().await;
    let target = house.customer_writes("hi").await;
    let reaction = json!({ "type": "reaction", "reaction": { "message_id": target, "emoji": "👍" } });
    house.send(reaction.clone()).await.message_id();
    assert_eq!(house.server.webhooks(2).await[1].statuses(), ["sent"]);
    house.sandbox.advance(31 * 24 * 3600 * 1000);
    house.customer_writes("still here").await;
    house.send(reaction).await.message_id();
    let failed = house.server.webhooks(4).await[3].value();
    assert_eq!(failed["statuses"][0]["errors"][0]["code"], 131009);
}

#[tokio::test]
async fn a_user_without_a_phone_is_named_by_user_id_everywhere() {
    let house = House::open().await;
    let from = json!({ "user_id": "US.13491208655302741918", "name": "Pablo", "username": "@pablo" });
    house.inbound(from, json!({ "type": "text", "text": { "body": "hi" } })).await;
    let body = json!({ "messaging_product": "whatsapp", "recipient": "US.13491208655302741918", "text": { "body": "x" } });
    house.graph("POST", &format!("/{NUMBER}/messages"), body).await.message_id();
    let webhooks = house.server.webhooks(2).await;
    let message = webhooks[0].value();
    assert!(message["messages"][0].get("from").is_none() && message["contacts"][0].get("wa_id").is_none());
    assert_eq!(message["contacts"][0]["profile"]["username"], "@pablo");
    let status = webhooks[1].value()["statuses"][0].clone();
    assert!(status.get("recipient_id").is_none());
    assert_eq!(status["recipient_user_id"], "US.13491208655302741918");
}

#[tokio::test]
async fn statuses_wait_for_their_time_and_webhooks_are_repeated_with_growing_gaps() {
    let clock = ManualClock::at(1_790_000_000_000);
    let slow = SandboxConfig {
        clock: Arc::new(clock.clone()),
        statuses: vec![StatusStep::new("sent", 1_000), StatusStep::new("delivered", 5_000)],
        webhook_retry: RetryPolicy { max_attempts: 3, first_ms: 10_000, max_ms: 60_000 },
        enforce_window: false,
        ..config()
    };
    let house = House::with(slow).await;
    house.server.answer_next(&[503, 500]);
    house.send_text("x").await;
    assert_eq!(house.server.count(), 0);
    clock.advance(1_000);
    house.server.webhooks(1).await;
    // The second try comes 10 s after the first; the order of statuses holds although the time of `delivered` has come.
    let log = house.control("GET", "/webhooks?state=retrying&wait=20s", Value::Null).await.body;
    assert_eq!(
        (log["items"][0]["attempts"].clone(), log["items"][0]["status"].clone()),
        (json!(1), json!(503))
    );
    while house.server.count() < 4 {
        clock.advance(5_000);
        tokio::task::yield_now().await;
    }
    let webhooks = house.server.webhooks(4).await;
    assert_eq!(webhooks[0].raw, webhooks[1].raw);
    assert_eq!(webhooks[1].raw, webhooks[2].raw);
    assert_eq!(webhooks[3].statuses(), ["delivered"]);
    let stamps: Vec<Value> =
        webhooks[2..].iter().map(|w| w.value()["statuses"][0]["timestamp"].clone()).collect();
    assert_eq!(stamps, [json!("1790000001"), json!("1790000005")]);
    assert!(clock.now_ms() >= 1_790_000_031_000);
}

#[tokio::test]
async fn a_server_that_never_answers_well_is_given_up() {
    let house = House::open().await;
    house.server.answer_next(&[500, 404, 302, 500]);
    let from = json!({ "phone": USER });
    let answer = house.inbound(from, json!({ "type": "text", "text": { "body": "x" } })).await.body;
    assert_eq!((answer["delivered"].clone(), answer["status"].clone()), (json!(false), json!(500)));
    house.server.webhooks(4).await;
    let log = house.control("GET", "/webhooks?state=given_up&wait=20s", Value::Null).await.body;
    assert_eq!(log["items"][0]["attempts"], 4);
}
