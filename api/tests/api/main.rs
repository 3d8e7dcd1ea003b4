//! The API from outside: every route through the whole router, on a real database of either engine.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and that is all")]

mod accounts;
mod approvals;
mod billing;
mod bodies;
mod branding;
mod connections;
mod contract;
mod credentials;
mod documents;
mod expressions;
mod ground;
mod hooks;
mod impersonation;
mod keys;
mod nodes;
mod oidc;
mod outcomes;
mod oversight;
mod people;
mod personal;
mod records;
mod runs;
mod service;
mod streams;
mod studio;
mod tenants;
mod walk;
mod webhook;
mod workflows;
