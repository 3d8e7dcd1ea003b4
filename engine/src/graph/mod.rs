//! Workflow graphs on petgraph: from a document to a plan, and every problem of a document at once.
//! Must not know node code, time, or how anything is stored.

mod compile;
mod loops;
mod plan;
mod problem;

pub use compile::compile;
pub use plan::{EdgeIx, LoopIx, LoopPlan, Plan, PlanEdge, PlanNode, RetryPolicy};
pub use problem::{Problem, Severity};

/// Everything wrong with a document.
pub fn validate(
    document: &crate::document::Document,
    registry: &sluice_node_sdk::registry::Registry,
    _expressions: &crate::expr::Expressions,
    _credentials: Option<&dyn Fn(&str) -> Option<String>>,
) -> Vec<Problem> {
    compile(document, registry).err().unwrap_or_default()
}
