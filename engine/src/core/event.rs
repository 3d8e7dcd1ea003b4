//! Events: the facts that are stored. A run is nothing but its events; everything else can be computed
//! from them and the plan of its workflow version. Node numbers are positions in the version's `nodes`
//! list, which never changes. Must not know how events are stored.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_node_sdk::context::LogLine;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::item::Items;
use sluice_node_sdk::outcome::{Cause, Reply, WaitKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Position of a node in the `nodes` list of its workflow version.
pub type NodeIx = u32;

/// Position of a port in the list of ports in the plan.
pub type PortIx = u16;

/// Something that happened in a run, and when (milliseconds since the epoch).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it was decided.
    pub at: i64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What can happen in a run. The names of the variants are stored; never reuse one with another meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The run began at a trigger.
    RunStarted {
        /// The trigger that fired.
        trigger: NodeIx,
        /// The items it gave.
        output: Arc<NodeOutput>,
        /// Outputs that a person fixed for a test run, in place of running the nodes.
        #[serde(default, rename = "pinned", with = "pairs", skip_serializing_if = "BTreeMap::is_empty")]
        pins: Pins,
        /// The run fails when it is not over by then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline: Option<i64>,
    },
    /// A node with an effect was announced; it starts after this is committed.
    NodeStarted {
        /// The node.
        node: NodeIx,
        /// 1 for the first try of this execution.
        attempt: u32,
    },
    /// A node finished.
    NodeSucceeded {
        /// The node.
        node: NodeIx,
        /// When it began, if that differs from the event's time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        began: Option<i64>,
        /// What it gave.
        output: Arc<NodeOutput>,
    },
    /// An attempt failed.
    NodeFailed {
        /// The node.
        node: NodeIx,
        /// When the attempt began, if that differs from the event's time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        began: Option<i64>,
        /// Why.
        error: Box<NodeError>,
        /// The next attempt, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<i64>,
        /// What leaves the node in spite of the failure, by its `on_error` setting.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<Arc<NodeOutput>>,
        /// What the node logged.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        logs: Vec<LogLine>,
    },
    /// All inputs of a node were dead.
    NodeSkipped {
        /// The node.
        node: NodeIx,
    },
    /// A node began to wait.
    NodeSuspended {
        /// The node.
        node: NodeIx,
        /// For what.
        wait: Arc<Wait>,
    },
    /// What a node waited for came.
    NodeResumed {
        /// The node.
        node: NodeIx,
        /// What came.
        #[serde(flatten)]
        cause: Cause,
    },
    /// A node was given up because the run ends.
    NodeCancelled {
        /// The node.
        node: NodeIx,
    },
    /// The run is coming to an end: nothing new starts, what runs may finish.
    RunEnding {
        /// How it will end.
        status: RunStatus,
        /// Why, unless it ends well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Box<RunError>>,
    },
    /// The run is over.
    RunFinished {
        /// How it ended.
        status: RunStatus,
    },
    /// A person asked to go on from where the run failed.
    RunRetried {},
}

/// Pins as a list of pairs: JSON would turn the numbers into text, which a flattened enum cannot turn back.
mod pairs {
    use super::{NodeIx, Pins, PortItems};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(pins: &Pins, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(pins)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Pins, D::Error> {
        Ok(Vec::<(NodeIx, PortItems)>::deserialize(input)?.into_iter().collect())
    }
}

/// Items per port; ports without items may be left out.
pub type PortItems = Vec<(PortIx, Items)>;

/// What nodes give that are not to run.
pub type Pins = BTreeMap<NodeIx, PortItems>;

/// What a node gave: items per port, and more.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeOutput {
    /// Items per port; ports without items are left out.
    #[serde(default, rename = "p", skip_serializing_if = "Vec::is_empty")]
    pub ports: PortItems,
    /// The answer for the caller of a webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// What a loop entry remembers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loop_state: Option<Value>,
    /// What the node logged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogLine>,
}

impl NodeOutput {
    /// The items on a port, if any.
    pub fn port(&self, port: PortIx) -> Option<&Items> {
        self.ports.iter().find(|(name, items)| *name == port && !items.is_empty()).map(|(_, items)| items)
    }
}

/// What a suspended node waits for, as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// The sort of wait.
    pub kind: WaitKind,
    /// Latest moment, milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Signal key, scoped to the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// What the node asked to remember.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub state: Value,
    /// For people.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub info: Value,
}

/// How a run stands.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Accepted, not begun (its lane is busy, or no runner had time).
    #[default]
    Queued,
    /// Something is being done.
    Running,
    /// Waiting for a time or a signal; holds no memory.
    Waiting,
    /// Ended well.
    Succeeded,
    /// Ended by an error.
    Failed,
    /// Ended by a person.
    Cancelled,
}

impl RunStatus {
    /// Whether the run is over.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Queued, Self::Running, Self::Waiting, Self::Succeeded, Self::Failed, Self::Cancelled]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

/// Why a run failed: data for people and programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunError {
    /// Stable code.
    pub code: String,
    /// The node at fault, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// One sentence.
    pub message: String,
    /// JSON pointer of the parameter at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// More facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

impl RunError {
    /// The failure of a run because its node failed.
    pub fn of_node(node: &str, error: &NodeError) -> Self {
        Self {
            code: error.code.to_string(),
            node: Some(node.to_owned()),
            message: error.message.clone(),
            path: error.path.clone(),
            details: error.details.clone(),
        }
    }
}
