//! Validation: everything wrong with a document at once, with its place and what to do about it.
//!
//! - [`structure`]: from bytes and JSON to a document; [`schema`]: JSON Schema errors in words.
//! - [`params`], [`expressions`], [`credentials`]: one node at a time, against its type.
//! - [`reach`], [`window`]: the graph; [`settings`]: the workflow's settings, tests and fixtures.
//!
//! Must not know what any node type does beyond its specification.

mod credentials;
mod expressions;
mod params;
mod reach;
mod schema;
mod settings;
mod structure;
mod subject;
mod window;

pub use credentials::CredentialKinds;
pub use params::effective_params;
pub use structure::{MAX_DOCUMENT_BYTES, MAX_EDGES, MAX_NODES, parse, parse_text};

use super::compile::{finish, skeleton};
use super::problem::{Problem, Severity};
use crate::core::NodeIx;
use crate::document::Document;
use crate::expr::Expressions;
use sluice_node_sdk::registry::Registry;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use subject::Subject;

/// All problems of a document, sorted by node (in the document's order, the whole workflow first) and path.
///
/// `credentials` tells the kind of each credential of the workspace by name; without it, for example when a
/// template is checked, credentials are not looked at.
pub fn validate(
    document: &Document,
    registry: &Registry,
    expressions: &Expressions,
    credentials: Option<&CredentialKinds<'_>>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (nodes, edges, declared) = skeleton(document, registry, &mut problems);
    let subject = Subject::new(document, registry, &edges);
    params::check(&subject, &mut problems);
    expressions::check(&subject, expressions, &mut problems);
    if let Some(kinds) = credentials {
        credentials::check(&subject, kinds, &mut problems);
    }
    reach::check(&subject, &mut problems);
    settings::check(&subject, &mut problems);
    if reach::loops_are_bounded(&declared, &mut problems) {
        // A node of an unknown type may be a loop; its cycle is not held against the document.
        let unknown = subject.nodes.iter().filter(|node| node.known.is_none()).map(|node| node.ix);
        let entries: HashSet<NodeIx> = declared.iter().copied().chain(unknown).collect();
        match finish(nodes, edges, &entries) {
            Ok(plan) => {
                reach::check_loops(&subject, &plan, &declared, &mut problems);
                window::check(&subject, &plan, &mut problems);
            }
            Err(cycles) => problems.extend(cycles.into_iter().filter(|cycle| subject.is_certain(cycle))),
        }
    }
    sort(document, &mut problems);
    problems
}

/// Whether a document with these problems can be published and run.
pub fn is_valid(problems: &[Problem]) -> bool {
    problems.iter().all(|problem| problem.severity == Severity::Warning)
}

fn sort(document: &Document, problems: &mut Vec<Problem>) {
    let mut order: HashMap<&str, usize> = HashMap::new();
    for (ix, node) in document.nodes.iter().enumerate() {
        order.entry(&node.id).or_insert(ix + 1);
    }
    let place = |problem: &Problem| {
        let node = problem.node.as_deref();
        node.map_or(0, |id| order.get(id).copied().unwrap_or(usize::MAX))
    };
    problems.sort_by(|left, right| {
        place(left)
            .cmp(&place(right))
            .then_with(|| compare_paths(&left.path, &right.path))
            .then_with(|| left.severity.cmp(&right.severity))
            .then_with(|| left.code.cmp(&right.code))
            .then_with(|| left.message.cmp(&right.message))
    });
    problems.dedup();
}

/// `/nodes/2` before `/nodes/10`.
fn compare_paths(left: &str, right: &str) -> Ordering {
    let key = |token: &str| (token.parse::<u64>().ok(), token.to_owned());
    left.split('/').map(key).cmp(right.split('/').map(key))
}
