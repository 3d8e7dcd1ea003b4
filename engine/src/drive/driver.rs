//! Drives one run: commands in, turns committed, effects started. There is one driver per run at a time,
//! and none while the run waits.

use super::children::{Child, KnownChild, not_started};
use super::engine::{Busy, Engine, EngineError, Message};
use super::execute::{Executed, Surroundings};
use super::lanes::{LaneGuard, LaneTicket};
use super::live::{attention_event, live_events, waiting_event};
use super::start::{RunOutcome, WaitFor};
use super::unrunnable;
use crate::core::{
    Command, Decision, Effect, Event, Machine, NodeIx, NodePhase, NodeResult, Refusal, RunState, RunStatus,
};
use crate::store::{Attention, Commit, NewRun, RunKey, StoreError, Turn, WaitRow};
use sluice_node_sdk::usage::UsageNote;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A run on its way.
pub(super) struct Driver {
    pub(super) engine: Engine,
    pub(super) run: NewRun,
    is_new: bool,
    pub(super) around: Surroundings,
    pub(super) machine: Machine,
    /// Turns and events committed.
    turns: i64,
    seq: i64,
    started_at: Option<i64>,
    waits: Vec<WaitRow>,
    /// Goes with the next commit: the key of the signal that is being taken.
    receipt: Option<String>,
    /// Goes with the next commit: what executions used.
    usage: Vec<UsageNote>,
    jobs: JoinSet<Job>,
    next: VecDeque<Command>,
    /// Its own lane, and that of the event that it answers. Only kept when no other process drives runs: with others
    /// whoever claims a run sees to its lane.
    lanes: Vec<LaneGuard>,
    /// It was taken over, and nothing was committed since.
    is_claimed: bool,
    /// Ends when the others gave this process up, and so this run is no longer its own.
    fence: CancellationToken,
    /// Children that the turn under way starts, by the id of their run.
    children: HashMap<String, Child>,
    /// Taken before the first commit, so that nobody else starts to drive a run that has just become visible.
    inbox: Option<mpsc::UnboundedReceiver<Message>>,
    /// Given up while the run only pauses before its next attempt.
    busy: Option<Busy>,
}

/// How often a process that is not sure of its own standing looks again.
const UNSURE: Duration = Duration::from_millis(50);

/// How a run began.
pub(super) enum Begun {
    /// Committed; how it stands if that is known already.
    Here(Option<Box<RunOutcome>>),
    /// Nothing was committed: it is for a process that drives runs.
    NotHere,
}

/// A finished execution on its way back to the core.
struct Job {
    node: NodeIx,
    iteration: u32,
    attempt: u32,
    began: i64,
    executed: Executed,
}

/// Why a turn did not happen.
enum TurnError {
    Refused(Refusal),
    Lost,
    /// The signal was taken by an earlier turn, of this run or another.
    Taken,
    Store(StoreError),
    /// It takes effects that this process does not have: whoever drives runs begins it.
    NotHere,
}

/// A pause between two attempts that is no longer than this leaves a run its lane, milliseconds.
const LANE_PAUSE: i64 = 60_000;

/// Messages for a run, those first that came before the run was at hand.
type Early = VecDeque<Message>;

impl Engine {
    /// Loads a run and drives it as long as it does not wait.
    pub(super) fn spawn_loaded(
        &self,
        key: RunKey,
        mut inbox: mpsc::UnboundedReceiver<Message>,
        place: Option<LaneTicket>,
    ) {
        let engine = self.clone();
        let busy = self.busy();
        self.spawn_task(async move {
            engine.0.config.faults.gate().await;
            let mut early = Early::new();
            match Driver::load(&engine, &key, place, (&mut early, &mut inbox), busy).await {
                Ok(Some(driver)) => driver.go_on(early, inbox).await,
                Ok(None) => drop(engine.give_up(&key, &mut inbox)),
                Err(error) => {
                    tracing::error!(run_id = %key.run_id, error = &error as &dyn std::error::Error, "the run cannot be loaded");
                    engine.postpone(&key);
                    drop(engine.give_up(&key, &mut inbox));
                }
            }
        });
    }
}

