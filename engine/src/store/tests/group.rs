//! Many callers share transactions: everybody's answer is right, everybody's turn is durable, and nobody's failure
//! or absence is anybody else's.

use super::*;
use crate::store::at_once;
use crate::store::commit::Ready;
use crate::store::one_statement::{self, EXPECTED_ROWS};
use futures::future::join_all;
use sluice_db::{Arg, Db};
use std::time::Duration;

sluice_db::contract_tests! {
    many_callers_are_all_answered_rightly,
    first_turns_of_any_number_are_written_and_one_refusal_is_its_own,
    any_turns_are_written_at_once,
    turns_of_one_run_keep_their_order_among_others,
    an_error_is_its_own_callers,
    a_caller_that_goes_away_loses_nothing,
    nothing_is_written_when_the_database_is_gone,
    a_large_turn_waits_for_nobodys_leave,
}

/// What the nth of many callers wants, and what must become of it.
fn wish(n: usize) -> (Turn, Option<Commit>) {
    let run = format!("run_{n}");
    match n % 8 {
        // Run 0 exists and has one turn.
        3 => (next_turn("run_0", 7, 1, RunStatus::Failed), Some(Commit::Stale)),
        4 => (first_turn(facts("run_0", 100), RunStatus::Succeeded), Some(Commit::Stale)),
        // Of the callers with one key one is first; which one is not known.
        5 | 6 => {
            let dedupe_key = Some(format!("key_{}", n / 32));
            (first_turn(NewRun { dedupe_key, ..facts(&run, 100) }, RunStatus::Succeeded), None)
        }
        7 => {
            let mut turn = first_turn(facts(&run, 100), RunStatus::Waiting);
            turn.waits = Some(vec![wait_row("a", WaitKind::Signal, Some("s"), 1)]);
            turn.children = vec![first_turn(facts(&format!("{run}_child"), 100), RunStatus::Queued)];
            (turn, Some(Commit::Done))
        }
        _ => (first_turn(facts(&run, 100), RunStatus::Succeeded), Some(Commit::Done)),
    }
}

async fn many_callers_are_all_answered_rightly(db: Db) {
    const CALLERS: usize = 320;
    let store = Store::new(db);
    commit_all(&store, vec![first_turn(facts("run_0", 100), RunStatus::Waiting)]).await;
    let callers = (1..=CALLERS).map(|n| {
        let store = store.clone();
        tokio::spawn(async move { (n, store.commit(vec![wish(n).0]).await.unwrap()[0]) })
    });
    let mut first_of_key = std::collections::BTreeMap::<usize, usize>::new();
    for caller in join_all(callers).await {
        let (n, answer) = caller.unwrap();
        match wish(n).1 {
            Some(expected) => assert_eq!(answer, expected, "caller {n}"),
            None if answer == Commit::Done => *first_of_key.entry(n / 32).or_default() += 1,
            None => assert_eq!(answer, Commit::Duplicate, "caller {n}"),
        }
        let is_stored = store.load(&key(&format!("run_{n}"))).await.unwrap().is_some();
        assert_eq!(is_stored, answer == Commit::Done, "caller {n}");
    }
    assert_eq!(first_of_key.len(), CALLERS / 32);
    assert!(first_of_key.values().all(|count| *count == 1), "{first_of_key:?}");
    let parents = (1..=CALLERS).filter(|n| n % 8 == 7).count();
    assert_eq!(store.waiting_for(WS, "s").await.unwrap().len(), parents);
    assert!(store.load(&key("run_7_child")).await.unwrap().is_some());
    assert_eq!(store.load(&key("run_0")).await.unwrap().unwrap().turns, 1);
    assert_eq!(store.backlog(), Backlog::default());
}

