//! Tells what happens in one run, from its beginning or from where a reader stopped, until it is over.
//!
//! The id of an event is `<seq>.<n>`: the place of the stored event and the place of what is told about it. It is
//! the same in every process and at every time, so a reader can go on anywhere.

use crate::auth::Tenant;
use crate::error::{self, ApiError};
use crate::extract::Path;
use crate::sse::{self, Outlet};
use crate::state::ApiState;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use sluice_engine::core::{Event, EventKind, RunState};
use sluice_engine::drive::live::{attention_event, live_events, waiting_event};
use sluice_engine::drive::{Engine, EngineError, LiveEvent, Program};
use sluice_engine::store::{Attention, RunKey};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

/// How often a run is looked at that another process may be driving.
const LOOK: Duration = Duration::from_millis(200);

/// Follow a run: `run.started`, `node.started`, `node.succeeded`, `node.failed`, `node.skipped`, `node.waiting`,
/// `run.waiting`, `run.attention`, `run.succeeded`, `run.failed`, `run.cancelled`. The stream ends with the run. A reader that has
/// seen the end is answered 204.
#[utoipa::path(get, path = "/api/runs/{id}/stream", tag = "runs",
    params(
        ("id" = String, Path, description = "`run_…`"),
        ("last-event-id" = Option<String>, Header, description = "Go on after this event"),
    ),
    responses(
        (status = 200, description = "Server-sent events", content_type = "text/event-stream", body = String),
        (status = 204, description = "The run is over and the reader has seen its end"),
    ))]
pub(crate) async fn stream(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let key = super::key_of(&tenant, &id);
    let seen = sse::last_event_id(&headers).map(|id| Place::read(&id)).transpose()?;
    // Listening begins before reading, so nothing can fall between the two.
    let live = state.engine.live().subscribe();
    let stored = state.engine.store().load(&key).await?;
    let stored = stored.ok_or_else(|| ApiError::not_found("run", &id))?;
    let program = state.engine.program_of_run(&stored.run).await?;
    let mut follower = Follower {
        engine: state.engine.clone(),
        workflow_id: stored.run.workflow_id,
        key,
        program,
        events: stored.events,
        seen,
        told: None,
    };
    let missed = follower.catch_up();
    if missed.is_empty() && follower.is_over() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(sse::stream(&state, |outlet| follower.follow(missed, live, outlet)))
}

/// The place of an event in the stream of its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    seq: i64,
    part: usize,
}

impl Place {
    fn read(text: &str) -> Result<Self, ApiError> {
        let read = text
            .split_once('.')
            .and_then(|(seq, part)| Some(Self { seq: seq.parse().ok()?, part: part.parse().ok()? }));
        read.ok_or_else(|| {
            let message = "Last-Event-ID is not an id of this stream; leave it out to begin anew";
            ApiError::new(error::INVALID_CURSOR, message)
        })
    }

    fn text(self) -> String {
        format!("{}.{}", self.seq, self.part)
    }
}

type Told = (Place, Arc<LiveEvent>);

struct Follower {
    engine: Engine,
    key: RunKey,
    workflow_id: String,
    program: Arc<Program>,
    /// Everything that happened so far, as stored.
    events: Vec<Event>,
    /// What the reader has seen.
    seen: Option<Place>,
    /// The last event that was told or passed over, to number what follows.
    told: Option<Place>,
}

