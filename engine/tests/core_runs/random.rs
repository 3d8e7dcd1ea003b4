//! Any commands in any order: nothing panics, what is refused changes nothing, the log always gives the live
//! state, and every run can be brought to an end in which no node is lost.

use crate::harness::{Sim, wait};
use crate::shapes::{Shape, any_plan};
use proptest::prelude::*;
use serde_json::Value;
use sluice_engine::core::{
    Command, Event, EventKind, Machine, NodeIx, NodeOutput, NodePhase, NodeResult, PortIx, RunState,
    RunStatus, decide,
};
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::item::Item;
use std::sync::Arc;

/// Executions after which loops are told to end.
const ENOUGH: usize = 150;

/// Commands after which a run that is being finished counts as stuck.
const TOO_MANY: usize = 4_000;

fn output(ports: &[PortIx], sim: &Sim, node: NodeIx) -> Arc<NodeOutput> {
    let item = || Arc::new(vec![Item::new(serde_json::json!({ "n": node, "at": sim.log.len() }))]);
    Arc::new(NodeOutput {
        ports: ports.iter().map(|port| (*port, item())).collect(),
        ..NodeOutput::default()
    })
}

/// An answer that depends on the choice.
fn any_result(sim: &Sim, node: NodeIx, choice: u32) -> NodeResult {
    let ports = sim.plan.nodes.get(node as usize).map_or(1, |node| node.ports.len()) as u32;
    let port = (choice % ports) as PortIx;
    let key = format!("k{}", choice % 3);
    match (choice / 16) % 16 {
        0 => NodeResult::Failed(NodeError::unavailable("busy")),
        1 if choice.is_multiple_of(3) => NodeResult::Failed(NodeError::rejected("no")),
        2 => NodeResult::Suspend(Arc::new(wait(Some(sim.now + i64::from(choice % 5_000)), None))),
        3 => NodeResult::Suspend(Arc::new(wait(None, Some(&key)))),
        4 => NodeResult::Suspend(Arc::new(wait(Some(sim.now + 500), Some(&key)))),
        5 => NodeResult::Call {
            workflow: "Other".to_owned(),
            items: Vec::new(),
            child_run_id: key,
            wait: choice.is_multiple_of(2),
        },
        6 if choice.is_multiple_of(7) => {
            let error = choice.is_multiple_of(2).then(|| "enough".to_owned());
            NodeResult::Stop { error, output: output(&[port], sim, node) }
        }
        7 if choice.is_multiple_of(2) => NodeResult::Failed(NodeError::unknown_outcome("the line went dead")),
        7 => NodeResult::Failed(NodeError::cancelled("told to stop")),
        8 => NodeResult::Done(Arc::default()),
        9 => NodeResult::Done(output(&[0, 1], sim, node)),
        // Numbers of ports that do not exist do no harm.
        10 => NodeResult::Done(output(&[port, 77], sim, node)),
        11 => NodeResult::Done(output(&[port], sim, node)),
        _ => NodeResult::Done(output(&[0], sim, node)),
    }
}

/// One command that depends on the choice; whether it fits or not.
fn any_step(sim: &mut Sim, choice: u32) {
    let detail = choice / 32;
    match choice % 32 {
        0 => {
            sim.now += i64::from(detail % 10_000);
            let _ = sim.command(Command::Wake);
        }
        1 => {
            let _ = sim.signal(&format!("k{}", detail % 3));
        }
        2 => {
            let _ = sim.signal(&format!("run:k{}", detail % 3));
        }
        3 if detail.is_multiple_of(5) => {
            let _ = sim.command(Command::Cancel);
        }
        4 => {
            let _ = sim.command(Command::Retry);
        }
        5 => {
            let _ = sim.recover();
        }
        6 => {
            let _ = sim.start();
        }
        7..=9 => {
            let node = detail % (sim.plan.nodes.len() as u32 + 2);
            let (iteration, attempt) = (detail / 8 % 4, detail / 64 % 4);
            let result = any_result(sim, node, detail);
            if sim.answer_as(node, iteration, attempt, result).is_ok() {
                sim.open.retain(|open| {
                    *open != (node, iteration, attempt.max(1)) && *open != (node, iteration, 0)
                });
            }
        }
        _ if sim.open.is_empty() => {}
        _ => {
            let (node, iteration, attempt) = sim.open.remove(detail as usize % sim.open.len());
            let result = any_result(sim, node, detail / 8);
            sim.answer_as(node, iteration, attempt, result).expect("what was handed out is awaited");
        }
    }
}

