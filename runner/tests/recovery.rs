//! What must hold of every template and every example workflow, whatever it does: any node may fail, and the
//! process may stop anywhere.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use sluice_engine::document::Document;
use sluice_engine::testing::{every_crash_point_recovers, every_node_failure_settles};
use sluice_runner::{MemoryHost, Settings};
use std::path::Path;

fn documents() -> Vec<Document> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut documents = Vec::new();
    for folder in ["templates", "examples/workflows"] {
        let mut paths: Vec<_> =
            std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
            documents.push(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap());
        }
    }
    assert!(documents.len() > 2);
    documents
}

fn host() -> MemoryHost {
    MemoryHost { extra: Vec::new(), config: Settings::default().resolve().unwrap() }
}

#[tokio::test]
async fn every_workflow_settles_whichever_node_fails() {
    let (host, documents) = (host(), documents());
    let mut failures = Vec::new();
    for document in &documents {
        failures.extend(every_node_failure_settles(&host, document, &documents).await);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn every_workflow_goes_on_after_a_crash_anywhere() {
    let (host, documents) = (host(), documents());
    let mut failures = Vec::new();
    for document in &documents {
        failures.extend(every_crash_point_recovers(&host, document, &documents).await);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
