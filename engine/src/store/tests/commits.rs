//! What a commit writes, refuses and leaves alone.

use super::*;
use crate::core::RunError;
use sluice_db::Db;

sluice_db::contract_tests! {
    a_run_comes_back_as_it_was_committed,
    a_pure_run_is_one_row,
    a_run_without_events_is_one_row, events_are_the_same_wherever_they_stand,
    a_stale_turn_writes_nothing,
    a_second_first_turn_is_stale,
    a_deduplication_key_starts_one_run,
    children_come_with_their_parent,
    a_refused_parent_brings_no_children,
    a_signal_is_taken_once,
    an_end_is_kept_and_a_retry_takes_it_back,
    a_load_ends_where_its_row_says,
    many_runs_are_read_as_one_is,
    damage_is_named,
}

fn failure() -> RunError {
    RunError {
        code: "boom".into(),
        node: Some("a".into()),
        message: "No.".into(),
        path: None,
        details: Some(json!([1])),
    }
}

async fn a_run_comes_back_as_it_was_committed(db: Db) {
    let store = Store::new(db);
    let run = NewRun {
        document: Some(r#"{"sluice":1}"#.into()),
        version: 0,
        is_test: true,
        dry_run: true,
        lane: Some("con_1".into()),
        parent_run_id: Some("run_0".into()),
        inbound_id: Some("in_1".into()),
        dedupe_key: Some("wamid.1".into()),
        ..facts("run_1", 100)
    };
    let mut first = first_turn(run.clone(), RunStatus::Running);
    first.events.push(skipped(90, 3));
    let first_events = first.events.clone();
    let mut last = next_turn("run_1", 1, 2, RunStatus::Failed);
    last.error = Some(failure());
    (last.owner, last.attention) = (Some(7), Some(Attention::UnknownOutcome));
    let last_events = last.events.clone();
    // Two turns of one run may share a transaction.
    commit_all(&store, vec![first, last]).await;

    let stored = store.load(&key("run_1")).await.unwrap().unwrap();
    assert_eq!(stored.run, run);
    assert_eq!((stored.turns, stored.status), (2, RunStatus::Failed));
    assert_eq!((stored.started_at, stored.ended_at), (Some(100), Some(1_002)));
    assert_eq!(stored.error, Some(failure()));
    assert_eq!(
        (stored.owner, stored.claims, stored.attention),
        (Some(7), 0, Some(Attention::UnknownOutcome))
    );
    assert_eq!(stored.events, [first_events, last_events].concat());
    assert!(store.load(&key("run_2")).await.unwrap().is_none());
    let elsewhere = RunKey { workspace_id: "ws_2".into(), run_id: "run_1".into() };
    assert!(store.load(&elsewhere).await.unwrap().is_none());
}

async fn rows(db: &Db) -> (i64, i64, i64) {
    let sql = "select (select count(*) from runs) as runs, (select count(*) from run_events) as events, \
         (select count(*) from run_waits) as waits";
    let row = db.query(sql).one().await.unwrap();
    (row.int("runs").unwrap(), row.int("events").unwrap(), row.int("waits").unwrap())
}

async fn a_pure_run_is_one_row(db: Db) {
    let store = Store::new(db.clone());
    let mut turn = first_turn(facts("run_1", 100), RunStatus::Succeeded);
    turn.events.extend((0..50).map(|node| skipped(100, node)));
    turn.waits = Some(Vec::new());
    commit_all(&store, vec![turn]).await;
    assert_eq!(rows(&db).await, (1, 0, 0));
    assert_eq!(store.commit(Vec::new()).await.unwrap(), []);
}

async fn events_are_the_same_wherever_they_stand(db: Db) {
    let store = Store::new(db.clone());
    for (id, lane, status, is_long, beside) in [
        ("run_1", None, RunStatus::Running, false, 0),
        ("run_2", None, RunStatus::Running, true, 1),
        ("run_3", Some("con_1"), RunStatus::Queued, false, 1),
        ("run_4", Some("con_1"), RunStatus::Queued, true, 1),
    ] {
        let new = if is_long { payloads::large_turn } else { first_turn };
        let mut first = new(NewRun { lane: lane.map(str::to_owned), ..facts(id, 100) }, status);
        first.events.push(skipped(90, 3));
        let mut events = first.events.clone();
        let before = rows(&db).await.1;
        commit_all(&store, vec![first]).await;
        assert_eq!(rows(&db).await.1 - before, beside, "{id}");
        let next = next_turn(id, 1, 2, status);
        events.extend(next.events.clone());
        commit_all(&store, vec![next]).await;
        assert_eq!(store.load(&key(id)).await.unwrap().unwrap().events, events);
        assert_eq!(store.load_many(&[key(id)]).await.unwrap()[&key(id)].events, events);
        for from in 0..=events.len() {
            let since = store.events_since(&key(id), from as i64).await.unwrap();
            let expected: Vec<_> = (0_i64..).zip(events.clone()).skip(from).collect();
            assert_eq!(since, expected, "{id} from {from}");
        }
    }
}

async fn a_run_without_events_is_one_row(db: Db) {
    let store = Store::new(db.clone());
    let mut turn = first_turn(facts("run_1", 100), RunStatus::Queued);
    turn.events.clear();
    commit_all(&store, vec![turn]).await;
    assert_eq!(rows(&db).await, (1, 0, 0));
    assert_eq!(store.load(&key("run_1")).await.unwrap().unwrap().events, []);
    commit_all(&store, vec![next_turn("run_1", 1, 0, RunStatus::Succeeded)]).await;
    assert_eq!(store.load(&key("run_1")).await.unwrap().unwrap().events.len(), 1);
}

async fn a_stale_turn_writes_nothing(db: Db) {
    let store = Store::new(db.clone());
    commit_all(&store, vec![first_turn(facts("run_1", 100), RunStatus::Waiting)]).await;
    let before = format!("{:?}", store.load(&key("run_1")).await.unwrap());
    let mut stale = next_turn("run_1", 2, 1, RunStatus::Failed);
    stale.waits = Some(vec![wait_row("a", WaitKind::Signal, Some("s"), 1)]);
    stale.wake_at = Some(7);
    let turns = vec![
        stale,
        next_turn("run_9", 1, 1, RunStatus::Failed),
        first_turn(facts("run_2", 100), RunStatus::Succeeded),
    ];
    let answers = store.commit(turns).await.unwrap();
    assert_eq!(answers, [Commit::Stale, Commit::Stale, Commit::Done]);
    assert_eq!(format!("{:?}", store.load(&key("run_1")).await.unwrap()), before);
    assert_eq!(store.next_wake().await.unwrap(), None);
    assert_eq!(rows(&db).await, (2, 0, 0));
}

async fn a_second_first_turn_is_stale(db: Db) {
    let store = Store::new(db);
    let turn = || first_turn(facts("run_1", 100), RunStatus::Succeeded);
    assert_eq!(store.commit(vec![turn(), turn()]).await.unwrap(), [Commit::Done, Commit::Stale]);
    assert_eq!(store.load(&key("run_1")).await.unwrap().unwrap().events.len(), 1);
}

async fn a_deduplication_key_starts_one_run(db: Db) {
    let store = Store::new(db.clone());
    let turn = |run: &str, dedupe: &str| {
        let run = NewRun { dedupe_key: Some(dedupe.into()), ..facts(run, 100) };
        first_turn(run, RunStatus::Succeeded)
    };
    let mut elsewhere = turn("run_1", "k");
    elsewhere.key.workspace_id = "ws_2".into();
    let turns = vec![turn("run_1", "k"), turn("run_2", "k"), turn("run_3", "l"), elsewhere];
    let answers = store.commit(turns).await.unwrap();
    assert_eq!(answers, [Commit::Done, Commit::Duplicate, Commit::Done, Commit::Done]);
    assert_eq!(store.commit(vec![turn("run_4", "l")]).await.unwrap(), [Commit::Duplicate]);
    assert_eq!(rows(&db).await, (3, 0, 0));
}

async fn children_come_with_their_parent(db: Db) {
    let store = Store::new(db.clone());
    commit_all(&store, vec![first_turn(facts("run_c1", 50), RunStatus::Succeeded)]).await;
    let child = |run: &str| first_turn(facts(run, 100), RunStatus::Queued);
    let mut second = child("run_c2");
    second.children = vec![child("run_g1")];
    let mut parent = first_turn(facts("run_1", 100), RunStatus::Waiting);
    parent.children = vec![child("run_c1"), second, child("run_c3")];
    commit_all(&store, vec![parent]).await;
    let untouched = store.load(&key("run_c1")).await.unwrap().unwrap();
    assert_eq!((untouched.status, untouched.run.created_at), (RunStatus::Succeeded, 50));
    for run in ["run_1", "run_c2", "run_g1", "run_c3"] {
        assert!(store.load(&key(run)).await.unwrap().is_some(), "{run}");
    }
}

async fn a_refused_parent_brings_no_children(db: Db) {
    let store = Store::new(db.clone());
    commit_all(&store, vec![first_turn(facts("run_1", 100), RunStatus::Running)]).await;
    let mut stale = next_turn("run_1", 5, 1, RunStatus::Waiting);
    stale.children = vec![first_turn(facts("run_c", 100), RunStatus::Queued)];
    assert_eq!(store.commit(vec![stale]).await.unwrap(), [Commit::Stale]);
    assert!(store.load(&key("run_c")).await.unwrap().is_none());
}

async fn a_signal_is_taken_once(db: Db) {
    let store = Store::new(db);
    let runs = vec![
        first_turn(facts("run_1", 100), RunStatus::Waiting),
        first_turn(facts("run_2", 100), RunStatus::Waiting),
    ];
    commit_all(&store, runs).await;
    let receipt = Some("msg_1".to_owned());
    let take = |run| Turn { receipt: receipt.clone(), ..next_turn(run, 1, 1, RunStatus::Running) };
    commit_all(&store, vec![take("run_1")]).await;
    assert_eq!(store.commit(vec![take("run_2")]).await.unwrap(), [Commit::Duplicate]);
    assert_eq!(store.load(&key("run_2")).await.unwrap().unwrap().turns, 1);
}

async fn an_end_is_kept_and_a_retry_takes_it_back(db: Db) {
    let store = Store::new(db);
    let mut failed = first_turn(facts("run_1", 100), RunStatus::Failed);
    failed.error = Some(failure());
    let after_the_end = next_turn("run_1", 1, 1, RunStatus::Failed);
    commit_all(&store, vec![failed, Turn { ended_at: None, ..after_the_end }]).await;
    let stored = store.load(&key("run_1")).await.unwrap().unwrap();
    assert_eq!((stored.ended_at, stored.error), (Some(100), Some(failure())));

    let retried = next_turn("run_1", 2, 2, RunStatus::Running);
    commit_all(&store, vec![Turn { started_at: Some(777), ..retried }]).await;
    let stored = store.load(&key("run_1")).await.unwrap().unwrap();
    assert_eq!((stored.started_at, stored.ended_at), (Some(100), None));
    assert_eq!(stored.error, None);
}

async fn a_load_ends_where_its_row_says(db: Db) {
    let store = Store::new(db.clone());
    let turns = vec![
        first_turn(facts("run_1", 100), RunStatus::Running),
        next_turn("run_1", 1, 1, RunStatus::Succeeded),
    ];
    commit_all(&store, turns).await;
    // As seen by a reader whose second question comes after somebody's later commit.
    db.query("update runs set turns = 1, events = 1").execute().await.unwrap();
    assert_eq!(store.load(&key("run_1")).await.unwrap().unwrap().events.len(), 1);
}

async fn many_runs_are_read_as_one_is(db: Db) {
    let store = Store::new(db.clone());
    // More than one statement reads, and neither the runs nor their turns in the order in which they are asked for.
    let names: Vec<String> = (0..150).map(|n| format!("run_{:03}", n * 7 % 150)).collect();
    for (n, name) in names.iter().enumerate() {
        let mut turns = vec![first_turn(facts(name, 100), RunStatus::Waiting)];
        turns.extend((1..=n as i64 % 3).map(|turn| next_turn(name, turn, turn, RunStatus::Running)));
        commit_all(&store, turns).await;
    }
    db.query("update runs set status = 9 where run_id = 'run_007'").execute().await.unwrap();
    let mut keys: Vec<RunKey> = (0..150).map(|n| key(&format!("run_{n:03}"))).collect();
    keys.push(key("run_nowhere"));
    keys.push(RunKey { workspace_id: "ws_2".into(), run_id: "run_001".into() });
    let found = store.load_many(&keys).await.unwrap();
    assert_eq!(found.len(), 149, "all but the damaged one and those that do not exist");
    for (key, run) in &found {
        assert_eq!(format!("{run:?}"), format!("{:?}", store.load(key).await.unwrap().unwrap()));
    }
    assert!(store.load_many(&[]).await.unwrap().is_empty());
}

async fn damage_is_named(db: Db) {
    let store = Store::new(db.clone());
    let first = first_turn(facts("run_1", 100), RunStatus::Running);
    commit_all(&store, vec![first, next_turn("run_1", 1, 1, RunStatus::Running)]).await;
    for (damage, what) in [
        ("update runs set error = '{'", "the error"),
        ("update runs set attention = 9, error = null", "the attention"),
        ("update runs set status = 9, attention = null", "the status"),
        ("update runs set status = 1, events = 3", "the last events"),
        ("update run_events set first_seq = 2", "a row of events"),
    ] {
        db.query(damage).execute().await.unwrap();
        assert!(store.load_many(&[key("run_1")]).await.unwrap().is_empty(), "{damage}");
        match store.load(&key("run_1")).await {
            Err(StoreError::Corrupt { what: named, id }) => assert_eq!((named, &*id), (what, "run_1")),
            other => panic!("{damage}: {other:?}"),
        }
    }
    db.query("update run_events set body = $1").bind(vec![9_u8]).execute().await.unwrap();
    assert!(matches!(
        store.events_since(&key("run_1"), 0).await,
        Err(StoreError::Corrupt { what: "the events", .. })
    ));
}
