//! Runs the tests inside workflow documents: no network, a virtual clock, everything in memory. The same
//! [`Bench`] runs one workflow for `sluice run`.

use crate::core::RunStatus;
use crate::document::{Document, Expect, StepDoc, TestDoc};
use crate::drive::{Engine, EngineError, StartRequest};
use crate::store::RunKey;
use crate::view::{NodeStatus, RunView};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_node_sdk::duration::parse_duration_ms;
use sluice_node_sdk::http::{ScriptedHttp, contains};
use sluice_node_sdk::item::Item;
use sluice_node_sdk::testkit::{SimClock, TEST_NOW_MS};
use std::collections::BTreeMap;
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
    let now = match &test.now {
        None => TEST_NOW_MS,
        Some(text) => {
            text.parse::<jiff::Timestamp>().map_err(|error| format!("now: {error}"))?.as_millisecond()
        }
    };
    let clock = Arc::new(SimClock::at(now));
    let http = Arc::new(ScriptedHttp::new(test.http.clone()));
    let (engine, workspace_id) = host.engine(clock.clone(), http).await?;
    for other in called {
        publish(&engine, &workspace_id, other).await?;
    }
    let mut document = document.clone();
    document.tests.clear();
    let request = StartRequest {
        workspace_id,
        workflow_id: "wf_test".to_owned(),
        draft: Some(document),
        trigger: test.node.clone(),
        event: test.trigger.clone(),
        is_test: true,
        dry_run: true,
        pins: pins(&test.pins),
        ..StartRequest::default()
    };
    let started = match engine.start(request).await {
        Ok(started) => started,
        // There is no run: that the trigger declines is all that a test can expect.
        Err(EngineError::Trigger(error)) if test.expect.error.is_some() => {
            report.failures.extend(check_error(&test.expect, Some(&error.code)));
            return Ok(());
        }
        Err(error) => return Err(describe(&error)),
    };
    let bench = Bench { engine, clock, key: started.key };
    bench.settle().await;
    let shorthand =
        test.advance.as_ref().map(|text| StepDoc { advance: Some(text.clone()), ..StepDoc::default() });
    for (ix, step) in test.steps.iter().chain(shorthand.as_ref()).enumerate() {
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

fn pins(pins: &indexmap::IndexMap<String, Vec<Value>>) -> BTreeMap<String, Vec<Item>> {
    pins.iter().map(|(node, items)| (node.clone(), items.iter().cloned().map(Item::new).collect())).collect()
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

/// One run under a virtual clock.
pub struct Bench {
    /// The engine.
    pub engine: Engine,
    /// Its clock.
    pub clock: Arc<SimClock>,
    /// The run.
    pub key: RunKey,
}

impl Bench {
    /// Lets everything happen that needs no time to pass. Pauses between attempts are such time.
    pub async fn settle(&self) {
        self.engine.settle().await;
    }

    /// The run as it stands.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn view(&self) -> Result<RunView, String> {
        let view = self.engine.run_view(&self.key).await.map_err(|error| describe(&error))?;
        view.ok_or_else(|| "the run is gone".to_owned())
    }

    /// Lets time pass, stopping at every moment at which something is due.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn advance(&self, milliseconds: i64) -> Result<(), String> {
        use sluice_node_sdk::services::Clock;
        let end = self.clock.now_ms().saturating_add(milliseconds);
        loop {
            let next = self.engine.store().next_wake().await.map_err(|error| error.to_string())?;
            match next.filter(|next| *next <= end) {
                Some(next) => self.clock.set(next.max(self.clock.now_ms())),
                None => break,
            }
            self.engine.fire_due().await.map_err(|error| describe(&error))?;
            self.settle().await;
        }
        self.clock.set(end);
        Ok(())
    }

    async fn step(&self, step: &StepDoc) -> Result<(), String> {
        if let Some(text) = &step.advance {
            self.advance(parse_duration_ms(text).map_err(|error| error.to_string())?).await?;
        }
        if let Some(key) = &step.signal {
            let key = if key == "*" { self.awaited().await? } else { key.clone() };
            let sent = self.engine.signal(&self.key.workspace_id, &key, step.payload.clone()).await;
            sent.map_err(|error| describe(&error))?;
            self.settle().await;
        }
        Ok(())
    }

    /// The first signal key that any node of the run waits for.
    async fn awaited(&self) -> Result<String, String> {
        let view = self.view().await?;
        let keys = view.nodes.iter().filter_map(|node| node.wait.as_ref()?.get("signal")?.as_str());
        keys.map(ToOwned::to_owned).next().ok_or_else(|| "nothing waits for a signal".to_owned())
    }
}

/// What of an expectation does not hold.
pub fn check(expect: &Expect, view: &RunView) -> Vec<String> {
    let mut failures = Vec::new();
    if let Some(status) = expect.status
        && status != view.status
    {
        failures.push(format!(
            "expected the run to be {}, it is {}{}",
            status.as_str(),
            view.status.as_str(),
            because(view)
        ));
    }
    let in_status =
        |id: &str, status: NodeStatus| view.nodes.iter().any(|node| node.id == id && node.status == status);
    for (ids, status) in [
        (&expect.ran, NodeStatus::Succeeded),
        (&expect.skipped, NodeStatus::Skipped),
        (&expect.waiting, NodeStatus::Waiting),
    ] {
        for id in ids.iter().filter(|id| !in_status(id, status)) {
            let found =
                view.nodes.iter().rfind(|node| &node.id == id).map_or("unknown", |node| node.status.as_str());
            failures.push(format!("expected node `{id}` to be {}, it is {found}", status.as_str()));
        }
    }
    for (id, wanted) in &expect.output {
        let node = view.nodes.iter().rfind(|node| &node.id == id && !node.output.is_empty());
        let came: Vec<&Value> =
            node.iter().flat_map(|node| node.output.values().flatten()).map(|item| &*item.json).collect();
        let fits = came.len() == wanted.len()
            && came.iter().zip(wanted).all(|(came, wanted)| contains(came, wanted));
        if !fits {
            let wanted = serde_json::to_string(wanted).unwrap_or_default();
            let came = serde_json::to_string(&came).unwrap_or_default();
            failures.push(format!("expected node `{id}` to give {wanted}, it gave {came}"));
        }
    }
    failures.extend(check_error(expect, view.error.as_ref().map(|error| error.code.as_str())));
    let failed = view.error.as_ref().and_then(|error| error.node.as_deref());
    if let Some(wanted) = expect.failed_node.as_deref().filter(|wanted| Some(*wanted) != failed) {
        failures
            .push(format!("expected node `{wanted}` to fail the run, it was `{}`", failed.unwrap_or("none")));
    }
    let reply = serde_json::to_value(&view.reply).unwrap_or_default();
    if !expect.reply.is_null() && !contains(&reply, &expect.reply) {
        failures.push(format!("expected the reply {}, it is {reply}", expect.reply));
    }
    failures
}

fn check_error(expect: &Expect, code: Option<&str>) -> Option<String> {
    let wanted = expect.error.as_deref().filter(|wanted| Some(*wanted) != code)?;
    Some(format!("expected the error `{wanted}`, it is `{}`", code.unwrap_or("none")))
}

fn because(view: &RunView) -> String {
    let Some(error) = view.error.as_ref().filter(|_| view.status == RunStatus::Failed) else {
        return String::new();
    };
    format!(" ({}: {})", error.code, error.message)
}