/// Brings a run to its end by answering everything.
fn finish(sim: &mut Sim) {
    for _ in 0..TOO_MANY {
        if sim.status().is_over() {
            return;
        }
        if !sim.open.is_empty() {
            let (node, iteration, attempt) = sim.open.remove(0);
            let is_entry = sim.plan.at(node).entry_of.is_some();
            let is_enough = sim.log.len() > ENOUGH || iteration % 3 == 2;
            let port = if is_entry && is_enough { sim.way_out(node) } else { 0 };
            let result = NodeResult::Done(output(&[port], sim, node));
            sim.answer_as(node, iteration, attempt, result).expect("what was handed out is awaited");
            continue;
        }
        assert_eq!(
            sim.status(),
            RunStatus::Waiting,
            "nothing is open, nothing waits, and it is not over: {:#?}",
            sim.log
        );
        if let Some(at) = sim.machine.state().next_wake() {
            sim.wake_at(at.max(sim.now));
            continue;
        }
        let waiting = sim.machine.state().nodes_in(NodePhase::Waiting).next().expect("it waits");
        let (wait, _) = sim.machine.state().wait(waiting).expect("for a signal");
        let key = wait.signal.clone().expect("what has no time has a signal");
        sim.signal(&key).expect("it is waited for");
    }
    panic!("the run does not come to an end: {:?}", sim.events(sim.log.len().saturating_sub(60)));
}

