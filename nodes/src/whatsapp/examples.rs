//! Worked examples of the WhatsApp nodes: help for people and tests at the same time. Data only.

use serde_json::{Value, json};
use sluice_node_sdk::http::{ReplyScript, RequestMatch, ScriptedReply};
use sluice_node_sdk::spec::{Example, NodeSpec};

/// The event of a customer's text message, as the trigger gives it.
fn event(text: &str) -> Value {
    json!({
        "message": { "id": "wamid.in1", "type": "text", "text": text, "from": "919876543210", "answerable": true },
        "contact": { "id": "con_1", "name": "Asha", "phone": "919876543210" },
        "conversation": { "id": "cnv_1", "is_first_message": true },
        "number": { "phone_number_id": "106540352242922", "display_phone_number": "15550783881" },
    })
}

/// A tap on a reply button.
fn tap(id: &str, title: &str) -> Value {
    let mut event = event("");
    event["message"]["type"] = "interactive".into();
    event["message"]["text"] = Value::Null;
    event["message"]["reply"] = json!({ "kind": "button", "id": id, "title": title });
    event
}

fn script(body: &Value) -> ScriptedReply {
    ScriptedReply {
        matches: RequestMatch {
            method: Some("POST".into()),
            path: Some("/v22.0/106540352242922/messages".into()),
            body: Some(body.clone()),
            ..RequestMatch::default()
        },
        reply: ReplyScript {
            body: json!({
                "messaging_product": "whatsapp",
                "contacts": [{ "input": "919876543210", "wa_id": "919876543210" }],
                "messages": [{ "id": "wamid.out1" }],
            }),
            ..ReplyScript::default()
        },
        times: None,
    }
}

/// An example that sends `content` as a message of type `kind`.
fn sends(title: &str, params: Value, kind: &str, content: Value) -> Example {
    let mut body = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "919876543210", "type": kind,
    });
    body[kind] = content;
    if let Some(id) = params.get("reply_to") {
        body["context"] = json!({ "message_id": id });
    }
    body["biz_opaque_callback_data"] = "run_test/node/0".into();
    let mut output = event("Hi");
    output["sent"] = json!({
        "message_id": "wamid.out1", "to": "919876543210", "conversation_id": null, "status": "accepted",
        "message": body,
    });
    let mut example = Example::new(title, params).input(vec![event("Hi")]).output(vec![output]);
    example.http = vec![script(&body)];
    example
}

/// An example that is refused before anything is sent.
fn refuses(title: &str, params: Value, code: &str) -> Example {
    Example::new(title, params).input(vec![event("Hi")]).error(code)
}

pub(super) fn send(spec: NodeSpec) -> NodeSpec {
    let spec = media_and_places(texts_and_templates(spec));
    interactive(spec)
        .example(refuses(
            "Four buttons are one too many",
            json!({ "type": "interactive", "body": "Which?", "buttons": [
                { "title": "A" }, { "title": "B" }, { "title": "C" }, { "title": "D" }
            ] }),
            "too_many",
        ))
        .example(refuses(
            "A button title is 20 characters at most",
            json!({ "type": "interactive", "body": "Which?", "buttons": [{ "title": "A title that is far too long" }] }),
            "text_too_long",
        ))
        .example(closed_window())
        .example(dry_run())
}

fn texts_and_templates(spec: NodeSpec) -> NodeSpec {
    spec.example(sends(
        "Answer with a text",
        json!({ "type": "text", "text": "Hello Asha!" }),
        "text",
        json!({ "body": "Hello Asha!", "preview_url": false }),
    ))
    .example(sends(
        "Quote the message that is answered",
        json!({ "type": "text", "text": "https://example.com", "preview_url": true, "reply_to": "wamid.in1" }),
        "text",
        json!({ "body": "https://example.com", "preview_url": true }),
    ))
    .example(sends(
        "Send a template with variables",
        json!({ "type": "template", "template": "order_update", "language": "en_US",
                "header": { "text": "Order 42" }, "body": ["Asha", 42],
                "buttons": [{ "index": 0, "url": "orders/42" }] }),
        "template",
        json!({ "name": "order_update", "language": { "code": "en_US" }, "components": [
            { "type": "header", "parameters": [{ "type": "text", "text": "Order 42" }] },
            { "type": "body", "parameters": [{ "type": "text", "text": "Asha" }, { "type": "text", "text": "42" }] },
            { "type": "button", "sub_type": "url", "index": "0",
              "parameters": [{ "type": "text", "text": "orders/42" }] },
        ] }),
    ))
    .example(sends(
        "Send a login code",
        json!({ "type": "template", "template": "login_code", "language": "en", "code": "482913" }),
        "template",
        json!({ "name": "login_code", "language": { "code": "en" }, "components": [
            { "type": "body", "parameters": [{ "type": "text", "text": "482913" }] },
            { "type": "button", "sub_type": "url", "index": "0", "parameters": [{ "type": "text", "text": "482913" }] },
        ] }),
    ))
}

