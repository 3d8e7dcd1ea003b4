//! What nodes report to have used is counted once per execution, whatever fails, crashes or is repeated.

use crate::home::{Home, WS, doc, one};
use crate::world::Act;
use serde_json::json;
use sluice_engine::core::RunStatus;
use sluice_engine::drive::{FaultPlan, StartRequest};
use sluice_node_sdk::error::ErrorKind;

/// Keys of what was counted under a kind, without the id of the run, and the sum.
async fn counted(home: &Home, kind: &str) -> (Vec<String>, i64) {
    let sql = "select usage_key, quantity from usage_events where kind = $1 order by usage_key";
    let rows = home.db.query(sql).bind(kind).all().await.unwrap();
    let key = |text: String| text.split_once('/').map_or(text.clone(), |(_, rest)| rest.to_owned());
    let keys = rows.iter().map(|row| key(row.text("usage_key").unwrap())).collect();
    (keys, rows.iter().map(|row| row.int("quantity").unwrap()).sum())
}

#[tokio::test]
async fn an_execution_counts_once_however_often_it_is_tried() {
    let mut home = Home::new().await;
    home.world.plan("act", [Act::Fail(ErrorKind::Unavailable), Act::Stuck]);
    let settings = json!({ "retry": { "max_attempts": 3, "initial": "1s" } });
    let key = home.run(one("idem", settings), json!({})).await;
    assert_eq!(
        counted(&home, "attempt").await,
        (vec!["act/0/attempt/0".to_owned()], 1),
        "a failure used it too"
    );
    home.clock.advance(1_000);
    home.engine.fire_due().await.unwrap();
    home.world.begun("act", 2).await;
    home.crash().await;
    assert_eq!(home.status(&key).await, RunStatus::Succeeded);
    assert_eq!(home.world.calls().len(), 3);
    assert_eq!(counted(&home, "attempt").await.1, 1);
    assert_eq!(counted(&home, "run").await.1, 1);
}

#[tokio::test]
async fn a_crash_after_any_commit_counts_every_execution_once() {
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "first", "type": "idem" },
        { "id": "second", "type": "idem" },
        { "id": "third", "type": "idem" },
        { "id": "end", "type": "merge" },
    ]);
    let edges = ["start > first", "first > second", "first > third", "second > end", "third > end.other"];
    for commit in 1.. {
        let mut home = Home::new().await;
        home.restart_with(FaultPlan::stop_after(commit), "");
        let workflow = home.publish(doc("Crash", nodes.clone(), &edges)).await;
        let engine = home.engine.clone();
        let whole = async {
            engine.start(crate::home::request(&workflow, json!({ "n": 1 }))).await.unwrap();
            engine.settle().await;
        };
        let died = tokio::select! { biased; () = whole => false, () = home.faults.dead() => true };
        home.crash().await;
        let expected = ["first", "second", "third"].map(|node| format!("{node}/0/attempt/0"));
        assert_eq!(counted(&home, "attempt").await, (expected.into(), 3), "crash after commit {commit}");
        assert_eq!(counted(&home, "run").await.1, 1, "crash after commit {commit}");
        if !died {
            break;
        }
    }
}

#[tokio::test]
async fn what_is_used_after_the_run_was_cancelled_counts_and_a_dry_run_does_not() {
    let home = Home::new().await;
    home.world.plan("act", [Act::Hold]);
    let workflow = home.publish(one("once", json!({}))).await;
    let key = home.start(&workflow, json!({})).await;
    home.world.begun("act", 1).await;
    home.engine.cancel(&key).await.unwrap();
    home.world.release("act", 1);
    home.engine.settle().await;
    assert_eq!(counted(&home, "attempt").await.1, 1);
    let request = crate::home::request(&workflow, json!({}));
    home.engine.start(StartRequest { dry_run: true, is_test: true, ..request }).await.unwrap();
    home.engine.settle().await;
    assert_eq!((counted(&home, "attempt").await.1, counted(&home, "run").await.1), (1, 1));
    assert_eq!(home.view(&key).await.status, RunStatus::Cancelled);
    assert_eq!(key.workspace_id.as_ref(), WS);
}
