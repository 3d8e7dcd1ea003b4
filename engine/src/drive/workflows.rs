//! Drafts and versions: saving, publishing (which activates triggers), taking out of service.

use super::engine::Engine;
use super::error::EngineError;
use super::program::read_document;
use super::program::{Program, raw_params};
use super::start::document_text;
use crate::core::NodeIx;
use crate::document::{Document, FORMAT};
use crate::graph::{CredentialKinds, Problem, Severity, validate};
use crate::store::{DraftChange, NewWorkflow, Publication, ScheduleRow, TriggerRow, WorkflowRow};
use serde_json::Value;
use sluice_node_sdk::spec::TriggerSource;

impl Engine {
    /// Everything wrong with a document.
    pub fn problems(&self, document: &Document, credentials: Option<&CredentialKinds<'_>>) -> Vec<Problem> {
        let mut problems = validate(document, self.registry(), self.expressions(), credentials);
        problems.extend(self.schedule_problems(document));
        problems
    }

    fn schedule_problems(&self, document: &Document) -> Vec<Problem> {
        let zone = document.settings.timezone.as_deref().unwrap_or("UTC");
        let scheduled = document.nodes.iter().enumerate().filter(|(_, node)| {
            let spec = self.registry().get(&node.node_type).map(|found| found.spec());
            spec.and_then(|spec| spec.trigger.as_ref())
                .is_some_and(|trigger| trigger.source == TriggerSource::Schedule)
        });
        let wrong = scheduled.filter_map(|(ix, node)| {
            let error = Self::schedule(&Value::Object(node.params.clone()), zone).err()?;
            Some(
                Problem::error("invalid_schedule", format!("/nodes/{ix}/params/cron"), error.to_string())
                    .of(&node.id),
            )
        });
        wrong.collect()
    }

    /// The document with the version of every node type written down.
    #[must_use]
    pub fn pin_versions(&self, mut document: Document) -> Document {
        document.sluice = FORMAT;
        for node in &mut document.nodes {
            if node.version.is_none() {
                node.version = self.registry().get(&node.node_type).map(|found| found.spec().version);
            }
        }
        document
    }

    /// Creates a workflow from a first draft. Drafts may have problems; only publishing refuses them.
    ///
    /// # Errors
    /// When the name is taken or the store fails.
    pub async fn create_workflow(
        &self,
        workspace: &str,
        document: Document,
    ) -> Result<WorkflowRow, EngineError> {
        let document = self.pin_versions(document);
        let draft = document_text(&document)?;
        let id = sluice_db::random_id("wf");
        let new = NewWorkflow { id: &id, name: &document.name, draft: &draft, at: self.now_ms() };
        Ok(self.signed_store().create_workflow(workspace, new).await?)
    }

    /// Saves a draft over revision `revision`.
    ///
    /// # Errors
    /// `Conflict` when the stored revision is another, or when the store fails.
    pub async fn save_draft(
        &self,
        workspace: &str,
        workflow: &str,
        revision: i64,
        document: Document,
    ) -> Result<WorkflowRow, EngineError> {
        let document = self.pin_versions(document);
        let draft = document_text(&document)?;
        let change = DraftChange { revision, name: &document.name, draft: &draft, at: self.now_ms() };
        self.signed_store().save_draft(workspace, workflow, change).await?;
        let row = self.store().workflow(workspace, workflow).await?;
        row.ok_or_else(|| EngineError::NotFound { what: "workflow", id: workflow.to_owned() })
    }

    /// Freezes the draft as a new version and activates its triggers. Returns the version and the warnings.
    ///
    /// # Errors
    /// `Problems` when any problem is an error; `PathTaken`; or when the store fails.
    pub async fn publish(
        &self,
        workspace: &str,
        workflow: &str,
        credentials: Option<&CredentialKinds<'_>>,
    ) -> Result<(i64, Vec<Problem>), EngineError> {
        let row = self.store().workflow(workspace, workflow).await?;
        let row = row.ok_or_else(|| EngineError::NotFound { what: "workflow", id: workflow.to_owned() })?;
        let document = read_document(&row.draft)?;
        let problems = self.problems(&document, credentials);
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            return Err(EngineError::Problems(problems));
        }
        let program = self.compile(document)?;
        let publication = Publication {
            document: &row.draft,
            triggers: triggers(&program),
            schedules: self.schedules(&program),
            retention_ms: super::pruning::retention_of(&program.document),
            at: self.now_ms(),
        };
        let version = self.signed_store().publish(workspace, workflow, publication).await?;
        self.0.hooks.invalidate_all();
        self.set_alarm(0);
        Ok((version, problems))
    }

    fn schedules(&self, program: &Program) -> Vec<ScheduleRow> {
        let found = trigger_nodes(program).filter(|(_, source)| matches!(source, TriggerSource::Schedule));
        let rows = found.filter_map(|(node, _)| {
            let mut params =
                raw_params(&program.document.nodes[node as usize], program.nodes[node as usize].node.spec());
            if params.get("timezone").is_none_or(Value::is_null) {
                params["timezone"] = Value::String(program.time_zone.to_string());
            }
            let next_at = Self::schedule(&params, &program.time_zone).ok()?.next_after(self.now_ms());
            Some(ScheduleRow {
                workspace_id: String::new(),
                workflow_id: String::new(),
                node: program.plan.at(node).id.to_string(),
                params: params.to_string(),
                next_at,
            })
        });
        rows.collect()
    }
}

/// The enabled triggers of a program, with what wakes them.
fn trigger_nodes(program: &Program) -> impl Iterator<Item = (NodeIx, &TriggerSource)> {
    program.nodes.iter().enumerate().filter_map(|(ix, node)| {
        let trigger = node.node.spec().trigger.as_ref()?;
        (!program.document.nodes[ix].disabled).then_some((ix as NodeIx, &trigger.source))
    })
}

/// What the store is told of the triggers; workspace, workflow and version are filled in there.
fn triggers(program: &Program) -> Vec<TriggerRow> {
    let rows = trigger_nodes(program).map(|(node, source)| {
        let text =
            |name: &str| program.raw_param(node, name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (kind, key) = match source {
            TriggerSource::Manual => ("manual", String::new()),
            TriggerSource::Webhook => ("webhook", text("path").trim_matches('/').to_owned()),
            TriggerSource::Schedule => ("schedule", String::new()),
            TriggerSource::Event { topic } if topic.is_empty() => ("event", text("event")),
            TriggerSource::Event { topic } => ("event", topic.clone()),
            TriggerSource::Error => ("error", String::new()),
            TriggerSource::Workflow => ("workflow", String::new()),
        };
        let spec = program.nodes[node as usize].node.spec();
        TriggerRow {
            workspace_id: String::new(),
            workflow_id: String::new(),
            version: 0,
            node: program.plan.at(node).id.to_string(),
            source: kind.to_owned(),
            key,
            priority: program.raw_param(node, "priority").and_then(Value::as_i64).unwrap_or(100),
            listen_only: program.raw_param(node, "listen_only").and_then(Value::as_bool).unwrap_or(false),
            competes: spec.trigger.as_ref().is_some_and(|trigger| trigger.competes),
        }
    });
    rows.collect()
}
