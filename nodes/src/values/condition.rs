//! Conditions: a parameter that must come out as true or false for an item. Must not know any node.

use crate::values::field::kind_name;
use serde_json::Value;
use sluice_node_sdk::context::NodeContext;
use sluice_node_sdk::error::NodeError;

/// Whether the condition at `pointer` holds for the input item `index`.
///
/// # Errors
/// `condition_missing` when there is none, `condition_not_boolean` when it is neither true nor false, and
/// whatever the expression itself fails with.
pub(crate) fn holds(ctx: &NodeContext, pointer: &str, index: usize) -> Result<bool, NodeError> {
    match ctx.params.resolve_at(pointer, index)? {
        Value::Bool(answer) => Ok(answer),
        Value::Null => Err(NodeError::invalid_params(format!(
            "The condition has no value for item {index}; write an expression such as `{{{{ json.score > 10 }}}}`"
        ))
        .code("condition_missing")
        .at(pointer)),
        other => Err(NodeError::invalid_params(format!(
            "The condition must be true or false, but for item {index} it is {}; compare it with something, \
             as in `{{{{ json.score > 10 }}}}`, and write nothing outside the braces",
            described(&other)
        ))
        .code("condition_not_boolean")
        .at(pointer)),
    }
}

/// A value in a few words, cut short so that no customer data floods a message.
fn described(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() <= 40 => format!("the text `{text}`"),
        Value::Number(number) => format!("the number {number}"),
        other => kind_name(other).to_owned(),
    }
}
