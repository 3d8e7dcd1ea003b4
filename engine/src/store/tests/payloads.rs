//! Large bodies: out of line, durable before their commit, never written over, and missed loudly.

use super::super::events::from_all_events;
use super::super::payloads::{Folder, KeptPayload, PayloadPlace, Payloads};
use super::*;
use futures::TryStreamExt;
use sluice_db::Db;
use std::path::{Path, PathBuf};

sluice_db::contract_tests! {
    a_large_turn_leaves_a_small_row,
    children_are_set_aside_too,
    a_commit_that_is_tried_again_refers_to_the_same_payload,
    who_loses_a_race_overwrites_nothing,
    a_missing_payload_is_named_and_the_rest_can_be_read,
    a_damaged_payload_is_not_believed,
    a_reference_without_a_place_says_what_to_set,
}

/// From this size on a body is large, in these tests.
const LARGE: usize = 2_000;

/// A place in a folder of its own.
pub(super) fn folder() -> (tempfile::TempDir, Arc<dyn PayloadPlace>) {
    let folder = tempfile::tempdir().unwrap();
    let place = Folder::new(folder.path().join("payloads"));
    (folder, Arc::new(place))
}

/// A store that keeps what is large in a place.
pub(super) fn with_place(db: &Db, place: &Arc<dyn PayloadPlace>) -> Store {
    Store::new(db.clone()).with_payloads(Payloads::new(place.clone(), LARGE))
}

/// The first turn of a run with much in it. No codec makes it small: it looks like chance.
pub(super) fn large_turn(run: NewRun, status: RunStatus) -> Turn {
    let mut seed = run.key.run_id.bytes().fold(7_u64, |seed, byte| seed * 31 + u64::from(byte));
    let mut text = String::new();
    for _ in 0..1_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("{:08x}", seed >> 32));
    }
    let mut turn = first_turn(run, status);
    turn.events[0] = started(turn.events[0].at, json!({ "text": text }));
    turn
}

pub(super) async fn listed(place: &Arc<dyn PayloadPlace>) -> Vec<KeptPayload> {
    place.list().try_collect().await.unwrap()
}

async fn bodies(db: &Db) -> Vec<Vec<u8>> {
    const SQL: &str = from_all_events!("body", "order by run_id, first_seq");
    let rows = db.query(SQL).all().await.unwrap();
    rows.iter().map(|row| row.bytes("body").unwrap()).collect()
}

/// The one file of a payload.
fn only_file(folder: &Path) -> PathBuf {
    let mut path = folder.join("payloads");
    while path.is_dir() {
        path = std::fs::read_dir(&path).unwrap().next().unwrap().unwrap().path();
    }
    path
}

async fn a_large_turn_leaves_a_small_row(db: Db) {
    let (_folder, place) = folder();
    let store = with_place(&db, &place);
    let turns = vec![
        large_turn(facts("run_1", 1), RunStatus::Running),
        first_turn(facts("run_2", 1), RunStatus::Running),
    ];
    let events = turns[0].events.clone();
    commit_all(&store, turns).await;
    let stored = bodies(&db).await;
    assert!(stored.iter().all(|body| body.len() < 500));
    assert_eq!(listed(&place).await.len(), 1);
    assert_eq!(store.count_references().await.unwrap(), 1);
    assert_eq!(store.load(&key("run_1")).await.unwrap().unwrap().events, events);
    let since: Vec<_> = store.events_since(&key("run_1"), 0).await.unwrap();
    assert_eq!(since, vec![(0, events[0].clone())]);
    let (written, read) = store.payloads().unwrap().bytes();
    assert!(written > LARGE as u64 && read == 2 * written, "{written} written, {read} read");
    // Without a place everything is inside.
    let inside = Store::new(db.clone());
    commit_all(&inside, vec![large_turn(facts("run_3", 1), RunStatus::Running)]).await;
    assert_eq!(listed(&place).await.len(), 1);
    assert!(inside.load(&key("run_3")).await.unwrap().is_some());
}

async fn children_are_set_aside_too(db: Db) {
    let (_folder, place) = folder();
    let store = with_place(&db, &place);
    let mut parent = first_turn(facts("run_1", 1), RunStatus::Running);
    parent.children = vec![large_turn(facts("run_2", 1), RunStatus::Queued)];
    commit_all(&store, vec![parent]).await;
    assert_eq!(store.count_references().await.unwrap(), 1);
    assert_eq!(store.load(&key("run_2")).await.unwrap().unwrap().events.len(), 1);
}

async fn a_commit_that_is_tried_again_refers_to_the_same_payload(db: Db) {
    let (_folder, place) = folder();
    let store = with_place(&db, &place);
    let body = vec![b'x'; LARGE + 1];
    let first = store.set_aside(&key("run_1"), 0, body.clone()).await.unwrap();
    assert_eq!(store.set_aside(&key("run_1"), 0, body).await.unwrap(), first);
    assert_eq!(listed(&place).await.len(), 1);
    let other = store.set_aside(&key("run_1"), 0, vec![b'y'; LARGE + 1]).await.unwrap();
    assert_ne!(other, first);
    assert_eq!(store.whole_body(&key("run_1"), other).await.unwrap(), vec![b'y'; LARGE + 1]);
}

