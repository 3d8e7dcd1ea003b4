//! Lists of runs for people.

use super::*;
use crate::core::RunError;
use sluice_db::Db;

sluice_db::contract_tests! {
    runs_are_listed_newest_first,
    filters_narrow_a_list,
    a_summary_says_what_is_known,
    runs_of_an_inbound_body_are_found,
    runs_are_counted_by_status,
    runs_that_need_a_person_are_listed_counted_and_acknowledged,
    receipts_are_found_by_name_and_by_beginning,
}

async fn all(store: &Store, filter: &RunFilter) -> Vec<String> {
    let mut filter = filter.clone();
    let mut found = Vec::new();
    loop {
        let page = store.list_runs(WS, &filter).await.unwrap();
        assert!(page.items.len() <= filter.limit as usize);
        found.extend(page.items.into_iter().map(|run| run.id));
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            return found;
        }
    }
}

async fn runs_are_listed_newest_first(db: Db) {
    let store = Store::new(db);
    let status = |n: i64| columns::STATUSES[n as usize % 6];
    // Three runs per moment, so that pages also break between runs of the same moment.
    let turns = (0..20).map(|n| first_turn(facts(&format!("run_{n:02}"), n / 3), status(n))).collect();
    commit_all(&store, turns).await;
    let newest_first: Vec<_> = (0..20).rev().map(|n| format!("run_{n:02}")).collect();
    for limit in [1, 4, 7, 19, 20, 200] {
        assert_eq!(all(&store, &RunFilter { limit, ..RunFilter::default() }).await, newest_first, "{limit}");
    }
    // A page size of nothing is one, and one of too much is two hundred.
    assert_eq!(store.list_runs(WS, &RunFilter::default()).await.unwrap().items.len(), 1);
    let broken = RunFilter { cursor: Some("x".into()), ..RunFilter::default() };
    assert!(matches!(store.list_runs(WS, &broken).await, Err(StoreError::BadCursor)));
    assert_eq!(store.list_runs("ws_2", &RunFilter::default()).await.unwrap().items, []);
}

async fn filters_narrow_a_list(db: Db) {
    let store = Store::new(db);
    let run = |n: i64| NewRun { workflow_id: format!("wf_{}", n % 2), ..facts(&format!("run_{n}"), n) };
    let status = |n: i64| if n % 3 == 0 { RunStatus::Failed } else { RunStatus::Succeeded };
    commit_all(&store, (0..9).map(|n| first_turn(run(n), status(n))).collect()).await;
    let filter = RunFilter { limit: 2, ..RunFilter::default() };
    let of_workflow = RunFilter { workflow_id: Some("wf_0".into()), ..filter.clone() };
    assert_eq!(all(&store, &of_workflow).await, ["run_8", "run_6", "run_4", "run_2", "run_0"]);
    let failed = RunFilter { status: Some(RunStatus::Failed), ..filter.clone() };
    assert_eq!(all(&store, &failed).await, ["run_6", "run_3", "run_0"]);
    let both = RunFilter { status: Some(RunStatus::Failed), ..of_workflow.clone() };
    assert_eq!(all(&store, &both).await, ["run_6", "run_0"]);
    let since = RunFilter { since: Some(4), ..of_workflow };
    assert_eq!(all(&store, &since).await, ["run_8", "run_6", "run_4"]);
    let none = RunFilter { workflow_id: Some("wf_7".into()), ..filter };
    assert!(all(&store, &none).await.is_empty());
}

async fn a_summary_says_what_is_known(db: Db) {
    let store = Store::new(db);
    let new = NewWorkflow { id: "wf_1", name: "Greeting", draft: "{}", at: 1 };
    store.create_workflow(WS, new).await.unwrap();
    let error =
        RunError { code: "boom".into(), node: None, message: "No.".into(), path: None, details: None };
    let mut turn = first_turn(NewRun { is_test: true, ..facts("run_1", 100) }, RunStatus::Failed);
    turn.error = Some(error.clone());
    turn.ended_at = Some(120);
    let stray = NewRun { workflow_id: "wf_gone".into(), ..facts("run_0", 50) };
    commit_all(&store, vec![turn, first_turn(stray, RunStatus::Succeeded)]).await;
    let page = store.list_runs(WS, &RunFilter { limit: 10, ..RunFilter::default() }).await.unwrap();
    let expected = RunSummary {
        id: "run_1".into(),
        workflow_id: "wf_1".into(),
        workflow_name: Some("Greeting".into()),
        version: 1,
        status: RunStatus::Failed,
        trigger_type: "trigger.webhook".into(),
        is_test: true,
        created_at: 100,
        started_at: Some(100),
        ended_at: Some(120),
        error: Some(error),
        attention: None,
    };
    assert_eq!(page.items[0], expected);
    assert_eq!((page.items[1].id.as_str(), &page.items[1].workflow_name), ("run_0", &None));
}

