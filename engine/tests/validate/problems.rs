//! One test per sort of problem.

use super::{document, full_problems, node_problems, problems, registry};
use serde_json::{Value, json};
use sluice_engine::expr::Expressions;
use sluice_engine::graph::{Severity, is_valid, parse, validate};

fn set(id: &str) -> Value {
    json!({ "id": id, "type": "data.set" })
}

#[test]
fn a_sound_document_has_no_problems() {
    let nodes = [
        json!({ "id": "a", "type": "data.set", "params": { "x": "{{ node(\"start\").json.y }}" } }),
        json!({ "id": "sw", "type": "flow.switch", "params": { "cases": [{ "name": "low", "condition": "{{ json.x < 3 }}" }] } }),
        set("low"),
        set("other"),
    ];
    let edges = [("start", "a"), ("a", "sw"), ("sw.low", "low"), ("sw.other", "other")];
    assert_eq!(problems(&document(&nodes, &edges)), [""; 0]);
}

#[test]
fn unknown_types_versions_and_ids_are_errors() {
    let nodes = [
        json!({ "id": "a", "type": "data.sett" }),
        json!({ "id": "a", "type": "data.versioned", "version": 4 }),
        json!({ "id": "B b", "type": "data.versioned", "version": 3 }),
    ];
    let found = full_problems(&document(&nodes, &[("start", "a"), ("start", "B b")]));
    let codes: Vec<_> = found.iter().map(|problem| format!("{} {}", problem.code, problem.path)).collect();
    assert_eq!(
        codes,
        [
            "unknown_node_type /nodes/1/type",
            "duplicate_id /nodes/2/id",
            "unknown_node_version /nodes/2/version",
            "invalid_node_id /nodes/3/id",
        ]
    );
    assert_eq!(found[0].message, "There is no node type `data.sett`; did you mean `data.set`?");
}

#[test]
fn bad_parameters_carry_the_pointer_of_the_value() {
    let params = json!({ "cases": [{ "name": 5, "condition": "maybe" }, { "condition": true }], "limit": "x",
        "mode": "none", "extra": 1 });
    assert_eq!(
        node_problems("flow.switch", params),
        [
            "bad_parameter /nodes/1/params/cases/0/condition",
            "bad_parameter /nodes/1/params/cases/0/name",
            "missing_parameter /nodes/1/params/cases/1/name",
            "unknown_parameter /nodes/1/params/extra",
            "bad_parameter /nodes/1/params/limit",
            "bad_parameter /nodes/1/params/mode",
        ]
    );
}

#[test]
fn an_expression_stands_for_any_value() {
    let good = json!({ "cases": [{ "name": "a", "condition": "{{ json.ok }}" }], "limit": "{{ json.n }}",
        "mode": "{{ json.mode }}" });
    assert_eq!(node_problems("flow.switch", good), [""; 0]);
    assert_eq!(node_problems("flow.switch", json!({ "cases": "{{ json.cases }}" })), [""; 0]);
    // With text around it the result is text, whatever the expression gives.
    let text = json!({ "cases": [], "limit": "about {{ json.n }}" });
    assert_eq!(node_problems("flow.switch", text), ["bad_parameter /nodes/1/params/limit"]);
    assert_eq!(node_problems("data.loose", json!({ "value": "{{ json.v }}" })), [""; 0]);
    assert_eq!(node_problems("data.loose", json!({ "value": [1] })), ["bad_parameter /nodes/1/params/value"]);
}

#[test]
fn alternatives_are_judged_by_the_one_that_was_meant() {
    let text = json!({ "type": "text", "text": "hi", "preview": "{{ json.p }}" });
    assert_eq!(node_problems("chat.send", text), [""; 0]);
    let open = json!({ "type": "{{ json.type }}", "text": "hi" });
    assert_eq!(node_problems("chat.send", open), [""; 0]);
    let wrong = json!({ "type": "template", "template": "hello", "parameters": "none" });
    assert_eq!(node_problems("chat.send", wrong), ["bad_parameter /nodes/1/params/parameters"]);
    assert_eq!(node_problems("chat.send", json!({ "type": "txt" })), ["bad_parameter /nodes/1/params/type"]);
    let unknown = json!({ "type": "text", "text": "hi", "previw": true });
    assert_eq!(node_problems("chat.send", unknown), ["unknown_parameter /nodes/1/params/previw"]);
}