fn media_and_places(spec: NodeSpec) -> NodeSpec {
    let link = "https://example.com/file";
    spec.example(sends(
        "Send a picture",
        json!({ "type": "image", "link": link, "caption": "Our shop" }),
        "image",
        json!({ "link": link, "caption": "Our shop" }),
    ))
    .example(sends(
        "Send a video that was uploaded before",
        json!({ "type": "video", "id": "1013859600285441" }),
        "video",
        json!({ "id": "1013859600285441" }),
    ))
    .example(sends(
        "Send a document",
        json!({ "type": "document", "link": link, "filename": "invoice.pdf" }),
        "document",
        json!({ "link": link, "filename": "invoice.pdf" }),
    ))
    .example(sends(
        "Send a voice note",
        json!({ "type": "audio", "link": link, "voice": true }),
        "audio",
        json!({ "link": link, "voice": true }),
    ))
    .example(sends("Send a sticker", json!({ "type": "sticker", "id": "7" }), "sticker", json!({ "id": "7" })))
    .example(sends(
        "Send a place",
        json!({ "type": "location", "latitude": 18.52, "longitude": 73.85, "name": "Shop", "address": "MG Road" }),
        "location",
        json!({ "latitude": 18.52, "longitude": 73.85, "name": "Shop", "address": "MG Road" }),
    ))
    .example(sends(
        "Send a contact card",
        json!({ "type": "contacts", "contacts": [
            { "name": { "formatted_name": "Ravi Rao", "first_name": "Ravi" }, "phones": [{ "phone": "+911234567890" }] }
        ] }),
        "contacts",
        json!([{ "name": { "formatted_name": "Ravi Rao", "first_name": "Ravi" },
                 "phones": [{ "phone": "+911234567890" }] }]),
    ))
    .example(sends(
        "React to the customer's message",
        json!({ "type": "reaction", "emoji": "👍" }),
        "reaction",
        json!({ "message_id": "wamid.in1", "emoji": "👍" }),
    ))
}

fn interactive(spec: NodeSpec) -> NodeSpec {
    spec.example(sends(
        "Ask with buttons",
        json!({ "type": "interactive", "header": { "text": "Booking" }, "body": "Shall we book it?", "footer": "Free",
                "buttons": [{ "id": "yes", "title": "Yes" }, { "title": "No" }] }),
        "interactive",
        json!({ "type": "button", "header": { "type": "text", "text": "Booking" },
                "body": { "text": "Shall we book it?" }, "footer": { "text": "Free" }, "action": { "buttons": [
                    { "type": "reply", "reply": { "id": "yes", "title": "Yes" } },
                    { "type": "reply", "reply": { "id": "No", "title": "No" } },
                ] } }),
    ))
    .example(sends(
        "Offer a list",
        json!({ "type": "interactive", "body": "What can we do for you?", "list": { "button": "Choose", "sections": [
            { "rows": [{ "id": "price", "title": "Prices", "description": "All of them" }, { "title": "Help" }] }
        ] } }),
        "interactive",
        json!({ "type": "list", "body": { "text": "What can we do for you?" }, "action": {
            "button": "Choose", "sections": [{ "rows": [
                { "id": "price", "title": "Prices", "description": "All of them" },
                { "id": "Help", "title": "Help" },
            ] }] } }),
    ))
    .example(sends(
        "Offer a link",
        json!({ "type": "interactive", "body": "Our shop", "cta": { "text": "Open", "url": "https://example.com" } }),
        "interactive",
        json!({ "type": "cta_url", "body": { "text": "Our shop" }, "action": { "name": "cta_url",
                "parameters": { "display_text": "Open", "url": "https://example.com" } } }),
    ))
    .example(sends(
        "Open a form",
        json!({ "type": "interactive", "body": "Tell us more", "flow": {
            "id": "123", "text": "Start", "screen": "FIRST", "data": { "name": "Asha" } } }),
        "interactive",
        json!({ "type": "flow", "body": { "text": "Tell us more" }, "action": { "name": "flow", "parameters": {
            "flow_message_version": "3", "flow_id": "123", "flow_cta": "Start", "flow_token": "run_test/node/0",
            "flow_action": "navigate", "flow_action_payload": { "screen": "FIRST", "data": { "name": "Asha" } } } } }),
    ))
    .example(sends(
        "Ask for the location",
        json!({ "type": "interactive", "body": "Where are you?", "location_request": true }),
        "interactive",
        json!({ "type": "location_request_message", "body": { "text": "Where are you?" },
                "action": { "name": "send_location" } }),
    ))
}

