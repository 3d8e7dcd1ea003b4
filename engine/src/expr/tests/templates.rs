//! Single texts: values, errors and their places.

use serde_json::json;

use super::{eval, sample};
use crate::expr::{ExprErrorKind, Expressions};

#[test]
fn values_keep_their_type_or_are_joined() {
    for (text, expected) in [
        ("plain", json!("plain")),
        ("{{ json.a + 1 }}", json!(42)),
        ("{{ json.deep.b.c }}", json!("found")),
        ("{{ json.deep }}", json!({ "b": { "c": "found" } })),
        ("Hi {{ json.name }}!{{ json.nothing }}", json!("Hi Ada!")),
        ("{{ json.list }} {{ json.deep }}", json!("[1,2,3] {\"b\":{\"c\":\"found\"}}")),
        ("{{ json.missing }}", json!(null)),
        ("{{ contact.first_name ?? \"there\" }}", json!("there")),
        ("{{ json[\"key with space\"] }}", json!("x")),
        ("{{ json.list[-1] }}", json!(3)),
        ("{{ json.list[99] }}", json!(null)),
        ("{{ [1,2][99] }}", json!(null)),
        ("{{ json.big }}", json!(u64::MAX)),
        ("{{ json.id }}", json!(9_007_199_254_740_993_i64)),
        ("{{ [json.big] }}", json!([u64::MAX])),
        ("{{ 1 / 2 }}", json!(0.5)),
        ("{{ 4 / 2 }}", json!(2)),
        ("{{ 4 / 2.0 }} ok", json!("2 ok")),
        ("{{ \"a\" + 1 }}", json!("a1")),
        ("{{ 1 + \"a\" }}", json!("1a")),
        ("{{ 1 == 1.0 }}", json!(true)),
        ("{{ 1 == \"1\" }}", json!(false)),
        ("{{ json.missing == () }}", json!(true)),
        ("{{ 2 < 2.5 }}", json!(true)),
        ("{{ if json.flag { \"y\" } else { \"n\" } }}", json!("y")),
        ("{{ json.missing?.more?.still }}", json!(null)),
        ("{{ 2 in json.list }}", json!(true)),
        ("{{ \"d\" in json.name }}", json!(true)),
        ("{{ \"b\" in json.deep }}", json!(true)),
        ("{{ node(\"Lookup\").json.id }}", json!(7)),
        ("{{ node(\"Lookup\").items }}", json!([{ "id": 7 }, { "id": 8 }])),
        ("{{ node(\"Lookup\").last.id }}", json!(8)),
        ("{{ item.index }}", json!(3)),
        ("{{ `${json.name} has ${json.a}` }}", json!("Ada has 41")),
        ("{{ #{ x: json.a, y: [json.f] } }}", json!({ "x": 41, "y": [1.5] })),
        ("{{ json.list == [1, 2, 3] }}", json!(true)),
        ("{{ -json.a }}", json!(-41)),
        ("{{ !json.flag || json.a > 3 && true }}", json!(true)),
        ("{{ 5 in 1..10 }}", json!(true)),
    ] {
        assert_eq!(eval(text), Ok(expected), "{text}");
    }
}

