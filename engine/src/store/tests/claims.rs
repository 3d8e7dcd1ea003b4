//! Who may take over which run, and what happens to the one who drove it before.

use super::*;
use sluice_db::Db;

sluice_db::contract_tests! {
    a_claim_fences_the_former_driver,
    a_run_that_is_driven_is_not_taken,
    every_workspace_gets_its_share,
    lanes_are_taken_one_run_at_a_time,
    a_clock_that_was_set_back_changes_no_order_in_a_lane,
    due_runs_of_one_lane_are_taken_one_by_one,
    the_dead_are_buried_and_their_runs_are_free,
    what_pauses_goes_from_the_dead_to_an_heir,
    no_number_comes_back_while_runs_are_written_under_it,
    a_run_is_given_back,
    suspects_are_taken_alone,
    messages_find_their_run_and_are_answered_once,
    what_is_ours_is_seen_and_taken_up_again,
}

const SOUND: Wanted = Wanted::Sound(2);

async fn claim(store: &Store, runner: i64, limit: u32) -> Vec<String> {
    let (claimed, _) = store.claim_unowned(runner, SOUND, "", limit).await.unwrap();
    claimed.iter().map(|claimed| claimed.key.run_id.to_string()).collect()
}

fn in_lane(run: &str, lane: &str, created_at: i64, status: RunStatus) -> Turn {
    first_turn(NewRun { lane: Some(lane.into()), ..facts(run, created_at) }, status)
}

/// A process that begins in the same second as one that was killed is not taken for it.
async fn no_number_comes_back_while_runs_are_written_under_it(db: Db) {
    let store = Store::new(db);
    let former = store.join(100, "a", 1).await.unwrap();
    let driven = Turn { owner: Some(former), ..first_turn(facts("run_1", 100), RunStatus::Running) };
    let pausing = Turn { owner: Some(former), ..first_turn(facts("run_2", 100), RunStatus::Waiting) };
    commit_all(&store, vec![driven, pausing]).await;
    store.bury_all().await.unwrap();
    let next = store.join(100, "a", 1).await.unwrap();
    assert_ne!(next, former);
    assert_eq!(store.free_orphans().await.unwrap(), 1);
    assert_eq!(claim(&store, next, 10).await, ["run_1"]);
    let inherited = store.inherit(next, 1).await.unwrap();
    assert_eq!(inherited.iter().map(|claimed| &*claimed.key.run_id).collect::<Vec<_>>(), ["run_2"]);
}

async fn a_claim_fences_the_former_driver(db: Db) {
    let store = Store::new(db);
    commit_all(&store, vec![first_turn(facts("run_1", 100), RunStatus::Running)]).await;
    assert_eq!(claim(&store, 7, 10).await, ["run_1"]);
    let stale = next_turn("run_1", 1, 1, RunStatus::Succeeded);
    assert_eq!(store.commit(vec![stale]).await.unwrap(), [Commit::Stale]);
    let stored = store.load(&key("run_1")).await.unwrap().unwrap();
    assert_eq!((stored.owner, stored.turns, stored.claims), (Some(7), 2, 1));
    commit_all(&store, vec![next_turn("run_1", 2, 1, RunStatus::Succeeded)]).await;
    let stored = store.load(&key("run_1")).await.unwrap().unwrap();
    assert_eq!((stored.owner, stored.turns, stored.claims), (None, 3, 0));
}

async fn a_run_that_is_driven_is_not_taken(db: Db) {
    let store = Store::new(db);
    let driven = Turn { owner: Some(3), ..first_turn(facts("run_1", 100), RunStatus::Running) };
    let over = first_turn(facts("run_2", 100), RunStatus::Succeeded);
    let waiting = first_turn(facts("run_3", 100), RunStatus::Waiting);
    commit_all(&store, vec![driven, over, waiting]).await;
    assert!(claim(&store, 7, 10).await.is_empty());
}

