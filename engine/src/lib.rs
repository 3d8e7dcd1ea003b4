//! (crate sluice-engine)
