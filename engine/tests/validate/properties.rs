//! Validation answers for any input whatever, and always in the same way.

use super::registry;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sluice_engine::expr::Expressions;
use sluice_engine::graph::{compile, is_valid, parse, parse_text, validate};
use std::sync::OnceLock;

fn expressions() -> &'static Expressions {
    static SHARED: OnceLock<Expressions> = OnceLock::new();
    SHARED.get_or_init(Expressions::default)
}

/// Texts that mean something somewhere in a document, among others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "sluice",
            "name",
            "nodes",
            "edges",
            "id",
            "type",
            "params",
            "from",
            "to",
            "settings",
            "tests",
            "expect",
            "a",
            "b",
            "a.error",
            "data.set",
            "flow.loop",
            "trigger.manual",
            "chat.send",
            "{{ json.a }}",
            "{{ node(\"a\") }}",
            "{{",
            "}}",
            "1d",
            "cases",
            "a/b~",
            "",
        ])
        .prop_map(ToOwned::to_owned),
        "\\PC{0,12}",
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(1)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((text(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Documents that are well-formed on the surface, with anything inside.
fn any_document() -> impl Strategy<Value = Value> {
    let types = vec![
        "trigger.manual",
        "data.set",
        "flow.loop",
        "flow.switch",
        "flow.wait",
        "chat.send",
        "data.script",
        "no.such",
    ];
    let ids = vec!["a", "b", "c", "d", "e", "Bad id"];
    let params = prop_oneof![Just(json!({})), any_json().prop_filter("an object", Value::is_object)];
    let node = (proptest::sample::select(ids.clone()), proptest::sample::select(types), params, any::<bool>())
        .prop_map(|(id, kind, params, disabled)| json!({ "id": id, "type": kind, "params": params, "disabled": disabled }));
    let end = (
        proptest::sample::select(ids),
        proptest::sample::select(vec!["", ".item", ".done", ".error", ".main", ".x"]),
    )
        .prop_map(|(id, port)| format!("{id}{port}"));
    let edge = (end.clone(), end).prop_map(|(from, to)| json!({ "from": from, "to": to }));
    (proptest::collection::vec(node, 0..8), proptest::collection::vec(edge, 0..14))
        .prop_map(|(nodes, edges)| json!({ "sluice": 1, "name": "any", "nodes": nodes, "edges": edges }))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_answered(value in any_json()) {
        if let Err(problems) = parse(&value) {
            prop_assert!(!problems.is_empty());
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(parse_text(&bytes).is_err());
    }

    #[test]
    fn any_document_is_judged_always_alike_and_runs_when_it_is_valid(value in any_document()) {
        let document = parse(&value).expect("the surface is well-formed");
        let kinds = |_: &str| None;
        let problems = validate(&document, &registry(), expressions(), Some(&kinds));
        prop_assert_eq!(&problems, &validate(&document, &registry(), expressions(), Some(&kinds)));
        for problem in &problems {
            let path = problem.path.as_str();
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            let is_place = value.pointer(path).is_some() || value.pointer(parent).is_some()
                || path.ends_with("/params") || path.contains("/credential");
            prop_assert!(is_place, "{problem:?}");
            prop_assert!(!problem.message.is_empty() && !problem.code.is_empty());
        }
        if is_valid(&problems) {
            prop_assert!(compile(&document, &registry()).is_ok());
        }
    }
}