#[test]
fn node_types_add_what_a_schema_cannot_say() {
    let params =
        json!({ "type": "buttons", "buttons": [{ "title": "a title of more than twenty characters" }] });
    assert_eq!(node_problems("chat.send", params), ["title_too_long /nodes/1/params/buttons/0/title"]);
    let params = json!({ "type": "buttons", "buttons": [] });
    let node = json!({ "id": "it", "type": "chat.send", "params": params });
    let found = full_problems(&document(&[node], &[("start", "it")]));
    assert_eq!((found[0].code.as_str(), found[0].severity), ("no_buttons", Severity::Warning));
}

#[test]
fn edges_must_join_ports_that_exist() {
    let edges = [
        ("start", "a"),
        ("a.mian", "start"),
        ("a", "nobody"),
        ("no.where", "a"),
        ("start", "a"),
        ("a", "a.side"),
    ];
    assert_eq!(
        problems(&document(&[set("a")], &edges)),
        [
            "edge_to_nowhere /edges/2/to",
            "edge_to_nowhere /edges/3/from",
            "duplicate_edge /edges/4",
            "missing_port /edges/1/from",
            "missing_port /edges/5/to",
        ]
    );
    assert_eq!(
        problems(&document(&[set("a")], &[("start", "a"), ("a", "start")])),
        ["missing_port /edges/1/to"]
    );
}

#[test]
fn cycles_are_named_and_loops_are_allowed() {
    let edges = [("start", "a"), ("a", "b"), ("b", "c"), ("c", "a")];
    let found = full_problems(&document(&[set("a"), set("b"), set("c")], &edges));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, "cycle");
    assert!(found[0].message.contains("a, b, c"), "{}", found[0].message);
    let each = json!({ "id": "each", "type": "flow.loop" });
    let edges = [("start", "each"), ("each.item", "a"), ("a", "each"), ("each.done", "b")];
    assert_eq!(problems(&document(&[each.clone(), set("a"), set("b")], &edges)), [""; 0]);
    assert_eq!(
        problems(&document(&[each, set("a")], &[("start", "each"), ("each.item", "a")])),
        ["loop_never_returns /nodes/1"]
    );
}

#[test]
fn graph_problems_are_found_beside_unknown_types() {
    let nodes = [json!({ "id": "u", "type": "no.such" }), set("a"), set("b")];
    let edges = [("start", "a"), ("a", "b"), ("b", "a"), ("u.out", "nobody")];
    assert_eq!(
        problems(&document(&nodes, &edges)),
        ["edge_to_nowhere /edges/3/to", "unknown_node_type /nodes/1/type", "cycle /nodes/2"]
    );
    // The unknown node may be a loop, then this is no cycle.
    let edges = [("start", "u"), ("u.item", "a"), ("a", "u"), ("u.done", "b")];
    assert_eq!(problems(&document(&nodes, &edges)), ["unknown_node_type /nodes/1/type"]);
}

#[test]
fn something_must_start_a_workflow_and_lead_to_every_node() {
    let without = json!({ "sluice": 1, "name": "x", "nodes": [set("a")] });
    assert_eq!(problems(&without), ["no_trigger /nodes"]);
    assert_eq!(problems(&json!({ "sluice": 1, "name": "x", "nodes": [] })), ["no_trigger /nodes"]);
    let found = full_problems(&document(&[set("a"), set("b")], &[("a", "b")]));
    assert_eq!(
        found.iter().map(|problem| problem.code.as_str()).collect::<Vec<_>>(),
        ["unreachable_node"; 2]
    );
    assert!(is_valid(&found));
}

#[test]
fn two_webhooks_cannot_share_a_path() {
    let hook =
        |id: &str, path: &str| json!({ "id": id, "type": "trigger.webhook", "params": { "path": path } });
    let nodes = [hook("a", "greet"), hook("b", "/greet/"), hook("c", "other")];
    assert_eq!(problems(&document(&nodes, &[])), ["duplicate_webhook_path /nodes/2/params/path"]);
}

#[test]
fn expressions_must_compile() {
    let node = json!({ "id": "it", "type": "data.set", "params": { "fields": { "a/b": ["ok", "x {{ json.a + }}"] } } });
    let found = full_problems(&document(&[node], &[("start", "it")]));
    assert_eq!(found.len(), 1, "{found:?}");
    let problem = &found[0];
    assert_eq!((problem.code.as_str(), problem.node.as_deref()), ("expression_syntax", Some("it")));
    assert_eq!(problem.path, "/nodes/1/params/fields/a~1b/1");
    assert!(
        problem.message.contains("json.a +") && problem.message.contains("column "),
        "{}",
        problem.message
    );
    let mut lane = document(&[], &[]);
    lane["settings"] = json!({ "lane": "{{ json. }}" });
    assert_eq!(problems(&lane), ["expression_syntax /settings/lane"]);
}

