//! Only what has been kept long enough goes, in small steps, with everything that belongs to it.

use super::super::payloads::{KeptPayload, PayloadError, PayloadPlace};
use super::payloads::{folder, large_turn, listed, with_place};
use super::*;
use crate::drive::{Pruned, Pruner, Retention};
use ::bytes::Bytes;
use futures::stream::BoxStream;
use sluice_db::Db;
use std::sync::atomic::{AtomicBool, Ordering};

sluice_db::contract_tests! {
    only_expired_runs_go,
    what_belongs_to_a_run_goes_with_it,
    a_wish_of_a_workflow_is_followed_when_it_changes,
    wishes_of_earlier_versions_are_noted,
    a_child_stays_until_its_caller_has_heard,
    a_run_that_goes_on_is_left_alone,
    writers_commit_between_the_steps,
    many_that_end_at_one_moment_all_go,
    notes_are_forgotten_in_batches,
    payloads_go_with_their_run,
    a_crash_leaves_orphans_that_a_sweep_removes,
    a_payload_of_somebody_else_is_left_alone,
    the_file_shrinks,
}

const DAY: i64 = 86_400_000;

/// Long after the tests' other times.
const NOW: i64 = 1_000 * DAY;

fn keep(runs: i64, tests: i64) -> Retention {
    Retention { runs: Some(runs * DAY), tests: Some(tests * DAY), receipts: Some(7 * DAY) }
}

/// A run that ended so many days ago.
fn ended(run: &str, days: i64) -> Turn {
    first_turn(facts(run, NOW - days * DAY), RunStatus::Succeeded)
}

async fn prune_at(pruner: &mut Pruner, now: i64) -> Pruned {
    let mut sum = Pruned::default();
    pruner.begin(now).await.unwrap();
    while !pruner.is_done() {
        sum += pruner.step().await.unwrap();
    }
    sum
}

async fn prune(store: &Store, retention: Retention) -> Pruned {
    prune_at(&mut Pruner::new(store.clone(), retention), NOW).await
}

async fn left(db: &Db, table: &str) -> Vec<String> {
    let sql = format!("select distinct run_id from {table} order by run_id");
    db.query(sql).all().await.unwrap().iter().map(|row| row.text("run_id").unwrap()).collect()
}

/// A published workflow with a wish.
async fn publish(store: &Store, id: &str, retention_ms: Option<i64>) {
    let new = NewWorkflow { id, name: id, draft: "{}", at: 1 };
    if store.workflow(WS, id).await.unwrap().is_none() {
        store.create_workflow(WS, new).await.unwrap();
    }
    let publication =
        Publication { document: "{}", triggers: Vec::new(), schedules: Vec::new(), retention_ms, at: 1 };
    store.publish(WS, id, publication).await.unwrap();
}

async fn only_expired_runs_go(db: Db) {
    let store = Store::new(db.clone());
    publish(&store, "wf_short", Some(DAY)).await;
    publish(&store, "wf_long", Some(365 * DAY)).await;
    publish(&store, "wf_silent", None).await;
    let of = |mut turn: Turn, workflow: &str| {
        turn.new_run.as_mut().unwrap().workflow_id = workflow.into();
        turn
    };
    let test = |mut turn: Turn| {
        turn.new_run.as_mut().unwrap().is_test = true;
        turn
    };
    // Too much for the row of the run.
    let long = |turn: Turn| {
        let run = NewRun::clone(turn.new_run.as_deref().unwrap());
        Turn { events: payloads::large_turn(run, turn.status).events, ..turn }
    };
    let long_ago = NOW - 900 * DAY;
    let mut waiting = first_turn(facts("waiting", long_ago), RunStatus::Waiting);
    waiting.wake_at = Some(NOW + DAY);
    commit_all(
        &store,
        [
            ended("default_old", 31),
            ended("default_new", 29),
            of(ended("short_old", 2), "wf_short"),
            of(ended("short_new", 0), "wf_short"),
            of(ended("long_old", 366), "wf_long"),
            of(ended("long_new", 300), "wf_long"),
            of(ended("silent_old", 31), "wf_silent"),
            test(of(ended("test_old", 8), "wf_long")),
            test(of(ended("test_new", 6), "wf_short")),
            waiting,
            first_turn(facts("queued", long_ago), RunStatus::Queued),
            first_turn(facts("running", long_ago), RunStatus::Running),
        ]
        .map(long)
        .to_vec(),
    )
    .await;
    let mut pruner = Pruner::new(store.clone(), keep(30, 7));
    assert_eq!(prune_at(&mut pruner, NOW).await.runs, 5);
    let stay = ["default_new", "long_new", "queued", "running", "short_new", "test_new", "waiting"];
    assert_eq!(left(&db, "runs").await, stay);
    assert_eq!(left(&db, "run_events").await, stay);
    // Time goes on, and the pruner need not begin anew.
    assert_eq!(prune_at(&mut pruner, NOW + DAY / 2).await.runs, 0);
    assert_eq!(prune_at(&mut pruner, NOW + 2 * DAY).await.runs, 3);
    assert_eq!(left(&db, "runs").await, ["long_new", "queued", "running", "waiting"]);
    // For ever is for ever.
    assert_eq!(prune(&store, Retention::default()).await.runs, 0);
}

