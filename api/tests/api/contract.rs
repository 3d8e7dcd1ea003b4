//! Holds every JSON answer of every test against what the API document says about it.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::to_value(sluice_api::openapi()).unwrap())
}

/// The documented path that an address belongs to; the one with the most fixed parts when several fit.
fn template(address: &str) -> Option<&'static str> {
    let parts: Vec<_> = address.split('/').collect();
    let fits = |path: &&'static String| {
        let wanted: Vec<_> = path.split('/').collect();
        let is_open = path.starts_with("/hooks/") && parts.len() >= wanted.len();
        (wanted.len() == parts.len() || is_open)
            && wanted.iter().zip(&parts).all(|(wanted, part)| wanted.starts_with('{') || wanted == part)
    };
    let found = document()["paths"].as_object().unwrap().keys().filter(fits);
    found.min_by_key(|path| path.matches('{').count()).map(String::as_str)
}

/// Fails when an answer is not documented, or not of the documented shape.
pub(crate) fn check(method: &str, address: &str, status: u16, content_type: &str, body: &[u8]) {
    let Some(path) = template(address) else { return };
    let Some(operation) = document()["paths"][path].get(method.to_lowercase()) else { return };
    let place = format!("{method} {path} {status}");
    let answer = operation["responses"].get(status.to_string());
    let answer = match answer {
        Some(answer) => answer,
        // What a workflow answers is its own business.
        None if path.starts_with("/hooks/") => return,
        None => panic!("{place} is not documented"),
    };
    let Some(content) = answer.get("content") else { return };
    let kind = content_type.split(';').next().unwrap_or_default();
    let schema = &content.get(kind).unwrap_or_else(|| panic!("{place}: {kind} is not documented"))["schema"];
    if kind != "application/json" {
        return;
    }
    let value: Value = serde_json::from_slice(body).unwrap_or_else(|fault| panic!("{place}: {fault}"));
    let faults: Vec<_> = validator(schema)
        .iter_errors(&value)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{place}: {faults:#?}\n{value}");
}

fn validator(schema: &Value) -> Arc<jsonschema::Validator> {
    static KNOWN: OnceLock<Mutex<HashMap<String, Arc<jsonschema::Validator>>>> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Mutex::default).lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let made = known.entry(schema.to_string()).or_insert_with(|| {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": document()["components"],
        });
        Arc::new(jsonschema::draft202012::new(&whole).unwrap())
    });
    made.clone()
}
