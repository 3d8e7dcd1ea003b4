//! How runs end early and go on again: stop, cancel, retry, crash and recovery.

use crate::harness::{Seen, Sim, node, node_with, nodes, retries};
use sluice_engine::core::{Command, Effect, NodePhase, NodeResult, Refusal, RunStatus};
use sluice_node_sdk::error::NodeError;

super::scenarios!(
    a_stop_ends_the_run_well,
    a_stop_can_fail_the_run,
    cancelling_gives_up_what_waits_and_is_ready,
    cancelling_lets_what_runs_answer,
    cancelling_twice_changes_nothing,
    a_wish_to_wait_comes_too_late_for_a_run_that_ends,
    a_wish_to_call_comes_too_late_for_a_run_that_ends,
    a_failure_is_final_in_a_run_that_ends,
    a_retry_goes_on_from_the_failed_node,
    a_retry_keeps_what_died_while_the_run_ended,
    a_cancelled_run_can_go_on,
    an_idempotent_effect_is_repeated_after_a_crash,
    a_crash_while_the_run_ends_repeats_nothing,
    pure_work_is_handed_out_again_after_a_crash,
    a_machine_that_holds_starts_nothing,
);

fn stop(error: Option<&str>) -> NodeResult {
    NodeResult::Stop { error: error.map(ToOwned::to_owned), output: Default::default() }
}

fn a_stop_ends_the_run_well() -> Seen {
    let edges = ["start > a", "start > b", "a > c", "b > d"];
    let mut sim = Sim::started(&nodes("a pure, b idem, c pure, d pure"), &edges);
    sim.answer("a", stop(None)).expect("the answer is awaited");
    assert_eq!(sim.status(), RunStatus::Running, "b is still under way");
    sim.done("b");
    assert_eq!((sim.status(), sim.error()), (RunStatus::Succeeded, None));
    assert_eq!(sim.phase("d"), NodePhase::Cancelled);
    assert_eq!(sim.command(Command::Retry), Err(Refusal::NotRetryable));
    sim.seen
}

fn a_stop_can_fail_the_run() -> Seen {
    let mut sim = Sim::started(&nodes("a idem, b pure"), &["start > a", "start > b"]);
    sim.answer("a", stop(Some("enough"))).expect("the answer is awaited");
    sim.done("b");
    assert_eq!((sim.status(), sim.error()), (RunStatus::Failed, Some("stopped")));
    assert_eq!(sim.machine.state().error().expect("it failed").message, "enough");
    sim.seen
}

fn cancelling_gives_up_what_waits_and_is_ready() -> Seen {
    let all = [node("a", "idem"), node_with("r", "once", retries(3)), node("b", "pure")];
    let mut sim = Sim::started(&all, &["start > a", "start > r", "a > b"]);
    sim.suspend("a", Some(50_000), Some("k"));
    sim.fail("r", NodeError::unavailable("busy"));
    assert_eq!(sim.status(), RunStatus::Waiting);
    sim.command(Command::Cancel).expect("it goes on");
    assert_eq!((sim.status(), sim.machine.state().next_wake()), (RunStatus::Cancelled, None));
    assert_eq!(sim.in_phase(NodePhase::Cancelled), ["a", "r"]);
    assert_eq!(sim.phase("b"), NodePhase::Pending);
    assert_eq!(sim.command(Command::Cancel), Err(Refusal::Over));
    sim.seen
}

fn cancelling_lets_what_runs_answer() -> Seen {
    let edges = ["start > a", "start > b", "start > p", "a > c"];
    let mut sim = Sim::started(&nodes("a once, b idem, p pure, c pure"), &edges);
    sim.command(Command::Cancel).expect("it goes on");
    assert_eq!(sim.others, [Effect::CancelRunning]);
    sim.done("a");
    sim.fail("b", NodeError::cancelled("told to stop"));
    assert_eq!(sim.status(), RunStatus::Running);
    sim.done("p");
    assert_eq!(sim.status(), RunStatus::Cancelled);
    assert_eq!((sim.phase("a"), sim.phase("b")), (NodePhase::Succeeded, NodePhase::Cancelled));
    assert_eq!(sim.phase("c"), NodePhase::Cancelled);
    sim.seen
}

fn cancelling_twice_changes_nothing() -> Seen {
    let mut sim = Sim::started(&nodes("a once"), &["start > a"]);
    sim.command(Command::Cancel).expect("it goes on");
    let events = sim.log.len();
    sim.command(Command::Cancel).expect("it is not over");
    assert_eq!(sim.log.len(), events);
    sim.done("a");
    assert_eq!(sim.status(), RunStatus::Cancelled);
    sim.seen
}

fn a_wish_to_wait_comes_too_late_for_a_run_that_ends() -> Seen {
    let mut sim = Sim::started(&nodes("a once, p pure"), &["start > a", "start > p"]);
    sim.command(Command::Cancel).expect("it goes on");
    sim.suspend("a", None, Some("k"));
    sim.suspend("p", None, Some("k"));
    assert_eq!((sim.status(), sim.phase("a")), (RunStatus::Cancelled, NodePhase::Cancelled));
    sim.seen
}

