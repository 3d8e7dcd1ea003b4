//! Every documented example gives its result; the docs page lists every function.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use super::eval;
use crate::expr::functions;

#[test]
fn every_documented_example_gives_its_result() {
    let wrong: Vec<String> = functions()
        .iter()
        .filter_map(|function| {
            let expected: Value = serde_json::from_str(function.result).expect("results are JSON");
            let found = eval(&format!("{{{{ {} }}}}", function.example));
            (found != Ok(expected)).then(|| format!("{}: {found:?}", function.example))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_are_documented_once() {
    let mut names: Vec<_> = functions().iter().map(|function| function.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn the_page_lists_every_function() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/expressions.md");
    let page = std::fs::read_to_string(&path).expect("the docs page exists");
    let start = page.find("<!-- functions:").expect("the page has a start mark");
    let start = start + page[start..].find('\n').expect("the mark is a line") + 1;
    let end = page.find("<!-- end of functions -->").expect("the page has an end mark");
    let table = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{}{table}{}", &page[..start], &page[end..]))
            .expect("the page is writable");
        return;
    }
    assert_eq!(&page[start..end], table, "run this test with UPDATE_DOCS=1");
}

fn table() -> String {
    let mut out = String::new();
    let mut group = "";
    for function in functions() {
        if function.group != group {
            group = function.group;
            write!(
                out,
                "\n### {}{}\n\n| function | what it gives | example |\n|---|---|---|\n",
                group[..1].to_uppercase(),
                &group[1..]
            )
            .expect("writing to a String cannot fail");
        }
        let bar = |text: &str| text.replace('|', "\\|");
        writeln!(
            out,
            "| `{}` | {} | `{}` → `{}` |",
            bar(function.signature),
            bar(function.help),
            bar(function.example),
            bar(function.result)
        )
        .expect("writing to a String cannot fail");
    }
    out.push('\n');
    out
}
