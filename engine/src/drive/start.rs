//! How a run begins: the trigger is asked, the lane is worked out, and the first turn is committed before
//! anyone is told that the run exists.

use super::driver::{Begun, Driver};
use super::engine::Engine;
use super::error::EngineError;
use super::execute::Surroundings;
use super::lanes::{LaneGuard, LaneTicket};
use super::program::Program;
use super::scope::{RunFacts, RunScope};
use super::watchers::Watcher;
use crate::core::{Command, Event, EventKind, NodeIx, NodeOutput, Pins, RunError, RunState, RunStatus};
use crate::document::Document;
use crate::store::{Commit, NewRun, RunKey, Turn};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_node_sdk::context::RunInfo;
use sluice_node_sdk::item::Item;
use sluice_node_sdk::outcome::Reply;
use sluice_node_sdk::services::Services;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// What a node gives that is not to run.
#[derive(Clone, Debug, PartialEq)]
pub enum Pin {
    /// Items on its port `main`, or on its first when it has no such port.
    Main(Vec<Item>),
    /// Items by the name of the port.
    Ports(BTreeMap<String, Vec<Item>>),
}

impl From<Vec<Item>> for Pin {
    fn from(items: Vec<Item>) -> Self {
        Self::Main(items)
    }
}

/// What is to be started.
#[derive(Default)]
pub struct StartRequest {
    /// `ws_…`.
    pub workspace_id: String,
    /// `wf_…`.
    pub workflow_id: String,
    /// A published version; the active one when missing (and no draft is given).
    pub version: Option<i64>,
    /// A draft to try out in place of a version.
    pub draft: Option<Document>,
    /// The program of `version`, if it is at hand.
    pub program: Option<Arc<Program>>,
    /// Id of the trigger; the first that fits when missing.
    pub trigger: Option<String>,
    /// The outside event.
    pub event: Value,
    /// What the trigger answered, if it was asked already.
    pub accepted: Option<Arc<NodeOutput>>,
    /// A test run started by a person.
    pub is_test: bool,
    /// No outside effects.
    pub dry_run: bool,
    /// Outputs of nodes (by id) that are not to run.
    pub pins: BTreeMap<String, Pin>,
    /// The lane, when the event decides it; else the workflow's `lane` setting does.
    pub lane: Option<String>,
    /// The right to work on that lane, if it is held already.
    pub lane_guard: Option<LaneGuard>,
    /// The run that calls.
    pub parent_run_id: Option<String>,
    /// The stored body that caused it.
    pub inbound_id: Option<String>,
    /// Refuse a second run with this key.
    pub dedupe_key: Option<String>,
    /// Ask to be told how it ends.
    pub watch: Option<WaitFor>,
}

/// What a caller waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitFor {
    /// The end of the run.
    Over,
    /// The answer of a `flow.respond` node, or the end.
    Reply,
}

/// A run that was accepted and is durable.
#[derive(Debug)]
pub struct Started {
    /// Which run.
    pub key: RunKey,
    /// How it stands, if it came to its end (or to its reply) in its first turn.
    pub outcome: Option<RunOutcome>,
    /// Tells how it stands later, if that was asked for.
    pub later: Option<oneshot::Receiver<RunOutcome>>,
}

/// How a run stands, for those who wait for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunOutcome {
    /// Status.
    pub status: RunStatus,
    /// Why it failed.
    pub error: Option<RunError>,
    /// The answer for the caller of a webhook.
    pub reply: Option<Reply>,
    /// The items that the last node gave.
    pub items: Vec<Item>,
}

impl RunOutcome {
    /// The outcome that a state stands for.
    pub(super) fn of(state: &RunState, error: Option<&RunError>) -> Self {
        let last = state.last().filter(|_| state.status().is_over()).and_then(|node| state.record(node));
        let items = last.iter().flat_map(|record| &record.output.ports).flat_map(|(_, items)| items.iter());
        Self {
            status: state.status(),
            error: error.or(state.error()).cloned(),
            reply: state.reply().cloned(),
            items: items.cloned().collect(),
        }
    }

    /// The outcome of a run whose items cannot be read, because its version does not fit this process.
    pub(super) fn without_items(stored: &crate::store::StoredRun) -> Self {
        let (error, reply) = (stored.error.clone(), stored.reply().cloned());
        Self { status: stored.status, error, reply, items: Vec::new() }
    }

    /// What the caller of a child run is told.
    pub(super) fn as_child_payload(&self, run_id: &str) -> Value {
        json!({ "run_id": run_id, "status": self.status, "items": self.items, "error": self.error })
    }
}