/// Waits for the lane of a run. Messages that come meanwhile are kept; one that brings the lane along is not
/// waited for, because whoever sent it holds the lane until it is answered, and neither is the lane when the run
/// is only to be ended.
async fn lane_of(
    engine: &Engine,
    name: &str,
    place: Option<LaneTicket>,
    (early, inbox): (&mut Early, &mut mpsc::UnboundedReceiver<Message>),
) -> Option<LaneGuard> {
    let place = place.unwrap_or_else(|| engine.lanes().enter(name)).wait();
    tokio::pin!(place);
    loop {
        tokio::select! {
            biased;
            guard = &mut place => return Some(guard),
            Some(message) = inbox.recv() => match &message {
                Message::Signal { lane, .. } if lane.is_of(name) => {
                    early.push_front(message);
                    return None;
                }
                Message::Cancel { .. } => {
                    early.push_front(message);
                    return None;
                }
                // Due timers are told of again and again.
                Message::Wake if early.iter().any(|other| matches!(other, Message::Wake)) => {}
                _ => early.push_back(message),
            },
        }
    }
}

impl Driver {
    /// A run of which nothing is stored yet.
    pub(super) fn fresh(engine: &Engine, run: NewRun, around: Surroundings, lane: Option<LaneGuard>) -> Self {
        let run_id = run.key.run_id.clone();
        let machine = Machine::new(around.program.plan.clone()).of_run(run_id);
        Self::new(engine, run, around, machine, lane, engine.busy())
    }

    fn new(
        engine: &Engine,
        run: NewRun,
        around: Surroundings,
        machine: Machine,
        lane: Option<LaneGuard>,
        busy: Busy,
    ) -> Self {
        Self {
            engine: engine.clone(),
            run,
            is_new: true,
            around,
            machine,
            turns: 0,
            seq: 0,
            started_at: None,
            waits: Vec::new(),
            receipt: None,
            usage: Vec::new(),
            jobs: JoinSet::new(),
            next: VecDeque::new(),
            lanes: lane.into_iter().collect(),
            is_claimed: false,
            fence: engine.0.fleet.incarnation(),
            children: HashMap::new(),
            inbox: None,
            busy: Some(busy),
        }
    }

