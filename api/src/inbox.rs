//! Provider bodies after they were acknowledged: read, recorded and handed to the engine in the order in which they
//! came. What a crash leaves behind is taken up again by [`recover_inbound`]. Must not know HTTP.

use crate::metrics;
use crate::state::ApiState;
use sluice_engine::drive::lanes::LaneTicket;
use sluice_engine::drive::{EngineError, OutsideEvent};
use sluice_records::whatsapp::{Ingested, IngestedBody, ingest_body};
use sluice_records::{Direction, RecordError, lane};
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// Bodies whose events may be on their way to runs at once. Reading stays one body at a time.
const ON_THEIR_WAY: usize = 128;

/// How often bodies are looked for that someone else left behind.
const SWEEP: Duration = Duration::from_secs(10);

/// The same when other processes take bodies in and this one may be the one that handles them.
const SWEEP_WITH_OTHERS: Duration = Duration::from_millis(100);

/// The bodies in hand.
#[derive(Clone)]
pub(crate) struct Inbox(Arc<Shared>);

struct Shared {
    hands: Mutex<Hands>,
    idle: Notify,
    room: Arc<Semaphore>,
}

#[derive(Default)]
struct Hands {
    /// Not read yet, in order.
    waiting: VecDeque<String>,
    /// Taken and not finished.
    taken: HashSet<String>,
    is_reading: bool,
}

impl Default for Inbox {
    fn default() -> Self {
        let room = Arc::new(Semaphore::new(ON_THEIR_WAY));
        Self(Arc::new(Shared { hands: Mutex::default(), idle: Notify::new(), room }))
    }
}