impl Engine {
    /// Starts a run. When this returns, the run is durable; a run of pure nodes only is over.
    ///
    /// # Errors
    /// When the workspace is suspended, the workflow cannot be found or compiled, its trigger declines or fails, the event was accepted
    /// before, or the store fails. Nothing is stored then.
    pub async fn start(&self, mut request: StartRequest) -> Result<Started, EngineError> {
        if self.0.stopping.is_cancelled() {
            return Err(EngineError::ShuttingDown);
        }
        // A run that has begun may go on, and so may call others.
        if request.parent_run_id.is_none() && self.is_closed(&request.workspace_id) {
            return Err(EngineError::WorkspaceClosed);
        }
        self.check_room(&request)?;
        let (program, version) = self.program_to_start(&request).await?;
        let trigger = pick_trigger(&program, request.trigger.as_deref())?;
        let now = self.now_ms();
        let key =
            RunKey { workspace_id: request.workspace_id.as_str().into(), run_id: self.new_id("run").into() };
        let mut run = NewRun {
            key: key.clone(),
            workflow_id: request.workflow_id.clone(),
            version,
            document: None,
            trigger_type: program.plan.at(trigger).node_type.to_string(),
            is_test: request.is_test,
            dry_run: request.dry_run,
            lane: request.lane.take(),
            parent_run_id: request.parent_run_id.take(),
            inbound_id: request.inbound_id.take(),
            dedupe_key: request.dedupe_key.take(),
            created_at: now,
        };
        if request.draft.is_some() || version == 0 {
            run.document = Some(document_text(&program.document)?.into());
        }
        let event = Arc::new(std::mem::take(&mut request.event));
        let around = self.surroundings(&program, &run, event.clone());
        let output = match request.accepted.take() {
            Some(output) => output,
            None => around
                .ask_trigger(trigger, vec![Item { json: event, files: None, from: None }])
                .map_err(EngineError::Trigger)?
                .ok_or_else(|| {
                    EngineError::Trigger(
                        sluice_node_sdk::error::NodeError::rejected("the trigger declined the event")
                            .code("trigger_declined"),
                    )
                })?,
        };
        if run.lane.is_none() {
            run.lane = lane_of(&program, &around, &output)?;
        }
        let start = Command::Start {
            trigger,
            output,
            pins: pins(&program, std::mem::take(&mut request.pins))?,
            deadline: program.timeout_ms.map(|limit| now.saturating_add(limit)),
        };
        let (watcher, later) = request.watch.map(Watcher::new).unzip();
        // Seen through even when the caller goes away: a run that is stored must be driven.
        // The place in the lane is taken before anything is awaited: the order of calls is the order of work.
        let guard = request.lane_guard.take();
        let lane = run.lane.as_deref().filter(|_| self.0.config.is_alone && guard.is_none());
        let place = lane.map(|lane| self.lanes().enter(lane));
        let (engine, busy) = (self.clone(), self.busy());
        let work = async move {
            let _busy = busy;
            match place.map(LaneTicket::held_now) {
                None => engine.begin(run, start, around, guard, watcher).await,
                Some(Ok(free)) => engine.begin(run, start, around, Some(free), watcher).await,
                Some(Err(place)) => engine.start_queued(run, start, place, watcher).await,
            }
        };
        let begun = self.see_through(work).await;
        match begun {
            Ok(outcome) => Ok(Started { key, outcome, later }),
            Err(error) => {
                self.forget_watchers(&key);
                Err(error)
            }
        }
    }

    async fn program_to_start(&self, request: &StartRequest) -> Result<(Arc<Program>, i64), EngineError> {
        if let Some(draft) = &request.draft {
            return Ok((Arc::new(self.compile(draft.clone())?), 0));
        }
        let version = match request.version {
            Some(version) => match &request.program {
                Some(program) => return Ok((program.clone(), version)),
                None => version,
            },
            None => {
                let row = self.0.store.workflow(&request.workspace_id, &request.workflow_id).await?;
                let row = row.ok_or_else(|| EngineError::NotFound {
                    what: "workflow",
                    id: request.workflow_id.clone(),
                })?;
                row.published_version.ok_or_else(|| EngineError::NotPublished(row.name))?
            }
        };
        Ok((self.program(&request.workspace_id, &request.workflow_id, version).await?, version))
    }