fn a_wish_to_call_comes_too_late_for_a_run_that_ends() -> Seen {
    let mut sim = Sim::started(&nodes("a once"), &["start > a"]);
    sim.command(Command::Cancel).expect("it goes on");
    let (workflow, child_run_id) = ("Other".to_owned(), "run_child".to_owned());
    let call = NodeResult::Call { workflow, items: Vec::new(), child_run_id, wait: true };
    sim.answer("a", call).expect("the answer is awaited");
    assert_eq!(sim.others, [], "no child is started");
    assert_eq!((sim.status(), sim.phase("a")), (RunStatus::Cancelled, NodePhase::Cancelled));
    sim.seen
}

fn a_failure_is_final_in_a_run_that_ends() -> Seen {
    let all = [node_with("a", "idem", retries(5)), node("b", "idem")];
    let mut sim = Sim::started(&all, &["start > a", "start > b"]);
    sim.fail("b", NodeError::rejected("first"));
    sim.fail("a", NodeError::unavailable("second"));
    assert_eq!((sim.status(), sim.phase("a")), (RunStatus::Failed, NodePhase::Failed));
    assert_eq!(sim.machine.state().error().expect("it failed").message, "first");
    sim.seen
}

fn a_retry_goes_on_from_the_failed_node() -> Seen {
    let all = [node("a", "once"), node_with("b", "once", retries(2)), node("c", "pure")];
    let mut sim = Sim::started(&all, &["start > a", "a > b", "b > c"]);
    sim.done("a");
    sim.fail("b", NodeError::rejected("no"));
    assert_eq!(sim.status(), RunStatus::Failed);
    sim.command(Command::Retry).expect("it failed");
    assert_eq!((sim.open(), sim.error()), (vec!["b"], None));
    assert_eq!(sim.machine.state().attempt(sim.ix("b")), 1, "attempts are counted anew");
    sim.done("b");
    sim.done("c");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    assert_eq!(sim.machine.state().iteration(sim.ix("a")), 1, "what succeeded is not repeated");
    sim.seen
}

fn a_retry_keeps_what_died_while_the_run_ended() -> Seen {
    let edges = ["start > a", "start > if", "if.true > yes", "if.false > no", "a > m", "no > m"];
    let mut sim = Sim::started(&nodes("a idem, if idem, yes pure, no pure, m pure"), &edges);
    sim.fail("a", NodeError::rejected("no"));
    sim.done_on("if", "true", [1]);
    assert_eq!((sim.status(), sim.phase("yes")), (RunStatus::Failed, NodePhase::Cancelled));
    sim.command(Command::Retry).expect("it failed");
    sim.done("a");
    sim.done("yes");
    assert_eq!((sim.open(), sim.phase("no")), (vec!["m"], NodePhase::Skipped));
    sim.done("m");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_cancelled_run_can_go_on() -> Seen {
    let mut sim = Sim::started(&nodes("a idem, b pure"), &["start > a", "a > b"]);
    sim.suspend("a", None, Some("k"));
    sim.command(Command::Cancel).expect("it goes on");
    sim.command(Command::Retry).expect("it was cancelled");
    assert_eq!((sim.open(), sim.status()), (vec!["a"], RunStatus::Running));
    sim.done("a");
    sim.done("b");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn an_idempotent_effect_is_repeated_after_a_crash() -> Seen {
    let mut sim =
        Sim::started(&[node_with("a", "idem", retries(3)), node("b", "pure")], &["start > a", "a > b"]);
    sim.fail("a", NodeError::unavailable("busy"));
    sim.wake_at(2_000);
    let before = sim.open.clone();
    let events = sim.log.len();
    sim.recover().expect("it goes on");
    assert_eq!((sim.log.len(), &sim.open), (events, &before), "the same attempt again, nothing to write");
    sim.done("a");
    sim.done("b");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_crash_while_the_run_ends_repeats_nothing() -> Seen {
    let mut sim = Sim::started(&nodes("a idem, b once"), &["start > a", "start > b"]);
    sim.command(Command::Cancel).expect("it goes on");
    sim.recover().expect("it is not over");
    assert_eq!((sim.status(), sim.open().len()), (RunStatus::Cancelled, 0));
    assert_eq!((sim.phase("a"), sim.phase("b")), (NodePhase::Cancelled, NodePhase::Failed));
    assert!(sim.machine.state().needs_answer(), "nobody knows what became of b");
    sim.seen
}

fn pure_work_is_handed_out_again_after_a_crash() -> Seen {
    let mut sim = Sim::started(&nodes("a pure, b pure, c pure"), &["start > a", "a > b", "start > c"]);
    sim.done("a");
    sim.recover().expect("it goes on");
    assert_eq!(sim.open(), ["c", "b"]);
    sim.done("b");
    sim.done("c");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_machine_that_holds_starts_nothing() -> Seen {
    let mut sim = Sim::started(&nodes("a idem, b pure"), &["start > a", "a > b"]);
    sim.machine.hold();
    sim.done("a");
    assert_eq!((sim.open().len(), sim.status()), (0, RunStatus::Running));
    sim.recover().expect("it goes on");
    assert_eq!(sim.open(), ["b"]);
    sim.done("b");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}
