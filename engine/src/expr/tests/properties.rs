//! Properties: nothing panics on any text; the short cut and Rhai agree.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::json;

use super::{TestScope, sample};
use crate::expr::engine::Engines;
use crate::expr::error::TextPlace;
use crate::expr::program::Program;
use crate::expr::{ExprError, ExprLimits, Expressions};

static EXPRESSIONS: LazyLock<Expressions> = LazyLock::new(Expressions::default);
static ENGINES: LazyLock<Arc<Engines>> = LazyLock::new(|| Arc::new(Engines::new(ExprLimits::default())));

/// Pieces that together make many half-valid expressions.
const FRAGMENTS: &[&str] = &[
    "{{",
    "}}",
    "{",
    "}",
    "json",
    ".a",
    ".",
    "?.",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "'",
    "`",
    "${",
    "#{",
    "//",
    "/*",
    "*/",
    "\\",
    "\n",
    " ",
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "??",
    "&&",
    "||",
    "!",
    "==",
    "<",
    ">=",
    "in",
    "..",
    "..=",
    "1",
    "-1",
    "0x1f",
    "9223372036854775807",
    "1.5",
    "1e308",
    "true",
    "null",
    "()",
    "x",
    "|x|",
    "|",
    "if ",
    " else ",
    "switch ",
    "=>",
    "_",
    ",",
    ":",
    "::",
    ";",
    "node(\"Lookup\")",
    "node(",
    ".map(",
    ".len()",
    ".upper()",
    "let ",
    "fn ",
    "this",
    "#",
    "\"#",
    "ä",
    "𝒳",
    "\u{0}",
    "map",
    "sort_by",
    "is_shared()",
    "type_of",
    "call(",
    "curry",
    "Fn(",
    "global::",
    "@",
    "$",
    "~",
    "&",
    "^",
    "<<",
    "..",
    "as",
    "import ",
    "export",
    "print(",
    "is_def_var(",
    "=",
    "+=",
];

fn fragments() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(FRAGMENTS), 0..14).prop_map(|parts| parts.concat())
}

/// Expressions of the kind the short cut covers, and a bit beyond.
fn simple_expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(
        &[
            "json",
            "json.a",
            "json.f",
            "json.name",
            "json.nothing",
            "json.flag",
            "json.big",
            "json.missing",
            "json.deep",
            "json.deep.b.c",
            "json.deep?.b?.c",
            "json.nothing?.x.y",
            "json.nothing?[0]",
            "json.list",
            "json.list[0]",
            "json.list[-1]",
            "json.list[9]",
            "json[\"key with space\"]",
            "json[\"a\"]",
            "json.items[1].title",
            "json.a.b",
            "json.name.x",
            "json.list.x",
            "json.nothing.x",
            "json.list[0][1]",
            "contact.first_name",
            "item.index",
            "nowhere",
            "node(\"Lookup\").json.id",
            "node(\"Lookup\").json",
            "node(\"Lookup\").first.id",
            "node(\"Nope\").json.id",
            "0",
            "1",
            "-1",
            "2",
            "41",
            "0.0",
            "1.5",
            "-0.0",
            "1e308",
            "9223372036854775807",
            "-9223372036854775807",
            "18446744073709551615",
            "\"\"",
            "\"a\"",
            "\"Ada\"",
            "'a'",
            "true",
            "false",
            "()",
            "json.list == json.list",
            "[1]",
            "`x${json.a}`",
            "json.name.len()",
            "json.list[1..2]",
            "json.list[json.a]",
        ][..],
    )
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 3, |inner| {
        let sign = prop::sample::select(
            &["+", "-", "*", "/", "%", "**", "==", "!=", "<", "<=", ">", ">=", "??", "&&", "||", "in"][..],
        );
        prop_oneof![
            4 => (inner.clone(), sign, inner.clone()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) + ({b})")),
            1 => inner.clone().prop_map(|a| format!("({a})")),
            1 => inner.clone().prop_map(|a| format!("!({a})")),
            1 => inner.clone().prop_map(|a| format!("-({a})")),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(c, a, b)| format!("if {c} {{ {a} }} else {{ {b} }}")),
            1 => (inner.clone(), inner).prop_map(|(c, a)| format!("if {c} {{ {a} }}")),
        ]
    })
}

/// Panics inside Rhai are caught and reported as internal errors; there should be none.
fn is_internal(outcome: Result<(), ExprError>) -> bool {
    outcome.is_err_and(|error| error.message.contains("internal error"))
}

#[test]
fn common_expressions_take_the_short_cut() {
    for source in [
        "json.a + 1",
        "json.a.b.c",
        "json.list[0].x ?? \"none\"",
        "json?.a?[\"b\"]",
        "if json.a > 3 && !json.flag { json.name } else { \"x\" + item.index }",
        "node(\"Lookup\").json.id",
        "json",
    ] {
        assert!(Program::expression(&ENGINES, source).is_ok_and(|program| program.is_quick()), "{source}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_short_cut_and_rhai_agree(source in simple_expression()) {
        if let Ok(program) = Program::expression(&ENGINES, &source) {
            let scope = sample();
            let quick = program.eval(&scope, TextPlace::START);
            let slow = program.eval_slowly(&scope, TextPlace::START);
            prop_assert_eq!(&quick, &slow, "{}", source);
            let mut text = String::new();
            let joined = program.push_text(&scope, TextPlace::START, &mut text);
            prop_assert_eq!(joined.is_ok(), slow.is_ok());
            if let Ok(value) = slow {
                let mut expected = String::new();
                crate::expr::convert::push_text(&mut expected, &value);
                prop_assert_eq!(text, expected);
            }
        }
    }

    #[test]
    fn no_fragments_panic(text in fragments()) {
        for text in [text.clone(), format!("{{{{ {text} }}}}")] {
            let outcome = EXPRESSIONS.compile_text(&text).and_then(|template| template.eval(&sample()));
            prop_assert!(!is_internal(outcome.map(drop)), "{}", text);
        }
        prop_assert!(!is_internal(EXPRESSIONS.check_script(&text)), "{}", text);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}|(\\{\\{|\\}\\}|[ -~]){0,30}") {
        for text in [text.clone(), format!("{{{{ {text} }}}}")] {
            match EXPRESSIONS.compile_text(&text) {
                Ok(template) => drop(template.eval(&sample())),
                Err(error) => prop_assert!(error.column >= 1 && error.line >= 1),
            }
        }
    }

    #[test]
    fn values_pass_through_unchanged(number in any::<u64>(), signed in any::<i64>(), float in any::<f64>(), text in ".*") {
        let json = json!({ "n": number, "s": signed, "f": float, "t": text, "o": { "l": [number, [text]] } });
        let scope = TestScope::new(json.clone());
        let template = EXPRESSIONS.compile_text("{{ json }}").expect("compiles");
        prop_assert_eq!(template.eval(&scope).expect("evaluates"), json.clone());
        let template = EXPRESSIONS
            .compile_text("{{ #{ n: json.n, s: json.s, f: json.f, t: json.t, o: json.o } }}")
            .expect("compiles");
        prop_assert_eq!(template.eval(&scope).expect("evaluates"), json);
    }
}
