//! Windows of time: a node that must run within some time of an event (a free-form WhatsApp message within 24
//! hours of the customer's last one) after waits that are longer than that. Must not know which windows exist.

use super::subject::{Node, Subject};
use crate::core::NodeIx;
use crate::graph::plan::Plan;
use crate::graph::problem::{Problem, Severity};
use petgraph::visit::{EdgeFiltered, Topo, Walker};
use sluice_node_sdk::duration::parse_duration_ms;
use sluice_node_sdk::spec::{NodeSpec, TimeWindow, WindowRole};
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
    let mut waited = vec![0_i64; subject.nodes.len()];
    // The same for what leaves a node at its port `timeout`.
    let mut in_vain = vec![0_i64; subject.nodes.len()];
    for at in Topo::new(&forward).iter(&forward) {
        let ix: NodeIx = plan.graph[at];
        let node = &subject.nodes[ix as usize];
        let came = plan.at(ix).inputs.iter().map(|edge| {
            let edge = &plan.edges[*edge as usize];
            let is_timeout =
                plan.at(edge.source).ports.get(edge.port as usize).is_some_and(|port| &**port == "timeout");
            if is_timeout { in_vain[edge.source as usize] } else { waited[edge.source as usize] }
        });
        let since = came.max().unwrap_or(0);
        let length =
            |pointer: fn(&NodeSpec) -> Option<&String>| since.saturating_add(duration_ms(node, pointer));
        waited[ix as usize] = length(|spec| spec.pause_param.as_ref());
        in_vain[ix as usize] = length(|spec| spec.timeout_param.as_ref());
        let Some(window) = window(node).filter(|window| window.name == name && !node.doc.disabled) else {
            continue;
        };
        match &window.role {
            WindowRole::Opens => waited[ix as usize] = 0,
            WindowRole::Needs { length_ms, unless_param, unless_values } => {
                let lifted = node.param(unless_param).and_then(|value| value.as_str()).is_some_and(|value| {
                    value.contains("{{") || unless_values.iter().any(|one| one == value)
                });
                if since > *length_ms && !lifted {
                    problems.push(closed(node, since, *length_ms, unless_values));
                }
            }
        }
    }
}

/// The duration that a node's parameter gives. What an expression gives is not known.
fn duration_ms(node: &Node<'_>, pointer: fn(&NodeSpec) -> Option<&String>) -> i64 {
    let text = node.spec().and_then(pointer).and_then(|pointer| node.param(pointer));
    match text.and_then(|value| value.as_str()) {
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