async fn what_belongs_to_a_run_goes_with_it(db: Db) {
    let store = Store::new(db.clone());
    let mut first = first_turn(facts("run_1", 1), RunStatus::Waiting);
    first.waits = Some(vec![wait_row("a", WaitKind::Signal, Some("s"), 1)]);
    let mut last = next_turn("run_1", 1, 1, RunStatus::Succeeded);
    last.waits = None;
    let others =
        [first_turn(facts("run_2", 1), RunStatus::Waiting), next_turn("run_2", 1, 1, RunStatus::Waiting)];
    commit_all(&store, [first, last].into_iter().chain(others).collect()).await;
    for run in ["run_1", "run_2"] {
        let sql = "insert into run_messages (workspace_id, run_id, message_id, body, created_at) \
             values ($1, $2, 'm', '{}', 1)";
        db.query(sql).bind(WS).bind(run).execute().await.unwrap();
    }
    assert_eq!(prune(&store, keep(30, 7)).await.runs, 1);
    for (table, stay) in [("runs", 1), ("run_events", 1), ("run_waits", 0), ("run_messages", 1)] {
        assert_eq!(left(&db, table).await, ["run_2"][..stay], "{table}");
    }
}

async fn a_wish_of_a_workflow_is_followed_when_it_changes(db: Db) {
    let store = Store::new(db.clone());
    publish(&store, "wf_1", Some(50 * DAY)).await;
    commit_all(&store, vec![ended("run_1", 40)]).await;
    let mut pruner = Pruner::new(store.clone(), keep(10, 10));
    assert_eq!(prune_at(&mut pruner, NOW).await.runs, 0);
    publish(&store, "wf_1", Some(20 * DAY)).await;
    assert_eq!(prune_at(&mut pruner, NOW).await.runs, 1);
    // A deleted workflow has no wishes.
    publish(&store, "wf_1", Some(50 * DAY)).await;
    commit_all(&store, vec![ended("run_2", 40)]).await;
    assert_eq!(prune_at(&mut pruner, NOW).await.runs, 0);
    assert!(store.delete_workflow(WS, "wf_1").await.unwrap());
    assert_eq!(prune_at(&mut pruner, NOW).await.runs, 1);
}

async fn wishes_of_earlier_versions_are_noted(db: Db) {
    let store = Store::new(db.clone());
    store.create_workflow(WS, NewWorkflow { id: "wf_1", name: "n", draft: "{}", at: 1 }).await.unwrap();
    let document = r#"{"sluice":1,"name":"n","nodes":[],"settings":{"retention":"400d"}}"#;
    let publication = Publication {
        document,
        triggers: Vec::new(),
        schedules: Vec::new(),
        retention_ms: None, // as a program without the column left it
        at: 1,
    };
    store.publish(WS, "wf_1", publication).await.unwrap();
    commit_all(&store, vec![ended("run_1", 399), ended("run_2", 401)]).await;
    assert_eq!(prune(&store, keep(30, 7)).await.runs, 1);
    assert_eq!(left(&db, "runs").await, ["run_1"]);
}

async fn a_child_stays_until_its_caller_has_heard(db: Db) {
    let store = Store::new(db.clone());
    let mut parent = first_turn(facts("run_1", 1), RunStatus::Waiting);
    parent.waits = Some(vec![wait_row("a", WaitKind::Call, Some("run:run_2"), 1)]);
    commit_all(&store, vec![parent, ended("run_2", 100)]).await;
    let mut pruner = Pruner::new(store.clone(), keep(30, 7));
    assert_eq!(prune_at(&mut pruner, NOW).await.runs, 0);
    let mut heard = next_turn("run_1", 1, 1, RunStatus::Running);
    heard.waits = Some(Vec::new());
    commit_all(&store, vec![heard]).await;
    assert_eq!(prune_at(&mut pruner, NOW + DAY).await.runs, 1);
    assert_eq!(left(&db, "runs").await, ["run_1"]);
}

