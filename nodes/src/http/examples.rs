//! Worked examples of the HTTP node: help for people and tests at the same time. Data only.

use serde_json::{Value, json};
use sluice_node_sdk::http::{ReplyScript, RequestMatch, ScriptedReply};
use sluice_node_sdk::spec::{Example, NodeSpec};

fn script(method: &str, url: &str, body: Option<Value>, status: u16, reply: Value) -> ScriptedReply {
    ScriptedReply {
        matches: RequestMatch {
            method: Some(method.to_owned()),
            url: Some(url.to_owned()),
            body,
            ..RequestMatch::default()
        },
        reply: ReplyScript { status: Some(status), body: reply, ..ReplyScript::default() },
        times: None,
    }
}

fn scripted(mut example: Example, scripts: Vec<ScriptedReply>) -> Example {
    example.http = scripts;
    example
}

pub(super) fn request(spec: NodeSpec) -> NodeSpec {
    let json_headers = json!({ "content-type": "application/json" });
    let get = Example::new(
        "Read a record",
        json!({ "url": "https://crm.test/leads/7", "query": { "full": true } }),
    )
    .input(vec![json!({})])
    .output(vec![json!({ "status": 200, "headers": json_headers, "body": { "id": 7 } })]);
    let post = Example::new(
        "Create one",
        json!({ "method": "POST", "url": "https://crm.test/leads", "body": { "json": { "name": "Asha" } },
                "idempotency_key": true }),
    )
    .input(vec![json!({})])
    .output(vec![json!({ "status": 201, "headers": json_headers, "body": { "id": 8 } })]);
    let pages = Example::new(
        "Read a long list",
        json!({ "url": "https://crm.test/leads",
                "pagination": { "by": "cursor", "pointer": "/next", "param": "after", "items": "/leads" } }),
    )
    .input(vec![json!({})])
    .output(vec![json!({ "status": 200, "headers": json_headers, "body": [1, 2, 3], "pages": 2 })]);
    let missing = Example::new("A missing record fails", json!({ "url": "https://crm.test/leads/9" }));
    let lenient =
        Example::new("or is looked at", json!({ "url": "https://crm.test/leads/9", "on_status": "pass" }))
            .input(vec![json!({})])
            .output(vec![json!({ "status": 404, "headers": json_headers, "body": { "error": "gone" } })]);
    let gone = || vec![script("GET", "https://crm.test/leads/9", None, 404, json!({ "error": "gone" }))];
    spec.example(scripted(
        get,
        vec![script("GET", "https://crm.test/leads/7?full=true", None, 200, json!({ "id": 7 }))],
    ))
    .example(scripted(
        post,
        vec![script(
            "POST",
            "https://crm.test/leads",
            Some(json!({ "name": "Asha" })),
            201,
            json!({ "id": 8 }),
        )],
    ))
    .example(scripted(
        pages,
        vec![
            script(
                "GET",
                "https://crm.test/leads?after=c2",
                None,
                200,
                json!({ "leads": [3], "next": null }),
            ),
            script("GET", "https://crm.test/leads", None, 200, json!({ "leads": [1, 2], "next": "c2" })),
        ],
    ))
    .example(scripted(missing.input(vec![json!({})]).error("http_404"), gone()))
    .example(scripted(lenient, gone()))
}
