//! Live traces: complete, in order, without repetition, resumable.

use crate::ground::{Ground, chain, greeting};
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode};
use futures::StreamExt;
use serde_json::{Value, json};
use sluice_db::Db;
use sluice_engine::drive::LiveEvent;
use tower::ServiceExt;

#[derive(Clone, Debug, PartialEq)]
struct Told {
    id: String,
    event: String,
    data: Value,
}

/// Reads events one by one.
struct Reader {
    body: BodyDataStream,
    text: String,
}

impl Reader {
    async fn open(ground: &Ground, path: &str, last: Option<&str>) -> Result<Self, StatusCode> {
        let mut request = Request::get(path)
            .header("authorization", format!("Bearer {}", ground.key))
            .header("accept-encoding", "gzip");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = ground.api.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        if response.status() != StatusCode::OK {
            return Err(response.status());
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(response.headers().get("content-encoding").is_none());
        Ok(Self { body: response.into_body().into_data_stream(), text: String::new() })
    }

    /// The next event; none at the end of the stream.
    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                        .unwrap_or_default()
                };
                let data = serde_json::from_str(field("data")).unwrap_or_default();
                let told = Told { id: field("id").to_owned(), event: field("event").to_owned(), data };
                self.text = rest.to_owned();
                if told.event.is_empty() {
                    continue;
                }
                return Some(told);
            }
            let bytes = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    async fn rest(mut self) -> Vec<Told> {
        let mut all = Vec::new();
        while let Some(told) = self.next().await {
            all.push(told);
        }
        all
    }
}

fn names(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| told.event.as_str()).collect()
}

fn paused() -> Value {
    let nodes = [
        ("start", "test.start", json!({})),
        ("pause", "test.pause", json!({ "key": "k" })),
        ("shape", "test.set", json!({ "value": 1 })),
    ];
    chain("Paused", &nodes)
}

/// Runs the workflow to its end, or to where it waits; the run's id.
async fn run(ground: &Ground, workflow: &str) -> String {
    let path = format!("/api/workflows/{workflow}/run?wait=30s");
    let run = ground.post(&path, json!({ "trigger": { "name": "A" } })).await.expect(200).json();
    run["id"].as_str().unwrap().to_owned()
}

async fn a_finished_run_is_told_from_any_place(db: Db) {
    let ground = Ground::new(db).await;
    let id = ground.workflow(greeting()).await;
    let path = format!("/api/runs/{}/stream", run(&ground, &id).await);
    let all = Reader::open(&ground, &path, None).await.ok().unwrap().rest().await;
    assert_eq!(
        names(&all),
        ["run.started", "node.succeeded", "node.started", "node.succeeded", "run.succeeded"]
    );
    assert_eq!(all[3].data["output"]["main"], Value::Null, "{}", all[3].data);
    assert_eq!(all[3].data["node"], "shape");
    for (place, told) in all.iter().enumerate() {
        match Reader::open(&ground, &path, Some(&told.id)).await {
            Ok(reader) => assert_eq!(reader.rest().await, all[place + 1..]),
            Err(status) => assert_eq!((status, place), (StatusCode::NO_CONTENT, all.len() - 1)),
        }
    }
    assert_eq!(Reader::open(&ground, &path, Some("nonsense")).await.err(), Some(StatusCode::BAD_REQUEST));
}

async fn a_run_is_followed_to_its_end(db: Db) {
    let ground = Ground::new(db).await;
    let id = ground.workflow(paused()).await;
    let path = format!("/api/runs/{}/stream", run(&ground, &id).await);
    let mut early = Reader::open(&ground, &path, None).await.ok().unwrap();
    let mut seen = Vec::new();
    while seen.last().is_none_or(|told: &Told| told.event != "run.waiting") {
        seen.push(early.next().await.unwrap());
    }
    let resumed = Reader::open(&ground, &path, Some(&seen.last().unwrap().id)).await.ok().unwrap();
    ground.post("/api/signals/k", json!(7)).await.expect(200);
    let live = early.rest().await;
    assert_eq!(names(&live).last(), Some(&"run.succeeded"));
    assert_eq!(resumed.rest().await, live, "a reader that came back misses nothing and hears nothing twice");
    let stored = Reader::open(&ground, &path, None).await.ok().unwrap().rest().await;
    let told: Vec<_> = seen.iter().chain(&live).filter(|told| told.event != "run.waiting").cloned().collect();
    assert_eq!(told, stored, "live and stored are told alike, under the same ids");
}

/// Another process drives the run; a word of it was lost, and the one that came has no data.
async fn what_another_process_tells_is_read_from_the_store(db: Db) {
    let ground = Ground::new(db).await;
    let id = ground.workflow(paused()).await;
    let run_id = run(&ground, &id).await;
    let path = format!("/api/runs/{run_id}/stream");
    let mut reader = Reader::open(&ground, &path, None).await.ok().unwrap();
    let mut told = Vec::new();
    while told.last().is_none_or(|told: &Told| told.event != "run.waiting") {
        told.push(reader.next().await.unwrap());
    }
    ground.state.engine.live().publish(vec![LiveEvent {
        id: 0,
        is_relayed: true,
        event: "node.succeeded".to_owned(),
        run_id,
        workspace_id: String::new(),
        workflow_id: id,
        seq: 9,
        at: 0,
        node: Some("shape".to_owned()),
        data: json!({ "left_out": true }),
    }]);
    ground.post("/api/signals/k", json!(7)).await.expect(200);
    told.extend(reader.rest().await);
    let stored = Reader::open(&ground, &path, None).await.ok().unwrap().rest().await;
    told.retain(|told| told.event != "run.waiting");
    assert_eq!(told, stored);
}

async fn a_workspace_is_followed_and_resumed(db: Db) {
    let ground = Ground::new(db).await;
    let mut reader = Reader::open(&ground, "/api/stream", None).await.ok().unwrap();
    let id = ground.workflow(greeting()).await;
    let first = run(&ground, &id).await;
    let mut told = Vec::new();
    for _ in 0..5 {
        told.push(reader.next().await.unwrap());
    }
    assert_eq!(
        names(&told),
        ["run.started", "node.succeeded", "node.started", "node.succeeded", "run.succeeded"]
    );
    assert!(told.iter().all(|told| told.data["run_id"] == first));
    drop(reader);
    let second = run(&ground, &id).await;
    let mut again = Reader::open(&ground, "/api/stream", Some(&told[2].id)).await.ok().unwrap();
    let mut missed = Vec::new();
    for _ in 0..7 {
        missed.push(again.next().await.unwrap());
    }
    assert_eq!(missed[..2], told[3..]);
    assert!(missed[2..].iter().all(|told| told.data["run_id"] == second));
    let mut lost = Reader::open(&ground, "/api/stream", Some("live_other-3")).await.ok().unwrap();
    assert_eq!(lost.next().await.unwrap().event, "stream.reset");
    let mut other = Reader::open(&ground, "/api/stream?workflow=wf_other", None).await.ok().unwrap();
    run(&ground, &id).await;
    ground.state.stopping.cancel();
    assert_eq!(other.next().await, None, "streams end with the server, and others' events are not told");
}

sluice_db::contract_tests! {
    a_finished_run_is_told_from_any_place,
    a_run_is_followed_to_its_end,
    what_another_process_tells_is_read_from_the_store,
    a_workspace_is_followed_and_resumed,
}
