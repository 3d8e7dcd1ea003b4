//! A run under test: gives commands to a [`Machine`], collects the log and the open effects, and after every
//! command compares the live state with the state replayed from the log.

use futures::future::BoxFuture;
use serde_json::{Value, json};
use sluice_engine::core::fold::{allowed_before, name, node_of};
use sluice_engine::core::{
    Command, Decision, Effect, Event, Machine, NodeIx, NodeOutput, NodePhase, NodeResult, Pins, PortIx,
    Refusal, RunState, RunStatus, Wait,
};
use sluice_engine::document::Document;
use sluice_engine::graph::{Plan, Problem, compile};
use sluice_node_sdk::context::NodeContext;
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::item::{Input, Item};
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::outcome::{Outcome, WaitKind};
use sluice_node_sdk::registry::Registry;
use sluice_node_sdk::spec::{Effect as EffectClass, NodeSpec, Ports, TriggerSource};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A pair of the transition table that a test went through.
pub(crate) type Seen = BTreeSet<(&'static str, String)>;

struct Known(NodeSpec);

impl DynNode for Known {
    fn spec(&self) -> &NodeSpec {
        &self.0
    }

    fn run<'a>(&'a self, _: &'a NodeContext, _: Input) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        Box::pin(async { Err(NodeError::bug("the tests answer in place of nodes")) })
    }
}

fn registry() -> Registry {
    let plain = || NodeSpec::new("Test", "A node of the tests");
    let many = || Ports::fixed(&[("main", ""), ("true", ""), ("false", "")]);
    let loops = || plain().loop_entry().outputs(Ports::fixed(&[("item", ""), ("done", "")]));
    let types = [
        ("t.trigger", plain().trigger(TriggerSource::Manual, false)),
        ("t.pure", plain().outputs(many())),
        ("t.idem", plain().effect(EffectClass::Idempotent).outputs(many())),
        ("t.once", plain().effect(EffectClass::Once).outputs(many())),
        ("t.seek", plain().effect(EffectClass::Once).evidence(60_000).outputs(many())),
        ("t.loop", loops()),
        ("t.menu", loops().effect(EffectClass::Once)),
    ];
    let known = types.into_iter().map(|(name, mut spec)| {
        name.clone_into(&mut spec.node_type);
        Arc::new(Known(spec)) as Arc<dyn DynNode>
    });
    Registry::new(known).expect("the names are different and well-formed")
}

/// A plan of nodes, written `id type`, and edges, written `from > to`. The first node is the trigger `start`.
pub(crate) fn try_plan(nodes: &[Value], edges: &[&str]) -> Result<Arc<Plan>, Vec<Problem>> {
    let mut all = vec![json!({ "id": "start", "type": "t.trigger" })];
    all.extend_from_slice(nodes);
    let edges: Vec<Value> = edges
        .iter()
        .map(|edge| edge.split_once(" > ").expect("edges are written `from > to`"))
        .map(|(from, to)| json!({ "from": from, "to": to }))
        .collect();
    let document = json!({ "sluice": 1, "name": "Test", "nodes": all, "edges": edges });
    let document: Document = serde_json::from_value(document).expect("the document is well-formed");
    compile(&document, &registry()).map(Arc::new)
}

/// A node of a document.
pub(crate) fn node(id: &str, node_type: &str) -> Value {
    json!({ "id": id, "type": format!("t.{node_type}") })
}

/// The same with settings.
pub(crate) fn node_with(id: &str, node_type: &str, settings: Value) -> Value {
    json!({ "id": id, "type": format!("t.{node_type}"), "settings": settings })
}

/// Nodes without settings, written `id type` and separated by commas.
pub(crate) fn nodes(text: &str) -> Vec<Value> {
    let words = text.split(',').map(|pair| pair.trim().split_once(' ').expect("written `id type`"));
    words.map(|(id, node_type)| node(id, node_type)).collect()
}

/// A retry policy of so many attempts, one second apart.
pub(crate) fn retries(attempts: u32) -> Value {
    json!({ "retry": { "max_attempts": attempts, "backoff": "fixed", "initial": "1s" } })
}

/// One item per number.
pub(crate) fn items(numbers: impl IntoIterator<Item = i64>) -> Arc<Vec<Item>> {
    Arc::new(numbers.into_iter().map(|number| Item::new(json!({ "n": number }))).collect())
}

/// A run under test.
#[derive(Clone)]
pub(crate) struct Sim {
    pub(crate) plan: Arc<Plan>,
    pub(crate) machine: Machine,
    shadow: RunState,
    /// Everything that was decided.
    pub(crate) log: Vec<Event>,
    /// Lengths of the log after each command that was not refused.
    pub(crate) commits: Vec<usize>,
    /// Nodes handed out and not answered: (node, iteration, attempt); pure ones have attempt 0.
    pub(crate) open: Vec<(NodeIx, u32, u32)>,
    /// Effects of the last command, other than running nodes.
    pub(crate) others: Vec<Effect>,
    pub(crate) now: i64,
    pub(crate) seen: Seen,
}

