//! Failure and time: error settings, retries, waits, signals, child runs, the deadline.

use crate::harness::{Seen, Sim, node, node_with, nodes, retries};
use serde_json::json;
use sluice_engine::core::{Command, Effect, EventKind, NodePhase, NodeResult, Refusal, RunStatus};
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::outcome::Cause;

super::scenarios!(
    a_failure_fails_the_run_and_lets_the_rest_finish,
    a_pure_node_can_fail_too,
    an_error_can_leave_by_its_own_port,
    an_error_can_leave_by_the_main_port,
    a_passing_fault_is_tried_again,
    a_pause_that_has_not_begun_is_over,
    pure_nodes_count_their_attempts,
    attempts_run_out,
    a_wait_ends_when_its_time_comes,
    a_wait_ends_when_its_signal_comes,
    a_pure_node_waits_too,
    a_wait_that_is_due_already_goes_on_at_once,
    a_pause_before_an_attempt_hears_no_signal,
    a_child_run_is_waited_for,
    a_child_run_is_not_waited_for,
    the_deadline_fails_the_run,
);

fn busy() -> NodeError {
    NodeError::unavailable("busy")
}

fn a_failure_fails_the_run_and_lets_the_rest_finish() -> Seen {
    let edges = ["start > a", "start > b", "start > w", "a > after", "b > late"];
    let mut sim = Sim::started(&nodes("a idem, b once, w idem, after pure, late pure"), &edges);
    sim.suspend("w", None, Some("k"));
    sim.fail("a", NodeError::rejected("no"));
    assert_eq!(sim.status(), RunStatus::Running, "b is still under way");
    assert_eq!(sim.others, [Effect::CancelRunning]);
    assert_eq!(sim.in_phase(NodePhase::Cancelled), ["w"]);
    assert_eq!(sim.signal("k"), Err(Refusal::NotWaiting("k".to_owned())));
    sim.done("b");
    assert_eq!(sim.status(), RunStatus::Failed);
    assert_eq!((sim.phase("b"), sim.phase("late")), (NodePhase::Succeeded, NodePhase::Cancelled));
    assert_eq!(sim.error(), Some("rejected"));
    let error = sim.machine.state().error().expect("it failed");
    assert_eq!((error.node.as_deref(), error.message.as_str()), (Some("a"), "no"));
    sim.seen
}

fn a_pure_node_can_fail_too() -> Seen {
    let mut sim = Sim::started(&nodes("a pure, b pure, c pure"), &["start > a", "start > b", "a > c"]);
    sim.fail("a", NodeError::invalid_params("no"));
    assert_eq!(sim.open(), ["b"]);
    sim.done("b");
    assert_eq!(sim.status(), RunStatus::Failed);
    sim.seen
}

fn an_error_can_leave_by_its_own_port() -> Seen {
    // An edge from `error` is enough to ask for it.
    let edges = ["start > a", "a > good", "a.error > bad"];
    let mut sim = Sim::started(&nodes("a once, good pure, bad pure"), &edges);
    sim.fail("a", NodeError::rejected("no").code("refused").at("/to"));
    assert_eq!((sim.phase("good"), sim.open()), (NodePhase::Skipped, vec!["bad"]));
    let record = sim.machine.state().record(sim.ix("a")).expect("it is through").clone();
    let items = record.output.ports[0].1.clone();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].json["error"]["code"], "refused");
    assert_eq!(items[0].json["error"]["path"], "/to");
    assert_eq!(items[0].json["error"]["node"], "a");
    assert_eq!(items[0].json["input"], json!({ "n": 0 }));
    assert_eq!(items[0].from, Some(0));
    sim.done("bad");
    assert_eq!((sim.status(), sim.error()), (RunStatus::Succeeded, None));
    sim.seen
}

