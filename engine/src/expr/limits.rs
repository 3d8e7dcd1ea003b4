//! Bounds of an evaluation. Only numbers; enforcing them is the business of `engine` and `frame`.

use std::time::Duration;

use super::frame::Budget;

/// Bounds for expressions and scripts. `Default` is what the product ships with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprLimits {
    /// Rhai operations of one expression (roughly one per variable, literal or call).
    pub expression_operations: u64,
    /// Rhai operations of one script.
    pub script_operations: u64,
    /// Wall clock of one expression.
    pub expression_time: Duration,
    /// Wall clock of one script.
    pub script_time: Duration,
    /// Memory that functions called by one expression may take altogether, in bytes.
    pub expression_memory: u64,
    /// Memory that functions called by one script may take altogether, in bytes.
    pub script_memory: u64,
    /// Nesting of an expression's syntax.
    pub depth: usize,
    /// Nested calls of script functions and closures.
    pub call_levels: usize,
    /// Longest text a value may hold, in bytes (texts nested in a value are summed).
    pub text_bytes: usize,
    /// Most elements of a list (nested lists are summed).
    pub list_items: usize,
    /// Most entries of a map (nested maps are summed).
    pub map_entries: usize,
    /// Longest source of one expression, in bytes.
    pub expression_bytes: usize,
    /// Longest source of one script, in bytes.
    pub script_bytes: usize,
    /// How many compiled expressions are kept for reuse; long ones count for more.
    pub cached_expressions: u64,
    /// The same for compiled scripts.
    pub cached_scripts: u64,
}

impl Default for ExprLimits {
    fn default() -> Self {
        Self {
            expression_operations: 100_000,
            script_operations: 5_000_000,
            expression_time: Duration::from_millis(200),
            script_time: Duration::from_secs(2),
            expression_memory: 64 << 20,
            script_memory: 256 << 20,
            depth: 48,
            call_levels: 24,
            text_bytes: 4 << 20,
            list_items: 100_000,
            map_entries: 100_000,
            expression_bytes: 16 << 10,
            script_bytes: 256 << 10,
            cached_expressions: 10_000,
            cached_scripts: 500,
        }
    }
}

impl ExprLimits {
    pub(crate) fn expression_budget(&self) -> Budget {
        Budget {
            operations: self.expression_operations,
            bytes: self.expression_memory,
            time: self.expression_time,
        }
    }

    pub(crate) fn script_budget(&self) -> Budget {
        Budget { operations: self.script_operations, bytes: self.script_memory, time: self.script_time }
    }
}
