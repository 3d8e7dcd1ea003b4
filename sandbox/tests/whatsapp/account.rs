//! Numbers, profiles, subscriptions, callbacks, blocked users, tokens and paths.
//!
//! It must not know messages beyond where their webhooks go.

use crate::support::{House, NUMBER, Server, USER, WABA, config};
use serde_json::{Value, json};

#[tokio::test]
async fn a_call_needs_a_good_token() {
    let listed = sluice_sandbox::SandboxConfig { access_tokens: vec!["secret".to_owned()], ..config() };
    let house = House::with(listed).await;
    let path = format!("/v22.0/{NUMBER}");
    for request in [
        house.request("GET", &path),
        house.request("GET", &path).bearer_auth("wrong"),
        house.request("GET", &path).header("authorization", "Bearer "),
        house.request("GET", &path).header("authorization", "secret"),
    ] {
        let answer = house.run(request).await;
        assert_eq!(answer.error(), (401, 190));
        assert!(answer.headers["www-authenticate"].to_str().unwrap().contains("invalid_token"));
    }
    assert_eq!(house.run(house.request("GET", &path).bearer_auth("secret")).await.status, 200);
    assert_eq!(house.run(house.request("GET", &format!("{path}?access_token=secret"))).await.status, 200);
    let shown = house.control("GET", "/requests", Value::Null).await.body;
    assert!(!shown.to_string().contains("secret"), "{shown}");
}

#[tokio::test]
async fn unknown_paths_and_objects_are_graph_errors() {
    let house = House::open().await;
    for (method, path, code, subcode) in [
        ("GET", "/", 2500, Value::Null),
        ("GET", "/404", 100, json!(33)),
        ("POST", "/404/messages", 100, json!(33)),
        ("GET", &format!("/{NUMBER}/messages"), 100, json!(33)),
        ("DELETE", &format!("/{NUMBER}"), 100, json!(33)),
        ("GET", &format!("/{NUMBER}/nothing"), 2500, Value::Null),
        ("GET", &format!("/{WABA}/nothing"), 2500, Value::Null),
        ("GET", &format!("/{NUMBER}/a/b"), 2500, Value::Null),
    ] {
        let answer = house.graph(method, path, Value::Null).await;
        assert_eq!(answer.error(), (400, code), "{method} {path}");
        assert_eq!(answer.body["error"]["error_subcode"], subcode, "{method} {path}");
    }
}

#[tokio::test]
async fn any_version_and_none_are_served() {
    let house = House::open().await;
    for prefix in ["/v16.0", "/v25.0", ""] {
        let request = house.request("GET", &format!("{prefix}/{NUMBER}?fields=id")).bearer_auth("t");
        assert_eq!(house.run(request).await.body, json!({ "id": NUMBER }));
    }
}

#[tokio::test]
async fn a_number_shows_its_fields() {
    let house = House::open().await;
    let shown = house.get(&format!("/{NUMBER}")).await.body;
    assert_eq!(shown["display_phone_number"], "+1 5550783881");
    assert_eq!(shown["webhook_configuration"]["application"], house.server.url);
    let asked = house.get(&format!("/{NUMBER}?fields=throughput,status")).await.body;
    assert_eq!(asked, json!({ "throughput": { "level": "STANDARD" }, "status": "CONNECTED", "id": NUMBER }));
    assert_eq!(house.get(&format!("/{NUMBER}?fields=shoe_size")).await.error(), (400, 100));
    let list = house.get(&format!("/{WABA}/phone_numbers")).await.body;
    assert_eq!(list["data"][0]["id"], NUMBER);
    assert_eq!(house.get(&format!("/{WABA}")).await.body["id"], WABA);
}

