//! The transition table of the node machine: printed as a page of the docs, and every legal pair exercised by
//! the scenarios, every other pair refused.

use super::harness::{Seen, Sim, node_with, nodes, retries, wait};
use super::tables;
use serde_json::json;
use sluice_engine::core::fold::{allowed_before, name};
use sluice_engine::core::{Event, EventKind, NodeIx, NodePhase, RunError, RunState, RunStatus};
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::outcome::Cause;
use std::fmt::Write as _;
use std::sync::Arc;

const PHASES: [NodePhase; 8] = [
    NodePhase::Pending,
    NodePhase::Ready,
    NodePhase::Running,
    NodePhase::Waiting,
    NodePhase::Succeeded,
    NodePhase::Failed,
    NodePhase::Skipped,
    NodePhase::Cancelled,
];

/// One event of each kind that is about a node, and the phase it leads to.
fn node_events(node: NodeIx) -> Vec<(EventKind, &'static str)> {
    let error = || Box::new(NodeError::rejected("no"));
    let failed = |retry_at| EventKind::NodeFailed {
        node,
        began: None,
        error: error(),
        retry_at,
        output: None,
        logs: Vec::new(),
    };
    vec![
        (EventKind::NodeStarted { node, attempt: 1 }, "running"),
        (EventKind::NodeSucceeded { node, began: None, output: Arc::default() }, "succeeded"),
        (failed(Some(5)), "failed, waiting (before the next attempt) or succeeded (error routed)"),
        (EventKind::NodeSkipped { node }, "skipped"),
        (EventKind::NodeSuspended { node, wait: Arc::new(wait(Some(5), None)) }, "waiting"),
        (EventKind::NodeResumed { node, cause: Cause::Timer }, "ready"),
        (EventKind::NodeCancelled { node }, "cancelled"),
    ]
}

/// What happens to nodes without an event of their own.
const UNNAMED: &str = "\
Three changes of phase come with events about something else:

- A pending node becomes ready when the last of its inputs is known and one of them carries items.
- The body of a loop becomes pending again when its entry starts another round, and the entry becomes ready
  when all of the body is through.
- `run_retried` makes failed and cancelled nodes ready.

When nobody knows whether an effect took place, the node is suspended with a wait of kind `outcome`; the payload of the signal
that resumes it says what is done (`core::outcome`): it is ready to start again, or succeeds or fails in the same step.
";

fn page() -> String {
    let mut page = String::from(
        "# The node machine\n\nPrinted by a test from the table in the engine's core (`core::fold::allowed_before`); do not edit.\nRows are events, columns the phase in which the event meets its node. Every other pair is refused.\n\n",
    );
    let names: Vec<String> = PHASES.iter().map(|phase| format!("{phase:?}").to_lowercase()).collect();
    let _ = writeln!(page, "| event | {} | leads to |", names.join(" | "));
    let _ = writeln!(page, "| --- |{} --- |", " --- |".repeat(PHASES.len()));
    for (event, to) in node_events(0) {
        let marks: Vec<&str> = PHASES
            .iter()
            .map(|phase| if allowed_before(&event).contains(phase) { "yes" } else { "" })
            .collect();
        let _ = writeln!(page, "| `{}` | {} | {to} |", name(&event), marks.join(" | "));
    }
    let _ = write!(page, "\n{UNNAMED}");
    page
}

#[test]
fn the_table_in_the_docs_is_the_one_that_is_used() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/state-machine.md");
    if std::env::var_os("SLUICE_UPDATE_DOCS").is_some() {
        std::fs::write(path, page()).expect("the docs can be written");
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == page(), "docs/state-machine.md is old; run this test with SLUICE_UPDATE_DOCS=1");
}

#[test]
fn every_legal_pair_is_exercised() {
    let seen: Seen = tables::all().into_iter().flat_map(|scenario| scenario()).collect();
    let mut legal = Seen::new();
    for (event, _) in node_events(0) {
        legal.extend(allowed_before(&event).iter().map(|phase| (name(&event), format!("{phase:?}"))));
    }
    legal.insert(("run_started", "Pending".to_owned()));
    let missing: Vec<_> = legal.difference(&seen).collect();
    assert!(missing.is_empty(), "no scenario goes through {missing:?}");
    let extra: Vec<_> = seen.difference(&legal).collect();
    assert!(extra.is_empty(), "{extra:?}");
}

/// A run in which some node is in each phase.
fn all_phases() -> Sim {
    let mut all = nodes("done pure, skipped pure, run idem, wait idem, then pure");
    all.push(node_with("again", "idem", retries(2)));
    let edges =
        ["start > done", "done.true > skipped", "start > run", "start > wait", "run > then", "start > again"];
    let mut sim = Sim::started(&all, &edges);
    sim.done("done");
    sim.suspend("wait", None, Some("k"));
    sim.fail("again", NodeError::unavailable("busy"));
    sim
}

#[test]
fn every_other_pair_is_refused_and_changes_nothing() {
    let mut going = all_phases();
    let mut with_ready = Sim::started(&nodes("p pure"), &["start > p"]);
    let mut ended = all_phases();
    ended.fail("run", NodeError::rejected("no"));
    for sim in [&mut going, &mut with_ready, &mut ended] {
        let over = sim.status().is_over();
        for node in 0..sim.plan.nodes.len() as NodeIx + 2 {
            for (kind, _) in node_events(node) {
                let phase = (node < sim.plan.nodes.len() as NodeIx).then(|| sim.machine.state().phase(node));
                let legal = !over && phase.is_some_and(|phase| allowed_before(&kind).contains(&phase));
                let mut state = sim.machine.state().clone();
                let event = Event { at: 9, kind };
                let answer = state.apply(&sim.plan, &event);
                assert_eq!(answer.is_ok(), legal, "{event:?} in {phase:?}");
                if !legal {
                    assert_eq!(&state, sim.machine.state());
                }
            }
        }
    }
}

#[test]
fn the_run_machine_refuses_what_does_not_fit() {
    let sim = all_phases();
    let mut over = sim.clone();
    over.fail("run", NodeError::rejected("no"));
    assert!(over.status().is_over());
    let fresh = RunState::new(&sim.plan);
    let started = sim.log[0].kind.clone();
    let error = Some(Box::new(RunError {
        code: "x".to_owned(),
        node: None,
        message: String::new(),
        path: None,
        details: Some(json!({})),
    }));
    let ending = EventKind::RunEnding { status: RunStatus::Failed, error };
    let finished = EventKind::RunFinished { status: RunStatus::Failed };
    let retried = EventKind::RunRetried {};
    // (event, fits a run that has not begun, one that goes on, one that is over)
    let table = [
        (started, true, false, false),
        (ending, false, true, false),
        (finished, false, true, false),
        (retried, false, false, true),
    ];
    for (kind, ..) in &table {
        assert!(!name(kind).is_empty());
    }
    for (kind, in_fresh, in_going, in_over) in table {
        for (state, fits) in
            [(&fresh, in_fresh), (sim.machine.state(), in_going), (over.machine.state(), in_over)]
        {
            let mut state = state.clone();
            let answer = state.apply(&sim.plan, &Event { at: 9, kind: kind.clone() });
            assert_eq!(answer.is_ok(), fits, "{kind:?}");
        }
    }
}
