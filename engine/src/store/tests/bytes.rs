//! How many bytes of the database a run takes, all indexes included. The bounds are promises; the figures are
//! printed.

use super::*;
use sluice_db::{Db, Dialect, random_id, sortable_id};
use std::collections::BTreeMap;

const RUNS: usize = 6_000;

sluice_db::contract_tests! {
    a_finished_run_of_five_nodes_takes_a_kilobyte_at_most,
    a_waiting_run_takes_half_of_that_at_most,
}

async fn size(db: &Db) -> i64 {
    let sql = match db.dialect() {
        Dialect::Sqlite => {
            "select page_count * page_size as bytes from pragma_page_count(), pragma_page_size()"
        }
        Dialect::Postgres => {
            "select cast(sum(pg_relation_size(oid)) as bigint) as bytes from pg_class \
             where relnamespace = current_schema()::regnamespace"
        }
    };
    db.query(sql).one().await.unwrap().int("bytes").unwrap()
}

/// What the server makes of a request with a small JSON body.
fn webhook(path: &str, n: usize) -> Value {
    let name = ["Asha", "Ravi", "Maria", "Olu", "Fatima", "Wei"][n % 6];
    let agent = ["curl/8.5.0", "python-requests/2.32.3", "okhttp/4.12.0"][n % 3];
    json!({
        "method": "POST", "path": path,
        "headers": {
            "host": "hooks.example.com", "content-type": "application/json", "content-length": "98",
            "user-agent": agent, "accept": "*/*", "x-forwarded-for": format!("203.0.113.{}", n * 7 % 256),
        },
        "query": {},
        "body": {
            "name": name, "score": n % 90, "order": format!("A-{:010}", n * 7919), "city": "Pune",
            "email": format!("{}{n}@example.com", name.to_lowercase()),
        },
    })
}

fn output(json: Value, from: Option<u32>) -> Arc<NodeOutput> {
    let item = sluice_node_sdk::item::Item { json: Arc::new(json), files: None, from };
    Arc::new(NodeOutput { ports: vec![(0, Arc::new(vec![item]))], ..NodeOutput::default() })
}

fn begun(event: Value) -> EventKind {
    EventKind::RunStarted { trigger: 0, output: output(event, None), pins: BTreeMap::new(), deadline: None }
}

/// A webhook and five pure nodes behind it, the last of which answers.
fn five(n: usize) -> Vec<EventKind> {
    let event = webhook("five", n);
    let mut json = json!({ "name": event["body"]["name"], "score": n % 90 + 1 });
    let mut events = vec![begun(event)];
    let name = json["name"].as_str().unwrap().to_owned();
    let grades = [("seen", "yes".into()), ("grade", "high".into()), ("region", "west".into())];
    let steps = [None].into_iter().chain(grades.map(Some));
    let steps = steps.chain([Some(("greeting", format!("Hello {name}, high")))]);
    for (node, field) in (1..).zip(steps) {
        if let Some((field, value)) = field {
            json[field] = value.into();
        }
        events.push(EventKind::NodeSucceeded { node, began: None, output: output(json.clone(), Some(0)) });
    }
    events.push(EventKind::RunFinished { status: RunStatus::Succeeded });
    events
}

/// A webhook and a wait for tomorrow.
fn waiting(n: usize, until: i64) -> Vec<EventKind> {
    let wait = Wait {
        kind: WaitKind::Time,
        until: Some(until),
        signal: None,
        state: Value::Null,
        info: Value::Null,
    };
    vec![begun(webhook("day", n)), EventKind::NodeSuspended { node: 1, wait: Arc::new(wait) }]
}

/// Commits runs with ids and times as the engine makes them, and gives the bytes that each took.
async fn bytes_per_run(db: &Db, turn: impl Fn(usize, i64) -> Turn) -> i64 {
    let store = Store::new(db.clone());
    let (workspace, workflow) = (random_id("ws"), random_id("wf"));
    let before = size(db).await;
    for batch in 0..RUNS / 50 {
        let turns = (0..50).map(|n| {
            let n = batch * 50 + n;
            // A hundred runs per second.
            let at = 1_795_000_000_000 + n as i64 * 10;
            let mut turn = turn(n, at);
            turn.key = RunKey { workspace_id: workspace.as_str().into(), run_id: sortable_id("run").into() };
            let run = NewRun { key: turn.key.clone(), workflow_id: workflow.clone(), ..facts("", at) };
            turn.new_run = Some(Box::new(run));
            turn
        });
        commit_all(&store, turns.collect()).await;
    }
    (size(db).await - before) / RUNS as i64
}

fn at(at: i64, kinds: Vec<EventKind>) -> Vec<Event> {
    kinds.into_iter().map(|kind| Event { at, kind }).collect()
}

async fn a_finished_run_of_five_nodes_takes_a_kilobyte_at_most(db: Db) {
    let bytes = bytes_per_run(&db, |n, now| Turn {
        events: at(now, five(n)),
        ..first_turn(facts("", now), RunStatus::Succeeded)
    })
    .await;
    println!("a finished run of five nodes: {bytes} bytes on {:?}", db.dialect());
    assert!(bytes <= 1_024, "{bytes} bytes");
}

async fn a_waiting_run_takes_half_of_that_at_most(db: Db) {
    let bytes = bytes_per_run(&db, |n, now| Turn {
        events: at(now, waiting(n, now + 86_400_000)),
        wake_at: Some(now + 86_400_000),
        ..first_turn(facts("", now), RunStatus::Waiting)
    })
    .await;
    println!("a waiting run: {bytes} bytes on {:?}", db.dialect());
    assert!(bytes <= 500, "{bytes} bytes");
}