impl Sim {
    /// A run of which nothing has happened.
    pub(crate) fn new(nodes: &[Value], edges: &[&str]) -> Self {
        let plan = try_plan(nodes, edges).unwrap_or_else(|problems| panic!("{problems:#?}"));
        Self::of(plan)
    }

    /// A run of a plan.
    pub(crate) fn of(plan: Arc<Plan>) -> Self {
        Self {
            machine: Machine::new(plan.clone()),
            shadow: RunState::new(&plan),
            plan,
            log: Vec::new(),
            commits: Vec::new(),
            open: Vec::new(),
            others: Vec::new(),
            now: 1_000,
            seen: Seen::new(),
        }
    }

    /// A run that has begun at `start` with one item.
    pub(crate) fn started(nodes: &[Value], edges: &[&str]) -> Self {
        let mut sim = Self::new(nodes, edges);
        sim.start().expect("it has not begun");
        sim
    }

    pub(crate) fn start(&mut self) -> Result<(), Refusal> {
        self.start_with(BTreeMap::new(), None)
    }

    pub(crate) fn start_with(&mut self, pins: Pins, deadline: Option<i64>) -> Result<(), Refusal> {
        let output = NodeOutput { ports: vec![(0, items([0]))], ..NodeOutput::default() };
        let trigger = self.ix("start");
        self.command(Command::Start { trigger, output: Arc::new(output), pins, deadline })
    }

    /// Gives a command, and checks everything that must be true after any command.
    pub(crate) fn command(&mut self, command: Command) -> Result<(), Refusal> {
        let before = self.machine.state().clone();
        let mut decision = Decision::default();
        let answer = self.machine.handle(command, self.now, &mut decision);
        if answer.is_err() {
            assert!(decision.events.is_empty() && decision.effects.is_empty(), "{answer:?}: {decision:?}");
            assert_eq!(&before, self.machine.state(), "a refused command changes nothing");
        }
        self.record(&decision.events);
        self.commits.extend(answer.is_ok().then_some(self.log.len()));
        self.others.clear();
        for effect in decision.effects {
            match effect {
                Effect::RunPure { node, iteration } => self.open.push((node, iteration, 0)),
                Effect::Run { node, iteration, attempt } => self.open.push((node, iteration, attempt)),
                other => self.others.push(other),
            }
        }
        assert_eq!(&self.shadow, self.machine.state(), "the log gives the live state");
        answer
    }

    fn record(&mut self, events: &[Event]) {
        for event in events {
            let text = serde_json::to_string(event).expect("events are data");
            let read: Event = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert_eq!(&read, event, "an event survives being stored");
            if let Some(node) = node_of(&event.kind) {
                let phase = self.shadow.phase(node);
                assert!(allowed_before(&event.kind).contains(&phase));
                self.seen.insert((name(&event.kind), format!("{phase:?}")));
            }
            self.shadow.apply(&self.plan, event).expect("what is decided can happen");
        }
        self.log.extend_from_slice(events);
    }

    /// The process dies and starts again: only the log is left.
    pub(crate) fn crash(&mut self) {
        let state = RunState::replay(&self.plan, &self.log).expect("the log can be replayed");
        assert_eq!(&state, self.machine.state());
        self.machine = Machine::with_state(self.plan.clone(), state);
        self.open.clear();
    }

    /// Makes the state that checks the live one from the log, after the log was changed.
    pub(crate) fn shadow_from_log(&mut self) {
        self.shadow = RunState::new(&self.plan);
        for event in &self.log {
            self.shadow.apply(&self.plan, event).expect("the log can be replayed");
        }
    }

    /// Crashes and recovers.
    pub(crate) fn recover(&mut self) -> Result<(), Refusal> {
        self.crash();
        self.command(Command::Recover)
    }

    pub(crate) fn ix(&self, id: &str) -> NodeIx {
        self.plan.node(id).unwrap_or_else(|| panic!("no node {id}"))
    }

    /// Answers the open execution of a node.
    pub(crate) fn answer(&mut self, id: &str, result: NodeResult) -> Result<(), Refusal> {
        let node = self.ix(id);
        let at = self.open.iter().position(|open| open.0 == node);
        let (node, iteration, attempt) = self.open.remove(at.unwrap_or_else(|| panic!("{id} is not open")));
        self.answer_as(node, iteration, attempt, result)
    }

