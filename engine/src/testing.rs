//! Runs the tests inside workflow documents: no network, a virtual clock, everything in memory. The same
//! [`Bench`] runs one workflow for `sluice run`.
//!
//! Two tests hold for every workflow that has tests: [`every_node_failure_settles`] and
//! [`every_crash_point_recovers`].

mod bench;
mod check;
mod crashes;
mod examples;
mod failures;
mod stage;
mod wrapped;

pub use self::bench::Bench;
pub use self::check::check;
pub use self::crashes::every_crash_point_recovers;
pub use self::examples::example_params;
pub use self::failures::every_node_failure_settles;

use self::check::check_error;
use self::stage::{Stage, steps};
use crate::document::{Document, TestDoc};
use crate::drive::{Engine, EngineError};
use crate::view::RunView;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_node_sdk::http::ScriptedHttp;
use sluice_node_sdk::testkit::SimClock;
use std::sync::Arc;

/// How a host builds an engine for tests: with its nodes, a fresh store in memory, the given clock and HTTP.
pub trait Host: Sync {
    /// An engine on which nothing has happened, and the workspace in which tests run.
    fn engine(
        &self,
        clock: Arc<SimClock>,
        http: Arc<ScriptedHttp>,
    ) -> impl Future<Output = Result<(Engine, String), String>> + Send;
}

/// What became of one test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestReport {
    /// Name of the workflow.
    pub workflow: String,
    /// Name of the test.
    pub test: String,
    /// What did not hold; empty when the test passed.
    pub failures: Vec<String>,
    /// The run, for the trace of a failed test.
    pub run: Option<RunView>,
}

/// Runs all tests of a document. Of its `neighbours` those are published that it names in a parameter, so that
/// it can call them.
pub async fn run_tests(host: &impl Host, document: &Document, neighbours: &[Document]) -> Vec<TestReport> {
    let called = called(document, neighbours);
    let mut reports = Vec::with_capacity(document.tests.len());
    for test in &document.tests {
        let mut report = TestReport {
            workflow: document.name.clone(),
            test: test.name.clone(),
            failures: Vec::new(),
            run: None,
        };
        if let Err(failure) = run_test(host, document, &called, test, &mut report).await {
            report.failures.push(failure);
        }
        reports.push(report);
    }
    reports
}

/// The neighbours that a document names, and those that they name.
fn called<'a>(document: &'a Document, neighbours: &'a [Document]) -> Vec<&'a Document> {
    let mut found: Vec<&Document> = vec![document];
    let mut at = 0;
    while at < found.len() {
        let names = |other: &&Document| names(found[at], &other.name);
        let known = |other: &&Document| found.iter().any(|one| one.name == other.name);
        let new: Vec<&Document> = neighbours.iter().filter(|other| names(other) && !known(other)).collect();
        found.extend(new);
        at += 1;
    }
    found.split_off(1)
}

fn names(document: &Document, name: &str) -> bool {
    fn holds(value: &Value, name: &str) -> bool {
        match value {
            Value::String(text) => text == name,
            Value::Array(values) => values.iter().any(|value| holds(value, name)),
            Value::Object(map) => map.values().any(|value| holds(value, name)),
            _ => false,
        }
    }
    document.nodes.iter().flat_map(|node| node.params.values()).any(|value| holds(value, name))
}

async fn publish(engine: &Engine, workspace_id: &str, document: &Document) -> Result<(), String> {
    let about = |error: EngineError| format!("the workflow `{}`: {}", document.name, describe(&error));
    let row = engine.create_workflow(workspace_id, document.clone()).await.map_err(about)?;
    engine.publish(workspace_id, &row.id, None).await.map_err(about)?;
    Ok(())
}

async fn run_test(
    host: &impl Host,
    document: &Document,
    called: &[&Document],
    test: &TestDoc,
    report: &mut TestReport,
) -> Result<(), String> {
    let stage = Stage::new(host, document, called, test).await?;
    let started = match stage.engine.start(stage.request()).await {
        Ok(started) => started,
        // There is no run: that the trigger declines is all that a test can expect.
        Err(EngineError::Trigger(error)) if test.expect.error.is_some() => {
            report.failures.extend(check_error(&test.expect, Some(&error.code)));
            return Ok(());
        }
        Err(error) => return Err(describe(&error)),
    };
    let bench = Bench { engine: stage.engine, clock: stage.clock, key: started.key };
    bench.settle().await;
    for (ix, step) in steps(test).iter().enumerate() {
        bench.step(step).await.map_err(|error| format!("step {}: {error}", ix + 1))?;
        if let Some(expect) = &step.expect {
            let view = bench.view().await?;
            report
                .failures
                .extend(check(expect, &view).into_iter().map(|text| format!("step {}: {text}", ix + 1)));
        }
    }
    let view = bench.view().await?;
    report.failures.extend(check(&test.expect, &view));
    report.run = Some(view);
    Ok(())
}

/// An error of the engine in words, with all problems of a document.
pub fn describe(error: &EngineError) -> String {
    match error {
        EngineError::Problems(problems) => {
            let lines = problems
                .iter()
                .map(|problem| format!("{} at {}: {}", problem.code, problem.path, problem.message));
            lines.collect::<Vec<_>>().join("\n")
        }
        other => {
            let mut text = other.to_string();
            let mut source = std::error::Error::source(other);
            while let Some(cause) = source {
                text = format!("{text}: {cause}");
                source = cause.source();
            }
            text
        }
    }
}
