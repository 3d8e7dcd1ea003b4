//! Speed of expressions: the two of the project's goals, one that Rhai itself evaluates, a text
//! with two expressions, and a parameter tree over 10,000 items.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use sluice_engine::expr::{Expressions, NodeView, Scope, ScopeError};

struct Item(Arc<Value>);

impl Scope for Item {
    fn json(&self) -> Arc<Value> {
        self.0.clone()
    }

    fn node(&self, id: &str) -> Result<NodeView, ScopeError> {
        Err(ScopeError::UnknownNode(id.to_owned()))
    }

    fn var(&self, _: &str) -> Option<Arc<Value>> {
        None
    }

    fn now(&self) -> i64 {
        0
    }

    fn time_zone(&self) -> &str {
        "Europe/Berlin"
    }
}

/// An item of about 1 KB.
fn item(number: usize) -> Item {
    let mut json = json!({ "a": { "b": { "c": number } }, "n": number, "name": "Ada", "price": 12.5 });
    for field in 0..20 {
        json[format!("field_{field}")] = json!("some text of about forty characters here");
    }
    Item(Arc::new(json))
}

fn single(c: &mut Criterion) {
    let expressions = Expressions::default();
    let scope = item(41);
    for (name, text) in [
        ("json.a + 1", "{{ json.n + 1 }}"),
        ("three levels on 1 KB", "{{ json.a.b.c }}"),
        ("text with two parts", "Hello {{ json.name }}, you are number {{ json.n }}"),
        ("condition", "{{ if json.n > 10 && json.name == \"Ada\" { \"yes\" } else { \"no\" } }}"),
        ("rhai: json.name.upper()", "{{ json.name.upper() }}"),
        ("rhai: round(json.price * 1.19, 2)", "{{ round(json.price * 1.19, 2) }}"),
    ] {
        let template = expressions.compile_text(text).expect("the bench's expressions compile");
        c.bench_function(name, |b| b.iter(|| black_box(&template).eval(black_box(&scope))));
    }
}

fn many(c: &mut Criterion) {
    let expressions = Expressions::default();
    let params =
        json!({ "fields": { "name": "{{ json.name }}", "score": "{{ json.n + 1 }}", "kind": "fixed" } });
    let compiled = expressions.compile_value(&params, &|_| false).expect("the bench's parameters compile");
    let items: Vec<Item> = (0..10_000).map(item).collect();
    c.bench_function("10,000 items, two expressions each", |b| {
        b.iter(|| items.iter().filter(|item| black_box(compiled.resolve(*item)).is_ok()).count());
    });
    let items: Vec<Value> = (0..10_000).map(|n| item(n).0.as_ref().clone()).collect();
    let code = "let out = []; for item in items { out.push(#{ n: item.n, total: item.n * 2 }); } out";
    let mapped = "items.map(|item| #{ n: item.n, total: item.n * 2 })";
    for (name, code, count) in [
        ("script pushing 5,000 objects", code, 5_000),
        ("script pushing 10,000 objects", code, 10_000),
        ("script mapping 10,000 objects", mapped, 10_000),
    ] {
        c.bench_function(name, |b| {
            b.iter_batched(
                || vec![("items", Value::Array(items[..count].to_vec()))],
                |vars| expressions.run_script(code, &item(0), vars),
                criterion::BatchSize::LargeInput,
            );
        });
    }
}

criterion_group!(benches, single, many);
criterion_main!(benches);