/// Why a body could not be handled for now. It stays stored and is tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandlingError {
    /// The records failed.
    #[error("the body could not be recorded")]
    Records(#[from] RecordError),
    /// The engine failed.
    #[error("an event of the body could not be handed to the engine")]
    Engine(#[from] EngineError),
}

impl Inbox {
    /// How many bodies are in hand.
    pub(crate) fn in_hand(&self) -> usize {
        self.hands().taken.len()
    }

    /// Takes a stored body. False when it is in hand already.
    pub(crate) fn take(&self, state: &ApiState, id: String) -> bool {
        let mut hands = self.hands();
        if !hands.taken.insert(id.clone()) {
            return false;
        }
        hands.waiting.push_back(id);
        if !hands.is_reading {
            hands.is_reading = true;
            tokio::spawn(read_all(state.clone()));
        }
        true
    }

    /// Whether a body is in hand.
    fn has(&self, id: &str) -> bool {
        self.hands().taken.contains(id)
    }

    /// Waits until nothing is in hand.
    pub(crate) async fn settle(&self) {
        self.until(|hands| hands.taken.is_empty()).await;
    }

    /// Waits until a body is no longer in hand.
    pub(crate) async fn finished(&self, id: &str) {
        self.until(|hands| !hands.taken.contains(id)).await;
    }

    async fn until(&self, reached: impl Fn(&Hands) -> bool) {
        loop {
            let change = self.0.idle.notified();
            tokio::pin!(change);
            change.as_mut().enable();
            if reached(&self.hands()) {
                return;
            }
            change.await;
        }
    }

    fn next(&self) -> Option<String> {
        let mut hands = self.hands();
        let next = hands.waiting.pop_front();
        hands.is_reading = next.is_some();
        next
    }

    fn release(&self, id: &str) {
        self.hands().taken.remove(id);
        self.0.idle.notify_waiters();
    }

    fn hands(&self) -> std::sync::MutexGuard<'_, Hands> {
        self.0.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a body back when its handling ends, however it ends.
struct Taken {
    inbox: Inbox,
    id: String,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.inbox.release(&self.id);
    }
}

async fn read_all(state: ApiState) {
    while let Some(id) = state.inbox.next() {
        let taken = Taken { inbox: state.inbox.clone(), id };
        // The semaphore is never closed; without a permit there is merely no bound.
        let room = state.inbox.0.room.clone().acquire_owned().await.ok();
        match read(&state, &taken.id).await {
            Ok((body, events)) => {
                let state = state.clone();
                tokio::spawn(async move {
                    let done = hand_on(&state, &taken.id, body, events).await;
                    report(&state, &taken.id, done).await;
                    drop((room, taken));
                });
            }
            Err(failure) => report(&state, &taken.id, Err(failure)).await,
        }
    }
}

async fn report(state: &ApiState, id: &str, done: Result<(), HandlingError>) {
    let Err(failure) = done else { return };
    {
        let failure = &failure as &dyn std::error::Error;
        tracing::error!(inbound_id = id, error = failure, "a stored body was not handled; it is tried again");
    }
    if let Err(failure) = state.records.forget_attempt(id).await {
        tracing::debug!(inbound_id = id, %failure, "an attempt stays counted");
    }
}

type Queued = Vec<(OutsideEvent, Option<LaneTicket>)>;

/// Records a body and takes the places of its events in their lanes.
async fn read(state: &ApiState, id: &str) -> Result<(IngestedBody, Queued), HandlingError> {
    let stored = state.records.inbound(None, id).await?;
    let mut body = ingest_body(&state.records, id, stored.raw.as_deref().unwrap_or_default()).await?;
    let events = std::mem::take(&mut body.events);
    let events = events.into_iter().filter_map(|event| outside_event(id, event));
    let queued = events.map(|event| {
        let place = state.engine.queue(&event);
        (event, place)
    });
    Ok((body, queued.collect()))
}

/// Hands the events to the engine, each in its lane, and notes what became of the body.
async fn hand_on(
    state: &ApiState,
    id: &str,
    body: IngestedBody,
    events: Queued,
) -> Result<(), HandlingError> {
    let handled = events.into_iter().map(|(event, place)| {
        let (state, id) = (state.clone(), id.to_owned());
        tokio::spawn(async move { dispatch(&state, &id, event, place).await })
    });
    let handled = futures::future::join_all(handled.collect::<Vec<_>>()).await;
    let mut notes: Vec<String> = body.note.into_iter().collect();
    for done in handled {
        match done {
            Ok(failed) => notes.extend(failed?),
            Err(panic) => notes.push(format!("an event was not handled: {panic}")),
        }
    }
    let note = Some(notes.join("\n")).filter(|note| !note.is_empty());
    state.records.finish_inbound(id, body.status, &body.changes, &body.shares, note.as_deref()).await?;
    metrics::inbound("whatsapp", body.status.as_text());
    Ok(())
}

/// Hands one event on and notes its runs. Answers what is to be told of triggers that failed.
async fn dispatch(
    state: &ApiState,
    inbound_id: &str,
    event: OutsideEvent,
    place: Option<LaneTicket>,
) -> Result<Vec<String>, HandlingError> {
    let workspace_id = event.workspace_id.clone();
    let done = state.engine.dispatch(event, place).await?;
    for run in done.runs() {
        state.records.add_inbound_run(&workspace_id, inbound_id, &run.run_id).await?;
    }
    Ok(done.failed.iter().map(|(workflow, why)| format!("workflow {workflow}: {why}")).collect())
}

/// What workflows may react to. What was known before is not told again.
fn outside_event(inbound_id: &str, ingested: Ingested) -> Option<OutsideEvent> {
    match ingested {
        Ingested::Message {
            workspace_id,
            conversation_id,
            message_id,
            direction: Direction::In,
            is_new: true,
            answerable,
            event,
            ..
        } => Some(OutsideEvent {
            workspace_id,
            topic: "whatsapp.message".to_owned(),
            data: event,
            lane: Some(lane(&conversation_id)),
            // A reaction or an edit is no reply to a question.
            reply_key: answerable.then(|| format!("conversation:{conversation_id}")),
            dedupe_key: Some(message_id),
            inbound_id: Some(inbound_id.to_owned()),
            effect_id: None,
        }),
        Ingested::Status { workspace_id, wamid, status, effect_id, is_new: true, event, .. } => {
            let participant = event["status"]["participant"].as_str().unwrap_or_default();
            let dedupe_key = format!("{wamid}/{status}/{participant}");
            Some(OutsideEvent {
                workspace_id,
                topic: "whatsapp.status".to_owned(),
                dedupe_key: Some(dedupe_key),
                inbound_id: Some(inbound_id.to_owned()),
                data: event,
                lane: None,
                reply_key: None,
                // Meta speaks of a message that we sent: it took the message, whatever became of that.
                effect_id,
            })
        }
        _ => None,
    }
}

/// Takes up every body that was stored and not handled, oldest first; returns how many. To be called once, before
/// the server listens. With other processes the one that leads finds them by itself.
///
/// # Errors
/// When the database fails.
pub async fn recover_inbound(state: &ApiState) -> Result<usize, RecordError> {
    if !state.engine.config().is_alone {
        return Ok(0);
    }
    state.records.release_pending_inbound().await?;
    take_pending(state).await
}

async fn take_pending(state: &ApiState) -> Result<usize, RecordError> {
    let mut count = 0;
    loop {
        let pending = state.records.claim_pending_inbound(100).await?;
        if pending.is_empty() {
            return Ok(count);
        }
        for body in pending {
            if !state.inbox.has(&body.id) && state.records.count_attempt(&body.id).await? {
                count += usize::from(state.inbox.take(state, body.id));
            }
        }
    }
}

impl ApiState {
    /// Looks for bodies that another process or a failure left behind, and shows changes of the records to
    /// triggers, until the server stops.
    pub fn spawn_loops(&self) {
        tokio::spawn(crate::record_events::show_forever(self.clone()));
        tokio::spawn(self.clone().close_inactive_workspaces_for_ever());
        let state = self.clone();
        tokio::spawn(async move {
            let mut was_leader = state.engine.config().is_alone;
            loop {
                let pause = if state.engine.config().is_alone { SWEEP } else { SWEEP_WITH_OTHERS };
                tokio::select! {
                    () = state.stopping.cancelled() => return,
                    () = state.engine.called_for_work() => {}
                    () = tokio::time::sleep(pause) => {}
                }
                // One process handles all bodies, so that messages of a conversation keep their order.
                let is_leader = state.engine.is_leader();
                if !is_leader {
                    was_leader = false;
                    continue;
                }
                let done = async {
                    if !was_leader {
                        // What the former one had in hand comes before what came in since.
                        state.records.release_pending_inbound().await?;
                    }
                    take_pending(&state).await
                };
                let done = done.await;
                was_leader |= done.is_ok();
                if let Err(failure) = done {
                    let failure = &failure as &dyn std::error::Error;
                    tracing::error!(error = failure, "looking for bodies left behind failed");
                }
            }
        });
    }
}
