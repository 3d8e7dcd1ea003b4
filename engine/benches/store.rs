//! Commits per second of one-turn, five-node runs by 1, 32 and 256 callers at once, on an SQLite file with
//! synchronous=FULL; beside each, in the same run, a plain loop that commits the same bytes in groups to one table
//! without indexes. Prints the ratio, which says what our tables, indexes and fences cost beside the disk and the driver.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use serde_json::{Value, json};
use sluice_db::{Db, DbOptions, Dialect, value_rows};
use sluice_engine::core::{Event, EventKind, NodeOutput, RunStatus};
use sluice_engine::store::{Commit, NewRun, RunKey, Store, Turn};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Callers at once.
const CALLERS: [u64; 3] = [1, 32, 256];

/// Seconds per commit, by what was measured and the number of callers; the best round of each.
static TAKEN: Mutex<BTreeMap<(&str, u64), f64>> = Mutex::new(BTreeMap::new());

/// Numbers of runs, never used twice.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The id of the nth run, in the form that the engine gives.
fn run_id(number: u64) -> String {
    format!("run_06gk2w5b9{number:011}")
}

fn output(json: Value) -> Arc<NodeOutput> {
    Arc::new(NodeOutput { ports: vec![(0, Arc::new(vec![json.into()]))], ..NodeOutput::default() })
}

/// What a webhook of five pure nodes leaves behind.
fn events(at: i64, number: u64) -> Vec<Event> {
    let order = format!("A-{number:010}");
    let webhook = json!({
        "method": "POST", "path": "five", "headers": { "host": "127.0.0.1:8080", "content-type": "application/json",
        "content-length": "59" }, "query": {}, "body": { "name": "Asha", "score": 41, "order": order },
    });
    let steps = [
        json!({ "name": "Asha", "score": 42 }),
        json!({ "name": "Asha", "score": 42 }),
        json!({ "name": "Asha", "score": 42, "grade": "high" }),
        json!({ "name": "Asha", "score": 42, "grade": "high", "greeting": "Hello Asha, high" }),
    ];
    let begun =
        EventKind::RunStarted { trigger: 0, output: output(webhook), pins: BTreeMap::new(), deadline: None };
    let steps = (1..).zip(steps);
    let steps =
        steps.map(|(node, json)| EventKind::NodeSucceeded { node, began: None, output: output(json) });
    let over = EventKind::RunFinished { status: RunStatus::Succeeded };
    std::iter::once(begun).chain(steps).chain([over]).map(|kind| Event { at, kind }).collect()
}

fn turn() -> Turn {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let at = 1_795_000_000_000 + number as i64;
    let key = RunKey { workspace_id: "ws_3jq8x0v5m2ka".into(), run_id: run_id(number).into() };
    let run = NewRun {
        key: key.clone(),
        workflow_id: "wf_7d1n4s9h6t0c".into(),
        version: 3,
        document: None,
        trigger_type: "trigger.webhook".into(),
        is_test: false,
        dry_run: false,
        lane: None,
        parent_run_id: None,
        inbound_id: None,
        dedupe_key: None,
        created_at: at,
    };
    Turn {
        key,
        expected: 0,
        new_run: Some(Box::new(run)),
        events: events(at, number),
        first_seq: 0,
        status: RunStatus::Succeeded,
        error: None,
        started_at: Some(at),
        ended_at: Some(at),
        wake_at: None,
        owner: None,
        attention: None,
        receipt: None,
        change: None,
        waits: None,
        usage: Vec::new(),
        children: Vec::new(),
    }
}

/// An SQLite file in a folder that disappears, with all the durability that a power cut asks for. The folder of the
/// build is on a disk; that of temporary files may be in memory.
async fn database(folder: &tempfile::TempDir, name: &str) -> Db {
    let path = folder.path().join(name);
    Db::open(DbOptions::new(format!("sqlite:{}", path.display()))).await.expect("a database")
}

