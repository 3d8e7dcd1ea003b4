//! Replay: runs recorded effects through any version of a workflow and says what would have been different.
//! Nothing outside happens and nothing is stored: pure nodes are computed anew, nodes with effects answer what
//! they answered then.

mod player;
mod recording;

use self::player::{Player, RecordedClock};
use self::recording::Recording;
use crate::core::{Command, Event, EventKind, NodeIx, PortIx, RunError, RunStatus};
use crate::document::Document;
use crate::drive::{Engine, EngineError, Program};
use crate::store::{NewRun, RunKey, StoredRun};
use crate::view::{NodeRunView, NodeStatus, RunView, view};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sluice_node_sdk::item::Items;
use sluice_node_sdk::services::Services;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a run is replayed on.
#[derive(Clone, Debug, Default)]
pub enum ReplayOn {
    /// The version it ran on.
    #[default]
    Same,
    /// Another published version.
    Version(i64),
    /// A document, such as the present draft.
    Document(Box<Document>),
}

/// What a replay showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReplayView {
    /// How the replayed run ended.
    pub status: RunStatus,
    /// How the recorded run stands.
    pub recorded_status: RunStatus,
    /// Whether anything is different.
    pub is_same: bool,
    /// What is different, node run by node run.
    pub differences: Vec<Difference>,
    /// Nodes with effects that have no recorded answer; they were not run and gave nothing.
    pub not_recorded: Vec<String>,
    /// Why the replayed run failed.
    pub error: Option<RunError>,
    /// The replayed run.
    pub run: RunView,
}

/// One node run that came out differently.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Difference {
    /// The node.
    pub node: String,
    /// Its iteration.
    pub iteration: u32,
    /// `added`, `removed` or `changed`.
    pub change: String,
    /// Status and output then.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// Status and output now.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
}

impl Engine {
    /// Replays a run.
    ///
    /// # Errors
    /// When there is no such run or version, or the store fails.
    pub async fn replay(&self, key: &RunKey, on: ReplayOn) -> Result<ReplayView, EngineError> {
        let stored = self.store().load(key).await?;
        let stored =
            stored.ok_or_else(|| EngineError::NotFound { what: "run", id: key.run_id.to_string() })?;
        let recorded_program = self.program_of_run(&stored.run).await?;
        let program = match on {
            ReplayOn::Same => recorded_program.clone(),
            ReplayOn::Version(version) => {
                self.program(&key.workspace_id, &stored.run.workflow_id, version).await?
            }
            ReplayOn::Document(document) => Arc::new(self.compile(*document)?),
        };
        let (events, not_recorded) = self.replay_events(&stored, &recorded_program, &program)?;
        let before = view(&recorded_program, &stored)?;
        let after = view(&program, &replayed(&stored, events, &program)?)?;
        let differences = differences(&before.nodes, &after.nodes);
        Ok(ReplayView {
            status: after.status,
            recorded_status: before.status,
            is_same: differences.is_empty() && after.status == before.status,
            differences,
            not_recorded,
            error: after.error.clone(),
            run: after,
        })
    }

    /// The events of the replayed run, and the nodes that had no recorded answer.
    fn replay_events(
        &self,
        stored: &StoredRun,
        recorded: &Arc<Program>,
        program: &Arc<Program>,
    ) -> Result<(Vec<Event>, Vec<String>), EngineError> {
        let Some(Event { at, kind: EventKind::RunStarted { trigger, output, pins, deadline } }) =
            stored.events.first()
        else {
            return Ok((Vec::new(), Vec::new()));
        };
        let id = recorded.plan.at(*trigger).id.clone();
        let trigger = program.plan.node(&id).or_else(|| program.trigger(|_| true));
        let trigger = trigger.ok_or_else(|| EngineError::NotFound { what: "trigger", id: id.to_string() })?;
        let rename = |node: &NodeIx| program.plan.node(&recorded.plan.at(*node).id);
        // What the other version has not got is left out.
        let pins = pins.iter().filter_map(|(node, ports)| {
            let (from, to) = (recorded.plan.at(*node), rename(node)?);
            let port_of = |(port, items): &(PortIx, Items)| {
                Some((program.plan.at(to).port(from.ports.get(usize::from(*port))?)?, items.clone()))
            };
            Some((to, ports.iter().filter_map(port_of).collect()))
        });
        let pins = pins.collect();
        let event = output.ports.first().and_then(|(_, items)| items.first().map(|item| item.json.clone()));
        let clock = Arc::new(RecordedClock::default());
        let services = Arc::new(Services { clock: clock.clone(), ..self.services().clone() });
        let around = self.surroundings_with(program, &stored.run, event.unwrap_or_default(), services);
        let recording = Recording::of(stored, &recorded.plan);
        let mut player = Player::new(program.clone(), around, clock, recording);
        let start = Command::Start { trigger, output: output.clone(), pins, deadline: *deadline };
        player.play(start, *at);
        Ok((player.events, player.not_recorded))
    }
}

/// The replayed run in the form of a stored one.
fn replayed(stored: &StoredRun, events: Vec<Event>, program: &Program) -> Result<StoredRun, EngineError> {
    let state = crate::core::RunState::replay(&program.plan, &events).map_err(|_| {
        EngineError::Store(crate::store::StoreError::Corrupt {
            what: "replayed events",
            id: stored.run.key.run_id.to_string(),
        })
    })?;
    Ok(StoredRun {
        run: NewRun { ..stored.run.clone() },
        turns: 1,
        status: state.status(),
        error: state.error().cloned(),
        events,
        started_at: stored.started_at,
        ended_at: None,
        owner: None,
        claims: 0,
        attention: None,
    })
}

fn differences(before: &[NodeRunView], after: &[NodeRunView]) -> Vec<Difference> {
    fn index(views: &[NodeRunView]) -> BTreeMap<(&str, u32), &NodeRunView> {
        let ran = views.iter().filter(|view| view.status != NodeStatus::Pending);
        ran.map(|view| ((view.id.as_str(), view.iteration), view)).collect()
    }
    let facts =
        |view: &NodeRunView| json!({ "status": view.status, "output": view.output, "error": view.error });
    let (before, after) = (index(before), index(after));
    let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
    let compared = keys.into_iter().filter_map(|key| {
        let (then, now) = (before.get(&key).map(|view| facts(view)), after.get(&key).map(|view| facts(view)));
        let change = match (&then, &now) {
            (Some(then), Some(now)) if then == now => return None,
            (Some(_), Some(_)) => "changed",
            (Some(_), None) => "removed",
            _ => "added",
        };
        Some(Difference {
            node: key.0.to_owned(),
            iteration: key.1,
            change: change.to_owned(),
            before: then,
            after: now,
        })
    });
    compared.collect()
}
