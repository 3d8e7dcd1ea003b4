//! Windows of time: a node that must run within some time of an event (a free-form WhatsApp message within 24
//! hours of the customer's last one) after waits that are longer than that. Must not know which windows exist.

use super::subject::{Node, Subject};
use crate::core::NodeIx;
use crate::graph::plan::Plan;
use crate::graph::problem::{Problem, Severity};
use petgraph::visit::{EdgeFiltered, Topo, Walker};
use sluice_node_sdk::duration::parse_duration_ms;
use sluice_node_sdk::spec::{TimeWindow, WindowRole};
use std::collections::BTreeSet;

/// Checks every window that some node type of the document knows.
pub(super) fn check(subject: &Subject<'_>, plan: &Plan, problems: &mut Vec<Problem>) {
    let names: BTreeSet<&str> =
        subject.nodes.iter().filter_map(|node| window(node)).map(|window| window.name.as_str()).collect();
    for name in names {
        check_window(subject, plan, name, problems);
    }
}

fn window<'a>(node: &Node<'a>) -> Option<&'a TimeWindow> {
    node.spec().and_then(|spec| spec.window.as_ref())
}

/// Adds up, along the longest way, the waits since the window was opened.
fn check_window(subject: &Subject<'_>, plan: &Plan, name: &str, problems: &mut Vec<Problem>) {
    let forward = EdgeFiltered::from_fn(&plan.graph, |edge| !plan.edges[*edge.weight() as usize].is_back);
    // Per edge, how long after the window was opened its items come at least.
    let mut waited = vec![0_i64; plan.edges.len()];
    for at in Topo::new(&forward).iter(&forward) {
        let ix: NodeIx = plan.graph[at];
        let (node, planned) = (&subject.nodes[ix as usize], plan.at(ix));
        let since = planned.inputs.iter().map(|edge| waited[*edge as usize]).max().unwrap_or(0);
        let role = window(node).filter(|window| window.name == name && !node.doc.disabled);
        let role = role.map(|window| &window.role);
        let after = since.saturating_add(pause_ms(node));
        for edge in &planned.outputs {
            let port = &planned.ports[usize::from(plan.edges[*edge as usize].port)];
            waited[*edge as usize] = if opens(role, port) { 0 } else { after };
        }
        if let Some(WindowRole::Needs { length_ms, unless_param, unless_values }) = role
            && since > *length_ms
            && !is_lifted(node, unless_param, unless_values)
        {
            problems.push(closed(node, since, *length_ms, unless_values));
        }
    }
}

fn opens(role: Option<&WindowRole>, port: &str) -> bool {
    matches!(role, Some(WindowRole::Opens { ports }) if ports.is_empty() || ports.iter().any(|one| one == port))
}

/// Whether a parameter says that the node works outside the window too, or may say so.
fn is_lifted(node: &Node<'_>, param: &str, values: &[String]) -> bool {
    let value = node.param(param).and_then(|value| value.as_str());
    value.is_some_and(|value| value.contains("{{") || values.iter().any(|one| one == value))
}

/// How long a node certainly holds its items back. What an expression gives is not known.
fn pause_ms(node: &Node<'_>) -> i64 {
    let pause = node.spec().and_then(|spec| spec.pause_param.as_deref());
    let text = pause.and_then(|pointer| node.param(pointer)).and_then(|value| value.as_str());
    match text {
        Some(text) if !node.doc.disabled => parse_duration_ms(text).unwrap_or(0),
        _ => 0,
    }
}

fn closed(node: &Node<'_>, since: i64, length: i64, instead: &[String]) -> Problem {
    let hours = |ms: i64| ms / 3_600_000;
    let message = format!(
        "The waits before `{}` add up to {} hours, but it only works within {} hours of the customer's last message; use {}, wait less, or wait for a reply first",
        node.doc.id,
        hours(since),
        hours(length),
        if instead.is_empty() { "another node".to_owned() } else { instead.join(" or ") },
    );
    node.problem(Severity::Warning, "window_closed", node.path("/params"), message)
}
