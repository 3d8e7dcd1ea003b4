//! Tests of the WhatsApp nodes: examples, limits at their borders, schema, waiting, triggers, arbitrary input.
//! Sending over a real connection with real records is in `tests/whatsapp_send.rs`.

use super::message::SendParams;
use super::payload::{Recipient, Surroundings};
use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::item::{FileRef, Input, Item};
use sluice_node_sdk::outcome::{Cause, Outcome, Output, Resumed, WaitKind};
use sluice_node_sdk::testkit::{Bench, TEST_NOW_MS};

fn all() -> Vec<Arc<dyn DynNode>> {
    whatsapp_nodes(Arc::new(desk::NoRecords))
}

fn the(node_type: &str) -> Arc<dyn DynNode> {
    all().into_iter().find(|node| node.spec().node_type == node_type).unwrap()
}

#[test]
fn the_send_form_shows_addressing_and_limits() {
    let send = the("whatsapp.send");
    let forms = send.spec().params_schema["oneOf"].as_array().unwrap().clone();
    assert_eq!(forms.len(), 11);
    for form in &forms {
        assert!(form["properties"]["type"]["const"].is_string(), "{form}");
        assert!(form["properties"]["to"].is_object(), "{form}");
        assert_eq!(form["additionalProperties"], false);
    }
    let text = forms.iter().find(|form| form["properties"]["type"]["const"] == "text").unwrap();
    assert_eq!(text["properties"]["text"]["maxLength"], 4096);
}

fn checked(params: Value) -> Result<Value, NodeError> {
    let (_, message) = SendParams(params).read()?;
    let around = Surroundings { uploaded: None, current_message: None, token: "t" };
    payload::body(&message, &Recipient::Phone("1".into()), None, "e", around)
}

/// `n` characters that take more than a byte each.
fn chars(n: usize) -> String {
    "ß".repeat(n)
}

fn buttons(n: usize) -> Value {
    (0..n).map(|n| json!({ "title": format!("Button {n}") })).collect()
}

fn rows(n: usize) -> Value {
    (0..n).map(|n| json!({ "title": format!("Row {n}") })).collect()
}

