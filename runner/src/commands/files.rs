//! Workflow files: found, read, and checked before anything is done with them.

use sluice_engine::document::Document;
use sluice_engine::graph::{Problem, parse_text};
use std::path::{Path, PathBuf};

/// The workflow files of a list of files and folders (folders are searched through), in order.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut inside: Vec<PathBuf> = std::fs::read_dir(path)
                .map_err(|error| format!("{}: {error}", path.display()))?
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| path.is_dir() || path.extension().is_some_and(|ending| ending == "json"))
                .collect();
            inside.sort();
            found.extend(find(&inside)?);
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

/// Reads one document.
pub(super) fn read(path: &Path) -> Result<Document, Vec<Problem>> {
    let bytes = std::fs::read(path).map_err(|error| {
        vec![Problem::error("unreadable_file", "", format!("{}: {error}", path.display()))]
    })?;
    parse_text(&bytes)
}

/// A problem on one line.
pub(super) fn line(path: &Path, problem: &Problem) -> String {
    let severity = match problem.severity {
        sluice_engine::graph::Severity::Error => "error",
        sluice_engine::graph::Severity::Warning => "warning",
    };
    let node = problem.node.as_ref().map(|node| format!(" node `{node}`")).unwrap_or_default();
    format!("{}: {severity} {}{node} at {}: {}", path.display(), problem.code, problem.path, problem.message)
}
