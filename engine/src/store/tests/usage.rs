//! What runs use is written with their turns, once, and stays when they go.

use super::*;
use sluice_db::Db;
use sluice_node_sdk::usage::UsageNote;
use std::collections::BTreeMap;

sluice_db::contract_tests! {
    usage_is_written_with_its_turn_and_once,
    runs_are_counted_where_they_begin,
    what_is_refused_counts_nothing,
    usage_outlives_its_run,
    any_number_of_turns_takes_any_number_of_notes_along,
}

pub(super) fn note(key: &str, quantity: i64) -> UsageNote {
    UsageNote {
        key: key.into(),
        kind: "message".into(),
        quantity,
        attributes: BTreeMap::from([("category".to_owned(), "utility".to_owned())]),
        at: 500,
    }
}

/// Kind, attributes, quantity and run of every row, in the order of their keys.
async fn rows(db: &Db) -> Vec<(String, String, i64, Option<String>)> {
    let sql = "select kind, attributes, quantity, run_id from usage_events order by workspace_id, usage_key";
    let rows = db.query(sql).all().await.unwrap();
    let read = rows.iter().map(|row| {
        let (kind, attributes) = (row.text("kind").unwrap(), row.text("attributes").unwrap());
        (kind, attributes, row.int("quantity").unwrap(), row.opt_text("run_id").unwrap())
    });
    read.collect()
}

async fn usage_is_written_with_its_turn_and_once(db: Db) {
    let store = Store::new(db.clone());
    let test_run = NewRun { is_test: true, ..facts("run_1", 100) };
    let used = |usage, turn| Turn { usage, ..turn };
    let first = used(vec![note("a", 2), note("b", 3)], first_turn(test_run, RunStatus::Running));
    commit_all(&store, vec![first]).await;
    // The same again and something new: in a transaction with others, and one by one.
    let second = used(vec![note("b", 9), note("c", 4)], next_turn("run_1", 1, 1, RunStatus::Running));
    commit_all(&store, vec![second]).await;
    let stale = used(vec![note("d", 9)], next_turn("run_1", 1, 1, RunStatus::Running));
    let third = used(vec![note("e", 5)], next_turn("run_1", 2, 2, RunStatus::Succeeded));
    assert_eq!(store.commit(vec![stale, third]).await.unwrap(), [Commit::Stale, Commit::Done]);
    store.note_usage(&key("run_1"), vec![note("e", 7), note("f", 6)]).await.unwrap();
    store.note_usage(&key("run_1"), Vec::new()).await.unwrap();
    let found: Vec<i64> = rows(&db).await.iter().map(|row| row.2).collect();
    assert_eq!(found, [2, 3, 4, 5, 6]);
    let expected = ("message".into(), r#"{"category":"utility"}"#.into(), 2, Some("run_1".into()));
    assert_eq!(rows(&db).await[0], expected);
}

async fn runs_are_counted_where_they_begin(db: Db) {
    let store = Store::new(db.clone());
    let other = |run: &str| NewRun { workflow_id: "wf_2".into(), ..facts(run, 100) };
    let mut parent = first_turn(facts("run_1", 100), RunStatus::Running);
    parent.children = vec![first_turn(other("run_2"), RunStatus::Queued)];
    let unseen =
        [NewRun { is_test: true, ..facts("run_3", 100) }, NewRun { dry_run: true, ..facts("run_4", 100) }];
    let unseen = unseen.into_iter().map(|run| first_turn(run, RunStatus::Succeeded));
    let turns = [parent, first_turn(facts("run_5", 200), RunStatus::Succeeded)].into_iter().chain(unseen);
    commit_all(&store, turns.collect()).await;
    commit_all(&store, vec![next_turn("run_1", 1, 1, RunStatus::Succeeded)]).await;
    let mut found = rows(&db).await;
    found.sort();
    let row = |workflow: &str, quantity| {
        ("run".to_owned(), format!(r#"{{"workflow":"{workflow}"}}"#), quantity, None)
    };
    assert_eq!(
        found,
        [row("wf_1", 2), row("wf_2", 1)],
        "two rows for three runs, and no more for later turns"
    );
}

async fn what_is_refused_counts_nothing(db: Db) {
    let store = Store::new(db.clone());
    let run = |run: &str| NewRun { dedupe_key: Some("k".into()), ..facts(run, 100) };
    let turns = ["run_1", "run_2"].map(|id| first_turn(run(id), RunStatus::Succeeded));
    assert_eq!(store.commit(turns.to_vec()).await.unwrap(), [Commit::Done, Commit::Duplicate]);
    assert_eq!(store.commit(turns.to_vec()).await.unwrap(), [Commit::Stale, Commit::Duplicate]);
    assert_eq!(rows(&db).await.iter().map(|row| row.2).sum::<i64>(), 1);
}

async fn usage_outlives_its_run(db: Db) {
    let store = Store::new(db.clone());
    let run = Turn { usage: vec![note("a", 2)], ..first_turn(facts("run_1", 100), RunStatus::Succeeded) };
    commit_all(&store, vec![run]).await;
    let before = rows(&db).await;
    let ended = store.ended_runs(i64::MIN, i64::MAX, 10).await.unwrap();
    assert_eq!(store.delete_runs(&ended).await.unwrap().runs, 1);
    assert_eq!(rows(&db).await, before);
    assert_eq!(before.len(), 2);
}

async fn any_number_of_turns_takes_any_number_of_notes_along(db: Db) {
    let store = Store::new(db.clone());
    let (mut expected, mut turns, mut later) = (0, Vec::new(), Vec::new());
    for number in 0..150_i64 {
        let id = format!("run_{number}");
        let notes = |round: &str, count: i64| {
            let note = |one| note(&format!("{round} {number} {one}"), number - 75);
            (0..count).map(note).collect::<Vec<_>>()
        };
        expected += (number % 3 + number % 2) * (number - 75);
        turns.push(Turn {
            usage: notes("first", number % 3),
            ..first_turn(facts(&id, 100), RunStatus::Running)
        });
        let usage = notes("later", number % 2);
        later.push(Turn { usage, ..next_turn(&id, 1, 1, RunStatus::Succeeded) });
    }
    commit_all(&store, turns).await;
    commit_all(&store, later).await;
    let sql = "select kind, cast(sum(quantity) as bigint) as n, count(*) as rows, \
               cast(coalesce(sum(case when run_id is null then 1 else 0 end), 0) as bigint) as nameless \
               from usage_events group by kind order by kind";
    let found = db.query(sql).all().await.unwrap();
    let read = |row: &sluice_db::Row| {
        (
            row.text("kind").unwrap(),
            row.int("n").unwrap(),
            row.int("rows").unwrap(),
            row.int("nameless").unwrap(),
        )
    };
    let (messages, runs) = (read(&found[0]), read(&found[1]));
    assert_eq!(messages, ("message".into(), expected, 150 + 75, 0));
    assert_eq!((runs.0.as_str(), runs.1, runs.2 == runs.3), ("run", 150, true));
    // A few of them again, beside new ones.
    let again = (0..3_i64).map(|number| Turn {
        usage: vec![note(&format!("later {} 0", 2 * number + 1), 1_000), note(&format!("new {number}"), 1)],
        ..first_turn(facts(&format!("other_{number}"), 100), RunStatus::Succeeded)
    });
    commit_all(&store, again.collect()).await;
    assert_eq!(read(&db.query(sql).all().await.unwrap()[0]).1, expected + 3);
}