impl Follower {
    async fn follow(mut self, missed: Vec<Told>, mut live: Receiver<Arc<LiveEvent>>, outlet: Outlet) {
        if !put_all(&outlet, missed).await || self.is_over() {
            return;
        }
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                event = live.recv() => event,
                // Another process may be driving the run: what happens there is found in the store.
                _ = look.tick(), if !self.engine.config().is_alone => Err(RecvError::Lagged(0)),
                () = outlet.closed() => return,
            };
            let told = match event.and_then(|event| self.whole(event)) {
                Ok(event) if *event.run_id != *self.key.run_id => continue,
                Ok(event) => self.place(event).into_iter().collect(),
                Err(RecvError::Lagged(_)) => match self.read_again().await {
                    Ok(()) => self.catch_up(),
                    Err(failure) => {
                        let failure = &failure as &dyn std::error::Error;
                        tracing::error!(error = failure, "a run could not be followed any further");
                        return;
                    }
                },
                Err(RecvError::Closed) => return,
            };
            let is_end = told.iter().any(|(_, event)| is_end(event));
            if !put_all(&outlet, told).await || is_end {
                return;
            }
        }
    }

    /// The event, unless it is news of this run that another process told, or something before it was not heard: then
    /// all of it is found in the store.
    fn whole(&self, event: Arc<LiveEvent>) -> Result<Arc<LiveEvent>, RecvError> {
        let is_news = *event.run_id == *self.key.run_id && event.seq >= self.events.len() as i64;
        let skips = self.told.is_some_and(|told| event.seq > told.seq + 1);
        if is_news && (event.is_relayed || skips) { Err(RecvError::Lagged(0)) } else { Ok(event) }
    }

    async fn read_again(&mut self) -> Result<(), EngineError> {
        if let Some(stored) = self.engine.store().load(&self.key).await? {
            self.events = stored.events;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        matches!(self.events.last(), Some(Event { kind: EventKind::RunFinished { .. }, .. }))
    }

    /// What the reader has not seen of what is stored.
    fn catch_up(&mut self) -> Vec<Told> {
        let mut missed = Vec::new();
        for (event, seq) in self.events.iter().zip(0..) {
            let events = live_events(&self.key, &self.workflow_id, &self.program.plan, seq, event);
            for (part, event) in events.into_iter().enumerate() {
                missed.push((Place { seq, part }, Arc::new(event)));
            }
        }
        let last = self.events.len() as i64 - 1;
        for event in self.standing(last) {
            let part = missed.iter().filter(|(place, _)| place.seq == last).count();
            missed.push((Place { seq: last, part }, Arc::new(event)));
        }
        // The last stored event counts as told even when there is nothing to tell of it.
        let end = missed.last().map_or(Place { seq: last, part: 0 }, |(place, _)| *place);
        self.told = Some(end.max(Place { seq: last, part: 0 }));
        missed.retain(|(place, _)| self.seen.is_none_or(|seen| *place > seen));
        self.seen = self.seen.max(self.told);
        missed
    }

    /// What is told of how the run stands after its last event, in the order in which it was told live.
    fn standing(&self, last: i64) -> Vec<LiveEvent> {
        let (Some(end), Ok(state)) = (self.events.last(), RunState::replay(&self.program.plan, &self.events))
        else {
            return Vec::new();
        };
        let waiting = waiting_event(&self.key, &self.workflow_id, &self.program.plan, &state, last, end.at);
        let asks = state.needs_answer() && !state.status().is_over();
        let attention = asks.then_some(Attention::UnknownOutcome);
        let attention = attention_event(&self.key, &self.workflow_id, attention, last, end.at);
        waiting.into_iter().chain(attention).collect()
    }

    /// The place of a live event; none when the reader knows it from the store.
    fn place(&mut self, event: Arc<LiveEvent>) -> Option<Told> {
        let stored = self.events.len() as i64;
        if event.seq < stored {
            return None;
        }
        let place = match self.told {
            Some(told) if told.seq == event.seq => Place { seq: event.seq, part: told.part + 1 },
            _ => Place { seq: event.seq, part: 0 },
        };
        self.told = Some(place);
        if self.seen.is_some_and(|seen| place <= seen) {
            return None;
        }
        self.seen = Some(place);
        Some((place, event))
    }
}

fn is_end(event: &LiveEvent) -> bool {
    matches!(event.event.as_str(), "run.succeeded" | "run.failed" | "run.cancelled")
}

async fn put_all(outlet: &Outlet, told: Vec<Told>) -> bool {
    for (place, event) in told {
        if !outlet.put(place.text(), &event.event, &*event).await {
            return false;
        }
    }
    true
}
