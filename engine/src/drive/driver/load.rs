//! A run from the store: when its driver begins, and when a turn must be forgotten.

use super::{Driver, Early};
use crate::core::{Command, Machine, Refusal, RunState, RunStatus};
use crate::drive::driven::Message;
use crate::drive::engine::{Busy, Engine};
use crate::drive::error::EngineError;
use crate::drive::lanes::{LaneGuard, LaneTicket};
use crate::drive::unrunnable;
use crate::store::{RunKey, StoreError, StoredRun};
use futures::future::{BoxFuture, FutureExt as _};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

/// Runs that are read together.
const TOGETHER: usize = 64;

/// A run that is to go on, and whose place among those driven here is taken.
pub(in crate::drive) struct Asleep {
    pub(in crate::drive) key: RunKey,
    pub(in crate::drive) inbox: mpsc::UnboundedReceiver<Message>,
    /// Its place among those that are being woken, if they are counted; given up when what woke it is committed.
    pub(in crate::drive) place: Option<OwnedSemaphorePermit>,
}

/// A run as it was read, and the fence of the time before.
struct Found {
    stored: StoredRun,
    fence: CancellationToken,
}

impl Engine {
    /// Loads a run and drives it as long as it does not wait.
    pub(in crate::drive) fn spawn_loaded(
        &self,
        key: RunKey,
        inbox: mpsc::UnboundedReceiver<Message>,
        place: Option<LaneTicket>,
    ) {
        self.spawn_found(Asleep { key, inbox, place: None }, None, place);
    }

    /// The same for many: they are read together, and each is driven in a task of its own.
    pub(in crate::drive) fn spawn_all(&self, asleep: Vec<Asleep>) {
        let mut asleep = asleep.into_iter();
        loop {
            let some: Vec<_> = asleep.by_ref().take(TOGETHER).collect();
            if some.is_empty() {
                return;
            }
            let (engine, busy) = (self.clone(), self.busy());
            self.spawn_task(async move {
                engine.0.config.faults.gate().await;
                let fence = engine.0.fleet.incarnation();
                let keys: Vec<_> = some.iter().map(|asleep| asleep.key.clone()).collect();
                // Who is not found here is loaded alone, and what is wrong is said there.
                let mut found = engine.0.store.load_many(&keys).await.unwrap_or_default();
                for asleep in some {
                    let stored = found.remove(&asleep.key);
                    let found = stored.map(|stored| Found { stored, fence: fence.clone() });
                    engine.spawn_found(asleep, found, None);
                }
                drop(busy);
            });
        }
    }

    fn spawn_found(&self, asleep: Asleep, found: Option<Found>, lane: Option<LaneTicket>) {
        let engine = self.clone();
        let busy = self.busy();
        self.spawn_task(async move {
            engine.0.config.faults.gate().await;
            let Asleep { key, mut inbox, mut place } = asleep;
            let mut early = Early::new();
            let waited = (&mut early, &mut inbox, &mut place);
            match Driver::load(&engine, &key, found, lane, waited, busy).await {
                Ok(Some(driver)) => driver.go_on(early, inbox, place).await,
                Ok(None) => drop(engine.give_up(&key, &mut inbox)),
                Err(error) => {
                    tracing::error!(run_id = %key.run_id, error = &error as &dyn std::error::Error, "the run cannot be loaded");
                    engine.postpone(&key);
                    let late = engine.give_up(&key, &mut inbox);
                    if !error.is_passing() {
                        early.into_iter().chain(late).for_each(|message| message.refuse(Refusal::Unreadable));
                    }
                }
            }
        });
    }
}

/// The pauses between attempts to read a run, from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

impl Engine {
    /// Asks the store until it answers or the engine stops: neither a run nor what it is told may be forgotten because the
    /// database was away for a moment.
    pub(in crate::drive) async fn insist<'a, T>(
        &self,
        run: &RunKey,
        ask: impl Fn() -> BoxFuture<'a, Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        let mut pause = PAUSES.0;
        loop {
            let failure = match ask().await {
                Err(failure) if failure.is_passing() && !self.0.stopping.is_cancelled() => failure,
                done => return done,
            };
            tracing::warn!(
                run_id = %run.run_id,
                error = &failure as &dyn std::error::Error,
                "a run cannot be reached in the store; trying again"
            );
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSES.1),
                () = self.0.stopping.cancelled() => return Err(failure),
            }
        }
    }

    async fn stored_run(&self, key: &RunKey) -> Result<Option<StoredRun>, EngineError> {
        self.insist(key, || async move { Ok(self.0.store.load(key).await?) }.boxed()).await
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

/// The messages of a run that is being loaded, and its place among those that are being woken.
type Waiting<'a> =
    (&'a mut Early, &'a mut mpsc::UnboundedReceiver<Message>, &'a mut Option<OwnedSemaphorePermit>);

impl Driver {
    /// A stored run, once its lane is free. A run that cannot go on because of its version is ended.
    async fn load(
        engine: &Engine,
        key: &RunKey,
        found: Option<Found>,
        ticket: Option<LaneTicket>,
        (early, inbox, place): Waiting<'_>,
        busy: Busy,
    ) -> Result<Option<Self>, EngineError> {
        let (mut stored, fence) = match found {
            Some(Found { stored, fence }) => (stored, fence),
            None => {
                let fence = engine.0.fleet.incarnation();
                let Some(stored) = engine.stored_run(key).await? else { return Ok(None) };
                (stored, fence)
            }
        };
        let is_claimed = stored.owner == Some(engine.runner_id());
        if !is_claimed && !engine.0.config.is_alone {
            // It was taken away again before it was loaded.
            return Ok(None);
        }
        let mut lane = None;
        if let Some(name) = stored.run.lane.clone().filter(|_| engine.0.config.is_alone) {
            // Whoever waits for a lane does not keep others asleep.
            *place = None;
            lane = lane_of(engine, &name, ticket, (early, inbox)).await;
            // Someone may have moved the run while we waited for the lane.
            stored = engine.stored_run(key).await?.unwrap_or(stored);
        }
        let program = match engine.insist(key, || engine.program_of_run(&stored.run).boxed()).await {
            Ok(program) => program,
            Err(error @ (EngineError::Problems(_) | EngineError::NotFound { .. })) => {
                engine.insist(key, || unrunnable::end(engine, &stored, &error).boxed()).await?;
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

    /// Forgets a turn that was decided and must not be: the state is that of the store again. What is under way
    /// was announced before and goes on.
    pub(super) async fn go_back(&mut self) -> Result<(), ()> {
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
}
