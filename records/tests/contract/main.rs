//! What records promise, on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod accounts;
mod audit;
mod audit_tampering;
mod branding;
mod charges;
mod connections;
mod erasure;
mod ground;
mod holds;
mod inbound;
mod ingest;
mod ledger;
mod limits;
mod messages;
mod outbox;
mod people;
mod plans;
mod sessions;
mod tenancy;
mod tenants;
mod usage;
mod vault;
