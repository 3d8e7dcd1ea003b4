//! (crate sluice-nodes)

pub mod whatsapp;
