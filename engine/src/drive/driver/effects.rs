//! Effects that were announced, on their way out and their results on their way back.

use super::Driver;
use crate::core::{Command, Effect, NodeIx, NodeResult};
use crate::drive::children::not_started;
use crate::drive::engine::Engine;
use crate::drive::execute::Executed;
use futures::future::{BoxFuture, FutureExt as _};
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::http::{HttpRequest, HttpResponse, HttpTransport};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A finished execution on its way back to the core.
pub(super) struct Job {
    pub(super) node: NodeIx,
    pub(super) iteration: u32,
    pub(super) attempt: u32,
    pub(super) began: i64,
    pub(super) executed: Executed,
}

/// The way out of an effect: the last moment at which a process that stood still can notice that the run is no longer its
/// own. Between the start of a node and its request lie questions to the database.
struct Fenced {
    way_out: Arc<dyn HttpTransport>,
    engine: Engine,
    fence: CancellationToken,
}

impl HttpTransport for Fenced {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, NodeError>> {
        Box::pin(async move {
            self.engine.until_sure(&self.fence).await;
            self.way_out.send(request).await
        })
    }

    fn answers(&self, request: &HttpRequest) -> bool {
        self.way_out.answers(request)
    }

    fn is_scripted(&self) -> bool {
        self.way_out.is_scripted()
    }
}

impl Driver {
    pub(super) fn start_effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Run { node, iteration, attempt } => self.start_job(node, iteration, attempt),
                Effect::CancelRunning => self.around.cancel.cancel(),
                Effect::StartChild { .. } | Effect::RunPure { .. } => {}
            }
        }
    }

    fn start_job(&mut self, node: NodeIx, iteration: u32, attempt: u32) {
        let mut execution = self.around.prepare(self.machine.state(), node, attempt);
        let (engine, workspace) = (self.engine.clone(), self.run.key.workspace_id.clone());
        let fence = self.fence.clone();
        if !engine.0.config.is_alone {
            let (engine, fence) = (engine.clone(), fence.clone());
            execution.go_out_by(|way_out| Arc::new(Fenced { way_out, engine, fence }));
        }
        self.jobs.spawn(async move {
            let _room = engine.0.effects.take(&workspace).await;
            engine.until_sure(&fence).await;
            engine.0.config.faults.gate().await;
            let began = engine.now_ms();
            let executed = execution.run().await;
            engine.0.config.faults.gate().await;
            Job { node, iteration, attempt, began, executed }
        });
    }

    /// Writes down what an execution used whose result nobody takes any more.
    pub(super) async fn note_usage(&mut self) {
        let usage = std::mem::take(&mut self.usage);
        if let Err(error) = self.engine.0.store.note_usage(&self.run.key, usage).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(run_id = %self.run.key.run_id, error, "what a node used after its run ended was not counted");
        }
    }

    /// What came of a job, as a command. A call whose child cannot be started is a failure of the calling node.
    pub(super) async fn command_of(&mut self, mut job: Job) -> Command {
        self.usage.append(&mut job.executed.usage);
        let mut command = job.into_command();
        if let Command::NodeDone { result, .. } = &mut command
            && let NodeResult::Call { workflow, items, child_run_id, wait } = &*result
        {
            let child = || self.engine.child(&self.run, workflow, items, child_run_id, *wait).boxed();
            match self.engine.insist(&self.run.key, child).await {
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
