//! The bounds of one engine. Must not know where they come from.

use super::faults::FaultPlan;
use crate::expr::ExprLimits;
use std::time::Duration;

/// Bounds of one engine.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Nodes with effects that may be under way at once.
    pub max_effects: usize,
    /// Bytes that one execution of a node may give, as JSON; a turn may hold four times as much.
    pub max_output: usize,
    /// How many of these one workspace may have.
    pub max_effects_per_workspace: usize,
    /// Runs that may be driven at once; more wait in the store.
    pub max_active: usize,
    /// Runs that may wait in the store for someone to drive them; more are refused.
    pub max_queued: u32,
    /// Whether no other process uses the database (SQLite).
    pub is_alone: bool,
    /// Whether this process drives runs. If not, it only takes work in and leaves it to those that do.
    pub drives: bool,
    /// Name of the process: its host and the address that it alone can have there. Whoever joins under a name takes the
    /// place of whoever had it before. Empty for none.
    pub name: String,
    /// How long a process may stand still before the others take over its runs.
    pub lease: Duration,
    /// How often a process looks for work that nobody told it of, when there are others.
    pub poll: Duration,
    /// How long whoever asks something of a run that another process drives waits for its answer. What was asked stays
    /// until it is answered.
    pub patience: Duration,
    /// Programs kept ready.
    pub cached_programs: u64,
    /// Bounds of expressions and scripts.
    pub expressions: ExprLimits,
    /// How often due timers are looked for at the least.
    pub tick: Duration,
    /// Crashes that a test plans; empty in production.
    pub faults: FaultPlan,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            max_effects: 256,
            max_output: super::limits::LARGEST_OUTPUT,
            max_effects_per_workspace: 256,
            max_active: 10_000,
            max_queued: 1_000_000,
            is_alone: true,
            drives: true,
            name: String::new(),
            lease: Duration::from_secs(6),
            poll: Duration::from_millis(250),
            patience: Duration::from_secs(30),
            cached_programs: 1_000,
            expressions: ExprLimits::default(),
            tick: Duration::from_millis(500),
            faults: FaultPlan::default(),
        }
    }
}