    /// A stored run, once its lane is free. A run that cannot go on because of its version is ended.
    async fn load(
        engine: &Engine,
        key: &RunKey,
        place: Option<LaneTicket>,
        (early, inbox): (&mut Early, &mut mpsc::UnboundedReceiver<Message>),
        busy: Busy,
    ) -> Result<Option<Self>, EngineError> {
        let fence = engine.0.fleet.incarnation();
        let Some(mut stored) = engine.0.store.load(key).await? else { return Ok(None) };
        let is_claimed = stored.owner == Some(engine.runner_id());
        if !is_claimed && !engine.0.config.is_alone {
            // It was taken away again before it was loaded.
            return Ok(None);
        }
        let mut lane = None;
        if let Some(name) = stored.run.lane.clone().filter(|_| engine.0.config.is_alone) {
            lane = lane_of(engine, &name, place, (early, inbox)).await;
            // Someone may have moved the run while we waited for the lane.
            stored = engine.0.store.load(key).await?.unwrap_or(stored);
        }
        let program = match engine.program_of_run(&stored.run).await {
            Ok(program) => program,
            Err(error @ (EngineError::Problems(_) | EngineError::NotFound { .. })) => {
                unrunnable::end(engine, &stored, &error).await?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let state = RunState::replay(&program.plan, &stored.events).map_err(|error| {
            tracing::error!(run_id = %key.run_id, %error, "the run's events do not fit its workflow");
            EngineError::Store(StoreError::Corrupt { what: "events", id: key.run_id.to_string() })
        })?;
        let trigger = state.trigger().and_then(|node| state.record(node));
        let event =
            trigger.and_then(|record| record.output.ports.first()?.1.first().map(|item| item.json.clone()));
        let around = engine.surroundings(&program, &stored.run, event.unwrap_or_default());
        let machine = Machine::with_state(program.plan.clone(), state).of_run(key.run_id.clone());
        let mut driver = Self::new(engine, stored.run, around, machine, lane, busy);
        (driver.is_new, driver.turns, driver.seq) = (false, stored.turns, stored.events.len() as i64);
        (driver.is_claimed, driver.fence) = (is_claimed, fence);
        driver.started_at = stored.started_at;
        driver.waits = driver.wait_rows();
        if !stored.status.is_over() && stored.status != RunStatus::Waiting {
            driver.next.push_back(Command::Recover);
        }
        if stored.status == RunStatus::Queued {
            // Nobody told listeners of its beginning yet.
            engine.0.live.count(&stored.events, false);
            if engine.0.live.is_heard() {
                engine.0.live.publish(driver.told(&stored.events, 0));
            }
        }
        Ok(Some(driver))
    }

    /// Commits the first turn in the caller's own task; the rest, if any, goes on in the background.
    pub(super) async fn begin(
        mut self,
        start: Command,
        wanted: Option<WaitFor>,
    ) -> Result<Begun, EngineError> {
        match self.turn(start).await {
            Ok(()) => {}
            Err(TurnError::Refused(refusal)) => return Err(refusal.into()),
            Err(TurnError::Lost | TurnError::Taken) => return Err(EngineError::Duplicate),
            Err(TurnError::Store(error)) => return Err(error.into()),
            Err(TurnError::NotHere) => return Ok(Begun::NotHere),
        }
        let state = self.machine.state();
        let is_ready =
            state.status().is_over() || (wanted == Some(WaitFor::Reply) && state.reply().is_some());
        let outcome = is_ready.then(|| RunOutcome::of(state, None));
        if let Some(inbox) = self.inbox.take() {
            let engine = self.engine.clone();
            engine.spawn_task(self.go_on(Early::new(), inbox));
        }
        Ok(Begun::Here(outcome.map(Box::new)))
    }

    /// Handles commands until the run waits or is over.
    async fn go_on(mut self, mut early: Early, mut inbox: mpsc::UnboundedReceiver<Message>) {
        let stopping = self.engine.0.stopping.clone();
        loop {
            if self.work_off(&mut early).await.is_err() {
                return self.abandon(early, &mut inbox);
            }
            if self.jobs.is_empty() && (!self.stays() || stopping.is_cancelled()) {
                self.give_back().await;
                match self.engine.release(&self.run.key, &mut inbox) {
                    Some(late) => early.push_back(late),
                    None => return,
                }
                continue;
            }
            if self.jobs.is_empty() {
                self.busy = None;
            }
            tokio::select! {
                biased;
                () = self.fence.cancelled() => return self.abandon(early, &mut inbox),
                Some(job) = self.jobs.join_next() => match job {
                    Ok(job) => {
                        let command = self.command_of(job).await;
                        self.next.push_back(command);
                    }
                    Err(error) => tracing::error!(run_id = %self.run.key.run_id, %error, "a node task was lost"),
                },
                Some(told) = inbox.recv() => early.push_back(told),
                () = stopping.cancelled(), if !self.machine.is_holding() => self.machine.hold(),
            }
            if self.busy.is_none() {
                self.busy = Some(self.engine.busy());
            }
        }
    }

    /// Whether this process goes on driving the run: as long as something is done, and through a pause between two
    /// attempts when others wait for its lane.
    fn stays(&self) -> bool {
        let state = self.machine.state();
        match state.status() {
            RunStatus::Queued | RunStatus::Running => true,
            RunStatus::Waiting => {
                (self.run.lane.is_some() || !self.lanes.is_empty()) && {
                    let latest = self.engine.now_ms().saturating_add(LANE_PAUSE);
                    let pauses = |node| state.retry_at(node).is_some_and(|at| at <= latest);
                    state.nodes_in(NodePhase::Waiting).any(pauses)
                }
            }
            RunStatus::Succeeded | RunStatus::Failed | RunStatus::Cancelled => false,
        }
    }

    /// Gives back a run that was taken over and had nothing to commit.
    async fn give_back(&mut self) {
        let engine = &self.engine;
        if !std::mem::take(&mut self.is_claimed) || engine.0.stopping.is_cancelled() {
            return;
        }
        if let Err(error) = engine.0.store.give_back(engine.runner_id(), &self.run.key, self.turns).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(run_id = %self.run.key.run_id, error, "a run could not be given back");
        }
    }

    /// Handles what is at hand. A person's wish to end the run comes before going on with it.
    async fn work_off(&mut self, early: &mut Early) -> Result<(), ()> {
        loop {
            let is_cancel = matches!(early.front(), Some(Message::Cancel { .. }));
            match self.next.pop_front() {
                Some(command) if !is_cancel => {
                    // What was under way when the process stopped is not taken up by a process that stops.
                    if !(matches!(command, Command::Recover) && self.engine.0.stopping.is_cancelled()) {
                        // A refusal has been logged, and there is no one to tell.
                        let _ = self.turn_for_sure(command).await?;
                    }
                    continue;
                }
                Some(command) => self.next.push_front(command),
                None => {}
            }
            match early.pop_front() {
                Some(message) => {
                    self.enter_lane_for(&message).await;
                    if let Some(unanswered) = self.answer(message).await {
                        early.push_front(unanswered);
                        return Err(());
                    }
                }
                None => return Ok(()),
            }
        }
    }

    /// Makes sure that what a message sets off happens in the run's lane. The lane was given up when the run was
    /// over, and was not waited for when a message brought it along and then was refused.
    async fn enter_lane_for(&mut self, message: &Message) {
        let lane = self.run.lane.as_deref().filter(|_| self.engine.0.config.is_alone);
        let Some(name) = lane.filter(|_| self.lanes.is_empty()) else { return };
        let needs_lane = match message {
            Message::Cancel { .. } => false,
            Message::Retry { .. } => true,
            Message::Signal { lane, .. } => !lane.is_of(name) && !self.is_over(),
            Message::Wake => !self.is_over(),
        };
        if needs_lane {
            let guard = self.engine.lanes().enter(name).wait().await;
            self.lanes.push(guard);
        }
    }

    fn is_over(&self) -> bool {
        self.machine.state().status().is_over()
    }

    /// Another process drives this run by now: stop without touching anything. What it was told is passed on.
    fn abandon(mut self, early: Early, inbox: &mut mpsc::UnboundedReceiver<Message>) {
        tracing::warn!(run_id = %self.run.key.run_id, "another process has gone on with this run");
        self.around.cancel.cancel();
        self.jobs.abort_all();
        self.engine.0.fleet.clear_suspect(&self.run.key);
        let late = self.engine.give_up(&self.run.key, inbox);
        if !self.engine.0.config.is_alone {
            early.into_iter().chain(late).for_each(|message| self.engine.post(&self.run.key, message));
        }
    }

    /// Does what a message asks for and tells its sender. The message comes back when the run turns out to be driven
    /// by another process.
    async fn answer(&mut self, message: Message) -> Option<Message> {
        let called = match &message {
            Message::Cancel { .. } => self.awaited_children(),
            _ => Vec::new(),
        };
        let command = match &message {
            Message::Wake => Command::Wake,
            Message::Signal { key, payload, receipt, .. } => {
                self.receipt.clone_from(receipt);
                Command::Signal { key: key.clone(), payload: payload.clone() }
            }
            Message::Cancel { .. } => Command::Cancel,
            Message::Retry { .. } => {
                // What was told to stop when the run ended is not to stop the new attempt.
                self.around.cancel = CancellationToken::new();
                Command::Retry
            }
        };
        let Ok(answer) = self.turn_for_sure(command).await else { return Some(message) };
        if answer.is_ok() {
            called.iter().for_each(|child| self.engine.cancel_child(child));
        }
        let done = match message {
            Message::Wake => return None,
            Message::Signal { lane, done, .. } => {
                if answer.is_ok() {
                    self.lanes.extend(lane.take());
                }
                done
            }
            Message::Cancel { done } | Message::Retry { done } => done,
        };
        // Whoever asked may have gone away.
        let _ = done.send(answer);
        None
    }

    /// One turn; when the store fails it is tried again until it works or the process stops.
    async fn turn_for_sure(&mut self, command: Command) -> Result<Result<(), Refusal>, ()> {
        match self.turn(command).await {
            Ok(()) => Ok(Ok(())),
            Err(TurnError::Refused(refusal)) => {
                tracing::debug!(run_id = %self.run.key.run_id, %refusal, "command refused");
                self.note_usage().await;
                Ok(Err(refusal))
            }
            Err(TurnError::Taken) => {
                tracing::info!(run_id = %self.run.key.run_id, "the signal had been taken before");
                self.go_back().await?;
                Ok(Ok(()))
            }
            Err(TurnError::Lost | TurnError::Store(_) | TurnError::NotHere) => Err(()),
        }
    }

    /// Writes down what an execution used whose result nobody takes any more.
    async fn note_usage(&mut self) {
        let usage = std::mem::take(&mut self.usage);
        if let Err(error) = self.engine.0.store.note_usage(&self.run.key, usage).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(run_id = %self.run.key.run_id, error, "what a node used after its run ended was not counted");
        }
    }