    /// The program of a stored run.
    pub async fn program_of_run(&self, run: &NewRun) -> Result<Arc<Program>, EngineError> {
        match &run.document {
            Some(text) => self.draft_program(&run.key, text),
            None => self.program(&run.key.workspace_id, &run.workflow_id, run.version).await,
        }
    }

    /// What a run lends to its nodes.
    pub(crate) fn surroundings(
        &self,
        program: &Arc<Program>,
        run: &NewRun,
        trigger: Arc<Value>,
    ) -> Surroundings {
        self.surroundings_with(program, run, trigger, self.0.services.clone())
    }

    /// The same with other services.
    pub(crate) fn surroundings_with(
        &self,
        program: &Arc<Program>,
        run: &NewRun,
        trigger: Arc<Value>,
        services: Arc<Services>,
    ) -> Surroundings {
        let info = RunInfo {
            run_id: run.key.run_id.to_string(),
            workspace_id: run.key.workspace_id.to_string(),
            workflow_id: run.workflow_id.clone(),
            workflow_name: program.document.name.clone(),
            time_zone: program.time_zone.to_string(),
            dry_run: run.dry_run,
        };
        let info = Arc::new(info);
        let facts = RunFacts {
            info: info.clone(),
            is_test: run.is_test,
            created_at: run.created_at,
            version: run.version,
        };
        let (clock, expressions) = (services.clock.clone(), self.0.expressions.clone());
        Surroundings {
            scope: Arc::new(RunScope::new(program.clone(), expressions, facts, trigger, clock)),
            info,
            services,
            cancel: CancellationToken::new(),
            max_output: self.0.config.max_output,
        }
    }

    /// Refuses work that would not be done for long.
    fn check_room(&self, request: &StartRequest) -> Result<(), EngineError> {
        let waiting = self.0.fleet.backlog.load(Ordering::Relaxed);
        let is_full = self.active_runs() >= self.0.config.max_active;
        let must_stay = self.0.config.is_alone && (request.lane.is_some() || request.watch.is_some());
        if waiting >= u64::from(self.0.config.max_queued) || (is_full && must_stay) {
            return Err(EngineError::Overloaded { waiting: waiting.max(self.active_runs() as u64) });
        }
        Ok(())
    }

    /// Begins a run where it belongs: here and now; or queued, because its lane is taken care of by whoever claims
    /// it, because there is no room here, or because this process does not drive runs.
    async fn begin(
        &self,
        run: NewRun,
        start: Command,
        around: Surroundings,
        guard: Option<LaneGuard>,
        watcher: Option<Watcher>,
    ) -> Result<Option<RunOutcome>, EngineError> {
        let config = &self.0.config;
        if run.lane.is_some() && !config.is_alone {
            return self.leave_to_others(run, start, watcher).await;
        }
        if self.active_runs() >= config.max_active && guard.is_none() {
            self.0.fleet.has_queue.store(true, Ordering::Relaxed);
            return self.leave_to_others(run, start, watcher).await;
        }
        let again = (!config.drives).then(|| (run.clone(), start.clone()));
        let begun = Driver::fresh(self, run, around, guard).begin(start, watcher).await?;
        match (begun, again) {
            (Begun::Here(outcome), _) => Ok(outcome.map(|outcome| *outcome)),
            (Begun::NotHere(watcher), Some((run, start))) => self.leave_to_others(run, start, watcher).await,
            (Begun::NotHere(_), None) => Err(EngineError::ShuttingDown),
        }
    }

    /// Stores a run for whoever claims it.
    async fn leave_to_others(
        &self,
        run: NewRun,
        start: Command,
        watcher: Option<Watcher>,
    ) -> Result<Option<RunOutcome>, EngineError> {
        self.watch_before(&run.key, watcher);
        let turn = Turn { owner: None, ..self.queued_turn(run, start) };
        self.commit_first(turn).await?;
        self.call_for_work(true).await;
        Ok(None)
    }

    /// Stores a run whose lane is busy; it goes on once the lane is free.
    async fn start_queued(
        &self,
        run: NewRun,
        start: Command,
        place: LaneTicket,
        watcher: Option<Watcher>,
    ) -> Result<Option<RunOutcome>, EngineError> {
        let key = run.key.clone();
        self.watch_before(&key, watcher);
        self.commit_first(self.queued_turn(run, start)).await?;
        self.resume(key, Some(place));
        Ok(None)
    }

    /// Before anybody can drive the run.
    fn watch_before(&self, key: &RunKey, watcher: Option<Watcher>) {
        if let Some(watcher) = watcher {
            self.watch(key, watcher);
        }
    }

