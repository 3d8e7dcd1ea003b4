//! `sluice run`: one workflow, in memory, with its trace.

use super::{Answer, Extra, configure, exit, files};
use crate::cli::RunArgs;
use crate::wiring::{MemoryHost, explain};
use serde_json::{Value, json};
use sluice_engine::core::RunStatus;
use sluice_engine::document::Document;
use sluice_engine::drive::{Engine, EngineError, StartRequest};
use sluice_engine::store::RunKey;
use sluice_engine::testing::describe;
use sluice_engine::view::RunView;
use sluice_node_sdk::duration::parse_duration_ms;
use sluice_node_sdk::services::SystemClock;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Runs a workflow document.
pub(super) async fn run(args: RunArgs, extra: Extra) -> Answer {
    let mut settings = args.settings;
    // The trace is the output; a log line is one only when something is wrong.
    settings.log = settings.log.or_else(|| Some("warn".to_owned()));
    let config = configure(settings)?;
    let document = match files::read(&args.file) {
        Ok(document) => document,
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("{}", files::line(&args.file, problem)));
            return Ok(ExitCode::FAILURE);
        }
    };
    let event = match &args.input {
        Some(path) => read_event(path)?,
        None => fixture(&document, args.trigger.as_deref()),
    };
    let patience = parse_duration_ms(&args.patience).map_err(|error| format!("--patience: {error}"))?;
    let host = MemoryHost { extra, config };
    let (installation, workspace_id) = host.open(Arc::new(SystemClock), host.outside()?).await?;
    let engine = installation.engine;
    engine.spawn_loops();
    let request = StartRequest {
        workspace_id,
        workflow_id: "wf_file".to_owned(),
        draft: Some(document),
        trigger: args.trigger,
        event,
        is_test: true,
        dry_run: args.dry_run,
        ..StartRequest::default()
    };
    let started = match engine.start(request).await {
        Ok(started) => started,
        Err(EngineError::Problems(problems)) => {
            problems.iter().for_each(|problem| eprintln!("{}", files::line(&args.file, problem)));
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(describe(&error)),
    };
    let patience = Duration::from_millis(u64::try_from(patience).unwrap_or_default());
    let view = watch(&engine, &started.key, patience).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&view).map_err(|error| explain(&error))?);
    } else {
        print!("{}", crate::trace::table(&view));
    }
    Ok(exit(!matches!(view.status, RunStatus::Failed | RunStatus::Cancelled)))
}

/// Stays with the run until it is over, or waits for longer than our patience.
async fn watch(engine: &Engine, key: &RunKey, patience: Duration) -> Result<RunView, String> {
    let deadline = tokio::time::Instant::now() + patience;
    let mut heard = engine.live().subscribe();
    loop {
        tokio::select! {
            () = engine.settle() => {}
            () = tokio::time::sleep_until(deadline) => {}
        }
        let view = engine.run_view(key).await.map_err(|error| describe(&error))?;
        let view = view.ok_or("the run is gone")?;
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        let wakes_in =
            view.wake_at.map(|at| Duration::from_millis(u64::try_from(at - engine.now_ms()).unwrap_or(0)));
        let is_worth_it = view.status == RunStatus::Waiting && wakes_in.is_some_and(|pause| pause <= left);
        if view.status.is_over() || left.is_zero() || (view.status == RunStatus::Waiting && !is_worth_it) {
            return Ok(view);
        }
        // Something happens next, or the time is up.
        let _ = tokio::time::timeout_at(deadline, heard.recv()).await;
    }
}

fn read_event(path: &Path) -> Result<Value, String> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{}: not JSON: {error}", path.display()))
}

/// The first fixture of the trigger, or an empty event.
fn fixture(document: &Document, trigger: Option<&str>) -> Value {
    let chosen = match trigger {
        Some(id) => document.fixtures.get(id),
        None => document.nodes.iter().find_map(|node| document.fixtures.get(&node.id)),
    };
    let first = chosen.and_then(|items| items.first());
    first.map_or_else(|| json!({}), |item| item.get("json").unwrap_or(item).clone())
}
