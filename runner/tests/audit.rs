//! The audit trail of a whole installation: what people do to workflows and runs is in it, signed, and the command
//! line finds what was changed by hand.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use serde_json::{Value, json};
use sluice_engine::document::Document;
use sluice_engine::drive::{Engine, StartRequest};
use sluice_engine::store::RunKey;
use sluice_records::audit::{AuditEntry, AuditFilter, PLATFORM, Witness};
use sluice_records::{Actor, ActorKind};
use sluice_runner::{Installation, Settings};
use std::path::Path;
use std::process::{Command, Output};

async fn open(folder: &Path) -> Installation {
    let settings = Settings { data: Some(folder.to_owned()), ..Settings::default() };
    Installation::open(&settings.resolve().unwrap(), &[]).await.unwrap()
}

fn document(name: &str, nodes: Value, edges: Value) -> Document {
    serde_json::from_value(json!({ "sluice": 1, "name": name, "nodes": nodes, "edges": edges })).unwrap()
}

fn asking() -> Document {
    let nodes = json!([
        { "id": "start", "type": "trigger.manual" },
        { "id": "ask", "type": "flow.approval", "params": { "title": "Go on?" } },
    ]);
    document("Asking", nodes, json!([{ "from": "start", "to": "ask" }]))
}

async fn start(engine: &Engine, workspace: &str, workflow: &str) -> RunKey {
    let request = StartRequest {
        workspace_id: workspace.to_owned(),
        workflow_id: workflow.to_owned(),
        event: json!({}),
        ..StartRequest::default()
    };
    let key = engine.start(request).await.unwrap().key;
    engine.settle().await;
    key
}

async fn trail(installation: &Installation, chain: &str) -> Vec<AuditEntry> {
    let filter = AuditFilter { chain: Some(chain.to_owned()), ..AuditFilter::default() };
    let mut found = installation.records.list_audit(&filter, None, 500).await.unwrap().items;
    found.reverse();
    found
}

fn person() -> Actor {
    Actor {
        address: Some("203.0.113.7".into()),
        request_id: Some("req_9".into()),
        ..Actor::new(ActorKind::Person, "per_1", "asha@example.in")
    }
}

#[tokio::test]
async fn what_people_do_to_workflows_and_runs_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let installation = open(folder.path()).await;
    let workspace = installation.records.create_workspace("shop").await.unwrap().id;
    let engine = installation.engine.acting(person().signature());
    let row = engine.create_workflow(&workspace, asking()).await.unwrap();
    let row = engine.save_draft(&workspace, &row.id, 1, asking()).await.unwrap();
    assert!(engine.save_draft(&workspace, &row.id, 1, asking()).await.is_err(), "stale: no entry");
    let restored = engine.calling_it("restored").save_draft(&workspace, &row.id, 2, asking()).await.unwrap();
    engine.publish(&workspace, &row.id, None).await.unwrap();

    let cancelled = start(&engine, &workspace, &row.id).await;
    engine.cancel(&cancelled).await.unwrap();
    assert!(engine.cancel(&cancelled).await.is_err(), "it is over: no entry");
    engine.retry(&cancelled).await.unwrap();
    engine.settle().await;
    let view = engine.run_view(&cancelled).await.unwrap().unwrap();
    let signal = view.nodes.iter().find_map(|node| node.wait.as_ref()).unwrap()["signal"].clone();
    let decision = json!({ "decision": "approve", "note": "fine", "by": "asha" });
    engine.decide(&workspace, signal.as_str().unwrap(), decision.clone()).await.unwrap();
    assert!(
        engine.decide(&workspace, signal.as_str().unwrap(), decision).await.is_err(),
        "decided: no entry"
    );
    engine.settle().await;
    engine.unpublish(&workspace, &row.id).await.unwrap();
    engine.unpublish(&workspace, &row.id).await.unwrap();
    assert!(engine.delete_workflow(&workspace, &row.id).await.unwrap());
    assert!(!engine.delete_workflow(&workspace, &row.id).await.unwrap());

    let trail = trail(&installation, &workspace).await;
    let actions: Vec<_> = trail.iter().map(|entry| entry.action.as_str()).collect();
    let expected = [
        "workflow.created",
        "workflow.updated",
        "workflow.restored",
        "workflow.published",
        "run.cancelled",
        "run.retried",
        "approval.decided",
        "workflow.unpublished",
        "workflow.deleted",
    ];
    assert_eq!(actions, expected);
    for entry in &trail {
        assert_eq!((entry.actor_kind.as_str(), entry.actor_id.as_str()), ("person", "per_1"));
        assert_eq!(entry.address.as_deref(), Some("203.0.113.7"));
        assert_eq!(entry.request_id.as_deref(), Some("req_9"));
    }
    assert_eq!(trail[2].after_value()["revision"], restored.revision);
    assert_eq!(trail[3].after_value(), json!({ "published_version": 1 }));
    assert_eq!((&*trail[4].target_kind, &*trail[4].target_id), ("run", &*cancelled.run_id));
    assert_eq!(trail[6].after_value()["decision"], "approve");
    let report = installation.records.verify_audit_chain(&workspace, &Witness::new()).await.unwrap();
    assert_eq!((report.fault, report.entries), (None, expected.len() as i64));
}