    /// Forgets a turn that was decided and must not be: the state is that of the store again. What is under way
    /// was announced before and goes on.
    async fn go_back(&mut self) -> Result<(), ()> {
        let stored = self.engine.0.store.load(&self.run.key).await;
        let stored = stored.inspect_err(|error| {
            let error = error as &dyn std::error::Error;
            tracing::error!(run_id = %self.run.key.run_id, error, "the run cannot be loaded again");
        });
        let stored = stored.ok().flatten().filter(|stored| stored.turns == self.turns).ok_or(())?;
        let plan = self.machine.plan().clone();
        let state = RunState::replay(&plan, &stored.events).map_err(|error| {
            tracing::error!(run_id = %self.run.key.run_id, %error, "the run's events do not fit its workflow");
        })?;
        let is_holding = self.machine.is_holding();
        self.machine = Machine::with_state(plan, state).of_run(self.run.key.run_id.clone());
        if is_holding {
            self.machine.hold();
        }
        self.waits = self.wait_rows();
        Ok(())
    }

    /// Decides, runs what is pure, commits, and starts what was announced.
    async fn turn(&mut self, command: Command) -> Result<(), TurnError> {
        let mut decision = Decision::default();
        let now = self.engine.now_ms();
        if self.engine.0.stopping.is_cancelled() {
            self.machine.hold();
        }
        let receipt = self.receipt.take();
        self.machine.handle(command, now, &mut decision).map_err(TurnError::Refused)?;
        let announced = self.run_pure(&mut decision).await;
        if decision.events.is_empty() && !self.is_new {
            self.start_effects(announced);
            return Ok(());
        }
        let (mut turn, known) = self.make_turn(decision.events, &announced).await;
        turn.receipt = receipt;
        if self.is_new && !self.engine.0.config.drives && !turn.is_all() {
            return Err(TurnError::NotHere);
        }
        let live = &self.engine.0.live;
        live.count(&turn.events, turn.status == RunStatus::Waiting);
        let told = if live.is_heard() { self.live_of(&turn) } else { Vec::new() };
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
        let mut room = super::limits::TURN.saturating_mul(self.around.max_output);
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
        self.started_at = self.started_at.or(Some(now));
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
            waits: changed.then_some(waits),
            usage: std::mem::take(&mut self.usage),
            children,
            events,
        };
        (turn, known)
    }

    fn wait_rows(&self) -> Vec<WaitRow> {
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

    fn told(&self, events: &[Event], first_seq: i64) -> Vec<super::live::LiveEvent> {
        let (key, workflow, plan) = (&self.run.key, self.run.workflow_id.as_str(), self.machine.plan());
        let numbered = events.iter().zip(first_seq..);
        numbered.flat_map(|(event, seq)| live_events(key, workflow, plan, seq, event)).collect()
    }

    fn live_of(&self, turn: &Turn) -> Vec<super::live::LiveEvent> {
        let (key, workflow, plan) = (&self.run.key, self.run.workflow_id.as_str(), self.machine.plan());
        let mut told = self.told(&turn.events, turn.first_seq);
        let last = turn.first_seq + turn.events.len() as i64 - 1;
        let (state, now) = (self.machine.state(), self.engine.now_ms());
        told.extend(waiting_event(key, workflow, plan, state, last, now));
        told.extend(attention_event(key, workflow, turn.attention, last, now));
        told
    }

    /// Commits a turn. The first turn of a run fails at once, because nobody was told of the run yet; later
    /// turns are tried until the store works again.
    async fn commit(&mut self, turn: Turn) -> Result<(), TurnError> {
        let count = turn.events.len() as i64;
        if self.is_new && (!turn.status.is_over() || !self.next.is_empty()) {
            self.inbox = self.engine.claim(&turn.key);
        }
        let mut pause = Duration::from_millis(50);
        let mut is_doubtful = false;
        let outcome = loop {
            match self.engine.commit(vec![turn.clone()]).await {
                Ok(outcomes) => break outcomes.first().copied().unwrap_or(Commit::Stale),
                Err(error) if self.is_new => {
                    self.leave();
                    return Err(TurnError::Store(error));
                }
                Err(error) => {
                    is_doubtful = true;
                    tracing::error!(
                        run_id = %self.run.key.run_id,
                        error = &error as &dyn std::error::Error,
                        "a commit failed; trying again"
                    );
                    tokio::select! {
                        () = tokio::time::sleep(pause) => pause = (pause * 2).min(Duration::from_secs(5)),
                        () = self.engine.0.stopping.cancelled() => return Err(TurnError::Store(error)),
                    }
                }
            }
        };
        // An error may have hidden that the turn was written after all.
        let is_done = outcome == Commit::Done || (is_doubtful && self.has_landed(&turn).await);
        if !is_done && outcome == Commit::Duplicate && turn.receipt.is_some() && !self.is_new {
            return Err(TurnError::Taken);
        }
        if !is_done {
            self.leave();
            return Err(TurnError::Lost);
        }
        self.is_claimed = false;
        self.engine.0.fleet.clear_suspect(&turn.key);
        if let Some(at) = turn.wake_at {
            self.engine.set_alarm(at);
        }
        self.is_new = false;
        self.turns += 1;
        self.seq += count;
        Ok(())
    }

    /// Whether exactly this turn is in the store. Asked until the store answers: taking a turn for lost that was
    /// written would leave its effects in doubt.
    async fn has_landed(&self, turn: &Turn) -> bool {
        loop {
            match self.engine.0.store.events_since(&turn.key, turn.first_seq).await {
                Ok(stored) => {
                    return !turn.events.is_empty() && stored.iter().map(|(_, event)| event).eq(&turn.events);
                }
                Err(_) if self.engine.0.stopping.is_cancelled() => return false,
                Err(_) => tokio::time::sleep(UNSURE).await,
            }
        }
    }

    /// Gives up the place of a run that did not come to be.
    fn leave(&mut self) {
        if let Some(mut inbox) = self.inbox.take() {
            drop(self.engine.give_up(&self.run.key, &mut inbox));
        }
    }

    /// Tells those who wait for this run.
    fn after_commit(&mut self) {
        let key = &self.run.key;
        let state = self.machine.state();
        let is_over = state.status().is_over();
        if is_over {
            self.lanes.clear();
        }
        // The next of the lane may be claimed now; alone, this process has it in memory.
        if self.run.lane.is_some() && !self.engine.0.config.is_alone && !self.stays() {
            self.engine.0.fleet.work.notify_one();
        }
        if (is_over || state.reply().is_some()) && self.engine.is_watched(key) {
            self.engine.tell_watchers(key, &RunOutcome::of(state, None));
        }
        if is_over && self.run.parent_run_id.is_some() {
            let outcome = RunOutcome::of(state, None);
            let payload = outcome.as_child_payload(&key.run_id);
            self.engine.tell_caller(key, self.run.parent_run_id.as_deref(), payload);
        }
    }

    fn start_effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Run { node, iteration, attempt } => self.start_job(node, iteration, attempt),
                Effect::CancelRunning => self.around.cancel.cancel(),
                Effect::StartChild { .. } | Effect::RunPure { .. } => {}
            }
        }
    }

    fn start_job(&mut self, node: NodeIx, iteration: u32, attempt: u32) {
        let execution = self.around.prepare(self.machine.state(), node, attempt);
        let (engine, workspace) = (self.engine.clone(), self.run.key.workspace_id.clone());
        let fence = self.fence.clone();
        self.jobs.spawn(async move {
            let _room = engine.0.effects.take(&workspace).await;
            // A process that stood still must not act before it knows that the run is still its own.
            while !engine.is_fresh() && !fence.is_cancelled() {
                tokio::time::sleep(UNSURE).await;
            }
            if fence.is_cancelled() {
                std::future::pending::<()>().await;
            }
            engine.0.config.faults.gate().await;
            let began = engine.now_ms();
            let executed = execution.run().await;
            engine.0.config.faults.gate().await;
            Job { node, iteration, attempt, began, executed }
        });
    }

    /// What came of a job, as a command. A call whose child cannot be started is a failure of the calling node.
    async fn command_of(&mut self, mut job: Job) -> Command {
        self.usage.append(&mut job.executed.usage);
        let mut command = job.into_command();
        if let Command::NodeDone { result, .. } = &mut command
            && let NodeResult::Call { workflow, items, child_run_id, wait } = &*result
        {
            match self.engine.child(&self.run, workflow, items, child_run_id, *wait).await {
                Ok(child) => {
                    self.children.insert(child_run_id.clone(), child);
                }
                Err(error) => *result = NodeResult::Failed(not_started(workflow, &error)),
            }
        }
        command
    }
}

impl Job {
    fn into_command(self) -> Command {
        Command::NodeDone {
            node: self.node,
            iteration: self.iteration,
            attempt: self.attempt,
            began: self.began,
            logs: match self.executed.result {
                NodeResult::Done(_) | NodeResult::Stop { .. } => Vec::new(),
                _ => self.executed.logs,
            },
            result: self.executed.result,
        }
    }
}
