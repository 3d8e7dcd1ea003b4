//! Between records and nodes: who signs a node's changes, and what its errors are. Must not know a particular node.

use sluice_node_sdk::context::RunInfo;
use sluice_node_sdk::error::NodeError;
use sluice_records::{Actor, ActorKind, RecordError};

/// Signs what a node changes: the run, its workflow, and the effect in the place of a request.
pub(crate) fn actor(run: &RunInfo, effect_id: &str) -> Actor {
    let actor = Actor::new(ActorKind::Workflow, &*run.run_id, &*run.workflow_name);
    Actor { request_id: Some(effect_id.to_owned()), ..actor }
}

/// The node's error for a refused or failed record operation.
pub(crate) fn node_error(error: RecordError) -> NodeError {
    let code = error.code();
    let message = error.to_string();
    match error {
        RecordError::NotFound { .. } => NodeError::invalid_input(message).code(code),
        RecordError::Conflict { .. } | RecordError::Refused { .. } => NodeError::rejected(message).code(code),
        RecordError::Invalid { path, .. } => {
            NodeError::invalid_params(message).code(code).at(format!("/{}", path.replace('.', "/")))
        }
        // Only people meet these.
        RecordError::Throttled(_) | RecordError::CodeRefused => NodeError::rejected(message).code(code),
        RecordError::Seal(_) => NodeError::auth(message).code(code),
        // The database's own words may name tables and hosts; they are in the server's log.
        RecordError::Db(source) => {
            tracing::warn!(error = ?source, "a node could not reach the records");
            NodeError::unavailable("The records cannot be reached at the moment").code(code)
        }
    }
}