async fn runs_of_an_inbound_body_are_found(db: Db) {
    let store = Store::new(db);
    let run = |id: &str, at, inbound: &str| NewRun { inbound_id: Some(inbound.into()), ..facts(id, at) };
    let runs = [run("run_1", 30, "in_1"), run("run_2", 10, "in_2"), run("run_3", 20, "in_1")];
    commit_all(&store, runs.into_iter().map(|run| first_turn(run, RunStatus::Succeeded)).collect()).await;
    assert_eq!(store.runs_of_inbound(WS, "in_1").await.unwrap(), ["run_3", "run_1"]);
    assert!(store.runs_of_inbound(WS, "in_9").await.unwrap().is_empty());
}

async fn runs_are_counted_by_status(db: Db) {
    let store = Store::new(db);
    let statuses = [RunStatus::Failed, RunStatus::Waiting, RunStatus::Failed];
    let turns = (0..3).map(|n| first_turn(facts(&format!("run_{n}"), 1), statuses[n])).collect();
    commit_all(&store, turns).await;
    let count = |status, runs| StatusCount { status, runs };
    let expected = [count(RunStatus::Waiting, 1), count(RunStatus::Failed, 2)];
    assert_eq!(store.count_by_status(WS).await.unwrap(), expected);
    assert_eq!(store.count_by_status("ws_2").await.unwrap(), []);
    assert_eq!(store.count_active().await.unwrap(), []);
}

async fn runs_that_need_a_person_are_listed_counted_and_acknowledged(db: Db) {
    let store = Store::new(db);
    let (unknown, poisoned) = (Some(Attention::UnknownOutcome), Some(Attention::Poisoned));
    let turns = (0..9).map(|n| {
        let run = NewRun { workflow_id: format!("wf_{}", n % 2), ..facts(&format!("run_{n}"), n) };
        let status = if n == 4 { RunStatus::Waiting } else { RunStatus::Failed };
        Turn { attention: [None, unknown, poisoned][n as usize % 3], ..first_turn(run, status) }
    });
    commit_all(&store, turns.collect()).await;
    let filter = RunFilter { attention: true, limit: 2, ..RunFilter::default() };
    assert_eq!(all(&store, &filter).await, ["run_8", "run_7", "run_5", "run_4", "run_2", "run_1"]);
    let failed = RunFilter { status: Some(RunStatus::Failed), ..filter.clone() };
    assert_eq!(all(&store, &failed).await, ["run_8", "run_7", "run_5", "run_2", "run_1"]);
    let of_workflow =
        RunFilter { workflow_id: Some("wf_1".into()), since: Some(2), limit: 1, ..failed.clone() };
    assert_eq!(all(&store, &of_workflow).await, ["run_7", "run_5"]);
    let page = store.list_runs(WS, &filter).await.unwrap();
    assert_eq!((page.items[0].attention, page.items[1].attention), (poisoned, unknown));
    assert_eq!(
        store.count_attention().await.unwrap(),
        [(Attention::UnknownOutcome, 3), (Attention::Poisoned, 3)]
    );
    assert!(store.acknowledge(&key("run_8"), None).await.unwrap());
    assert!(!store.acknowledge(&key("run_8"), None).await.unwrap(), "once is enough");
    assert!(!store.acknowledge(&key("run_4"), None).await.unwrap(), "it goes on and asks still");
    assert_eq!(all(&store, &failed).await, ["run_7", "run_5", "run_2", "run_1"]);
    assert_eq!(store.load(&key("run_8")).await.unwrap().unwrap().attention, None);
}

async fn receipts_are_found_by_name_and_by_beginning(db: Db) {
    let store = Store::new(db);
    let receipts = ["signal/k/a/run_0", "signal/k/ab/run_1", "signal/k/a/run_2", "msg_1"];
    let turns = receipts.iter().enumerate().map(|(n, receipt)| {
        let run = NewRun {
            parent_run_id: Some(format!("run_{}", n + 1)),
            dedupe_key: Some(format!("msg_{n}/wf_1/start")),
            ..facts(&format!("run_{n}"), 100)
        };
        Turn { receipt: Some((*receipt).to_owned()), ..first_turn(run, RunStatus::Waiting) }
    });
    commit_all(&store, turns.collect()).await;
    assert_eq!(store.receipt(WS, "msg_1").await.unwrap().as_deref(), Some("run_3"));
    assert_eq!(store.receipt(WS, "msg_2").await.unwrap(), None);
    assert_eq!(store.receipt("ws_2", "msg_1").await.unwrap(), None);
    let found = store.receipts(WS, "signal/k/a/").await.unwrap();
    let runs: Vec<&str> = found.iter().map(|receipt| receipt.run_id.as_str()).collect();
    assert_eq!(runs, ["run_0", "run_2"]);
    assert!(store.has_started(WS, "msg_2/").await.unwrap());
    assert!(!store.has_started(WS, "msg_4/").await.unwrap() && !store.has_started(WS, "msg/").await.unwrap());
    assert_eq!(store.parent(&key("run_0")).await.unwrap().as_deref(), Some("run_1"));
    assert_eq!(store.parent(&key("run_9")).await.unwrap(), None);
}