async fn every_workspace_gets_its_share(db: Db) {
    let store = Store::new(db);
    let of = |workspace: &str, n: i64| {
        let run = facts(&format!("run_{n}"), n);
        let key = RunKey { workspace_id: workspace.into(), ..run.key.clone() };
        first_turn(NewRun { key, ..run }, RunStatus::Queued)
    };
    let broadcast = (0..50).map(|n| of("ws_big", n));
    commit_all(&store, broadcast.chain([of("ws_small", 900), of("ws_tiny", 901)]).collect()).await;
    let (claimed, _) = store.claim_unowned(7, SOUND, "", 6).await.unwrap();
    let count = |workspace: &str| claimed.iter().filter(|run| &*run.key.workspace_id == workspace).count();
    assert_eq!((count("ws_big"), count("ws_small"), count("ws_tiny")), (2, 1, 1));
    // The next round begins where this one ended, and comes round again.
    let (again, last) = store.claim_unowned(7, SOUND, "ws_small", 6).await.unwrap();
    assert_eq!((again.len(), last.as_str()), (6, "ws_big"));
}

async fn lanes_are_taken_one_run_at_a_time(db: Db) {
    let store = Store::new(db);
    let queued = RunStatus::Queued;
    let runs = vec![
        in_lane("run_b", "l", 200, queued),
        in_lane("run_a", "l", 100, queued),
        in_lane("run_x", "m", 300, queued),
        first_turn(facts("run_free", 400), queued),
    ];
    commit_all(&store, runs).await;
    assert_eq!(claim(&store, 7, 10).await, ["run_a", "run_x", "run_free"]);
    assert!(claim(&store, 8, 10).await.is_empty());
    // It waits, but keeps its place between two attempts: the lane is not free.
    commit_all(&store, vec![Turn { owner: Some(7), ..next_turn("run_a", 2, 1, RunStatus::Waiting) }]).await;
    assert!(claim(&store, 8, 10).await.is_empty());
    commit_all(&store, vec![next_turn("run_a", 3, 2, RunStatus::Waiting)]).await;
    assert_eq!(claim(&store, 8, 10).await, ["run_b"]);
}

async fn a_clock_that_was_set_back_changes_no_order_in_a_lane(db: Db) {
    let store = Store::new(db);
    let queued = RunStatus::Queued;
    commit_all(&store, vec![in_lane("run_9", "l", 5_000, queued)]).await;
    commit_all(&store, vec![in_lane("run_8", "l", 1_000, queued)]).await;
    // Turn by turn, because one of them is refused.
    let stale = next_turn("run_9", 7, 1, RunStatus::Failed);
    let answers = store.commit(vec![in_lane("run_7", "l", 1_000, queued), stale]).await.unwrap();
    assert_eq!(answers, [Commit::Done, Commit::Stale]);
    let others = vec![in_lane("run_6", "m", 1_001, queued), first_turn(facts("run_5", 1_002), queued)];
    commit_all(&store, others).await;
    let mut order = Vec::new();
    for _ in 0..3 {
        let claimed = claim(&store, 7, 10).await;
        let over = |run: &String| next_turn(run, 2, 1, RunStatus::Succeeded);
        commit_all(&store, claimed.iter().map(over).collect()).await;
        order.push(claimed);
    }
    // Only whoever stands behind them is later than it says.
    assert_eq!(order, [vec!["run_6", "run_5", "run_9"], vec!["run_8"], vec!["run_7"]]);
    // Nobody is there any more whom it could not have overtaken.
    commit_all(&store, vec![in_lane("run_4", "l", 1_000, queued)]).await;
    assert_eq!(store.load(&key("run_4")).await.unwrap().unwrap().run.created_at, 1_000);
    assert_eq!(store.load(&key("run_8")).await.unwrap().unwrap().run.created_at, 5_001);
}

async fn due_runs_of_one_lane_are_taken_one_by_one(db: Db) {
    let store = Store::new(db);
    let due = |run: &str, wake_at| Turn { wake_at, ..in_lane(run, "l", 100, RunStatus::Waiting) };
    let free = Turn { wake_at: Some(7), ..first_turn(facts("run_c", 100), RunStatus::Waiting) };
    commit_all(&store, vec![due("run_a", Some(5)), due("run_b", Some(6)), free]).await;
    let taken = |claimed: Vec<Claimed>| {
        claimed.iter().map(|claimed| claimed.key.run_id.to_string()).collect::<Vec<_>>()
    };
    assert!(store.claim_due(7, 4, 10).await.unwrap().is_empty());
    assert_eq!(taken(store.claim_due(7, 9, 10).await.unwrap()), ["run_a", "run_c"]);
    assert!(store.claim_due(8, 9, 10).await.unwrap().is_empty());
    commit_all(&store, vec![next_turn("run_a", 2, 1, RunStatus::Succeeded)]).await;
    assert_eq!(taken(store.claim_due(8, 9, 10).await.unwrap()), ["run_b"]);
}

