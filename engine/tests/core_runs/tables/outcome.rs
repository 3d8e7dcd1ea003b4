//! Effects of which nobody knows whether they took place: asked, looked for, settled by policy or by a person.

use crate::harness::{Seen, Sim, node, node_with, nodes, retries};
use serde_json::{Value, json};
use sluice_engine::core::outcome::{AwaitedAnswer, Question};
use sluice_engine::core::{Command, NodePhase, Refusal, RunStatus};
use sluice_node_sdk::context::Doubt;
use sluice_node_sdk::error::{ErrorKind, NodeError};
use sluice_node_sdk::outcome::WaitKind;

super::scenarios!(
    an_effect_that_must_not_be_repeated_is_asked_about_after_a_crash,
    a_failure_that_leaves_the_outcome_open_is_asked_about_too,
    only_what_must_not_be_repeated_is_asked_about,
    a_person_says_that_it_happened,
    a_person_says_that_it_did_not_happen,
    a_person_lets_it_count_as_failed,
    an_answer_that_is_none_is_refused,
    assuming_passes_the_input_through,
    trying_again_ends_with_a_question,
    failing_by_policy_takes_the_error_route,
    what_can_find_evidence_looks_first,
    evidence_that_comes_in_time_is_looked_at,
    without_evidence_in_time_a_last_look_and_then_the_policy,
    a_crash_while_looking_waits_for_evidence,
    what_can_look_goes_on_with_the_rest,
    a_question_goes_on_after_its_run_failed_elsewhere,
    what_was_under_way_when_its_run_was_cancelled_is_in_doubt,
    a_wait_before_the_doubt_is_remembered,
    other_failures_settle_a_doubt,
);

fn policy(id: &str, node_type: &str, policy: &str) -> Value {
    node_with(id, node_type, json!({ "unknown_outcome": policy }))
}

fn unknown() -> NodeError {
    NodeError::unknown_outcome("the line went dead")
}

/// Answers the open question about a node.
fn settle(sim: &mut Sim, id: &str, payload: Value) -> Result<(), Refusal> {
    let key = format!("outcome:/{id}/{}", sim.machine.state().iteration(sim.ix(id)));
    sim.command(Command::Signal { key, payload })
}

fn question(sim: &Sim, id: &str) -> Question {
    let (wait, _) = sim.machine.state().wait(sim.ix(id)).expect("it waits");
    assert_eq!(wait.kind, WaitKind::Outcome);
    Question::of(wait).expect("it asks")
}

fn until(sim: &Sim, id: &str) -> Option<i64> {
    sim.machine.state().wait(sim.ix(id)).and_then(|(wait, _)| wait.until)
}

fn doubt(sim: &Sim, id: &str) -> Option<i64> {
    sim.machine.state().in_doubt_since(sim.ix(id))
}

fn an_effect_that_must_not_be_repeated_is_asked_about_after_a_crash() -> Seen {
    let mut sim = Sim::started(&nodes("a once, b pure"), &["start > a", "a > b"]);
    sim.now = 7_000;
    sim.recover().expect("it goes on");
    assert_eq!((sim.status(), sim.error()), (RunStatus::Waiting, None));
    let asked = question(&sim, "a");
    assert_eq!((asked.since, asked.attempt, asked.waits_for), (7_000, 1, AwaitedAnswer::Person));
    assert_eq!((until(&sim, "a"), sim.machine.state().needs_answer()), (None, true));
    let events = sim.log.len();
    sim.recover().expect("it goes on");
    assert_eq!((sim.log.len(), sim.open().len()), (events, 0), "a question survives a crash");
    sim.seen
}

fn a_failure_that_leaves_the_outcome_open_is_asked_about_too() -> Seen {
    let all = [node_with("a", "once", retries(5)), node("b", "pure")];
    let mut sim = Sim::started(&all, &["start > a", "a > b", "a.error > b"]);
    sim.fail("a", unknown());
    assert_eq!(
        (sim.status(), sim.phase("a"), sim.phase("b")),
        (RunStatus::Waiting, NodePhase::Waiting, NodePhase::Pending)
    );
    assert_eq!(question(&sim, "a").error.message, "the line went dead");
    sim.seen
}