async fn a_run_that_goes_on_is_left_alone(db: Db) {
    let store = Store::new(db.clone());
    commit_all(&store, vec![ended("run_1", 100), ended("run_2", 100)]).await;
    let judged = store.ended_runs(i64::MIN, NOW, 10).await.unwrap();
    assert_eq!(judged.len(), 2);
    // Somebody retries one of them just now.
    commit_all(&store, vec![next_turn("run_1", 1, 1, RunStatus::Running)]).await;
    let deleted = store.delete_runs(&judged).await.unwrap();
    assert_eq!((deleted.runs, deleted.looked_at), (1, 2));
    assert_eq!(left(&db, "run_events").await, ["run_1"]);
    // Who had loaded the other one learns that it is gone.
    let turn = next_turn("run_2", 1, 1, RunStatus::Running);
    assert_eq!(store.commit(vec![turn]).await.unwrap(), [Commit::Stale]);
}

async fn writers_commit_between_the_steps(db: Db) {
    let store = Store::new(db.clone());
    for number in 0..700 {
        commit_all(&store, vec![ended(&format!("old_{number:04}"), 40)]).await;
    }
    let mut pruner = Pruner::new(store.clone(), keep(30, 30));
    pruner.begin(NOW).await.unwrap();
    let (mut deleting, mut number) = (0, 0);
    while !pruner.is_done() {
        if pruner.step().await.unwrap().runs > 0 {
            deleting += 1;
        }
        // A writer's turn, in the middle of the work.
        commit_all(&store, vec![first_turn(facts(&format!("new_{number:04}"), NOW), RunStatus::Running)])
            .await;
        number += 1;
    }
    assert!(deleting >= 4, "{deleting} steps");
    let runs = left(&db, "runs").await;
    assert_eq!(runs.len(), number);
    assert!(runs.iter().all(|run| run.starts_with("new_")));
}

async fn many_that_end_at_one_moment_all_go(db: Db) {
    let store = Store::new(db.clone());
    // More than are judged at a time, and most of them are to stay.
    publish(&store, "wf_long", Some(500 * DAY)).await;
    let runs = (0..4_200).map(|number| {
        let mut turn = ended(&format!("run_{number:04}"), 100);
        if number % 100 != 0 {
            turn.new_run.as_mut().unwrap().workflow_id = "wf_long".into();
        }
        turn
    });
    let runs: Vec<Turn> = runs.collect();
    for part in runs.chunks(700) {
        commit_all(&store, part.to_vec()).await;
    }
    assert_eq!(prune(&store, keep(30, 30)).await.runs, 42);
    assert_eq!(left(&db, "runs").await.len(), 4_158);
}

async fn notes_are_forgotten_in_batches(db: Db) {
    let store = Store::new(db.clone());
    let mut tx = db.begin().await.unwrap();
    for number in 0..1_300_i64 {
        let at = if number < 1_200 { NOW - 8 * DAY } else { NOW };
        let sql =
            "insert into signal_receipts (workspace_id, receipt, run_id, at) values ($1, $2, 'run_1', $3)";
        tx.query(sql).bind(WS).bind(number.to_string()).bind(at).execute().await.unwrap();
    }
    for (message, answered) in [("old", Some(NOW - DAY)), ("new", Some(NOW)), ("open", None)] {
        let sql = "insert into run_messages (workspace_id, run_id, message_id, body, created_at, answered_at) \
             values ($1, 'run_1', $2, '{}', 1, $3)";
        tx.query(sql).bind(WS).bind(message).bind(answered).execute().await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(prune(&store, keep(30, 7)).await.notes, 1_201);
    for (table, left) in [("signal_receipts", 100), ("run_messages", 2)] {
        let row = db.query(format!("select count(*) as n from {table}")).one().await.unwrap();
        assert_eq!(row.int("n").unwrap(), left, "{table}");
    }
}

/// A place that can be kept from deleting, as by a crash before it.
#[derive(Debug)]
struct Stubborn {
    place: Arc<dyn PayloadPlace>,
    refuses: AtomicBool,
}

#[async_trait::async_trait]
impl PayloadPlace for Stubborn {
    async fn put(&self, key: &str, body: Bytes) -> Result<(), PayloadError> {
        self.place.put(key, body).await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, PayloadError> {
        self.place.get(key).await
    }

    async fn delete(&self, key: &str) -> Result<(), PayloadError> {
        match self.refuses.load(Ordering::SeqCst) {
            true => Err(PayloadError::Setting("not now".into())),
            false => self.place.delete(key).await,
        }
    }

    fn list(&self) -> BoxStream<'static, Result<KeptPayload, PayloadError>> {
        self.place.list()
    }

    fn name(&self) -> String {
        self.place.name()
    }
}

async fn payloads_go_with_their_run(db: Db) {
    let (_folder, place) = folder();
    let store = with_place(&db, &place);
    let runs = ["run_1", "run_2", "run_3"].map(|run| large_turn(facts(run, NOW), RunStatus::Running));
    commit_all(&store, runs.to_vec()).await;
    let mut end = next_turn("run_2", 1, 1, RunStatus::Succeeded);
    end.ended_at = Some(NOW - 40 * DAY);
    commit_all(&store, vec![end]).await;
    let pruned = prune(&store, keep(30, 30)).await;
    assert_eq!((pruned.runs, pruned.payloads), (1, 1));
    let left = listed(&place).await;
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|kept| !kept.key.contains("run_2")), "{left:?}");
    for run in ["run_1", "run_3"] {
        assert!(store.load(&key(run)).await.unwrap().is_some());
    }
}