async fn the_dead_are_buried_and_their_runs_are_free(db: Db) {
    let store = Store::new(db);
    let first = store.join(100, "a", 1).await.unwrap();
    let second = store.join(100, "b", 1).await.unwrap();
    assert_eq!((first, second), (100, 101));
    let driven =
        |run: &str, owner| Turn { owner: Some(owner), ..first_turn(facts(run, 100), RunStatus::Running) };
    commit_all(&store, vec![driven("run_1", 100), driven("run_2", 101)]).await;
    let seen = store.runners().await.unwrap();
    assert!(store.beat(100).await.unwrap());
    // It moved since it was looked at.
    assert!(!store.bury(&seen[0]).await.unwrap());
    assert!(store.bury(&seen[1]).await.unwrap());
    assert!(!store.beat(101).await.unwrap());
    assert_eq!(store.free_orphans().await.unwrap(), 1);
    assert_eq!(claim(&store, 100, 10).await, ["run_2"]);
    assert_eq!(store.bury_former("b").await.unwrap(), 0);
    assert_eq!(store.bury_former("a").await.unwrap(), 1);
    store.join(200, "c", 1).await.unwrap();
    // The clock was set back: still nobody comes in as the lowest.
    assert_eq!(store.join(50, "d", 1).await.unwrap(), 201);
    store.leave(200).await.unwrap();
    store.leave(201).await.unwrap();
    assert!(store.runners().await.unwrap().is_empty());
}

async fn what_pauses_goes_from_the_dead_to_an_heir(db: Db) {
    let store = Store::new(db);
    let heir = store.join(9, "heir", 1).await.unwrap();
    let pausing = |run: &str, created_at, wake_at| Turn {
        owner: Some(7),
        wake_at: Some(wake_at),
        ..in_lane(run, run, created_at, RunStatus::Waiting)
    };
    let driven = Turn { owner: Some(7), ..first_turn(facts("run_d", 100), RunStatus::Running) };
    let behind = in_lane("run_e", "run_a", 300, RunStatus::Queued);
    let waiting = Turn { wake_at: Some(5_000), ..in_lane("run_f", "run_f", 100, RunStatus::Waiting) };
    let turns = vec![pausing("run_a", 200, 5_000), pausing("run_b", 100, 5_000), driven, behind, waiting];
    commit_all(&store, turns).await;
    assert_eq!(store.free_orphans().await.unwrap(), 1, "only what was under way");
    let claimed = |run: &str, claims| Claimed { key: key(run), claims };
    let inherited = store.inherit(heir, 1_000).await.unwrap();
    assert_eq!(inherited, [claimed("run_b", 0), claimed("run_a", 0)], "the oldest first");
    assert!(store.inherit(heir, 1_000).await.unwrap().is_empty());
    assert_eq!(claim(&store, heir, 10).await, ["run_d"], "nobody goes past what pauses");
    let ours = store.driven_by(heir, 10).await.unwrap();
    let pauses = ours.iter().filter(|run| run.pauses_until == Some(5_000)).count();
    assert_eq!((ours.len(), pauses), (3, 2));
    // Whoever drove it before can commit nothing more.
    let late = next_turn("run_a", 1, 1, RunStatus::Succeeded);
    assert_eq!(store.commit(vec![late]).await.unwrap(), [Commit::Stale]);
    // One whose time has come may be what its process died of.
    for claims in 1..3 {
        store.leave(heir + claims - 1).await.unwrap();
        let next = store.join(heir + claims, "next", 1).await.unwrap();
        let inherited = store.inherit(next, 9_000).await.unwrap();
        assert_eq!(inherited, [claimed("run_b", claims), claimed("run_a", claims)]);
    }
}

