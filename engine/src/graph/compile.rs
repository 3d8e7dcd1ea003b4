//! From a document to a plan. Everything wrong on the way is a problem; the plan is made from what is
//! left only when no problem is an error.

use super::loops::{Cycle, find_loops, undeclared_cycles};
use super::plan::{EdgeIx, Plan, PlanEdge, PlanNode, RetryPolicy};
use super::problem::{Problem, Severity};
use super::suggest::hint;
use crate::core::NodeIx;
use crate::document::{Document, NodeDoc, OnError, endpoint};
use petgraph::graph::DiGraph;
use serde_json::Value;
use sluice_node_sdk::duration::parse_duration_ms;
use sluice_node_sdk::registry::Registry;
use sluice_node_sdk::spec::NodeSpec;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Compiles a document against the known node types.
///
/// # Errors
/// All structural problems of the graph: unknown types, duplicate ids, edges to nowhere, cycles.
pub fn compile(document: &Document, registry: &Registry) -> Result<Plan, Vec<Problem>> {
    let mut problems = Vec::new();
    let (nodes, edges, entries) = skeleton(document, registry, &mut problems);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(problems);
    }
    finish(nodes, edges, &entries)
}

/// Nodes and edges by number, without loops. Problems are added to the list.
pub(super) fn skeleton(
    document: &Document,
    registry: &Registry,
    problems: &mut Vec<Problem>,
) -> (Vec<PlanNode>, Vec<PlanEdge>, HashSet<NodeIx>) {
    let routed: HashSet<&str> = document
        .edges
        .iter()
        .map(|edge| endpoint(&edge.from))
        .filter(|(_, port)| *port == "error")
        .map(|(node, _)| node)
        .collect();
    let mut nodes = Vec::with_capacity(document.nodes.len());
    let mut entries = HashSet::new();
    let mut by_id: HashMap<&str, NodeIx> = HashMap::new();
    let mut input_ports: Vec<Vec<String>> = Vec::new();
    for (ix, node) in document.nodes.iter().enumerate() {
        let path = format!("/nodes/{ix}");
        if !is_node_id(&node.id) {
            problems.push(
                Problem::error(
                    "invalid_node_id",
                    format!("{path}/id"),
                    format!("`{}` is not a node id; use a lower-case letter followed by up to 63 lower-case letters, digits, `_` or `-`", node.id),
                )
                .of(&node.id),
            );
        }
        if by_id.insert(&node.id, ix as NodeIx).is_some() {
            problems.push(
                Problem::error(
                    "duplicate_id",
                    format!("{path}/id"),
                    format!("Two nodes have the id `{}`; rename one", node.id),
                )
                .of(&node.id),
            );
        }
        let spec = registry.get(&node.node_type).map(|found| found.spec());
        match spec {
            None => problems.push(
                Problem::error(
                    "unknown_node_type",
                    format!("{path}/type"),
                    format!(
                        "There is no node type `{}`{}",
                        node.node_type,
                        hint_or(
                            &node.node_type,
                            registry.specs().map(|spec| spec.node_type.as_str()),
                            "; `sluice nodes` lists them"
                        )
                    ),
                )
                .of(&node.id),
            ),
            Some(spec) if node.version.is_some_and(|version| version > spec.version || version == 0) => {
                problems.push(
                    Problem::error(
                        "unknown_node_version",
                        format!("{path}/version"),
                        format!("`{}` is known up to version {}", node.node_type, spec.version),
                    )
                    .of(&node.id),
                )
            }
            Some(_) => {}
        }
        if spec.is_some_and(|spec| spec.loop_entry) {
            entries.insert(ix as NodeIx);
        }
        let params = Value::Object(node.params.clone());
        input_ports.push(spec.map(|spec| spec.inputs.names(&params)).unwrap_or_default());
        nodes.push(plan_node(node, spec, &params, routed.contains(node.id.as_str()), &path, problems));
    }
    let edges = plan_edges(document, &mut nodes, &by_id, &input_ports, registry, problems);
    (nodes, edges, entries)
}

fn hint_or<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    let found = hint(wanted, known);
    if found.is_empty() { otherwise.to_owned() } else { found }
}

fn is_node_id(id: &str) -> bool {
    id.len() <= 64
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
}

