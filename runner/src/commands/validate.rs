//! `sluice validate`: all problems of workflow files.

use super::{Answer, Extra, exit, files};
use crate::cli::ValidateArgs;
use crate::config::Settings;
use crate::wiring::MemoryHost;
use serde_json::json;
use sluice_engine::graph::Severity;
use sluice_node_sdk::services::SystemClock;
use std::sync::Arc;

/// Validates files.
pub(super) async fn run(args: &ValidateArgs, extra: Extra) -> Answer {
    let config = Settings::default().resolve().map_err(|error| error.to_string())?;
    let host = MemoryHost { extra, config };
    let (installation, _) = host.open(Arc::new(SystemClock), host.outside()?).await?;
    let mut good = true;
    let mut reports = Vec::new();
    for path in files::find(&args.files)? {
        let problems = match files::read(&path) {
            Ok(document) => installation.engine.problems(&document, None),
            Err(problems) => problems,
        };
        good &= !problems.iter().any(|problem| problem.severity == Severity::Error);
        if !args.json {
            problems.iter().for_each(|problem| println!("{}", files::line(&path, problem)));
            if problems.is_empty() {
                println!("{}: ok", path.display());
            }
        }
        reports.push(json!({ "file": path, "problems": problems }));
    }
    if args.json {
        println!("{:#}", json!(reports));
    }
    Ok(exit(good))
}