async fn a_run_is_given_back(db: Db) {
    let store = Store::new(db);
    commit_all(&store, vec![first_turn(facts("run_1", 100), RunStatus::Running)]).await;
    claim(&store, 7, 1).await;
    // Not by one who no longer has it.
    store.give_back(6, &key("run_1"), 2).await.unwrap();
    store.give_back(7, &key("run_1"), 1).await.unwrap();
    assert!(claim(&store, 8, 1).await.is_empty());
    store.give_back(7, &key("run_1"), 2).await.unwrap();
    assert_eq!(claim(&store, 8, 1).await, ["run_1"]);
}

async fn suspects_are_taken_alone(db: Db) {
    let store = Store::new(db);
    let run = |n: i64| first_turn(facts(&format!("run_{n}"), n), RunStatus::Running);
    commit_all(&store, (0..3).map(run).collect()).await;
    for _ in 0..2 {
        assert_eq!(claim(&store, 7, 10).await.len(), 3);
        // The process dies without a commit.
        store.free_orphans().await.unwrap();
    }
    assert!(claim(&store, 7, 10).await.is_empty());
    let (suspects, _) = store.claim_unowned(7, Wanted::Suspect(2), "", 1).await.unwrap();
    assert_eq!(suspects, [Claimed { key: key("run_0"), claims: 3 }]);
}

async fn messages_find_their_run_and_are_answered_once(db: Db) {
    let store = Store::new(db);
    let elsewhere = Turn { owner: Some(3), ..first_turn(facts("run_1", 100), RunStatus::Running) };
    commit_all(&store, vec![elsewhere, in_lane("run_2", "l", 100, RunStatus::Waiting)]).await;
    commit_all(&store, vec![in_lane("run_3", "l", 100, RunStatus::Running)]).await;
    let message = |run: &str| RunMessage { key: key(run), id: format!("msg_{run}"), body: "{}".into() };
    for (at, run) in ["run_1", "run_2", "run_none"].iter().enumerate() {
        store.leave_message(&message(run), at as i64).await.unwrap();
        store.leave_message(&message(run), at as i64).await.unwrap();
    }
    let seen = |open: &[OpenMessage]| {
        open.iter().map(|open| (open.message.key.run_id.to_string(), open.is_known)).collect::<Vec<_>>()
    };
    let open = store.open_messages(7, 10).await.unwrap();
    assert_eq!(seen(&open), [("run_2".to_owned(), true), ("run_none".to_owned(), false)]);
    assert_eq!(store.open_messages(3, 10).await.unwrap().len(), 3);

    assert_eq!(store.claim_run(7, &key("run_2"), true).await.unwrap(), None, "another run is in its lane");
    assert_eq!(store.claim_run(7, &key("run_2"), false).await.unwrap(), Some(1));
    assert_eq!(store.claim_run(8, &key("run_2"), false).await.unwrap(), None);

    store.answer_message(&key("run_2"), "msg_run_2", "first", 50).await.unwrap();
    store.answer_message(&key("run_2"), "msg_run_2", "second", 60).await.unwrap();
    assert_eq!(store.answer_of(&key("run_2"), "msg_run_2").await.unwrap().as_deref(), Some("first"));
    assert_eq!(store.answer_of(&key("run_1"), "msg_run_1").await.unwrap(), None);
    assert_eq!(store.forget_answered(50, 10).await.unwrap(), 0);
    assert_eq!(store.forget_answered(51, 10).await.unwrap(), 1);
}

async fn what_is_ours_is_seen_and_taken_up_again(db: Db) {
    let store = Store::new(db);
    let driven =
        |run: &str, owner| Turn { owner: Some(owner), ..first_turn(facts(run, 100), RunStatus::Running) };
    commit_all(&store, vec![driven("run_1", 7), driven("run_2", 8)]).await;
    let ours = Driven { key: key("run_1"), turns: 1, pauses_until: None };
    assert_eq!(store.driven_by(7, 10).await.unwrap(), [ours]);
    assert!(!store.reclaim(7, &key("run_1"), 2).await.unwrap());
    assert!(!store.reclaim(7, &key("run_2"), 1).await.unwrap());
    assert!(store.reclaim(7, &key("run_1"), 1).await.unwrap());
    let stored = store.load(&key("run_1")).await.unwrap().unwrap();
    assert_eq!((stored.owner, stored.turns, stored.claims), (Some(7), 2, 0));
}
