//! Contacts: people as records. Must not know SQL or the engine.

mod update;

use sluice_node_sdk::node::{DynNode, node};
use sluice_records::Records;
use std::sync::Arc;

/// All contact nodes. Without records they can only pretend, in dry runs and examples.
pub fn contact_nodes(records: Option<Records>) -> Vec<Arc<dyn DynNode>> {
    vec![node(update::Update { records })]
}
