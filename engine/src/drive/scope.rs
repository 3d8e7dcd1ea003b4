//! What the parameters of a running node can see: the current item, the run, and the items of earlier
//! nodes that led here. Lineage is walked only when an expression asks for it.

use super::program::{Program, ProgramNode};
use crate::core::state::join;
use crate::core::{NodeInput, NodeIx, Record, RunState, Source};
use crate::expr::{ExprError, ExprErrorKind, Expressions, NodeView, Scope, ScopeError};
use serde_json::{Value, json};
use sluice_node_sdk::context::{Kept, ParamSource, RunInfo};
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::item::{Input, Item, Items};
use sluice_node_sdk::services::Clock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What all nodes of a run share: its program, and what expressions can see by name. Few of these ask for more than the
/// item, so each variable is made when it is asked for first.
pub struct RunScope {
    /// The workflow version that is run.
    pub program: Arc<Program>,
    expressions: Expressions,
    facts: RunFacts,
    trigger: Arc<Value>,
    run: OnceLock<Arc<Value>>,
    workflow: OnceLock<Arc<Value>>,
    contact: OnceLock<Arc<Value>>,
    conversation: OnceLock<Arc<Value>>,
    /// For `now()`.
    clock: Arc<dyn Clock>,
}

/// What the variables `run` and `workflow` say.
pub struct RunFacts {
    /// Ids and names.
    pub info: Arc<RunInfo>,
    /// Started by a person to try it out.
    pub is_test: bool,
    /// When it was accepted.
    pub created_at: i64,
    /// Version of the workflow; 0 for a draft.
    pub version: i64,
}

impl RunScope {
    /// The scope of a run whose trigger gave `trigger` as its first item.
    pub fn new(
        program: Arc<Program>,
        expressions: Expressions,
        facts: RunFacts,
        trigger: Arc<Value>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (run, workflow, contact, conversation) = Default::default();
        Self { program, expressions, facts, trigger, run, workflow, contact, conversation, clock }
    }

    /// The variable of that name: `run`, `workflow`, `trigger`, `contact`, `conversation`.
    pub fn var(&self, name: &str) -> Option<Arc<Value>> {
        let (facts, info) = (&self.facts, &self.facts.info);
        let part = || Arc::new(self.trigger.get(name).cloned().unwrap_or(Value::Null));
        let value = match name {
            "trigger" => &self.trigger,
            "contact" => self.contact.get_or_init(part),
            "conversation" => self.conversation.get_or_init(part),
            "run" => self.run.get_or_init(|| {
                Arc::new(json!({
                    "id": info.run_id, "is_test": facts.is_test, "dry_run": info.dry_run,
                    "created_at": facts.created_at,
                }))
            }),
            "workflow" => self.workflow.get_or_init(|| {
                Arc::new(json!({
                    "id": info.workflow_id, "name": info.workflow_name, "version": facts.version,
                }))
            }),
            _ => return None,
        };
        Some(value.clone())
    }
}

/// The parameters of one node execution.
pub struct NodeParams {
    node: NodeIx,
    run: Arc<RunScope>,
    /// The items of the `main` input.
    items: Items,
    /// Where they come from.
    sources: Vec<Source>,
    /// Latest record per node, when the parameters look back.
    records: Vec<Option<Arc<Record>>>,
    views: Mutex<HashMap<NodeIx, Arc<[Arc<Value>]>>>,
}

/// The input of a node as the SDK wants it.
pub fn sdk_input(input: &NodeInput) -> Input {
    let mut made = Input::main(join(input.port("main")));
    for (port, deliveries) in input.ports.iter().filter(|(port, _)| &**port != "main") {
        made = made.with_port(port.clone(), join(deliveries));
    }
    if !input.returned.is_empty() {
        made = made.with_returned(join(&input.returned));
    }
    match &input.rounds {
        Some(rounds) => made.with_rounds(rounds.clone()),
        None => made,
    }
}

