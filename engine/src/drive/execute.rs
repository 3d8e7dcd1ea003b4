//! Runs one execution of one node and turns its answer into a result for the core. Pure nodes run inline
//! and are never awaited; the others run as tasks with a time limit.

use super::limits;
use super::program::Program;
use super::scope::{NodeParams, RunScope, sdk_input};
use crate::aside::aside;
use crate::core::{NodeIx, NodeOutput, NodeResult, PortIx, RunState, Wait};
use crate::graph::PlanNode;
use futures::FutureExt;
use sluice_node_sdk::context::{LogLine, NodeContext, RunInfo};
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::http::HttpTransport;
use sluice_node_sdk::item::{Input, Item};
use sluice_node_sdk::mask::Secrets;
use sluice_node_sdk::outcome::{Outcome, Output, Resumed};
use sluice_node_sdk::services::Services;
use sluice_node_sdk::spec::Effect;
use sluice_node_sdk::usage::UsageNote;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A pure node that takes longer is in the way of others.
const LONG: Duration = Duration::from_millis(1);

/// With more items a node is taken to be slow before it was seen.
const MANY_ITEMS: usize = 1_000;

/// What a run lends to its node executions.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(super) scope: Arc<RunScope>,
    pub(crate) info: Arc<RunInfo>,
    pub(super) services: Arc<Services>,
    pub(super) cancel: CancellationToken,
    /// Bytes that a node may give at the most.
    pub(super) max_output: usize,
}

/// One execution, ready to go.
pub(crate) struct Execution {
    run: Arc<RunScope>,
    node: NodeIx,
    context: NodeContext,
    input: Input,
    max_output: usize,
}

/// What came of an execution.
pub(crate) struct Executed {
    pub(crate) result: NodeResult,
    pub(super) logs: Vec<LogLine>,
    /// What it used, whatever the result is.
    pub(super) usage: Vec<UsageNote>,
    /// About how many bytes the result takes.
    weight: usize,
}

impl Executed {
    /// The same, if there is still room for it in a turn; else the failure of the node.
    pub(super) fn fit(mut self, room: &mut usize) -> Self {
        if self.weight > *room {
            (self.result, self.weight) = limits::fit(self.result, *room);
        }
        *room -= self.weight;
        self
    }
}

impl Surroundings {
    /// The workflow version that is run.
    pub(crate) fn program(&self) -> &Arc<Program> {
        &self.scope.program
    }

    /// Gathers everything that an execution needs from the state of its run.
    pub(crate) fn prepare(&self, state: &RunState, node: NodeIx, attempt: u32) -> Execution {
        let plan = &self.program().plan;
        let gathered = state.input(plan, node);
        let input = sdk_input(&gathered);
        let items = input.items().clone();
        let params = NodeParams::new(self.scope.clone(), node, state, &gathered, items);
        let mut execution = self.first_execution(node, params, input);
        let context = &mut execution.context;
        context.iteration = state.iteration(node);
        context.attempt = attempt;
        context.doubt = state.doubt(node);
        context.resumed = state
            .resumed(node)
            .map(|(cause, wait)| Resumed { cause: cause.clone(), state: wait.state.clone() });
        if state.in_loop_round(plan, node) {
            context.loop_state = state.record(node).and_then(|record| record.output.loop_state.clone());
        }
        execution
    }

    /// The first attempt of the first execution of a node.
    fn first_execution(&self, node: NodeIx, params: NodeParams, input: Input) -> Execution {
        let context = NodeContext {
            run: self.info.clone(),
            node_id: self.program().plan.at(node).id.clone(),
            iteration: 0,
            attempt: 1,
            doubt: None,
            resumed: None,
            loop_state: None,
            params: Arc::new(params),
            services: self.services.clone(),
            cancel: self.cancel.clone(),
            logs: std::sync::Mutex::default(),
            secrets: Secrets::default(),
            usage: std::sync::Mutex::default(),
        };
        Execution { run: self.scope.clone(), node, context, input, max_output: self.max_output }
    }

    /// Asks a trigger node whether it accepts an event; `None` when it declines.
    ///
    /// # Errors
    /// What the trigger failed with.
    pub(super) fn ask_trigger(
        &self,
        node: NodeIx,
        events: Vec<Item>,
    ) -> Result<Option<Arc<NodeOutput>>, NodeError> {
        let items = Arc::new(events);
        let params = NodeParams::for_trigger(self.scope.clone(), node, items.clone());
        match self.first_execution(node, params, Input::main(items)).run_inline().result {
            NodeResult::Done(output) if output.ports.is_empty() => Ok(None),
            NodeResult::Done(output) => Ok(Some(output)),
            NodeResult::Failed(error) => Err(error),
            _ => Err(NodeError::bug("A trigger may only return items")),
        }
    }
}

impl Execution {
    fn planned(&self) -> &PlanNode {
        self.run.program.plan.at(self.node)
    }

    /// Puts something before the way out over HTTP.
    pub(super) fn go_out_by(&mut self, wrap: impl FnOnce(Arc<dyn HttpTransport>) -> Arc<dyn HttpTransport>) {
        let services = Arc::make_mut(&mut self.context.services);
        services.http = wrap(services.http.clone());
    }

