//! Flow: nodes that decide where items go, when, and whether at all. None of them does I/O; waiting,
//! calling and answering are wishes that the host carries out. Must not know the engine.

pub mod approval;
pub mod business_hours;
pub mod call;
pub mod r#if;
pub mod r#loop;
pub mod merge;
pub mod noop;
pub mod respond;
pub mod stop;
pub mod switch;
pub mod wait;
