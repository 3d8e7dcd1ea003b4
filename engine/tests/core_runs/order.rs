//! Results may come in any order, with crashes in between: the same results always give the same run.

use crate::harness::{Sim, wait};
use crate::shapes::{Shape, any_plan};
use proptest::prelude::*;
use serde_json::json;
use sluice_engine::core::{Command, NodeIx, NodeOutput, NodePhase, NodeResult, PortIx, Record, RunStatus};
use sluice_engine::graph::Plan;
use sluice_node_sdk::item::Item;
use sluice_node_sdk::spec::Effect;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Rounds after which a loop ends.
const MOST_ROUNDS: u32 = 6;

/// What a node answers: decided by what it is, its execution and all of its input.
fn answer(sim: &Sim, node: NodeIx, iteration: u32) -> NodeResult {
    let state = sim.machine.state();
    let input = state.input(&sim.plan, node);
    let mut hash = DefaultHasher::new();
    (node, iteration).hash(&mut hash);
    for (port, deliveries) in &input.ports {
        port.hash(&mut hash);
        deliveries
            .iter()
            .flat_map(|found| found.items.iter())
            .for_each(|item| item.json.to_string().hash(&mut hash));
    }
    let returned = input.returned.iter().flat_map(|found| found.items.iter());
    returned.for_each(|item| item.json.to_string().hash(&mut hash));
    let hash = hash.finish();
    if hash.is_multiple_of(5) && state.resumed(node).is_none() {
        return NodeResult::Suspend(Arc::new(wait(None, Some(&sim.plan.at(node).id))));
    }
    let port: PortIx = if sim.plan.at(node).entry_of.is_some() {
        if iteration >= MOST_ROUNDS || hash.is_multiple_of(4) { sim.way_out(node) } else { 0 }
    } else {
        [0, 0, 0, 1, 2][(hash / 7 % 5) as usize]
    };
    let items = Arc::new(vec![Item::new(json!({ "h": hash }))]);
    NodeResult::Done(Arc::new(NodeOutput { ports: vec![(port, items)], ..NodeOutput::default() }))
}

/// Runs to the end; `pick` chooses among the open nodes and the waits.
fn run(plan: &Arc<Plan>, mut pick: impl FnMut(usize) -> usize) -> Sim {
    let mut sim = Sim::of(plan.clone());
    sim.start().expect("it has not begun");
    while !sim.status().is_over() {
        let waits: Vec<NodeIx> = sim.machine.state().nodes_in(NodePhase::Waiting).collect();
        let choices = sim.open.len() + waits.len();
        assert!(choices > 0, "the run is stuck");
        let choice = pick(choices);
        if choice < sim.open.len() {
            let (node, iteration, attempt) = sim.open.remove(choice);
            let result = answer(&sim, node, iteration);
            sim.answer_as(node, iteration, attempt, result).expect("what was handed out is awaited");
        } else {
            let key = sim.plan.at(waits[choice - sim.open.len()]).id.to_string();
            sim.signal(&key).expect("it is waited for");
        }
    }
    sim
}

type Outcome = Vec<(NodePhase, u32, Option<Arc<Record>>)>;

fn outcome(sim: &Sim) -> Outcome {
    let state = sim.machine.state();
    let nodes = 0..sim.plan.nodes.len() as NodeIx;
    nodes.map(|node| (state.phase(node), state.iteration(node), state.record(node).cloned())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_results_gives_the_same_run(Shape(plan) in any_plan(), seed in any::<u64>()) {
        let first = run(&plan, |_| 0);
        prop_assert_eq!(first.status(), RunStatus::Succeeded);
        let mut state = seed;
        let second = run(&plan, |choices| {
            // Any sequence will do; this one is the linear congruential generator of Knuth's MMIX.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % choices
        });
        prop_assert_eq!(outcome(&first), outcome(&second));
        prop_assert_eq!(first.log.len(), second.log.len());
    }

    #[test]
    fn crashes_change_nothing(Shape(plan) in any_plan(), every in 1_usize..5) {
        let first = run(&plan, |_| 0);
        let mut sim = Sim::of(plan);
        sim.start().expect("it has not begun");
        let mut steps = 0;
        while !sim.status().is_over() {
            steps += 1;
            // Effects that must not be repeated are another matter, see the tables.
            let is_once = |open: &(NodeIx, u32, u32)| sim.plan.at(open.0).effect == Effect::Once;
            if steps % every == 0 && !sim.open.iter().any(is_once) {
                sim.recover().expect("it goes on");
            }
            if sim.open.is_empty() {
                let node = sim.machine.state().nodes_in(NodePhase::Waiting).next().expect("it waits");
                let key = sim.plan.at(node).id.to_string();
                sim.command(Command::Signal { key, payload: json!(null) }).expect("it is waited for");
                continue;
            }
            let (node, iteration, attempt) = sim.open.remove(0);
            let result = answer(&sim, node, iteration);
            sim.answer_as(node, iteration, attempt, result).expect("what was handed out is awaited");
        }
        prop_assert_eq!(outcome(&first), outcome(&sim));
    }
}
