//! Triggers: nodes without inputs that turn an outside event into the first items. What wakes them
//! (HTTP, time, records) is the host's business and must not be known here.

pub mod error;
pub mod event;
pub mod manual;
pub mod schedule;
pub mod webhook;
pub mod workflow;
