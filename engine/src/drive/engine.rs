//! The engine: what a host holds, what its parts share, and how its work begins and ends.

use super::config::EngineConfig;
use super::driven::Message;
use super::error::EngineError;
use super::fleet::Fleet;
use super::hooks::Hooks;
use super::lanes::Lanes;
use super::live::Live;
use super::program::Program;
use super::slots::Slots;
use super::timers::Timers;
use super::watchers::Watched;
use crate::expr::Expressions;
use crate::store::{Change, Commit, RunKey, Signature, Store, StoreError, Turn};
use moka::sync::Cache;
use serde_json::Value;
use sluice_node_sdk::registry::Registry;
use sluice_node_sdk::services::Services;
use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::{self, Poll};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine(pub(super) Arc<Shared>, Signature);

pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) registry: Registry,
    pub(super) expressions: Expressions,
    pub(super) services: Arc<Services>,
    pub(super) config: EngineConfig,
    pub(super) live: Live,
    pub(super) lanes: Lanes,
    pub(super) effects: Slots,
    pub(super) fleet: Fleet,
    pub(super) tasks: TaskTracker,
    pub(super) stopping: CancellationToken,
    pub(super) timers: Timers,
    pub(super) watched: Mutex<HashMap<RunKey, Watched>>,
    pub(super) active: Mutex<HashMap<RunKey, mpsc::UnboundedSender<Message>>>,
    busy: AtomicUsize,
    idle: Notify,
    pub(super) programs: Cache<(String, String, i64), Arc<Program>>,
    pub(super) hooks: Hooks,
    /// Workspaces in which nothing starts for now.
    closed: RwLock<HashSet<String>>,
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
            services: Arc::new(services),
            live: Live::default(),
            lanes: Lanes::default(),
            effects: Slots::new(config.max_effects, config.max_effects_per_workspace),
            fleet: Fleet::default(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            timers: Timers::default(),
            watched: Mutex::default(),
            active: Mutex::default(),
            busy: AtomicUsize::new(0),
            idle: Notify::new(),
            programs: Cache::new(config.cached_programs),
            hooks: super::hooks::hooks(),
            closed: RwLock::default(),
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

    /// From now on nothing starts in these workspaces, and in no others. What has begun there goes on: a message half
    /// sent is worse than one sent.
    pub fn close_workspaces(&self, workspace_ids: HashSet<String>) {
        *self.0.closed.write().unwrap_or_else(PoisonError::into_inner) = workspace_ids;
    }

    /// Whether nothing starts in a workspace for now.
    pub(super) fn is_closed(&self, workspace_id: &str) -> bool {
        self.0.closed.read().unwrap_or_else(PoisonError::into_inner).contains(workspace_id)
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

    /// Makes turns durable.
    pub(super) async fn commit(&self, turns: Vec<Turn>) -> Result<Vec<Commit>, StoreError> {
        let faults = &self.0.config.faults;
        faults.gate().await;
        let outcomes = self.0.store.commit(turns).await?;
        let is_told = faults.committed().await;
        faults.gate().await;
        if is_told {
            Ok(outcomes)
        } else {
            Err(StoreError::Db(sluice_db::DbError::Busy {
                message: "the answer was lost, as planned".into(),
            }))
        }
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

    /// Runs work to its end even if the caller goes away half-way (a browser that closes its connection): in the
    /// caller's own task, and in one of its own from then on. Not an `async fn`: that would keep the room for the work in
    /// its caller as well.
    pub(super) fn see_through<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, EngineError>> + Send + 'static,
    ) -> SeenThrough<Result<T, EngineError>> {
        SeenThrough(Some(Box::pin(self.0.tasks.track_future(work))))
    }
}

/// Work that goes on in a task of its own when it is dropped.
pub(super) struct SeenThrough<T: Send + 'static>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: Send + 'static> Future for SeenThrough<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<T> {
        // Work that is done, or that panics here, is gone; only what is under way is put back.
        let Some(mut work) = self.0.take() else { return Poll::Pending };
        let answer = work.as_mut().poll(context);
        if answer.is_pending() {
            self.0 = Some(work);
        }
        answer
    }
}

impl<T: Send + 'static> Drop for SeenThrough<T> {
    fn drop(&mut self) {
        // Without a runtime the process is ending, as in a crash.
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            drop(runtime.spawn(work));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn work_goes_on_when_its_caller_goes_away() {
        let (go, gone) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        let tasks = TaskTracker::new();
        let work = tasks.track_future(async move {
            // Either end of the channel says that the caller is gone.
            let _ = gone.await;
            tell.send(17)
        });
        let mut work = SeenThrough(Some(Box::pin(work)));
        assert!((&mut work).now_or_never().is_none());
        drop(work);
        tasks.close();
        assert!(!tasks.is_empty());
        drop(go);
        assert_eq!(told.await, Ok(17));
        tasks.wait().await;
    }

    #[tokio::test]
    async fn work_that_is_done_or_panics_is_not_done_again() {
        assert_eq!(SeenThrough(Some(Box::pin(async { 17 }))).await, 17);
        let work: SeenThrough<()> = SeenThrough(Some(Box::pin(async { panic!("a defect") })));
        assert!(std::panic::AssertUnwindSafe(work).catch_unwind().await.is_err());
    }
}
