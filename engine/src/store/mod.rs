//! Runs, events, waits, workflows and triggers in SQLite or PostgreSQL, behind one type. SQL lives here
//! and nowhere else in the engine. Must not know decisions.

pub mod types;

pub use types::*;
