//! Unknown outcomes: nobody knows whether an effect that must not be repeated took place. The node then waits with
//! an open question, until evidence, its policy or a person settles it. Everything is told by ordinary events: the
//! question is a wait of kind `outcome`, what settles it is the payload of the signal that ends the wait.

use super::command::{Decision, Refusal};
use super::decide::Machine;
use super::event::{Event, EventKind, NodeIx, NodeOutput, Wait};
use super::retry::pause_ms;
use super::state::NodePhase;
use crate::document::UnknownOutcome;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_node_sdk::context::LogLine;
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::item::Item;
use sluice_node_sdk::outcome::{Cause, WaitKind};
use std::sync::Arc;

/// The signal that settles the outcome of an effect.
pub fn outcome_signal(effect_id: &str) -> String {
    format!("outcome:{effect_id}")
}

/// What is done about an open question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OutcomeVerdict)]
pub enum Verdict {
    /// It took place: the node succeeds, or goes on with what is left to do.
    #[default]
    Done,
    /// It did not take place, or may be repeated: the node starts again under the same effect id.
    #[serde(alias = "not_done")]
    Retry,
    /// It counts as failed; the node's `on_error` decides what follows.
    Fail,
    /// There may be evidence: the node looks for it itself. Only for types that can.
    Look,
}

/// Who settled a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettledBy {
    /// Something that came from outside, such as a status of the provider.
    #[default]
    Evidence,
    /// The node's setting `unknown_outcome`.
    Policy,
    /// A person.
    Person,
    /// The engine, which has the node look at what is on record.
    Engine,
}

/// What settles a question: the payload of the signal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Settlement {
    /// What is done.
    pub decision: Verdict,
    /// Who says so.
    pub by: SettledBy,
    /// What the node gave, if it is `done` and that is known: the `json` of each item. Without it the input passes
    /// through.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub output: Option<Vec<Value>>,
    /// The person, as far as known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// Why, in the person's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Settlement {
    /// A decision without further facts.
    pub fn new(decision: Verdict, by: SettledBy) -> Self {
        Self { decision, by, ..Self::default() }
    }

    /// Whether the node itself goes on with what is left to do: it knows which of its effects are meant.
    fn goes_on(&self, can_look: bool) -> bool {
        can_look && self.decision == Verdict::Done && self.output.is_none()
    }

    /// The payload of the signal.
    pub fn payload(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// What a payload says.
    ///
    /// # Errors
    /// When it is not a settlement, in words.
    pub fn read(payload: &Value) -> Result<Self, String> {
        Self::deserialize(payload).map_err(|error| error.to_string())
    }

    /// What ended a wait, if that was an open question.
    pub fn of(cause: &Cause) -> Option<Self> {
        match cause {
            Cause::Timer => None,
            Cause::Signal { payload } => Self::read(payload).ok(),
        }
    }
}

/// What an open question waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AwaitedAnswer {
    /// Evidence; after a time the policy decides.
    Evidence,
    /// The pause before the policy's next attempt.
    Retry,
    /// A person.
    Person,
}

/// An open question: the facts that go with the wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Why nobody knows.
    pub error: NodeError,
    /// Since when nobody knows, milliseconds since the epoch.
    pub since: i64,
    /// The attempt in question.
    pub attempt: u32,
    /// What is waited for.
    pub waits_for: AwaitedAnswer,
    /// What the attempt logged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogLine>,
}

impl Question {
    /// The question of a wait, if it is one.
    pub fn of(wait: &Wait) -> Option<Self> {
        (wait.kind == WaitKind::Outcome).then(|| Self::deserialize(&wait.info).ok()).flatten()
    }
}

fn nobody_knows() -> NodeError {
    NodeError::unknown_outcome("The run ended while this was under way; it may or may not have happened")
}

impl Machine {
    /// Nobody knows whether an attempt that was under way took place.
    pub(super) fn doubt(
        &mut self,
        node: NodeIx,
        began: Option<i64>,
        logs: Vec<LogLine>,
        error: NodeError,
        now: i64,
        decision: &mut Decision,
    ) {
        if self.state.ending.is_some() {
            // The run does not wait for an answer any more. It shows what nobody knows, and a retry asks again.
            let (error, retry_at, output) = (Box::new(error), None, None);
            return self.emit(
                EventKind::NodeFailed { node, began, error, retry_at, output, logs },
                now,
                decision,
            );
        }
        let before = self.state.in_doubt_since(node);
        let since = before.unwrap_or(now);
        let (attempt, waits_for) = (self.state.attempt(node), AwaitedAnswer::Evidence);
        let question = Question { error, since, attempt, waits_for, logs };
        match self.plan.at(node).evidence_ms {
            // What is on record may tell at once.
            Some(_) if before.is_none() => {
                self.ask(node, question, Some(now), now, decision);
                self.settle(node, Settlement::new(Verdict::Look, SettledBy::Engine), now, decision);
            }
            Some(limit) if since.saturating_add(limit) > now => {
                self.ask(node, question, Some(since.saturating_add(limit)), now, decision);
            }
            _ => self.follow_policy(node, question, now, decision),
        }
    }