async fn a_crash_leaves_orphans_that_a_sweep_removes(db: Db) {
    let (_folder, files) = folder();
    let stubborn = Arc::new(Stubborn { place: files.clone(), refuses: AtomicBool::new(true) });
    let place: Arc<dyn PayloadPlace> = stubborn.clone();
    let store = with_place(&db, &place);
    publish(&store, "wf_1", None).await;
    commit_all(&store, vec![large_turn(facts("run_1", 1), RunStatus::Succeeded)]).await;
    commit_all(&store, vec![large_turn(facts("run_2", 1), RunStatus::Running)]).await;
    let written = listed(&place).await.iter().map(|kept| kept.written_at).max().unwrap();
    let mut pruner = Pruner::new(store.clone(), keep(30, 30));
    assert_eq!(prune_at(&mut pruner, written).await.runs, 1);
    assert_eq!(listed(&place).await.len(), 2);
    stubborn.refuses.store(false, Ordering::SeqCst);
    // Written, and its commit is still under way.
    store.set_aside(&key("run_3"), 0, vec![b'x'; 5_000]).await.unwrap();
    let mut later = Pruner::new(store.clone(), keep(30, 30));
    assert_eq!(prune_at(&mut later, written + DAY / 2).await.payloads, 0);
    assert_eq!(listed(&place).await.len(), 3);
    // A day later nothing can be under way.
    assert_eq!(prune_at(&mut later, written + 3 * DAY).await.payloads, 2);
    assert_eq!(listed(&place).await.len(), 1);
    assert!(store.load(&key("run_2")).await.unwrap().is_some());
}

async fn a_payload_of_somebody_else_is_left_alone(db: Db) {
    let (_folder, place) = folder();
    let store = with_place(&db, &place);
    commit_all(&store, vec![large_turn(facts("run_1", 1), RunStatus::Running)]).await;
    let other = RunKey { workspace_id: "ws_of_another_installation".into(), run_id: "run_9".into() };
    store.set_aside(&other, 0, vec![b'x'; 5_000]).await.unwrap();
    place.put("notes.txt", "of the operator".into()).await.unwrap();
    let found = listed(&place).await;
    let swept = store.sweep_payloads(&found, i64::MAX).await.unwrap();
    assert_eq!(swept, Swept { deleted: 0, foreign: 2 });
    assert_eq!(listed(&place).await.len(), 3);
}

async fn the_file_shrinks(db: Db) {
    let store = Store::new(db.clone());
    for number in 0..500 {
        let run = facts(&format!("run_{number:03}"), NOW - 40 * DAY);
        commit_all(&store, vec![large_turn(run, RunStatus::Succeeded)]).await;
    }
    let Some(before) = db.space().await.unwrap() else { return };
    assert_eq!(prune(&store, keep(30, 30)).await.runs, 500);
    let after = db.space().await.unwrap().unwrap();
    assert!(after.can_shrink && after.pages < before.pages / 2, "{before:?} {after:?}");
    assert!(after.free_pages < 100, "{after:?}");
}
