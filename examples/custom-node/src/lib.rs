//! A node of one's own, in a crate of its own: what `docs/writing-a-node.md` explains. Knows the node SDK and
//! nothing of the engine.

pub mod quote;

use sluice_node_sdk::prelude::{DynNode, node};
use std::sync::Arc;

/// The nodes of this crate: one visible list.
pub fn all() -> Vec<Arc<dyn DynNode>> {
    vec![node(quote::Quote)]
}
