//! Reads the logs of store and providers in the form in which they are compared. Must not judge.

use super::documents::{IDEMPOTENT, ONCE};
use super::reconcile::{Delivered, StoredEffect, StoredRun};
use crate::fault::{Fault, Tried};
use crate::provider::Taken;
use crate::rest::Rest;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, JoinSet};

/// Requests for single runs at once.
const READERS: usize = 16;

/// What the store says.
pub(super) struct Store {
    /// All runs.
    pub(super) runs: Vec<StoredRun>,
    /// Digests of all stored bodies.
    pub(super) bodies: BTreeSet<String>,
    /// Runs that failed, by the code of their error.
    pub(super) failures: BTreeMap<String, u64>,
    /// The longest time from acceptance to end, in milliseconds.
    pub(super) slowest_ms: i64,
}

/// Reads the whole store. Runs of the workflow `plain` have no effects and are taken from the list alone.
///
/// # Errors
/// When the API does not answer as it should.
pub(super) async fn store(rest: Arc<Rest>, platform: &Rest, plain: &str) -> Tried<Store> {
    let attention = attention(&rest).await?;
    let listed = rest.all("/api/runs", "").await?;
    let (mut failures, mut slowest_ms) = (BTreeMap::new(), 0);
    let (mut runs, mut wanted) = (Vec::new(), Vec::new());
    for run in listed {
        let text = |name: &str| run[name].as_str().unwrap_or_default().to_owned();
        if let Some(code) = run.pointer("/error/code").and_then(Value::as_str) {
            *failures.entry(code.to_owned()).or_default() += 1;
        }
        if let (Some(from), Some(to)) = (run["created_at"].as_i64(), run["ended_at"].as_i64()) {
            slowest_ms = slowest_ms.max(to - from);
        }
        let id = text("id");
        if run["workflow_id"] == plain {
            runs.push(StoredRun { id, status: text("status"), ..StoredRun::default() });
        } else {
            wanted.push(id);
        }
    }
    runs.extend(details(&rest, wanted, &attention).await?);
    let bodies = platform.all("/api/inbound", "").await?;
    let bodies = bodies.iter().filter_map(|body| body["sha256"].as_str().map(str::to_owned)).collect();
    Ok(Store { runs, bodies, failures, slowest_ms })
}

/// Ids of runs that people must look at; none where the program does not know such a list.
async fn attention(rest: &Rest) -> Tried<BTreeSet<String>> {
    let (status, _) = rest.call("GET", "/api/runs?attention=true&limit=1", None).await?;
    if status != 200 {
        return Ok(BTreeSet::new());
    }
    let runs = rest.all("/api/runs", "&attention=true").await?;
    Ok(runs.iter().filter_map(|run| run["id"].as_str().map(str::to_owned)).collect())
}

async fn details(rest: &Arc<Rest>, ids: Vec<String>, attention: &BTreeSet<String>) -> Tried<Vec<StoredRun>> {
    let left = Arc::new(Mutex::new(ids));
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let (rest, left) = (rest.clone(), left.clone());
        readers.spawn(async move {
            let mut found = Vec::new();
            loop {
                let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let Some(id) = next else { return Ok::<_, Fault>(found) };
                found.push(read_run(&rest.get(&format!("/api/runs/{id}")).await?));
            }
        });
    }
    let mut all = Vec::new();
    while let Some(part) = readers.join_next().await {
        all.extend(part.map_err(|_| Fault::Late("a reader ended early".to_owned()))??);
    }
    for run in &mut all {
        run.needs_attention |= attention.contains(&run.id);
    }
    Ok(all)
}

fn read_run(run: &Value) -> StoredRun {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let id = text(&run["id"]);
    let nodes = run["nodes"].as_array().cloned().unwrap_or_default();
    let started_by = |path: &str| {
        let first = nodes.first()?.pointer("/output/main/0/json")?;
        first.pointer(path)?.as_str().map(str::to_owned)
    };
    let effects = nodes.iter().filter(|node| {
        let kind = node["type"].as_str().unwrap_or_default();
        matches!(kind, "http.request" | "whatsapp.send") && node["attempt"].as_u64().unwrap_or(0) > 0
    });
    let effects = effects.map(|node| read_effect(&id, node)).collect();
    let token = started_by("/message/text").or_else(|| started_by("/body/token"));
    StoredRun { token, status: text(&run["status"]), needs_attention: false, effects, id }
}

fn read_effect(run: &str, node: &Value) -> StoredEffect {
    let name = node["id"].as_str().unwrap_or_default();
    // What the run says of the node, without the data that went through it.
    let mut said = node.clone();
    if let Some(said) = said.as_object_mut() {
        for data in ["input", "output"] {
            said.remove(data);
        }
    }
    StoredEffect {
        id: format!("{run}/{name}/{}", node["iteration"].as_u64().unwrap_or(0)),
        status: node["status"].as_str().unwrap_or_default().to_owned(),
        attempt: node["attempt"].as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
        is_idempotent: name == IDEMPOTENT,
        says_unknown: said.to_string().contains("unknown_outcome"),
    }
}

/// What our own provider carried out.
pub(super) fn of_provider(taken: &[Taken]) -> Vec<Delivered> {
    let of_one = |request: &Taken| {
        let node = if request.path.ends_with(ONCE) { ONCE } else { IDEMPOTENT };
        let run = request.body["run"].as_str().unwrap_or_default();
        let own = format!("{run}/{node}/0");
        Delivered { effect: request.key.clone().unwrap_or(own), lane: None }
    };
    taken.iter().map(of_one).collect()
}

