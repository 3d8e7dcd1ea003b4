//! Runs that need attention: those to be woken, those to be taken up again, and the order within a lane.

use super::*;
use sluice_db::Db;

sluice_db::contract_tests! {
    wake_ups_are_found_when_they_are_due,
    a_turn_replaces_the_wake_up,
    unfinished_runs_are_taken_up_oldest_first,
    a_lane_knows_who_is_at_work,
}

async fn wake_ups_are_found_when_they_are_due(db: Db) {
    let store = Store::new(db);
    assert_eq!(store.next_wake().await.unwrap(), None);
    let turn = |run: &str, wake_at| Turn { wake_at, ..first_turn(facts(run, 100), RunStatus::Waiting) };
    commit_all(
        &store,
        vec![turn("run_1", Some(30)), turn("run_2", Some(10)), turn("run_3", None), turn("run_4", Some(20))],
    )
    .await;
    assert_eq!(store.next_wake().await.unwrap(), Some(10));
    let due = async |after, now, limit| {
        let due = store.due_wakes(after, now, limit).await.unwrap();
        due.into_iter().map(|(key, at)| (key.run_id.to_string(), at)).collect::<Vec<_>>()
    };
    let all = [("run_2".to_owned(), 10), ("run_4".to_owned(), 20), ("run_1".to_owned(), 30)];
    assert_eq!(due(i64::MIN, 9, 10).await, []);
    assert_eq!(due(i64::MIN, 20, 10).await, all[..2]);
    assert_eq!(due(i64::MIN, 99, 2).await, all[..2]);
    assert_eq!(due(i64::MIN, 99, 10).await, all);
    // Those that were told already are left out.
    assert_eq!(due(10, 99, 10).await, all[1..]);
    assert_eq!(due(30, 99, 10).await, []);
    assert_eq!(store.next_wake_after(10).await.unwrap(), Some(20));
    assert_eq!(store.next_wake_after(30).await.unwrap(), None);
}

async fn a_turn_replaces_the_wake_up(db: Db) {
    let store = Store::new(db);
    let first = Turn { wake_at: Some(10), ..first_turn(facts("run_1", 100), RunStatus::Waiting) };
    let later = Turn { wake_at: Some(20), ..next_turn("run_1", 1, 1, RunStatus::Waiting) };
    commit_all(&store, vec![first, later]).await;
    assert_eq!(store.next_wake().await.unwrap(), Some(20));
    commit_all(&store, vec![next_turn("run_1", 2, 2, RunStatus::Succeeded)]).await;
    assert_eq!(store.next_wake().await.unwrap(), None);
    assert_eq!(store.due_wakes(i64::MIN, 99, 10).await.unwrap(), []);
}

async fn unfinished_runs_are_taken_up_oldest_first(db: Db) {
    let store = Store::new(db);
    let mut elsewhere = facts("run_0", 200);
    elsewhere.key.workspace_id = "ws_0".into();
    let turns = vec![
        first_turn(facts("run_1", 300), RunStatus::Running),
        first_turn(facts("run_2", 100), RunStatus::Queued),
        first_turn(facts("run_3", 100), RunStatus::Waiting),
        first_turn(facts("run_4", 100), RunStatus::Cancelled),
        first_turn(facts("run_5", 200), RunStatus::Running),
        first_turn(elsewhere, RunStatus::Running),
    ];
    commit_all(&store, turns).await;
    let claimed = store.claim_all(7, 2, 3).await.unwrap();
    let found: Vec<RunKey> = claimed.into_iter().map(|claimed| claimed.key).collect();
    assert_eq!(ids(&found), ["run_2", "run_0", "run_5"]);
    assert_eq!(store.claim_all(7, 2, 3).await.unwrap(), [Claimed { key: key("run_1"), claims: 1 }]);
    assert!(store.claim_all(7, 2, 3).await.unwrap().is_empty());
    let active = store.count_active().await.unwrap();
    assert_eq!(
        active,
        [
            StatusCount { status: RunStatus::Queued, runs: 1 },
            StatusCount { status: RunStatus::Running, runs: 3 }
        ]
    );
}

async fn a_lane_knows_who_is_at_work(db: Db) {
    let store = Store::new(db);
    let turn =
        |run: &str, at, status| first_turn(NewRun { lane: Some("con_1".into()), ..facts(run, at) }, status);
    let turns = vec![
        turn("run_1", 10, RunStatus::Succeeded),
        turn("run_2", 20, RunStatus::Waiting),
        turn("run_3", 40, RunStatus::Queued),
    ];
    commit_all(&store, turns).await;
    assert!(!store.lane_has_active(WS, "con_1", "run_3").await.unwrap());
    assert!(store.lane_has_active(WS, "con_1", "run_9").await.unwrap());
    commit_all(&store, vec![turn("run_4", 30, RunStatus::Queued), turn("run_5", 5, RunStatus::Running)])
        .await;
    assert!(store.lane_has_active(WS, "con_1", "run_3").await.unwrap());
    assert!(!store.lane_has_active(WS, "con_2", "").await.unwrap());
    assert!(!store.lane_has_active("ws_2", "con_1", "").await.unwrap());
}
