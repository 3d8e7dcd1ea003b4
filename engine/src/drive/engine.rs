//! The door of the engine: what a host calls. Keeps the list of runs that are being driven in this process,
//! the cache of programs, and the loops that fire timers and schedules.

use super::faults::FaultPlan;
use super::fleet::{Fleet, SUSPECT};
use super::hooks::Hooks;
use super::lanes::{LaneLoan, LaneTicket, Lanes};
use super::live::Live;
use super::program::Program;
use super::slots::Slots;
use super::start::RunOutcome;
use super::watchers::Watched;
use crate::core::Refusal;
use crate::document::Document;
use crate::expr::{ExprLimits, Expressions};
use crate::graph::Problem;
use crate::store::{Change, Commit, RunKey, Signature, Store, StoreError, Turn};
use moka::sync::Cache;
use serde_json::Value;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::registry::Registry;
use sluice_node_sdk::services::Services;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Bounds of one engine.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Nodes with effects that may be under way at once.
    pub max_effects: usize,
    /// Bytes that one execution of a node may give, as JSON; a turn may hold four times as much.
    pub max_output: usize,
    /// How many of these one workspace may have.
    pub max_effects_per_workspace: usize,
    /// Runs that may be driven at once; more wait in the store.
    pub max_active: usize,
    /// Runs that may wait in the store for someone to drive them; more are refused.
    pub max_queued: u32,
    /// Whether no other process uses the database (SQLite).
    pub is_alone: bool,
    /// Whether this process drives runs. If not, it only takes work in and leaves it to those that do.
    pub drives: bool,
    /// Name of the process: its host and the address that it alone can have there. Whoever joins under a name takes the
    /// place of whoever had it before. Empty for none.
    pub name: String,
    /// How long a process may stand still before the others take over its runs.
    pub lease: Duration,
    /// How often a process looks for work that nobody told it of, when there are others.
    pub poll: Duration,
    /// Programs kept ready.
    pub cached_programs: u64,
    /// Bounds of expressions and scripts.
    pub expressions: ExprLimits,
    /// How often due timers are looked for at the least.
    pub tick: Duration,
    /// Crashes that a test plans; empty in production.
    pub faults: FaultPlan,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            max_effects: 256,
            max_output: super::limits::LARGEST_OUTPUT,
            max_effects_per_workspace: 256,
            max_active: 10_000,
            max_queued: 1_000_000,
            is_alone: true,
            drives: true,
            name: String::new(),
            lease: Duration::from_secs(6),
            poll: Duration::from_millis(250),
            cached_programs: 1_000,
            expressions: ExprLimits::default(),
            tick: Duration::from_millis(500),
            faults: FaultPlan::default(),
        }
    }
}

/// Why the engine could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The document has problems that prevent it from running or being published.
    #[error("the workflow has {} problem(s)", .0.len())]
    Problems(Vec<Problem>),
    /// No workflow, version, run or node of that name.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Its id or name.
        id: String,
    },
    /// The workflow has no trigger that fits.
    #[error("the workflow has no {0} trigger")]
    NoTrigger(String),
    /// The workflow is not published.
    #[error("the workflow `{0}` is not published")]
    NotPublished(String),
    /// The trigger declined the event or failed on it.
    #[error("the trigger failed: {0}")]
    Trigger(NodeError),
    /// A run with the same deduplication key exists.
    #[error("this event was accepted before")]
    Duplicate,
    /// The command does not fit the state of the run.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nothing waits for the signal.
    #[error("nothing waits for the signal `{0}`")]
    NotWaiting(String),
    /// Too many runs would wait for each other.
    #[error(
        "more than {} workflows call each other in a chain; does one call itself?",
        super::children::DEEPEST_CALL
    )]
    CallTooDeep,
    /// More work waits than may wait.
    #[error("more runs are waiting to be driven than this installation takes ({waiting}); try again later")]
    Overloaded {
        /// Runs that wait.
        waiting: u64,
    },
    /// The engine is shutting down.
    #[error("the engine is shutting down")]
    ShuttingDown,
}

