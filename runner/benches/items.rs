//! 10,000 items through five `data.set` nodes with an expression each: the whole way, from the start of the run
//! to its commit in a store in memory. Reported as time per run; `docs/benchmarks.md` holds the targets.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use sluice_engine::document::Document;
use sluice_engine::drive::StartRequest;
use sluice_node_sdk::item::Item;
use sluice_node_sdk::services::SystemClock;
use sluice_runner::{Installation, MemoryHost, Settings};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A chain: a pinned source, then `length` nodes that each set three fields, one by an expression.
fn chain(length: usize) -> Document {
    let mut nodes = vec![
        json!({ "id": "start", "type": "trigger.manual" }),
        json!({ "id": "source", "type": "flow.noop" }),
    ];
    let mut edges = vec![json!({ "from": "start", "to": "source" })];
    let mut before = "source".to_owned();
    for at in 0..length {
        let id = format!("set{at}");
        let fields = json!({ "n": "{{ json.n + 1 }}", "name": "{{ json.name }}", "step": at });
        nodes.push(json!({ "id": id, "type": "data.set", "params": { "fields": fields } }));
        edges.push(json!({ "from": before, "to": id }));
        before = id;
    }
    serde_json::from_value(json!({ "sluice": 1, "name": "Chain", "nodes": nodes, "edges": edges }))
        .expect("a document")
}

fn request(workspace: &str, document: &Document, items: &[Item]) -> StartRequest {
    StartRequest {
        workspace_id: workspace.to_owned(),
        workflow_id: "wf_bench".to_owned(),
        draft: Some(document.clone()),
        event: Value::Null,
        is_test: true,
        pins: BTreeMap::from([("source".to_owned(), items.to_vec().into())]),
        ..StartRequest::default()
    }
}

fn items(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (installation, workspace): (Installation, String) = runtime.block_on(async {
        let host = MemoryHost { extra: Vec::new(), config: Settings::default().resolve().expect("defaults") };
        let http = host.outside().expect("a transport");
        host.open(Arc::new(SystemClock), http).await.expect("an installation")
    });
    let document = chain(5);
    let mut group = criterion.benchmark_group("items_through_five_sets");
    group.sample_size(20);
    for count in [1_000_usize, 10_000, 40_000] {
        let items: Vec<Item> =
            (0..count).map(|n| Item::new(json!({ "n": n, "name": format!("Customer {n}") }))).collect();
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::from_parameter(count), &items, |bench, items| {
            bench.iter(|| {
                let started =
                    runtime.block_on(installation.engine.start(request(&workspace, &document, items)));
                let outcome =
                    started.expect("a run").outcome.expect("a pure run is over when it has started");
                assert_eq!(outcome.items.len(), items.len());
            });
        });
    }
    group.finish();
}

criterion_group!(benches, items);
criterion_main!(benches);