#[tokio::test]
async fn the_profile_is_kept() {
    let house = House::open().await;
    let path = format!("/{NUMBER}/whatsapp_business_profile");
    let profile =
        json!({ "messaging_product": "whatsapp", "about": "We sell", "websites": ["https://a.test/"] });
    assert_eq!(house.graph("POST", &path, profile).await.body["success"], true);
    let shown = house.get(&format!("{path}?fields=about,websites,email")).await.body;
    let expected =
        json!({ "about": "We sell", "websites": ["https://a.test/"], "messaging_product": "whatsapp" });
    assert_eq!(shown["data"][0], expected);
    for wrong in [
        json!({ "about": "no product" }),
        json!({ "messaging_product": "whatsapp", "about": "x".repeat(140) }),
        json!({ "messaging_product": "whatsapp", "websites": ["a", "b", "c"] }),
    ] {
        assert_eq!(house.graph("POST", &path, wrong).await.error(), (400, 100));
    }
}

#[tokio::test]
async fn webhooks_go_to_the_number_then_the_account_then_the_app() {
    let house = House::open().await;
    let (account, number) = (Server::start().await, Server::start().await);
    let path = format!("/{WABA}/subscribed_apps");
    let over =
        |server: &Server, token: &str| json!({ "override_callback_uri": server.url, "verify_token": token });

    assert_eq!(house.graph("POST", &path, over(&account, "bad")).await.error(), (400, 2200));
    assert_eq!(house.graph("POST", &path, over(&account, "good")).await.body["success"], true);
    let listed = house.get(&path).await.body;
    assert_eq!(listed["data"][0]["override_callback_uri"], account.url);
    house.customer_writes("to the account").await;
    assert_eq!(account.count(), 1);

    let configure = |setting: Value| json!({ "webhook_configuration": setting });
    let own = house.graph("POST", &format!("/{NUMBER}"), configure(over(&number, "good"))).await;
    assert_eq!(own.body["success"], true);
    house.customer_writes("to the number").await;
    assert_eq!((account.count(), number.count()), (1, 1));

    let none = json!({ "override_callback_uri": "" });
    house.graph("POST", &format!("/{NUMBER}"), configure(none)).await;
    house.graph("POST", &path, Value::Null).await;
    house.customer_writes("to the app").await;
    assert_eq!((account.count(), number.count(), house.server.count()), (1, 1, 1));

    house.graph("DELETE", &path, Value::Null).await;
    assert_eq!(house.get(&path).await.body, json!({ "data": [] }));
    let from = json!({ "phone": USER });
    let answer = house.inbound(from, json!({ "type": "text", "text": { "body": "to nobody" } })).await;
    assert_eq!(
        (answer.body["delivered"].clone(), answer.body["state"].clone()),
        (json!(false), json!("unconnected"))
    );
    assert_eq!(house.graph("POST", &path, over(&account, "good")).await.error(), (400, 100));
}

#[tokio::test]
async fn the_app_callback_is_set_and_verified() {
    let house = House::open().await;
    let other = Server::start().await;
    let set = |token: &str| {
        let query =
            [("object", "whatsapp_business_account"), ("callback_url", &other.url), ("verify_token", token)];
        house.request("POST", "/v22.0/670843887433847/subscriptions").query(&query).bearer_auth("app|secret")
    };
    assert_eq!(house.run(set("bad")).await.error(), (400, 2200));
    assert_eq!(house.run(set("good")).await.body["success"], true);
    house.customer_writes("hello").await;
    assert_eq!((other.count(), house.server.count()), (1, 0));
}

#[tokio::test]
async fn only_recent_writers_can_be_blocked() {
    let house = House::with_open_window().await;
    let path = format!("/{NUMBER}/block_users");
    let users = |list: Value| json!({ "messaging_product": "whatsapp", "block_users": list });
    let answer =
        house.graph("POST", &path, users(json!([{ "user": USER }, { "user": "+4917012345678" }]))).await.body;
    assert_eq!(answer["block_users"]["added_users"][0]["wa_id"], USER);
    assert_eq!(answer["block_users"]["failed_users"][0]["input"], "+4917012345678");
    assert_eq!(answer["errors"]["code"], 139100);
    assert_eq!(house.get(&path).await.body["data"][0]["wa_id"], USER);
    house.graph("DELETE", &path, users(json!([{ "user": USER }]))).await;
    assert_eq!(house.get(&path).await.body["data"], json!([]));
}
