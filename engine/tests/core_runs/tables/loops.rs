//! Loops: items one by one, repetition with a way out, nesting, leaves, breaks.

use crate::harness::{Seen, Sim, nodes, try_plan};
use sluice_engine::core::{NodePhase, RunStatus};
use sluice_node_sdk::error::NodeError;

super::scenarios!(
    a_loop_runs_its_body_once_per_item,
    leaves_of_the_body_run_every_time,
    the_entry_waits_for_all_branches_of_the_body,
    edges_out_of_the_body_deliver_all_together_when_the_loop_is_over,
    a_loop_whose_first_answer_is_the_last_skips_its_body,
    a_skipped_loop_is_skipped_as_a_whole,
    a_body_that_returns_nothing_still_returns,
    loops_can_be_nested,
    an_inner_loop_can_break_out_to_the_outer,
    a_loop_can_lead_directly_back_to_itself,
    a_wait_inside_a_body_survives_a_crash,
    a_failure_inside_a_body_can_be_retried,
    a_loop_that_nothing_leads_to_is_skipped,
    cancelling_inside_a_body_ends_the_run,
);

fn a_loop_runs_its_body_once_per_item() -> Seen {
    let edges = ["start > each", "each.item > a", "a > each", "each.done > end"];
    let mut sim = Sim::started(&nodes("each loop, a idem, end pure"), &edges);
    for round in 0..3 {
        sim.done_on("each", "item", [round]);
        assert_eq!(sim.input("a", "main"), [round]);
        assert_eq!(sim.machine.state().iteration(sim.ix("a")), round as u32);
        sim.done_on("a", "main", [round * 10]);
        assert_eq!(sim.returned("each"), [round * 10]);
        assert_eq!(sim.input("each", "main"), [0], "its own input stays");
    }
    assert_eq!(sim.phase("end"), NodePhase::Pending);
    sim.done_on("each", "done", [5, 6]);
    assert_eq!(sim.input("end", "main"), [5, 6]);
    sim.done("end");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    assert_eq!(sim.machine.state().iteration(sim.ix("each")), 4);
    sim.seen
}

fn leaves_of_the_body_run_every_time() -> Seen {
    let edges = ["start > each", "each.item > a", "a > each", "a > leaf", "leaf > tip"];
    let mut sim = Sim::started(&nodes("each loop, a pure, leaf idem, tip pure"), &edges);
    for round in 0..2 {
        sim.done_on("each", "item", [round]);
        sim.done("a");
        assert_eq!(sim.open(), ["leaf"], "the entry waits for the leaf");
        sim.done("leaf");
        sim.done("tip");
    }
    sim.done_on("each", "done", [1]);
    assert_eq!(sim.status(), RunStatus::Succeeded);
    assert_eq!(sim.machine.state().iteration(sim.ix("tip")), 2);
    assert_eq!(sim.phase("leaf"), NodePhase::Succeeded);
    sim.seen
}

fn the_entry_waits_for_all_branches_of_the_body() -> Seen {
    let edges = ["start > each", "each.item > a", "each.item > b", "a > each", "b > each"];
    let mut first = Sim::started(&nodes("each loop, a idem, b idem"), &edges);
    first.done_on("each", "item", [0]);
    let mut second = first.clone();
    first.done_on("a", "main", [1]);
    assert_eq!(first.open(), ["b"]);
    first.done_on("b", "main", [2]);
    second.done_on("b", "main", [2]);
    second.done_on("a", "main", [1]);
    assert_eq!(first.returned("each"), [1, 2]);
    assert_eq!(second.returned("each"), [1, 2], "the order of edges, not of arrival");
    first.seen
}