    pub(crate) fn answer_as(
        &mut self,
        node: NodeIx,
        iteration: u32,
        attempt: u32,
        result: NodeResult,
    ) -> Result<(), Refusal> {
        let attempt = attempt.max(1);
        let began = self.now;
        self.command(Command::NodeDone { node, iteration, attempt, began, logs: Vec::new(), result })
    }

    /// The node finishes with items on a port.
    pub(crate) fn done_on(&mut self, id: &str, port: &str, numbers: impl IntoIterator<Item = i64>) {
        let port = self.plan.at(self.ix(id)).port(port).unwrap_or_else(|| panic!("{id} has no port {port}"));
        let output = NodeOutput { ports: vec![(port, items(numbers))], ..NodeOutput::default() };
        self.answer(id, NodeResult::Done(Arc::new(output))).expect("the answer is awaited");
    }

    /// The node finishes with one item on `main`.
    pub(crate) fn done(&mut self, id: &str) {
        self.done_on(id, "main", [1]);
    }

    /// The node finishes with nothing.
    pub(crate) fn done_empty(&mut self, id: &str) {
        self.answer(id, NodeResult::Done(Arc::default())).expect("the answer is awaited");
    }

    /// The node fails.
    pub(crate) fn fail(&mut self, id: &str, error: NodeError) {
        self.answer(id, NodeResult::Failed(error)).expect("the answer is awaited");
    }

    /// The node waits.
    pub(crate) fn suspend(&mut self, id: &str, until: Option<i64>, signal: Option<&str>) {
        let wait = wait(until, signal);
        self.answer(id, NodeResult::Suspend(Arc::new(wait))).expect("the answer is awaited");
    }

    pub(crate) fn signal(&mut self, key: &str) -> Result<(), Refusal> {
        self.command(Command::Signal { key: key.to_owned(), payload: json!({ "key": key }) })
    }

    /// Time passes.
    pub(crate) fn wake_at(&mut self, now: i64) {
        self.now = now;
        self.command(Command::Wake).expect("the run goes on");
    }

    /// Ids of the nodes that wait for an answer, in the order in which they were handed out.
    pub(crate) fn open(&self) -> Vec<&str> {
        self.open.iter().map(|(node, ..)| &*self.plan.at(*node).id).collect()
    }

    pub(crate) fn phase(&self, id: &str) -> NodePhase {
        self.machine.state().phase(self.ix(id))
    }

    pub(crate) fn status(&self) -> RunStatus {
        self.machine.state().status()
    }

    /// Ids of the nodes in a phase, in the document's order.
    pub(crate) fn in_phase(&self, phase: NodePhase) -> Vec<&str> {
        self.machine.state().nodes_in(phase).map(|node| &*self.plan.at(node).id).collect()
    }

    /// The numbers on the input port of a node.
    pub(crate) fn input(&self, id: &str, port: &str) -> Vec<i64> {
        let input = self.machine.state().input(&self.plan, self.ix(id));
        input.port(port).iter().flat_map(|delivery| numbers(&delivery.items)).collect()
    }

    /// The numbers that came back to a loop entry.
    pub(crate) fn returned(&self, id: &str) -> Vec<i64> {
        let input = self.machine.state().input(&self.plan, self.ix(id));
        input.returned.iter().flat_map(|delivery| numbers(&delivery.items)).collect()
    }

    /// A port of a loop entry that ends the loop. When all its ports lead back, one that does not exist.
    pub(crate) fn way_out(&self, entry: NodeIx) -> PortIx {
        let found = self.plan.at(entry).entry_of.map(|at| &self.plan.loops[at as usize]);
        let ports = 0..=self.plan.at(entry).ports.len() as PortIx;
        let ends = |port: &PortIx| found.is_none_or(|found| !found.body_ports.contains(port));
        ports
            .rev()
            .filter(ends)
            .min_by_key(|port| usize::from(*port != 1))
            .expect("the last one has no edges")
    }

    /// The code of the run's error.
    pub(crate) fn error(&self) -> Option<&str> {
        self.machine.state().error().map(|error| error.code.as_str())
    }

    /// Names of the events since the `from`-th.
    pub(crate) fn events(&self, from: usize) -> Vec<&'static str> {
        self.log[from..].iter().map(|event| name(&event.kind)).collect()
    }
}

fn numbers(items: &[Item]) -> Vec<i64> {
    items.iter().filter_map(|item| item.json.get("n")?.as_i64()).collect()
}

/// A wait for a moment, a signal, or both.
pub(crate) fn wait(until: Option<i64>, signal: Option<&str>) -> Wait {
    let kind = if signal.is_some() { WaitKind::Signal } else { WaitKind::Time };
    Wait {
        kind,
        until,
        signal: signal.map(ToOwned::to_owned),
        state: json!({ "kept": true }),
        info: Value::Null,
    }
}