    async fn commit_first(&self, turn: Turn) -> Result<(), EngineError> {
        let key = turn.key.clone();
        match self.commit(vec![turn]).await?.first() {
            Some(Commit::Done) => Ok(()),
            Some(Commit::Duplicate) => Err(EngineError::Duplicate),
            Some(Commit::Stale) | None => {
                Err(EngineError::NotFound { what: "run", id: key.run_id.to_string() })
            }
        }
    }

    /// The first turn of a run that does not begin at once: only the trigger's event. It is this process's own if
    /// nobody else can have it.
    pub(super) fn queued_turn(&self, run: NewRun, start: Command) -> Turn {
        Turn {
            owner: self.0.config.is_alone.then(|| self.runner_id()),
            ..queued_turn(run, start, self.now_ms())
        }
    }
}

fn queued_turn(run: NewRun, start: Command, now: i64) -> Turn {
    let mut events = Vec::new();
    if let Command::Start { trigger, output, pins, deadline } = start {
        events.push(Event { at: now, kind: EventKind::RunStarted { trigger, output, pins, deadline } });
    }
    Turn {
        key: run.key.clone(),
        expected: 0,
        new_run: Some(Box::new(run)),
        events,
        first_seq: 0,
        status: RunStatus::Queued,
        error: None,
        started_at: None,
        ended_at: None,
        wake_at: None,
        owner: None,
        attention: None,
        receipt: None,
        change: None,
        waits: None,
        usage: Vec::new(),
        children: Vec::new(),
    }
}

/// The stored form of a document.
pub(super) fn document_text(document: &Document) -> Result<String, EngineError> {
    serde_json::to_string(document).map_err(|error| {
        EngineError::Problems(vec![crate::graph::Problem::error("invalid_document", "", error.to_string())])
    })
}

fn pick_trigger(program: &Program, wanted: Option<&str>) -> Result<NodeIx, EngineError> {
    let found = match wanted {
        Some(id) => program.plan.node(id).filter(|node| program.plan.at(*node).is_trigger),
        None => program.trigger(|_| true),
    };
    found.ok_or_else(|| match wanted {
        Some(id) => EngineError::NotFound { what: "trigger", id: id.to_owned() },
        None => EngineError::NoTrigger("usable".to_owned()),
    })
}

fn pins(program: &Program, pins: BTreeMap<String, Pin>) -> Result<Pins, EngineError> {
    let numbered = pins.into_iter().map(|(id, pin)| {
        let Some(node) = program.plan.node(&id) else {
            return Err(EngineError::NotFound { what: "node", id });
        };
        let planned = program.plan.at(node);
        let ports = match pin {
            Pin::Main(items) => vec![(planned.port("main").unwrap_or(0), Arc::new(items))],
            Pin::Ports(ports) => ports
                .into_iter()
                .map(|(name, items)| match planned.port(&name) {
                    Some(port) => Ok((port, Arc::new(items))),
                    None => Err(EngineError::NotFound { what: "port", id: format!("{id}.{name}") }),
                })
                .collect::<Result<_, _>>()?,
        };
        Ok((node, ports))
    });
    numbered.collect()
}

pub(super) fn lane_of(
    program: &Arc<Program>,
    around: &Surroundings,
    output: &NodeOutput,
) -> Result<Option<String>, EngineError> {
    let Some(template) = &program.lane else { return Ok(None) };
    let item = output.ports.first().and_then(|(_, items)| items.first());
    let value = around
        .eval(template, item.cloned())
        .map_err(|error| EngineError::Trigger(super::scope::param_error(&error.at("/settings/lane"))))?;
    let lane = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        other => other.to_string(),
    };
    // Lanes of different workflows and workspaces are different lanes.
    Ok(Some(format!("{}/{}/{lane}", around.info.workspace_id, around.info.workflow_id)))
}

impl Engine {
    /// What a trigger sees while it is asked, before there is a run.
    pub(super) fn trigger_surroundings(
        &self,
        program: &Arc<Program>,
        workspace: &str,
        workflow: &str,
        event: Arc<Value>,
    ) -> Surroundings {
        let run = NewRun {
            key: RunKey { workspace_id: workspace.into(), run_id: "".into() },
            workflow_id: workflow.to_owned(),
            version: 0,
            document: None,
            trigger_type: String::new(),
            is_test: false,
            dry_run: false,
            lane: None,
            parent_run_id: None,
            inbound_id: None,
            dedupe_key: None,
            created_at: self.now_ms(),
        };
        self.surroundings(program, &run, event)
    }
}
