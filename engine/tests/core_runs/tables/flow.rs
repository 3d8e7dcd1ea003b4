//! Dataflow: order, dead paths, merging, parallel branches, triggers, pins, disabled nodes.

use crate::harness::{Seen, Sim, items, node, nodes};
use serde_json::json;
use sluice_engine::core::{Command, NodePhase, NodeResult, Refusal, RunStatus};
use std::collections::BTreeMap;

super::scenarios!(
    a_chain_runs_in_order,
    effects_are_announced_before_they_start,
    a_port_without_items_kills_its_branch,
    a_merge_waits_until_every_input_is_filled_or_dead,
    a_merge_with_only_dead_inputs_is_skipped,
    branches_run_side_by_side,
    other_triggers_and_what_they_lead_to_are_skipped,
    a_disabled_node_passes_its_input_through,
    a_pinned_node_does_not_run,
    a_run_begins_once,
    results_that_nobody_waits_for_are_refused,
);

fn a_chain_runs_in_order() -> Seen {
    let mut sim = Sim::started(&nodes("a pure, b pure, c pure"), &["start > a", "a > b", "b > c"]);
    for id in ["a", "b", "c"] {
        assert_eq!(sim.open(), [id]);
        assert_eq!(sim.status(), RunStatus::Running);
        sim.done(id);
    }
    assert_eq!(sim.status(), RunStatus::Succeeded);
    assert_eq!(
        sim.events(0),
        ["run_started", "node_succeeded", "node_succeeded", "node_succeeded", "run_finished"]
    );
    assert_eq!(sim.signal("k"), Err(Refusal::Over));
    sim.seen
}

