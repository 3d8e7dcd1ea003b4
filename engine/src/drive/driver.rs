//! Drives one run: commands in, turns committed, effects started. There is one driver per run at a time,
//! and none while the run waits.

use super::engine::{Busy, Engine, EngineError, Message};
use super::execute::{Executed, Surroundings};
use super::lanes::LaneGuard;
use super::live::{live_events, waiting_event};
use super::start::{RunOutcome, WaitFor, queued_turn};
use crate::core::{
    Command, Decision, Effect, Event, EventKind, Machine, NodeIx, NodePhase, NodeResult, Refusal, RunError,
    RunState, RunStatus,
};
use crate::store::{Commit, NewRun, RunKey, StoreError, StoredRun, Turn, WaitRow};
use serde_json::{Value, json};
use sluice_node_sdk::item::Item;
use sluice_node_sdk::spec::TriggerSource;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A run on its way.
pub(super) struct Driver {
    engine: Engine,
    run: NewRun,
    is_new: bool,
    around: Surroundings,
    machine: Machine,
    /// Turns and events committed.
    turns: i64,
    seq: i64,
    started_at: Option<i64>,
    waits: Vec<WaitRow>,
    jobs: JoinSet<Job>,
    next: VecDeque<Command>,
    lane: Option<LaneGuard>,
    /// Taken before the first commit, so that nobody else starts to drive a run that has just become visible.
    inbox: Option<mpsc::UnboundedReceiver<Message>>,
    _busy: Busy,
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
    Store(StoreError),
}

impl Engine {
    /// Loads a run and drives it as long as it does not wait.
    pub(super) fn spawn_loaded(&self, key: RunKey, mut inbox: mpsc::UnboundedReceiver<Message>) {
        let engine = self.clone();
        let busy = self.busy();
        self.spawn_task(async move {
            let mut first = inbox.try_recv().ok();
            let lane = match &mut first {
                Some(Message::Signal { lane, .. }) => lane.take(),
                _ => None,
            };
            match Driver::load(&engine, &key, lane, busy).await {
                Ok(Some(driver)) => driver.go_on(first, inbox).await,
                Ok(None) => engine.give_up(&key, &mut inbox),
                Err(error) => {
                    tracing::error!(run_id = %key.run_id, error = &error as &dyn std::error::Error, "the run cannot be loaded");
                    engine.postpone(&key);
                    engine.give_up(&key, &mut inbox);
                }
            }
        });
    }
}

