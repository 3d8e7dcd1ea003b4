//! What records promise, on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod accounts;
mod audit;
mod connections;
mod erasure;
mod ground;
mod inbound;
mod ingest;
mod limits;
mod messages;
mod outbox;
mod people;
mod sessions;
mod tenancy;
mod tenants;
mod vault;
