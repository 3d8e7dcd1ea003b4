//! What must be true when all is quiet: the rules of the protocol, seen from the store, from the provider and from
//! the clients.

use crate::client::{Wish, is_own, is_question};
use crate::outside::Call;
use crate::setup::Sort;
use crate::store::{MessageId, Reception, Row, RunId, Word};
use crate::turns::is_mark;
use crate::world::World;
use sluice_engine::core::fold::node_of;
use sluice_engine::core::{EventKind, NodeIx, RunState, RunStatus};
use sluice_engine::store::Attention;
use sluice_node_sdk::outcome::Cause;
use sluice_node_sdk::spec::Effect as EffectClass;
use std::collections::{BTreeMap, BTreeSet};

/// A run between two of its rests.
type Stretch = (RunId, u32);

impl Row {
    /// Over, or waiting for something that only a person or evidence can bring.
    fn is_at_rest(&self) -> bool {
        let is_left = self.status == RunStatus::Waiting
            && self.wake_at.is_none()
            && !self.waits.iter().any(|key| is_own(key))
            && self.events.iter().any(is_mark);
        self.owner.is_none() && (self.status.is_over() || is_left)
    }

    fn retries(&self) -> usize {
        self.events.iter().filter(|event| matches!(event.kind, EventKind::RunRetried {})).count()
    }

    fn marks(&self, node: NodeIx) -> usize {
        self.events.iter().filter(|event| node_of(&event.kind) == Some(node) && is_mark(event)).count()
    }

    /// It went from its start to its end without giving its lane free.
    fn never_rests(&self) -> bool {
        self.rests == 1 && self.ended.is_some()
    }
}

impl World {
    pub(crate) fn is_quiet(&self) -> bool {
        let mut messages = self.store.messages.values();
        self.client.is_content()
            && self.store.runs.values().all(Row::is_at_rest)
            && messages.all(|(_, answer)| answer.is_some())
    }

    /// What keeps the world from being quiet.
    pub(crate) fn unfinished(&self) -> String {
        let rows = self.store.runs.values().filter(|row| !row.is_at_rest());
        let rows = rows.map(|row| {
            format!(
                "run {} {:?} owner {:?} waits {:?} until {:?}",
                row.facts.id, row.status, row.owner, row.waits, row.wake_at
            )
        });
        let open = self.store.messages.iter().filter(|(_, (_, answer))| answer.is_none());
        format!("{:?}, messages {:?}", rows.collect::<Vec<_>>(), open.collect::<Vec<_>>())
    }

