//! (crate sluice-nodes)

pub mod http;
mod multipart;
pub mod whatsapp;
