//! The workflow engine: documents and validation ([`graph`]), the pure core ([`core`]), expressions
//! ([`expr`]), the store ([`store`]) and the loop that drives runs ([`drive`]).
//!
//! Must not know node implementations or the HTTP server.

mod aside;
pub mod core;
pub mod document;
pub mod drive;
pub mod expr;
pub mod graph;
pub mod replay;
pub mod store;
pub mod testing;
pub mod view;