/// Follows the sandbox's log of accepted messages, which forgets old ones.
pub(super) struct Phone {
    seen: Arc<Mutex<(u64, Vec<Delivered>)>>,
    rest: Arc<Rest>,
    task: JoinHandle<()>,
}

impl Phone {
    /// Begins to follow.
    pub(super) fn follow(sandbox: &str) -> Self {
        let (seen, rest) = (Arc::new(Mutex::default()), Arc::new(Rest::new(sandbox, "")));
        let (of_task, from) = (seen.clone(), rest.clone());
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(500)).await;
                // The next round reads what this one could not.
                let _ = look(&from, &of_task).await;
            }
        });
        Self { seen, rest, task }
    }

    /// Reads the rest and gives all, in the order in which the sandbox accepted them.
    ///
    /// # Errors
    /// When the sandbox does not answer.
    pub(super) async fn finish(self) -> Tried<Vec<Delivered>> {
        self.task.abort();
        // A look that was under way is over or has changed nothing.
        let _ = self.task.await;
        look(&self.rest, &self.seen).await?;
        Ok(std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).1))
    }
}

async fn look(sandbox: &Rest, seen: &Mutex<(u64, Vec<Delivered>)>) -> Tried<()> {
    let since = seen.lock().unwrap_or_else(PoisonError::into_inner).0;
    let page = sandbox.get(&format!("/_sandbox/messages?direction=out&since={since}")).await?;
    let mut guard = seen.lock().unwrap_or_else(PoisonError::into_inner);
    for message in page["items"].as_array().into_iter().flatten() {
        guard.0 = guard.0.max(message["seq"].as_u64().unwrap_or(0));
        guard.1.push(Delivered {
            effect: message
                .pointer("/message/biz_opaque_callback_data")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            lane: message.pointer("/message/text/body").and_then(Value::as_str).and_then(lane_of),
        });
    }
    Ok(())
}

/// Conversation and number in a reply such as `re c7 m12`.
fn lane_of(reply: &str) -> Option<(String, u64)> {
    let (conversation, number) = reply.strip_prefix("re ")?.split_once(" m")?;
    Some((conversation.to_owned(), number.parse().ok()?))
}

/// How long after the last request something of each sort was seen under way or due, by name.
pub(super) type Drained = Vec<(&'static str, Duration)>;

/// Waits until nothing is under way or due any more. What is left after `limit` is found by the comparison.
///
/// # Errors
/// When the API does not answer.
pub(super) async fn quiet(rest: &Rest, platform: &Rest, limit: Duration) -> Tried<Drained> {
    let begun = Instant::now();
    let mut drained: Drained =
        ["bodies", "queued", "running", "waiting"].map(|name| (name, Duration::ZERO)).to_vec();
    let mut calm = 0;
    while begun.elapsed() < limit && calm < 3 {
        let mut busy = Vec::new();
        for (from, path) in [
            (platform, "/api/inbound?limit=1&status=received"),
            (rest, "/api/runs?limit=1&status=queued"),
            (rest, "/api/runs?limit=1&status=running"),
        ] {
            busy.push(from.get(path).await?["items"].as_array().map_or(0, Vec::len));
        }
        let waiting = rest.get("/api/runs?limit=200&status=waiting").await?;
        let waiting = waiting["items"].as_array().cloned().unwrap_or_default();
        busy.push(if waiting.is_empty() { 0 } else { still_waiting(rest, &waiting).await? });
        for ((_, last), count) in drained.iter_mut().zip(&busy) {
            if *count > 0 {
                *last = begun.elapsed();
            }
        }
        calm = if busy.iter().all(|count| *count == 0) { calm + 1 } else { 0 };
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Ok(drained)
}

/// Waiting runs that are not waiting for people.
async fn still_waiting(rest: &Rest, waiting: &[Value]) -> Tried<usize> {
    let shown = attention(rest).await?;
    Ok(waiting.iter().filter(|run| run["id"].as_str().is_none_or(|id| !shown.contains(id))).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_run_is_read_with_its_token_and_its_effects() {
        let run = read_run(&json!({
            "id": "run_1", "status": "failed",
            "nodes": [
                { "id": "in", "type": "trigger.webhook", "attempt": 1, "output": { "main": [{ "json": { "body": { "token": "effects-1" } } }] } },
                { "id": IDEMPOTENT, "type": "http.request", "status": "succeeded", "iteration": 0, "attempt": 2, "input": { "x": "unknown_outcome" } },
                { "id": ONCE, "type": "http.request", "status": "failed", "iteration": 0, "attempt": 1, "error": { "code": "unknown_outcome" } },
                { "id": "later", "type": "http.request", "status": "pending", "iteration": 0, "attempt": 0 },
            ],
        }));
        assert_eq!((run.token.as_deref(), run.effects.len()), (Some("effects-1"), 2));
        let [first, second] = &run.effects[..] else { panic!("{run:?}") };
        assert_eq!(
            (&*first.id, first.attempt, first.is_idempotent, first.says_unknown),
            ("run_1/repeatable/0", 2, true, false)
        );
        assert_eq!((second.is_idempotent, second.says_unknown), (false, true));
    }

    #[test]
    fn replies_name_their_conversation_and_number() {
        assert_eq!(lane_of("re c7 m12"), Some(("c7".to_owned(), 12)));
        assert_eq!(lane_of("hello"), None);
    }
}
