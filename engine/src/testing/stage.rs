//! Where a test of a workflow document plays: a fresh engine, its clock and its outside.

use super::Host;
use super::wrapped::Wrap;
use crate::document::{Document, StepDoc, TestDoc};
use crate::drive::{Engine, EngineConfig, FaultPlan, Pin, StartRequest};
use serde_json::Value;
use sluice_node_sdk::http::{HttpTransport, ScriptedHttp};
use sluice_node_sdk::item::Item;
use sluice_node_sdk::registry::Registry;
use sluice_node_sdk::services::Services;
use sluice_node_sdk::testkit::{SimClock, TEST_NOW_MS};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The id that the tested draft goes by.
pub(super) const WORKFLOW: &str = "wf_test";

/// Where a test plays.
pub(super) struct Stage<'a> {
    pub(super) engine: Engine,
    pub(super) clock: Arc<SimClock>,
    workspace_id: String,
    document: &'a Document,
    test: &'a TestDoc,
}

impl<'a> Stage<'a> {
    /// A stage on which nothing has happened, with the workflows published that the document calls.
    pub(super) async fn new(
        host: &impl Host,
        document: &'a Document,
        called: &[&Document],
        test: &'a TestDoc,
    ) -> Result<Self, String> {
        let now = match &test.now {
            None => TEST_NOW_MS,
            Some(text) => {
                text.parse::<jiff::Timestamp>().map_err(|error| format!("now: {error}"))?.as_millisecond()
            }
        };
        let clock = Arc::new(SimClock::at(now));
        let http = Arc::new(ScriptedHttp::new(test.http.clone()));
        let (engine, workspace_id) = host.engine(clock.clone(), http).await?;
        for other in called {
            super::publish(&engine, &workspace_id, other).await?;
        }
        Ok(Self { engine, clock, workspace_id, document, test })
    }

    /// An engine over the same store, with nodes and crashes as a test wants them.
    pub(super) fn engine_with(
        &self,
        wrap: &Wrap,
        http: Option<Arc<dyn HttpTransport>>,
        faults: FaultPlan,
    ) -> Result<Engine, String> {
        let registry = Registry::new(self.engine.registry().nodes().map(|node| wrap(node.clone())));
        let registry = registry.map_err(|error| error.to_string())?;
        let mut services: Services = self.engine.services().clone();
        services.http = http.unwrap_or(services.http);
        let config = EngineConfig { faults, ..self.engine.config().clone() };
        Ok(Engine::new(self.engine.store().clone(), registry, services, config))
    }

    /// The workspace in which it plays.
    pub(super) fn workspace(&self) -> &str {
        &self.workspace_id
    }

    /// What starts the run.
    pub(super) fn request(&self) -> StartRequest {
        let mut document = self.document.clone();
        document.tests.clear();
        StartRequest {
            workspace_id: self.workspace_id.clone(),
            workflow_id: WORKFLOW.to_owned(),
            draft: Some(document),
            trigger: self.test.node.clone(),
            event: self.test.trigger.clone(),
            is_test: true,
            dry_run: true,
            pins: pins(&self.test.pins),
            ..StartRequest::default()
        }
    }
}

/// The steps of a test, with the one that is written in short.
pub(super) fn steps(test: &TestDoc) -> Vec<StepDoc> {
    let shorthand =
        test.advance.as_ref().map(|text| StepDoc { advance: Some(text.clone()), ..StepDoc::default() });
    test.steps.iter().cloned().chain(shorthand).collect()
}

fn pins(pins: &indexmap::IndexMap<String, Vec<Value>>) -> BTreeMap<String, Pin> {
    pins.iter()
        .map(|(node, items)| (node.clone(), Pin::Main(items.iter().cloned().map(Item::new).collect())))
        .collect()
}
