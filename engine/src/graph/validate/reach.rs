//! The graph as a whole: whether anything starts it, what nothing leads to, loops that do not return. Must not
//! know parameters, except the path of webhooks.

use super::subject::{Node, Subject, reachable};
use crate::core::NodeIx;
use crate::graph::plan::Plan;
use crate::graph::problem::{Problem, Severity};
use sluice_node_sdk::spec::TriggerSource;
use std::collections::{HashMap, HashSet};

/// The most loops a document may have: the cost of working them out grows with loops times edges.
const MAX_LOOPS: usize = 100;

/// Checks triggers and reachability.
pub(super) fn check(subject: &Subject<'_>, problems: &mut Vec<Problem>) {
    let triggers: Vec<&Node<'_>> = subject.nodes.iter().filter(|node| is_trigger(node)).collect();
    check_webhooks(&triggers, problems);
    let has_unknown = subject.nodes.iter().any(|node| node.known.is_none());
    if triggers.iter().all(|node| node.doc.disabled) {
        // A node of unknown type may be meant as the trigger; the unknown type is reported already.
        if !has_unknown {
            let message = if triggers.is_empty() {
                "Nothing starts this workflow; add a trigger, such as trigger.manual or trigger.webhook"
            } else {
                "Nothing starts this workflow: all its triggers are disabled; enable one"
            };
            problems.push(Problem::error("no_trigger", "/nodes", message));
        }
        return;
    }
    let starts = subject.nodes.iter().filter(|node| is_trigger(node) || node.known.is_none());
    let reached = reachable(&subject.after, starts.map(|node| node.ix));
    for node in subject.nodes.iter().filter(|node| !reached.contains(&node.ix)) {
        let message = format!(
            "No path leads from a trigger to `{}`, so it never runs; connect or remove it",
            node.doc.id
        );
        problems.push(node.problem(Severity::Warning, "unreachable_node", node.path(""), message));
    }
}

fn is_trigger(node: &Node<'_>) -> bool {
    node.spec().is_some_and(|spec| spec.trigger.is_some())
}

/// A request has one address, so two triggers on it could not be told apart.
fn check_webhooks(triggers: &[&Node<'_>], problems: &mut Vec<Problem>) {
    let mut taken: HashMap<&str, &str> = HashMap::new();
    for node in triggers.iter().filter(|node| !node.doc.disabled) {
        let trigger = node.spec().and_then(|spec| spec.trigger.as_ref());
        if trigger.is_none_or(|trigger| trigger.source != TriggerSource::Webhook) {
            continue;
        }
        let Some(path) = node.param("/path").and_then(|path| path.as_str()) else { continue };
        let path = path.trim_matches('/');
        if let Some(other) = taken.insert(path, &node.doc.id) {
            let message = format!("The webhook path `{path}` is used by `{other}` already; choose another");
            problems.push(node.error("duplicate_webhook_path", node.path("/params/path"), message));
        }
    }
}

/// Whether the loops of a document are few enough to be worked out.
pub(super) fn loops_are_bounded(entries: &HashSet<NodeIx>, problems: &mut Vec<Problem>) -> bool {
    let is_bounded = entries.len() <= MAX_LOOPS;
    if !is_bounded {
        let message = format!(
            "The workflow has {} loop nodes; at most {MAX_LOOPS} are possible. Move parts into workflows of their own",
            entries.len()
        );
        problems.push(Problem::error("too_large", "/nodes", message));
    }
    is_bounded
}

/// Loops whose body never comes back run once.
pub(super) fn check_loops(
    subject: &Subject<'_>,
    plan: &Plan,
    declared: &HashSet<NodeIx>,
    problems: &mut Vec<Problem>,
) {
    for node in subject.nodes.iter().filter(|node| declared.contains(&node.ix)) {
        if plan.at(node.ix).entry_of.is_some() || subject.after[node.ix as usize].is_empty() {
            continue;
        }
        let message = format!(
            "No path leads from the outputs of `{}` back to it, so it runs once only; connect the end of its body to it",
            node.doc.id
        );
        problems.push(node.problem(Severity::Warning, "loop_never_returns", node.path(""), message));
    }
}
