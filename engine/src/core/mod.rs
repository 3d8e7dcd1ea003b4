//! The pure core: what a run is, and what happens next. No tokio, no SQL, no clock, no random numbers,
//! no `async`: time and results come in as commands, what is to be done goes out as effects.
//!
//! - [`event`]: what is written; [`state`]: what the events add up to; [`fold`]: how.
//! - [`command`]: what comes in and what goes out; [`decide`]: the decisions between them; [`outcome`]: those about
//!   effects of which nobody knows whether they took place.

pub mod command;
pub mod decide;
pub mod event;
pub mod fold;
pub mod outcome;
pub mod retry;
pub mod state;

pub use command::{Command, Decision, Effect, NodeResult, Refusal};
pub use decide::{Machine, child_signal, decide};
pub use event::{Event, EventKind, NodeIx, NodeOutput, Pins, PortItems, PortIx, RunError, RunStatus, Wait};
pub use outcome::{SettledBy, Settlement, Verdict, outcome_signal};
pub use state::{Delivery, NodeInput, NodePhase, Record, RunState, Source};