#[tokio::test]
async fn what_a_node_changes_is_signed_by_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let installation = open(folder.path()).await;
    let workspace = installation.records.create_workspace("shop").await.unwrap().id;
    let nodes = json!([
        { "id": "start", "type": "trigger.manual" },
        { "id": "tag", "type": "contact.update", "params": { "contact": "919876543210", "add_tags": ["vip"] } },
    ]);
    let document = document("Tagging", nodes, json!([{ "from": "start", "to": "tag" }]));
    let row = installation.engine.create_workflow(&workspace, document).await.unwrap();
    installation.engine.publish(&workspace, &row.id, None).await.unwrap();
    let run = start(&installation.engine, &workspace, &row.id).await;
    let trail = trail(&installation, &workspace).await;
    let by_run: Vec<_> = trail.iter().filter(|entry| entry.actor_kind == "workflow").collect();
    let actions: Vec<_> = by_run.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["contact.created", "contact.updated"]);
    for entry in by_run {
        assert_eq!((&*entry.actor_id, &*entry.actor_name), (&*run.run_id, "Tagging"));
        assert_eq!(entry.request_id, Some(format!("{}/tag/0", run.run_id)));
    }
}

fn verify(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.args(["audit", "verify", "--data"]).arg(folder).args(more).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &*String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn the_command_line_names_what_was_changed_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let witness = folder.path().join("witness.json");
    let installation = open(folder.path()).await;
    let workspace = installation.records.create_workspace("shop").await.unwrap().id;
    for _ in 0..3 {
        let row = installation.engine.create_workflow(&workspace, asking()).await.unwrap();
        installation.engine.delete_workflow(&workspace, &row.id).await.unwrap();
    }
    let witnessed = ["--witness", witness.to_str().unwrap()];
    let good = verify(folder.path(), &witnessed);
    assert_eq!(good.status.code(), Some(0), "{}", text(&good));
    assert!(text(&good).contains(&format!("{workspace}: whole, 6 entries")), "{}", text(&good));
    assert!(text(&good).contains(&format!("{PLATFORM}: whole")), "{}", text(&good));
    let known: Value = serde_json::from_str(&std::fs::read_to_string(&witness).unwrap()).unwrap();
    assert_eq!(known[&workspace][0], 6);
    assert_eq!(verify(folder.path(), &["--workspace", "nobody"]).status.code(), Some(2));

    let db = &installation.db;
    for sql in [
        "drop trigger audit_entries_are_never_changed",
        "update audit_entries set actor_name = 'nobody' where seq = 4",
    ] {
        db.query(sql).execute().await.unwrap();
    }
    for more in [&[][..], &["--workspace", "shop"], &witnessed] {
        let bad = verify(folder.path(), more);
        assert_eq!(bad.status.code(), Some(1), "{}", text(&bad));
        assert!(text(&bad).contains(&format!("{workspace}: NOT WHOLE: entry 4:")), "{}", text(&bad));
    }
    let after: Value = serde_json::from_str(&std::fs::read_to_string(&witness).unwrap()).unwrap();
    assert_eq!(after, known, "what is not whole is no witness");
}