    /// Holds the end against every rule.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.check_starts()?;
        self.store.runs.values().try_for_each(check_replay)?;
        self.check_effects()?;
        self.check_signals()?;
        self.check_lanes()?;
        self.check_order()?;
        self.check_harm()
    }

    fn check_starts(&self) -> Result<(), String> {
        for (ix, action) in self.client.actions.iter().enumerate() {
            let is_start = matches!(action.wish, Wish::Start { .. }) && action.acked.is_some();
            let found = self.store.runs.values().filter(|row| row.facts.dedupe == ix).count();
            if is_start && found != 1 {
                return Err(format!("the acknowledged start {ix} led to {found} runs"));
            }
        }
        Ok(())
    }

    fn check_effects(&self) -> Result<(), String> {
        let mut executions: BTreeMap<(RunId, NodeIx, u32), Vec<&Call>> = BTreeMap::new();
        for call in &self.outside.calls {
            executions.entry((call.run, call.node, call.iteration)).or_default().push(call);
        }
        for ((run, node, iteration), calls) in executions {
            let row = self.store.runs.get(&run).ok_or("a call of a run that is not stored")?;
            let ids: BTreeSet<&str> = calls.iter().map(|call| &*call.effect_id).collect();
            if ids.len() > 1 {
                return Err(format!("one execution of run {run} has several effect ids: {ids:?}"));
            }
            let performed = calls.iter().filter(|call| call.is_performed).count();
            let allowed = 1 + row.marks(node) + row.retries();
            if calls[0].class == EffectClass::Once && performed > allowed {
                let attempts: Vec<u32> = calls.iter().map(|call| call.attempt).collect();
                let place = format!("node {node} of run {run}, iteration {iteration}, attempts {attempts:?}");
                return Err(format!("{place} took place {performed} times and only {allowed} are marked"));
            }
        }
        Ok(())
    }

    /// How often each signal was taken, over all runs.
    fn taken(&self) -> BTreeMap<MessageId, usize> {
        let mut taken = BTreeMap::new();
        for event in self.store.runs.values().flat_map(|row| &row.events) {
            if let EventKind::NodeResumed { cause: Cause::Signal { payload }, .. } = &event.kind
                && let Some(receipt) = payload.get("receipt").and_then(serde_json::Value::as_u64)
            {
                *taken.entry(receipt).or_default() += 1;
            }
        }
        taken
    }

    fn check_signals(&self) -> Result<(), String> {
        let taken = self.taken();
        if let Some((message, count)) = taken.iter().find(|(_, count)| **count > 1) {
            return Err(format!("signal {message} was taken {count} times"));
        }
        for ((run, message), (content, reception)) in &self.store.messages {
            // A decision about an unknown outcome is written down without its receipt.
            let is_signal = matches!(&content.word, Word::Signal(key) if !is_question(key));
            let claims_so = matches!(reception, Some(Reception::Taken | Reception::TakenBefore));
            if is_signal && claims_so && !taken.contains_key(message) {
                return Err(format!("run {run} is said to have taken signal {message} and has not"));
            }
        }
        Ok(())
    }

    /// Between two rests of a run no other run of its lane calls the provider.
    fn check_lanes(&self) -> Result<(), String> {
        // Per lane: the stretch that is going on, and those before it.
        let mut lanes: BTreeMap<u64, (Option<Stretch>, BTreeSet<Stretch>)> = BTreeMap::new();
        for call in &self.outside.calls {
            let Some(lane) = call.lane else { continue };
            let (present, past) = lanes.entry(lane).or_default();
            let stretch = (call.run, call.rests);
            if *present != Some(stretch) {
                past.extend(present.replace(stretch));
            }
            if past.contains(&stretch) {
                return Err(format!("in lane {lane} another run called in the middle of run {}", call.run));
            }
        }
        Ok(())
    }

    /// Runs of a lane that never rest end in the order in which they were acknowledged.
    fn check_order(&self) -> Result<(), String> {
        let rows: Vec<&Row> = self.store.runs.values().filter(|row| row.never_rests()).collect();
        let asked = |row: &Row| self.client.actions[row.facts.dedupe].asked;
        let acked = |row: &Row| self.client.actions[row.facts.dedupe].acked;
        for first in &rows {
            for second in rows.iter().filter(|row| row.facts.lane == first.facts.lane) {
                let is_before = acked(first).zip(asked(second)).is_some_and(|(acked, asked)| acked < asked);
                if first.facts.lane.is_some() && is_before && first.ended > second.ended {
                    let (first, second) = (first.facts.id, second.facts.id);
                    return Err(format!("run {second} ended before run {first} of the same lane"));
                }
            }
        }
        Ok(())
    }

    /// Nobody is harmed who need not be.
    fn check_harm(&self) -> Result<(), String> {
        for row in self.store.runs.values() {
            let id = row.facts.id;
            let is_poisoned = row.attention == Some(Attention::Poisoned);
            if is_poisoned && row.facts.poison.is_none() && self.setup.sort != Sort::Everything {
                return Err(format!("run {id} was given up and crashed nobody"));
            }
            // Of what was told to stop when a run ended nobody knows whether it took place, if it is retried.
            let is_plain = self.setup.sort == Sort::StoreOnly && row.retries() == 0;
            if is_plain && row.events.iter().any(is_mark) {
                return Err(format!("run {id} has an unknown outcome and no runner stopped"));
            }
        }
        Ok(())
    }
}

fn check_replay(row: &Row) -> Result<(), String> {
    let replayed = RunState::replay(&row.facts.plan, &row.events)
        .map_err(|error| format!("run {} cannot be replayed: {error}", row.facts.id))?;
    match replayed == row.state {
        true => Ok(()),
        false => Err(format!("run {}: the replayed state is not the committed one", row.facts.id)),
    }
}
