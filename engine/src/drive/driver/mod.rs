//! Drives one run: commands in, turns committed, effects started. There is one driver per run at a time,
//! and none while the run waits.
//!
//! - here: what a driver knows, and its life from message to message; [`load`]: how it begins with a stored run;
//! - [`turn`]: from a command to everything that is committed at once; [`landing`]: commits, and what is lost to others;
//! - [`effects`]: what was announced, started and brought back.

mod effects;
mod landing;
mod load;
mod turn;

use super::children::Child;
use super::driven::Message;
use super::engine::{Busy, Engine};
use super::error::EngineError;
use super::execute::Surroundings;
use super::lanes::LaneGuard;
use super::start::RunOutcome;
use super::watchers::Watcher;
use crate::core::{Command, Machine, NodePhase, Refusal, RunStatus};
use crate::store::{Change, NewRun, StoreError, WaitRow};
use effects::Job;
pub(super) use load::Asleep;
use sluice_node_sdk::usage::UsageNote;
use std::collections::{HashMap, VecDeque};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
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
    /// The same: what somebody did, for the log.
    change: Option<Box<Change>>,
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
    /// Who started the run, until it is known whether the first turn tells them all that they wait for.
    watcher: Option<Watcher>,
    /// Given up while the run only pauses before its next attempt.
    busy: Option<Busy>,
}

/// How a run began.
pub(super) enum Begun {
    /// Committed; how it stands if that is known already.
    Here(Option<Box<RunOutcome>>),
    /// Nothing was committed: it is for a process that drives runs.
    NotHere(Option<Watcher>),
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
pub(super) const LANE_PAUSE: i64 = 60_000;

/// Messages for a run, those first that came before the run was at hand.
type Early = VecDeque<Message>;

impl Driver {
    /// A run of which nothing is stored yet.
    pub(super) fn fresh(engine: &Engine, run: NewRun, around: Surroundings, lane: Option<LaneGuard>) -> Self {
        let run_id = run.key.run_id.clone();
        let machine = Machine::new(around.program().plan.clone()).of_run(run_id);
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
            change: None,
            usage: Vec::new(),
            jobs: JoinSet::new(),
            next: VecDeque::new(),
            lanes: lane.into_iter().collect(),
            is_claimed: false,
            fence: engine.0.fleet.incarnation(),
            children: HashMap::new(),
            inbox: None,
            watcher: None,
            busy: Some(busy),
        }
    }

    /// Commits the first turn in the caller's own task; the rest, if any, goes on in the background.
    pub(super) async fn begin(
        mut self,
        start: Command,
        watcher: Option<Watcher>,
    ) -> Result<Begun, EngineError> {
        self.watcher = watcher;
        match self.turn(start).await {
            Ok(()) => {}
            Err(TurnError::Refused(refusal)) => return Err(refusal.into()),
            Err(TurnError::Lost | TurnError::Taken) => return Err(EngineError::Duplicate),
            Err(TurnError::Store(error)) => return Err(error.into()),
            Err(TurnError::NotHere) => return Ok(Begun::NotHere(self.watcher.take())),
        }
        let state = self.machine.state();
        // A watcher that is still here is content.
        let is_ready = state.status().is_over() || self.watcher.take().is_some();
        let outcome = is_ready.then(|| RunOutcome::of(state, None));
        if let Some(inbox) = self.inbox.take() {
            let engine = self.engine.clone();
            engine.spawn_task(self.go_on(Early::new(), inbox, None));
        }
        Ok(Begun::Here(outcome.map(Box::new)))
    }

    /// Handles commands until the run waits or is over. The place among those that are being woken is given up as soon as
    /// what is at hand is committed.
    async fn go_on(
        mut self,
        mut early: Early,
        mut inbox: mpsc::UnboundedReceiver<Message>,
        mut place: Option<OwnedSemaphorePermit>,
    ) {
        let stopping = self.engine.0.stopping.clone();
        // Messages that came before the run was at hand.
        while let Ok(message) = inbox.try_recv() {
            early.push_back(message);
        }
        loop {
            if self.work_off(&mut early).await.is_err() {
                return self.abandon(early, &mut inbox);
            }
            drop(place.take());
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
                let pauses = |node| state.pause(node).is_some_and(|pause| pause <= LANE_PAUSE);
                (self.run.lane.is_some() || !self.lanes.is_empty())
                    && state.nodes_in(NodePhase::Waiting).any(pauses)
            }
            RunStatus::Succeeded | RunStatus::Failed | RunStatus::Cancelled => false,
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

    /// Does what a message asks for and tells its sender. The message comes back when the run turns out to be driven
    /// by another process.
    async fn answer(&mut self, message: Message) -> Option<Message> {
        let called = match &message {
            Message::Cancel { .. } => self.awaited_children(),
            _ => Vec::new(),
        };
        self.change = message.change();
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
            Message::Cancel { done, .. } | Message::Retry { done, .. } => done,
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
}
