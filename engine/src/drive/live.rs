//! The live trace: what happens in runs, as it happens, for whoever listens. A bounded ring keeps the last
//! events so that a listener that lost its connection can go on.

pub use super::relay::Following;
use super::relay::Relay;
use crate::core::{Event, EventKind, NodePhase, RunState, RunStatus, fold};
use crate::graph::Plan;
use crate::store::{Attention, RunKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_node_sdk::spec::Effect;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::Instant;

/// How many events a slow listener may be behind, and how many are kept for reconnection.
const KEPT: usize = 4_096;

/// How long events are kept for listeners that lost their connection.
const COMES_BACK: Duration = Duration::from_secs(60);

/// Something that happened in a run, as told to listeners.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LiveEvent {
    /// Counts up within this process; 0 for events read back from the store.
    #[serde(skip)]
    pub id: u64,
    /// Name, such as `node.succeeded`.
    pub event: String,
    /// Another process told it: a hint, perhaps without its data, and others before it may be missing.
    #[serde(skip)]
    pub is_relayed: bool,
    /// `run_…`.
    pub run_id: String,
    /// `ws_…`.
    #[serde(skip)]
    pub workspace_id: String,
    /// `wf_…`.
    pub workflow_id: String,
    /// Position in the run's events.
    pub seq: i64,
    /// Milliseconds since the epoch.
    pub at: i64,
    /// Id of the node concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What else there is to know: `attempt`, `error`, `wait`, `status`, output items per port.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
}

/// Hears of events as they happen.
pub type Listener = broadcast::Receiver<Arc<LiveEvent>>;

/// Tells listeners.
#[derive(Clone, Debug)]
pub struct Live {
    sender: broadcast::Sender<Arc<LiveEvent>>,
    kept: Arc<Mutex<(u64, VecDeque<Arc<LiveEvent>>)>>,
    heard: Arc<Mutex<Option<Instant>>>,
    counts: Arc<RunCounts>,
    relay: Arc<Relay>,
}

/// How often runs took a step in this process.
#[derive(Debug, Default)]
pub struct RunCounts {
    steps: [AtomicU64; STEPS.len()],
}

const STEPS: [&str; 6] = ["started", "waiting", "succeeded", "failed", "cancelled", "retried"];