/// What a run in this process can be told.
pub(super) enum Message {
    Wake,
    Signal {
        key: String,
        payload: Value,
        lane: LaneLoan,
        /// Under which the signal is remembered as taken, so that it is not taken twice.
        receipt: Option<String>,
        /// What the sender does by it, for the log.
        change: Option<Box<Change>>,
        done: oneshot::Sender<Result<(), Refusal>>,
    },
    Cancel {
        change: Option<Box<Change>>,
        done: oneshot::Sender<Result<(), Refusal>>,
    },
    Retry {
        change: Option<Box<Change>>,
        done: oneshot::Sender<Result<(), Refusal>>,
    },
}

impl Message {
    /// What the sender does by it, for the log.
    pub(super) fn change(&self) -> Option<&Box<Change>> {
        match self {
            Message::Wake => None,
            Message::Signal { change, .. }
            | Message::Cancel { change, .. }
            | Message::Retry { change, .. } => change.as_ref(),
        }
    }
}

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine(pub(super) Arc<Shared>, Signature);

pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) registry: Registry,
    pub(super) expressions: Expressions,
    pub(super) services: Services,
    pub(super) config: EngineConfig,
    pub(super) live: Live,
    pub(super) lanes: Lanes,
    pub(super) effects: Slots,
    pub(super) fleet: Fleet,
    pub(super) tasks: TaskTracker,
    pub(super) stopping: CancellationToken,
    /// Told when a wake-up was stored that may be earlier than the one slept for.
    alarm: Notify,
    /// When the timer loop looks again by itself, milliseconds since the epoch.
    sleeping_until: AtomicI64,
    postponed: Cache<RunKey, ()>,
    pub(super) watched: Mutex<HashMap<RunKey, Watched>>,
    active: Mutex<HashMap<RunKey, mpsc::UnboundedSender<Message>>>,
    busy: AtomicUsize,
    idle: Notify,
    programs: Cache<(String, String, i64), Arc<Program>>,
    pub(super) hooks: Hooks,
}

/// Counts work under way, so that tests and shutdown can wait for quiet.
pub(super) struct Busy(Arc<Shared>);

