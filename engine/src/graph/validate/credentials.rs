//! Credentials: whether those that nodes name exist and are of a kind the node can use. Must not see secrets:
//! it is told kinds by name.

use super::subject::{Node, Subject};
use crate::graph::problem::{Problem, Severity};
use serde_json::Value;
use sluice_node_sdk::spec::CredentialNeed;

/// The kind of the credential with a name; `None` when the workspace has none of that name.
pub type CredentialKinds<'a> = dyn Fn(&str) -> Option<String> + Sync + 'a;

/// Checks the credentials of all nodes.
pub(super) fn check(subject: &Subject<'_>, kinds: &CredentialKinds<'_>, problems: &mut Vec<Problem>) {
    for node in &subject.nodes {
        let Some(spec) = node.spec() else { continue };
        for (ix, need) in spec.credentials.iter().enumerate() {
            problems.extend(check_need(node, need, ix == 0, kinds));
        }
        if spec.credentials.is_empty() && node.doc.credential.is_some() {
            let message = format!("`{}` uses no credential; remove it", spec.node_type);
            let path = node.path("/credential");
            problems.push(node.problem(Severity::Warning, "unused_credential", path, message));
        }
    }
}

fn check_need(
    node: &Node<'_>,
    need: &CredentialNeed,
    is_first: bool,
    kinds: &CredentialKinds<'_>,
) -> Option<Problem> {
    let in_params = format!("/{}", need.param);
    let (name, path) = match (node.param(&in_params), &node.doc.credential) {
        (Some(Value::String(name)), _) => (Some(name.as_str()), node.path(&format!("/params{in_params}"))),
        // Another type than text is a bad parameter, reported as such.
        (Some(_), _) => return None,
        (None, Some(name)) if is_first => (Some(name.as_str()), node.path("/credential")),
        (None, _) => (None, node.path("/credential")),
    };
    let wanted = need.kinds.join(" or ");
    let Some(name) = name else {
        let message = format!("The node needs a credential of kind {wanted}; choose one");
        return need.required.then(|| node.error("missing_credential", path, message));
    };
    if name.contains("{{") {
        return None;
    }
    match kinds(name) {
        None => {
            let message = format!(
                "There is no credential `{name}` in this workspace; create it, or choose another of kind {wanted}"
            );
            Some(node.error("missing_credential", path, message))
        }
        Some(kind) if !need.kinds.is_empty() && !need.kinds.contains(&kind) => {
            let message = format!("The credential `{name}` is of kind {kind}; the node needs {wanted}");
            Some(node.error("wrong_credential_kind", path, message))
        }
        Some(_) => None,
    }
}