/// Meta's answer to a free-form message outside the 24 hours.
fn closed_window() -> Example {
    let mut example = sends(
        "Outside the 24 hours Meta takes only templates",
        json!({ "type": "text", "text": "Hello" }),
        "text",
        json!({ "body": "Hello", "preview_url": false }),
    );
    example.http[0].reply = ReplyScript {
        status: Some(400),
        body: json!({ "error": { "message": "(#131047) Re-engagement message", "code": 131_047,
            "error_data": { "messaging_product": "whatsapp", "details": "More than 24 hours have passed" } } }),
        ..ReplyScript::default()
    };
    example.output.clear();
    example.error("window_closed")
}

/// No script answers: everything is checked, nothing is sent.
fn dry_run() -> Example {
    let mut example = sends(
        "Without a scripted answer nothing is sent",
        json!({ "type": "text", "text": "Hello" }),
        "text",
        json!({ "body": "Hello", "preview_url": false }),
    );
    example.http.clear();
    if let Some(sent) = example.output.get_mut("main").and_then(|items| items[0].get_mut("sent")) {
        sent["message_id"] = "wamid.dry-run.run_test/node/0".into();
        sent["status"] = "dry_run".into();
    }
    example
}

pub(super) fn message_received(spec: NodeSpec) -> NodeSpec {
    let greeting = json!({ "match": { "keywords": ["hi", "hello"] } });
    spec.example(
        Example::new("A keyword starts the workflow", greeting.clone())
            .input(vec![event("Hello there!")])
            .output(vec![event("Hello there!")]),
    )
    .example(Example::new("Part of a word does not", greeting).input(vec![event("this")]))
    .example(
        Example::new("So does a tap on a button", json!({ "button_ids": ["book"] }))
            .input(vec![tap("book", "Book now")])
            .output(vec![tap("book", "Book now")]),
    )
}

pub(super) fn status_received(spec: NodeSpec) -> NodeSpec {
    let failed = json!({
        "status": { "message_id": "wamid.out1", "status": "failed", "error": { "code": 131_026 } },
        "number": { "phone_number_id": "106540352242922" },
    });
    spec.example(
        Example::new("Notice failures", json!({ "statuses": ["failed"] }))
            .input(vec![failed.clone()])
            .output(vec![failed]),
    )
}

pub(super) fn wait_reply(spec: NodeSpec) -> NodeSpec {
    let params = json!({ "timeout": "24h", "validation": { "kind": "number", "min": 1 } });
    let mut example = Example::new("Wait a day for a number", params).input(vec![event("Hi")]);
    example.waits = true;
    let elsewhere =
        Example::new("An item without conversation", json!({})).input(vec![json!({ "name": "Asha" })]);
    spec.example(example).example(elsewhere.error("conversation_missing"))
}

pub(super) fn mark_read(spec: NodeSpec) -> NodeSpec {
    let body = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.in1",
                       "typing_indicator": { "type": "text" } });
    let mut example = Example::new("Show that we are typing", json!({ "typing": true }))
        .input(vec![event("Hi")])
        .output(vec![event("Hi")]);
    example.http = vec![script(&body)];
    example.http[0].reply.body = json!({ "success": true });
    spec.example(example)
}
