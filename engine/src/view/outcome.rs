//! What a node run shows of an unknown outcome: that nobody knew, since when, and how it was settled. Must not decide.

use super::NodeRunView;
use crate::core::outcome::{AwaitedAnswer, Question};
use crate::core::{Event, EventKind, SettledBy, Settlement, Verdict};
use serde::{Deserialize, Serialize};
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::outcome::WaitKind;

/// An effect of which nobody knew whether it took place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OutcomeView {
    /// Whether nobody knows still.
    pub is_open: bool,
    /// Since when, milliseconds since the epoch.
    pub since: i64,
    /// Why nobody knows.
    #[schema(value_type = Object)]
    pub error: NodeError,
    /// What is waited for.
    pub waits_for: Option<AwaitedAnswer>,
    /// When it was settled.
    pub settled_at: Option<i64>,
    /// How: by `evidence`, the node's `policy` or a `person`.
    pub settled_by: Option<SettledBy>,
    /// What was decided: `done`, `retry` or `fail`.
    pub decision: Option<Verdict>,
    /// The person, as far as known.
    pub who: Option<String>,
    /// What the person wrote.
    pub note: Option<String>,
}

/// Takes note of what an event says about the outcome of a node's effect. The view still shows the wait before it.
pub(super) fn read(view: &mut NodeRunView, event: &Event) {
    match &event.kind {
        EventKind::NodeSuspended { wait, .. } if wait.kind == WaitKind::Outcome => {
            if let Some(question) = Question::of(wait) {
                view.error = Some(question.error.clone());
                view.logs.extend(question.logs);
                let (since, waits_for) = (question.since, Some(question.waits_for));
                view.outcome = Some(open(since, question.error, waits_for));
            }
        }
        EventKind::NodeResumed { cause, .. } => {
            let is_question = view.wait.as_ref().is_some_and(|wait| wait["kind"] == "outcome");
            if let Some(outcome) = view.outcome.as_mut().filter(|_| is_question) {
                outcome.waits_for = None;
                if let Some(settlement) = Settlement::of(cause) {
                    settle(outcome, settlement, event.at);
                }
            }
        }
        EventKind::NodeFailed { error, .. } if error.kind == ErrorKind::UnknownOutcome => {
            view.outcome = Some(open(event.at, (**error).clone(), None));
        }
        // Whoever looked for evidence and then came to an end has found some.
        EventKind::NodeSucceeded { .. } | EventKind::NodeFailed { .. } | EventKind::NodeSuspended { .. } => {
            if let Some(outcome) = view.outcome.as_mut().filter(|outcome| outcome.is_open) {
                settle(outcome, Settlement::new(Verdict::Done, SettledBy::Evidence), event.at);
            }
        }
        EventKind::NodeCancelled { .. } => {
            if let Some(outcome) = view.outcome.as_mut() {
                outcome.waits_for = None;
            }
        }
        _ => {}
    }
}

fn open(since: i64, error: NodeError, waits_for: Option<AwaitedAnswer>) -> OutcomeView {
    OutcomeView {
        is_open: true,
        since,
        error,
        waits_for,
        settled_at: None,
        settled_by: None,
        decision: None,
        who: None,
        note: None,
    }
}

fn settle(outcome: &mut OutcomeView, settlement: Settlement, at: i64) {
    if settlement.decision == Verdict::Look {
        return;
    }
    outcome.is_open = false;
    (outcome.settled_at, outcome.settled_by) = (Some(at), Some(settlement.by));
    outcome.decision = Some(settlement.decision);
    (outcome.who, outcome.note) = (settlement.who, settlement.note);
}
