//! Other workflows that a document under test calls.

use super::describe;
use crate::document::Document;
use crate::drive::{Engine, EngineError};
use serde_json::Value;

/// The neighbours that a document names, and those that they name.
pub(super) fn called<'a>(document: &'a Document, neighbours: &'a [Document]) -> Vec<&'a Document> {
    let mut found: Vec<&Document> = vec![document];
    let mut at = 0;
    while at < found.len() {
        let names = |other: &&Document| names(found[at], &other.name);
        let known = |other: &&Document| found.iter().any(|one| one.name == other.name);
        let new: Vec<&Document> = neighbours.iter().filter(|other| names(other) && !known(other)).collect();
        found.extend(new);
        at += 1;
    }
    found.split_off(1)
}

fn names(document: &Document, name: &str) -> bool {
    fn holds(value: &Value, name: &str) -> bool {
        match value {
            Value::String(text) => text == name,
            Value::Array(values) => values.iter().any(|value| holds(value, name)),
            Value::Object(map) => map.values().any(|value| holds(value, name)),
            _ => false,
        }
    }
    document.nodes.iter().flat_map(|node| node.params.values()).any(|value| holds(value, name))
}

/// Makes a neighbour callable.
pub(super) async fn publish(engine: &Engine, workspace_id: &str, document: &Document) -> Result<(), String> {
    let about = |error: EngineError| format!("the workflow `{}`: {}", document.name, describe(&error));
    let row = engine.create_workflow(workspace_id, document.clone()).await.map_err(about)?;
    engine.publish(workspace_id, &row.id, None).await.map_err(about)?;
    Ok(())
}