#[test]
fn scripts_must_compile_and_are_not_searched_for_braces() {
    assert_eq!(node_problems("data.script", json!({ "code": "let x = #{a: #{b: 1}}; x" })), [""; 0]);
    assert_eq!(
        node_problems("data.script", json!({ "code": "let x = ;" })),
        ["script_does_not_compile /nodes/1/params/code"]
    );
}

#[test]
fn references_must_lead_upstream() {
    let refer = |to: &str| json!({ "id": "it", "type": "data.set", "params": { "x": format!("{{{{ node(\"{to}\").json }}}}") } });
    let with = |to: &str, edges: &[(&str, &str)]| problems(&document(&[refer(to), set("side")], edges));
    let edges = [("start", "it"), ("start", "side")];
    assert_eq!(with("start", &edges), [""; 0]);
    assert_eq!(with("side", &edges), ["reference_not_upstream /nodes/1/params/x"]);
    assert_eq!(with("sidee", &edges), ["unknown_node_reference /nodes/1/params/x"]);
    assert_eq!(with("side", &[("start", "side"), ("side", "it")]), [""; 0]);
}

#[test]
fn credentials_must_exist_and_be_of_the_right_kind() {
    let found = |node: Value| {
        let document = parse(&document(&[node], &[("start", "it")])).expect("well-formed");
        let kinds = |name: &str| match name {
            "meta" => Some("whatsapp".to_owned()),
            "mail" => Some("smtp".to_owned()),
            _ => None,
        };
        let problems = validate(&document, &registry(), &Expressions::default(), Some(&kinds));
        problems.iter().map(|problem| format!("{} {}", problem.code, problem.path)).collect::<Vec<_>>()
    };
    let send = |extra: Value| {
        let mut node = json!({ "id": "it", "type": "chat.send", "params": { "type": "text", "text": "hi" } });
        node.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        node
    };
    assert_eq!(found(send(json!({ "credential": "meta" }))), [""; 0]);
    assert_eq!(found(send(json!({}))), ["missing_credential /nodes/1/credential"]);
    assert_eq!(found(send(json!({ "credential": "gone" }))), ["missing_credential /nodes/1/credential"]);
    assert_eq!(found(send(json!({ "credential": "mail" }))), ["wrong_credential_kind /nodes/1/credential"]);
    let params = json!({ "params": { "type": "text", "text": "hi", "credential": "mail" } });
    assert_eq!(found(send(params)), ["wrong_credential_kind /nodes/1/params/credential"]);
    let set = json!({ "id": "it", "type": "data.set", "credential": "meta" });
    assert_eq!(found(set), ["unused_credential /nodes/1/credential"]);
}

#[test]
fn a_window_is_closed_by_waits_that_add_up() {
    let wait = |id: &str, length: &str| json!({ "id": id, "type": "flow.wait", "params": { "for": length } });
    let send = |kind: &str| {
        let params = if kind == "text" {
            json!({ "type": "text", "text": "hi" })
        } else {
            json!({ "type": "template", "template": "hello", "parameters": [] })
        };
        json!({ "id": "send", "type": "chat.send", "params": params })
    };
    let chain = |kind: &str, first: &str, second: &str| {
        let nodes = [wait("one", first), wait("two", second), send(kind)];
        problems(&document(&nodes, &[("start", "one"), ("one", "two"), ("two", "send")]))
    };
    assert_eq!(chain("text", "12h", "13h"), ["window_closed /nodes/3/params"]);
    assert_eq!(chain("text", "12h", "12h"), [""; 0]);
    assert_eq!(chain("template", "2d", "13h"), [""; 0]);
    assert_eq!(chain("text", "{{ json.wait }}", "1h"), [""; 0]);
    let reply = json!({ "id": "reply", "type": "chat.wait_reply" });
    let nodes = [wait("one", "2d"), reply, send("text")];
    let edges = [("start", "one"), ("one", "reply"), ("reply", "send")];
    assert_eq!(problems(&document(&nodes, &edges)), [""; 0]);
    // A reply opens the window; waiting for one in vain does not.
    let in_vain = |timeout: &str| {
        let reply = json!({ "id": "reply", "type": "chat.wait_reply", "params": { "timeout": timeout } });
        problems(&document(&[reply, send("text")], &[("start", "reply"), ("reply.timeout", "send")]))
    };
    assert_eq!(in_vain("23h"), [""; 0]);
    assert_eq!(in_vain("25h"), ["window_closed /nodes/2/params"]);
}

