//! What records promise, on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod charges;
mod ground;
mod holds;
mod inbound;
mod ingest;
mod ledger;
mod messages;
mod people;
mod plans;
mod tenancy;
mod tenants;
mod usage;