async fn who_loses_a_race_overwrites_nothing(db: Db) {
    let (_folder, place) = folder();
    // Two processes: neither knows what the other one wrote.
    let (winner, loser) = (with_place(&db, &place), with_place(&db, &place));
    let won = large_turn(facts("run_1", 1), RunStatus::Running);
    let mut lost = large_turn(facts("run_1", 1), RunStatus::Running);
    lost.events.push(skipped(2, 1));
    commit_all(&winner, vec![won.clone()]).await;
    assert_eq!(loser.commit(vec![lost]).await.unwrap(), [Commit::Stale]);
    assert_eq!(winner.load(&key("run_1")).await.unwrap().unwrap().events, won.events);
    let found = listed(&place).await;
    assert_eq!(found.len(), 2);
    // Later, when no commit can be under way any more, what lost is swept.
    let now = found.iter().map(|kept| kept.written_at).max().unwrap();
    assert_eq!(winner.sweep_payloads(&found, now - 1_000).await.unwrap().deleted, 0);
    assert_eq!(winner.sweep_payloads(&found, now + 1).await.unwrap().deleted, 1);
    assert_eq!(winner.load(&key("run_1")).await.unwrap().unwrap().events, won.events);
}

async fn a_missing_payload_is_named_and_the_rest_can_be_read(db: Db) {
    let (folder, place) = folder();
    let store = with_place(&db, &place);
    let mut large = next_turn("run_1", 1, 1, RunStatus::Running);
    large.events = large_turn(facts("run_1", 1), RunStatus::Running).events;
    let before = first_turn(facts("run_1", 1), RunStatus::Running);
    let after = next_turn("run_1", 2, 2, RunStatus::Succeeded);
    commit_all(&store, vec![before.clone(), large, after.clone()]).await;
    std::fs::remove_file(only_file(folder.path())).unwrap();
    let error = store.load(&key("run_1")).await.unwrap_err();
    let StoreError::Corrupt { what: "a payload", id } = &error else { panic!("{error:?}") };
    assert!(id.starts_with("run_1 at file:") && id.contains("/ws_1/run_1/1-"), "{id}");
    let (readable, damage) = store.load_readable(&key("run_1")).await.unwrap().unwrap();
    assert_eq!((readable.events, readable.status), (before.events, RunStatus::Succeeded));
    assert_eq!(damage.unwrap().to_string(), error.to_string());
    assert_eq!(store.events_since(&key("run_1"), 2).await.unwrap(), vec![(2, after.events[0].clone())]);
    assert!(store.events_since(&key("run_1"), 1).await.is_err());
}

async fn a_damaged_payload_is_not_believed(db: Db) {
    let (folder, place) = folder();
    let store = with_place(&db, &place);
    commit_all(&store, vec![large_turn(facts("run_1", 1), RunStatus::Running)]).await;
    let path = only_file(folder.path());
    let whole = std::fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    flipped[LARGE / 2] ^= 1;
    for damaged in [&flipped[..], &whole[..LARGE], &[]] {
        std::fs::write(&path, damaged).unwrap();
        let error = store.load(&key("run_1")).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { what: "a payload", .. }), "{error:?}");
    }
    std::fs::write(&path, whole).unwrap();
    assert!(store.load(&key("run_1")).await.unwrap().is_some());
}

async fn a_reference_without_a_place_says_what_to_set(db: Db) {
    let (_folder, place) = folder();
    commit_all(&with_place(&db, &place), vec![large_turn(facts("run_1", 1), RunStatus::Running)]).await;
    let error = Store::new(db).load(&key("run_1")).await.unwrap_err();
    let StoreError::Payloads(source) = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("set `payloads`"), "{source}");
}

#[tokio::test]
async fn a_folder_that_refuses_fails_the_commit_and_leaves_nothing_half() {
    let (folder, place) = folder();
    // A file stands where the folder is to be.
    std::fs::write(folder.path().join("payloads"), "in the way").unwrap();
    let error = place.put("ws/run/0-a", "body".into()).await.unwrap_err();
    assert!(error.to_string().contains("payloads"), "{error}");
    std::fs::remove_file(folder.path().join("payloads")).unwrap();
    for key in ["../out", "/etc/x", "a//b", "a/./b", ""] {
        assert!(place.put(key, "body".into()).await.is_err(), "{key:?}");
    }
    place.put("ws/run/0-a", "body".into()).await.unwrap();
    assert!(place.put("ws/run/0-a/b", "body".into()).await.is_err());
    assert_eq!(place.get("ws/run/0-a").await.unwrap().unwrap(), "body");
    let names: Vec<_> = listed(&place).await.into_iter().map(|kept| kept.key).collect();
    assert_eq!(names, ["ws/run/0-a"]);
    place.delete("ws/run/0-a").await.unwrap();
    place.delete("ws/run/0-a").await.unwrap();
    assert_eq!(place.get("ws/run/0-a").await.unwrap(), None);
    assert!(!folder.path().join("payloads/ws/run").exists());
}

#[tokio::test]
async fn payloads_come_and_go_in_one_folder_at_once() {
    let (_folder, place) = folder();
    let tasks = (0..8).map(|task| {
        let place = place.clone();
        tokio::spawn(async move {
            for round in 0..25 {
                let key = format!("ws/run/{round}-{task}");
                place.put(&key, "body".into()).await.unwrap();
                place.delete(&key).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(listed(&place).await, []);
}
