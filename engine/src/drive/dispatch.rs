//! Who answers an outside event: first a run that waits for it, else the published triggers in order of
//! priority; of those that compete exactly one answers, while listeners all hear it.

use super::driven::Message;
use super::engine::Engine;
use super::error::EngineError;
use super::lanes::{LaneGuard, LaneLoan, LaneTicket};
use super::start::StartRequest;
use crate::store::{RunKey, TriggerRow};
use serde_json::Value;
use sluice_node_sdk::item::Item;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The pauses between looks at a lane that a run of another process has: a quarter of the time waited so far, within
/// these. Who waits shortly is served at once, and many who wait for long do not keep the database busy.
const LANE_LOOKS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));

/// Something that happened outside (or in the records) and that workflows may react to.
#[derive(Clone, Debug, Default)]
pub struct OutsideEvent {
    /// `ws_…`.
    pub workspace_id: String,
    /// Topic, such as `whatsapp.message`.
    pub topic: String,
    /// What triggers see.
    pub data: Value,
    /// The lane in which it is handled, such as the conversation; without one it is handled at once.
    pub lane: Option<String>,
    /// A run that waits for this signal takes the event, for example `conversation:con_…`.
    pub reply_key: Option<String>,
    /// Identifies the event for ever, so that it starts no workflow twice.
    pub dedupe_key: Option<String>,
    /// The stored body that it came with.
    pub inbound_id: Option<String>,
    /// The effect of which it is evidence.
    pub effect_id: Option<String>,
}

/// Who took an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dispatched {
    /// The waiting run that took it as its reply, now or when the same event came before.
    pub woken: Option<RunKey>,
    /// Runs that it started.
    pub started: Vec<RunKey>,
    /// Runs that it had started when the same event came before.
    pub started_before: Vec<RunKey>,
    /// Triggers that failed on it: workflow id and message.
    pub failed: Vec<(String, String)>,
}

impl Dispatched {
    /// All runs concerned.
    pub fn runs(&self) -> impl Iterator<Item = &RunKey> {
        self.woken.iter().chain(&self.started).chain(&self.started_before)
    }
}

impl Engine {
    /// Takes the event's place in its lane. Call this in the order of the events, then [`Engine::dispatch`].
    pub fn queue(&self, event: &OutsideEvent) -> Option<LaneTicket> {
        event.lane.as_deref().map(|lane| self.lanes().enter(lane))
    }

    /// Handles one outside event. Returns when the runs it started or woke are durable.
    ///
    /// # Errors
    /// When the store fails. A trigger that fails is reported in the answer and does not stop the others.
    pub async fn dispatch(
        &self,
        event: OutsideEvent,
        place: Option<LaneTicket>,
    ) -> Result<Dispatched, EngineError> {
        let _busy = self.busy();
        let mut lane = match place.or_else(|| self.queue(&event)) {
            Some(ticket) => Some(ticket.wait().await),
            None => None,
        };
        self.until_lane_is_free(&event).await?;
        let mut done = Dispatched::default();
        if let Some(effect_id) = &event.effect_id {
            self.evidence(&event.workspace_id, effect_id).await?;
        }
        if let Some(key) = &event.reply_key {
            done.woken = self.taken_by(&event).await?;
            if done.woken.is_none() && !self.has_started(&event).await? {
                lane = self.offer_to_waiting(&event, key, lane, &mut done).await?;
            }
        }
        let triggers = self.store().triggers_for(&event.workspace_id, "event", &event.topic).await?;
        // Listeners first: they never answer, and the lane goes with the one that does.
        let (listeners, others): (Vec<_>, Vec<_>) = triggers.iter().partition(|trigger| trigger.listen_only);
        for trigger in listeners {
            self.offer(&event, trigger, &mut None, &mut done).await?;
        }
        if done.woken.is_some() {
            return Ok(done);
        }
        for trigger in others {
            if self.offer(&event, trigger, &mut lane, &mut done).await? && trigger.competes {
                break;
            }
        }
        Ok(done)
    }

    /// The run that took the event as its reply when it came before.
    async fn taken_by(&self, event: &OutsideEvent) -> Result<Option<RunKey>, EngineError> {
        let Some(receipt) = &event.dedupe_key else { return Ok(None) };
        let run_id = self.store().receipt(&event.workspace_id, receipt).await?;
        Ok(run_id
            .map(|run_id| RunKey { workspace_id: event.workspace_id.as_str().into(), run_id: run_id.into() }))
    }

    /// Whether the event started a run when it came before: nobody waited for it then, and a run that waits now, which
    /// may be the very one that it started, waits for another.
    async fn has_started(&self, event: &OutsideEvent) -> Result<bool, EngineError> {
        let Some(key) = &event.dedupe_key else { return Ok(false) };
        Ok(self.store().has_started(&event.workspace_id, &format!("{key}/")).await?)
    }

