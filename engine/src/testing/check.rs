//! Compares what a test expects with a run.

use crate::core::RunStatus;
use crate::document::Expect;
use crate::view::{NodeStatus, RunView};
use serde_json::Value;
use sluice_node_sdk::http::contains;

/// What of an expectation does not hold.
pub fn check(expect: &Expect, view: &RunView) -> Vec<String> {
    let mut failures = Vec::new();
    if let Some(status) = expect.status
        && status != view.status
    {
        failures.push(format!(
            "expected the run to be {}, it is {}{}",
            status.as_str(),
            view.status.as_str(),
            because(view)
        ));
    }
    let in_status =
        |id: &str, status: NodeStatus| view.nodes.iter().any(|node| node.id == id && node.status == status);
    for (ids, status) in [
        (&expect.ran, NodeStatus::Succeeded),
        (&expect.skipped, NodeStatus::Skipped),
        (&expect.waiting, NodeStatus::Waiting),
    ] {
        for id in ids.iter().filter(|id| !in_status(id, status)) {
            let found =
                view.nodes.iter().rfind(|node| &node.id == id).map_or("unknown", |node| node.status.as_str());
            failures.push(format!("expected node `{id}` to be {}, it is {found}", status.as_str()));
        }
    }
    for (id, wanted) in &expect.output {
        let node = view.nodes.iter().rfind(|node| &node.id == id && !node.output.is_empty());
        let came: Vec<&Value> =
            node.iter().flat_map(|node| node.output.values().flatten()).map(|item| &*item.json).collect();
        let fits = came.len() == wanted.len()
            && came.iter().zip(wanted).all(|(came, wanted)| contains(came, wanted));
        if !fits {
            let wanted = serde_json::to_string(wanted).unwrap_or_default();
            let came = serde_json::to_string(&came).unwrap_or_default();
            failures.push(format!("expected node `{id}` to give {wanted}, it gave {came}"));
        }
    }
    failures.extend(check_error(expect, view.error.as_ref().map(|error| error.code.as_str())));
    let failed = view.error.as_ref().and_then(|error| error.node.as_deref());
    if let Some(wanted) = expect.failed_node.as_deref().filter(|wanted| Some(*wanted) != failed) {
        failures
            .push(format!("expected node `{wanted}` to fail the run, it was `{}`", failed.unwrap_or("none")));
    }
    let reply = serde_json::to_value(&view.reply).unwrap_or_default();
    if !expect.reply.is_null() && !contains(&reply, &expect.reply) {
        failures.push(format!("expected the reply {}, it is {reply}", expect.reply));
    }
    failures
}

/// What of an expected error does not hold.
pub(super) fn check_error(expect: &Expect, code: Option<&str>) -> Option<String> {
    let wanted = expect.error.as_deref().filter(|wanted| Some(*wanted) != code)?;
    Some(format!("expected the error `{wanted}`, it is `{}`", code.unwrap_or("none")))
}

fn because(view: &RunView) -> String {
    let Some(error) = view.error.as_ref().filter(|_| view.status == RunStatus::Failed) else {
        return String::new();
    };
    format!(" ({}: {})", error.code, error.message)
}
