//! Node steps per second of the pure core alone: no store, no tokio, no node code. Each pure node that is handed
//! out is answered with one item. Also prints what a node costs in a long chain compared with a short one, which
//! would show work that grows with the size of the workflow.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use sluice_engine::core::{Command, Decision, Effect, Machine, NodeOutput, NodeResult, RunStatus};
use sluice_engine::document::Document;
use sluice_engine::graph::{Plan, compile};
use sluice_node_sdk::context::NodeContext;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::item::{Input, Item};
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::outcome::Outcome;
use sluice_node_sdk::registry::Registry;
use sluice_node_sdk::spec::{NodeSpec, TriggerSource};
use std::sync::Arc;
use std::time::Instant;

/// Layers of the layered graph, and nodes in each.
const SIDE: usize = 100;

struct Known(NodeSpec);

impl DynNode for Known {
    fn spec(&self) -> &NodeSpec {
        &self.0
    }

    fn run<'a>(&'a self, _: &'a NodeContext, _: Input) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        Box::pin(async { Err(NodeError::bug("the benchmark answers in place of nodes")) })
    }
}

fn registry() -> Registry {
    let types = [
        ("b.trigger", NodeSpec::new("Start", "").trigger(TriggerSource::Manual, false)),
        ("b.pure", NodeSpec::new("Step", "")),
    ];
    let known = types.into_iter().map(|(name, mut spec)| {
        name.clone_into(&mut spec.node_type);
        Arc::new(Known(spec)) as Arc<dyn DynNode>
    });
    Registry::new(known).expect("the names are different and well-formed")
}

fn plan(nodes: usize, edges: impl Iterator<Item = (String, String)>) -> Arc<Plan> {
    let mut list = vec![json!({ "id": "start", "type": "b.trigger" })];
    list.extend((0..nodes).map(|ix| json!({ "id": format!("n{ix}"), "type": "b.pure" })));
    let edges: Vec<Value> = edges.map(|(from, to)| json!({ "from": from, "to": to })).collect();
    let document = json!({ "sluice": 1, "name": "Benchmark", "nodes": list, "edges": edges });
    let document: Document = serde_json::from_value(document).expect("the document is well-formed");
    Arc::new(compile(&document, &registry()).expect("the graph is sound"))
}

fn chain(length: usize) -> Arc<Plan> {
    let from = |ix: usize| if ix == 0 { "start".to_owned() } else { format!("n{}", ix - 1) };
    plan(length, (0..length).map(|ix| (from(ix), format!("n{ix}"))))
}

/// Layers in which each node reads from two of the layer before.
fn layers() -> Arc<Plan> {
    let name = |layer: usize, place: usize| format!("n{}", layer * SIDE + place % SIDE);
    let first = (0..SIDE).map(|place| ("start".to_owned(), name(0, place)));
    let rest = (1..SIDE).flat_map(|layer| {
        (0..SIDE)
            .flat_map(move |place| [0, 1].map(|side| (name(layer - 1, place + side), name(layer, place))))
    });
    plan(SIDE * SIDE, first.chain(rest))
}

fn one_item() -> Arc<NodeOutput> {
    let items = Arc::new(vec![Item::new(json!({ "name": "Asha", "score": 41 }))]);
    Arc::new(NodeOutput { ports: vec![(0, items)], ..NodeOutput::default() })
}

/// Runs a workflow of pure nodes from its start to its end; answers the number of nodes that ran.
fn run(plan: &Arc<Plan>, output: &Arc<NodeOutput>) -> usize {
    let mut machine = Machine::new(plan.clone());
    let mut decision = Decision::default();
    let start =
        Command::Start { trigger: 0, output: output.clone(), pins: Default::default(), deadline: None };
    machine.handle(start, 1, &mut decision).expect("it has not begun");
    let mut steps = 0;
    // As the drive does it: each effect is answered, which may add further ones.
    while let Some(effect) = decision.effects.get(steps) {
        let Effect::RunPure { node, iteration } = *effect else { unreachable!("all nodes are pure") };
        steps += 1;
        let done = Command::NodeDone {
            node,
            iteration,
            attempt: 1,
            began: 1,
            logs: Vec::new(),
            result: NodeResult::Done(output.clone()),
        };
        machine.handle(done, 1, &mut decision).expect("it is awaited");
    }
    assert_eq!(machine.state().status(), RunStatus::Succeeded);
    assert_eq!(steps + 1, plan.nodes.len());
    steps
}

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("core_steps");
    let output = one_item();
    for (name, plan) in [("layered", layers()), ("chain", chain(1_000)), ("chain", chain(10))] {
        let nodes = plan.nodes.len() - 1;
        group.throughput(Throughput::Elements(nodes as u64));
        group.bench_function(BenchmarkId::new(name, nodes), |bencher| {
            bencher.iter_batched(|| (), |()| run(&plan, &output), BatchSize::SmallInput);
        });
    }
    group.finish();
}

/// Nanoseconds per node: the best of many rounds, which is what the machine can do.
fn best_ns_per_node(plan: &Arc<Plan>) -> f64 {
    let output = one_item();
    let repeat = (20_000 / plan.nodes.len()).max(1);
    let rounds = (0..30).map(|_| {
        let began = Instant::now();
        let steps: usize = (0..repeat).map(|_| run(plan, &output)).sum();
        began.elapsed().as_nanos() as f64 / steps as f64
    });
    rounds.fold(f64::INFINITY, f64::min)
}

fn ratios(_: &mut Criterion) {
    let (layered, long, short) =
        (best_ns_per_node(&layers()), best_ns_per_node(&chain(1_000)), best_ns_per_node(&chain(10)));
    println!("layered graph of {} nodes: {:.2} million steps per second", SIDE * SIDE, 1_000.0 / layered);
    println!(
        "chain of 1000: {long:.0} ns per node; chain of 10: {short:.0} ns per node; ratio {:.2}",
        long / short
    );
}

criterion_group!(benches, steps, ratios);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
}
