//! (crate sluice-node-sdk)
