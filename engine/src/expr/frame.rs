//! What native functions need to know about the evaluation they are called from: clock, zone,
//! nodes and the remaining budget. Kept per thread because Rhai gives functions no room for it;
//! entered and left by a guard, so nested evaluations do not disturb one another.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use rhai::Dynamic;

use super::scope::{NodeView, Scope, ScopeError};

/// What `node("Id")` evaluates to inside Rhai.
#[derive(Clone)]
pub(crate) struct NodeHandle {
    pub(crate) view: NodeView,
}

type NodeAnswer = (Arc<str>, Result<NodeView, ScopeError>);

#[derive(Default)]
struct Frame {
    now: i64,
    zone: Zone,
    nodes: Vec<NodeAnswer>,
}

/// A zone name with its looked-up rules; looking up is costly, the name rarely changes.
#[derive(Clone, Default)]
struct Zone {
    name: String,
    rules: Option<TimeZone>,
}

thread_local! {
    static FRAME: RefCell<Frame> = RefCell::default();
    static OPERATIONS_LEFT: Cell<u64> = const { Cell::new(0) };
    static BYTES_LEFT: Cell<u64> = const { Cell::new(0) };
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Why an evaluation was stopped from inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Operations,
    Time,
    Memory,
}

/// What one evaluation may use up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) operations: u64,
    pub(crate) bytes: u64,
    pub(crate) time: Duration,
}

/// Restores the enclosing evaluation's frame when dropped.
pub(crate) struct FrameGuard {
    now: i64,
    nodes: Vec<NodeAnswer>,
    operations_left: u64,
    bytes_left: u64,
    deadline: Option<Instant>,
    /// The enclosing evaluation's zone, when there is one and it differs.
    zone: Option<Zone>,
}

/// Enters an evaluation: remembers clock, zone and the answers for the nodes it names.
pub(crate) fn enter(scope: &dyn Scope, node_ids: &[Arc<str>], budget: Budget) -> FrameGuard {
    // The scope is asked before the frame is borrowed: it may itself evaluate expressions.
    let nodes = node_ids.iter().map(|id| (id.clone(), scope.node(id))).collect();
    let now = scope.now();
    let zone = scope.time_zone();
    let operations_left = OPERATIONS_LEFT.replace(budget.operations);
    let bytes_left = BYTES_LEFT.replace(budget.bytes);
    let deadline = DEADLINE.replace(Some(Instant::now() + budget.time));
    FRAME.with_borrow_mut(|frame| {
        let mut outer_zone = None;
        if frame.zone.name != zone {
            let outer = std::mem::replace(&mut frame.zone, Zone { name: zone.to_owned(), rules: None });
            outer_zone = deadline.is_some().then_some(outer);
        }
        FrameGuard {
            zone: outer_zone,
            now: std::mem::replace(&mut frame.now, now),
            nodes: std::mem::replace(&mut frame.nodes, nodes),
            operations_left,
            bytes_left,
            deadline,
        }
    })
}

impl Drop for FrameGuard {
    fn drop(&mut self) {
        OPERATIONS_LEFT.set(self.operations_left);
        BYTES_LEFT.set(self.bytes_left);
        DEADLINE.set(self.deadline);
        FRAME.with_borrow_mut(|frame| {
            frame.now = self.now;
            frame.nodes = std::mem::take(&mut self.nodes);
            if let Some(zone) = self.zone.take() {
                frame.zone = zone;
            }
        });
    }
}

/// How many operations pass between two looks at the clock.
const CLOCK_EVERY: u64 = 128;

/// Counts one operation; called by Rhai before each. Counted here and not by Rhai because calls
/// from native functions into closures would each start Rhai's own count again.
pub(crate) fn tick() -> Option<Stop> {
    charge(1).err()
}

/// Counts the work of a native function, `amount` being about the elements or bytes it touches.
pub(crate) fn charge(amount: u64) -> Result<(), Stop> {
    let left = OPERATIONS_LEFT.get();
    let Some(rest) = left.checked_sub(amount) else { return Err(Stop::Operations) };
    OPERATIONS_LEFT.set(rest);
    if left / CLOCK_EVERY != rest / CLOCK_EVERY && DEADLINE.get().is_some_and(|at| Instant::now() > at) {
        return Err(Stop::Time);
    }
    Ok(())
}

/// Counts memory a native function takes; never given back before the evaluation ends.
pub(crate) fn charge_bytes(bytes: u64) -> Result<(), Stop> {
    let rest = BYTES_LEFT.get().checked_sub(bytes).ok_or(Stop::Memory)?;
    BYTES_LEFT.set(rest);
    Ok(())
}

/// Moves the deadline: `spent` was one-time work of the process, not the expression's fault.
pub(crate) fn forgive(spent: Duration) {
    DEADLINE.set(DEADLINE.get().map(|at| at + spent));
}

/// Now in milliseconds, as the scope sees it.
pub(crate) fn now_ms() -> i64 {
    FRAME.with_borrow(|frame| frame.now)
}

/// The workflow's zone; an unknown name is an error with that name.
pub(crate) fn time_zone() -> Result<TimeZone, String> {
    FRAME.with_borrow_mut(|frame| {
        if let Some(rules) = &frame.zone.rules {
            return Ok(rules.clone());
        }
        let name = if frame.zone.name.is_empty() { "UTC" } else { frame.zone.name.as_str() };
        let rules = TimeZone::get(name).map_err(|_| format!("unknown time zone `{name}`"))?;
        frame.zone.rules = Some(rules.clone());
        Ok(rules)
    })
}

/// The answer for `node(id)`; `None` when the id was not written as a plain text in the expression.
pub(crate) fn node(id: &str) -> Option<Result<Dynamic, ScopeError>> {
    FRAME.with_borrow(|frame| {
        let (_, answer) = frame.nodes.iter().find(|(name, _)| name.as_ref() == id)?;
        Some(answer.clone().map(|view| Dynamic::from(NodeHandle { view })))
    })
}
