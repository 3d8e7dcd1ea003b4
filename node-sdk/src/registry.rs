//! The visible list of node types that a host knows.

use crate::credential::CredentialKind;
use crate::node::DynNode;
use crate::spec::NodeSpec;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Node types by name. Built once at start.
#[derive(Clone, Default)]
pub struct Registry {
    nodes: BTreeMap<String, Arc<dyn DynNode>>,
    kinds: BTreeMap<String, CredentialKind>,
}

/// Why a list of nodes cannot be a registry.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Two nodes with one name.
    #[error("two nodes are registered as `{0}`; rename one of them")]
    Duplicate(String),
    /// A name that is not `service.verb`.
    #[error("`{0}` is not a node type name; use `service.verb` in lower case, as in `data.set`")]
    Name(String),
    /// Two nodes describe one kind of credential differently.
    #[error(
        "two nodes describe credentials of the kind `{0}` differently; let one describe it, or take another name"
    )]
    Kind(String),
}

impl Registry {
    /// A registry of these nodes.
    ///
    /// # Errors
    /// When two nodes share a type name, a name is not `service.verb`, or two nodes describe one kind of credential differently.
    pub fn new(nodes: impl IntoIterator<Item = Arc<dyn DynNode>>) -> Result<Self, RegistryError> {
        let mut registry = Self::default();
        for node in nodes {
            let name = node.spec().node_type.clone();
            if !is_type_name(&name) {
                return Err(RegistryError::Name(name));
            }
            for kind in &node.spec().credential_kinds {
                let known = registry.kinds.entry(kind.kind.clone()).or_insert_with(|| kind.clone());
                if known != kind {
                    return Err(RegistryError::Kind(kind.kind.clone()));
                }
            }
            if registry.nodes.insert(name.clone(), node).is_some() {
                return Err(RegistryError::Duplicate(name));
            }
        }
        Ok(registry)
    }

    /// The node of that type.
    pub fn get(&self, node_type: &str) -> Option<&Arc<dyn DynNode>> {
        self.nodes.get(node_type)
    }

    /// All specs, sorted by type.
    pub fn specs(&self) -> impl Iterator<Item = &NodeSpec> {
        self.nodes.values().map(|node| node.spec())
    }

    /// The kinds of credentials that nodes describe, sorted by kind.
    pub fn credential_kinds(&self) -> impl Iterator<Item = &CredentialKind> {
        self.kinds.values()
    }

    /// All nodes, sorted by type.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<dyn DynNode>> {
        self.nodes.values()
    }
}

fn is_type_name(name: &str) -> bool {
    let word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    name.split_once('.').is_some_and(|(service, verb)| word(service) && word(verb))
}
