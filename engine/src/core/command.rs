//! What comes into the core and what goes out of it.

use super::event::{Event, NodeIx, NodeOutput, Pins, Wait};
use super::state::NodePhase;
use serde_json::Value;
use sluice_node_sdk::context::LogLine;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::item::Item;
use std::sync::Arc;

/// Something that asks the run to move.
#[derive(Clone, Debug)]
pub enum Command {
    /// Begin at a trigger that gave these items.
    Start {
        /// The trigger.
        trigger: NodeIx,
        /// Its output.
        output: Arc<NodeOutput>,
        /// Outputs of nodes that are not to run.
        pins: Pins,
        /// When the run fails if it is not over.
        deadline: Option<i64>,
    },
    /// An execution of a node is through.
    NodeDone {
        /// The node.
        node: NodeIx,
        /// Which execution.
        iteration: u32,
        /// Which attempt.
        attempt: u32,
        /// When the attempt began, milliseconds since the epoch.
        began: i64,
        /// What it logged (already part of a good output).
        logs: Vec<LogLine>,
        /// What came of it.
        result: NodeResult,
    },
    /// Time has passed: whatever is due becomes ready.
    Wake,
    /// A signal came for a key.
    Signal {
        /// The key.
        key: String,
        /// What came with it.
        payload: Value,
    },
    /// A person wants the run to end.
    Cancel,
    /// A person wants a failed run to go on.
    Retry,
    /// The process starts again: announced nodes have no one working on them.
    Recover,
}

/// What came of one attempt.
#[derive(Clone, Debug)]
pub enum NodeResult {
    /// Items.
    Done(Arc<NodeOutput>),
    /// A wish to wait.
    Suspend(Arc<Wait>),
    /// A wish to start a child run.
    Call {
        /// Id or name of the workflow.
        workflow: String,
        /// Items for its trigger.
        items: Vec<Item>,
        /// Id of the child, derived from the effect id.
        child_run_id: String,
        /// Whether the node waits for the child's end.
        wait: bool,
    },
    /// A wish to end the run.
    Stop {
        /// Why it fails; `None` ends it well.
        error: Option<String>,
        /// The node's output.
        output: Arc<NodeOutput>,
    },
    /// A failure.
    Failed(NodeError),
}

/// Something to be done outside the core, after the events are committed (pure nodes: at once).
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Run a node that has no effect outside; inline, in this turn.
    RunPure {
        /// The node.
        node: NodeIx,
        /// Which execution.
        iteration: u32,
    },
    /// Run a node that was announced.
    Run {
        /// The node.
        node: NodeIx,
        /// Which execution.
        iteration: u32,
        /// Which attempt.
        attempt: u32,
    },
    /// Create a child run, in the same commit.
    StartChild {
        /// The calling node.
        node: NodeIx,
        /// Id or name of the workflow.
        workflow: String,
        /// Items for its trigger.
        items: Vec<Item>,
        /// Id of the child.
        child_run_id: String,
    },
    /// Tell what runs that it may stop.
    CancelRunning,
}

/// What was decided: events to write, then effects to start.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// In order.
    pub events: Vec<Event>,
    /// In order.
    pub effects: Vec<Effect>,
}

/// A command that does not fit the state. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The run has begun already.
    #[error("the run has already begun")]
    AlreadyStarted,
    /// The run has not begun.
    #[error("the run has not begun")]
    NotStarted,
    /// The run is over.
    #[error("the run is already over")]
    Over,
    /// What is stored of the run cannot be read, so nobody can go on with it.
    #[error("what is stored of the run cannot be read; the log of the process says why")]
    Unreadable,
    /// Only failed and cancelled runs can be retried.
    #[error("only a failed or cancelled run can be retried")]
    NotRetryable,
    /// A result of an execution or attempt that is no longer the present one.
    #[error("the result belongs to an older attempt or execution of node {node}, which is {phase:?}")]
    StaleResult {
        /// The node.
        node: NodeIx,
        /// How it stands.
        phase: NodePhase,
    },
    /// No node waits for that key.
    #[error("nothing waits for the signal `{0}`")]
    NotWaiting(String),
    /// What came with a signal for an open question is no answer to it.
    #[error("the answer about the unknown outcome is not understood: {0}")]
    NotASettlement(String),
    /// There is no such node.
    #[error("the workflow has no node number {0}")]
    NoSuchNode(NodeIx),
}
