//! Trees of parameters.

use serde_json::{Value, json};

use super::{TestScope, sample};
use crate::expr::{CompiledParams, ExprErrorKind, Expressions};

fn compiled(params: &Value) -> CompiledParams {
    Expressions::default().compile_value(params, &|_| false).expect("compiles")
}

#[test]
fn a_tree_is_resolved_and_raw_parts_stay() {
    let params = json!({
        "text": "Hi {{ json.name }}", "number": "{{ json.a }}", "fixed": { "x": [1, "y"] },
        "list": ["{{ json.flag }}", null, { "deep": "{{ contact.phone }}" }],
        "code": "let x = \"{{ not touched }}\";", "escaped": r"\{{ json }}",
    });
    let compiled = Expressions::default().compile_value(&params, &|at| at == "/code").expect("compiles");
    assert_eq!(
        compiled.resolve(&sample()),
        Ok(json!({
            "text": "Hi Ada", "number": 41, "fixed": { "x": [1, "y"] },
            "list": [true, null, { "deep": "+49 30 901820" }],
            "code": "let x = \"{{ not touched }}\";", "escaped": "{{ json }}",
        }))
    );
    assert!(!compiled.is_static());
    for (pointer, fixed) in [
        ("/fixed", true),
        ("/fixed/x/0", true),
        ("/code", true),
        ("/list", false),
        ("/list/1", true),
        ("/text", false),
        ("/nowhere", true),
    ] {
        assert_eq!(compiled.is_static_at(pointer), fixed, "{pointer}");
    }
}

#[test]
fn a_part_is_resolved_alone() {
    let params = json!({ "bad": "{{ json.nothing.x }}", "good": ["{{ json.deep }}", 5], "a/b": { "~": "{{ json.a }}" } });
    let compiled = compiled(&params);
    for (pointer, expected) in [
        ("/good/1", json!(5)),
        ("/good/0", json!({ "b": { "c": "found" } })),
        ("/good/0/b/c", json!("found")),
        ("/a~1b/~0", json!(41)),
        ("/nowhere/at/all", json!(null)),
        ("/good/9", json!(null)),
    ] {
        assert_eq!(compiled.resolve_at(pointer, &sample()), Ok(expected), "{pointer}");
    }
    let error = compiled.resolve_at("/bad", &sample()).expect_err("undefined");
    assert_eq!((error.kind, error.pointer.as_str()), (ExprErrorKind::Undefined, "/bad"));
    let error = compiled.resolve(&sample()).expect_err("undefined");
    assert_eq!((error.pointer.as_str(), error.expression.as_str()), ("/bad", "json.nothing.x"));
    assert!(compiled.resolve_at("good", &sample()).is_err());
}

#[test]
fn all_compile_errors_are_reported_at_once() {
    let params = json!({ "a": "{{ 1 + }}", "b": { "c/d": ["ok", "line\n {{ let }}", "{{"] } });
    let errors = Expressions::default().compile_value(&params, &|_| false).expect_err("three errors");
    let places: Vec<_> = errors.iter().map(|e| (e.pointer.as_str(), e.line, e.column)).collect();
    assert_eq!(places, [("/a", 1, 8), ("/b/c~1d/1", 2, 5), ("/b/c~1d/2", 1, 1)]);
}

#[test]
fn references_name_nodes_and_variables() {
    let compiled = compiled(&json!({
        "a": "{{ node(\"One\").json.x }} {{ node(\"Two\").items.map(|i| node(\"Three\").json) }}",
        "b": "{{ if trigger.x { node(\"One\").first } else { () } }}",
    }));
    let nodes: Vec<_> = compiled.references().collect();
    assert_eq!(nodes, ["One", "Two", "Three", "One"]);
    assert!(compiled.variables().any(|name| name == "trigger"));
}

#[test]
fn missing_nodes_and_variables_matter_only_when_reached() {
    let compiled = compiled(&json!("{{ if json.a > 1 { 1 } else { node(\"Nope\").json } }}"));
    assert_eq!(compiled.resolve(&TestScope::new(json!({ "a": 2 }))), Ok(json!(1)));
    assert!(compiled.resolve(&TestScope::new(json!({ "a": 0 }))).is_err());
}

#[test]
fn ten_thousand_items_share_one_compilation() {
    let compiled =
        compiled(&json!({ "n": "{{ json.n * 2 }}", "t": "#{{ json.n }} of {{ json.list.sum() }}" }));
    for n in 0..10_000 {
        let scope = TestScope::new(json!({ "n": n, "list": [n, 1] }));
        let expected = json!({ "n": n * 2, "t": format!("#{n} of {}", n + 1) });
        assert_eq!(compiled.resolve(&scope), Ok(expected));
    }
}
