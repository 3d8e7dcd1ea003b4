//! One installation under test: a database in memory, a clock, an outside, and an engine that can be replaced.

use crate::nodes::registry;
use crate::world::World;
use serde_json::{Value, json};
use sluice_db::{Db, DbOptions};
use sluice_engine::core::RunStatus;
use sluice_engine::document::Document;
use sluice_engine::drive::{Engine, EngineConfig, EngineError, FaultPlan, RunOutcome, StartRequest, Started};
use sluice_engine::store::{RunKey, Store};
use sluice_engine::view::{NodeRunView, RunView};
use sluice_node_sdk::services::{Clock, NoCredentials, Services};
use sluice_node_sdk::testkit::{SimClock, TEST_NOW_MS};
use sluice_node_sdk::usage::NoBudget;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The workspace of the tests.
pub(crate) const WS: &str = "ws_test";

/// One installation.
pub(crate) struct Home {
    pub(crate) db: Db,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) world: Arc<World>,
    pub(crate) engine: Engine,
    pub(crate) faults: FaultPlan,
}

impl Home {
    pub(crate) async fn new() -> Self {
        Self::over(DbOptions::new("sqlite::memory:")).await
    }

    pub(crate) async fn over(options: DbOptions) -> Self {
        let db = Db::open(options).await.unwrap();
        db.migrate().await.unwrap();
        let (clock, world) = (Arc::new(SimClock::at(TEST_NOW_MS)), Arc::new(World::default()));
        let faults = FaultPlan::counting();
        let engine = engine(&db, &clock, &world, faults.clone(), "");
        Self { db, clock, world, engine, faults }
    }

    /// Stops the engine dead and puts a new one over the same database. It has not recovered yet.
    pub(crate) fn restart(&mut self) {
        self.restart_without("");
    }

    /// The same, and the new one lacks a node type.
    pub(crate) fn restart_without(&mut self, node_type: &str) {
        self.restart_with(FaultPlan::counting(), node_type);
    }

    /// The same, with a planned crash.
    pub(crate) fn restart_with(&mut self, faults: FaultPlan, but: &str) {
        self.faults.kill();
        self.faults = faults;
        self.engine = engine(&self.db, &self.clock, &self.world, self.faults.clone(), but);
    }

    /// Stops the engine dead, puts a new one over the same database, and lets it do all it can.
    pub(crate) async fn crash(&mut self) {
        self.restart();
        self.engine.recover().await.unwrap();
        self.engine.settle().await;
    }

    /// Creates and publishes a workflow; answers its id.
    pub(crate) async fn publish(&self, document: Document) -> String {
        let row = self.engine.create_workflow(WS, document).await.unwrap();
        self.engine.publish(WS, &row.id, None).await.unwrap();
        row.id
    }

    /// Starts a run of a published workflow.
    pub(crate) async fn try_start(&self, workflow: &str, event: Value) -> Result<Started, EngineError> {
        self.engine.start(request(workflow, event)).await
    }

    /// The same, when it must work.
    pub(crate) async fn start(&self, workflow: &str, event: Value) -> RunKey {
        self.try_start(workflow, event).await.unwrap().key
    }

    /// Publishes, starts and waits until nothing is under way.
    pub(crate) async fn run(&self, document: Document, event: Value) -> RunKey {
        let workflow = self.publish(document).await;
        let key = self.start(&workflow, event).await;
        self.engine.settle().await;
        key
    }

    pub(crate) async fn view(&self, key: &RunKey) -> RunView {
        self.engine.run_view(key).await.unwrap().expect("the run is stored")
    }

    pub(crate) async fn status(&self, key: &RunKey) -> RunStatus {
        self.view(key).await.status
    }

    /// Lets time pass and fires what is due then.
    pub(crate) async fn pass(&self, milliseconds: i64) {
        self.clock.advance(milliseconds);
        self.engine.fire_due().await.unwrap();
        self.engine.settle().await;
    }