impl NodeParams {
    /// The parameters of `node` for its present execution in `state`.
    pub fn new(run: Arc<RunScope>, node: NodeIx, state: &RunState, input: &NodeInput, items: Items) -> Self {
        let nodes = &run.program.nodes;
        let records = if nodes[node as usize].looks_back {
            (0..nodes.len()).map(|ix| state.record(ix as NodeIx).cloned()).collect()
        } else {
            Vec::new()
        };
        let sources = input.port("main").iter().map(|found| found.source).collect();
        Self { node, run, items, sources, records, views: Mutex::default() }
    }

    fn compiled(&self) -> &ProgramNode {
        &self.run.program.nodes[self.node as usize]
    }

    fn scope(&self, index: usize) -> ItemScope<'_> {
        ItemScope { of: self, index, number: OnceLock::new() }
    }

    /// The item of `wanted` that led to input item `index`.
    fn ancestor(&self, wanted: NodeIx, index: usize) -> Option<&Item> {
        let (mut source, mut offset) = locate(&self.sources, index)?;
        if source.node == wanted {
            return self.items.get(index);
        }
        loop {
            let record = self.records.get(source.node as usize)?.as_ref()?;
            if record.iteration != source.iteration {
                return None;
            }
            let item = record.output.port(source.port)?.get(offset)?;
            if source.node == wanted {
                return Some(item);
            }
            let from = match item.from {
                Some(from) => from as usize,
                None if self.has_one_input(source.node, record) => 0,
                None => return None,
            };
            (source, offset) = locate(&record.inputs, from)?;
        }
    }

    /// Whether the latest execution of a node is the only one that can have led here: it ran once, or this node
    /// is in the same round of its loop.
    fn is_the_only_one(&self, wanted: NodeIx, record: &Record) -> bool {
        let plan = &self.run.program.plan;
        let planned = plan.at(wanted);
        let mut loops = planned.in_loop.iter().chain(&planned.entry_of);
        record.iteration == 0 || loops.any(|at| plan.loops[*at as usize].body.contains(&self.node))
    }

    /// Whether an execution read one item only, so that whatever it gave came from that.
    fn has_one_input(&self, node: NodeIx, record: &Record) -> bool {
        let plan = &self.run.program.plan;
        let mut ports = plan.at(node).inputs.iter().map(|edge| &*plan.edges[*edge as usize].target_port);
        ports.all(|port| port == "main") && record.inputs.iter().map(|source| source.items).sum::<u32>() == 1
    }

    fn node_view(&self, id: &str, index: usize) -> Result<NodeView, ScopeError> {
        let node = self.run.program.plan.node(id).ok_or_else(|| ScopeError::UnknownNode(id.to_owned()))?;
        let record = self.records.get(node as usize).and_then(Option::as_ref);
        let record = record.ok_or_else(|| ScopeError::NotRun(id.to_owned()))?;
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        let items = views.entry(node).or_insert_with(|| {
            record
                .output
                .ports
                .iter()
                .flat_map(|(_, items)| items.iter().map(|item| item.json.clone()))
                .collect()
        });
        let json = match self.ancestor(node, index) {
            Some(item) => item.json.clone(),
            // Lineage can be broken (an aggregate, a merge, an earlier round of a loop, of which only the latest
            // is kept); one single item is still certain.
            None if items.len() == 1 && self.is_the_only_one(node, record) => items[0].clone(),
            None => return Err(ScopeError::NoItem(id.to_owned())),
        };
        Ok(NodeView { json, items: items.clone() })
    }
}

/// Finds the source of the input item with that index, and the item's place in that source's port.
fn locate(sources: &[Source], mut index: usize) -> Option<(Source, usize)> {
    for source in sources {
        if index < source.items as usize {
            return Some((*source, index));
        }
        index -= source.items as usize;
    }
    None
}

