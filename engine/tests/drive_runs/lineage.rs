//! `node("X")`: the item of an earlier node that led to the current one.

use crate::home::{Home, code, doc, output};
use serde_json::{Value, json};
use sluice_engine::document::Document;

/// Three items come from `many`; `between` leads from there to `last`, which asks for the item of `origin`.
fn asking(origin: &str, between: Value, edges: &[&str]) -> Document {
    let mut nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "many", "type": "set", "params": { "value": {} } },
        { "id": "last", "type": "set", "params": { "value": { "was": format!("{{{{ node(\"{origin}\").json.n }}}}") } } },
    ]);
    nodes.as_array_mut().unwrap().extend(between.as_array().unwrap().clone());
    let edges: Vec<&str> = std::iter::once("start > many").chain(edges.iter().copied()).collect();
    doc("Lineage", nodes, &edges)
}

/// Runs with three items that `many` gives: `n` is 1, 2, 3.
async fn was(document: Document) -> Result<Vec<Value>, String> {
    use sluice_engine::drive::StartRequest;
    use sluice_node_sdk::item::Item;
    let home = Home::new().await;
    let items: Vec<_> = (1..=3).map(|n| Item::new(json!({ "n": n }))).collect();
    let pins = std::collections::BTreeMap::from([("many".to_owned(), items.into())]);
    let request = StartRequest { draft: Some(document), pins, ..crate::home::request("wf", json!({})) };
    let key = home.engine.start(request).await.unwrap().key;
    home.engine.settle().await;
    let view = home.view(&key).await;
    if view.error.is_some() {
        return Err(code(&view).to_owned());
    }
    Ok(output(&view, "last").into_iter().map(|json| json["was"].clone()).collect())
}

fn double() -> Value {
    json!({ "id": "double", "type": "set", "params": { "value": { "n": "{{ json.n * 10 }}" } } })
}

#[tokio::test]
async fn through_nodes_that_keep_drop_or_reorder() {
    let shape =
        |mode: &str| json!([double(), { "id": "shape", "type": "shape", "params": { "mode": mode } }]);
    let edges = ["many > shape", "shape.main > double", "double > last"];
    assert_eq!(was(asking("many", shape("filter"), &edges)).await.unwrap(), [1, 3]);
    assert_eq!(was(asking("many", shape("sort"), &edges)).await.unwrap(), [3, 2, 1]);
    assert_eq!(was(asking("double", shape("sort"), &edges)).await.unwrap(), [30, 20, 10]);
}

#[tokio::test]
async fn through_ports_that_part_and_meet_again() {
    let between = json!([double(), { "id": "split", "type": "shape", "params": { "mode": "split" } }]);
    let edges = ["many > split", "split.a > double", "double > last", "split.b > last"];
    assert_eq!(was(asking("many", between, &edges)).await.unwrap(), [1, 3, 2]);
}

#[tokio::test]
async fn what_is_made_of_many_has_no_one_origin() {
    let sum = json!([{ "id": "sum", "type": "shape", "params": { "mode": "sum" } }]);
    let edges = ["many > sum", "sum.main > last"];
    assert_eq!(was(asking("many", sum.clone(), &edges)).await.unwrap_err(), "expression_undefined");
}

#[tokio::test]
async fn a_merge_does_not_take_one_branch_for_the_other() {
    // One item on `main`; what comes from `other` is not of it.
    let between = json!([
        { "id": "split", "type": "shape", "params": { "mode": "split" } },
        { "id": "merge", "type": "merge" },
    ]);
    let edges = ["many > split", "split.b > merge", "split.a > merge.other", "merge > last"];
    assert_eq!(was(asking("split", between, &edges)).await.unwrap_err(), "expression_undefined");
}

#[tokio::test]
async fn inside_a_loop_the_item_is_that_of_the_round() {
    let between = json!([{ "id": "loop", "type": "loop" }, double()]);
    let edges = ["many > loop", "loop.item > double", "double > last", "last > loop"];
    // The last round is the one seen in the view; rounds before would have failed the run.
    assert_eq!(was(asking("many", between.clone(), &edges)).await.unwrap(), [3]);
    assert_eq!(was(asking("double", between, &edges)).await.unwrap(), [30]);
}

#[tokio::test]
async fn after_a_loop_every_item_keeps_its_own_origin_or_none() {
    let between = json!([
        { "id": "loop", "type": "loop" }, double(),
        { "id": "again", "type": "set", "params": { "value": {} } },
        { "id": "aside", "type": "shape", "params": { "mode": "filter" } },
    ]);
    // What leaves the body directly was given by `again` in its own round.
    let leave = [
        "many > loop",
        "loop.item > double",
        "double > again",
        "again > loop",
        "again > last",
        "loop.done > aside",
    ];
    let edges = [&leave[..], &["aside.main > last"]].concat();
    assert_eq!(was(asking("again", between.clone(), &edges)).await.unwrap(), [10, 20, 30]);
    // Two steps back, the rounds before the last are gone: an error and no wrong answer.
    assert_eq!(was(asking("double", between.clone(), &edges)).await.unwrap_err(), "expression_undefined");
    // What ran once is certain whatever happened since.
    let mut document = asking("start", between.clone(), &edges);
    document.nodes[2].params["value"] = json!({ "was": "{{ node(\"start\").json.x ?? json.n }}" });
    assert_eq!(was(document).await.unwrap(), [10, 20, 30]);
    // What the loop gives in the end has no one origin in its body.
    let edges = ["many > loop", "loop.item > double", "double > loop", "loop.done > last"];
    let between = json!([{ "id": "loop", "type": "loop" }, double()]);
    assert_eq!(was(asking("double", between, &edges)).await.unwrap_err(), "expression_undefined");
}

#[tokio::test]
async fn a_single_item_is_certain_and_an_unreached_node_is_not() {
    let sum = json!([{ "id": "sum", "type": "shape", "params": { "mode": "sum" } }]);
    let mut document = asking("start", sum.clone(), &["many > sum", "sum.main > last"]);
    document.nodes[2].params["value"] = json!({ "was": "{{ node(\"start\").json.from_trigger ?? 7 }}" });
    assert_eq!(was(document).await.unwrap(), [7]);
    let aside = json!([
        { "id": "split", "type": "shape", "params": { "mode": "split" } },
        { "id": "never", "type": "set", "params": { "value": {} } },
    ]);
    let edges = ["many > split", "split.main > never", "many > last"];
    assert_eq!(was(asking("never", aside, &edges)).await.unwrap_err(), "expression_undefined");
}
