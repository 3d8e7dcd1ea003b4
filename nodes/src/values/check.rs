//! Looking at parameters as written, before anything runs. Must not know any node.

use serde::de::DeserializeOwned;
use serde_json::Value;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::problem::ParamProblem;

/// Applies a rule that a node also applies when it runs. Parameters with expressions are judged then, and
/// parameters that do not fit the schema are the schema's business.
pub(crate) fn rule<P: DeserializeOwned>(
    params: &Value,
    rule: impl Fn(&P) -> Result<(), NodeError>,
) -> Vec<ParamProblem> {
    if has_expression(params) {
        return Vec::new();
    }
    match P::deserialize(params) {
        Ok(params) => problems(rule(&params)),
        Err(_) => Vec::new(),
    }
}

/// The failure of a rule as a problem to show beside the parameter.
pub(crate) fn problems(outcome: Result<(), NodeError>) -> Vec<ParamProblem> {
    let problem = |error: NodeError| {
        ParamProblem::error(error.path.clone().unwrap_or_default(), &error.code, error.message)
    };
    outcome.err().map(problem).into_iter().collect()
}

/// Whether a parameter is there with a value.
pub(crate) fn is_set(params: &Value, name: &str) -> bool {
    params.get(name).is_some_and(|value| !value.is_null())
}

/// A text parameter without expressions.
pub(crate) fn plain_text<'v>(params: &'v Value, name: &str) -> Option<&'v str> {
    params.get(name).and_then(Value::as_str).filter(|text| !text.contains("{{"))
}

fn has_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{"),
        Value::Array(list) => list.iter().any(has_expression),
        Value::Object(map) => map.values().any(has_expression),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
