//! Documents that are not well-formed: every fault with its path.

use serde_json::{Value, json};
use sluice_engine::document::Document;
use sluice_engine::graph::{MAX_DOCUMENT_BYTES, Problem, parse, parse_text};

fn faults(value: &Value) -> Vec<String> {
    refused(value).iter().map(|problem| format!("{} {}", problem.code, problem.path)).collect()
}

fn refused(value: &Value) -> Vec<Problem> {
    parse(value).expect_err("the document has a fault")
}

fn text_fault(bytes: &[u8]) -> (String, String) {
    let problems = parse_text(bytes).expect_err("the text has a fault");
    assert_eq!(problems.len(), 1, "{problems:?}");
    (problems[0].code.clone(), problems[0].message.clone())
}

#[test]
fn the_document_of_the_contract_is_read_and_written_unchanged() {
    let text = json!({
        "sluice": 1, "name": "Greeting", "description": "Answers a customer's first message",
        "nodes": [
            { "id": "inbound", "type": "trigger.webhook", "params": { "path": "greet", "respond": "last_node" } },
            { "id": "shape", "type": "data.set", "label": "Shape", "position": { "x": 240, "y": 80 },
              "params": { "fields": { "name": "{{ json.body.name }}" } },
              "settings": { "on_error": "fail", "timeout": "30s",
                  "retry": { "max_attempts": 3, "backoff": "exponential", "initial": "1s", "max": "1m" } } }
        ],
        "edges": [{ "from": "inbound", "to": "shape" }],
        "settings": { "timezone": "Asia/Kolkata", "timeout": "90d", "lane": "{{ json.body.name }}", "retention": "30d" },
        "fixtures": { "inbound": [{ "json": { "body": { "name": "Asha", "score": 41 } } }] },
        "tests": [{ "name": "high", "trigger": { "body": {} },
            "expect": { "status": "succeeded", "ran": ["shape"], "output": { "shape": [{ "name": "Asha" }] } } }]
    });
    let document: Document = parse(&text).expect("the document is well-formed");
    assert_eq!(serde_json::to_value(&document).unwrap(), text);
}

#[test]
fn all_faults_are_reported_at_once_with_their_paths() {
    let value = json!({
        "sluice": 1,
        "nodes": [
            { "id": "a", "type": "data.set", "parms": {}, "position": { "x": "left", "y": 1 } },
            { "type": 5, "settings": { "on_error": "explode", "retry": { "max_attempts": "3" } } },
            "text"
        ],
        "edges": { "from": "a" },
        "fixtures": { "a/b": 5 },
        "extra~/field": true
    });
    let mut found = faults(&value);
    found.sort();
    assert_eq!(
        found,
        [
            "invalid_value /nodes/1/settings/on_error",
            "missing_field /name",
            "missing_field /nodes/1/id",
            "unknown_field /extra~0~1field",
            "unknown_field /nodes/0/parms",
            "wrong_type /edges",
            "wrong_type /fixtures/a~1b",
            "wrong_type /nodes/0/position/x",
            "wrong_type /nodes/1/settings/retry/max_attempts",
            "wrong_type /nodes/1/type",
            "wrong_type /nodes/2",
        ]
    );
}

#[test]
fn messages_say_what_was_expected_and_what_may_have_been_meant() {
    let value = json!({ "sluice": 1, "name": "x", "nodes": [
        { "id": "a", "type": "t.t", "parms": {}, "disabled": "yes", "settings": { "on_error": "explode" } }
    ] });
    let problems = refused(&value);
    let message = |path: &str| {
        let found = problems.iter().find(|problem| problem.path == path);
        found.unwrap_or_else(|| panic!("{path}: {problems:?}")).message.clone()
    };
    assert_eq!(message("/nodes/0/parms"), "There is no field `parms` here; did you mean `params`?");
    assert_eq!(message("/nodes/0/disabled"), "The value of `disabled` must be true or false, not text");
    assert_eq!(
        message("/nodes/0/settings/on_error"),
        "The value of `on_error` must be one of \"fail\", \"continue\", \"route\""
    );
    assert!(problems.iter().all(|problem| problem.node.as_deref() == Some("a")));
}

#[test]
fn another_format_version_is_refused_without_further_words() {
    assert_eq!(faults(&json!({ "sluice": 2, "whatever": [] })), ["unsupported_format /sluice"]);
    assert_eq!(faults(&json!({ "sluice": 0, "name": "x", "nodes": [] })), ["unsupported_format /sluice"]);
    assert_eq!(faults(&json!({ "sluice": "1", "name": "x", "nodes": [] })), ["wrong_type /sluice"]);
    assert_eq!(faults(&json!({ "name": "x", "nodes": [] })), ["missing_field /sluice"]);
}

#[test]
fn what_only_the_types_refuse_is_reported_with_its_path_too() {
    let with_test = |test: Value| json!({ "sluice": 1, "name": "x", "nodes": [], "tests": [test] });
    let found = faults(&with_test(json!({ "name": "t", "http": [{ "match": 5 }] })));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("invalid_value /tests/0/http/0"), "{found:?}");
    let node = json!({ "id": "a", "type": "t.t", "version": 5_000_000_000_u64 });
    let found = refused(&json!({ "sluice": 1, "name": "x", "nodes": [node] }));
    assert_eq!(found[0].path, "/nodes/0/version");
    assert_eq!(found[0].node.as_deref(), Some("a"));
}

#[test]
fn text_that_is_not_json_is_refused_with_line_and_column() {
    let (code, message) = text_fault(b"{\n  \"sluice\": 1,\n  oops\n}");
    assert_eq!(code, "malformed_json");
    assert!(message.ends_with("(line 3, column 3)"), "{message}");
    let (code, message) = text_fault(b"{\n\"name\": \"\xff\"}");
    assert_eq!(code, "not_utf8");
    assert!(message.contains("line 2, column 10"), "{message}");
    assert_eq!(text_fault(b"").0, "malformed_json");
    assert_eq!(text_fault("[".repeat(100_000).as_bytes()).0, "too_deep");
    assert_eq!(text_fault(&vec![b' '; MAX_DOCUMENT_BYTES + 1]).0, "too_large");
}

#[test]
fn a_byte_order_mark_does_no_harm() {
    let text = "\u{feff}{ \"sluice\": 1, \"name\": \"x\", \"nodes\": [] }";
    assert!(parse_text(text.as_bytes()).is_ok());
}

#[test]
fn too_many_nodes_are_refused() {
    let nodes: Vec<Value> = (0..20_001).map(|ix| json!({ "id": format!("n{ix}"), "type": "a.b" })).collect();
    assert_eq!(faults(&json!({ "sluice": 1, "name": "x", "nodes": nodes })), ["too_large /nodes"]);
}
