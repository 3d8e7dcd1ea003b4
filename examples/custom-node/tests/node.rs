//! The node as a host sees it: its examples, its errors, and the workflow that uses it. Each example of a node is
//! a test.

use serde_json::{Value, json};
use sluice_node_sdk::item::{Input, Item};
use sluice_node_sdk::testkit::{Bench, check_examples};
use std::process::Command;

#[tokio::test]
async fn every_example_is_kept() {
    for node in sluice_example_custom_node::all() {
        check_examples(&node).await.unwrap();
    }
}

#[tokio::test]
async fn a_parcel_that_is_too_heavy_names_the_parameter() {
    let node = sluice_example_custom_node::all().remove(0);
    let params = json!({ "weight_g": 2001, "first_kg": 1, "further_kg": 1, "max_weight_g": 2000 });
    let error = Bench::new(node).run(params, Input::main(vec![Item::new(json!({}))])).await.unwrap_err();
    assert_eq!((&*error.code, error.path.as_deref()), ("parcel_too_heavy", Some("/weight_g")));
}

fn sluice(arguments: &[&str]) -> (bool, String) {
    let folder = env!("CARGO_MANIFEST_DIR");
    let program = env!("CARGO_BIN_EXE_sluice-example");
    let done =
        Command::new(program).args(arguments).current_dir(folder).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (done.status.success(), text(done.stdout) + &text(done.stderr))
}

#[test]
fn the_program_of_this_crate_knows_the_node_and_the_built_in_ones() {
    let (good, catalogue) = sluice(&["nodes"]);
    assert!(good && catalogue.contains("shipping.quote") && catalogue.contains("data.set"), "{catalogue}");
    let (good, page) = sluice(&["nodes", "shipping.quote"]);
    assert!(good && page.contains("Weight of the parcel in grams"), "{page}");
}

#[test]
fn the_workflow_runs_and_keeps_its_tests() {
    let (good, answer) = sluice(&["run", "workflow.json", "--json"]);
    let run: Value = serde_json::from_str(&answer).unwrap();
    assert!(good && run["status"] == "succeeded", "{answer}");
    let (good, report) = sluice(&["test", "workflow.json"]);
    assert!(good && report.contains("2 passed, 0 failed"), "{report}");
}
