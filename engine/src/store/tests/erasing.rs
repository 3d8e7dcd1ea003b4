//! Runs are found by what is in them, wherever it is stored, and go with their files and with those that they started.

use super::payloads::{folder, large_turn, listed, with_place};
use super::*;
use sluice_db::Db;
use std::collections::BTreeSet;

sluice_db::contract_tests! {
    what_is_in_a_run_is_found_wherever_it_is,
    runs_go_with_their_payloads_and_those_that_go_on_stay,
    those_that_a_run_started_are_known_by_it,
    receipts_go_by_a_part_of_their_name,
}

async fn all(store: &Store) -> Vec<SeenRun> {
    store.runs_after(WS, "", false, 100).await.unwrap()
}

async fn found(store: &Store, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for run in all(store).await {
        let is_it = |bytes: &[u8]| bytes.windows(word.len()).any(|part| part == word.as_bytes());
        if store.look_through(&run, &is_it).await.unwrap().is_in {
            found.push(run.key.run_id.to_string());
        }
    }
    found
}

async fn what_is_in_a_run_is_found_wherever_it_is(db: Db) {
    let (_kept, place) = folder();
    let store = with_place(&db, &place);
    let mut in_lane =
        first_turn(NewRun { lane: Some("cnv_asha".into()), ..facts("run_a", 1) }, RunStatus::Queued);
    in_lane.wake_at = None;
    let mut waits = first_turn(facts("run_b", 1), RunStatus::Waiting);
    waits.waits = Some(vec![wait_row("a", WaitKind::Signal, Some("conversation:cnv_asha"), 1)]);
    let document: Arc<str> = "a draft about cnv_asha".into();
    let draft = first_turn(NewRun { document: Some(document), ..facts("run_c", 1) }, RunStatus::Failed);
    let large = large_turn(facts("run_d", 1), RunStatus::Succeeded);
    let plain = first_turn(facts("run_e", 1), RunStatus::Succeeded);
    commit_all(&store, vec![in_lane, waits, draft, large, plain]).await;
    assert_eq!(found(&store, "cnv_asha").await, ["run_a", "run_b", "run_c"]);
    assert_eq!(found(&store, "nobody at all").await, [""; 0]);
    // All of them hold what was decided first, one in a payload.
    assert_eq!(found(&store, "run_started").await.len() + found(&store, "RunStarted").await.len(), 5);
    let live = store.runs_after(WS, "", true, 10).await.unwrap();
    let live: Vec<_> = live.iter().map(|run| (&*run.key.run_id, run.is_over())).collect();
    assert_eq!(live, [("run_a", false), ("run_b", false)]);
    let page = store.runs_after(WS, "run_b", false, 2).await.unwrap();
    assert_eq!(page.iter().map(|run| &*run.key.run_id).collect::<Vec<_>>(), ["run_c", "run_d"]);
    assert!(store.runs_after("ws_other", "", false, 10).await.unwrap().is_empty());
}

async fn runs_go_with_their_payloads_and_those_that_go_on_stay(db: Db) {
    let (_kept, place) = folder();
    let store = with_place(&db, &place);
    let over = large_turn(facts("run_a", 1), RunStatus::Succeeded);
    let live = large_turn(facts("run_b", 1), RunStatus::Waiting);
    let called = large_turn(facts("run_c", 1), RunStatus::Succeeded);
    let mut caller = first_turn(facts("run_d", 1), RunStatus::Waiting);
    caller.waits = Some(vec![wait_row("a", WaitKind::Call, Some("run:run_c"), 1)]);
    commit_all(&store, vec![over, live, called, caller]).await;
    assert_eq!(listed(&place).await.len(), 3);
    let gone = store.erase_runs(&all(&store).await).await.unwrap();
    assert_eq!(gone.iter().map(|key| &*key.run_id).collect::<Vec<_>>(), ["run_a"]);
    assert_eq!(all(&store).await.len(), 3, "whose caller has to hear of its end stays, too");
    // A second time there is nothing to do.
    assert!(store.erase_runs(&all(&store).await).await.unwrap().is_empty());
}

async fn those_that_a_run_started_are_known_by_it(db: Db) {
    let store = Store::new(db);
    let child = |id: &str, parent: &str| {
        let run = NewRun { parent_run_id: Some(parent.into()), ..facts(id, 1) };
        first_turn(run, RunStatus::Succeeded)
    };
    let parent = first_turn(facts("run_a", 1), RunStatus::Succeeded);
    commit_all(&store, vec![parent, child("run_b", "run_a"), child("run_c", "run_x")]).await;
    let key = RunKey { workspace_id: WS.into(), run_id: "run_a".into() };
    let named: BTreeSet<String> = ["run_a", "run_b", "run_c", "run_z"].map(String::from).into();
    let started = store.started_by(&key, &named).await.unwrap();
    assert_eq!(started.iter().map(|run| &*run.key.run_id).collect::<Vec<_>>(), ["run_b"]);
    assert_eq!(store.seen_runs(WS, &named).await.unwrap().len(), 3);
    assert!(store.seen_runs(WS, &BTreeSet::new()).await.unwrap().is_empty());
    assert!(store.started_by(&key, &BTreeSet::new()).await.unwrap().is_empty());
}

async fn receipts_go_by_a_part_of_their_name(db: Db) {
    let store = Store::new(db.clone());
    let sql = "insert into signal_receipts (workspace_id, receipt, run_id, at) values ($1, $2, 'run_a', 1)";
    for receipt in ["signal/conversation:cnv_1/m/run_a", "signal/conversation:cnv_2/m/run_a"] {
        db.query(sql).bind(WS).bind(receipt).execute().await.unwrap();
    }
    assert_eq!(store.erase_receipts("ws_other", "cnv_1").await.unwrap(), 0);
    assert_eq!(store.erase_receipts(WS, "cnv_1").await.unwrap(), 1);
    assert_eq!(store.receipts(WS, "signal/conversation:cnv_2/").await.unwrap().len(), 1);
}
