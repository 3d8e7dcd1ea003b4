//! HTTP requests to anywhere. The guard against private addresses is in the transport, not here.
//! Must not know the engine.

mod answer;
mod auth;
mod body;
mod credentials;
mod examples;
mod pages;
mod request;

use sluice_node_sdk::node::{DynNode, node};
use std::sync::Arc;

/// All HTTP nodes.
pub fn http_nodes() -> Vec<Arc<dyn DynNode>> {
    vec![node(request::Request::default())]
}