/// The short way for first turns has texts for up to 64 rows on SQLite, and one statement on PostgreSQL.
async fn first_turns_of_any_number_are_written_and_one_refusal_is_its_own(db: Db) {
    let store = Store::new(db);
    let mut stored = 0;
    for count in [1, 2, 63, 64, 65, 150] {
        let turns = (stored..stored + count)
            .map(|n| first_turn(facts(&format!("run_{n}"), 100), RunStatus::Succeeded))
            .collect();
        assert_eq!(store.commit(turns).await.unwrap(), vec![Commit::Done; count]);
        stored += count;
    }
    let mut turns: Vec<Turn> = (stored..stored + 70)
        .map(|n| first_turn(facts(&format!("run_{n}"), 100), RunStatus::Succeeded))
        .collect();
    turns[66] = first_turn(facts("run_3", 200), RunStatus::Failed);
    let answers = store.commit(turns).await.unwrap();
    assert!(answers.iter().enumerate().all(|(n, answer)| (*answer == Commit::Done) == (n != 66)));
    for n in (0..stored + 70).filter(|n| *n != stored + 66) {
        let run = store.load(&key(&format!("run_{n}"))).await.unwrap().unwrap();
        assert_eq!((run.status, run.events.is_empty()), (RunStatus::Succeeded, false), "run_{n}");
    }
    assert!(store.load(&key(&format!("run_{}", stored + 66))).await.unwrap().is_none());
}

/// A mistake in those texts would not show otherwise: the group would be written turn by turn.
async fn any_turns_are_written_at_once(db: Db) {
    let store = Store::new(db.clone());
    let wait = |signal| vec![wait_row("a", WaitKind::Signal, Some(signal), 1)];
    let waiting = |run: &str, signal| {
        let mut turn = first_turn(facts(run, 100), RunStatus::Waiting);
        turn.waits = Some(wait(signal));
        turn
    };
    commit_all(&store, vec![waiting("run_a", "s"), waiting("run_b", "s"), waiting("run_c", "s")]).await;

    let mut parent = waiting("run_d", "u");
    parent.children = vec![first_turn(facts("run_child", 100), RunStatus::Queued)];
    let mut again = next_turn("run_a", 1, 1, RunStatus::Waiting);
    (again.waits, again.receipt) = (Some(wait("t")), Some("wamid.1".into()));
    let mut over = next_turn("run_b", 1, 1, RunStatus::Succeeded);
    over.waits = Some(Vec::new());
    over.usage = vec![usage::note("u1", 3)];
    let silent = Turn { events: Vec::new(), ..next_turn("run_c", 1, 1, RunStatus::Waiting) };
    let write = async |turns: Vec<Turn>| {
        let ready: Vec<_> = turns.into_iter().map(|turn| Ready::new(turn).unwrap()).collect();
        at_once::write(&db, &mut None, ready.iter()).await.unwrap()
    };
    assert!(write(vec![parent.clone(), again.clone(), over, silent]).await);
    let waiting_for = async |signal| -> Vec<String> {
        let found = store.waiting_for(WS, signal).await.unwrap();
        found.into_iter().map(|one| one.key.run_id.to_string()).collect()
    };
    assert_eq!(waiting_for("s").await, ["run_c"]);
    assert_eq!(waiting_for("t").await, ["run_a"]);
    assert_eq!(waiting_for("u").await, ["run_d"]);
    assert_eq!(store.receipt(WS, "wamid.1").await.unwrap().as_deref(), Some("run_a"));
    for (run, turns) in [("run_a", 2), ("run_b", 2), ("run_c", 2), ("run_d", 1), ("run_child", 1)] {
        assert_eq!(store.load(&key(run)).await.unwrap().unwrap().turns, turns, "{run}");
    }

    let fresh = first_turn(facts("run_e", 100), RunStatus::Succeeded);
    for refused in [parent, again, next_turn("run_a", 7, 1, RunStatus::Failed)] {
        assert!(!write(vec![fresh.clone(), refused]).await);
    }
    assert!(store.load(&key("run_e")).await.unwrap().is_none());
    let twice = vec![fresh, next_turn("run_e", 1, 1, RunStatus::Failed)];
    assert!(write(twice).await);
    assert_eq!(store.load(&key("run_e")).await.unwrap().unwrap().turns, 2);
}