impl Driver {
    /// A run of which nothing is stored yet.
    pub(super) fn fresh(engine: &Engine, run: NewRun, around: Surroundings, lane: Option<LaneGuard>) -> Self {
        let machine = Machine::new(around.program.plan.clone());
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
            jobs: JoinSet::new(),
            next: VecDeque::new(),
            lane,
            inbox: None,
            _busy: busy,
        }
    }

    /// A stored run, once its lane is free. A run that cannot go on because of its version is ended.
    async fn load(
        engine: &Engine,
        key: &RunKey,
        lane: Option<LaneGuard>,
        busy: Busy,
    ) -> Result<Option<Self>, EngineError> {
        let Some(stored) = engine.0.store.load(key).await? else { return Ok(None) };
        let lane = match (&stored.run.lane, lane) {
            (Some(name), None) => Some(engine.lanes().enter(name).wait().await),
            (_, lane) => lane,
        };
        // Someone may have moved the run while we waited for the lane.
        let stored = if lane.is_some() { engine.0.store.load(key).await?.unwrap_or(stored) } else { stored };
        let program = match engine.program_of_run(&stored.run).await {
            Ok(program) => program,
            Err(error @ (EngineError::Problems(_) | EngineError::NotFound { .. })) => {
                end_unrunnable(engine, &stored, &error).await?;
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
        let machine = Machine::with_state(program.plan.clone(), state);
        let mut driver = Self::new(engine, stored.run, around, machine, lane, busy);
        (driver.is_new, driver.turns, driver.seq) = (false, stored.turns, stored.events.len() as i64);
        driver.started_at = stored.started_at;
        driver.waits = driver.wait_rows();
        if !stored.status.is_over() && stored.status != RunStatus::Waiting {
            driver.next.push_back(Command::Recover);
        }
        if stored.status == RunStatus::Queued {
            // Nobody told listeners of its beginning yet.
            engine.0.live.publish(driver.told(&stored.events, 0));
        }
        Ok(Some(driver))
    }

    /// Commits the first turn in the caller's own task; the rest, if any, goes on in the background.
    pub(super) async fn begin(
        mut self,
        start: Command,
        wanted: Option<WaitFor>,
    ) -> Result<Option<RunOutcome>, EngineError> {
        match self.turn(start).await {
            Ok(()) => {}
            Err(TurnError::Refused(refusal)) => return Err(refusal.into()),
            Err(TurnError::Lost) => return Err(EngineError::Duplicate),
            Err(TurnError::Store(error)) => return Err(error.into()),
        }
        let state = self.machine.state();
        let is_ready =
            state.status().is_over() || (wanted == Some(WaitFor::Reply) && state.reply().is_some());
        let outcome = is_ready.then(|| RunOutcome::of(&self.around.program, state, None));
        if let Some(inbox) = self.inbox.take() {
            let engine = self.engine.clone();
            engine.spawn_task(self.go_on(None, inbox));
        }
        Ok(outcome)
    }

    /// Handles commands until the run waits or is over.
    async fn go_on(mut self, first: Option<Message>, mut inbox: mpsc::UnboundedReceiver<Message>) {
        let mut message = first;
        let stopping = self.engine.0.stopping.clone();
        loop {
            while let Some(command) = self.next.pop_front() {
                if self.turn_for_sure(command).await.is_err() {
                    return self.abandon(&mut inbox);
                }
            }
            if let Some(message) = message.take() {
                if self.answer(message).await.is_err() {
                    return self.abandon(&mut inbox);
                }
                continue;
            }
            if self.jobs.is_empty() {
                let is_idle = matches!(self.machine.state().status(), RunStatus::Waiting) || self.is_over();
                if is_idle || stopping.is_cancelled() {
                    match self.engine.release(&self.run.key, &mut inbox) {
                        Some(late) => message = Some(late),
                        None => return,
                    }
                    continue;
                }
            }
            tokio::select! {
                biased;
                Some(job) = self.jobs.join_next() => match job {
                    Ok(job) => self.next.push_back(job.into_command()),
                    Err(error) => tracing::error!(run_id = %self.run.key.run_id, %error, "a node task was lost"),
                },
                Some(told) = inbox.recv() => message = Some(told),
                () = stopping.cancelled(), if !self.machine.is_holding() => self.machine.hold(),
            }
        }
    }

    fn is_over(&self) -> bool {
        self.machine.state().status().is_over()
    }

    /// Another process drives this run by now: stop without touching anything.
    fn abandon(mut self, inbox: &mut mpsc::UnboundedReceiver<Message>) {
        tracing::warn!(run_id = %self.run.key.run_id, "another process has gone on with this run");
        self.around.cancel.cancel();
        self.jobs.abort_all();
        self.engine.give_up(&self.run.key, inbox);
    }

    async fn answer(&mut self, message: Message) -> Result<(), ()> {
        let (command, done) = match message {
            Message::Wake => (Command::Wake, None),
            Message::Signal { key, payload, lane, done } => {
                self.lane = self.lane.take().or(lane);
                (Command::Signal { key, payload }, Some(done))
            }
            Message::Cancel { done } => (Command::Cancel, Some(done)),
            Message::Retry { done } => (Command::Retry, Some(done)),
        };
        let answer = self.turn_for_sure(command).await?;
        if let Some(done) = done {
            // Whoever asked may have gone away.
            let _ = done.send(answer);
        }
        Ok(())
    }

    /// One turn; when the store fails it is tried again until it works or the process stops.
    async fn turn_for_sure(&mut self, command: Command) -> Result<Result<(), Refusal>, ()> {
        match self.turn(command).await {
            Ok(()) => Ok(Ok(())),
            Err(TurnError::Refused(refusal)) => {
                tracing::debug!(run_id = %self.run.key.run_id, %refusal, "command refused");
                Ok(Err(refusal))
            }
            Err(TurnError::Lost | TurnError::Store(_)) => Err(()),
        }
    }

    /// Decides, runs what is pure, commits, and starts what was announced.
    async fn turn(&mut self, command: Command) -> Result<(), TurnError> {
        let mut decision = Decision::default();
        let now = self.engine.now_ms();
        self.machine.handle(command, now, &mut decision).map_err(TurnError::Refused)?;
        let announced = self.run_pure(&mut decision).await;
        if decision.events.is_empty() && !self.is_new {
            self.start_effects(announced);
            return Ok(());
        }
        let turn = self.make_turn(decision.events, &announced).await;
        let told = self.live_of(&turn);
        let children: Vec<RunKey> = turn.children.iter().map(|child| child.key.clone()).collect();
        self.commit(turn).await?;
        self.engine.0.live.publish(told);
        children.into_iter().for_each(|child| self.engine.resume(child));
        self.after_commit();
        self.start_effects(announced);
        Ok(())
    }

    /// Runs pure nodes inline until none is left; returns the other effects.
    async fn run_pure(&mut self, decision: &mut Decision) -> Vec<Effect> {
        let mut announced = Vec::new();
        let mut at = 0;
        while at < decision.effects.len() {
            let effect = decision.effects[at].clone();
            at += 1;
            let Effect::RunPure { node, iteration } = effect else {
                announced.push(effect);
                continue;
            };
            let attempt = self.machine.state().attempt(node) + 1;
            let began = self.engine.now_ms();
            let executed = self.around.prepare(self.machine.state(), node, attempt).run_inline();
            let done = Job { node, iteration, attempt, began, executed }.into_command();
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

    async fn make_turn(&mut self, events: Vec<Event>, announced: &[Effect]) -> Turn {
        let now = self.engine.now_ms();
        let mut children = Vec::new();
        for effect in announced {
            if let Effect::StartChild { workflow, items, child_run_id, .. } = effect {
                match self.engine.child_turn(&self.run, workflow, items, child_run_id).await {
                    Ok(child) => children.push(child),
                    Err(error) => self.next.push_back(child_failed(child_run_id, &error)),
                }
            }
        }
        let state = self.machine.state();
        let status = state.status();
        if status == RunStatus::Failed && !self.run.is_test {
            children.extend(self.error_child(&events).await);
        }
        let state = self.machine.state();
        let waits = self.wait_rows();
        let changed = waits != self.waits;
        self.waits.clone_from(&waits);
        self.started_at = self.started_at.or(Some(now));
        Turn {
            key: self.run.key.clone(),
            expected: self.turns,
            new_run: self.is_new.then(|| Box::new(self.run.clone())),
            first_seq: self.seq,
            status,
            error: state.error().cloned(),
            reply: state.reply().cloned(),
            started_at: self.started_at,
            ended_at: status.is_over().then_some(now),
            wake_at: state.next_wake(),
            waits: changed.then_some(waits),
            children,
            events,
        }
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
        told.extend(waiting_event(key, workflow, plan, self.machine.state(), last, self.engine.now_ms()));
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
        let outcome = loop {
            match self.engine.0.store.commit(vec![turn.clone()]).await {
                Ok(outcomes) => break outcomes.first().copied().unwrap_or(Commit::Stale),
                Err(error) if self.is_new => {
                    self.leave();
                    return Err(TurnError::Store(error));
                }
                Err(error) => {
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
        if outcome != Commit::Done {
            self.leave();
            return Err(TurnError::Lost);
        }
        if let Some(at) = turn.wake_at {
            self.engine.set_alarm(at);
        }
        self.is_new = false;
        self.turns += 1;
        self.seq += count;
        Ok(())
    }

    /// Gives up the place of a run that did not come to be.
    fn leave(&mut self) {
        if let Some(mut inbox) = self.inbox.take() {
            self.engine.give_up(&self.run.key, &mut inbox);
        }
    }

    /// Tells those who wait for this run.
    fn after_commit(&mut self) {
        let key = &self.run.key;
        let state = self.machine.state();
        let is_over = state.status().is_over();
        if is_over {
            self.lane = None;
        }
        if (is_over || state.reply().is_some()) && self.engine.is_watched(key) {
            self.engine.tell_watchers(key, &RunOutcome::of(&self.around.program, state, None));
        }
        if let Some(parent) = self.run.parent_run_id.as_deref().filter(|_| is_over) {
            let parent = RunKey { workspace_id: key.workspace_id.clone(), run_id: parent.into() };
            let payload = RunOutcome::of(&self.around.program, state, None).as_child_payload(&key.run_id);
            let (done, _) = tokio::sync::oneshot::channel();
            let signal = crate::core::child_signal(&key.run_id);
            self.engine.tell(&parent, Message::Signal { key: signal, payload, lane: None, done });
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
        let engine = self.engine.clone();
        self.jobs.spawn(async move {
            // The semaphore is never closed.
            let _permit = engine.0.effects.acquire().await;
            let began = engine.now_ms();
            Job { node, iteration, attempt, began, executed: execution.run().await }
        });
    }

    /// The first turn of the error workflow, if this run failed and names one.
    async fn error_child(&self, events: &[Event]) -> Option<Turn> {
        let name = self.around.program.document.settings.error_workflow.as_deref()?;
        let finished = events.iter().any(|event| matches!(event.kind, EventKind::RunFinished { .. }));
        if !finished || self.run.trigger_type == "trigger.error" {
            return None;
        }
        let event = json!({
            "run": { "id": &*self.run.key.run_id, "trigger": self.run.trigger_type },
            "workflow": { "id": self.run.workflow_id, "name": self.around.program.document.name },
            "error": self.machine.state().error(),
        });
        let made = self
            .engine
            .workflow_turn(&self.run, name, event, |source| matches!(source, TriggerSource::Error))
            .await;
        made.inspect_err(
            |error| tracing::warn!(workflow = name, %error, "the error workflow was not started"),
        )
        .ok()
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

fn child_failed(child_run_id: &str, error: &EngineError) -> Command {
    let payload = json!({
        "run_id": null, "status": "failed",
        "error": { "code": "child_not_started", "message": error.to_string() },
    });
    Command::Signal { key: crate::core::child_signal(child_run_id), payload }
}

impl Engine {
    /// The first turn of a child run.
    async fn child_turn(
        &self,
        caller: &NewRun,
        workflow: &str,
        items: &[Item],
        run_id: &str,
    ) -> Result<Turn, EngineError> {
        let event = match items {
            [one] => (*one.json).clone(),
            many => Value::Array(many.iter().map(|item| (*item.json).clone()).collect()),
        };
        let mut turn = self
            .workflow_turn(caller, workflow, event, |source| matches!(source, TriggerSource::Workflow))
            .await?;
        let key = RunKey { workspace_id: caller.key.workspace_id.clone(), run_id: run_id.into() };
        turn.key = key.clone();
        if let Some(run) = &mut turn.new_run {
            run.key = key;
            run.parent_run_id = Some(caller.key.run_id.to_string());
        }
        // Several items stay several items.
        if items.len() != 1
            && let Some(EventKind::RunStarted { output, .. }) =
                turn.events.first_mut().map(|event| &mut event.kind)
        {
            let ports = vec![(0, Arc::new(items.to_vec()))];
            *output = Arc::new(crate::core::NodeOutput { ports, ..Default::default() });
        }
        Ok(turn)
    }

    /// The first turn of a run of another published workflow of the same workspace.
    async fn workflow_turn(
        &self,
        caller: &NewRun,
        workflow: &str,
        event: Value,
        wanted: impl Fn(&TriggerSource) -> bool,
    ) -> Result<Turn, EngineError> {
        let workspace = &*caller.key.workspace_id;
        let row = match self.0.store.workflow(workspace, workflow).await? {
            Some(row) => Some(row),
            None => self.0.store.workflow_by_name(workspace, workflow).await?,
        };
        let row = row.ok_or_else(|| EngineError::NotFound { what: "workflow", id: workflow.to_owned() })?;
        let version = row.published_version.ok_or_else(|| EngineError::NotPublished(row.name.clone()))?;
        let program = self.program(workspace, &row.id, version).await?;
        let trigger = program.trigger(wanted).ok_or_else(|| EngineError::NoTrigger("fitting".to_owned()))?;
        let now = self.now_ms();
        let run = NewRun {
            key: RunKey { workspace_id: caller.key.workspace_id.clone(), run_id: self.new_id("run").into() },
            workflow_id: row.id,
            version,
            document: None,
            trigger_type: program.plan.at(trigger).node_type.to_string(),
            is_test: caller.is_test,
            dry_run: caller.dry_run,
            lane: None,
            parent_run_id: None,
            inbound_id: caller.inbound_id.clone(),
            dedupe_key: None,
            created_at: now,
        };
        let item = Item { json: Arc::new(event), files: None, from: None };
        let around = self.surroundings(&program, &run, item.json.clone());
        let output = around.ask_trigger(trigger, item).map_err(EngineError::Trigger)?;
        let output = output.ok_or_else(|| EngineError::NoTrigger("accepting".to_owned()))?;
        let deadline = program.timeout_ms.map(|limit| now.saturating_add(limit));
        let start = Command::Start { trigger, output, pins: Default::default(), deadline };
        Ok(queued_turn(run, start, now))
    }
}

/// Ends a run whose stored version cannot run in this process (an unknown node type, for example), so that
/// it is visible and does not come back at every start.
async fn end_unrunnable(engine: &Engine, stored: &StoredRun, why: &EngineError) -> Result<(), EngineError> {
    if stored.status.is_over() {
        return Ok(());
    }
    let now = engine.now_ms();
    let first = match why {
        EngineError::Problems(problems) => problems.first().cloned(),
        _ => None,
    };
    let error = RunError {
        code: first.as_ref().map_or_else(|| "workflow_unusable".to_owned(), |problem| problem.code.clone()),
        node: first.as_ref().and_then(|problem| problem.node.clone()),
        message: first.as_ref().map_or_else(|| why.to_string(), |problem| problem.message.clone()),
        path: first.map(|problem| problem.path),
        details: None,
    };
    let status = RunStatus::Failed;
    let events = vec![
        Event { at: now, kind: EventKind::RunEnding { status, error: Some(Box::new(error.clone())) } },
        Event { at: now, kind: EventKind::RunFinished { status } },
    ];
    let turn = Turn {
        key: stored.run.key.clone(),
        expected: stored.turns,
        new_run: None,
        first_seq: stored.events.len() as i64,
        events,
        status,
        error: Some(error),
        reply: stored.reply.clone(),
        started_at: stored.started_at,
        ended_at: Some(now),
        wake_at: None,
        waits: Some(Vec::new()),
        children: Vec::new(),
    };
    engine.0.store.commit(vec![turn]).await?;
    Ok(())
}
