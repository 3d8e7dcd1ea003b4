//! (crate sluice-example-custom-node)