async fn turns_of_one_run_keep_their_order_among_others(db: Db) {
    let store = Store::new(db);
    let turns = vec![
        first_turn(facts("run_a", 100), RunStatus::Running),
        first_turn(facts("run_b", 100), RunStatus::Running),
        next_turn("run_a", 1, 1, RunStatus::Waiting),
        next_turn("run_b", 1, 1, RunStatus::Failed),
        next_turn("run_a", 2, 2, RunStatus::Succeeded),
    ];
    commit_all(&store, turns).await;
    let stored = store.load(&key("run_a")).await.unwrap().unwrap();
    assert_eq!((stored.turns, stored.status, stored.events.len()), (3, RunStatus::Succeeded, 3));
    let backwards = vec![
        next_turn("run_c", 1, 1, RunStatus::Waiting),
        first_turn(facts("run_c", 100), RunStatus::Running),
    ];
    assert_eq!(store.commit(backwards).await.unwrap(), [Commit::Stale, Commit::Done]);
}

async fn an_error_is_its_own_callers(db: Db) {
    let store = Store::new(db);
    let first = first_turn(facts("run_0", 100), RunStatus::Running);
    commit_all(&store, vec![first, next_turn("run_0", 1, 1, RunStatus::Running)]).await;
    let callers = (1..=64).map(|n| {
        let turn = match n {
            // Event number 1 is there already: a defect of the caller's.
            20 => next_turn("run_0", 2, 1, RunStatus::Running),
            _ => first_turn(facts(&format!("run_{n}"), 100), RunStatus::Succeeded),
        };
        store.commit(vec![turn])
    });
    for (n, answer) in (1..).zip(join_all(callers).await) {
        match (n, answer) {
            (20, Err(StoreError::Db(error))) => assert!(error.is_unique(), "{error}"),
            (_, Ok(answers)) => assert_eq!(answers, [Commit::Done], "caller {n}"),
            (_, other) => panic!("caller {n}: {other:?}"),
        }
    }
    assert_eq!(store.load(&key("run_0")).await.unwrap().unwrap().turns, 2);
    assert!(store.load(&key("run_64")).await.unwrap().is_some());
}

async fn a_caller_that_goes_away_loses_nothing(db: Db) {
    let store = Store::new(db);
    let run = |n| first_turn(facts(&format!("run_{n}"), 100), RunStatus::Succeeded);
    for n in 0..20 {
        let leaving = store.commit(vec![run(n)]);
        futures::pin_mut!(leaving);
        // Once: the turn is queued, and nobody listens any more.
        let _ = futures::poll!(leaving);
    }
    commit_all(&store, vec![run(20)]).await;
    let all_stored = async {
        for n in 0..20 {
            while store.load(&key(&format!("run_{n}"))).await.unwrap().is_none() {
                tokio::task::yield_now().await;
            }
        }
        while store.backlog() != Backlog::default() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all_stored).await.expect("every turn is written");
}

async fn nothing_is_written_when_the_database_is_gone(db: Db) {
    let store = Store::new(db.clone());
    db.close().await;
    let callers = (0..40)
        .map(|n| store.commit(vec![first_turn(facts(&format!("run_{n}"), 100), RunStatus::Succeeded)]));
    for answer in join_all(callers).await {
        assert!(matches!(answer, Err(StoreError::Db(_))), "{answer:?}");
    }
    assert_eq!(store.backlog(), Backlog::default());
}

async fn a_large_turn_waits_for_nobodys_leave(db: Db) {
    let store = Store::new(db);
    let text = "x".repeat(9 << 20);
    let large = |run: &str| {
        let mut turn = first_turn(facts(run, 100), RunStatus::Succeeded);
        turn.events = vec![started(100, json!(text.as_str()))];
        store.commit(vec![turn])
    };
    let small = store.commit(vec![first_turn(facts("run_3", 100), RunStatus::Succeeded)]);
    let (one, two, three) = tokio::join!(large("run_1"), large("run_2"), small);
    assert_eq!([one.unwrap(), two.unwrap(), three.unwrap()].concat(), [Commit::Done; 3]);
}

#[test]
fn lists_that_are_looked_up_are_as_long_as_postgresql_expects() {
    let longest_list = |turn| {
        let ready = Ready::new(turn).unwrap();
        let args = one_statement::of(&[&ready]).args;
        let lists =
            args.iter().filter_map(|arg| if let Arg::List(_, list) = arg { Some(list.len()) } else { None });
        lists.max().unwrap()
    };
    assert_eq!(longest_list(next_turn("run_0", 1, 1, RunStatus::Running)), EXPECTED_ROWS);
    assert_eq!(longest_list(first_turn(facts("run_0", 100), RunStatus::Succeeded)), 1);
}
