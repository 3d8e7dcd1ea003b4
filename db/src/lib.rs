//! (crate sluice-db)