#[test]
fn what_is_done_about_unknown_outcomes_is_set_where_it_has_a_meaning() {
    let with = |node_type: &str, policy: &str| {
        let settings = json!({ "unknown_outcome": policy });
        let node = json!({ "id": "a", "type": node_type, "params": { "to": "1" }, "settings": settings });
        document(&[node], &[("start", "a")])
    };
    let of = |value: &Value| {
        let all = full_problems(value);
        let mine = all.into_iter().filter(|problem| problem.path.contains("unknown_outcome"));
        mine.map(|problem| format!("{} {:?}", problem.code, problem.severity)).collect::<Vec<_>>()
    };
    for policy in ["ask", "assume_done", "retry", "fail"] {
        assert_eq!(of(&with("chat.send", policy)), [""; 0]);
        assert_eq!(of(&with("data.set", policy)), ["unused_setting Warning"]);
    }
    let odd = parse(&with("chat.send", "perhaps")).unwrap_err();
    assert_eq!(odd[0].path, "/nodes/1/settings/unknown_outcome");
    let kept = parse(&with("chat.send", "assume_done")).unwrap();
    let text = serde_json::to_string(&kept).unwrap();
    let exported = sluice_engine::document::export_text(&text).unwrap();
    assert!(exported.contains("\"unknown_outcome\": \"assume_done\""), "{exported}");
    let again: sluice_engine::document::Document = serde_json::from_str(&exported).unwrap();
    assert_eq!(again, kept);
}

#[test]
fn settings_are_checked() {
    let mut value = document(
        &[
            json!({ "id": "a", "type": "data.set", "settings": { "timeout": "soon",
                "retry": { "max_attempts": 0, "initial": "1", "max": "1y" } } }),
            json!({ "id": "cron", "type": "trigger.schedule", "params": { "cron": "* * * * *", "timezone": "Mars/Base" } }),
        ],
        &[("start", "a")],
    );
    value["settings"] =
        json!({ "timezone": "Asia/Atlantis", "timeout": "1 fortnight", "retention": "forever" });
    assert_eq!(
        problems(&value),
        [
            "invalid_duration /settings/retention",
            "invalid_duration /settings/timeout",
            "invalid_time_zone /settings/timezone",
            "invalid_duration /nodes/1/settings/retry/initial",
            "invalid_duration /nodes/1/settings/retry/max",
            "invalid_retry /nodes/1/settings/retry/max_attempts",
            "invalid_duration /nodes/1/settings/timeout",
            "invalid_time_zone /nodes/2/params/timezone",
        ]
    );
}

#[test]
fn tests_and_fixtures_name_nodes_that_exist() {
    let mut value = document(&[set("a")], &[("start", "a")]);
    value["fixtures"] = json!({ "gone": [] });
    value["tests"] = json!([{ "name": "t", "node": "a", "now": "yesterday", "advance": "x", "pins": { "gone": [] },
        "steps": [{ "advance": "1d", "signal": "k" }, { "expect": { "waiting": ["gone"] } }, {},
            { "advance": "1d", "payload": 1 }, { "signal": "k", "payload": 1, "expect": { "skipped": ["gone"] } }],
        "expect": { "ran": ["a", "gone"], "output": { "gone": [] }, "failed_node": "gone" } }]);
    assert_eq!(
        problems(&value),
        [
            "unknown_node /fixtures/gone",
            "invalid_duration /tests/0/advance",
            "unknown_node /tests/0/expect/failed_node",
            "unknown_node /tests/0/expect/output/gone",
            "unknown_node /tests/0/expect/ran/1",
            "test_without_trigger /tests/0/node",
            "invalid_time /tests/0/now",
            "unknown_node /tests/0/pins/gone",
            "invalid_step /tests/0/steps/0",
            "unknown_node /tests/0/steps/1/expect/waiting/0",
            "invalid_step /tests/0/steps/2",
            "invalid_step /tests/0/steps/3",
            "unknown_node /tests/0/steps/4/expect/skipped/0",
        ]
    );
}

#[test]
fn faults_inside_a_disabled_node_are_warnings() {
    let node = json!({ "id": "it", "type": "flow.switch", "params": { "cases": "{{ json. }}", "extra": 1 }, "disabled": true });
    let found = full_problems(&document(&[node], &[("start", "it")]));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(is_valid(&found));
}