    /// The runs of a workflow, oldest first.
    pub(crate) async fn runs(&self, workflow: &str) -> Vec<RunKey> {
        let filter = sluice_engine::store::RunFilter {
            workflow_id: Some(workflow.to_owned()),
            limit: 200,
            ..Default::default()
        };
        let page = self.engine.store().list_runs(WS, &filter).await.unwrap();
        page.items.iter().rev().map(|run| key(&run.id)).collect()
    }
}

fn engine(db: &Db, clock: &Arc<SimClock>, world: &Arc<World>, faults: FaultPlan, but: &str) -> Engine {
    engine_with(db, clock, world, EngineConfig { faults, ..EngineConfig::default() }, but)
}

/// An engine over a database, with bounds as a test wants them; `but` leaves out a node type.
pub(crate) fn engine_with(
    db: &Db,
    clock: &Arc<SimClock>,
    world: &Arc<World>,
    config: EngineConfig,
    but: &str,
) -> Engine {
    let services = Services {
        clock: clock.clone() as Arc<dyn Clock>,
        budget: NoBudget::shared(),
        http: world.clone(),
        credentials: Arc::new(NoCredentials),
        base_urls: Arc::new(BTreeMap::new()),
    };
    Engine::new(Store::new(db.clone()), registry(world, but), services, config)
}

/// The key of a run.
pub(crate) fn key(run_id: &str) -> RunKey {
    RunKey { workspace_id: WS.into(), run_id: run_id.into() }
}

/// What starts a run.
pub(crate) fn request(workflow: &str, event: Value) -> StartRequest {
    StartRequest {
        workspace_id: WS.to_owned(),
        workflow_id: workflow.to_owned(),
        event,
        ..StartRequest::default()
    }
}

/// A document of nodes (`id`, `type` without `t.`, and what else a node has) and edges written `from > to`.
pub(crate) fn doc(name: &str, nodes: Value, edges: &[&str]) -> Document {
    with(name, nodes, edges, json!({}))
}

/// The same with settings.
pub(crate) fn with(name: &str, mut nodes: Value, edges: &[&str], settings: Value) -> Document {
    for node in nodes.as_array_mut().unwrap() {
        node["type"] = json!(format!("t.{}", node["type"].as_str().unwrap()));
    }
    let edges = edges.iter().map(|edge| edge.split_once(" > ").unwrap());
    let edges: Vec<Value> = edges.map(|(from, to)| json!({ "from": from, "to": to })).collect();
    let document = json!({ "sluice": 1, "name": name, "nodes": nodes, "edges": edges, "settings": settings });
    serde_json::from_value(document).unwrap()
}

/// A workflow of a trigger `start` and one node `act` of the given type, leading to `end`.
pub(crate) fn one(node_type: &str, settings: Value) -> Document {
    let nodes = json!([
        { "id": "start", "type": "start" },
        { "id": "act", "type": node_type, "settings": settings },
        { "id": "end", "type": "set", "params": { "value": { "done": true } } },
    ]);
    doc("One", nodes, &["start > act", "act > end"])
}

/// The latest view of a node.
pub(crate) fn node<'a>(view: &'a RunView, id: &str) -> &'a NodeRunView {
    view.nodes.iter().rfind(|node| node.id == id).unwrap()
}

/// The `json` of the items that a node gave last, over its ports.
pub(crate) fn output(view: &RunView, id: &str) -> Vec<Value> {
    node(view, id).output.values().flatten().map(|item| (*item.json).clone()).collect()
}

/// The `json` of the items that the last node of a run gave.
pub(crate) fn given(outcome: &RunOutcome) -> Vec<Value> {
    outcome.items.iter().map(|item| (*item.json).clone()).collect()
}

/// The code of a run's error.
pub(crate) fn code(view: &RunView) -> &str {
    view.error.as_ref().map_or("none", |error| &error.code)
}
