//! The workflows that are measured, and the requests that start them. Must not know how they are measured.

use crate::house::WORKSPACE;
use crate::pressure::Make;
use crate::wire::request;
use serde_json::{Value, json};
use std::sync::Arc;

/// Five pure nodes in a row: two fields from the body, a decision, a field of its branch, the answer.
pub(super) fn five(path: &str, respond: &str) -> Value {
    let set = |id: &str, fields: Value, keep: bool| json!({ "id": id, "type": "data.set", "params": { "fields": fields, "keep": keep } });
    json!({
        "sluice": 1, "name": format!("Five {path}"),
        "nodes": [
            { "id": "in", "type": "trigger.webhook", "params": { "path": path, "respond": respond } },
            set("shape", json!({ "name": "{{ json.body.name }}", "score": "{{ json.body.score + 1 }}" }), false),
            { "id": "grade", "type": "flow.if", "params": { "condition": "{{ json.score > 10 }}" } },
            set("high", json!({ "grade": "high" }), true),
            set("last", json!({ "greeting": "Hello {{ json.name }}, {{ json.grade }}" }), true),
        ],
        "edges": [
            { "from": "in", "to": "shape" }, { "from": "shape", "to": "grade" },
            { "from": "grade.true", "to": "high" }, { "from": "high", "to": "last" },
        ],
    })
}

/// A webhook, then `count` HTTP calls in a row; the caller is answered by the last.
pub(super) fn effects(path: &str, respond: &str, count: usize, provider: &str) -> Value {
    let mut nodes = vec![
        json!({ "id": "in", "type": "trigger.webhook", "params": { "path": path, "respond": respond } }),
        json!({ "id": "shape", "type": "data.set", "params": { "fields": { "name": "{{ json.body.name }}" } } }),
    ];
    let mut edges = vec![json!({ "from": "in", "to": "shape" })];
    let mut before = "shape".to_owned();
    for number in 1..=count {
        let id = format!("call{number}");
        nodes.push(json!({
            "id": id, "type": "http.request",
            "params": {
                "method": "POST", "url": format!("http://{provider}/{id}"),
                "body": { "json": { "run": "{{ run.id }}", "step": number } },
            },
        }));
        edges.push(json!({ "from": before, "to": id }));
        before = id;
    }
    json!({ "sluice": 1, "name": format!("Effects {path}"), "nodes": nodes, "edges": edges })
}

/// A webhook, then a wait.
pub(super) fn waiting(path: &str, wait: &Value) -> Value {
    json!({
        "sluice": 1, "name": format!("Waiting {path}"),
        "nodes": [
            { "id": "in", "type": "trigger.webhook", "params": { "path": path, "respond": "immediately" } },
            { "id": "wait", "type": "flow.wait", "params": wait },
        ],
        "edges": [{ "from": "in", "to": "wait" }],
    })
}

/// The body with a given number, about 60 bytes.
pub(super) fn body(number: u64) -> String {
    format!("{{\"name\":\"Asha\",\"score\":41,\"order\":\"A-{number:010}\"}}")
}

/// Posts bodies to a webhook.
pub(super) fn posting(address: &str, path: &str) -> Make {
    let (address, path) = (address.to_owned(), format!("/hooks/{WORKSPACE}/{path}"));
    Arc::new(move |number| request("POST", &address, &path, &[], body(number).as_bytes()))
}
