//! Fault rules and disturbed webhooks.
//!
//! It must not know how messages are checked.

use crate::support::{House, NUMBER, USER, config};
use serde_json::{Value, json};
use sluice_sandbox::{ManualClock, SandboxConfig};
use std::sync::Arc;

fn text() -> Value {
    json!({ "text": { "body": "x" } })
}

#[tokio::test]
async fn documented_errors_come_on_request() {
    let house = House::open().await;
    for (code, http) in
        [(130429, 400), (131056, 400), (131016, 500), (190, 401), (131031, 403), (2, 503), (132001, 404)]
    {
        house.faults(json!({ "match": { "path": "/*/messages" }, "times": 1, "then": { "error": { "code": code } } })).await;
        assert_eq!(house.send(text()).await.error(), (http, code));
    }
    house.send_text("all is well again").await;
    let own = json!({ "error": { "code": 4, "http": 429, "message": "Slow down", "details": "d", "subcode": 9,
        "is_transient": true, "regain_access_minutes": 7 }, "headers": { "Retry-After": "3" } });
    house.faults(json!({ "rules": [{ "times": 1, "then": own }] })).await;
    let answer = house.send(text()).await;
    assert_eq!(answer.status, 429);
    let error = &answer.body["error"];
    assert_eq!(
        (error["message"].clone(), error["error_subcode"].clone()),
        (json!("(#4) Slow down"), json!(9))
    );
    assert_eq!(
        (error["is_transient"].clone(), error["error_data"]["details"].clone()),
        (json!(true), json!("d"))
    );
    assert_eq!(answer.headers["retry-after"], "3");
    let usage = answer.headers["x-business-use-case-usage"].to_str().unwrap();
    assert!(usage.contains("\"estimated_time_to_regain_access\":7"));
    // Refused messages never reach the phone.
    let shown = house.control("GET", "/messages?direction=out", Value::Null).await.body;
    assert_eq!(shown["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_edge_may_answer_with_html() {
    let house = House::open().await;
    house
        .faults(json!({ "times": 1, "then": { "http_status": 502, "body": "<html>Bad Gateway</html>" } }))
        .await;
    let answer = house.send(text()).await;
    assert_eq!((answer.status, answer.body), (502, json!("<html>Bad Gateway</html>")));
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
}

#[tokio::test]
async fn a_dropped_connection_leaves_the_caller_in_doubt() {
    let house = House::open().await;
    for (when, accepted) in [("before", 0), ("after", 1)] {
        house.faults(json!({ "times": 1, "then": { "drop_connection": when } })).await;
        let body = json!({ "messaging_product": "whatsapp", "to": USER, "text": { "body": when } });
        let request =
            house.request("POST", &format!("/v22.0/{NUMBER}/messages")).bearer_auth("t").json(&body);
        assert!(request.send().await.is_err(), "{when}");
        let shown = house.control("GET", "/messages?direction=out", Value::Null).await.body;
        assert_eq!(shown["items"].as_array().unwrap().len(), accepted, "{when}");
    }
    let seen = house.sandbox.requests(0);
    assert_eq!(seen.iter().map(|r| r.status).collect::<Vec<_>>(), [None, None]);
}

#[tokio::test]
async fn delays_pass_with_the_sandboxs_own_time() {
    let clock = ManualClock::at(0);
    let house = House::with(SandboxConfig { clock: Arc::new(clock.clone()), ..config() }).await;
    house.faults(json!([{ "times": 1, "then": { "delay_ms": 60_000, "delay_answer_ms": 60_000 } }])).await;
    let answer = {
        let send = house.send(text());
        tokio::pin!(send);
        loop {
            tokio::select! {
                answer = &mut send => break answer,
                () = tokio::task::yield_now() => clock.advance(1_000),
            }
        }
    };
    answer.message_id();
    assert!(sluice_sandbox::Clock::now_ms(&clock) >= 120_000);
}

#[tokio::test]
async fn rate_limits_hold_and_recover() {
    let clock = ManualClock::at(0);
    let house = House::with(SandboxConfig { clock: Arc::new(clock.clone()), ..config() }).await;
    house.faults(json!([{ "then": { "rate_limit": { "per_number_per_second": 80, "pair": true } } }])).await;
    for _ in 0..45 {
        house.send(text()).await.message_id();
    }
    assert_eq!(house.send(text()).await.error(), (400, 131056));
    let others = |i: usize| json!({ "to": format!("+4917000000{i:02}"), "text": { "body": "x" } });
    for i in 0..35 {
        house.send(others(i)).await.message_id();
    }
    assert_eq!(house.send(others(36)).await.error(), (400, 130429));
    clock.advance(6_000);
    house.send(text()).await.message_id();
    assert_eq!(house.send(text()).await.error(), (400, 131056));
    // Marking as read is no message.
    let read = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.A" });
    assert_eq!(house.graph("POST", &format!("/{NUMBER}/messages"), read).await.status, 200);
}

#[tokio::test]
async fn a_real_number_has_its_limits_without_a_rule() {
    let real = SandboxConfig { enforce_rate_limits: true, clock: Arc::new(ManualClock::at(0)), ..config() };
    let house = House::with(real).await;
    for _ in 0..45 {
        house.send(text()).await.message_id();
    }
    assert_eq!(house.send(text()).await.error(), (400, 131056));
}

#[tokio::test]
async fn webhooks_are_duplicated_reordered_batched_and_dropped() {
    let house = House::with_open_window().await;
    house.faults(json!({ "webhooks": { "duplicate": 2, "drop_statuses": ["delivered", "read"] } })).await;
    house.send_text("x").await;
    let webhooks = house.server.webhooks(4).await;
    assert!(webhooks[1].raw == webhooks[2].raw && webhooks[2].raw == webhooks[3].raw);
    house.control("GET", "/webhooks?what=status&state=delivered&wait=20s", Value::Null).await;

    house.faults(json!({ "webhooks": { "duplicate": 0, "drop_statuses": [], "reorder": true } })).await;
    house.send_text("y").await;
    let order: Vec<String> = house.server.webhooks(7).await[4..].iter().flat_map(|w| w.statuses()).collect();
    assert_eq!(order, ["read", "delivered", "sent"]);

    house.faults(json!({ "webhooks": { "reorder": false, "batch": true } })).await;
    house.send_text("z").await;
    assert_eq!(house.server.webhooks(8).await[7].statuses(), ["sent", "delivered", "read"]);
    let phone = house.control("GET", "/messages?direction=out", Value::Null).await.body;
    assert_eq!(phone["items"][1]["status"], "read");
}

#[tokio::test]
async fn held_webhooks_come_when_they_are_released() {
    let house = House::open().await;
    house.faults(json!({ "webhooks": { "hold": true, "reorder": true } })).await;
    for word in ["one", "two"] {
        let message = json!({ "type": "text", "text": { "body": word } });
        let answer = house.inbound(json!({ "phone": USER }), message).await.body;
        assert_eq!((answer["delivered"].clone(), answer["state"].clone()), (json!(false), json!("held")));
    }
    assert_eq!(house.server.count(), 0);
    assert_eq!(house.faults(json!({ "webhooks": { "release": true } })).await["released"], 2);
    let words: Vec<Value> = house
        .server
        .webhooks(2)
        .await
        .iter()
        .map(|w| w.value()["messages"][0]["text"]["body"].clone())
        .collect();
    assert_eq!(words, ["two", "one"]);
    house.customer_writes("three").await;
    assert_eq!(house.server.count(), 3);
}

#[tokio::test]
async fn the_next_messages_fail_as_planned() {
    let house = House::with_open_window().await;
    let plan = json!({ "code": 131049, "title": "Not today", "details": "d", "to": "+1 650 555 1234", "after_sent": true });
    house.faults(json!({ "webhooks": { "fail_next_messages": plan } })).await;
    house.send_text("x").await;
    let webhooks = house.server.webhooks(3).await;
    assert_eq!(
        (webhooks[1].statuses(), webhooks[2].statuses()),
        (vec!["sent".into()], vec!["failed".into()])
    );
    let error = webhooks[2].value()["statuses"][0]["errors"][0].clone();
    assert_eq!((error["code"].clone(), error["title"].clone()), (json!(131049), json!("Not today")));
    house.send_text("y").await;
    assert_eq!(house.server.webhooks(6).await[5].statuses(), ["read"]);
}

#[tokio::test]
async fn rules_are_listed_counted_and_removed() {
    let house = House::open().await;
    let made = house.faults(json!([{ "then": { "error": { "code": 1 } } }, { "match": { "to": USER }, "then": { "error": { "code": 2 } } }])).await;
    let ids: Vec<u64> = serde_json::from_value(made["ids"].clone()).unwrap();
    assert_eq!(house.send(text()).await.error(), (400, 1));
    let listed = house.control("GET", "/faults", Value::Null).await.body;
    assert_eq!(
        (listed["rules"][0]["hits"].clone(), listed["rules"][1]["hits"].clone()),
        (json!(1), json!(0))
    );
    house.control("DELETE", &format!("/faults/{}", ids[0]), Value::Null).await;
    assert_eq!(house.send(text()).await.error(), (503, 2));
    assert_eq!(house.control("DELETE", "/faults/99", Value::Null).await.status, 404);
    house.control("DELETE", "/faults", Value::Null).await;
    house.send_text("well").await;
    for wrong in [json!({ "then": {}, "x": 1 }), json!({ "rules": 1 }), json!({ "nonsense": true }), json!(3)]
    {
        assert_eq!(house.control("POST", "/faults", wrong).await.status, 400);
    }
}
