//! What happened to a run from outside, taken from its events: answers of nodes, what ended waits, what people
//! wanted. Each with its place in the log, so that a replay meets it in the same order.

use crate::core::{Command, Event, EventKind, NodeResult};
use crate::graph::Plan;
use crate::store::StoredRun;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::outcome::{Cause, WaitKind};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Something recorded: its place in the log, its time (milliseconds since the epoch), and what it was.
pub(super) type At<T> = (usize, i64, T);

/// What came from outside, by node id, in order.
#[derive(Default)]
pub(super) struct Recording {
    /// Answers of nodes, with the time at which the attempt began.
    answers: BTreeMap<String, VecDeque<At<(i64, NodeResult)>>>,
    /// What ended their waits, and their pauses between attempts.
    resumptions: BTreeMap<String, VecDeque<At<Cause>>>,
    /// Nodes that had not answered when the log ends, and those that pause between attempts there.
    unanswered: BTreeSet<String>,
    pausing: BTreeSet<String>,
    /// Nodes of whose effect nobody knows at this point of the log.
    asking: BTreeSet<String>,
    /// What people wanted, and the end of the run's time.
    pub(super) wishes: Vec<At<Command>>,
}

impl Recording {
    /// Reads the events of a run.
    pub(super) fn of(stored: &StoredRun, plan: &Plan) -> Self {
        let mut recording = Self::default();
        for (place, event) in stored.events.iter().enumerate().skip(1) {
            match crate::core::fold::node_of(&event.kind) {
                Some(node) => recording.read_node(plan.at(node).id.to_string(), place, event),
                None => recording.read_run(place, event),
            }
        }
        recording
    }

    fn read_node(&mut self, id: String, place: usize, event: &Event) {
        let was_open = self.unanswered.remove(&id);
        let was_asking = self.asking.remove(&id);
        self.pausing.remove(&id);
        let (began, result) = match &event.kind {
            EventKind::NodeSucceeded { began, output, .. } => (*began, NodeResult::Done(output.clone())),
            EventKind::NodeFailed { began, error, retry_at, .. } => {
                if retry_at.is_some() {
                    self.pausing.insert(id.clone());
                }
                (*began, NodeResult::Failed((**error).clone()))
            }
            // What became of the effect in the end is the answer; how that was found out is not played again.
            EventKind::NodeSuspended { wait, .. } if wait.kind == WaitKind::Outcome => {
                self.unanswered.insert(id.clone());
                self.asking.insert(id);
                return;
            }
            EventKind::NodeResumed { .. } if was_asking => {
                self.unanswered.insert(id);
                return;
            }
            EventKind::NodeSuspended { wait, .. } => (None, NodeResult::Suspend(wait.clone())),
            EventKind::NodeCancelled { .. } if was_open => {
                (None, NodeResult::Failed(NodeError::cancelled("The run ended")))
            }
            EventKind::NodeResumed { cause, .. } => {
                let resumptions = self.resumptions.entry(id).or_default();
                return resumptions.push_back((place, event.at, cause.clone()));
            }
            EventKind::NodeStarted { .. } => {
                self.unanswered.insert(id);
                return;
            }
            _ => return,
        };
        let answers = self.answers.entry(id).or_default();
        answers.push_back((place, event.at, (began.unwrap_or(event.at), result)));
    }

    fn read_run(&mut self, place: usize, event: &Event) {
        let command = match &event.kind {
            EventKind::RunEnding { error: None, status } if *status == crate::core::RunStatus::Cancelled => {
                Command::Cancel
            }
            EventKind::RunEnding { error: Some(error), .. } if error.code == "run_timeout" => Command::Wake,
            EventKind::RunRetried {} => Command::Retry,
            _ => return,
        };
        self.wishes.push((place, event.at, command));
    }

    /// The next answer of a node.
    pub(super) fn answer(&mut self, node: &str) -> Option<At<(i64, NodeResult)>> {
        self.answers.get_mut(node)?.pop_front()
    }

    /// Whether the log ends while the node is under way.
    pub(super) fn is_unanswered(&mut self, node: &str) -> bool {
        self.unanswered.remove(node)
    }

    /// What ended the next wait or pause of a node.
    pub(super) fn resumption(&mut self, node: &str) -> Option<At<Cause>> {
        self.resumptions.get_mut(node)?.pop_front()
    }

    /// Whether the log ends in a pause before the node's next attempt.
    pub(super) fn is_pausing(&self, node: &str) -> bool {
        self.pausing.contains(node)
    }
}