impl Drop for Busy {
    fn drop(&mut self) {
        if self.0.busy.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

impl Engine {
    /// An engine over a migrated store.
    pub fn new(store: Store, registry: Registry, services: Services, config: EngineConfig) -> Self {
        let shared = Arc::new(Shared {
            store,
            registry,
            expressions: Expressions::new(config.expressions.clone()),
            services,
            live: Live::default(),
            lanes: Lanes::default(),
            effects: Slots::new(config.max_effects, config.max_effects_per_workspace),
            fleet: Fleet::default(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            alarm: Notify::new(),
            sleeping_until: AtomicI64::new(i64::MAX),
            postponed: Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(60)).build(),
            watched: Mutex::default(),
            active: Mutex::default(),
            busy: AtomicUsize::new(0),
            idle: Notify::new(),
            programs: Cache::new(config.cached_programs),
            hooks: super::hooks::hooks(),
            config,
        });
        Self(shared, Signature::default())
    }

    /// The same engine for somebody: what is changed through it carries their signature, a text of the host's, into
    /// the log of the store.
    #[must_use]
    pub fn acting(&self, by: impl Into<Arc<str>>) -> Self {
        Self(self.0.clone(), Signature { by: Some(by.into()), verb: self.1.verb })
    }

    /// The same engine, whose saving of drafts goes into the log under another word than `created` or `updated`.
    #[must_use]
    pub fn calling_it(&self, verb: &'static str) -> Self {
        Self(self.0.clone(), Signature { by: self.1.by.clone(), verb: Some(verb) })
    }

    /// The store, for changes that are signed.
    pub(super) fn signed_store(&self) -> Store {
        self.0.store.signed(self.1.clone())
    }

    /// What somebody does to a run, for the log.
    pub(super) fn change_of_run(&self, key: &RunKey, action: &str, after: Value) -> Option<Box<Change>> {
        Some(Box::new(Change {
            workspace_id: key.workspace_id.to_string(),
            by: self.1.by.clone(),
            action: action.to_owned(),
            kind: "run".to_owned(),
            id: key.run_id.to_string(),
            name: String::new(),
            before: Value::Null,
            after,
        }))
    }

    /// A person has looked at a run that is over. Answers whether it needed that.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn acknowledge(&self, key: &RunKey) -> Result<bool, EngineError> {
        let change = self.change_of_run(key, "run.acknowledged", Value::Null);
        Ok(self.0.store.acknowledge(key, change).await?)
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The node types.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The expression system.
    pub fn expressions(&self) -> &Expressions {
        &self.0.expressions
    }

    /// The live trace.
    pub fn live(&self) -> &Live {
        &self.0.live
    }

    /// What nodes can use of the host.
    pub fn services(&self) -> &Services {
        &self.0.services
    }

    /// Its bounds.
    pub fn config(&self) -> &EngineConfig {
        &self.0.config
    }

    /// The lanes.
    pub fn lanes(&self) -> &Lanes {
        &self.0.lanes
    }

    /// Milliseconds since the epoch, by the engine's clock.
    pub fn now_ms(&self) -> i64 {
        self.0.services.clock.now_ms()
    }

    /// A new id with a prefix; ids made later sort later.
    pub fn new_id(&self, prefix: &str) -> String {
        sluice_db::sortable_id(prefix)
    }

    /// Work under way counts until the value is dropped.
    pub(super) fn busy(&self) -> Busy {
        self.0.busy.fetch_add(1, Ordering::SeqCst);
        Busy(self.0.clone())
    }

    /// Waits until nothing is under way: every run waits or is over.
    pub async fn settle(&self) {
        loop {
            let quiet = self.0.idle.notified();
            tokio::pin!(quiet);
            quiet.as_mut().enable();
            if self.0.busy.load(Ordering::SeqCst) == 0 {
                return;
            }
            quiet.await;
        }
    }

    /// The program of a published version.
    ///
    /// # Errors
    /// When the version does not exist or does not compile with the node types of this process.
    pub async fn program(
        &self,
        workspace: &str,
        workflow: &str,
        version: i64,
    ) -> Result<Arc<Program>, EngineError> {
        let key = (workspace.to_owned(), workflow.to_owned(), version);
        if let Some(found) = self.0.programs.get(&key) {
            return Ok(found);
        }
        let row = self.0.store.version(workspace, workflow, version).await?;
        let row = row
            .ok_or_else(|| EngineError::NotFound { what: "version", id: format!("{workflow}/{version}") })?;
        let program = Arc::new(self.compile_text(&row.document)?);
        self.0.programs.insert(key, program.clone());
        Ok(program)
    }

    /// The program of a draft run. Its document never changes, so it is made ready once as well.
    pub(super) fn draft_program(&self, run: &RunKey, document: &str) -> Result<Arc<Program>, EngineError> {
        let key = (run.workspace_id.to_string(), run.run_id.to_string(), 0);
        if let Some(found) = self.0.programs.get(&key) {
            return Ok(found);
        }
        let program = Arc::new(self.compile_text(document)?);
        self.0.programs.insert(key, program.clone());
        Ok(program)
    }

    /// Makes a stored document ready.
    ///
    /// # Errors
    /// All problems that prevent it.
    pub fn compile_text(&self, document: &str) -> Result<Program, EngineError> {
        let document = read_document(document)?;
        self.compile(document)
    }

    /// Makes a document ready.
    ///
    /// # Errors
    /// All problems that prevent it.
    pub fn compile(&self, document: Document) -> Result<Program, EngineError> {
        Program::compile(document, &self.0.registry, &self.0.expressions).map_err(EngineError::Problems)
    }

    /// Sends a message to a run. One that no one drives in this process is loaded when no other process can be
    /// driving it, else the message is left for whoever does.
    pub(super) fn tell(&self, key: &RunKey, message: Message) {
        let mut active = self.active();
        let message = match active.get(key) {
            Some(sender) => match sender.send(message) {
                Ok(()) => return,
                Err(unsent) => unsent.0,
            },
            None => message,
        };
        if !self.0.config.is_alone {
            drop(active);
            return self.post(key, message);
        }
        let (sender, inbox) = mpsc::unbounded_channel();
        // The receiver is at hand, so sending cannot fail.
        let _ = sender.send(message);
        active.insert(key.clone(), sender);
        drop(active);
        self.spawn_loaded(key.clone(), inbox, None);
    }

    /// Sends a message to a run that is driven in this process; else the message comes back.
    pub(super) fn tell_active(&self, key: &RunKey, message: Message) -> Option<Message> {
        match self.active().get(key) {
            Some(sender) => sender.send(message).err().map(|unsent| unsent.0),
            None => Some(message),
        }
    }

    fn active(&self) -> MutexGuard<'_, HashMap<RunKey, mpsc::UnboundedSender<Message>>> {
        self.0.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many runs this process drives.
    pub fn active_runs(&self) -> usize {
        self.active().len()
    }

    /// Makes turns durable.
    pub(super) async fn commit(&self, turns: Vec<Turn>) -> Result<Vec<Commit>, StoreError> {
        let faults = &self.0.config.faults;
        faults.gate().await;
        let outcomes = self.0.store.commit(turns).await?;
        let is_told = faults.committed();
        faults.gate().await;
        if is_told {
            Ok(outcomes)
        } else {
            Err(StoreError::Db(sluice_db::DbError::Busy {
                message: "the answer was lost, as planned".into(),
            }))
        }
    }

    /// Marks a run as driven in this process; its messages go to the returned inbox. `None` when someone
    /// drives it already.
    pub(super) fn claim(&self, key: &RunKey) -> Option<mpsc::UnboundedReceiver<Message>> {
        let mut active = self.active();
        // A driver that came to grief has left its place behind.
        if active.get(key).is_some_and(|sender| !sender.is_closed()) {
            return None;
        }
        let (sender, inbox) = mpsc::unbounded_channel();
        active.insert(key.clone(), sender);
        Some(inbox)
    }

    /// Gives up a run and answers the messages that arrived for it. Whoever drops them tells their senders that the
    /// run cannot be reached.
    pub(super) fn give_up(&self, key: &RunKey, inbox: &mut mpsc::UnboundedReceiver<Message>) -> Vec<Message> {
        std::iter::from_fn(|| self.release(key, inbox)).collect()
    }

    /// Gives up a run, unless a message arrived in the meantime.
    pub(super) fn release(
        &self,
        key: &RunKey,
        inbox: &mut mpsc::UnboundedReceiver<Message>,
    ) -> Option<Message> {
        let mut active = self.active();
        if let Ok(message) = inbox.try_recv() {
            return Some(message);
        }
        active.remove(key);
        drop(active);
        if self.0.fleet.has_queue.load(Ordering::Relaxed) {
            self.0.fleet.work.notify_one();
        }
        None
    }

    /// Whether a run is driven in this process.
    pub fn is_active(&self, key: &RunKey) -> bool {
        self.active().contains_key(key)
    }

    /// Cancels a run.
    ///
    /// # Errors
    /// When there is no such run, or it is over.
    pub async fn cancel(&self, key: &RunKey) -> Result<(), EngineError> {
        let change = self.change_of_run(key, "run.cancelled", Value::Null);
        self.ask(key, |done| Message::Cancel { change, done }).await
    }

    /// Lets a failed or cancelled run go on from where it failed.
    ///
    /// # Errors
    /// When there is no such run, or it neither failed nor was cancelled.
    pub async fn retry(&self, key: &RunKey) -> Result<(), EngineError> {
        let change = self.change_of_run(key, "run.retried", Value::Null);
        self.ask(key, |done| Message::Retry { change, done }).await
    }

    pub(super) async fn ask(
        &self,
        key: &RunKey,
        message: impl FnOnce(oneshot::Sender<Result<(), Refusal>>) -> Message,
    ) -> Result<(), EngineError> {
        let (done, answer) = oneshot::channel();
        self.tell(key, message(done));
        match answer.await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(EngineError::NotFound { what: "run", id: key.run_id.to_string() }),
        }
    }

    /// Goes on with every run that was under way when the process stopped, and tells callers of child
    /// runs what they missed. To be called once, before new work is taken.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recover(&self) -> Result<usize, EngineError> {
        self.join().await?;
        // With others the loop that claims finds what is there.
        let count = if self.0.config.is_alone { self.take_up_all().await? } else { 0 };
        self.tell_missed().await?;
        self.0.fleet.work.notify_one();
        Ok(count)
    }

