//! For every workflow with tests: wherever the process stops, the run goes on after a restart and ends as it
//! would have ended. A node that must not be repeated is done once, or asks what became of it.

use super::failures::{open_ends, playable};
use super::stage::{Stage, steps};
use super::wrapped::{Counted, Ledger, Repeatable};
use super::{Bench, Host, called, describe};
use crate::core::{SettledBy, Settlement, Verdict};
use crate::document::{Document, StepDoc, TestDoc};
use crate::drive::{Engine, FaultPlan};
use crate::store::{RunFilter, RunKey};
use crate::view::{NodeRunView, NodeStatus, RunView};
use regex::Regex;
use serde_json::{Value, json};
use sluice_node_sdk::duration::parse_duration_ms;
use sluice_node_sdk::http::HttpTransport;
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::services::Clock;
use sluice_node_sdk::spec::Effect;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// Plays every test of a document once per commit of its run, with a crash right after that commit and a restart
/// over the same database. Answers what does not hold, one sentence each.
pub async fn every_crash_point_recovers(
    host: &impl Host,
    document: &Document,
    neighbours: &[Document],
) -> Vec<String> {
    let called = called(document, neighbours);
    let mut failures = Vec::new();
    let tests = match playable(host, document, &called).await {
        Ok(tests) => tests,
        Err(failure) => return vec![failure],
    };
    for test in tests {
        let place = |text: String| format!("{}, test `{}`: {text}", document.name, test.name);
        let plain = match play(host, document, &called, test, FaultPlan::counting()).await {
            Ok(plain) => plain,
            Err(failure) => {
                failures.push(place(failure));
                continue;
            }
        };
        for crash in 1..=plain.commits {
            let found = match play(host, document, &called, test, FaultPlan::stop_after(crash)).await {
                Ok(crashed) => differences(&plain, &crashed),
                Err(failure) => vec![failure],
            };
            let commits = plain.commits;
            let told = |text| place(format!("crash after commit {crash} of {commits}: {text}"));
            failures.extend(found.into_iter().map(told));
        }
    }
    failures
}

/// What came of playing a test.
struct Played {
    view: RunView,
    commits: u64,
    /// Executions of nodes that must not be repeated, by node and iteration.
    once: BTreeMap<(String, u32), u32>,
    /// Whether nobody knows what became of some node.
    is_unknown: bool,
}

/// An engine that may die, and what takes its place then.
struct Survivor<'a> {
    stage: &'a Stage<'a>,
    ledger: Arc<Ledger>,
    http: Arc<dyn HttpTransport>,
    faults: FaultPlan,
    engine: Engine,
    /// Executions that were known not to have begun, and so were begun.
    settled: BTreeSet<(String, u32)>,
}

impl<'a> Survivor<'a> {
    fn new(stage: &'a Stage<'a>, faults: FaultPlan) -> Result<Self, String> {
        let ledger = Arc::new(Ledger::default());
        let http: Arc<dyn HttpTransport> =
            Arc::new(Repeatable { inner: stage.engine.services().http.clone(), answered: Mutex::default() });
        let engine = Self::build(stage, &ledger, &http, faults.clone())?;
        Ok(Self { stage, ledger, http, faults, engine, settled: BTreeSet::new() })
    }

    fn build(
        stage: &Stage<'_>,
        ledger: &Arc<Ledger>,
        http: &Arc<dyn HttpTransport>,
        faults: FaultPlan,
    ) -> Result<Engine, String> {
        let ledger = ledger.clone();
        let wrap = move |inner: Arc<dyn DynNode>| -> Arc<dyn DynNode> {
            Arc::new(Counted { inner, ledger: ledger.clone() })
        };
        stage.engine_with(&wrap, Some(http.clone()), faults)
    }

    /// Does something, unless the engine dies of it; then a new engine takes over. Answers `None` in that case.
    async fn live<T>(&mut self, work: impl Future<Output = Result<T, String>>) -> Result<Option<T>, String> {
        tokio::select! {
            biased;
            done = work => return done.map(Some),
            () = self.faults.dead() => {}
        }
        self.faults = FaultPlan::default();
        self.engine = Self::build(self.stage, &self.ledger, &self.http, FaultPlan::default())?;
        self.engine.recover().await.map_err(|error| describe(&error))?;
        self.engine.settle().await;
        let key = self.first_run().await?;
        while self.settle_what_is_known(&key).await? {
            self.engine.settle().await;
        }
        Ok(None)
    }

    /// Has an effect done of which nobody knows whether it took place, when this test knows that it never began: a
    /// person who found that out would say so. The question may be open in the run or in one that it called.
    async fn settle_what_is_known(&mut self, key: &RunKey) -> Result<bool, String> {
        for (run, question) in self.open_questions(key).await? {
            let execution = (question.id.clone(), question.iteration);
            if self.ledger.counts().contains_key(&execution) || !self.settled.insert(execution) {
                continue;
            }
            let effect_id = format!("{}/{}/{}", run.run_id, question.id, question.iteration);
            let settlement = Settlement::new(Verdict::Retry, SettledBy::Person);
            let settled = self.engine.settle_outcome(&run, &effect_id, &settlement).await;
            settled.map_err(|error| describe(&error))?;
            return Ok(true);
        }
        Ok(false)
    }

