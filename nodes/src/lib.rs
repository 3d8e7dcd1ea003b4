//! The built-in nodes, one file each, and the one visible list of them. Must not know the engine or the
//! HTTP server: a node talks to its host only through the SDK.

pub mod contact;
pub mod data;
pub mod flow;
pub mod http;
mod multipart;
mod records;
pub mod trigger;
mod values;
pub mod whatsapp;

use sluice_node_sdk::node::{DynNode, node};
use sluice_records::Records;
use std::sync::Arc;

/// The nodes that need no service beyond what the SDK lends: triggers, flow and data. Sorted by type.
pub fn core() -> Vec<Arc<dyn DynNode>> {
    vec![
        node(data::aggregate::Aggregate),
        node(data::crypto::Crypto),
        node(data::csv::Csv),
        node(data::datetime::Datetime),
        node(data::dedupe::Dedupe),
        node(data::filter::Filter),
        node(data::json_schema::JsonSchemaCheck),
        node(data::limit::Limit),
        node(data::rename::Rename),
        node(data::script::Script),
        node(data::set::Set),
        node(data::sort::Sort),
        node(data::split::Split),
        node(data::summarize::Summarize),
        node(flow::approval::Approval),
        node(flow::business_hours::BusinessHours),
        node(flow::call::Call),
        node(flow::r#if::If),
        node(flow::r#loop::Loop),
        node(flow::merge::Merge),
        node(flow::noop::Noop),
        node(flow::respond::Respond),
        node(flow::stop::Stop),
        node(flow::switch::Switch),
        node(flow::wait::Wait),
        node(trigger::error::Error),
        node(trigger::event::Event),
        node(trigger::manual::Manual),
        node(trigger::schedule::Schedule),
        node(trigger::webhook::Webhook),
        node(trigger::workflow::Workflow),
    ]
}

/// Every built-in node, sorted by type.
pub fn all(records: Records) -> Vec<Arc<dyn DynNode>> {
    let mut nodes = core();
    nodes.extend(http::http_nodes());
    nodes.extend(contact::contact_nodes(Some(records.clone())));
    nodes.extend(whatsapp::whatsapp_nodes(Arc::new(records)));
    nodes.sort_by(|a, b| a.spec().node_type.cmp(&b.spec().node_type));
    nodes
}