struct ItemScope<'a> {
    of: &'a NodeParams,
    index: usize,
    number: OnceLock<Arc<Value>>,
}

impl Scope for ItemScope<'_> {
    fn json(&self) -> Arc<Value> {
        static NULL: OnceLock<Arc<Value>> = OnceLock::new();
        match self.of.items.get(self.index) {
            Some(item) => item.json.clone(),
            None => NULL.get_or_init(Arc::default).clone(),
        }
    }

    fn node(&self, id: &str) -> Result<NodeView, ScopeError> {
        self.of.node_view(id, self.index)
    }

    fn var(&self, name: &str) -> Option<Arc<Value>> {
        if name == "item" {
            return Some(self.number.get_or_init(|| Arc::new(json!({ "index": self.index }))).clone());
        }
        self.of.run.var(name)
    }

    fn now(&self) -> i64 {
        self.of.run.clock.now_ms()
    }

    fn time_zone(&self) -> &str {
        &self.of.run.program.time_zone
    }
}

impl ParamSource for NodeParams {
    fn is_static(&self) -> bool {
        self.compiled().params.is_static()
    }

    fn kept(&self) -> Option<&Kept> {
        Some(&self.compiled().typed_params)
    }

    fn resolve(&self, item: usize) -> Result<Value, NodeError> {
        self.compiled().params.resolve(&self.scope(item)).map_err(|error| param_error(&error))
    }

    fn resolve_at(&self, pointer: &str, item: usize) -> Result<Value, NodeError> {
        self.compiled().params.resolve_at(pointer, &self.scope(item)).map_err(|error| param_error(&error))
    }

    fn run_script(
        &self,
        code: &str,
        item: usize,
        variables: Vec<(String, Value)>,
    ) -> Result<Value, NodeError> {
        let variables = variables.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let expressions = &self.run.expressions;
        expressions.run_script(code, &self.scope(item), variables).map_err(|error| param_error(&error))
    }
}

/// An expression's failure as the failure of its node.
pub fn param_error(error: &ExprError) -> NodeError {
    let place =
        if error.pointer.is_empty() { String::new() } else { format!("Parameter `{}`: ", error.pointer) };
    let message = format!("{place}{error}");
    let made = match error.kind {
        ExprErrorKind::Undefined | ExprErrorKind::Type | ExprErrorKind::Function => {
            NodeError::invalid_input(message)
        }
        ExprErrorKind::Syntax | ExprErrorKind::Limit => NodeError::invalid_params(message),
    };
    made.code(error.kind.code()).at(error.pointer.clone()).details(json!({
        "expression": error.expression, "line": error.line, "column": error.column,
    }))
}

impl NodeParams {
    /// The parameters of a trigger that is asked about an event: its only item is the event.
    pub fn for_trigger(run: Arc<RunScope>, node: NodeIx, items: Items) -> Self {
        Self { node, run, items, sources: Vec::new(), records: Vec::new(), views: Mutex::default() }
    }
}

/// Evaluates a text of the workflow's settings, which sees one item and no other nodes.
pub fn eval_setting(
    template: &crate::expr::Template,
    item: Option<Item>,
    run: &Arc<RunScope>,
) -> Result<Value, ExprError> {
    struct SettingScope<'a>(Arc<Value>, &'a RunScope);

    impl Scope for SettingScope<'_> {
        fn json(&self) -> Arc<Value> {
            self.0.clone()
        }

        fn node(&self, id: &str) -> Result<NodeView, ScopeError> {
            Err(ScopeError::NotRun(id.to_owned()))
        }

        fn var(&self, name: &str) -> Option<Arc<Value>> {
            self.1.var(name)
        }

        fn now(&self) -> i64 {
            self.1.clock.now_ms()
        }

        fn time_zone(&self) -> &str {
            &self.1.program.time_zone
        }
    }

    template.eval(&SettingScope(item.map(|item| item.json).unwrap_or_default(), run))
}
