//! Message templates: managing them and sending with them.
//!
//! It must not know other message types.

use crate::support::{House, NUMBER, WABA, config};
use serde_json::{Value, json};

fn template(name: &str, components: Value) -> Value {
    json!({ "type": "template", "template": { "name": name, "language": { "code": "en" }, "components": components } })
}

fn texts(kind: &str, values: &[&str]) -> Value {
    let parameters: Vec<Value> = values.iter().map(|text| json!({ "type": "text", "text": text })).collect();
    json!({ "type": kind, "parameters": parameters })
}

async fn house() -> House {
    let order = json!({ "name": "order", "language": "en", "category": "UTILITY", "components": [
        { "type": "HEADER", "format": "IMAGE" },
        { "type": "BODY", "text": "Hi {{1}}, order {{2}} is on its way." },
        { "type": "BUTTONS", "buttons": [
            { "type": "QUICK_REPLY", "text": "Stop" },
            { "type": "URL", "text": "Track", "url": "https://example.com/{{1}}" } ] } ] });
    let named = json!({ "name": "named", "language": "en", "category": "MARKETING", "parameter_format": "NAMED",
        "components": [{ "type": "BODY", "text": "Hi {{first_name}}, welcome to {{shop}}!" }] });
    let code = json!({ "name": "code", "language": "en", "category": "AUTHENTICATION", "components": [
        { "type": "BODY", "add_security_recommendation": true },
        { "type": "BUTTONS", "buttons": [{ "type": "OTP", "otp_type": "COPY_CODE" }] } ] });
    let paused = json!({ "name": "paused", "language": "en", "category": "UTILITY", "status": "PAUSED",
        "components": [{ "type": "BODY", "text": "x" }] });
    let disabled = json!({ "name": "disabled", "language": "en", "category": "UTILITY", "status": "DISABLED",
        "components": [{ "type": "BODY", "text": "x" }] });
    let templates = vec![order, named, code, paused, disabled];
    House::with(sluice_sandbox::SandboxConfig { templates, ..config() }).await
}

fn order_components() -> Value {
    json!([
        { "type": "header", "parameters": [{ "type": "image", "image": { "link": "https://example.com/a.png" } }] },
        texts("body", &["Asha", "4711"]),
        { "type": "button", "sub_type": "quick_reply", "index": 0, "parameters": [{ "type": "payload", "payload": "stop" }] },
        { "type": "button", "sub_type": "url", "index": "1", "parameters": [{ "type": "text", "text": "4711" }] },
    ])
}

#[tokio::test]
async fn a_complete_template_is_accepted_outside_the_window() {
    let house = house().await;
    let answer = house.send(template("order", order_components())).await;
    assert_eq!(answer.body["messages"][0]["message_status"], "accepted");
    let statuses: Vec<String> = house.server.webhooks(3).await.iter().flat_map(|w| w.statuses()).collect();
    assert_eq!(statuses, ["sent", "delivered", "read"]);
    let shown = house.control("GET", "/messages", Value::Null).await;
    assert_eq!(shown.body["items"][0]["preview"], "Hi Asha, order 4711 is on its way.");
}

#[tokio::test]
async fn named_and_authentication_templates_take_their_parameters() {
    let house = house().await;
    let named = |name: &str| json!({ "type": "text", "text": "x", "parameter_name": name });
    let good = json!([{ "type": "body", "parameters": [named("shop"), named("first_name")] }]);
    house.send(template("named", good)).await.message_id();
    let unknown = json!([{ "type": "body", "parameters": [named("shop"), named("nobody")] }]);
    assert_eq!(house.send(template("named", unknown)).await.error(), (400, 132000));
    assert_eq!(house.send(template("named", json!([texts("body", &["a", "b"])]))).await.error(), (400, 100));

    let code = json!([texts("body", &["123456"]), { "type": "button", "sub_type": "url", "index": "0",
        "parameters": [{ "type": "text", "text": "123456" }] }]);
    house.send(template("code", code.clone())).await.message_id();
    assert_eq!(house.send(template("code", json!([texts("body", &["1"])]))).await.error(), (400, 131008));
    let mut to_user = template("code", code);
    to_user["to"] = Value::Null;
    to_user["recipient"] = "US.13491208655302741918".into();
    assert_eq!(house.send(to_user).await.error(), (400, 131062));
}