fn edges_out_of_the_body_deliver_all_together_when_the_loop_is_over() -> Seen {
    let edges = [
        "start > each",
        "each.item > if",
        "if.true > each",
        "if.false > found",
        "each.done > end",
        "found > end",
    ];
    // `found` is reached from the body only, so it belongs to it; `end` is reached from both.
    let mut sim = Sim::started(&nodes("each loop, if pure, found pure, end pure"), &edges);
    for round in 0..4 {
        sim.done_on("each", "item", [round]);
        sim.done_on("if", if round % 2 == 0 { "true" } else { "false" }, [round]);
        if round % 2 == 1 {
            sim.done_on("found", "main", [round * 100]);
        }
        assert_eq!(sim.phase("end"), NodePhase::Pending);
    }
    sim.done_on("each", "done", [9]);
    assert_eq!(sim.input("end", "main"), [9, 100, 300]);
    sim.done("end");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_loop_whose_first_answer_is_the_last_skips_its_body() -> Seen {
    let edges = ["start > each", "each.item > a", "a > each", "a > side", "each.done > end"];
    let mut sim = Sim::started(&nodes("each loop, a pure, side pure, end pure"), &edges);
    sim.done_on("each", "done", [1]);
    assert_eq!(sim.in_phase(NodePhase::Skipped), ["a", "side"]);
    sim.done("end");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_skipped_loop_is_skipped_as_a_whole() -> Seen {
    let edges = [
        "start > if",
        "if.true > each",
        "each.item > a",
        "a > each",
        "a > out",
        "each.done > out",
        "if.false > other",
        "out > m",
        "other > m",
    ];
    let mut sim = Sim::started(&nodes("if pure, each loop, a pure, out pure, other pure, m pure"), &edges);
    sim.done_on("if", "false", [1]);
    assert_eq!(sim.in_phase(NodePhase::Skipped), ["each", "a", "out"]);
    sim.done("other");
    sim.done("m");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_body_that_returns_nothing_still_returns() -> Seen {
    let edges = ["start > each", "each.item > if", "if.true > each", "if.false > drop"];
    let mut sim = Sim::started(&nodes("each menu, if pure, drop pure"), &edges);
    sim.done_on("each", "item", [1]);
    sim.done_empty("if");
    assert_eq!((sim.open(), sim.phase("drop")), (vec!["each"], NodePhase::Skipped));
    assert_eq!(sim.returned("each"), [0; 0]);
    sim.done_on("each", "item", [2]);
    assert_eq!(sim.phase("drop"), NodePhase::Pending, "the next round may fill what was dead");
    sim.done_on("if", "false", [2]);
    sim.done("drop");
    sim.done_empty("each");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn loops_can_be_nested() -> Seen {
    let edges = [
        "start > outer",
        "outer.item > inner",
        "inner.item > a",
        "a > inner",
        "inner.done > outer",
        "a > log",
        "outer.done > end",
    ];
    let mut sim = Sim::started(&nodes("outer loop, inner loop, a idem, log pure, end pure"), &edges);
    for round in 0..2 {
        sim.done_on("outer", "item", [round]);
        for turn in 0..3 {
            sim.done_on("inner", "item", [turn]);
            sim.done_on("a", "main", [round * 10 + turn]);
            sim.done("log");
        }
        assert_eq!(sim.open(), ["inner"]);
        sim.done_on("inner", "done", [round]);
        assert_eq!(sim.returned("outer"), [round]);
    }
    assert_eq!(sim.machine.state().iteration(sim.ix("log")), 6);
    sim.done_on("outer", "done", [1]);
    sim.done("end");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn an_inner_loop_can_break_out_to_the_outer() -> Seen {
    let edges = [
        "start > outer",
        "outer.item > inner",
        "inner.item > if",
        "if.true > inner",
        "if.false > outer",
        "if.false > seen",
        "outer.done > end",
        "seen > end",
    ];
    let mut sim = Sim::started(&nodes("outer loop, inner loop, if pure, seen pure, end pure"), &edges);
    sim.done_on("outer", "item", [1]);
    sim.done_on("inner", "item", [1]);
    sim.done_on("if", "false", [7]);
    assert_eq!(sim.open(), ["seen"]);
    sim.done_on("seen", "main", [70]);
    assert_eq!(sim.open(), ["inner"], "the inner loop decides that it is over");
    sim.done_empty("inner");
    assert_eq!((sim.open(), sim.returned("outer")), (vec!["outer"], vec![7]));
    sim.done_on("outer", "done", [2]);
    assert_eq!(sim.input("end", "main"), [2, 70]);
    sim.done("end");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_loop_can_lead_directly_back_to_itself() -> Seen {
    let edges = ["start > again", "again.item > again", "again.done > end"];
    let mut sim = Sim::started(&nodes("again menu, end pure"), &edges);
    for round in 0..3 {
        sim.done_on("again", "item", [round]);
        assert_eq!((sim.open(), sim.returned("again")), (vec!["again"], vec![round]));
    }
    sim.done_on("again", "done", [1]);
    sim.done("end");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_wait_inside_a_body_survives_a_crash() -> Seen {
    let edges =
        ["start > each", "each.item > if", "if.true > rare", "if.false > w", "w > each", "rare > each"];
    let mut sim = Sim::started(&nodes("each loop, if pure, rare pure, w idem"), &edges);
    sim.done_on("each", "item", [1]);
    sim.done_on("if", "false", [1]);
    sim.done("w");
    sim.done_on("each", "item", [2]);
    // `rare` was dead in the first round and is open in the second.
    sim.crash();
    sim.command(sluice_engine::core::Command::Wake).expect("it goes on");
    assert_eq!((sim.open(), sim.phase("rare")), (vec!["if"], NodePhase::Pending));
    sim.done_on("if", "true", [2]);
    sim.done("rare");
    sim.done_on("each", "done", [1]);
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_failure_inside_a_body_can_be_retried() -> Seen {
    let edges = ["start > each", "each.item > a", "a > each", "each.done > end"];
    let mut sim = Sim::started(&nodes("each loop, a once, end pure"), &edges);
    sim.done_on("each", "item", [1]);
    sim.done("a");
    sim.done_on("each", "item", [2]);
    sim.fail("a", NodeError::rejected("no"));
    assert_eq!(sim.status(), RunStatus::Failed);
    sim.crash();
    sim.command(sluice_engine::core::Command::Retry).expect("it failed");
    assert_eq!(sim.input("a", "main"), [2]);
    sim.done("a");
    sim.done_on("each", "done", [3]);
    sim.done("end");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn a_loop_that_nothing_leads_to_is_skipped() -> Seen {
    let edges = ["start > a", "each.item > b", "b > each", "each.done > c"];
    assert!(
        try_plan(&nodes("a pure, each loop, b pure, c pure"), &edges).is_ok(),
        "it is a loop all the same"
    );
    let mut sim = Sim::started(&nodes("a pure, each loop, b pure, c pure"), &edges);
    assert_eq!(sim.in_phase(NodePhase::Skipped), ["each", "b", "c"]);
    sim.done("a");
    assert_eq!(sim.status(), RunStatus::Succeeded);
    sim.seen
}

fn cancelling_inside_a_body_ends_the_run() -> Seen {
    let edges = ["start > each", "each.item > a", "a > b", "b > each"];
    let mut sim = Sim::started(&nodes("each loop, a idem, b pure"), &edges);
    sim.done_on("each", "item", [1]);
    sim.command(sluice_engine::core::Command::Cancel).expect("it goes on");
    sim.done("a");
    assert_eq!((sim.status(), sim.phase("b")), (RunStatus::Cancelled, NodePhase::Cancelled));
    sim.seen
}
