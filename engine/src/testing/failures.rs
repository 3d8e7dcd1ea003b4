//! For every workflow with tests: whichever node fails, and however, the run comes to an end or to a wait.

use super::stage::{Stage, steps};
use super::wrapped::{Failing, Fault, Wrap};
use super::{Bench, Host, called, describe};
use crate::document::{Document, TestDoc};
use crate::drive::{EngineError, FaultPlan};
use crate::view::{NodeRunView, NodeStatus, RunView};
use sluice_node_sdk::node::DynNode;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Pauses between attempts that are waited out before a test gives up.
const MOST_PAUSES: usize = 200;

/// Plays every test of a document once per node that runs in it, and per way to fail the first time that a node
/// runs. Answers what does not hold,
/// one sentence each; expectations of the tests are not checked.
pub async fn every_node_failure_settles(
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
    let mut seen = BTreeSet::new();
    for test in tests {
        let place = |text: String| format!("{}, test `{}`: {text}", document.name, test.name);
        let nodes = match nodes_that_run(host, document, &called, test).await {
            Ok(nodes) => nodes,
            Err(failure) => {
                failures.push(place(failure));
                continue;
            }
        };
        for node in nodes {
            // What a failure sets off depends on how far the run has come; what sort it is, on the node alone.
            let faults = if seen.insert(node.clone()) { &Fault::ALL[..] } else { &[Fault::Rejected] };
            for fault in faults {
                let outcome = with_fault(host, document, &called, test, &node, *fault).await;
                let found = outcome.map_or_else(|error| vec![error], |view| open_ends(&view));
                let told = |text| place(format!("node `{node}` fails with {fault:?}: {text}"));
                failures.extend(found.into_iter().map(told));
            }
        }
    }
    failures
}

/// The tests that have a run. One that expects an error of its trigger may have none.
pub(super) async fn playable<'a>(
    host: &impl Host,
    document: &'a Document,
    called: &[&Document],
) -> Result<Vec<&'a TestDoc>, String> {
    let mut found = Vec::with_capacity(document.tests.len());
    for test in &document.tests {
        let stage = Stage::new(host, document, called, test).await?;
        match stage.engine.start(stage.request()).await {
            Err(EngineError::Trigger(_)) if test.expect.error.is_some() => {}
            _ => found.push(test),
        }
        stage.engine.settle().await;
    }
    Ok(found)
}

/// The nodes that run when nothing fails on purpose, without the trigger.
async fn nodes_that_run(
    host: &impl Host,
    document: &Document,
    called: &[&Document],
    test: &TestDoc,
) -> Result<BTreeSet<String>, String> {
    let stage = Stage::new(host, document, called, test).await?;
    let triggers: BTreeSet<&str> = document
        .nodes
        .iter()
        .filter(|node| {
            stage.engine.registry().get(&node.node_type).is_some_and(|found| found.spec().trigger.is_some())
        })
        .map(|node| node.id.as_str())
        .collect();
    let view = play(&stage, &|node| node, test).await?;
    let ran = |node: &&NodeRunView| {
        matches!(node.status, NodeStatus::Succeeded | NodeStatus::Failed | NodeStatus::Waiting)
    };
    let ran = view.nodes.iter().filter(ran).map(|node| node.id.clone());
    Ok(ran.filter(|id| !triggers.contains(id.as_str()) && !test.pins.contains_key(id)).collect())
}

async fn with_fault(
    host: &impl Host,
    document: &Document,
    called: &[&Document],
    test: &TestDoc,
    node: &str,
    fault: Fault,
) -> Result<RunView, String> {
    let stage = Stage::new(host, document, called, test).await?;
    let node_id: Arc<str> = node.into();
    let wrap = move |inner: Arc<dyn DynNode>| -> Arc<dyn DynNode> {
        Arc::new(Failing { inner, node_id: node_id.clone(), fault })
    };
    play(&stage, &wrap, test).await
}

/// Plays a test without expectations, and waits out the pauses between attempts. A signal that nothing waits for
/// any more is no fault.
async fn play(stage: &Stage<'_>, wrap: &Wrap, test: &TestDoc) -> Result<RunView, String> {
    let engine = stage.engine_with(wrap, None, FaultPlan::default())?;
    let started = engine.start(stage.request()).await.map_err(|error| describe(&error))?;
    let bench = Bench { engine, clock: stage.clock.clone(), key: started.key };
    bench.settle().await;
    wait_out_pauses(&bench).await?;
    for step in steps(test) {
        if let Err(error) = bench.step(&step).await
            && step.signal.is_none()
        {
            return Err(error);
        }
        wait_out_pauses(&bench).await?;
    }
    bench.view().await
}

async fn wait_out_pauses(bench: &Bench) -> Result<(), String> {
    for _ in 0..MOST_PAUSES {
        let view = bench.view().await?;
        let pause = view.nodes.iter().filter_map(|node| node.retry_at).min();
        match pause {
            Some(end) => bench.advance_to(end).await?,
            None => return Ok(()),
        }
    }
    Err(format!("after {MOST_PAUSES} pauses the run still tries again"))
}

/// Why a run is neither over nor waiting for something that can come.
pub(super) fn open_ends(view: &RunView) -> Vec<String> {
    let mut found = Vec::new();
    let in_status = |status: NodeStatus| {
        view.nodes.iter().filter(move |node| node.status == status).map(|node| node.id.as_str())
    };
    if let Some(id) = in_status(NodeStatus::Running).next() {
        found.push(format!("node `{id}` is left running"));
    }
    let waiting: Vec<&NodeRunView> =
        view.nodes.iter().filter(|node| node.status == NodeStatus::Waiting).collect();
    if view.status.is_over() {
        if let Some(node) = waiting.first() {
            found.push(format!("node `{}` is left waiting", node.id));
        }
    } else if view.status != crate::core::RunStatus::Waiting {
        found.push(format!("the run is {}", view.status.as_str()));
    } else {
        let can_come = |node: &&NodeRunView| {
            let wait = node.wait.as_ref();
            let has = |name: &str| wait.is_some_and(|wait| !wait[name].is_null());
            has("until") || has("signal") || node.retry_at.is_some()
        };
        if !waiting.iter().any(can_come) {
            found.push("the run waits for nothing".to_owned());
        }
    }
    found
}
