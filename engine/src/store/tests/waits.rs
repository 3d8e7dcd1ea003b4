//! Who waits for a signal or a decision.

use super::*;
use sluice_db::Db;

sluice_db::contract_tests! {
    a_signal_finds_who_waits_for_it,
    waits_are_replaced_only_when_said,
    approvals_are_listed_page_by_page,
    many_waits_of_one_run_are_written,
    callers_of_children_that_ended_are_found,
    a_damaged_wait_is_named,
}

fn waiting(run: &str, waits: Vec<WaitRow>) -> Turn {
    Turn { waits: Some(waits), ..first_turn(facts(run, 100), RunStatus::Waiting) }
}

async fn a_signal_finds_who_waits_for_it(db: Db) {
    let store = Store::new(db.clone());
    let rich = WaitRow {
        iteration: 7,
        wait: Arc::new(Wait {
            kind: WaitKind::Reply,
            until: None,
            signal: Some("reply:con_1".into()),
            state: json!([1, "two"]),
            info: json!({ "title": "?" }),
        }),
        ..wait_row("ask", WaitKind::Reply, None, 50)
    };
    let bare = Wait {
        kind: WaitKind::Signal,
        until: Some(9),
        signal: Some("reply:con_1".into()),
        state: Value::Null,
        info: Value::Null,
    };
    let bare = WaitRow { wait: Arc::new(bare), ..wait_row("b", WaitKind::Signal, None, 40) };
    let turns = vec![
        waiting("run_1", vec![rich.clone(), wait_row("pause", WaitKind::Time, None, 60)]),
        waiting("run_2", vec![bare.clone(), wait_row("c", WaitKind::Call, Some("run:run_9"), 60)]),
    ];
    commit_all(&store, turns).await;
    let expected = |run: &str, row: &WaitRow| WaitingNode {
        key: key(run),
        workflow_id: "wf_1".into(),
        node: row.node.clone(),
        iteration: row.iteration,
        wait: Wait::clone(&row.wait),
        since: row.since,
    };
    let found = store.waiting_for(WS, "reply:con_1").await.unwrap();
    assert_eq!(found, [expected("run_2", &bare), expected("run_1", &rich)]);
    assert_eq!(store.waiting_for(WS, "reply:con_2").await.unwrap(), []);
    assert_eq!(store.waiting_for("ws_2", "reply:con_1").await.unwrap(), []);
    // A wait for time alone is in the run's row and its events.
    let kept = db.query("select count(*) as n from run_waits").one().await.unwrap();
    assert_eq!(kept.int("n").unwrap(), 3);
}

async fn waits_are_replaced_only_when_said(db: Db) {
    let store = Store::new(db);
    let wait = |signal| wait_row("a", WaitKind::Signal, Some(signal), 50);
    let keep = next_turn("run_1", 1, 1, RunStatus::Waiting);
    commit_all(&store, vec![waiting("run_1", vec![wait("s")]), keep]).await;
    assert_eq!(store.waiting_for(WS, "s").await.unwrap().len(), 1);

    let replace = Turn { waits: Some(vec![wait("t")]), ..next_turn("run_1", 2, 2, RunStatus::Waiting) };
    commit_all(&store, vec![replace]).await;
    assert_eq!(store.waiting_for(WS, "s").await.unwrap(), []);
    assert_eq!(store.waiting_for(WS, "t").await.unwrap().len(), 1);

    let end = Turn { waits: Some(Vec::new()), ..next_turn("run_1", 3, 3, RunStatus::Succeeded) };
    commit_all(&store, vec![end]).await;
    assert_eq!(store.waiting_for(WS, "t").await.unwrap(), []);
}

async fn approvals_are_listed_page_by_page(db: Db) {
    let store = Store::new(db);
    let approval = |node: &str, since| wait_row(node, WaitKind::Approval, Some("approval:1"), since);
    let turns = vec![
        waiting(
            "run_1",
            vec![approval("a", 30), approval("b", 10), wait_row("c", WaitKind::Reply, Some("r"), 1)],
        ),
        waiting("run_2", vec![approval("a", 10), wait_row("d", WaitKind::Approval, None, 20)]),
    ];
    commit_all(&store, turns).await;
    let first = store.approvals(WS, None, 3).await.unwrap();
    let names = |page: &Page<WaitingNode>| {
        page.items.iter().map(|item| format!("{} {}", item.key.run_id, item.node)).collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["run_1 b", "run_2 a", "run_2 d"]);
    let second = store.approvals(WS, first.next.as_deref(), 3).await.unwrap();
    assert_eq!((names(&second), second.next), (vec!["run_1 a".to_owned()], None));
    assert_eq!(store.approvals("ws_2", None, 3).await.unwrap().items, []);
    assert!(matches!(store.approvals(WS, Some("x"), 3).await, Err(StoreError::BadCursor)));
}

async fn many_waits_of_one_run_are_written(db: Db) {
    let store = Store::new(db);
    let rows = (0..250).map(|n| wait_row(&format!("n{n}"), WaitKind::Signal, Some("s"), n)).collect();
    commit_all(&store, vec![waiting("run_1", rows)]).await;
    let found = store.waiting_for(WS, "s").await.unwrap();
    assert_eq!(found.iter().map(|found| found.since).collect::<Vec<_>>(), (0..250).collect::<Vec<_>>());
}

async fn callers_of_children_that_ended_are_found(db: Db) {
    let store = Store::new(db);
    let call = |child: &str| wait_row(child, WaitKind::Call, Some(&format!("run:{child}")), 1);
    let mut elsewhere = facts("run_done", 1);
    elsewhere.key.workspace_id = "ws_2".into();
    let turns = vec![
        waiting("run_1", vec![call("run_busy"), call("run_done"), call("run_failed")]),
        waiting("run_2", vec![wait_row("a", WaitKind::Signal, Some("run:run_done"), 1), call("run_gone")]),
        first_turn(facts("run_busy", 1), RunStatus::Waiting),
        first_turn(facts("run_done", 1), RunStatus::Succeeded),
        first_turn(facts("run_failed", 1), RunStatus::Failed),
        first_turn(elsewhere, RunStatus::Succeeded),
    ];
    commit_all(&store, turns).await;
    let missed = store.missed_children().await.unwrap();
    assert_eq!(missed, [(key("run_1"), "run_done".to_owned()), (key("run_1"), "run_failed".to_owned())]);
}

async fn a_damaged_wait_is_named(db: Db) {
    let store = Store::new(db.clone());
    commit_all(&store, vec![waiting("run_1", vec![wait_row("a", WaitKind::Signal, Some("s"), 1)])]).await;
    for damage in [
        "update run_waits set kind = 9",
        "update run_waits set kind = 1, iteration = -1",
        "update run_waits set iteration = 0, body = '['",
    ] {
        db.query(damage).execute().await.unwrap();
        let answer = store.waiting_for(WS, "s").await;
        assert!(matches!(answer, Err(StoreError::Corrupt { what: "a wait", .. })), "{damage}: {answer:?}");
    }
}