    /// A node that must not be repeated was given up in doubt, and its run was retried.
    pub(super) fn doubt_again(&mut self, node: NodeIx, since: i64, now: i64, decision: &mut Decision) {
        let (attempt, waits_for) = (self.state.attempt(node), AwaitedAnswer::Person);
        let question = Question { error: nobody_knows(), since, attempt, waits_for, logs: Vec::new() };
        self.follow_policy(node, question, now, decision);
    }

    fn ask(
        &mut self,
        node: NodeIx,
        question: Question,
        until: Option<i64>,
        now: i64,
        decision: &mut Decision,
    ) {
        let effect_id = format!("{}/{}/{}", self.run_id, self.plan.at(node).id, self.state.iteration(node));
        let wait = Wait {
            kind: WaitKind::Outcome,
            until,
            signal: Some(outcome_signal(&effect_id)),
            state: Value::Null,
            info: serde_json::to_value(question).unwrap_or_default(),
        };
        self.emit(EventKind::NodeSuspended { node, wait: Arc::new(wait) }, now, decision);
    }

    /// There is no evidence, or none in time.
    fn follow_policy(&mut self, node: NodeIx, mut question: Question, now: i64, decision: &mut Decision) {
        let planned = self.plan.at(node);
        let (policy, retry) = (planned.unknown_outcome, planned.retry.clone());
        let retries = self.state.policy_retries(node);
        let by_policy = |verdict| Settlement::new(verdict, SettledBy::Policy);
        match policy {
            UnknownOutcome::AssumeDone => {
                self.ask(node, question, Some(now), now, decision);
                self.settle(node, by_policy(Verdict::Done), now, decision);
            }
            UnknownOutcome::Fail => {
                self.ask(node, question, Some(now), now, decision);
                self.settle(node, by_policy(Verdict::Fail), now, decision);
            }
            // As often as the node may be tried at all, and once at least.
            UnknownOutcome::Retry if retries + 1 < retry.max_attempts.max(2) => {
                let pause = i64::try_from(pause_ms(&retry, retries + 1)).unwrap_or(i64::MAX);
                question.waits_for = AwaitedAnswer::Retry;
                self.ask(node, question, Some(now.saturating_add(pause)), now, decision);
            }
            UnknownOutcome::Ask | UnknownOutcome::Retry => {
                question.waits_for = AwaitedAnswer::Person;
                self.ask(node, question, None, now, decision);
            }
        }
    }

    /// The time of an open question is over.
    pub(super) fn question_due(&mut self, node: NodeIx, wait: &Wait, now: i64, decision: &mut Decision) {
        let question = Question::of(wait);
        match question.map(|question| question.waits_for) {
            Some(AwaitedAnswer::Retry) => {
                self.settle(node, Settlement::new(Verdict::Retry, SettledBy::Policy), now, decision);
            }
            // Evidence that came in the moment before the question was asked was not heard: look once more. The
            // policy decides when that leads to nothing.
            _ if self.plan.at(node).evidence_ms.is_some() => {
                self.settle(node, Settlement::new(Verdict::Look, SettledBy::Engine), now, decision);
            }
            _ => self.emit(EventKind::NodeResumed { node, cause: Cause::Timer }, now, decision),
        }
    }

    /// A signal for an open question.
    pub(super) fn answer_question(
        &mut self,
        node: NodeIx,
        key: &str,
        payload: &Value,
        now: i64,
        decision: &mut Decision,
    ) -> Result<(), Refusal> {
        let settlement = Settlement::read(payload).map_err(Refusal::NotASettlement)?;
        if settlement.decision == Verdict::Look && self.plan.at(node).evidence_ms.is_none() {
            return Err(Refusal::NotWaiting(key.to_owned()));
        }
        self.settle(node, settlement, now, decision);
        Ok(())
    }

