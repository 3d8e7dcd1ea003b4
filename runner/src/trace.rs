//! A run as a table for people.

use sluice_engine::view::{NodeRunView, RunView};
use std::fmt::Write as _;

/// The longest cell, in characters.
const WIDEST: usize = 72;

/// The trace of a run as text.
pub(crate) fn table(view: &RunView) -> String {
    let head = ["node", "type", "status", "try", "ms", "result"].map(ToOwned::to_owned);
    let mut rows = vec![head];
    rows.extend(view.nodes.iter().map(row));
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let took = view.ended_at.zip(view.started_at).map(|(end, start)| format!(" in {} ms", end - start));
    let _ = writeln!(text, "\n{} {}{}", view.id, view.status.as_str(), took.unwrap_or_default());
    if let Some(error) = &view.error {
        let node = error.node.as_ref().map(|node| format!(" at node `{node}`")).unwrap_or_default();
        let _ = writeln!(text, "{}{node}: {}", error.code, error.message);
    }
    text
}

fn row(node: &NodeRunView) -> [String; 6] {
    let name = if node.iteration > 0 { format!("{}#{}", node.id, node.iteration) } else { node.id.clone() };
    let took = node.ended_at.zip(node.started_at).map(|(end, start)| (end - start).to_string());
    let attempt = if node.attempt > 0 { node.attempt.to_string() } else { String::new() };
    let status = node.status.as_str().to_owned();
    [name, node.node_type.clone(), status, attempt, took.unwrap_or_default(), shorten(&result(node))]
}

fn result(node: &NodeRunView) -> String {
    if let Some(error) = &node.error
        && node.output.is_empty()
    {
        return format!("{}: {}", error.code, error.message);
    }
    if let Some(wait) = &node.wait {
        return format!("waits for {}", wait["signal"].as_str().unwrap_or("a time"));
    }
    let ports = node.output.iter().map(|(port, items)| {
        let jsons: Vec<_> = items.iter().map(|item| item.json.to_string()).collect();
        format!("{port}: {}", jsons.join(", "))
    });
    ports.collect::<Vec<_>>().join("; ")
}

fn shorten(text: &str) -> String {
    let line = text.replace('\n', " ");
    if line.chars().count() <= WIDEST {
        return line;
    }
    let kept: String = line.chars().take(WIDEST - 1).collect();
    format!("{kept}…")
}
