//! The world outside: what nodes answer, as a function of seed, run, node, iteration and attempt, and a log of every
//! call that reached the provider.

use crate::chance::mixed;
use crate::harness::{items, wait};
use crate::store::RunId;
use sluice_engine::core::{NodeIx, NodeOutput, NodeResult, PortIx};
use sluice_engine::graph::Plan;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::spec::Effect as EffectClass;
use std::sync::Arc;

/// Rounds after which a loop ends.
const ROUNDS: u32 = 2;

/// One call that the provider received.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) run: RunId,
    pub(crate) lane: Option<u64>,
    pub(crate) node: NodeIx,
    pub(crate) iteration: u32,
    pub(crate) attempt: u32,
    pub(crate) effect_id: String,
    pub(crate) class: EffectClass,
    /// Whether it had its effect.
    pub(crate) is_performed: bool,
    /// How often the run had rested (and given its lane free) before.
    pub(crate) rests: u32,
}

/// Everything that was called.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    pub(crate) calls: Vec<Call>,
}

/// One execution of a node.
pub(crate) struct Execution<'a> {
    pub(crate) seed: u64,
    pub(crate) run: RunId,
    pub(crate) plan: &'a Plan,
    pub(crate) node: NodeIx,
    pub(crate) iteration: u32,
    pub(crate) attempt: u32,
    /// It waited already and goes on.
    pub(crate) is_resumed: bool,
    pub(crate) wall: i64,
    /// Most calls take long.
    pub(crate) is_slow: bool,
}

impl Execution<'_> {
    fn number(&self, salt: u64) -> u64 {
        let place = (u64::from(self.node) << 32) | u64::from(self.iteration);
        // A second try of a start is another run with the same plan, and may end otherwise.
        mixed(&[self.seed, self.run, place, u64::from(self.attempt), salt])
    }

    /// What the node answers. Whoever waited once does not wait again, so that every run comes to an end.
    pub(crate) fn result(&self) -> NodeResult {
        let key = || format!("k{}", self.number(2) % 2);
        let later = self.wall + (self.number(3) % 6_000) as i64;
        let suspend = |until, signal: Option<&str>| NodeResult::Suspend(Arc::new(wait(until, signal)));
        match self.number(1) % 100 {
            0..=9 => NodeResult::Failed(NodeError::unavailable("busy")),
            10..=11 => NodeResult::Failed(NodeError::rejected("no")),
            12..=17 if !self.is_resumed => suspend(Some(later), None),
            18..=23 if !self.is_resumed => suspend(None, Some(&key())),
            24..=28 if !self.is_resumed => suspend(Some(later), Some(&key())),
            // Where effects are slow, signals find more runs that do one thing and wait for another.
            59..=72 if self.is_slow && !self.is_resumed => suspend(None, Some(&key())),
            29 => NodeResult::Stop { error: None, output: self.output(&[0]) },
            30..=33 => NodeResult::Done(Arc::default()),
            34..=40 => NodeResult::Done(self.output(&[0, 1])),
            _ => NodeResult::Done(self.output(&[self.port()])),
        }
    }

    /// How long it takes, milliseconds.
    pub(crate) fn duration(&self) -> i64 {
        match self.number(4) % 8 {
            0 => (self.number(5) % 3_000) as i64,
            1..=5 if self.is_slow => (self.number(5) % 5_000) as i64,
            _ => (self.number(5) % 150) as i64,
        }
    }

    fn port(&self) -> PortIx {
        let ports = self.plan.at(self.node).ports.len() as u64;
        (self.number(6) % 4 % ports) as PortIx
    }

    fn output(&self, ports: &[PortIx]) -> Arc<NodeOutput> {
        let found = self.plan.at(self.node).entry_of.map(|at| &self.plan.loops[at as usize]);
        let ends = |port: &PortIx| found.is_some_and(|found| !found.body_ports.contains(port));
        let numbers = || items([i64::from(self.node)]);
        let chosen: Vec<PortIx> = match found {
            // The port after the last leads nowhere: a loop whose every port leads back ends all the same.
            Some(_) if self.iteration >= ROUNDS => {
                (0..=self.plan.at(self.node).ports.len() as PortIx).filter(ends).collect()
            }
            _ => ports.to_vec(),
        };
        let ports = chosen.into_iter().map(|port| (port, numbers())).collect();
        Arc::new(NodeOutput { ports, ..NodeOutput::default() })
    }
}

/// Whether a call that is answered so had its effect.
pub(crate) fn is_performed(result: &NodeResult) -> bool {
    matches!(result, NodeResult::Done(_) | NodeResult::Stop { .. })
}
