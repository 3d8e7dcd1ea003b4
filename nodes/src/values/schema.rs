//! JSON Schema checking with the bounds that user input needs: nothing is fetched, no file is read, and
//! patterns cannot take exponential time. Must not know any node.

use jsonschema::{PatternOptions, Validator};
use serde_json::{Value, json};
use sluice_node_sdk::error::NodeError;

/// Faults reported per value; more help nobody.
const MOST_FAULTS: usize = 50;

/// Prepares a schema (draft 2020-12 unless `$schema` says otherwise).
///
/// # Errors
/// `invalid_schema` at `pointer`; a reference to another document counts as invalid.
pub(crate) fn compile(schema: &Value, pointer: &str) -> Result<Validator, NodeError> {
    jsonschema::options()
        .offline()
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .map_err(|error| {
            NodeError::invalid_params(format!("The JSON Schema cannot be used: {}", error.masked()))
                .code("invalid_schema")
                .at(format!("{pointer}{}", error.instance_path()))
        })
}

/// What is wrong with a value, each as `{ path, keyword, message }`; empty when nothing is.
pub(crate) fn faults(checker: &Validator, value: &Value) -> Vec<Value> {
    let describe = |error: jsonschema::ValidationError<'_>| {
        json!({
            "path": error.instance_path().to_string(),
            "keyword": error.kind().keyword(),
            "message": error.to_string(),
        })
    };
    checker.iter_errors(value).take(MOST_FAULTS).map(describe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_outside_are_refused() {
        for reference in ["http://127.0.0.1:1/schema.json", "file:///etc/hostname", "https://example.com/s"] {
            let error = compile(&json!({ "$ref": reference }), "/schema").unwrap_err();
            assert_eq!(error.code, "invalid_schema", "{reference}");
        }
        assert!(compile(&json!({ "$defs": { "a": { "type": "null" } }, "$ref": "#/$defs/a" }), "").is_ok());
    }

    #[test]
    fn costly_patterns_are_linear_or_refused() {
        let checker = compile(&json!({ "pattern": "^(a+)+$" }), "").unwrap();
        let text = "a".repeat(5_000) + "!";
        assert_eq!(faults(&checker, &json!(text)).len(), 1);
        assert!(compile(&json!({ "pattern": "(a)\\1" }), "").is_err(), "back references need backtracking");
    }

    #[test]
    fn every_fault_is_listed_with_its_path() {
        let schema = json!({ "required": ["a"], "properties": { "b": { "type": "integer" } } });
        let checker = compile(&schema, "").unwrap();
        let faults = faults(&checker, &json!({ "b": "x" }));
        let paths: Vec<_> = faults.iter().map(|fault| fault["path"].as_str().unwrap()).collect();
        assert_eq!(paths.len(), 2);
        assert!(paths.contains(&"") && paths.contains(&"/b"), "{paths:?}");
    }
}
