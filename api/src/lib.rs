//! (crate sluice-api)