fn effects_are_announced_before_they_start() -> Seen {
    let mut sim = Sim::started(&nodes("a idem, b once"), &["start > a", "a > b"]);
    assert_eq!(sim.phase("a"), NodePhase::Running);
    assert_eq!(sim.events(1), ["node_started"]);
    sim.done("a");
    assert_eq!(sim.events(2), ["node_succeeded", "node_started"]);
    sim.done("b");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_port_without_items_kills_its_branch() -> Seen {
    let edges = ["start > if", "if.true > yes", "if.false > no", "no > after"];
    let mut sim = Sim::started(&nodes("if pure, yes pure, no pure, after pure"), &edges);
    sim.done_on("if", "true", [7]);
    assert_eq!(sim.in_phase(NodePhase::Skipped), ["no", "after"]);
    assert_eq!(sim.input("yes", "main"), [7]);
    sim.done("yes");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_merge_waits_until_every_input_is_filled_or_dead() -> Seen {
    let edges = ["start > if", "if.true > a", "if.false > b", "start > c", "b > m", "a > m", "c > m"];
    let mut sim = Sim::started(&nodes("if pure, a idem, b pure, c idem, m pure"), &edges);
    sim.done_on("c", "main", [3]);
    assert_eq!(sim.phase("m"), NodePhase::Pending);
    sim.done_on("if", "true", [1]);
    assert_eq!(sim.phase("m"), NodePhase::Pending);
    sim.done_on("a", "main", [2]);
    assert_eq!(sim.open(), ["m"]);
    // The order of the document's edges, not of arrival.
    assert_eq!(sim.input("m", "main"), [2, 3]);
    sim.done("m");
    assert_eq!(sim.in_phase(NodePhase::Skipped), ["b"]);
    sim.seen
}

fn a_merge_with_only_dead_inputs_is_skipped() -> Seen {
    let edges = ["start > if", "if.true > a", "if.true > b", "a > m", "b > m", "if.false > other"];
    let mut sim = Sim::started(&nodes("if pure, a pure, b pure, m pure, other pure"), &edges);
    sim.done_on("if", "false", [1]);
    assert_eq!(sim.in_phase(NodePhase::Skipped), ["a", "b", "m"]);
    sim.done("other");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn branches_run_side_by_side() -> Seen {
    let edges = ["start > a", "start > b", "start > c", "a > end", "b > end", "c > end"];
    let mut sim = Sim::started(&nodes("a idem, b once, c pure, end pure"), &edges);
    assert_eq!(sim.open(), ["a", "b", "c"]);
    for id in ["c", "a", "b"] {
        assert_eq!(sim.phase("end"), NodePhase::Pending);
        sim.done(id);
    }
    assert_eq!(sim.open(), ["end"]);
    sim.done_empty("end");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn other_triggers_and_what_they_lead_to_are_skipped() -> Seen {
    let all = [node("other", "trigger"), node("a", "pure"), node("only", "pure"), node("loose", "pure")];
    let mut sim = Sim::started(&all, &["start > a", "other > a", "other > only"]);
    assert_eq!(sim.in_phase(NodePhase::Skipped), ["other", "only", "loose"]);
    assert_eq!(sim.open(), ["a"]);
    sim.done("a");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_disabled_node_passes_its_input_through() -> Seen {
    let mut off = node("off", "once");
    off["disabled"] = json!(true);
    let mut sim =
        Sim::started(&[node("a", "pure"), off, node("b", "pure")], &["start > a", "a > off", "off > b"]);
    sim.done_on("a", "main", [4, 5]);
    assert_eq!(sim.phase("off"), NodePhase::Succeeded);
    assert_eq!(sim.input("b", "main"), [4, 5]);
    let record = sim.machine.state().record(sim.ix("off")).expect("it is through");
    let origins: Vec<_> = record.output.ports[0].1.iter().map(|item| item.from).collect();
    assert_eq!(origins, [Some(0), Some(1)]);
    sim.done("b");
    sim.seen
}

fn a_pinned_node_does_not_run() -> Seen {
    let mut sim = Sim::new(&nodes("a once, b pure"), &["start > a", "a > b"]);
    let pins = BTreeMap::from([(sim.ix("a"), vec![(0, items([8, 9]))])]);
    sim.start_with(pins, None).expect("it has not begun");
    assert_eq!(sim.open(), ["b"]);
    assert_eq!(sim.input("b", "main"), [8, 9]);
    sim.done("b");
    assert!(!sim.events(0).contains(&"node_started"));
    sim.seen
}

fn a_run_begins_once() -> Seen {
    let mut sim = Sim::new(&nodes("a pure"), &["start > a"]);
    assert_eq!(sim.status(), RunStatus::Queued);
    for command in [Command::Wake, Command::Cancel, Command::Retry, Command::Recover] {
        assert_eq!(sim.command(command), Err(Refusal::NotStarted));
    }
    let nowhere =
        Command::Start { trigger: 99, output: Default::default(), pins: BTreeMap::new(), deadline: None };
    assert_eq!(sim.command(nowhere), Err(Refusal::NoSuchNode(99)));
    sim.start().expect("it has not begun");
    assert_eq!(sim.start(), Err(Refusal::AlreadyStarted));
    assert_eq!(sim.command(Command::Retry), Err(Refusal::NotRetryable));
    sim.seen
}

fn results_that_nobody_waits_for_are_refused() -> Seen {
    let mut sim = Sim::started(&nodes("a idem, b idem"), &["start > a", "a > b"]);
    let (a, b) = (sim.ix("a"), sim.ix("b"));
    let done = || NodeResult::Done(Default::default());
    assert!(matches!(sim.answer_as(a, 0, 2, done()), Err(Refusal::StaleResult { .. })), "a later attempt");
    assert!(matches!(sim.answer_as(a, 1, 1, done()), Err(Refusal::StaleResult { .. })), "a later execution");
    assert!(matches!(sim.answer_as(b, 0, 1, done()), Err(Refusal::StaleResult { .. })), "not begun");
    assert_eq!(sim.answer_as(77, 0, 1, done()), Err(Refusal::NoSuchNode(77)));
    sim.done("a");
    assert!(matches!(sim.answer_as(a, 0, 1, done()), Err(Refusal::StaleResult { .. })), "answered before");
    sim.seen
}