    /// With other processes a lane in the store tells whether the answer to an earlier event is still under way;
    /// within this process the lane that is held here does.
    async fn until_lane_is_free(&self, event: &OutsideEvent) -> Result<(), EngineError> {
        let Some(lane) = event.lane.as_deref().filter(|_| !self.config().is_alone) else { return Ok(()) };
        let begun = Instant::now();
        while self.store().lane_has_active(&event.workspace_id, lane, "").await? {
            if self.0.stopping.is_cancelled() {
                return Err(EngineError::ShuttingDown);
            }
            tokio::time::sleep((begun.elapsed() / 4).clamp(LANE_LOOKS.0, LANE_LOOKS.1)).await;
        }
        Ok(())
    }

    /// Gives the event to the run that waits for it. The lane goes along, or comes back.
    async fn offer_to_waiting(
        &self,
        event: &OutsideEvent,
        key: &str,
        mut lane: Option<LaneGuard>,
        done: &mut Dispatched,
    ) -> Result<Option<LaneGuard>, EngineError> {
        for waiting in self.store().waiting_for(&event.workspace_id, key).await? {
            let (payload, loan) = (event.data.clone(), LaneLoan::new(lane.take()));
            let lent = loan.clone();
            let (key, receipt) = (key.to_owned(), event.dedupe_key.clone());
            let signal = |done| Message::Signal { key, payload, lane: lent, receipt, change: None, done };
            let answer = self.ask(&waiting.key, signal).await;
            lane = loan.take();
            match answer {
                Ok(()) => {
                    done.woken = Some(waiting.key);
                    return Ok(None);
                }
                // It may wait still, or take the reply yet: nobody else must have it.
                Err(error) if error.leaves_open() => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::debug!(run_id = %waiting.key.run_id, %error, "the waiting run did not take the reply")
                }
            }
        }
        Ok(lane)
    }

    /// Asks one trigger, and starts its workflow if it accepts; the lane goes along then. Answers whether it
    /// accepted, now or when the same event came before.
    async fn offer(
        &self,
        event: &OutsideEvent,
        trigger: &TriggerRow,
        lane: &mut Option<LaneGuard>,
        done: &mut Dispatched,
    ) -> Result<bool, EngineError> {
        let mut failed = |error: EngineError| match error {
            // Not the trigger's fault: whoever keeps the event has to hand it in again.
            EngineError::Store(_) | EngineError::ShuttingDown | EngineError::Overloaded { .. } => Err(error),
            error => {
                tracing::warn!(workflow_id = trigger.workflow_id, %error, "a trigger failed on an event");
                done.failed.push((trigger.workflow_id.clone(), error.to_string()));
                Ok(false)
            }
        };
        let accepted = match self.ask_published(event, trigger).await {
            Ok(Some(accepted)) => accepted,
            Ok(None) => return Ok(false),
            Err(error) => return failed(error),
        };
        match self.start(start_request(event, trigger, accepted, lane.take())).await {
            Ok(started) => {
                done.started.push(started.key);
                Ok(true)
            }
            Err(EngineError::Duplicate) => {
                if let Some(key) = &event.dedupe_key {
                    let key = start_key(key, trigger);
                    done.started_before.extend(self.store().started_under(&event.workspace_id, &key).await?);
                }
                tracing::info!(
                    workflow_id = trigger.workflow_id,
                    "the event had started this workflow before"
                );
                Ok(true)
            }
            Err(error) => failed(error),
        }
    }

    async fn ask_published(
        &self,
        event: &OutsideEvent,
        trigger: &TriggerRow,
    ) -> Result<Option<Arc<crate::core::NodeOutput>>, EngineError> {
        let program = self.program(&event.workspace_id, &trigger.workflow_id, trigger.version).await?;
        let node = program.plan.node(&trigger.node);
        let node = node.ok_or_else(|| EngineError::NotFound { what: "trigger", id: trigger.node.clone() })?;
        let data = Arc::new(event.data.clone());
        let around =
            self.trigger_surroundings(&program, &event.workspace_id, &trigger.workflow_id, data.clone());
        around
            .ask_trigger(node, vec![Item { json: data, files: None, from: None }])
            .map_err(EngineError::Trigger)
    }
}

/// What tells the run that an event started by a trigger from all others.
fn start_key(event: &str, trigger: &TriggerRow) -> String {
    format!("{event}/{}/{}", trigger.workflow_id, trigger.node)
}

fn start_request(
    event: &OutsideEvent,
    trigger: &TriggerRow,
    accepted: Arc<crate::core::NodeOutput>,
    lane: Option<LaneGuard>,
) -> StartRequest {
    let dedupe_key = event.dedupe_key.as_ref().map(|key| start_key(key, trigger));
    StartRequest {
        workspace_id: event.workspace_id.clone(),
        workflow_id: trigger.workflow_id.clone(),
        version: Some(trigger.version),
        trigger: Some(trigger.node.clone()),
        event: event.data.clone(),
        accepted: Some(accepted),
        lane: event.lane.clone().filter(|_| lane.is_some()),
        lane_guard: lane,
        inbound_id: event.inbound_id.clone(),
        dedupe_key,
        ..StartRequest::default()
    }
}
