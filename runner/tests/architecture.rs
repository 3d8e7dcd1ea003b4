//! Who may know whom. The table below is that of `ARCHITECTURE.md`; an arrow that is not in it needs a decision in
//! `docs/decisions/` first.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A crate of the workspace, and the crates of the workspace that it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("sluice-node-sdk", &[]),
    ("sluice-db", &[]),
    ("sluice-sandbox", &[]),
    // Built files and nothing else.
    ("sluice-studio", &[]),
    // Drives the program from outside; the database only for the machine's own limits.
    ("sluice-load", &["sluice-db"]),
    ("sluice-engine", &["sluice-node-sdk", "sluice-db"]),
    ("sluice-records", &["sluice-db"]),
    ("sluice-nodes", &["sluice-node-sdk", "sluice-records"]),
    // The engine's own signatures are made of SDK types (items, errors, specs), so the API may name them.
    ("sluice-api", &["sluice-node-sdk", "sluice-engine", "sluice-records", "sluice-studio"]),
    (
        "sluice-runner",
        &[
            "sluice-node-sdk",
            "sluice-db",
            "sluice-engine",
            "sluice-records",
            "sluice-nodes",
            "sluice-api",
            "sluice-sandbox",
        ],
    ),
    ("sluice-example-custom-node", &["sluice-node-sdk", "sluice-runner"]),
];

/// Arrows that only tests, benches and examples may add.
const TEST_ARROWS: &[(&str, &str)] = &[
    // A router or a node on real records needs an open database to stand on.
    ("sluice-api", "sluice-db"),
    ("sluice-nodes", "sluice-db"),
];

/// A package from outside, and the only crates that may depend on it; tests are free.
const KEEPERS: &[(&str, &[&str])] = &[
    ("sqlx", &["sluice-db"]),
    ("axum", &["sluice-api", "sluice-runner", "sluice-sandbox", "sluice-load"]),
    ("rhai", &["sluice-engine"]),
    ("petgraph", &["sluice-engine"]),
    ("clap", &["sluice-runner", "sluice-load", "sluice-example-custom-node"]),
];

/// What the pure core must not name: tasks, storage, clocks, chance.
const FOREIGN_TO_CORE: &[&str] = &[
    "tokio",
    "sqlx",
    "sluice_db",
    "async ",
    ".await",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "now_v7",
    "rand::",
];

/// One dependency of one crate.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrow {
    from: String,
    to: String,
    is_for_tests: bool,
}

fn root() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    folder.expect("the crate lies in a folder of the workspace").to_owned()
}

/// All dependencies of all crates of the workspace, as cargo reads them.
fn arrows() -> BTreeSet<Arrow> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs where it built this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("cargo lists packages");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of_package = |package: &Value| {
        let from = text(&package["name"]);
        let dependencies = package["dependencies"].as_array().cloned().unwrap_or_default();
        dependencies
            .into_iter()
            .map(|found| Arrow {
                from: from.clone(),
                to: text(&found["name"]),
                is_for_tests: found["kind"] == "dev",
            })
            .collect::<Vec<_>>()
    };
    packages.iter().flat_map(of_package).collect()
}

#[test]
fn no_arrow_points_where_it_must_not() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let arrows = arrows();
    let is_ours = |name: &str| name.starts_with("sluice-");
    let refused: Vec<&Arrow> = arrows
        .iter()
        .filter(|arrow| is_ours(&arrow.to))
        .filter(|arrow| !allowed.get(&*arrow.from).is_some_and(|targets| targets.contains(&&*arrow.to)))
        .filter(|arrow| !(arrow.is_for_tests && TEST_ARROWS.contains(&(&arrow.from, &arrow.to))))
        .collect();
    assert!(refused.is_empty(), "new arrows between crates: {refused:#?}");
    let crates: BTreeSet<&str> = arrows.iter().map(|arrow| &*arrow.from).collect();
    let strangers: Vec<_> = crates.iter().filter(|name| !allowed.contains_key(**name)).collect();
    assert!(strangers.is_empty(), "crates without a place in the table: {strangers:?}");
}

#[test]
fn packages_from_outside_stay_with_their_keepers() {
    let arrows = arrows();
    for (package, keepers) in KEEPERS {
        let refused: Vec<&Arrow> = arrows
            .iter()
            .filter(|arrow| &arrow.to == package && !arrow.is_for_tests && !keepers.contains(&&*arrow.from))
            .collect();
        assert!(refused.is_empty(), "only {keepers:?} may use {package}: {refused:#?}");
    }
}

#[test]
fn the_core_is_a_function() {
    let folder = root().join("engine/src/core");
    let files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 3, "the core has moved; this test must follow it");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
        for (number, line) in code {
            if let Some(word) = FOREIGN_TO_CORE.iter().find(|word| line.contains(**word)) {
                panic!("{}:{}: the core must not know `{word}`", file.display(), number + 1);
            }
        }
    }
}