fn plan_node(
    node: &NodeDoc,
    spec: Option<&NodeSpec>,
    params: &Value,
    error_is_routed: bool,
    path: &str,
    problems: &mut Vec<Problem>,
) -> PlanNode {
    let mut ports: Vec<Arc<str>> =
        spec.map(|spec| spec.outputs.names(params)).unwrap_or_default().into_iter().map(Arc::from).collect();
    let mut seen = HashSet::new();
    if let Some(port) = ports.iter().find(|port| !seen.insert((*port).clone())) {
        problems.push(
            Problem::error(
                "duplicate_port",
                format!("{path}/params"),
                format!("Two outputs are named `{port}`; rename one"),
            )
            .of(&node.id),
        );
    }
    if !ports.iter().any(|port| &**port == "error") {
        ports.push("error".into());
    }
    PlanNode {
        id: node.id.as_str().into(),
        node_type: node.node_type.as_str().into(),
        effect: spec.map_or(sluice_node_sdk::spec::Effect::Pure, |spec| spec.effect_of(params)),
        is_trigger: spec.is_some_and(|spec| spec.trigger.is_some()),
        disabled: node.disabled,
        ports,
        inputs: Vec::new(),
        outputs: Vec::new(),
        in_loop: None,
        entry_of: None,
        on_error: node.settings.on_error.unwrap_or(if error_is_routed {
            OnError::Route
        } else {
            OnError::Fail
        }),
        retry: retry_policy(node, spec, path, problems),
        timeout_ms: duration(
            node.settings.timeout.as_deref(),
            &format!("{path}/settings/timeout"),
            node,
            problems,
        )
        .unwrap_or_else(|| spec.map_or(30_000, |spec| spec.timeout_ms)),
        unknown_outcome: node.settings.unknown_outcome.unwrap_or_default(),
        evidence_ms: spec.and_then(|spec| i64::try_from(spec.evidence_ms?).ok()),
    }
}

fn duration(text: Option<&str>, path: &str, node: &NodeDoc, problems: &mut Vec<Problem>) -> Option<u64> {
    match parse_duration_ms(text?) {
        Ok(milliseconds) => u64::try_from(milliseconds).ok(),
        Err(error) => {
            problems.push(Problem::error("invalid_duration", path, error.to_string()).of(&node.id));
            None
        }
    }
}

fn retry_policy(
    node: &NodeDoc,
    spec: Option<&NodeSpec>,
    path: &str,
    problems: &mut Vec<Problem>,
) -> RetryPolicy {
    let default = spec.map(|spec| spec.retry.clone()).unwrap_or_default();
    let Some(retry) = &node.settings.retry else {
        return RetryPolicy {
            max_attempts: default.max_attempts,
            backoff: crate::document::Backoff::Exponential,
            initial_ms: default.initial_ms,
            max_ms: default.max_ms,
        };
    };
    let path = format!("{path}/settings/retry");
    if !(1..=100).contains(&retry.max_attempts) {
        problems.push(
            Problem::error("invalid_retry", format!("{path}/max_attempts"), "max_attempts must be 1 to 100")
                .of(&node.id),
        );
    }
    RetryPolicy {
        max_attempts: retry.max_attempts,
        backoff: retry.backoff,
        initial_ms: duration(retry.initial.as_deref(), &format!("{path}/initial"), node, problems)
            .unwrap_or(default.initial_ms),
        max_ms: duration(retry.max.as_deref(), &format!("{path}/max"), node, problems)
            .unwrap_or(default.max_ms),
    }
}

