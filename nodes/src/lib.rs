//! (crate sluice-nodes)
