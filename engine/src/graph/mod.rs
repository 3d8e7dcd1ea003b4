//! Workflow graphs on petgraph: from a document to a plan, and every problem of a document at once.
//! Must not know node code, time, or how anything is stored.

mod compile;
mod loops;
mod plan;
mod problem;
mod suggest;
mod validate;

pub use compile::compile;
pub use plan::{EdgeIx, LoopIx, LoopPlan, Plan, PlanEdge, PlanNode, RetryPolicy};
pub use problem::{Problem, Severity};
pub use validate::{
    CredentialKinds, MAX_DOCUMENT_BYTES, MAX_EDGES, MAX_NODES, effective_params, is_valid, parse, parse_text,
    validate,
};
