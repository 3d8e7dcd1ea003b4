//! (crate sluice-runner)
