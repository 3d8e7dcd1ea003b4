//! An installation as `sluice serve` opens it: what is large lies beside the database, and what has been kept long
//! enough goes, with everything that belongs to it.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use serde_json::{Value, json};
use sluice_engine::drive::{Pruned, StartRequest};
use sluice_engine::store::RunKey;
use sluice_records::InboundStatus;
use sluice_runner::pruning::{Pass, prune_now};
use sluice_runner::{Config, Installation, Settings};
use std::path::{Path, PathBuf};

const DAY: i64 = 86_400_000;

fn config(folder: &Path) -> Config {
    let settings = Settings { data: Some(folder.to_owned()), ..Settings::default() };
    settings.resolve().unwrap()
}

async fn publish(
    installation: &Installation,
    workspace: &str,
    name: &str,
    retention: Option<&str>,
) -> String {
    let document = json!({
        "sluice": 1, "name": name, "settings": retention.map_or_else(|| json!({}), |length| json!({ "retention": length })),
        "nodes": [
            { "id": "start", "type": "trigger.manual" },
            { "id": "copy", "type": "data.set", "params": { "fields": { "text": "{{ json.text }}" } } },
        ],
        "edges": [{ "from": "start", "to": "copy" }],
    });
    let engine = &installation.engine;
    let row = engine.create_workflow(workspace, serde_json::from_value(document).unwrap()).await.unwrap();
    engine.publish(workspace, &row.id, None).await.unwrap();
    row.id
}

async fn start(installation: &Installation, workspace: &str, workflow: &str, event: Value) -> RunKey {
    let request = StartRequest {
        workspace_id: workspace.to_owned(),
        workflow_id: workflow.to_owned(),
        event,
        ..StartRequest::default()
    };
    let key = installation.engine.start(request).await.unwrap().key;
    installation.engine.settle().await;
    key
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Text that no codec makes much smaller.
fn noise() -> String {
    let digit = |number: u64| {
        let mixed = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .rotate_left(29)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{mixed:016x}")
    };
    (1..12_000).map(digit).collect()
}

#[tokio::test]
async fn what_was_kept_long_enough_goes_with_all_that_belongs_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let installation = Installation::open(&config, &[]).await.unwrap();
    let workspace = installation.records.create_workspace("shop").await.unwrap().id;
    let plain = publish(&installation, &workspace, "Plain", None).await;
    let long = publish(&installation, &workspace, "Long", Some("365d")).await;
    let text = noise();
    let large = start(&installation, &workspace, &plain, json!({ "text": text })).await;
    let small = start(&installation, &workspace, &plain, json!({ "text": "a" })).await;
    let kept = start(&installation, &workspace, &long, json!({ "text": text })).await;
    let body = installation.records.store_inbound("whatsapp", b"{}", true).await.unwrap().id;
    installation.records.finish_inbound(&body, InboundStatus::Ignored, &json!([]), &[], None).await.unwrap();
    let payloads = folder.path().join("payloads");
    assert_eq!(files(&payloads).len(), 2);
    let view = installation.engine.run_view(&large).await.unwrap().unwrap();
    assert_eq!(view.output["copy"][0]["text"], text);

    let now = installation.engine.now_ms();
    let pass = prune_now(&installation, &config.keeping, now + 89 * DAY).await.unwrap();
    assert_eq!(pass, Pass::default());
    let pass = prune_now(&installation, &config.keeping, now + 91 * DAY).await.unwrap();
    assert_eq!((pass.pruned.runs, pass.pruned.payloads, pass.records), (2, 1, 1));
    for gone in [&large, &small] {
        assert!(installation.engine.run_view(gone).await.unwrap().is_none());
    }
    let view = installation.engine.run_view(&kept).await.unwrap().unwrap();
    assert_eq!(view.output["copy"][0]["text"], text);
    assert_eq!(files(&payloads).len(), 1);
    assert!(installation.records.inbound(None, &body).await.is_err());
    let pass = prune_now(&installation, &config.keeping, now + 366 * DAY).await.unwrap();
    assert_eq!((pass.pruned, files(&payloads)), (Pruned { runs: 1, payloads: 1, notes: 0 }, Vec::new()));
    installation.db.close().await;
}
