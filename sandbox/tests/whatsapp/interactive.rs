//! Interactive messages: every sub-type and every limit.
//!
//! It must not know webhooks.

use crate::support::House;
use serde_json::{Value, json};

fn button(id: &str, title: &str) -> Value {
    json!({ "type": "reply", "reply": { "id": id, "title": title } })
}

fn row(id: &str) -> Value {
    json!({ "id": id, "title": "t" })
}

fn link() -> Value {
    json!({ "name": "cta_url", "parameters": { "display_text": "Open", "url": "https://example.com" } })
}

fn card(index: usize) -> Value {
    json!({ "card_index": index, "type": "cta_url", "body": { "text": "x" }, "action": link(),
        "header": { "type": "image", "image": { "link": "https://example.com/a.png" } } })
}

fn message(kind: &str, action: Value) -> Value {
    json!({ "type": "interactive", "interactive": { "type": kind, "body": { "text": "b" }, "action": action } })
}

#[tokio::test]
async fn every_sub_type_is_accepted() {
    let house = House::with_open_window().await;
    let flow = json!({ "name": "flow", "parameters": { "flow_message_version": "3", "flow_id": "1",
        "flow_cta": "Start", "flow_token": "t", "flow_action": "navigate",
        "flow_action_payload": { "screen": "A" } } });
    let products = json!({ "catalog_id": "1", "sections": [{ "title": "s",
        "product_items": [{ "product_retailer_id": "p" }] }] });
    let mut product_list = message("product_list", products);
    product_list["interactive"]["header"] = json!({ "type": "text", "text": "h" });
    let mut with_header = message("button", json!({ "buttons": [button("a", "A"), button("b", "B")] }));
    with_header["interactive"]["header"] =
        json!({ "type": "document", "document": { "link": "https://e.com/a.pdf" } });
    with_header["interactive"]["footer"] = json!({ "text": "f" });
    for fields in [
        with_header,
        message("list", json!({ "button": "Menu", "sections": [{ "rows": [row("1"), row("2")] }] })),
        message("cta_url", link()),
        message("location_request_message", json!({ "name": "send_location" })),
        message("flow", flow),
        json!({ "type": "interactive", "interactive": { "type": "product",
            "action": { "catalog_id": "1", "product_retailer_id": "p" } } }),
        product_list,
        message("catalog_message", json!({ "name": "catalog_message" })),
        message("carousel", json!({ "cards": [card(0), card(1)] })),
        message("address_message", json!({ "name": "address_message", "parameters": { "country": "IN" } })),
        message("call_permission_request", json!({ "name": "call_permission_request" })),
        message("voice_call", json!({ "name": "voice_call", "parameters": { "display_text": "Call" } })),
    ] {
        house.send(fields).await.message_id();
    }
}

#[tokio::test]
async fn every_limit_is_kept() {
    let house = House::with_open_window().await;
    let buttons = |list: Vec<Value>| message("button", json!({ "buttons": list }));
    let sections = |list: Value| message("list", json!({ "button": "Menu", "sections": list }));
    let rows = |from: usize, to: usize| (from..to).map(|i| row(&i.to_string())).collect::<Vec<_>>();
    let set = |mut message: Value, key: &str, value: Value| {
        message["interactive"][key] = value;
        message
    };
    let fine = || buttons(vec![button("a", "A")]);
    let mut cards = vec![card(0), card(1)];
    cards[1]["card_index"] = 5.into();
    let table: Vec<(Value, i64)> = vec![
        (json!({ "type": "interactive" }), 131008),
        (message("poll", json!({})), 131009),
        (buttons(vec![]), 131009),
        (buttons((0..4).map(|i| button(&i.to_string(), &i.to_string())).collect()), 131009),
        (buttons(vec![button("a", "x".repeat(21).as_str())]), 131009),
        (buttons(vec![button("a", "A"), button("a", "B")]), 131009),
        (buttons(vec![button("a", "A"), button("b", "A")]), 131009),
        (buttons(vec![button("", "A")]), 131008),
        (buttons(vec![button(&"x".repeat(257), "A")]), 131009),
        (set(fine(), "body", json!({ "text": "x".repeat(1025) })), 131009),
        (set(fine(), "body", Value::Null), 131008),
        (set(fine(), "footer", json!({ "text": "x".repeat(61) })), 131009),
        (set(fine(), "header", json!({ "type": "text", "text": "x".repeat(61) })), 131009),
        (set(fine(), "header", json!({ "type": "audio" })), 131009),
        (set(fine(), "extra", json!(1)), 100),
        (sections(json!([])), 131009),
        (sections(json!([{ "rows": rows(0, 1) }, { "rows": rows(1, 2) }])), 131008),
        (
            sections(json!([{ "title": "a", "rows": rows(0, 6) }, { "title": "b", "rows": rows(6, 11) }])),
            131009,
        ),
        (sections(json!([{ "rows": [row("1"), row("1")] }])), 131009),
        (sections(json!([{ "rows": [{ "id": "1", "title": "x".repeat(25) }] }])), 131009),
        (sections(json!([{ "rows": [{ "id": "1", "title": "t", "description": "x".repeat(73) }] }])), 131009),
        (message("list", json!({ "button": "x".repeat(21), "sections": [{ "rows": rows(0, 1) }] })), 131009),
        (
            message(
                "cta_url",
                json!({ "name": "cta_url", "parameters": { "display_text": "x", "url": "x" } }),
            ),
            131009,
        ),
        (
            message(
                "flow",
                json!({ "name": "flow", "parameters": { "flow_message_version": "3", "flow_cta": "x" } }),
            ),
            131008,
        ),
        (message("carousel", json!({ "cards": [card(0)] })), 131009),
        (message("carousel", json!({ "cards": cards })), 131009),
        (message("product_list", json!({ "catalog_id": "1", "sections": [] })), 131008),
        (
            set(
                message("location_request_message", json!({ "name": "send_location" })),
                "footer",
                json!({ "text": "f" }),
            ),
            131009,
        ),
    ];
    for (fields, code) in table {
        let answer = house.send(fields.clone()).await;
        assert_eq!(answer.error(), (400, code), "{fields} -> {}", answer.body);
    }
}