    async fn take_up_all(&self) -> Result<usize, EngineError> {
        let mut count = 0;
        loop {
            let claimed = self.0.store.claim_all(self.runner_id(), SUSPECT, 200).await?;
            if claimed.is_empty() {
                return Ok(count);
            }
            count += claimed.len();
            for claimed in claimed {
                // Places in lanes are taken here, in the order of acceptance, and not where the runs are loaded.
                let lane = self.0.store.lane(&claimed.key).await?;
                let place = lane.map(|lane| self.lanes().enter(&lane));
                self.resume(claimed.key, place);
            }
        }
    }

    /// Tells callers of child runs what they missed because a process stopped at the wrong moment.
    pub(super) async fn tell_missed(&self) -> Result<(), EngineError> {
        for (parent, child) in self.0.store.missed_children().await? {
            self.tell_parent(&parent, &child).await?;
        }
        Ok(())
    }

    /// Goes on with a run that is queued or was under way, from its place in its lane.
    pub(super) fn resume(&self, key: RunKey, place: Option<LaneTicket>) {
        if let Some(inbox) = self.claim(&key) {
            self.spawn_loaded(key, inbox, place);
        }
    }

    pub(super) async fn tell_parent(&self, parent: &RunKey, child: &str) -> Result<(), EngineError> {
        let child = RunKey { workspace_id: parent.workspace_id.clone(), run_id: child.into() };
        let outcome = self.outcome(&child).await?;
        let payload = outcome.as_child_payload(&child.run_id);
        let key = crate::core::child_signal(&child.run_id);
        let (done, _) = oneshot::channel();
        let (lane, receipt, change) = (LaneLoan::default(), None, None);
        self.tell(parent, Message::Signal { key, payload, lane, receipt, change, done });
        Ok(())
    }

