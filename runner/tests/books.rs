//! An installation as `sluice serve` opens it keeps its books: plans are there, runs are counted, roll-ups hold what was
//! used, deleting runs changes no usage, and `sluice ledger verify` finds what was changed.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use serde_json::json;
use sluice_engine::drive::StartRequest;
use sluice_records::Scope;
use sluice_records::ledger::{CreditMove, DEFAULT_CURRENCY};
use sluice_runner::bookkeeping::keep_books_now;
use sluice_runner::pruning::prune_now;
use sluice_runner::storage::Keeping;
use sluice_runner::{Installation, Settings};
use std::path::Path;
use std::process::Command;

const DAY: i64 = 86_400_000;

async fn open(folder: &Path) -> Installation {
    let settings = Settings { data: Some(folder.to_owned()), ..Settings::default() };
    Installation::open(&settings.resolve().unwrap(), &[]).await.unwrap()
}

fn verify(folder: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["ledger", "verify", "--data"])
        .arg(folder)
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn books_are_kept_and_can_be_proved() {
    let folder = tempfile::tempdir().unwrap();
    let installation = open(folder.path()).await;
    let (engine, records) = (&installation.engine, &installation.records);
    assert_eq!(records.list_plans(&Scope::Platform).await.unwrap().len(), 3);
    let workspace = records.create_workspace("asha").await.unwrap().id;
    let document = json!({
        "sluice": 1, "name": "Plain",
        "nodes": [{ "id": "start", "type": "trigger.manual" }, { "id": "end", "type": "flow.noop" }],
        "edges": [{ "from": "start", "to": "end" }],
    });
    let row = engine.create_workflow(&workspace, serde_json::from_value(document).unwrap()).await.unwrap();
    engine.publish(&workspace, &row.id, None).await.unwrap();
    for _ in 0..3 {
        let request = StartRequest {
            workspace_id: workspace.clone(),
            workflow_id: row.id.clone(),
            event: json!({}),
            ..StartRequest::default()
        };
        engine.start(request).await.unwrap();
    }
    engine.settle().await;
    assert_eq!(records.used_since(&workspace, "run", 0).await.unwrap(), 3);
    keep_books_now(&installation).await.unwrap();
    let keeping = Keeping { runs: Some(DAY), tests: Some(DAY), inbound: None };
    let pass = prune_now(&installation, &keeping, engine.now_ms() + 2 * DAY).await.unwrap();
    assert_eq!(pass.pruned.runs, 3);
    assert_eq!(records.used_since(&workspace, "run", 0).await.unwrap(), 3);

    let gift = CreditMove {
        by: Scope::Platform,
        key: "gift".into(),
        from: Scope::Platform,
        to: Scope::Workspace(workspace),
        amount: 5,
        currency: DEFAULT_CURRENCY.into(),
        is_bonus: false,
        reference: None,
    };
    records.move_credits(&gift).await.unwrap();
    let (is_sound, text) = verify(folder.path());
    assert!(is_sound && text.contains("2 accounts, 1 transfers, 2 entries"), "{text}");
    for sql in
        ["drop trigger ledger_entries_no_update", "update ledger_entries set amount = 6 where amount = 5"]
    {
        installation.db.query(sql).execute().await.unwrap();
    }
    let (is_sound, text) = verify(folder.path());
    assert!(!is_sound && text.contains("WRONG") && text.contains("its hash does not fit"), "{text}");
    installation.db.close().await;
}
