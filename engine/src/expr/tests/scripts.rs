//! Scripts, and the bounds on scripts and expressions.

use serde_json::{Value, json};

use super::{eval, sample};
use crate::expr::{ExprError, ExprErrorKind, Expressions};

fn script(code: &str) -> Result<Value, ExprError> {
    let vars = vec![("items", json!([{ "n": 1, "tags": ["x"] }, { "n": 2 }]))];
    Expressions::default().run_script(code, &sample(), vars)
}

#[test]
fn scripts_may_loop_define_functions_and_change_copies() {
    for (code, expected) in [
        ("let sum = 0; for item in items { sum += item.n; } sum", json!(3)),
        ("fn twice(x) { x * 2 } items.map(|i| twice(i.n))", json!([2, 4])),
        (
            "let out = []; for item in items { item.n += 10; item.seen = true; out.push(item); } out[0].n = 5; out",
            json!([{ "n": 5, "tags": ["x"], "seen": true }, { "n": 12, "seen": true }]),
        ),
        ("let a = items; a.push(3); a.len() + items.len()", json!(5)),
        ("let a = items[0]; a.tags.push(\"y\"); a.tags", json!(["x", "y"])),
        ("let m = #{}; for i in 0..3 { m[`k${i}`] = i; } m", json!({ "k0": 0, "k1": 1, "k2": 2 })),
        ("let t = \"\"; let i = 0; while i < 3 { t += i; i += 1; } t", json!("012")),
        ("let l = [1]; l += [2, 3]; l", json!([1, 2, 3])),
        ("json.a + 1", json!(42)),
        ("node(\"Lookup\").json.id", json!(7)),
        ("if items.len() > 1 { return \"many\"; } \"few\"", json!("many")),
        ("let r = 0; try { json.nothing.x } catch (e) { r = 5; } r", json!(5)),
        (
            "let t = \"\"; try { json.list.push(|x| x) } catch (e) { t = `${e}`; } t",
            json!("the result is a function or a range, which has no JSON form"),
        ),
        ("let a = [3]; a[7] ", json!(null)),
        (
            "let o = #{ rows: [] }; for i in items { o.rows.push(#{ n: i.n }); } o",
            json!({ "rows": [{ "n": 1 }, { "n": 2 }] }),
        ),
        ("const LIMIT = 1; items.filter(|i| i.n > 1).len()", json!(1)),
        ("let min = 1; items.filter(|i| i.n > min).len()", json!(1)),
        ("let k = []; for key in json.deep { k.push(key) } k", json!(["b"])),
    ] {
        assert_eq!(script(code), Ok(expected), "{code}");
    }
}

#[test]
fn runaway_scripts_and_expressions_are_stopped() {
    for code in [
        "loop { }",
        "fn f(n) { f(n + 1) } f(0)",
        "let a = \"x\"; loop { a += a; }",
        "let a = [1]; loop { a = [a, a]; }",
        "let a = [1]; loop { a = [a]; }",
        "let a = #{}; loop { a = #{ x: a }; }",
        "let a = 1; loop { a = [#{ x: a }]; }",
        "let a = []; let b = []; for i in 0..1000 { a = [a]; b = [b]; } a == b",
        "let a = [1]; loop { a += a; }",
        "let out = []; loop { out.push(1); }",
        "let out = []; loop { out.push(#{ t: \"x\".repeat(100000) }); }",
        "let t = \"x\".repeat(1000000); let l = []; loop { l += [t.upper()]; }",
    ] {
        let error = script(code).expect_err(code);
        assert_eq!(error.kind, ExprErrorKind::Limit, "{code}: {error}");
    }
    for text in [
        "{{ (0..100000).map(|x| (0..100000).map(|y| y)) }}",
        "{{ \"x\".repeat(100000000) }}",
        "{{ \"x\".pad(100000000) }}",
        "{{ (0..1000).map(|x| \"x\".repeat(1000000)) }}",
    ] {
        let error = eval(text).expect_err(text);
        assert_eq!(error.kind, ExprErrorKind::Limit, "{text}: {error}");
    }
}

#[test]
fn functions_that_capture_variables_cannot_be_kept() {
    // Kept ones could be nested without end, or hold themselves and never be freed.
    for code in [
        "let a = 1; loop { let b = a; a = || b; }",
        "let m = #{}; m.f = || m;",
        "fn keep(f) { f } let a = 1; let b = keep(|| a);",
        "fn map(l, f) { f } let a = 1; let b = map([], || a);",
        "let a = 1; let l = [|| a];",
        "let f = |x| x; let g = f.curry(1);",
    ] {
        let error = script(code).expect_err(code);
        assert_eq!(error.kind, ExprErrorKind::Syntax, "{code}: {error}");
    }
    assert_eq!(
        script("let a = 2; let b = []; items.map(|i| { b.push(b.len()); i.n * a }) + b"),
        Ok(json!([2, 4, 0, 1]))
    );
    assert_eq!(script("let a = [1]; [0].map(|x| a.push(a)); a"), Ok(json!([1, [1]])));
}