fn only_what_must_not_be_repeated_is_asked_about() -> Seen {
    let mut sim = Sim::started(&nodes("a idem"), &["start > a"]);
    sim.fail("a", unknown());
    assert_eq!((sim.status(), sim.error()), (RunStatus::Failed, Some("unknown_outcome")));
    assert!(!sim.machine.state().needs_answer());
    sim.seen
}

fn a_person_says_that_it_happened() -> Seen {
    let mut sim = Sim::started(&nodes("a once, b pure"), &["start > a", "a > b"]);
    sim.recover().expect("it goes on");
    let mut other = sim.clone();
    settle(&mut sim, "a", json!({ "decision": "done", "by": "person" })).expect("it is asked");
    assert_eq!(
        (sim.phase("a"), sim.open(), sim.input("b", "main")),
        (NodePhase::Succeeded, vec!["b"], vec![0])
    );
    assert_eq!(doubt(&sim, "a"), None);
    settle(
        &mut other,
        "a",
        json!({ "decision": "done", "by": "person", "output": [{ "n": 5 }, { "n": 6 }] }),
    )
    .expect("it is asked");
    assert_eq!(other.input("b", "main"), [5, 6]);
    sim.seen.append(&mut other.seen);
    sim.seen
}

fn a_person_says_that_it_did_not_happen() -> Seen {
    let mut sim = Sim::started(&nodes("a once"), &["start > a"]);
    sim.recover().expect("it goes on");
    for decision in ["retry", "not_done"] {
        settle(&mut sim, "a", json!({ "decision": decision, "by": "person" })).expect("it is asked");
        assert_eq!((sim.open(), doubt(&sim, "a")), (vec!["a"], None));
        sim.fail("a", unknown());
    }
    assert_eq!(question(&sim, "a").attempt, 3);
    settle(&mut sim, "a", json!({ "decision": "retry" })).expect("it is asked");
    sim.done("a");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_person_lets_it_count_as_failed() -> Seen {
    let mut sim = Sim::started(&nodes("a once, b pure"), &["start > a", "a > b"]);
    sim.recover().expect("it goes on");
    settle(&mut sim, "a", json!({ "decision": "fail", "by": "person" })).expect("it is asked");
    assert_eq!((sim.status(), sim.error()), (RunStatus::Failed, Some("unknown_outcome")));
    assert!(!sim.machine.state().needs_answer(), "it was answered");
    sim.command(Command::Retry).expect("it failed");
    assert_eq!(sim.open(), ["a"], "who lets it fail and retries means it");
    let mut routed = Sim::started(&nodes("a once, b pure"), &["start > a", "a.error > b"]);
    routed.recover().expect("it goes on");
    settle(&mut routed, "a", json!({ "decision": "fail" })).expect("it is asked");
    assert_eq!(routed.open(), ["b"]);
    sim.seen.append(&mut routed.seen);
    sim.seen
}

fn an_answer_that_is_none_is_refused() -> Seen {
    let mut sim = Sim::started(&nodes("a once"), &["start > a"]);
    sim.recover().expect("it goes on");
    let refused = settle(&mut sim, "a", json!({ "decision": "perhaps" })).expect_err("not a decision");
    assert!(matches!(refused, Refusal::NotASettlement(_)), "{refused}");
    let refused = settle(&mut sim, "a", json!({ "decision": "look" })).expect_err("it cannot look");
    assert!(matches!(refused, Refusal::NotWaiting(_)), "{refused}");
    settle(&mut sim, "a", json!({})).expect("the signal alone says that it happened");
    let refused = settle(&mut sim, "a", json!({})).expect_err("it is over");
    assert_eq!((sim.status(), refused), (RunStatus::Succeeded, Refusal::Over));
    sim.seen
}

fn assuming_passes_the_input_through() -> Seen {
    let all = [policy("a", "once", "assume_done"), node("b", "pure")];
    let mut sim = Sim::started(&all, &["start > a", "a > b"]);
    sim.recover().expect("it goes on");
    assert_eq!((sim.open(), sim.input("b", "main")), (vec!["b"], vec![0]));
    let record = sim.machine.state().record(sim.ix("a")).expect("it is through").clone();
    assert!(record.output.logs[0].message.contains("assumed"), "{:?}", record.output.logs);
    assert_eq!(record.output.ports[0].1[0].from, Some(0));
    sim.seen
}

fn trying_again_ends_with_a_question() -> Seen {
    let settings = json!({ "unknown_outcome": "retry", "retry": { "max_attempts": 3, "backoff": "fixed", "initial": "1s" } });
    let mut sim = Sim::started(&[node_with("a", "once", settings)], &["start > a"]);
    for attempt in 1..3 {
        assert_eq!(sim.open, [(sim.ix("a"), 0, attempt)]);
        sim.fail("a", unknown());
        assert_eq!(
            (question(&sim, "a").waits_for, sim.machine.state().needs_answer()),
            (AwaitedAnswer::Retry, false)
        );
        let due = sim.now + 1_000;
        assert_eq!(until(&sim, "a"), Some(due));
        sim.wake_at(due);
    }
    sim.fail("a", unknown());
    assert_eq!((question(&sim, "a").waits_for, until(&sim, "a")), (AwaitedAnswer::Person, None));
    // Once at least, whatever the type says.
    let mut once = Sim::started(&[policy("a", "once", "retry")], &["start > a"]);
    once.fail("a", unknown());
    once.wake_at(100_000);
    assert_eq!(once.open(), ["a"]);
    once.fail("a", unknown());
    assert_eq!(question(&once, "a").waits_for, AwaitedAnswer::Person);
    sim.seen.append(&mut once.seen);
    sim.seen
}

fn failing_by_policy_takes_the_error_route() -> Seen {
    let all = [policy("a", "once", "fail"), node("b", "pure")];
    let mut sim = Sim::started(&all, &["start > a", "a.error > b"]);
    sim.recover().expect("it goes on");
    assert_eq!(sim.open(), ["b"]);
    sim.seen
}

fn what_can_find_evidence_looks_first() -> Seen {
    let mut sim = Sim::started(&nodes("a seek, b pure"), &["start > a", "a > b"]);
    sim.recover().expect("it goes on");
    assert_eq!((sim.open.clone(), doubt(&sim, "a")), (vec![(sim.ix("a"), 0, 2)], Some(1_000)));
    sim.done("a");
    assert_eq!((sim.open(), doubt(&sim, "a")), (vec!["b"], None));
    sim.seen
}

fn evidence_that_comes_in_time_is_looked_at() -> Seen {
    let mut sim = Sim::started(&nodes("a seek"), &["start > a"]);
    sim.fail("a", unknown());
    sim.now = 2_000;
    sim.fail("a", unknown());
    let asked = question(&sim, "a");
    assert_eq!(
        (asked.since, asked.waits_for, until(&sim, "a")),
        (1_000, AwaitedAnswer::Evidence, Some(61_000))
    );
    assert!(!sim.machine.state().needs_answer());
    settle(&mut sim, "a", json!({ "decision": "look", "by": "evidence" })).expect("it is asked");
    assert_eq!(doubt(&sim, "a"), Some(1_000), "the node does not repeat anything");
    sim.fail("a", unknown());
    assert_eq!(until(&sim, "a"), Some(61_000), "evidence of something else changes nothing");
    settle(&mut sim, "a", json!({ "decision": "look", "by": "evidence" })).expect("it is asked");
    sim.done("a");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn without_evidence_in_time_a_last_look_and_then_the_policy() -> Seen {
    let mut sim = Sim::started(&nodes("a seek"), &["start > a"]);
    sim.fail("a", unknown());
    sim.fail("a", unknown());
    sim.wake_at(61_000);
    assert_eq!((sim.open(), doubt(&sim, "a")), (vec!["a"], Some(1_000)));
    sim.fail("a", unknown());
    assert_eq!((until(&sim, "a"), sim.machine.state().needs_answer()), (None, true));
    // Late evidence counts as well.
    settle(&mut sim, "a", json!({ "decision": "look" })).expect("it is asked");
    sim.done("a");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn what_can_look_goes_on_with_the_rest() -> Seen {
    let mut sim = Sim::started(&[policy("a", "seek", "assume_done")], &["start > a"]);
    let doubt_of = |sim: &Sim| sim.machine.state().doubt(sim.ix("a"));
    sim.fail("a", unknown());
    assert_eq!(doubt_of(&sim), Some(Doubt::Ask));
    sim.now = 61_000;
    sim.fail("a", unknown());
    assert_eq!((sim.open(), doubt_of(&sim)), (vec!["a"], Some(Doubt::CountsAsDone)));
    let mut again = sim.clone();
    again.recover().expect("it goes on");
    assert_eq!((again.open().len(), until(&again, "a")), (0, Some(121_000)), "a doubt of its own");
    sim.done("a");
    assert_eq!((sim.status(), doubt_of(&sim)), (RunStatus::Succeeded, None));
    let mut told = Sim::started(&nodes("a seek, b pure"), &["start > a", "a > b"]);
    told.fail("a", unknown());
    told.fail("a", unknown());
    let mut exact = told.clone();
    settle(&mut told, "a", json!({ "decision": "done", "by": "person" })).expect("it is asked");
    assert_eq!((told.open(), doubt_of(&told)), (vec!["a"], Some(Doubt::CountsAsDone)));
    settle(&mut exact, "a", json!({ "decision": "done", "output": [{ "n": 3 }] })).expect("it is asked");
    assert_eq!(exact.input("b", "main"), [3]);
    sim.seen
}

fn a_crash_while_looking_waits_for_evidence() -> Seen {
    let mut sim = Sim::started(&nodes("a seek"), &["start > a"]);
    sim.recover().expect("it goes on");
    sim.now = 5_000;
    sim.recover().expect("it goes on");
    assert_eq!((sim.open().len(), until(&sim, "a")), (0, Some(61_000)));
    sim.seen
}

fn a_question_goes_on_after_its_run_failed_elsewhere() -> Seen {
    let mut sim = Sim::started(&nodes("a once, b idem"), &["start > a", "start > b"]);
    sim.fail("a", unknown());
    sim.fail("b", NodeError::rejected("no"));
    assert_eq!((sim.status(), sim.phase("a")), (RunStatus::Failed, NodePhase::Cancelled));
    assert!(sim.machine.state().needs_answer(), "the run ended without knowing");
    sim.command(Command::Retry).expect("it failed");
    assert_eq!((sim.open(), question(&sim, "a").since), (vec!["b"], 1_000));
    settle(&mut sim, "a", json!({ "decision": "done" })).expect("it is asked");
    sim.done("b");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn what_was_under_way_when_its_run_was_cancelled_is_in_doubt() -> Seen {
    let mut sim = Sim::started(&nodes("a once, b seek, c idem"), &["start > a", "start > b", "start > c"]);
    sim.command(Command::Cancel).expect("it goes on");
    for id in ["a", "b", "c"] {
        sim.fail(id, NodeError::cancelled("told to stop"));
    }
    assert_eq!((sim.status(), sim.machine.state().needs_answer()), (RunStatus::Cancelled, false));
    sim.command(Command::Retry).expect("it was cancelled");
    assert_eq!(sim.open(), ["b", "c"]);
    assert_eq!((doubt(&sim, "b"), doubt(&sim, "c")), (Some(1_000), None));
    assert_eq!(question(&sim, "a").waits_for, AwaitedAnswer::Person);
    sim.seen
}

fn a_wait_before_the_doubt_is_remembered() -> Seen {
    let mut sim = Sim::started(&nodes("a once"), &["start > a"]);
    sim.suspend("a", None, Some("k"));
    sim.signal("k").expect("it is waited for");
    sim.fail("a", unknown());
    settle(&mut sim, "a", json!({ "decision": "retry" })).expect("it is asked");
    let (_, wait) = sim.machine.state().resumed(sim.ix("a")).expect("it goes on after the wait");
    assert_eq!(wait.signal.as_deref(), Some("k"));
    assert_eq!(sim.open, [(sim.ix("a"), 0, 2)]);
    sim.seen
}

fn other_failures_settle_a_doubt() -> Seen {
    let mut sim = Sim::started(&[node_with("a", "seek", retries(5))], &["start > a"]);
    sim.fail("a", unknown());
    sim.fail("a", NodeError::unavailable("it had not begun, and cannot now"));
    assert_eq!(doubt(&sim, "a"), None);
    sim.wake_at(10_000);
    sim.fail("a", unknown());
    assert_eq!(doubt(&sim, "a"), Some(10_000), "a new doubt");
    sim.fail("a", NodeError::new(ErrorKind::Bug, "it broke"));
    assert_eq!((sim.status(), sim.machine.state().needs_answer()), (RunStatus::Failed, true));
    sim.seen
}
