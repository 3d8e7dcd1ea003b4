//! One turn: a command is decided, what is pure is run, and everything that was decided is put together for one commit.

use super::effects::Job;
use super::{Driver, TurnError};
use crate::core::{Command, Decision, Effect, Event, NodePhase, RunStatus};
use crate::drive::children::{Child, KnownChild};
use crate::drive::lanes::LaneTicket;
use crate::drive::limits;
use crate::drive::live::{LiveEvent, attention_event, live_events, waiting_event};
use crate::store::{Attention, RunKey, Turn, WaitRow};

impl Driver {
    /// Decides, runs what is pure, commits, and starts what was announced.
    pub(super) async fn turn(&mut self, command: Command) -> Result<(), TurnError> {
        let mut decision = Decision::default();
        let now = self.engine.now_ms();
        if self.engine.0.stopping.is_cancelled() {
            self.machine.hold();
        }
        let (receipt, change) = (self.receipt.take(), self.change.take());
        self.machine.handle(command, now, &mut decision).map_err(TurnError::Refused)?;
        let announced = self.run_pure(&mut decision).await;
        if decision.events.is_empty() && !self.is_new {
            self.start_effects(announced);
            return Ok(());
        }
        let (mut turn, known) = self.make_turn(decision.events, &announced).await;
        turn.receipt = receipt;
        turn.change = change;
        if self.is_new && !self.engine.0.config.drives && !turn.is_all() {
            return Err(TurnError::NotHere);
        }
        let live = &self.engine.0.live;
        live.count(&turn.events, turn.status == RunStatus::Waiting);
        let told =
            live.is_heard().then(|| self.told_with_standing(&turn.events, turn.first_seq, turn.attention));
        let (first_seq, attention) = (turn.first_seq, turn.attention);
        let engine = self.engine.clone();
        let place = |lane: &String| engine.lanes().enter(lane);
        let leaves_work = turn.children.iter().any(|child| child.owner.is_none());
        let children: Vec<(RunKey, Option<LaneTicket>)> = turn
            .children
            .iter()
            .filter(|child| child.owner.is_some())
            .map(|child| {
                (child.key.clone(), child.new_run.as_ref().and_then(|run| run.lane.as_ref()).map(place))
            })
            .collect();
        self.commit(turn).await?;
        let told = match told {
            Some(told) => told,
            None => self.told_late(first_seq, attention).await,
        };
        self.engine.0.live.publish(told);
        children.into_iter().for_each(|(child, place)| self.engine.resume(child, place));
        if leaves_work {
            self.engine.call_for_work(true).await;
        }
        known.into_iter().for_each(|child| self.engine.take_up_child(&self.run.key, child));
        self.after_commit();
        self.start_effects(announced);
        Ok(())
    }

    /// Runs pure nodes inline until none is left; returns the other effects.
    async fn run_pure(&mut self, decision: &mut Decision) -> Vec<Effect> {
        let mut announced = Vec::new();
        let mut at = 0;
        let mut room = limits::TURN.saturating_mul(self.around.max_output);
        while at < decision.effects.len() {
            let effect = decision.effects[at].clone();
            at += 1;
            let Effect::RunPure { node, iteration } = effect else {
                announced.push(effect);
                continue;
            };
            let attempt = self.machine.state().attempt(node) + 1;
            let began = self.engine.now_ms();
            let executed =
                self.around.prepare(self.machine.state(), node, attempt).run_inline().fit(&mut room);
            let done = self.command_of(Job { node, iteration, attempt, began, executed }).await;
            // The machine handed this node out just now, so it takes the result.
            if let Err(refusal) = self.machine.handle(done, self.engine.now_ms(), decision) {
                tracing::error!(run_id = %self.run.key.run_id, %refusal, "the result of a pure node was refused");
            }
            // A long chain of pure nodes must not keep other tasks from running.
            if at % 64 == 0 {
                tokio::task::yield_now().await;
            }
        }
        announced
    }