    fn settle(&mut self, node: NodeIx, settlement: Settlement, now: i64, decision: &mut Decision) {
        let question = self.state.wait(node).and_then(|(wait, _)| Question::of(wait));
        let cause = Cause::Signal { payload: settlement.payload() };
        self.emit(EventKind::NodeResumed { node, cause }, now, decision);
        match settlement.decision {
            // The node is ready now and starts again.
            Verdict::Look | Verdict::Retry => {}
            Verdict::Done if settlement.goes_on(self.plan.at(node).evidence_ms.is_some()) => {}
            Verdict::Done => {
                let output = Arc::new(self.output_when_done(node, settlement, now));
                self.emit(EventKind::NodeSucceeded { node, began: None, output }, now, decision);
            }
            Verdict::Fail => {
                let error = question.map_or_else(nobody_knows, |question| question.error);
                // Decided, and so no longer unknown; the code stays.
                let error = NodeError {
                    kind: ErrorKind::Rejected,
                    code: ErrorKind::UnknownOutcome.code().into(),
                    ..error
                };
                let attempt = self.state.attempt(node);
                self.fail_node(node, attempt, None, Vec::new(), error, now, decision);
            }
        }
    }

    /// What leaves a node that did not say itself what it did.
    fn output_when_done(&self, node: NodeIx, settlement: Settlement, now: i64) -> NodeOutput {
        let input = self.state.input(&self.plan, node);
        let input: Vec<&Item> = input.port("main").iter().flat_map(|found| found.items.iter()).collect();
        let said = match settlement.by {
            SettledBy::Policy => {
                "Nobody knows whether this happened; it is assumed, as the node's settings say"
            }
            SettledBy::Person => "Nobody knew whether this happened; a person says that it did",
            SettledBy::Evidence | SettledBy::Engine => "Evidence shows that this happened",
        };
        let level = if settlement.by == SettledBy::Policy { "warn" } else { "info" };
        let items: Vec<Item> = match settlement.output {
            Some(output) => {
                let is_one_to_one = output.len() == input.len();
                let made = output.into_iter().map(Item::new).enumerate();
                made.map(|(ix, item)| if is_one_to_one { item.from_input(ix) } else { item }).collect()
            }
            None => input.iter().enumerate().map(|(ix, item)| (*item).clone().from_input(ix)).collect(),
        };
        let port = self.plan.at(node).port("main").unwrap_or(0);
        let ports = if items.is_empty() { Vec::new() } else { vec![(port, Arc::new(items))] };
        let logs = vec![LogLine { at: now, level: level.to_owned(), message: said.to_owned() }];
        NodeOutput { ports, logs, ..NodeOutput::default() }
    }

    /// Nobody works on announced nodes any more. What may be repeated is started again with the same effect
    /// id; of the others nobody knows whether it happened.
    pub(super) fn recover(&mut self, now: i64, decision: &mut Decision) -> Result<(), Refusal> {
        self.in_progress()?;
        let running: Vec<NodeIx> = self.state.nodes_in(NodePhase::Running).collect();
        for node in running {
            self.recover_node(node, now, decision);
        }
        Ok(())
    }

    fn recover_node(&mut self, node: NodeIx, now: i64, decision: &mut Decision) {
        let (iteration, attempt) = (self.state.iteration(node), self.state.attempt(node));
        if self.plan.at(node).effect == sluice_node_sdk::spec::Effect::Once {
            let error = NodeError::unknown_outcome(
                "The process stopped while this was under way; it may or may not have happened",
            );
            self.doubt(node, None, Vec::new(), error, now, decision);
        } else if self.state.ending.is_some() {
            self.emit(EventKind::NodeCancelled { node }, now, decision);
        } else {
            decision.effects.push(super::command::Effect::Run { node, iteration, attempt });
        }
    }
}

/// Since when there is doubt after a question ended, and whether what nobody knows counts as done; for those who
/// fold.
pub(super) fn doubt_after(
    before: Option<i64>,
    event: &Event,
    cause: &Cause,
    can_look: bool,
) -> (Option<i64>, bool) {
    let Some(settlement) = Settlement::of(cause) else { return (before.or(Some(event.at)), false) };
    match settlement.decision {
        // Evidence that is to be looked for settles nothing yet.
        Verdict::Look => (before.or(Some(event.at)), false),
        // What is in doubt from here on is another matter, with its own time for evidence.
        Verdict::Done if settlement.goes_on(can_look) => (Some(event.at), true),
        Verdict::Done | Verdict::Retry | Verdict::Fail => (None, false),
    }
}
