//! The journal, the phone's view, time and reset.
//!
//! It must not know providers' rules.

use crate::support::{House, NUMBER, USER};
use serde_json::{Value, json};

#[tokio::test]
async fn the_journal_has_everything_in_order_and_hides_tokens() {
    let house = House::open().await;
    house.send_text("one").await;
    house.get("/404?a=b&access_token=hidden").await;
    let shown = house.control("GET", "/requests", Value::Null).await.body;
    let items = shown["items"].as_array().unwrap();
    assert_eq!((items.len(), shown["next"].clone()), (2, json!(2)));
    assert_eq!(
        (items[0]["seq"].clone(), items[0]["status"].clone(), items[1]["status"].clone()),
        (json!(1), json!(200), json!(400))
    );
    assert_eq!(items[0]["path"], format!("/v22.0/{NUMBER}/messages"));
    assert_eq!(items[0]["body"]["text"]["body"], "one");
    assert_eq!(items[0]["headers"]["authorization"], "[hidden]");
    assert_eq!(items[1]["query"], json!({ "a": "b", "access_token": "[hidden]" }));
    assert!(items[0]["answer"]["messages"][0]["id"].is_string());
    let newer = house.control("GET", "/requests?since=1&path=404", Value::Null).await.body;
    assert_eq!(newer["items"][0]["seq"], 2);
    for wrong in ["since=x", "wait=1w", "colour=red"] {
        assert_eq!(house.control("GET", &format!("/requests?{wrong}"), Value::Null).await.status, 400);
    }
}

#[tokio::test]
async fn a_long_poll_ends_with_the_first_news() {
    let house = House::open().await;
    let path = format!("/messages?to={USER}&wait=30s");
    let (news, _) = tokio::join!(house.control("GET", &path, Value::Null), house.send_text("hello"));
    assert_eq!(news.body["items"][0]["message"]["text"]["body"], "hello");
    let since = news.body["next"].as_u64().unwrap();
    let none = house.control("GET", &format!("/messages?since={since}&wait=1ms"), Value::Null).await.body;
    assert_eq!(none, json!({ "items": [], "next": since }));
}

#[tokio::test]
async fn the_phone_shows_both_sides_of_one_conversation() {
    let house = House::with_open_window().await;
    house.send_text("hello").await;
    house.send(json!({ "to": "+4917012345678", "text": { "body": "somebody else" } })).await;
    let shown = house.control("GET", "/messages?to=%2B1 650 555 1234", Value::Null).await.body;
    let sides: Vec<&str> =
        shown["items"].as_array().unwrap().iter().map(|m| m["direction"].as_str().unwrap()).collect();
    assert_eq!(sides, ["in", "out"]);
    assert_eq!(shown["items"][0]["contact"]["name"], "Zoë");
}

#[tokio::test]
async fn time_moves_on_request() {
    let house = House::open().await;
    let before = house.control("GET", "/clock", Value::Null).await.body["now"].as_i64().unwrap();
    let after =
        house.control("POST", "/clock", json!({ "advance": "25h" })).await.body["now"].as_i64().unwrap();
    assert!(after - before >= 25 * 3600 * 1000);
    assert_eq!(house.control("POST", "/clock", json!({ "advance": "soon" })).await.status, 400);
}

#[tokio::test]
async fn reset_forgets_everything_but_the_connection() {
    let house = House::with_open_window().await;
    house.faults(json!([{ "match": { "path": "/nothing" }, "then": { "error": { "code": 1 } } }])).await;
    house.get("/404").await;
    house.control("POST", "/reset", json!({})).await;
    for list in ["/requests", "/messages", "/webhooks"] {
        assert_eq!(house.control("GET", list, Value::Null).await.body["items"], json!([]), "{list}");
    }
    assert_eq!(house.control("GET", "/faults", Value::Null).await.body["rules"], json!([]));
    let state = house.control("GET", "", Value::Null).await.body;
    assert_eq!(state["whatsapp"]["webhook_url"], house.server.url);
    house.send_text("the window is closed again").await;
    assert_eq!(house.server.webhooks(2).await[1].statuses(), ["failed"]);
}

#[tokio::test]
async fn an_unknown_control_path_is_not_taken_for_a_providers() {
    let house = House::open().await;
    let answer = house.control("GET", "/nothing", Value::Null).await;
    assert_eq!((answer.status, answer.body["error"]["code"].clone()), (404, json!("not_found")));
    assert!(house.sandbox.requests(0).is_empty());
}