    /// Runs a pure node: polled once, never awaited. One that has many items, or took long the last time, lets the tasks
    /// of its thread go on elsewhere meanwhile.
    pub(crate) fn run_inline(self) -> Executed {
        let is_slow = &self.run.program.nodes[self.node as usize].is_slow;
        let work = || self.attempt().now_or_never();
        let began = Instant::now();
        let answer = match self.input.items().len() > MANY_ITEMS || is_slow.load(Ordering::Relaxed) {
            true => aside(work),
            false => work(),
        };
        is_slow.store(began.elapsed() > LONG, Ordering::Relaxed);
        let answer = match answer {
            Some(Ok(answer)) => answer,
            Some(Err(panic)) => Err(panicked(panic.as_ref())),
            None => Err(NodeError::bug(format!(
                "The node type `{}` says it is pure, yet it waited for something",
                self.planned().node_type
            ))),
        };
        self.executed(answer)
    }

    /// Runs a node with an effect, within its time limit.
    pub(super) async fn run(self) -> Executed {
        if self.context.cancel.is_cancelled() {
            // It waited for its turn while the run ended, and has not begun.
            return self.executed(Err(NodeError::cancelled("The run ended before the node began")));
        }
        // The limit is within, so that what panics while it is given up is caught as well.
        let limited = async { tokio::time::timeout(self.timeout(), self.attempt()).await };
        let answer = match AssertUnwindSafe(limited).catch_unwind().await {
            Ok(Ok(Ok(answer))) => answer,
            Ok(Ok(Err(panic))) | Err(panic) => Err(panicked(panic.as_ref())),
            Ok(Err(_)) => Err(self.timed_out()),
        };
        self.executed(answer)
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(self.planned().timeout_ms)
    }

    async fn attempt(&self) -> Result<Result<Outcome, NodeError>, Box<dyn std::any::Any + Send>> {
        let node = &self.run.program.nodes[self.node as usize].node;
        let work = async { node.run(&self.context, self.input.clone()).await };
        AssertUnwindSafe(work).catch_unwind().await
    }

    fn timed_out(&self) -> NodeError {
        let message = format!("The node took longer than its limit of {} ms", self.timeout().as_millis());
        match self.planned().effect {
            Effect::Once => NodeError::unknown_outcome(format!("{message}; it may or may not have happened")),
            Effect::Pure | Effect::Idempotent => NodeError::timeout(message),
        }
    }

    fn executed(self, answer: Result<Outcome, NodeError>) -> Executed {
        // What a dry run would use is not used.
        let mut usage = self.context.take_usage();
        usage.retain(|_| !self.context.run.dry_run);
        let mut logs = self.context.take_logs();
        // Whatever a node leaves behind passes here; only one that opened a credential has something to hide.
        let answer = match self.context.secrets.mask() {
            Some(mask) => {
                mask.logs(&mut logs);
                mask.usage(&mut usage);
                answer.map(|outcome| mask.outcome(outcome)).map_err(|error| mask.error(error))
            }
            None => answer,
        };
        let result = match answer {
            Ok(Outcome::Done(output)) => self
                .output(output, &logs)
                .map_or_else(NodeResult::Failed, |output| NodeResult::Done(Arc::new(output))),
            Ok(Outcome::Suspend(wait)) => NodeResult::Suspend(Arc::new(Wait {
                kind: wait.kind,
                until: wait.until,
                signal: wait.signal,
                state: wait.state,
                info: wait.info,
            })),
            Ok(Outcome::Call(call)) => NodeResult::Call {
                workflow: call.workflow,
                items: call.items,
                child_run_id: child_id(&self.context.effect_id()),
                wait: call.wait,
            },
            Ok(Outcome::Stop(stop)) => {
                self.output(Output::main(stop.items), &logs).map_or_else(NodeResult::Failed, |output| {
                    NodeResult::Stop { error: stop.error, output: Arc::new(output) }
                })
            }
            Err(error) => NodeResult::Failed(self.as_failed(error)),
        };
        let (result, weight) = limits::fit(result, self.max_output);
        Executed { result, logs, usage, weight }
    }

    /// A time-out that a `once` node reports itself leaves the outcome as unknown as one that we measure.
    fn as_failed(&self, error: NodeError) -> NodeError {
        if error.kind == ErrorKind::Timeout && self.planned().effect == Effect::Once {
            return NodeError {
                kind: ErrorKind::UnknownOutcome,
                code: ErrorKind::UnknownOutcome.code().into(),
                ..error
            };
        }
        error
    }

    fn output(&self, output: Output, logs: &[LogLine]) -> Result<NodeOutput, NodeError> {
        let planned = self.planned();
        let mut ports: Vec<(PortIx, Arc<Vec<Item>>)> = Vec::with_capacity(output.ports.len());
        for (name, items) in output.ports.into_iter().filter(|(_, items)| !items.is_empty()) {
            let port = planned.port(&name).ok_or_else(|| {
                NodeError::bug(format!(
                    "The node type `{}` gave items to a port `{name}` that it does not have",
                    planned.node_type
                ))
            })?;
            ports.push((port, Arc::new(items)));
        }
        Ok(NodeOutput { ports, reply: output.reply, loop_state: output.loop_state, logs: logs.to_vec() })
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> NodeError {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    NodeError::bug(format!("The node panicked: {}", text.unwrap_or_else(|| "no message".to_owned())))
        .code("node_panicked")
}

/// The id of the child run that an execution starts: the same after a crash, so that it starts once only.
fn child_id(effect_id: &str) -> String {
    let space = uuid::Uuid::from_u128(0x51ce_0000_0000_4000_8000_0000_0000_0001);
    sluice_db::hashed_id("run", uuid::Uuid::new_v5(&space, effect_id.as_bytes()).as_u128())
}

impl Surroundings {
    /// Evaluates a text of the workflow's settings for one item.
    pub(super) fn eval(
        &self,
        template: &crate::expr::Template,
        item: Option<Item>,
    ) -> Result<serde_json::Value, crate::expr::ExprError> {
        super::scope::eval_setting(template, item, &self.scope)
    }
}
