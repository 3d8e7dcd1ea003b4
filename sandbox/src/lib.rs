//! (crate sluice-sandbox)
