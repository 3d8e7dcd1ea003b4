//! What a node may put into a run: how large and how deeply nested. Refused here, where the node is told, and not in
//! the store, where the run could only stand still. Must not know nodes.

use crate::core::{NodeOutput, NodeResult, Wait};
use crate::store::MAX_DEPTH;
use serde_json::Value;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::item::Item;

/// A turn may hold so many times what a node may give: many nodes share one commit.
pub(super) const TURN: usize = 4;

/// Bytes that a node may give at the most, unless the configuration says otherwise.
pub(super) const LARGEST_OUTPUT: usize = 16 << 20;

/// What is too much.
#[derive(Debug, PartialEq, Eq)]
enum TooMuch {
    /// More bytes than the limit.
    Large,
    /// Nested more deeply than can be read back.
    Deep,
}

impl TooMuch {
    /// As the failure of the node that gave it.
    fn error(&self) -> NodeError {
        match self {
            Self::Large => NodeError::invalid_input(
                "The node gave more data than may be stored at once; process it in parts, keep only the fields that are \
                 needed, or let the operator raise `max_payload`",
            )
            .code("payload_too_large"),
            Self::Deep => NodeError::invalid_input(format!(
                "The node gave JSON that is nested more than {MAX_DEPTH} levels deep; flatten it"
            ))
            .code("too_deep"),
        }
    }
}

/// The result, or the failure of a node that gave too much; and about how many bytes it takes as JSON.
pub(super) fn fit(result: NodeResult, limit: usize) -> (NodeResult, usize) {
    match (weigh(&result, limit), result) {
        (Ok(weight), result) => (result, weight),
        // What is wrong matters more than the facts around it.
        (Err(_), NodeResult::Failed(error)) => (NodeResult::Failed(NodeError { details: None, ..error }), 0),
        (Err(too_much), _) => (NodeResult::Failed(too_much.error()), 0),
    }
}

/// About how many bytes the result of a node takes as JSON, if that is not too much.
fn weigh(result: &NodeResult, limit: usize) -> Result<usize, TooMuch> {
    let mut scale = Scale { left: limit };
    match result {
        NodeResult::Done(output) => scale.output(output)?,
        NodeResult::Stop { output, .. } => scale.output(output)?,
        NodeResult::Suspend(wait) => scale.wait(wait)?,
        NodeResult::Call { items, .. } => scale.items(items)?,
        NodeResult::Failed(error) => {
            if let Some(details) = &error.details {
                scale.value(details, MAX_DEPTH)?;
            }
        }
    }
    Ok(limit - scale.left)
}

struct Scale {
    left: usize,
}

impl Scale {
    fn take(&mut self, bytes: usize) -> Result<(), TooMuch> {
        self.left = self.left.checked_sub(bytes).ok_or(TooMuch::Large)?;
        Ok(())
    }

    fn output(&mut self, output: &NodeOutput) -> Result<(), TooMuch> {
        output.ports.iter().try_for_each(|(_, items)| self.items(items))?;
        if let Some(state) = &output.loop_state {
            self.value(state, MAX_DEPTH)?;
        }
        output.logs.iter().try_for_each(|line| self.take(line.message.len() + 32))?;
        output.reply.as_ref().map_or(Ok(()), |reply| self.value(&reply.body, MAX_DEPTH))
    }

    fn wait(&mut self, wait: &Wait) -> Result<(), TooMuch> {
        self.value(&wait.state, MAX_DEPTH)?;
        self.value(&wait.info, MAX_DEPTH)
    }

    fn items(&mut self, items: &[Item]) -> Result<(), TooMuch> {
        items.iter().try_for_each(|item| {
            let files = item.files.as_ref().map_or(0, |files| files.len() * 200);
            self.take(files + 16)?;
            self.value(&item.json, MAX_DEPTH)
        })
    }

    /// `levels` is how deeply the value may still be nested.
    fn value(&mut self, value: &Value, levels: usize) -> Result<(), TooMuch> {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => self.take(4),
            Value::String(text) => self.take(text.len() + 2),
            Value::Array(_) | Value::Object(_) if levels == 0 => Err(TooMuch::Deep),
            Value::Array(values) => {
                self.take(values.len() + 2)?;
                values.iter().try_for_each(|value| self.value(value, levels - 1))
            }
            Value::Object(map) => {
                self.take(2)?;
                map.iter().try_for_each(|(key, value)| {
                    self.take(key.len() + 4)?;
                    self.value(value, levels - 1)
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::Arc;

    fn done(json: Value) -> NodeResult {
        let ports = vec![(0, Arc::new(vec![Item::new(json)]))];
        NodeResult::Done(Arc::new(NodeOutput { ports, ..NodeOutput::default() }))
    }

    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inner, _| json!([inner]))
    }

    #[test]
    fn what_is_too_large_is_named_and_what_is_not_is_weighed() {
        assert_eq!(weigh(&done(json!({ "text": "x".repeat(2_000) })), 1_000), Err(TooMuch::Large));
        let weight =
            weigh(&done(json!({ "text": "x".repeat(2_000), "list": [1, 2, null] })), 10_000).unwrap();
        let bytes = json!({ "text": "x".repeat(2_000), "list": [1, 2, null] }).to_string().len();
        assert!(weight.abs_diff(bytes) < 100, "{weight} for {bytes} bytes");
    }

    #[test]
    fn the_deepest_value_that_is_accepted_can_be_read_back() {
        assert!(weigh(&done(nested(MAX_DEPTH)), 1_000).is_ok());
        let text = serde_json::to_string(&nested(MAX_DEPTH)).unwrap();
        assert!(serde_json::from_str::<Value>(&text).is_ok());
        assert_eq!(weigh(&done(nested(MAX_DEPTH + 1)), 1_000), Err(TooMuch::Deep));
        let kind = sluice_node_sdk::outcome::WaitKind::Signal;
        let wait = Wait { kind, until: None, signal: None, state: nested(101), info: Value::Null };
        assert_eq!(weigh(&NodeResult::Suspend(Arc::new(wait)), 1_000), Err(TooMuch::Deep));
    }
}