/// What must be true of every run that is over.
fn check_end(sim: &Sim) -> Result<(), TestCaseError> {
    let state = sim.machine.state();
    for phase in [NodePhase::Ready, NodePhase::Running, NodePhase::Waiting] {
        prop_assert!(sim.in_phase(phase).is_empty(), "{phase:?}: {:?}", sim.in_phase(phase));
    }
    prop_assert!(sim.open.is_empty());
    prop_assert_eq!((state.running(), state.next_wake()), (0, None));
    let since_retry = sim.log.iter().rev().take_while(|event| event.kind != EventKind::RunRetried {});
    let was_ended = since_retry.into_iter().any(|event| matches!(event.kind, EventKind::RunEnding { .. }));
    if !was_ended {
        prop_assert_eq!(sim.status(), RunStatus::Succeeded);
        for node in 0..sim.plan.nodes.len() as NodeIx {
            let phase = state.phase(node);
            let id = &sim.plan.at(node).id;
            prop_assert!(
                matches!(phase, NodePhase::Succeeded | NodePhase::Skipped),
                "{id} is {phase:?}: {:#?}",
                sim.log
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_commands_keep_a_run_whole(Shape(plan) in any_plan(), choices in proptest::collection::vec(any::<u32>(), 0..120)) {
        let mut sim = Sim::of(plan);
        any_step(&mut sim, choices.first().copied().unwrap_or_default());
        if sim.machine.state().trigger().is_none() {
            sim.start().expect("it has not begun");
        }
        for choice in choices {
            any_step(&mut sim, choice);
        }
        let replayed = RunState::replay(&sim.plan, &sim.log).expect("the log can be replayed");
        prop_assert_eq!(&replayed, sim.machine.state());
        finish(&mut sim);
        check_end(&sim)?;
        while sim.command(Command::Retry).is_ok() {
            finish(&mut sim);
            check_end(&sim)?;
        }
        prop_assert_eq!(sim.status(), RunStatus::Succeeded, "what is retried until it works ends well");
    }

    #[test]
    fn a_crash_after_any_commit_converges(Shape(plan) in any_plan(), choices in proptest::collection::vec(any::<u32>(), 0..40)) {
        let mut sim = Sim::of(plan.clone());
        sim.start().expect("it has not begun");
        for choice in choices {
            any_step(&mut sim, choice);
        }
        finish(&mut sim);
        // Every commit would be too slow in a debug build; over many cases the odd step meets them all.
        for length in sim.commits.iter().copied().step_by(sim.commits.len() / 6 + 1) {
            let mut again = Sim::of(plan.clone());
            again.log = sim.log[..length].to_vec();
            let state = RunState::replay(&plan, &again.log).expect("each beginning of a log can be replayed");
            again.machine = Machine::with_state(plan.clone(), state);
            again.shadow_from_log();
            again.now = sim.now;
            if !again.status().is_over() {
                again.command(Command::Recover).expect("it goes on");
            }
            finish(&mut again);
            check_end(&again)?;
        }
    }

    #[test]
    fn any_events_are_folded_or_refused(Shape(plan) in any_plan(), choices in proptest::collection::vec(any::<(u8, u8, u8)>(), 0..80)) {
        let mut state = RunState::new(&plan);
        let start = Event { at: 0, kind: EventKind::RunStarted {
            trigger: 0,
            output: Arc::new(NodeOutput { ports: vec![(0, Arc::new(vec![Item::new(Value::Null)]))], ..NodeOutput::default() }),
            pins: Default::default(),
            deadline: None,
        } };
        state.apply(&plan, &start).expect("it has not begun");
        for (kind, node, detail) in choices {
            let node = NodeIx::from(node) % (plan.nodes.len() as NodeIx + 1);
            let before = state.clone();
            if state.apply(&plan, &Event { at: 1, kind: event(kind, node, detail) }).is_err() {
                prop_assert_eq!(&before, &state);
            }
        }
    }

    #[test]
    fn deciding_on_a_copy_is_the_same_as_handling(Shape(plan) in any_plan(), choices in proptest::collection::vec(any::<u32>(), 0..40)) {
        let mut sim = Sim::of(plan.clone());
        sim.start().expect("it has not begun");
        for choice in choices {
            // A turn is over when no pure node is handed out; only then is there nothing but the state.
            if sim.open.iter().any(|(_, _, attempt)| *attempt == 0) {
                any_step(&mut sim, choice);
                continue;
            }
            let state = sim.machine.state().clone();
            let decided = decide(&plan, &state, Command::Wake, sim.now);
            prop_assert_eq!(&state, sim.machine.state());
            let events = sim.log.len();
            let mut copy = sim.clone();
            let handled = copy.command(Command::Wake);
            prop_assert_eq!(decided.as_ref().err(), handled.as_ref().err());
            if let Ok(decision) = decided {
                prop_assert_eq!(&decision.events[..], &copy.log[events..]);
            }
            any_step(&mut sim, choice);
        }
    }
}

fn event(kind: u8, node: NodeIx, detail: u8) -> EventKind {
    let gave = |port: u8| {
        let items = Arc::new(vec![Item::new(Value::Null)]);
        Arc::new(NodeOutput { ports: vec![(PortIx::from(port % 4), items)], ..NodeOutput::default() })
    };
    match kind % 11 {
        0 => EventKind::NodeStarted { node, attempt: 1 },
        1..=3 => EventKind::NodeSucceeded { node, began: None, output: gave(detail) },
        4 => EventKind::NodeFailed {
            node,
            began: None,
            error: Box::new(NodeError::rejected("no")),
            retry_at: (detail.is_multiple_of(3)).then_some(9),
            output: (detail % 3 == 1).then(|| gave(detail / 3)),
            logs: Vec::new(),
        },
        5 => EventKind::NodeSkipped { node },
        6 => EventKind::NodeSuspended { node, wait: Arc::new(wait(Some(9), None)) },
        7 => EventKind::NodeResumed { node, cause: sluice_node_sdk::outcome::Cause::Timer },
        8 if detail.is_multiple_of(4) => EventKind::NodeCancelled { node },
        9 if detail.is_multiple_of(8) => EventKind::RunEnding { status: RunStatus::Failed, error: None },
        10 if detail.is_multiple_of(16) => EventKind::RunFinished { status: RunStatus::Failed },
        _ => EventKind::RunRetried {},
    }
}
