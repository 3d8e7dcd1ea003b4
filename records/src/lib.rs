//! (crate sluice-records)