    /// The nodes about which something is asked, in the run and in those that it waits for.
    async fn open_questions(&self, key: &RunKey) -> Result<Vec<(RunKey, NodeRunView)>, String> {
        let (mut found, mut runs) = (Vec::new(), vec![key.clone()]);
        while let Some(run) = runs.pop() {
            for node in self.bench(&run).view().await?.nodes {
                let wait = node.wait.as_ref().filter(|_| node.status == NodeStatus::Waiting);
                let called = wait.and_then(|wait| wait["info"]["run_id"].as_str());
                if let Some(called) = called {
                    runs.push(RunKey { workspace_id: run.workspace_id.clone(), run_id: called.into() });
                } else if node.outcome.as_ref().is_some_and(|outcome| outcome.is_open) {
                    found.push((run.clone(), node));
                }
            }
        }
        Ok(found)
    }

    fn bench(&self, key: &RunKey) -> Bench {
        Bench { engine: self.engine.clone(), clock: self.stage.clock.clone(), key: key.clone() }
    }

    async fn start(&mut self) -> Result<RunKey, String> {
        let (engine, request) = (self.engine.clone(), self.stage.request());
        let work = async move {
            let started = engine.start(request).await.map_err(|error| describe(&error))?;
            engine.settle().await;
            Ok(started.key)
        };
        match self.live(work).await? {
            Some(key) => Ok(key),
            None => self.first_run().await,
        }
    }

    /// The run that was started, for which the caller never got an answer.
    async fn first_run(&self) -> Result<RunKey, String> {
        let workspace = self.stage.workspace();
        let workflow_id = Some(super::stage::WORKFLOW.to_owned());
        let filter = RunFilter { workflow_id, limit: 200, ..RunFilter::default() };
        let runs =
            self.engine.store().list_runs(workspace, &filter).await.map_err(|error| error.to_string())?;
        let first = runs.items.last().ok_or("the run is gone")?;
        Ok(RunKey { workspace_id: workspace.into(), run_id: first.id.as_str().into() })
    }

    async fn step(&mut self, key: &RunKey, step: &StepDoc) -> Result<(), String> {
        let pause = step.advance.as_deref().map(parse_duration_ms).transpose();
        let end = pause.map_err(|error| error.to_string())?.map(|pause| self.stage.clock.now_ms() + pause);
        let (bench, whole) = (self.bench(key), step.clone());
        if self.live(async move { bench.step(&whole).await }).await?.is_some() {
            return Ok(());
        }
        // A signal that was committed was heard. Of a time that passes the rest is left.
        if let Some(end) = end {
            self.bench(key).advance_to(end).await?;
            if step.signal.is_some() {
                let rest = StepDoc { advance: None, ..step.clone() };
                self.bench(key).step(&rest).await?;
            }
        }
        Ok(())
    }
}

async fn play(
    host: &impl Host,
    document: &Document,
    called: &[&Document],
    test: &TestDoc,
    faults: FaultPlan,
) -> Result<Played, String> {
    let stage = Stage::new(host, document, called, test).await?;
    let once = once_nodes(&stage.engine, document)?;
    let mut survivor = Survivor::new(&stage, faults.clone())?;
    let key = survivor.start().await?;
    let mut stuck = None;
    for step in steps(test) {
        if let Err(failure) = survivor.step(&key, &step).await {
            stuck = Some(failure);
            break;
        }
    }
    let view = survivor.bench(&key).view().await?;
    let is_unknown = !survivor.open_questions(&key).await?.is_empty();
    // A run whose node is of unknown outcome takes no further part in the test.
    if let Some(failure) = stuck.filter(|_| !is_unknown) {
        return Err(failure);
    }
    let mut counts = survivor.ledger.counts();
    counts.retain(|(node, _), _| once.contains(node));
    Ok(Played { view, commits: faults.commits(), once: counts, is_unknown })
}

fn once_nodes(engine: &Engine, document: &Document) -> Result<BTreeSet<String>, String> {
    let mut document = document.clone();
    document.tests.clear();
    let program = engine.compile(document).map_err(|error| describe(&error))?;
    let once = program.plan.nodes.iter().filter(|node| node.effect == Effect::Once);
    Ok(once.map(|node| node.id.to_string()).collect())
}

fn differences(plain: &Played, crashed: &Played) -> Vec<String> {
    let mut found = Vec::new();
    for (execution, count) in &crashed.once {
        let allowed = plain.once.get(execution).copied().unwrap_or(0).max(1);
        if *count > allowed {
            found.push(format!("node `{}` was done {count} times in place of {allowed}", execution.0));
        }
    }
    if crashed.is_unknown {
        found.extend(open_ends(&crashed.view));
        return found;
    }
    let (before, after) = (facts(&plain.view), facts(&crashed.view));
    for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let (then, now) = (before.get(key), after.get(key));
        if then != now {
            let show = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
            found.push(format!("{key} is {}, undisturbed it is {}", show(now), show(then)));
        }
    }
    found
}

/// What must be equal: how the run stands, and how each node run ended with what. Ids are made up anew each time.
fn facts(view: &RunView) -> BTreeMap<String, Value> {
    let id = Regex::new(r"([a-z]+_)[0-9a-hjkmnp-tv-z]{20}\b").expect("the pattern is well-formed");
    let plain = |value: Value| -> Value {
        let text = value.to_string();
        serde_json::from_str(&id.replace_all(&text, "${1}…")).unwrap_or(Value::String(text))
    };
    let mut facts = BTreeMap::from([(
        "the run".to_owned(),
        plain(json!({ "status": view.status, "error": view.error, "reply": view.reply })),
    )]);
    for node in &view.nodes {
        // A node that got over a failure shows it still.
        let error = node.error.as_ref().filter(|_| node.status != NodeStatus::Succeeded);
        let fact = json!({ "status": node.status, "output": node.output, "error": error });
        let mut name = format!("node `{}` at iteration {}", node.id, node.iteration);
        while facts.contains_key(&name) {
            name.push('\'');
        }
        facts.insert(name, plain(fact));
    }
    facts
}