#[test]
fn errors_say_what_was_undefined_and_where() {
    let mut wrong = Vec::new();
    for (text, kind, message, column) in [
        ("{{ jsn.a }}", ExprErrorKind::Undefined, "`jsn` is undefined", 4),
        (
            "ab {{ json.nothing.x }}",
            ExprErrorKind::Undefined,
            "`json.nothing` is undefined (null), so it has no property `x`",
            20,
        ),
        (
            "{{ json.a.x }}",
            ExprErrorKind::Undefined,
            "cannot read property `x` of `json.a`, which is a number",
            11,
        ),
        ("{{ frob(1) }}", ExprErrorKind::Undefined, "function `frob` is undefined", 4),
        ("{{ node(\"Nope\").json }}", ExprErrorKind::Undefined, "there is no node `Nope`", 4),
        (
            "{{ node(json.name).json }}",
            ExprErrorKind::Syntax,
            "node() needs the node's id as plain text in quotes, such as node(\"Lookup\")",
            4,
        ),
        ("{{ 1 + }}", ExprErrorKind::Syntax, "the expression ends too early", 8),
        ("{{ json.nothing > 1 }}", ExprErrorKind::Type, "`>` cannot be used with null and a number", 17),
        ("{{ 1 / 0 }}", ExprErrorKind::Function, "cannot divide by zero", 6),
        (
            "{{ if json.a { 1 } else { 2 } }}",
            ExprErrorKind::Type,
            "true/false is needed here, not a number",
            11,
        ),
        ("{{ let x = 1 }}", ExprErrorKind::Syntax, "`let` cannot be used here", 4),
        ("{{ eval(\"1\") }}", ExprErrorKind::Syntax, "`eval` cannot be used here", 4),
        ("{{ 1", ExprErrorKind::Syntax, "the expression is never closed: add }}", 1),
        ("{{ }}", ExprErrorKind::Syntax, "the expression is empty", 3),
    ] {
        let error = eval(text).expect_err(text);
        let found = (error.kind, error.message.as_str(), error.column);
        if found != (kind, message, column) {
            wrong.push(format!("{text}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn deep_and_long_expressions_are_refused_without_harm() {
    for open in [
        "(",
        "[",
        "-",
        "!",
        "#{a:",
        "if true { ",
        "f(",
        "`${",
        "json[",
        "|x| ",
        "a.",
        "1+",
        "a ?? ",
        "a[0]",
        "a && ",
        "[1].map(|x| ",
        "switch 1 { 1 => ",
    ] {
        for count in [40, 400, 5_000, 20_000] {
            let text = format!("{{{{ {}1 }}}}", open.repeat(count));
            let _ = Expressions::default().compile_text(&text).and_then(|template| template.eval(&sample()));
            let _ = Expressions::default().check_script(&open.repeat(count));
        }
    }
}

#[test]
fn calls_nest_only_so_deep() {
    let nested = |count: usize| format!("{{{{ {}1{} }}}}", "[1].map(|x| ".repeat(count), ")".repeat(count));
    assert!(eval(&nested(5)).is_ok());
    for count in [20, 24, 30, 45, 60] {
        if let Err(error) = eval(&nested(count)) {
            assert_eq!(error.kind, ExprErrorKind::Limit, "{error}");
        }
    }
}

#[test]
fn joined_texts_have_a_limit() {
    let big = super::TestScope::new(json!({ "t": "x".repeat(1 << 20) }));
    let error = Expressions::default()
        .compile_text(&"{{ json.t }} ".repeat(10))
        .and_then(|template| template.eval(&big))
        .expect_err("too long");
    assert_eq!(error.kind, ExprErrorKind::Limit);
}

#[test]
fn words_are_found_whole_in_any_script() {
    for (text, words, expected) in [
        ("Oh, HI!", "[\"hello\", \"hi\"]", true),
        ("this", "[\"hi\"]", false),
        ("my ORDER   status?", "\"order status\"", true),
        ("order my status", "\"order status\"", false),
        ("I like C++ a lot", "\"c++\"", true),
        ("165", "\"1.5\"", false),
        ("नमस्ते जी", "\"नमस्ते\"", true),
        ("ok 👍", "[\"👍\"]", true),
        ("anything", "[]", false),
        ("anything", "[\" \"]", false),
    ] {
        let template = format!("{{{{ has_word({}, {words}) }}}}", json!(text));
        assert_eq!(eval(&template), Ok(json!(expected)), "{template}");
    }
    assert_eq!(eval("{{ has_word(json.missing, \"hi\") }}"), Ok(json!(false)));
    assert_eq!(eval("{{ has_word(\"x\", 5) }}").unwrap_err().kind, ExprErrorKind::Type);
}