/// Commits `count` times by so many callers, each waiting for its answer before it goes on.
async fn by_callers<F: Future<Output = ()> + Send>(
    callers: u64,
    count: u64,
    commit: impl Fn() -> F + Clone + Send + 'static,
) -> Duration {
    let left = Arc::new(AtomicU64::new(count));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (left, commit) = (left.clone(), commit.clone());
            tokio::spawn(async move {
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
                    commit().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a caller ends");
    }
    begun.elapsed()
}

/// One writer that takes whatever has come and commits it to one plain table.
fn plain_writer(db: Db) -> mpsc::Sender<(Vec<u8>, oneshot::Sender<()>)> {
    let (sender, mut inbox) = mpsc::channel::<(Vec<u8>, oneshot::Sender<()>)>(4_096);
    tokio::spawn(async move {
        let mut batch = Vec::new();
        let mut texts: BTreeMap<usize, String> = BTreeMap::new();
        while inbox.recv_many(&mut batch, 256).await > 0 {
            let text = texts.entry(batch.len()).or_insert_with(|| {
                format!("insert into plain (body) values {}", value_rows(Dialect::Sqlite, 1, batch.len()))
            });
            let bodies = batch.iter().map(|(body, _)| body.as_slice());
            db.query(text.clone()).bind_all(bodies).execute().await.expect("rows are written");
            for (_, answer) in batch.drain(..) {
                let _ = answer.send(());
            }
        }
    });
    sender
}

fn note(what: &'static str, callers: u64, count: u64, took: Duration) {
    let per_commit = took.as_secs_f64() / count as f64;
    let mut taken = TAKEN.lock().expect("nobody panics while holding it");
    let best = taken.entry((what, callers)).or_insert(per_commit);
    *best = best.min(per_commit);
}

fn commits(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (store, plain) = runtime.block_on(async {
        let db = database(&folder, "store.sqlite").await;
        db.migrate().await.expect("a schema");
        let raw = database(&folder, "plain.sqlite").await;
        raw.query("create table plain (id integer primary key, body blob not null)")
            .execute()
            .await
            .expect("a table");
        (Store::new(db), plain_writer(raw))
    });
    // What one run brings to the disk at the least: its facts and its events.
    let turn_bytes = serde_json::to_vec(&events(0, 0)).expect("events are JSON").len() + 200;
    let mut group = criterion.benchmark_group("store");
    group.sample_size(10).throughput(Throughput::Elements(1));
    for callers in CALLERS {
        group.bench_function(BenchmarkId::new("plain", callers), |bench| {
            bench.iter_custom(|count| {
                let plain = plain.clone();
                let commit = move || {
                    let plain = plain.clone();
                    async move {
                        let (answer, heard) = oneshot::channel();
                        plain.send((vec![7; turn_bytes], answer)).await.expect("the writer lives");
                        heard.await.expect("the writer answers");
                    }
                };
                let took = runtime.block_on(by_callers(callers, count, commit));
                note("plain", callers, count, took);
                took
            });
        });
        group.bench_function(BenchmarkId::new("commit", callers), |bench| {
            bench.iter_custom(|count| {
                let store = store.clone();
                let commit = move || {
                    let store = store.clone();
                    async move {
                        let answer = store.commit(vec![turn()]).await.expect("the store commits");
                        assert_eq!(answer, [Commit::Done]);
                    }
                };
                let took = runtime.block_on(by_callers(callers, count, commit));
                note("commit", callers, count, took);
                took
            });
        });
    }
    group.finish();
}

fn print_ratios() {
    let taken = TAKEN.lock().expect("nobody panics while holding it");
    for callers in CALLERS {
        let (Some(plain), Some(commit)) = (taken.get(&("plain", callers)), taken.get(&("commit", callers)))
        else {
            continue;
        };
        println!(
            "{callers} callers: {:.0} commits/s, plain {:.0}/s, ratio {:.2}",
            1.0 / commit,
            1.0 / plain,
            plain / commit
        );
    }
}

criterion_group!(benches, commits);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    print_ratios();
}