fn asking(more: Value) -> Value {
    let mut params = json!({ "type": "interactive", "body": "b" });
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

fn filled(more: Value) -> Value {
    let mut params = json!({ "type": "template", "template": "t", "language": "en" });
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

type Case = (usize, fn(usize) -> Value, &'static str);

/// Largest size, a message of size n, and where the size is found wrong.
const SIZES: &[Case] = &[
    (4096, |n| json!({ "type": "text", "text": chars(n) }), "/text"),
    (1024, |n| json!({ "type": "image", "id": "1", "caption": chars(n) }), "/caption"),
    (1024, |n| json!({ "type": "video", "id": "1", "caption": chars(n) }), "/caption"),
    (1024, |n| json!({ "type": "document", "id": "1", "caption": chars(n) }), "/caption"),
    (
        257,
        |n| json!({ "type": "contacts", "contacts": vec![json!({ "name": { "formatted_name": "A B", "first_name": "A" } }); n] }),
        "/contacts",
    ),
    (1024, |n| json!({ "type": "interactive", "body": chars(n), "buttons": buttons(1) }), "/body"),
    (
        1024,
        |n| json!({ "type": "interactive", "body": chars(n), "list": { "button": "b", "sections": [{ "rows": rows(1) }] } }),
        "/body",
    ),
    (60, |n| asking(json!({ "footer": chars(n), "buttons": buttons(1) })), "/footer"),
    (60, |n| asking(json!({ "header": { "text": chars(n) }, "buttons": buttons(1) })), "/header/text"),
    (3, |n| asking(json!({ "buttons": buttons(n) })), "/buttons"),
    (20, |n| asking(json!({ "buttons": [{ "title": chars(n) }] })), "/buttons/0/title"),
    (256, |n| asking(json!({ "buttons": [{ "title": "a", "id": chars(n) }] })), "/buttons/0/id"),
    (
        20,
        |n| asking(json!({ "list": { "button": chars(n), "sections": [{ "rows": rows(1) }] } })),
        "/list/button",
    ),
    (
        10,
        |n| asking(json!({ "list": { "button": "b", "sections": [{ "rows": rows(n) }] } })),
        "/list/sections/0/rows",
    ),
    (
        10,
        |n| {
            asking(
                json!({ "list": { "button": "b", "sections": (0..n).map(|n| json!({ "title": format!("s{n}"), "rows": [{ "title": format!("r{n}") }] })).collect::<Value>() } }),
            )
        },
        "/list/sections",
    ),
    (
        24,
        |n| {
            asking(json!({ "list": { "button": "b", "sections": [{ "title": chars(n), "rows": rows(1) }] } }))
        },
        "/list/sections/0/title",
    ),
    (
        24,
        |n| asking(json!({ "list": { "button": "b", "sections": [{ "rows": [{ "title": chars(n) }] }] } })),
        "/list/sections/0/rows/0/title",
    ),
    (
        200,
        |n| {
            asking(
                json!({ "list": { "button": "b", "sections": [{ "rows": [{ "title": "a", "id": chars(n) }] }] } }),
            )
        },
        "/list/sections/0/rows/0/id",
    ),
    (
        72,
        |n| {
            asking(
                json!({ "list": { "button": "b", "sections": [{ "rows": [{ "title": "a", "description": chars(n) }] }] } }),
            )
        },
        "/list/sections/0/rows/0/description",
    ),
    (20, |n| asking(json!({ "cta": { "text": chars(n), "url": "https://a.b" } })), "/cta/text"),
    (30, |n| asking(json!({ "flow": { "id": "1", "text": chars(n) } })), "/flow/text"),
    (
        30,
        |n| {
            asking(
                json!({ "header": { "text": "h" }, "products": { "catalog_id": "1", "sections": [{ "products": vec!["p"; n] }] } }),
            )
        },
        "/products/sections/0/products",
    ),
    (60, |n| filled(json!({ "header": { "text": chars(n) } })), "/header/text"),
    (1024, |n| filled(json!({ "header": { "text": "h" }, "body": [chars(n)] })), "/body/0"),
    (32_768, |n| filled(json!({ "body": { "name": chars(n) } })), "/body/name"),
    (15, |n| filled(json!({ "code": chars(n) })), "/code"),
    (
        10,
        |n| {
            filled(
                json!({ "buttons": (0..n).map(|n| json!({ "index": n, "payload": "p" })).collect::<Value>() }),
            )
        },
        "/buttons",
    ),
    (256, |n| filled(json!({ "buttons": [{ "index": 0, "payload": chars(n) }] })), "/buttons/0/payload"),
    (10, |n| filled(json!({ "cards": vec![json!({ "body": ["a"] }); n] })), "/cards"),
    (160, |n| filled(json!({ "cards": [{ "body": [chars(n)] }, { "body": ["b"] }] })), "/cards/0/body/0"),
];

#[test]
fn sizes_at_the_border() {
    for (largest, message, path) in SIZES {
        checked(message(*largest)).unwrap_or_else(|error| panic!("{path} {largest}: {error}"));
        let error = checked(message(largest + 1)).expect_err(path);
        assert!(matches!(error.code.as_ref(), "text_too_long" | "too_many"), "{path}: {}", error.code);
        assert_eq!((error.kind, error.path.as_deref()), (ErrorKind::InvalidParams, Some(*path)));
    }
}

#[test]
fn wrong_messages_name_code_and_place() {
    let list = |sections: Value| asking(json!({ "list": { "button": "b", "sections": sections } }));
    let cases = [
        (json!({ "type": "text", "text": " " }), "empty_text", "/text"),
        (json!({ "type": "text" }), "invalid_params", ""),
        (json!({ "type": "poll" }), "unknown_message_type", "/type"),
        (json!({ "type": "text", "text": "a", "colour": "red" }), "invalid_params", "/colour"),
        (json!({ "type": "text", "text": 5 }), "invalid_params", "/text"),
        (json!({ "type": "image" }), "media_source", "/link"),
        (json!({ "type": "image", "id": "1", "link": "https://a.b" }), "media_source", "/link"),
        (json!({ "type": "image", "link": "ftp://a.b" }), "invalid_url", "/link"),
        (json!({ "type": "audio", "link": "https://a.b", "caption": "c" }), "invalid_params", "/caption"),
        (json!({ "type": "location", "latitude": 90.1, "longitude": 0 }), "out_of_range", "/latitude"),
        (json!({ "type": "location", "latitude": 0, "longitude": -180.5 }), "out_of_range", "/longitude"),
        (json!({ "type": "location", "latitude": 0, "longitude": 0, "address": "a" }), "missing", "/name"),
        (json!({ "type": "contacts", "contacts": [] }), "too_few", "/contacts"),
        (
            json!({ "type": "contacts", "contacts": [{ "name": { "formatted_name": "A" } }] }),
            "missing",
            "/contacts/0/name",
        ),
        (
            json!({ "type": "contacts", "contacts": [{ "name": { "formatted_name": "A", "last_name": "B" }, "birthday": "1.1.2000" }] }),
            "invalid_date",
            "/contacts/0/birthday",
        ),
        (json!({ "type": "reaction", "emoji": "👍" }), "missing", "/message_id"),
        (json!({ "type": "reaction", "message_id": "w", "emoji": "ok" }), "invalid_emoji", "/emoji"),
        (asking(json!({})), "missing", ""),
        (asking(json!({ "buttons": buttons(1), "location_request": true })), "too_many_controls", ""),
        (asking(json!({ "buttons": [] })), "too_few", "/buttons"),
        (
            asking(json!({ "buttons": [{ "title": "a" }, { "title": "a", "id": "b" }] })),
            "not_unique",
            "/buttons/1/title",
        ),
        (
            asking(json!({ "buttons": [{ "title": "a", "id": "x" }, { "title": "b", "id": "x" }] })),
            "not_unique",
            "/buttons/1/id",
        ),
        (asking(json!({ "buttons": [{ "title": "ok 👍" }] })), "emoji_not_allowed", "/buttons/0/title"),
        (asking(json!({ "buttons": [{ "title": "*Yes*" }] })), "formatting_not_allowed", "/buttons/0/title"),
        (asking(json!({ "buttons": [{ "title": 7 }] })), "invalid_params", "/buttons/0/title"),
        (json!({ "type": "interactive", "buttons": buttons(1) }), "missing", "/body"),
        (
            asking(json!({ "header": { "text": "a", "image": { "id": "1" } }, "buttons": buttons(1) })),
            "invalid_header",
            "/header",
        ),
        (
            asking(json!({ "header": { "image": {} }, "buttons": buttons(1) })),
            "media_source",
            "/header/image",
        ),
        (list(json!([])), "too_few", "/list/sections"),
        (list(json!([{ "rows": [] }])), "too_few", "/list/sections/0/rows"),
        (
            list(json!([{ "rows": rows(1) }, { "title": "t", "rows": rows(1) }])),
            "missing",
            "/list/sections/0/title",
        ),
        (
            list(
                json!([{ "title": "s", "rows": rows(6) }, { "title": "t", "rows": (6..11).map(|n| json!({ "title": format!("Row {n}") })).collect::<Value>() }]),
            ),
            "too_many",
            "/list/sections",
        ),
        (
            list(json!([{ "rows": [{ "title": "a", "id": "x" }, { "title": "b", "id": "x" }] }])),
            "not_unique",
            "/list/sections/0/rows/1/id",
        ),
        (
            asking(
                json!({ "header": { "image": { "id": "1" } }, "list": { "button": "b", "sections": [{ "rows": rows(1) }] } }),
            ),
            "not_allowed",
            "/header",
        ),
        (asking(json!({ "cta": { "text": "a", "url": "example.com" } })), "invalid_url", "/cta/url"),
        (asking(json!({ "location_request": true, "footer": "f" })), "not_allowed", "/footer"),
        (asking(json!({ "location_request": true, "header": { "text": "h" } })), "not_allowed", "/header"),
        (asking(json!({ "flow": { "text": "Go" } })), "missing", "/flow/id"),
        (
            asking(json!({ "flow": { "id": "1", "text": "Go", "data_exchange": true, "screen": "A" } })),
            "not_allowed",
            "/flow/screen",
        ),
        (asking(json!({ "flow": { "id": "1", "text": "Go", "data": {} } })), "too_few", "/flow/data"),
        (
            asking(json!({ "products": { "catalog_id": "1", "sections": [{ "products": ["p"] }] } })),
            "missing",
            "/header/text",
        ),
        (filled(json!({ "template": "Order Update" })), "invalid_template_name", "/template"),
        (filled(json!({ "language": "english" })), "invalid_language", "/language"),
        (filled(json!({ "language": "en-US" })), "invalid_language", "/language"),
        (filled(json!({ "body": ["a\nb"] })), "template_text_format", "/body/0"),
        (filled(json!({ "body": { "x": "a\tb" } })), "template_text_format", "/body/x"),
        (filled(json!({ "body": ["a     b"] })), "template_text_format", "/body/0"),
        (filled(json!({ "body": [null] })), "invalid_template_value", "/body/0"),
        (filled(json!({ "header": {} })), "invalid_header", "/header"),
        (filled(json!({ "buttons": [{ "index": 10, "payload": "p" }] })), "out_of_range", "/buttons/0/index"),
        (filled(json!({ "buttons": [{ "index": 0 }] })), "invalid_button", "/buttons/0"),
        (
            filled(json!({ "buttons": [{ "index": 0, "payload": "a", "url": "b" }] })),
            "invalid_button",
            "/buttons/0",
        ),
        (
            filled(json!({ "buttons": [{ "index": 1, "payload": "a" }, { "index": 1, "payload": "b" }] })),
            "not_unique",
            "/buttons/1/index",
        ),
        (filled(json!({ "components": [], "body": ["a"] })), "conflict", "/components"),
        (
            filled(
                json!({ "components": [{ "type": "body", "parameters": [{ "type": "text", "text": "a\nb" }] }] }),
            ),
            "template_text_format",
            "/components/0/parameters/0/text",
        ),
        (filled(json!({ "cards": [{}] })), "too_few", "/cards"),
        (filled(json!({ "code": "1", "body": ["1"] })), "conflict", "/code"),
    ];
    for (params, code, path) in cases {
        let error = checked(params.clone()).expect_err(&params.to_string());
        assert_eq!((error.code.as_ref(), error.path.as_deref()), (code, Some(path)), "{params}: {error}");
    }
    for fine in ["a    b", "ok"] {
        assert!(checked(filled(json!({ "body": [fine] }))).is_ok());
    }
}

#[test]
fn recipients() {
    for text in ["+91 98765-43210", "919876543210", "(650) 555-1234", " 12345 "] {
        assert_eq!(Recipient::parse(text).unwrap(), Recipient::Phone(text.trim().to_owned()));
    }
    assert_eq!(
        Recipient::parse("US.13491208655302741918").unwrap(),
        Recipient::User("US.13491208655302741918".into())
    );
    for text in ["", "asha", "1234", "1234567890123456", "12+345678", "us.1", "US."] {
        assert_eq!(Recipient::parse(text).unwrap_err().path.as_deref(), Some("/to"), "{text}");
    }
}

fn event(text: &str) -> Value {
    json!({ "message": { "id": "wamid.1", "type": "text", "text": text, "answerable": true },
            "contact": { "id": "con_1", "phone": "919876543210" }, "conversation": { "id": "cnv_1" },
            "number": { "phone_number_id": "1", "display_phone_number": "+1 555-078-3881" } })
}

fn items(values: &[Value]) -> Input {
    Input::main(values.iter().cloned().map(Item::new).collect::<Vec<_>>())
}

fn done(outcome: Outcome) -> Output {
    match outcome {
        Outcome::Done(output) => output,
        other => panic!("expected items, got {other:?}"),
    }
}

fn resumed(cause: Cause) -> Resumed {
    Resumed { cause, state: json!({ "conversation_id": "cnv_1" }) }
}

#[tokio::test]
async fn waiting_for_a_reply() {
    let params = json!({ "timeout": "2h", "accept": "text", "validation": { "kind": "number", "min": 1 } });
    let asleep =
        Bench::new(the("whatsapp.wait_reply")).run(params.clone(), items(&[event("Hi")])).await.unwrap();
    let Outcome::Suspend(wait) = asleep else { panic!("expected a wait, got {asleep:?}") };
    assert_eq!((wait.kind, wait.signal.as_deref()), (WaitKind::Reply, Some("conversation:cnv_1")));
    assert_eq!(wait.until, Some(TEST_NOW_MS + 2 * 3_600_000));

    let signal = |text: &str| resumed(Cause::Signal { payload: event(text) });
    let cases = [
        (signal("12"), "main", json!(12), Value::Null),
        (signal("0"), "invalid", Value::Null, json!("Expected at least 1")),
        (signal("many"), "invalid", Value::Null, json!("Expected a number")),
    ];
    for (resumed, port, value, reason) in cases {
        let bench = Bench::new(the("whatsapp.wait_reply")).resumed(resumed);
        let output = done(bench.run(params.clone(), items(&[event("Hi")])).await.unwrap());
        let (name, sent) = &output.ports[0];
        assert_eq!((name.as_ref(), sent.len()), (port, 1));
        let json = &sent[0].json;
        assert_eq!(
            (&json["reply"]["value"], json["reply"].get("reason").unwrap_or(&Value::Null)),
            (&value, &reason)
        );
        assert_eq!(json["contact"]["id"], "con_1");
    }
    let bench = Bench::new(the("whatsapp.wait_reply")).resumed(resumed(Cause::Timer));
    let output = done(bench.run(params, items(&[event("Hi")])).await.unwrap());
    assert_eq!(
        (output.ports[0].0.as_ref(), &output.ports[0].1[0].json["timed_out"]),
        ("timeout", &json!(true))
    );
}

#[tokio::test]
async fn one_wait_is_for_one_conversation() {
    let mut other = event("Hi");
    other["conversation"]["id"] = "cnv_2".into();
    let bench = Bench::new(the("whatsapp.wait_reply"));
    let error = bench.run(json!({}), items(&[event("Hi"), other])).await.unwrap_err();
    assert_eq!(error.code, "several_conversations");
    let same = bench.run(json!({}), items(&[event("a"), event("b")])).await.unwrap();
    assert!(matches!(same, Outcome::Suspend(_)));
}

#[tokio::test]
async fn which_messages_start_a_workflow() {
    let with = |change: fn(&mut Value)| {
        let mut event = event("Hello");
        change(&mut event);
        event
    };
    let reaction = with(|event| event["message"] = json!({ "type": "reaction", "answerable": false }));
    let first = with(|event| event["conversation"]["is_first_message"] = true.into());
    let tap = with(|event| event["message"]["reply"] = json!({ "id": "book", "title": "Book" }));
    let cases = [
        (json!({}), event("x"), true),
        (json!({}), json!({ "body": "not an event" }), false),
        (json!({}), reaction.clone(), false),
        (json!({ "listen_only": true }), reaction, true),
        (json!({ "numbers": ["1"] }), event("x"), true),
        (json!({ "numbers": ["15550783881"] }), event("x"), true),
        (json!({ "numbers": ["2"] }), event("x"), false),
        (json!({ "first_message_only": true }), event("x"), false),
        (json!({ "first_message_only": true }), first, true),
        (json!({ "message_types": ["image"] }), event("x"), false),
        (json!({ "message_types": ["image", "text"] }), event("x"), true),
        (json!({ "button_ids": ["book"] }), tap.clone(), true),
        (json!({ "button_ids": ["other"] }), tap.clone(), false),
        (json!({ "button_ids": ["other"], "match": { "keywords": ["hello"] } }), tap, true),
        (json!({ "match": { "keywords": ["hi"] } }), event("this"), false),
    ];
    let bench = Bench::new(the("whatsapp.message_received"));
    for (params, event, wanted) in cases {
        let output = done(bench.run(params.clone(), items(std::slice::from_ref(&event))).await.unwrap());
        assert_eq!(!output.ports[0].1.is_empty(), wanted, "{params} {event}");
    }
}

#[tokio::test]
async fn files_are_checked_and_uploaded_first() {
    let script = |value: Value| serde_json::from_value(value).unwrap();
    let bench = Bench::new(the("whatsapp.send")).http(vec![
        script(json!({ "match": { "path": "/v22.0/1/media" }, "reply": { "body": { "id": "media7" } } })),
        script(json!({ "match": { "path": "/v22.0/1/messages" }, "reply": { "body": { "messages": [{ "id": "wamid.9" }] } } })),
    ]);
    let with_file = |mime: &str| {
        let file = FileRef::new("a.png", mime, &b"PNG"[..]);
        Input::main(vec![Item::new(event("Hi")).with_file("photo", file)])
    };
    let params = json!({ "type": "image", "file": "photo", "caption": "c" });
    let output = done(bench.run(params.clone(), with_file("image/png")).await.unwrap());
    let item = &output.ports[0].1[0];
    assert_eq!(item.json["sent"]["message"]["image"], json!({ "id": "media7", "caption": "c" }));
    assert!(item.file("photo").is_some());
    let sent = bench.http.sent();
    assert_eq!(sent.len(), 2);
    assert!(
        String::from_utf8_lossy(&sent[0].body)
            .contains("filename=\"a.png\"\r\ncontent-type: image/png\r\n\r\nPNG")
    );
    let refused = bench.run(params, with_file("image/gif")).await.unwrap_err();
    assert_eq!(refused.code, "media_type_not_supported");
    let missing =
        bench.run(json!({ "type": "image", "file": "other" }), with_file("image/png")).await.unwrap_err();
    assert_eq!((missing.code.as_ref(), missing.kind), ("file_missing", ErrorKind::InvalidInput));
}

#[tokio::test]
async fn failures_of_sending_keep_their_kind() {
    let failing = |error: &str| serde_json::from_value(json!({ "reply": { "error": error } })).unwrap();
    let text = || json!({ "type": "text", "text": "a" });
    for (error, kind) in
        [("unknown_outcome", ErrorKind::UnknownOutcome), ("unavailable", ErrorKind::Unavailable)]
    {
        let bench = Bench::new(the("whatsapp.send")).http(vec![failing(error)]);
        assert_eq!(bench.run(text(), items(&[event("Hi")])).await.unwrap_err().kind, kind);
    }
    let strange = serde_json::from_value(json!({ "reply": { "body": "<html>ok</html>" } })).unwrap();
    let bench = Bench::new(the("whatsapp.send")).http(vec![strange]);
    let error = bench.run(text(), items(&[event("Hi")])).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_ref()), (ErrorKind::UnknownOutcome, "unreadable_answer"));
    let bench = Bench::new(the("whatsapp.mark_read")).http(vec![failing("unknown_outcome")]);
    assert_eq!(bench.run(json!({}), items(&[event("Hi")])).await.unwrap_err().kind, ErrorKind::Unavailable);
}

/// Any JSON, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = prop_oneof![
            Just("type".to_owned()),
            Just("text".to_owned()),
            Just("body".to_owned()),
            Just("buttons".to_owned()),
            Just("list".to_owned()),
            Just("sections".to_owned()),
            Just("rows".to_owned()),
            Just("title".to_owned()),
            Just("message".to_owned()),
            Just("conversation".to_owned()),
            Just("reply".to_owned()),
            "[a-z]{1,6}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn any_message() -> impl Strategy<Value = Value> {
    let kinds = ["text", "template", "image", "location", "contacts", "reaction", "interactive", "sticker"];
    (prop::sample::select(kinds.to_vec()), any_json()).prop_map(|(kind, json)| {
        let mut params = json.as_object().cloned().unwrap_or_default();
        params.insert("type".to_owned(), kind.into());
        Value::Object(params)
    })
}

proptest! {
    #[test]
    fn no_parameters_and_no_events_make_a_node_panic(
        params in prop_oneof![any_json(), any_message()],
        json in any_json(),
        payload in any_json(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for node in all() {
                let input = || items(std::slice::from_ref(&json));
                let _ = Bench::new(node.clone()).dry_run().run(params.clone(), input()).await;
                let _ = Bench::new(node.clone()).dry_run().run(json!({}), input()).await;
                let signal = resumed(Cause::Signal { payload: payload.clone() });
                let _ = Bench::new(node.clone()).resumed(signal).run(json!({}), input()).await;
            }
        });
    }
}
