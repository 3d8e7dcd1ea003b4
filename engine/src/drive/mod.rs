//! The drive: loads runs, executes nodes, commits turns, fires timers, delivers signals, dispatches outside
//! events to triggers. All I/O of the engine happens here; decisions are the core's.
//!
//! - [`Engine`]: the door for hosts; [`start`]: how a run begins; [`driver`]: how a run goes on; [`driven`]: the runs that
//!   this process drives; [`recovery`]: what was under way when it stopped; [`timers`]: what is due;
//! - [`execute`]: one node; [`lanes`]: one at a time; [`dispatch`]: who answers an outside event; [`signals`]: who waits for
//!   one thing;
//! - [`children`]: runs that other runs start; [`unrunnable`]: runs whose version does not fit this process;
//! - [`fleet`]: this process among others; [`takeover`]: runs that nobody drives; [`posting`]: messages to runs elsewhere; [`slots`]: room for effects;
//! - [`workflows`]: drafts and versions; [`schedule`]: time plans; [`hooks`]: webhooks kept ready; [`live`]: the trace as
//!   it happens, [`relay`]: over all processes; [`pruning`]: what has been kept long enough; `limits`: what a node may give.

mod children;
mod config;
pub mod dispatch;
mod driven;
mod driver;
mod engine;
mod error;
pub(crate) mod execute;
pub mod faults;
mod fleet;
mod hooks;
pub mod lanes;
mod limits;
pub mod live;
mod posting;
pub mod program;
pub mod pruning;
mod recovery;
mod relay;
pub mod schedule;
pub mod scope;
mod signals;
mod slots;
mod start;
mod statistics;
mod takeover;
mod timers;
mod unrunnable;
mod watchers;
pub mod workflows;

pub use config::EngineConfig;
pub use dispatch::{Dispatched, OutsideEvent};
pub use engine::Engine;
pub use error::EngineError;
pub use faults::FaultPlan;
pub use hooks::Hook;
pub use live::LiveEvent;
pub use program::Program;
pub use pruning::{Pruned, Pruner, Retention};
pub use signals::RESERVED_SIGNALS;
pub use start::{Pin, RunOutcome, StartRequest, Started, WaitFor};
