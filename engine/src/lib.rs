//! (crate sluice-engine)

pub mod expr;