impl RunCounts {
    fn add(&self, step: &str) {
        if let Some(at) = STEPS.iter().position(|name| *name == step) {
            self.steps[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Each step with its count.
    pub fn read(&self) -> impl Iterator<Item = (&'static str, u64)> {
        STEPS.into_iter().zip(&self.steps).map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }
}

impl Default for Live {
    fn default() -> Self {
        let sender = broadcast::channel(KEPT).0;
        let (kept, heard, counts, relay) = Default::default();
        Self { sender, kept, heard, counts, relay }
    }
}

impl Live {
    /// How often runs took a step in this process.
    pub fn counts(&self) -> &RunCounts {
        &self.counts
    }

    /// Counts the steps of a run.
    pub(super) fn count(&self, events: &[Event], is_waiting: bool) {
        for event in events {
            match &event.kind {
                EventKind::RunStarted { .. } => self.counts.add("started"),
                EventKind::RunFinished { status } => self.counts.add(status.as_str()),
                EventKind::RunRetried {} => self.counts.add("retried"),
                _ => {}
            }
        }
        if is_waiting {
            self.counts.add("waiting");
        }
    }

    /// Who follows what in other processes.
    pub(super) fn relay(&self) -> &Arc<Relay> {
        &self.relay
    }

    /// From now on other processes tell what happens in a workspace, until the answer is dropped. What they tell is a
    /// hint: it may be lost, comes later than what is told of the run by its own process, and an event whose data
    /// is longer than about 7 KB has `{"left_out": true}` in its place.
    pub fn follow(&self, workspace_id: &str) -> Following {
        self.relay.follow(workspace_id)
    }

    /// Whether somebody listens now, here or elsewhere.
    pub(super) fn has_listeners(&self) -> bool {
        self.sender.receiver_count() > 0 || self.relay.is_heard()
    }

    /// Whether somebody listens, or did not long ago and may come back. If nobody does, what happens need not be put
    /// into words; whoever comes back later than that is told that events were missed.
    pub(super) fn is_heard(&self) -> bool {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has_listeners() {
            *heard = Some(Instant::now());
            return true;
        }
        if heard.is_some_and(|at| at.elapsed() < COMES_BACK) {
            return true;
        }
        if heard.take().is_some() {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            // A number that is never told, so that who comes back with the last one is found to have missed something.
            kept.0 += 1;
            kept.1.clear();
        }
        false
    }

    /// Tells everyone.
    pub fn publish(&self, events: Vec<LiveEvent>) {
        self.relay.take(&events);
        self.publish_here(events);
    }

    /// Tells the listeners of this process.
    pub(super) fn publish_here(&self, events: Vec<LiveEvent>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for mut event in events {
            kept.0 += 1;
            event.id = kept.0;
            let event = Arc::new(event);
            kept.1.push_back(event.clone());
            if kept.1.len() > KEPT {
                kept.1.pop_front();
            }
            // Nobody listening is fine.
            let _ = self.sender.send(event);
        }
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> Listener {
        self.sender.subscribe()
    }

    /// Listens from after event `id`; the kept events come first. `None` when `id` is no longer kept.
    pub fn resume(&self, id: u64) -> Option<(Vec<Arc<LiveEvent>>, Listener)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = kept.1.front().map_or(kept.0 + 1, |event| event.id);
        if id + 1 < oldest || id > kept.0 {
            return None;
        }
        let missed = kept.1.iter().filter(|event| event.id > id).cloned().collect();
        Some((missed, self.sender.subscribe()))
    }
}

/// A stored event in the words of listeners. Pure nodes are never announced in the log, so their start is
/// told together with their end.
pub fn live_events(key: &RunKey, workflow_id: &str, plan: &Plan, seq: i64, event: &Event) -> Vec<LiveEvent> {
    let node = fold::node_of(&event.kind);
    let make = |name: &str, data: Value| LiveEvent {
        id: 0,
        is_relayed: false,
        event: name.to_owned(),
        run_id: key.run_id.to_string(),
        workspace_id: key.workspace_id.to_string(),
        workflow_id: workflow_id.to_owned(),
        seq,
        at: event.at,
        node: node.and_then(|node| plan.nodes.get(node as usize)).map(|node| node.id.to_string()),
        data,
    };
    let is_pure =
        node.and_then(|node| plan.nodes.get(node as usize)).is_some_and(|node| node.effect == Effect::Pure);
    let started = |attempt: u32| make("node.started", json!({ "attempt": attempt }));
    let outputs = |node: u32, output: &crate::core::NodeOutput| {
        let ports = output.ports.iter().map(|(port, items)| {
            (plan.at(node).ports[*port as usize].to_string(), serde_json::to_value(items).unwrap_or_default())
        });
        json!({ "output": ports.collect::<serde_json::Map<_, _>>() })
    };
    match &event.kind {
        EventKind::RunStarted { trigger, output, .. } => {
            vec![make("run.started", Value::Null), make("node.succeeded", outputs(*trigger, output))]
        }
        EventKind::NodeStarted { attempt, .. } => vec![started(*attempt)],
        EventKind::NodeSucceeded { node, output, .. } => {
            let mut told = if is_pure { vec![started(1)] } else { Vec::new() };
            told.push(make("node.succeeded", outputs(*node, output)));
            told
        }
        EventKind::NodeFailed { error, retry_at, .. } => {
            let mut told = if is_pure { vec![started(1)] } else { Vec::new() };
            told.push(make("node.failed", json!({ "error": error, "retry_at": retry_at })));
            told
        }
        EventKind::NodeSkipped { .. } => vec![make("node.skipped", Value::Null)],
        EventKind::NodeSuspended { wait, .. } => vec![make("node.waiting", json!({ "wait": wait }))],
        EventKind::NodeResumed { cause, .. } => vec![make("node.resumed", json!({ "cause": cause }))],
        EventKind::NodeCancelled { .. } => vec![make("node.cancelled", Value::Null)],
        EventKind::RunEnding { .. } => Vec::new(),
        EventKind::RunFinished { status } => vec![make(&format!("run.{}", status.as_str()), Value::Null)],
        EventKind::RunRetried {} => vec![make("run.retried", Value::Null)],
    }
}

/// What listeners are told when a turn leaves the run to a person's attention.
pub fn attention_event(
    key: &RunKey,
    workflow_id: &str,
    attention: Option<Attention>,
    seq: i64,
    at: i64,
) -> Option<LiveEvent> {
    Some(LiveEvent {
        id: 0,
        is_relayed: false,
        event: "run.attention".to_owned(),
        run_id: key.run_id.to_string(),
        workspace_id: key.workspace_id.to_string(),
        workflow_id: workflow_id.to_owned(),
        seq,
        at,
        node: None,
        data: json!({ "attention": attention? }),
    })
}

/// What listeners are told when a turn leaves the run waiting.
pub fn waiting_event(
    key: &RunKey,
    workflow_id: &str,
    plan: &Plan,
    state: &RunState,
    seq: i64,
    at: i64,
) -> Option<LiveEvent> {
    if state.status() != RunStatus::Waiting {
        return None;
    }
    let nodes: Vec<&str> = state.nodes_in(NodePhase::Waiting).map(|node| &*plan.at(node).id).collect();
    Some(LiveEvent {
        id: 0,
        is_relayed: false,
        event: "run.waiting".to_owned(),
        run_id: key.run_id.to_string(),
        workspace_id: key.workspace_id.to_string(),
        workflow_id: workflow_id.to_owned(),
        seq,
        at,
        node: None,
        data: json!({ "nodes": nodes, "until": state.next_wake() }),
    })
}