#[tokio::test]
async fn a_template_that_does_not_fit_is_refused() {
    let house = house().await;
    let change = |index: usize, value: Value| {
        let mut components = order_components();
        components[index] = value;
        template("order", components)
    };
    let missing_button = template("order", Value::from(order_components().as_array().unwrap()[..3].to_vec()));
    let table = [
        (template("nothing", json!([])), (404, 132001)),
        (
            json!({ "type": "template", "template": { "name": "order", "language": { "code": "en_US" } } }),
            (404, 132001),
        ),
        (template("paused", json!([])), (400, 132015)),
        (template("disabled", json!([])), (400, 132016)),
        (json!({ "type": "template", "template": { "name": "order" } }), (400, 100)),
        (json!({ "type": "template" }), (400, 100)),
        (change(1, texts("body", &["Asha"])), (400, 132000)),
        (change(1, texts("body", &["a", "b", "c"])), (400, 132000)),
        (change(1, texts("body", &["Asha", ""])), (400, 131008)),
        (change(1, texts("body", &["Asha", "a\nb"])), (400, 100)),
        (change(1, texts("body", &["Asha", "a     b"])), (400, 100)),
        (change(1, texts("body", &["Asha", &"x".repeat(1020)])), (400, 132005)),
        (change(0, texts("header", &["Asha"])), (400, 132012)),
        (change(0, json!({ "type": "header", "parameters": [] })), (400, 132012)),
        (change(0, json!({ "type": "footer" })), (400, 100)),
        (change(2, json!({ "type": "button", "sub_type": "url", "index": 0 })), (400, 132012)),
        (change(2, json!({ "type": "button", "sub_type": "url", "index": 7 })), (400, 100)),
        (missing_button, (400, 131008)),
    ];
    for (fields, expected) in table {
        let answer = house.send(fields.clone()).await;
        assert_eq!(answer.error(), expected, "{fields} -> {}", answer.body);
    }
}

#[tokio::test]
async fn from_v23_on_a_line_break_in_a_parameter_has_its_own_code() {
    let house = house().await;
    let mut components = order_components();
    components[1] = texts("body", &["a", "b\n"]);
    let mut body = template("order", components);
    body["messaging_product"] = "whatsapp".into();
    body["to"] = "+16505551234".into();
    let request = house.request("POST", &format!("/v23.0/{NUMBER}/messages")).bearer_auth("t").json(&body);
    assert_eq!(house.run(request).await.error(), (400, 132018));
}

#[tokio::test]
async fn marketing_messages_take_marketing_templates_only() {
    let house = house().await;
    let path = format!("/{NUMBER}/marketing_messages");
    let mut body = template("order", order_components());
    body["messaging_product"] = "whatsapp".into();
    body["to"] = "+16505551234".into();
    assert_eq!(house.graph("POST", &path, body).await.error(), (400, 131055));
}

#[tokio::test]
async fn templates_are_created_listed_edited_and_deleted() {
    let house = house().await;
    let path = format!("/{WABA}/message_templates");
    let new = |name: &str, text: &str| {
        json!({ "name": name, "language": "de", "category": "marketing",
            "components": [{ "type": "BODY", "text": text, "example": { "body_text": [["x"]] } }] })
    };
    let made = house.graph("POST", &path, new("sale", "Hallo {{1}}!")).await;
    assert_eq!(
        (made.body["status"].clone(), made.body["category"].clone()),
        (json!("APPROVED"), json!("MARKETING"))
    );
    let id = made.body["id"].as_str().unwrap().to_owned();
    for (wrong, code) in [
        (new("sale", "Hallo {{1}}!"), 100),
        (new("Sale", "x"), 100),
        (new("a", "{{1}} x"), 100),
        (new("a", &"x".repeat(1025)), 2388040),
        (
            json!({ "name": "a", "language": "de", "category": "OTHER", "components": [{ "type": "BODY", "text": "x" }] }),
            100,
        ),
        (
            json!({ "name": "a", "language": "de", "category": "UTILITY", "components": [{ "type": "FOOTER", "text": "x" }] }),
            100,
        ),
    ] {
        let answer = house.graph("POST", &path, wrong.clone()).await;
        assert_eq!(answer.error(), (400, code), "{wrong} -> {}", answer.body);
    }
    let shown = house.get(&format!("/{id}?fields=name,language")).await;
    assert_eq!(shown.body, json!({ "name": "sale", "language": "de", "id": id }));

    let edited = json!({ "components": [{ "type": "BODY", "text": "Neu" }] });
    assert_eq!(house.graph("POST", &format!("/{id}"), edited).await.body["success"], true);
    assert_eq!(
        house.graph("POST", &format!("/{id}"), json!({ "category": "UTILITY" })).await.error(),
        (400, 100)
    );

    let mut names = Vec::new();
    let mut next = format!("{path}?limit=4&fields=name");
    loop {
        let page = house.get(&next).await;
        names.extend(
            page.body["data"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()),
        );
        match page.body["paging"]["next"].as_str() {
            Some(url) => next = url.split("/v22.0").nth(1).unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(names, ["order", "named", "code", "paused", "disabled", "sale"]);
    assert_eq!(house.get(&format!("{path}?after=zzz")).await.error(), (400, 131059));
    assert_eq!(house.get(&format!("{path}?status=paused")).await.body["data"][0]["name"], "paused");

    assert_eq!(house.graph("DELETE", &format!("{path}?name=sale"), Value::Null).await.body["success"], true);
    assert_eq!(house.graph("DELETE", &format!("{path}?name=sale"), Value::Null).await.error(), (400, 100));
    assert_eq!(house.get(&format!("/{id}")).await.error(), (400, 100));
}