    /// How a run stands, with its result if it is over.
    ///
    /// # Errors
    /// When there is no such run.
    pub async fn outcome(&self, key: &RunKey) -> Result<RunOutcome, EngineError> {
        let stored = self.0.store.load(key).await?;
        let stored =
            stored.ok_or_else(|| EngineError::NotFound { what: "run", id: key.run_id.to_string() })?;
        let program = match self.program_of_run(&stored.run).await {
            Ok(program) => program,
            // The version does not fit this process any more; how the run stands is known all the same.
            Err(EngineError::Problems(_) | EngineError::NotFound { .. }) => {
                return Ok(RunOutcome::without_items(&stored));
            }
            Err(error) => return Err(error),
        };
        let state = crate::core::RunState::replay(&program.plan, &stored.events).map_err(|_| {
            EngineError::Store(StoreError::Corrupt { what: "events", id: key.run_id.to_string() })
        })?;
        Ok(RunOutcome::of(&state, stored.error.as_ref()))
    }

    /// Fires every timer that is due now; returns how many runs were woken.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn fire_due(&self) -> Result<usize, EngineError> {
        let due = self.0.store.due_wakes(self.now_ms(), 1_000).await?;
        let due: Vec<&RunKey> = due.iter().filter(|key| !self.0.postponed.contains_key(*key)).collect();
        due.iter().for_each(|key| self.tell(key, Message::Wake));
        Ok(due.len())
    }

    /// Starts the loops that fire timers and schedules until the engine stops.
    pub fn spawn_loops(&self) {
        let config = &self.0.config;
        if config.drives {
            self.0.tasks.spawn(self.clone().claim_for_ever());
            self.0.tasks.spawn(self.clone().tick_for_ever());
        }
        if !config.is_alone {
            self.0.tasks.spawn(self.clone().watch_elsewhere_for_ever());
        }
        if !config.is_alone && config.drives {
            // Not one of the tasks that shutdown waits for: it goes on until they are done.
            tokio::spawn(self.clone().beat_for_ever());
            self.0.tasks.spawn(self.clone().listen_for_ever());
        }
    }

    async fn tick_for_ever(self) {
        while !self.0.stopping.is_cancelled() {
            let pause = self.tick().await.unwrap_or_else(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "looking for due timers failed");
                self.0.config.tick
            });
            tokio::select! {
                () = self.0.stopping.cancelled() => return,
                () = self.0.alarm.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Fires what is due and says how long to sleep. With other processes timers are claimed like all work, and
    /// only one process fires schedules.
    async fn tick(&self) -> Result<Duration, EngineError> {
        if self.0.config.is_alone {
            self.fire_due().await?;
        } else {
            self.0.fleet.work.notify_one();
        }
        if self.is_leader() {
            self.fire_schedules().await?;
        }
        let now = self.now_ms();
        let next = [self.0.store.next_wake().await?, self.0.store.next_schedule_at().await?];
        let next = next.into_iter().flatten().min().map_or(i64::MAX, |next| next.saturating_sub(now));
        // A moment that has come already belongs to a run that is being woken; give it time to commit.
        let next = Duration::from_millis(u64::try_from(next.max(20)).unwrap_or(20)).min(self.0.config.tick);
        let pause = i64::try_from(next.as_millis()).unwrap_or(i64::MAX);
        self.0.sleeping_until.store(now.saturating_add(pause), Ordering::SeqCst);
        Ok(next)
    }

    /// Stops taking work, lets what is under way come to its next commit, and waits for it at most `grace`.
    pub async fn shut_down(&self, grace: Duration) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(grace, self.0.tasks.wait()).await.is_err() {
            tracing::warn!(
                "some work was still under way when the engine stopped; it goes on at the next start"
            );
        }
        self.leave_fleet().await;
    }

    /// Runs work that shutdown waits for.
    pub(super) fn spawn_task(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(work);
    }

    /// Runs work to its end even if the caller goes away half-way (a browser that closes its connection).
    pub(super) async fn see_through<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, EngineError>> + Send + 'static,
    ) -> Result<T, EngineError> {
        match self.0.tasks.spawn(work).await {
            Ok(answer) => answer,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(EngineError::ShuttingDown),
        }
    }

    /// Tells the timer loop of a moment at which a run must be woken, if that is earlier than the loop's own.
    pub(super) fn set_alarm(&self, at: i64) {
        if at < self.0.sleeping_until.load(Ordering::SeqCst) {
            self.0.alarm.notify_one();
        }
    }

    /// Keeps a run that cannot be loaded from being woken over and over.
    pub(super) fn postpone(&self, key: &RunKey) {
        self.0.postponed.insert(key.clone(), ());
    }
}

/// Reads a stored document.
pub(super) fn read_document(text: &str) -> Result<Document, EngineError> {
    serde_json::from_str(text).map_err(|error| {
        EngineError::Problems(vec![Problem::error("invalid_document", "", error.to_string())])
    })
}
