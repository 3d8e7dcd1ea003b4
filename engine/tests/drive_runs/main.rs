//! The drive as a host sees it: runs over a real database in memory, with a clock that moves when told to and
//! nodes that do what the test wants. Nothing sleeps. One program, so that it is linked once.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod home;
mod nodes;
mod outcomes;
mod world;

mod calls;
mod crashes;
mod dispatch;
mod effects;
mod ending;
mod fleet;
mod lanes;
mod limits;
mod lineage;
mod live;
mod publishing;
mod replay;
mod schedules;
mod start;
mod usage;
mod waits;
mod workflow_tests;