fn an_error_can_leave_by_the_main_port() -> Seen {
    let go_on = json!({ "on_error": "continue" });
    let all = [node_with("a", "idem", go_on), node("b", "pure"), node("c", "pure")];
    let mut sim = Sim::started(&all, &["start > a", "a > b", "a.error > c"]);
    sim.fail("a", NodeError::rejected("no"));
    assert_eq!((sim.open(), sim.phase("c")), (vec!["b"], NodePhase::Skipped));
    sim.done("b");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_passing_fault_is_tried_again() -> Seen {
    let mut sim =
        Sim::started(&[node_with("a", "once", retries(3)), node("b", "pure")], &["start > a", "a > b"]);
    let (a, iteration) = (sim.ix("a"), 0);
    sim.fail("a", busy());
    assert_eq!((sim.phase("a"), sim.status()), (NodePhase::Waiting, RunStatus::Waiting));
    assert_eq!(sim.machine.state().next_wake(), Some(2_000));
    assert_eq!(sim.machine.state().wait(a), None, "a pause is not a wait");
    sim.wake_at(1_999);
    assert_eq!(sim.phase("a"), NodePhase::Waiting);
    sim.wake_at(2_000);
    assert_eq!(sim.machine.state().attempt(a), 2);
    let late = sim.answer_as(a, iteration, 1, NodeResult::Done(Default::default()));
    assert!(matches!(late, Err(Refusal::StaleResult { .. })), "the first attempt comes too late");
    sim.done("a");
    sim.done("b");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

/// The clock was set back: nobody knows how much of the pause is left.
fn a_pause_that_has_not_begun_is_over() -> Seen {
    let mut sim = Sim::started(&[node_with("a", "once", retries(2))], &["start > a"]);
    sim.fail("a", busy());
    assert_eq!(sim.machine.state().pause(sim.ix("a")), Some(1_000));
    sim.wake_at(1_000);
    assert_eq!(sim.phase("a"), NodePhase::Waiting);
    sim.wake_at(999);
    sim.done("a");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn pure_nodes_count_their_attempts() -> Seen {
    let mut sim = Sim::started(&[node_with("a", "pure", retries(2))], &["start > a"]);
    sim.fail("a", busy());
    assert_eq!(sim.status(), RunStatus::Waiting);
    sim.wake_at(2_000);
    let (a, iteration, attempt) = sim.open.pop().expect("it is handed out again");
    assert_eq!(sim.machine.state().attempt(a), 1, "one attempt is over");
    sim.answer_as(a, iteration, attempt.max(2), NodeResult::Failed(busy())).expect("it is awaited");
    assert_eq!(sim.status(), RunStatus::Failed);
    sim.seen
}

fn attempts_run_out() -> Seen {
    let mut sim = Sim::started(&[node_with("a", "idem", retries(2))], &["start > a"]);
    sim.fail("a", NodeError::rate_limited("slow").retry_after(60_000));
    assert_eq!(sim.machine.state().next_wake(), Some(61_000), "the outside's wish is longer");
    sim.wake_at(61_000);
    sim.fail("a", busy());
    assert_eq!((sim.status(), sim.phase("a")), (RunStatus::Failed, NodePhase::Failed));
    assert_eq!(sim.machine.state().next_wake(), None);
    sim.seen
}

fn a_wait_ends_when_its_time_comes() -> Seen {
    let mut sim = Sim::started(&nodes("a idem, b pure"), &["start > a", "a > b"]);
    sim.suspend("a", Some(90_000), Some("k"));
    assert_eq!((sim.status(), sim.machine.state().next_wake()), (RunStatus::Waiting, Some(90_000)));
    sim.wake_at(89_999);
    assert_eq!(sim.status(), RunStatus::Waiting);
    sim.wake_at(90_000);
    let (cause, wait) = sim.machine.state().resumed(sim.ix("a")).expect("it goes on");
    assert_eq!((cause, &wait.state), (&Cause::Timer, &json!({ "kept": true })));
    assert_eq!(sim.signal("k"), Err(Refusal::NotWaiting("k".to_owned())), "the time came first");
    sim.done("a");
    assert_eq!(sim.machine.state().resumed(sim.ix("a")), None);
    sim.done("b");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_wait_ends_when_its_signal_comes() -> Seen {
    let mut sim = Sim::started(&nodes("a once, b once"), &["start > a", "start > b"]);
    sim.suspend("a", None, Some("k"));
    sim.suspend("b", None, Some("other"));
    assert_eq!((sim.status(), sim.machine.state().next_wake()), (RunStatus::Waiting, None));
    assert_eq!(sim.signal("nobody"), Err(Refusal::NotWaiting("nobody".to_owned())));
    sim.signal("k").expect("a waits for it");
    assert_eq!(sim.open(), ["a"]);
    let (cause, _) = sim.machine.state().resumed(sim.ix("a")).expect("it goes on");
    assert_eq!(cause, &Cause::Signal { payload: json!({ "key": "k" }) });
    // A node may wait several times.
    sim.suspend("a", None, Some("k"));
    sim.signal("k").expect("a waits for it again");
    sim.done("a");
    sim.signal("other").expect("b waits for it");
    sim.done("b");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_pure_node_waits_too() -> Seen {
    let mut sim = Sim::started(&nodes("a pure"), &["start > a"]);
    sim.suspend("a", Some(5_000), None);
    assert_eq!(sim.status(), RunStatus::Waiting);
    sim.crash();
    sim.wake_at(5_000);
    assert_eq!(sim.open(), ["a"]);
    sim.done("a");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_wait_that_is_due_already_goes_on_at_once() -> Seen {
    let mut sim = Sim::started(&nodes("a pure"), &["start > a"]);
    sim.suspend("a", Some(1_000), None);
    assert_eq!(sim.open(), ["a"]);
    assert_eq!(sim.events(1), ["node_suspended", "node_resumed"]);
    sim.done("a");
    sim.seen
}

fn a_pause_before_an_attempt_hears_no_signal() -> Seen {
    let mut sim = Sim::started(&[node_with("a", "idem", retries(3))], &["start > a"]);
    sim.suspend("a", None, Some("k"));
    sim.signal("k").expect("a waits for it");
    sim.fail("a", busy());
    assert_eq!(sim.signal("k"), Err(Refusal::NotWaiting("k".to_owned())));
    sim.wake_at(2_000);
    let (cause, _) = sim.machine.state().resumed(sim.ix("a")).expect("the second attempt knows what came");
    assert_eq!(cause, &Cause::Signal { payload: json!({ "key": "k" }) });
    sim.done("a");
    sim.seen
}

fn call(wait: bool) -> NodeResult {
    let (workflow, child_run_id) = ("Other".to_owned(), "run_child".to_owned());
    NodeResult::Call { workflow, items: Vec::new(), child_run_id, wait }
}

fn a_child_run_is_waited_for() -> Seen {
    let mut sim = Sim::started(&nodes("a once"), &["start > a"]);
    sim.answer("a", call(true)).expect("the answer is awaited");
    assert!(
        matches!(&sim.others[..], [Effect::StartChild { child_run_id, .. }] if child_run_id == "run_child")
    );
    assert_eq!(sim.status(), RunStatus::Waiting);
    sim.signal("run:run_child").expect("a waits for its child");
    sim.done("a");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_child_run_is_not_waited_for() -> Seen {
    let mut sim = Sim::started(&nodes("a once"), &["start > a"]);
    sim.answer("a", call(false)).expect("the answer is awaited");
    assert_eq!((sim.others.len(), sim.open()), (1, vec!["a"]));
    let (cause, _) = sim.machine.state().resumed(sim.ix("a")).expect("it goes on");
    assert_eq!(cause, &Cause::Signal { payload: json!({ "run_id": "run_child" }) });
    sim.done("a");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn the_deadline_fails_the_run() -> Seen {
    let mut sim = Sim::new(&nodes("a idem, b idem"), &["start > a", "start > b"]);
    sim.start_with(Default::default(), Some(10_000)).expect("it has not begun");
    sim.suspend("a", Some(50_000), None);
    assert_eq!(sim.machine.state().next_wake(), Some(10_000));
    sim.wake_at(10_000);
    assert_eq!((sim.error(), sim.phase("a")), (Some("run_timeout"), NodePhase::Cancelled));
    assert_eq!(sim.status(), RunStatus::Running, "b is still under way");
    assert_eq!(sim.machine.state().next_wake(), None, "nothing more becomes due");
    sim.done("b");
    assert_eq!(sim.status(), RunStatus::Failed);
    assert!(matches!(sim.log.last().expect("it ended").kind, EventKind::RunFinished { .. }));
    // A person who asks to go on gets the same time again.
    sim.now = 20_000;
    sim.command(Command::Retry).expect("it failed");
    assert_eq!((sim.open(), sim.machine.state().next_wake()), (vec!["a"], Some(29_000)));
    sim.done("a");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}