fn plan_edges(
    document: &Document,
    nodes: &mut [PlanNode],
    by_id: &HashMap<&str, NodeIx>,
    input_ports: &[Vec<String>],
    registry: &Registry,
    problems: &mut Vec<Problem>,
) -> Vec<PlanEdge> {
    let mut edges: Vec<PlanEdge> = Vec::with_capacity(document.edges.len());
    let mut seen = HashSet::new();
    for (ix, edge) in document.edges.iter().enumerate() {
        let path = format!("/edges/{ix}");
        let (from, from_port) = endpoint(&edge.from);
        let (to, to_port) = endpoint(&edge.to);
        let mut find = |id: &str, side: &str| {
            let found = by_id.get(id).copied();
            if found.is_none() {
                let message = format!(
                    "The edge `{}` -> `{}` names the node `{id}`, which does not exist{}",
                    edge.from,
                    edge.to,
                    hint(id, by_id.keys().copied())
                );
                problems.push(Problem::error("edge_to_nowhere", format!("{path}/{side}"), message));
            }
            found
        };
        let (Some(source), Some(target)) = (find(from, "from"), find(to, "to")) else { continue };
        if !seen.insert((from, from_port, to, to_port)) {
            problems.push(Problem::warning(
                "duplicate_edge",
                &path,
                format!("The edge `{}` -> `{}` is there twice; the second is ignored", edge.from, edge.to),
            ));
            continue;
        }
        let known = |node: NodeIx| registry.get(&nodes[node as usize].node_type).is_some();
        // Ports of an unknown type cannot be judged; the unknown type is reported already.
        let Some(port) =
            nodes[source as usize].port(from_port).or(if known(source) { None } else { Some(0) })
        else {
            problems.push(missing_port(
                "output",
                from,
                from_port,
                &nodes[source as usize].ports,
                format!("{path}/from"),
            ));
            continue;
        };
        let ports = &input_ports[target as usize];
        if known(target) && !ports.iter().any(|name| name == to_port) {
            let names: Vec<Arc<str>> = ports.iter().map(|name| name.as_str().into()).collect();
            problems.push(missing_port("input", to, to_port, &names, format!("{path}/to")));
            continue;
        }
        let at = edges.len() as EdgeIx;
        edges.push(PlanEdge {
            source,
            port,
            target,
            target_port: to_port.into(),
            is_back: false,
            exits: None,
        });
        nodes[source as usize].outputs.push(at);
    }
    edges
}

fn missing_port(side: &str, node: &str, port: &str, known: &[Arc<str>], path: String) -> Problem {
    let known = if known.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has {}{}", known.join(", "), hint(port, known.iter().map(|name| &**name)))
    };
    Problem::error("missing_port", path, format!("The node `{node}` has no {side} `{port}`; {known}"))
        .of(node)
}

/// Cycles as problems, or the finished plan.
pub(super) fn finish(
    mut nodes: Vec<PlanNode>,
    mut edges: Vec<PlanEdge>,
    entries: &HashSet<NodeIx>,
) -> Result<Plan, Vec<Problem>> {
    let is_entry = |node: NodeIx| entries.contains(&node);
    let cycles = undeclared_cycles(&nodes, &edges, &is_entry);
    if !cycles.is_empty() {
        return Err(cycles.iter().map(|cycle| cycle_problem(&nodes, cycle)).collect());
    }
    let loops = find_loops(&mut nodes, &mut edges, &is_entry);
    let mut graph = DiGraph::with_capacity(nodes.len(), edges.len());
    for ix in 0..nodes.len() {
        graph.add_node(ix as NodeIx);
    }
    for (ix, edge) in edges.iter().enumerate() {
        graph.add_edge(edge.source.into(), edge.target.into(), ix as EdgeIx);
    }
    let by_id = nodes.iter().enumerate().map(|(ix, node)| (node.id.clone(), ix as NodeIx)).collect();
    let plan = Plan { graph, nodes, edges, loops, by_id };
    let left = leftover_cycles(&plan);
    if left.is_empty() { Ok(plan) } else { Err(left) }
}

/// Edges into a loop entry that the loop analysis could not recognise as returning (the entry can be gone
/// around) would wait for each other for ever.
fn leftover_cycles(plan: &Plan) -> Vec<Problem> {
    let forward = petgraph::visit::EdgeFiltered::from_fn(&plan.graph, |edge| {
        !plan.edges[*edge.weight() as usize].is_back
    });
    petgraph::algo::tarjan_scc(&forward)
        .into_iter()
        .filter(|part| {
            part.len() > 1
                || plan
                    .graph
                    .edges_connecting(part[0], part[0])
                    .any(|edge| !plan.edges[*edge.weight() as usize].is_back)
        })
        .map(|part| {
            let mut cycle: Vec<NodeIx> = part.into_iter().map(|node| plan.graph[node]).collect();
            cycle.sort_unstable();
            cycle_problem(&plan.nodes, &Cycle(cycle))
        })
        .collect()
}

fn cycle_problem(nodes: &[PlanNode], cycle: &Cycle) -> Problem {
    let ids: Vec<&str> = cycle.0.iter().map(|node| &*nodes[*node as usize].id).collect();
    let message = format!(
        "The nodes {} form a cycle; only edges that return to a loop node (such as flow.loop), whose body can be entered through that node alone, may close one",
        ids.join(", ")
    );
    let first = cycle.0.first().copied().unwrap_or_default();
    Problem::error("cycle", format!("/nodes/{first}"), message).of(ids.first().copied().unwrap_or_default())
}
