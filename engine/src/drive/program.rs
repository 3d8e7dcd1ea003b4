//! A workflow version made ready: its plan, its node implementations and its compiled parameters. Built
//! once per version, kept, and shared by all its runs.

use super::engine::Engine;
use super::error::EngineError;
use crate::core::NodeIx;
use crate::document::Document;
use crate::expr::{CompiledParams, Expressions, Template};
use crate::graph::{self, Plan, Problem};
use crate::store::RunKey;
use serde_json::Value;
use sluice_node_sdk::context::Kept;
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::registry::Registry;
use sluice_node_sdk::spec::TriggerSource;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A runnable workflow version.
pub struct Program {
    /// The document it was made from.
    pub document: Document,
    /// Its graph in numbers.
    pub plan: Arc<Plan>,
    /// Per node of the plan.
    pub nodes: Vec<ProgramNode>,
    /// Gives the lane of a run, from the trigger's item.
    pub lane: Option<Template>,
    /// Longest life of a run, milliseconds.
    pub timeout_ms: Option<i64>,
    /// The workflow's zone.
    pub time_zone: Arc<str>,
}

/// A node of a program.
pub struct ProgramNode {
    /// What runs.
    pub node: Arc<dyn DynNode>,
    /// Its parameters.
    pub params: Arc<CompiledParams>,
    /// Its parameters as its own type, when they hold no expression.
    pub typed_params: Kept,
    /// Whether its parameters ask for items of other nodes.
    pub looks_back: bool,
    /// Whether its last execution in this process took long.
    pub is_slow: AtomicBool,
}

impl Program {
    /// Makes a document ready.
    ///
    /// # Errors
    /// All problems that prevent it: of the graph, of expressions, of settings.
    pub fn compile(
        document: Document,
        registry: &Registry,
        expressions: &Expressions,
    ) -> Result<Self, Vec<Problem>> {
        let plan = graph::compile(&document, registry)?;
        let mut problems = Vec::new();
        let mut nodes = Vec::with_capacity(plan.nodes.len());
        for (ix, planned) in document.nodes.iter().enumerate() {
            // The graph compiler has refused unknown types.
            let Some(node) = registry.get(&planned.node_type).cloned() else { continue };
            let params = raw_params(planned, node.spec());
            let is_raw = |pointer: &str| node.spec().raw_params.iter().any(|raw| raw == pointer);
            match expressions.compile_value(&params, &is_raw) {
                Ok(params) => {
                    let looks_back = params.references().next().is_some();
                    let (params, typed_params) = (Arc::new(params), Kept::new());
                    let is_slow = AtomicBool::new(false);
                    nodes.push(ProgramNode { node, params, typed_params, looks_back, is_slow });
                }
                Err(errors) => problems.extend(errors.into_iter().map(|error| {
                    let path = format!("/nodes/{ix}/params{}", error.pointer);
                    Problem::error(error.kind.code(), path, error.to_string()).of(&planned.id)
                })),
            }
        }
        let lane = document.settings.lane.as_deref().map(|text| expressions.compile_text(text)).transpose();
        let lane = lane.unwrap_or_else(|error| {
            problems.push(Problem::error(error.kind.code(), "/settings/lane", error.to_string()));
            None
        });
        let timeout_ms = document
            .settings
            .timeout
            .as_deref()
            .map(sluice_node_sdk::duration::parse_duration_ms)
            .transpose();
        let timeout_ms = timeout_ms.unwrap_or_else(|error| {
            problems.push(Problem::error("invalid_duration", "/settings/timeout", error.to_string()));
            None
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        let time_zone = document.settings.timezone.as_deref().unwrap_or("UTC").into();
        Ok(Self { document, plan: Arc::new(plan), nodes, lane, timeout_ms, time_zone })
    }

    /// The first enabled trigger whose source is wanted.
    pub fn trigger(&self, wanted: impl Fn(&TriggerSource) -> bool) -> Option<NodeIx> {
        let found = self.nodes.iter().enumerate().position(|(ix, node)| {
            let trigger = node.node.spec().trigger.as_ref();
            !self.plan.nodes[ix].disabled && trigger.is_some_and(|trigger| wanted(&trigger.source))
        });
        found.map(|ix| ix as NodeIx)
    }

    /// A parameter of a node as written, if it holds no expression.
    pub fn raw_param(&self, node: NodeIx, name: &str) -> Option<&Value> {
        self.document.nodes.get(node as usize)?.params.get(name)
    }
}

/// The parameters of a node, with the node-level credential name in the place where the node looks for it.
pub fn raw_params(node: &crate::document::NodeDoc, spec: &sluice_node_sdk::spec::NodeSpec) -> Value {
    let mut params = node.params.clone();
    if let (Some(name), Some(need)) = (&node.credential, spec.credentials.first())
        && !params.contains_key(&need.param)
    {
        params.insert(need.param.clone(), Value::String(name.clone()));
    }
    Value::Object(params)
}

impl Engine {
    /// The program of a published version.
    ///
    /// # Errors
    /// When the version does not exist or does not compile with the node types of this process.
    pub async fn program(
        &self,
        workspace: &str,
        workflow: &str,
        version: i64,
    ) -> Result<Arc<Program>, EngineError> {
        let key = (workspace.to_owned(), workflow.to_owned(), version);
        if let Some(found) = self.0.programs.get(&key) {
            return Ok(found);
        }
        let row = self.0.store.version(workspace, workflow, version).await?;
        let row = row
            .ok_or_else(|| EngineError::NotFound { what: "version", id: format!("{workflow}/{version}") })?;
        let program = Arc::new(self.compile_text(&row.document)?);
        self.0.programs.insert(key, program.clone());
        Ok(program)
    }

    /// The program of a draft run. Its document never changes, so it is made ready once as well.
    pub(super) fn draft_program(&self, run: &RunKey, document: &str) -> Result<Arc<Program>, EngineError> {
        let key = (run.workspace_id.to_string(), run.run_id.to_string(), 0);
        if let Some(found) = self.0.programs.get(&key) {
            return Ok(found);
        }
        let program = Arc::new(self.compile_text(document)?);
        self.0.programs.insert(key, program.clone());
        Ok(program)
    }

    /// Makes a stored document ready.
    ///
    /// # Errors
    /// All problems that prevent it.
    pub fn compile_text(&self, document: &str) -> Result<Program, EngineError> {
        let document = read_document(document)?;
        self.compile(document)
    }

    /// Makes a document ready.
    ///
    /// # Errors
    /// All problems that prevent it.
    pub fn compile(&self, document: Document) -> Result<Program, EngineError> {
        Program::compile(document, &self.0.registry, &self.0.expressions).map_err(EngineError::Problems)
    }
}

/// Reads a stored document.
pub(super) fn read_document(text: &str) -> Result<Document, EngineError> {
    serde_json::from_str(text).map_err(|error| {
        EngineError::Problems(vec![Problem::error("invalid_document", "", error.to_string())])
    })
}