    /// The turn to commit, and the children that it starts and that are there already.
    async fn make_turn(&mut self, events: Vec<Event>, announced: &[Effect]) -> (Turn, Vec<KnownChild>) {
        let now = self.engine.now_ms();
        let (mut children, mut known) = (Vec::new(), Vec::new());
        for effect in announced {
            let Effect::StartChild { child_run_id, .. } = effect else { continue };
            match self.children.remove(child_run_id) {
                Some(Child::New(turn)) => children.push(*turn),
                Some(Child::Known(child)) => known.push(child),
                None => {}
            }
        }
        self.children.clear();
        let status = self.machine.state().status();
        if status == RunStatus::Failed && !self.run.is_test {
            children.extend(self.error_child(&events).await);
        }
        let state = self.machine.state();
        let waits = self.wait_rows();
        let changed = waits != self.waits;
        self.waits.clone_from(&waits);
        // What is pure has run by now, and belongs to the time that the run took.
        self.started_at = self.started_at.or_else(|| Some(events.first().map_or(now, |event| event.at)));
        let turn = Turn {
            key: self.run.key.clone(),
            expected: self.turns,
            new_run: self.is_new.then(|| Box::new(self.run.clone())),
            first_seq: self.seq,
            status,
            error: state.error().cloned(),
            started_at: self.started_at,
            ended_at: status.is_over().then_some(now),
            wake_at: state.next_wake(),
            owner: (self.engine.0.config.drives && self.stays()).then(|| self.engine.runner_id()),
            attention: state.needs_answer().then_some(Attention::UnknownOutcome),
            receipt: None,
            change: None,
            usage: std::mem::take(&mut self.usage),
            waits: changed.then_some(waits),
            children,
            events,
        };
        (turn, known)
    }

    pub(super) fn wait_rows(&self) -> Vec<WaitRow> {
        let state = self.machine.state();
        if state.status().is_over() {
            return Vec::new();
        }
        let waiting = state.nodes_in(NodePhase::Waiting).filter_map(|node| {
            let (wait, since) = state.wait(node).filter(|(wait, _)| wait.signal.is_some())?;
            let id = self.machine.plan().at(node).id.to_string();
            Some(WaitRow { node: id, iteration: state.iteration(node), wait: wait.clone(), since })
        });
        waiting.collect()
    }

    pub(super) fn told(&self, events: &[Event], first_seq: i64) -> Vec<LiveEvent> {
        let (key, workflow, plan) = (&self.run.key, self.run.workflow_id.as_str(), self.machine.plan());
        let numbered = events.iter().zip(first_seq..);
        numbered.flat_map(|(event, seq)| live_events(key, workflow, plan, seq, event)).collect()
    }

    /// What the turn that begins there told, for those who began to listen while it was committed: what they read then
    /// was older, and what is told next is newer.
    async fn told_late(&self, first_seq: i64, attention: Option<Attention>) -> Vec<LiveEvent> {
        if !self.engine.0.live.has_listeners() {
            return Vec::new();
        }
        let stored = match self.engine.0.store.load(&self.run.key).await {
            Ok(stored) => stored,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(run_id = %self.run.key.run_id, error, "listeners were not told of a turn");
                return Vec::new();
            }
        };
        let events = stored.map(|stored| stored.events).unwrap_or_default();
        let turn = usize::try_from(first_seq).ok().and_then(|first| events.get(first..));
        turn.map_or_else(Vec::new, |turn| self.told_with_standing(turn, first_seq, attention))
    }

    fn told_with_standing(
        &self,
        events: &[Event],
        first_seq: i64,
        attention: Option<Attention>,
    ) -> Vec<LiveEvent> {
        let (key, workflow, plan) = (&self.run.key, self.run.workflow_id.as_str(), self.machine.plan());
        let mut told = self.told(events, first_seq);
        let last = first_seq + events.len() as i64 - 1;
        let (state, now) = (self.machine.state(), self.engine.now_ms());
        told.extend(waiting_event(key, workflow, plan, state, last, now));
        told.extend(attention_event(key, workflow, attention, last, now));
        told
    }
}
