//! Reading stored bodies, many at once: the order of those that concern the same people is kept by `turns.rs`, from
//! here until their events have places in their lanes. A body that brought a process down before is read when nothing
//! else is under way. Must not know where bodies come from, nor who takes their events.

use super::handing::{hand_on, outside_event};
use super::patience::{Patience, may_handle};
use super::turns::{Turn, Turns};
use super::{Doing, HandlingError, Inbox, Origin, Taken, forget_attempt, report};
use crate::metrics;
use crate::state::ApiState;
use sluice_engine::drive::OutsideEvent;
use sluice_engine::drive::lanes::LaneTicket;
use sluice_records::whatsapp::{IngestedBody, Order, ParseError, Parsed, ingest_parsed, parse};
use sluice_records::{InboundStatus, RecordError, TakenInbound};
use std::collections::HashMap;
use std::time::Duration;
use tokio::task::JoinSet;

/// Bodies read at once. Each needs a connection most of the time, of which there are few.
const AT_ONCE: usize = 16;

/// Bodies looked at, so that one person's many do not keep the others waiting.
const AHEAD: usize = 64;

/// How long a suspect waits until nothing is done beside it.
const UNTIL_ALONE: Duration = Duration::from_secs(2);

/// How long it stays alone at most, so that the many suspects that several crashes leave behind do not wait long for each
/// other. What brings a process down does so at once; what takes longer waits, for example for another process.
const ALONE: Duration = Duration::from_millis(300);

/// A body before its turn.
struct Body {
    taken: Taken,
    origin: Origin,
    raw: Vec<u8>,
    /// None for a suspect: it is parsed when it is alone.
    parsed: Option<Result<Parsed, ParseError>>,
}

impl Inbox {
    fn next(&self, most: usize) -> Vec<(Taken, Origin)> {
        let mut hands = self.hands();
        let count = most.min(hands.waiting.len());
        let next: Vec<_> = hands.waiting.drain(..count).collect();
        if hands.waiting.len() < AHEAD && std::mem::take(&mut hands.left_some) {
            self.0.wanting.notify_one();
        }
        drop(hands);
        next.into_iter().map(|(id, origin)| (Taken::new(self, id), origin)).collect()
    }

    /// Ends the reading, unless something came in.
    fn rest(&self) -> bool {
        let mut hands = self.hands();
        hands.is_reading = !hands.waiting.is_empty();
        !hands.is_reading
    }
}

/// Says that nobody reads any more if reading comes to grief, so that the next body begins it anew.
struct Reading(Option<Inbox>);

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(inbox) = &self.0 {
            inbox.hands().is_reading = false;
        }
    }
}

/// Reads until nothing waits.
pub(super) async fn read_all(state: ApiState) {
    let mut watch = Reading(Some(state.inbox.clone()));
    let (mut turns, mut reading, mut turn_of) = (Turns::default(), JoinSet::new(), HashMap::new());
    loop {
        let next = state.inbox.next(AHEAD - turns.len());
        for body in look_at(&state, next).await {
            let order = body.parsed.as_ref().map_or(Order::Alone, Order::of);
            turns.push(order, body);
        }
        while reading.len() < AT_ONCE
            && let Some((turn, body)) = turns.begin()
        {
            let task = reading.spawn(read_in_turn(state.clone(), body));
            turn_of.insert(task.id(), turn);
        }
        if reading.is_empty() {
            if state.inbox.rest() {
                watch.0 = None;
                return;
            }
            continue;
        }
        tokio::select! {
            Some(ended) = reading.join_next_with_id() => {
                end(&mut turns, &mut turn_of, ended);
                while let Some(ended) = reading.try_join_next_with_id() {
                    end(&mut turns, &mut turn_of, ended);
                }
            }
            () = state.inbox.0.arrived.notified(), if turns.len() < AHEAD => {}
        }
    }
}

type Ended = Result<(tokio::task::Id, ()), tokio::task::JoinError>;

fn end(turns: &mut Turns<Body>, turn_of: &mut HashMap<tokio::task::Id, Turn>, ended: Ended) {
    let task = match ended {
        Ok((task, ())) => task,
        Err(panic) => {
            tracing::error!(error = %panic, "reading a stored body came to grief; it is tried again");
            panic.id()
        }
    };
    if let Some(turn) = turn_of.remove(&task) {
        turns.end(turn);
    }
}

/// Fetches bodies in order, as few statements as there are origins. Those that this process may no longer handle, or
/// that somebody else has handled, are let go.
async fn look_at(state: &ApiState, mut next: Vec<(Taken, Origin)>) -> Vec<Body> {
    next.retain(|(_, origin)| may_handle(state, *origin));
    let mut found: HashMap<String, TakenInbound> = HashMap::new();
    for is_claimed in [true, false] {
        let is_of = |origin: &Origin| matches!(origin, Origin::Claimed(_)) == is_claimed;
        let of_origin: Vec<_> = next.iter().filter(|(_, origin)| is_of(origin)).collect();
        // All that is claimed and may be handled is of one term.
        let Some((_, origin)) = of_origin.first() else { continue };
        let ids: Vec<String> = of_origin.iter().map(|(taken, _)| taken.id.clone()).collect();
        match fetch(state, &ids, *origin).await {
            Ok(bodies) => found.extend(bodies.into_iter().map(|body| (body.id.clone(), body))),
            Err(failure) => {
                let error = &failure as &dyn std::error::Error;
                tracing::error!(
                    error,
                    bodies = ids.len(),
                    "stored bodies were not read; they are tried again"
                );
            }
        }
    }
    let bodies = next.into_iter().filter_map(|(taken, origin)| {
        let TakenInbound { raw, is_suspect, .. } = found.remove(&taken.id)?;
        let parsed = (!is_suspect).then(|| parse(&raw));
        Some(Body { taken, origin, raw, parsed })
    });
    bodies.collect()
}

async fn fetch(state: &ApiState, ids: &[String], origin: Origin) -> Result<Vec<TakenInbound>, RecordError> {
    let mut patience = Patience::new();
    loop {
        let found = match origin {
            Origin::Claimed(_) => state.records.take_up_inbound(ids).await,
            Origin::Delivered | Origin::Replayed => state.records.look_at_inbound(ids).await,
        };
        let is_passing = found.as_ref().is_err_and(RecordError::is_transient);
        if !is_passing || !patience.is_left(state, origin) {
            return found;
        }
        patience.wait().await;
    }
}

/// Reads one body. Comes back when its events have their places; a suspect's also when they were handed on.
async fn read_in_turn(state: ApiState, body: Body) {
    // The semaphore is never closed; without a permit there is merely no bound.
    let room = state.inbox.0.room.clone().acquire_owned().await.ok();
    let is_suspect = body.parsed.is_none();
    if !may_handle(&state, body.origin) {
        if !is_suspect {
            forget_attempt(&state, &body.taken.id).await;
        }
        return;
    }
    let doing = Doing::begin(&state.inbox);
    if is_suspect && !is_let_in(&state, &body).await {
        return;
    }
    let parsed = body.parsed.unwrap_or_else(|| parse(&body.raw));
    let (taken, origin) = (body.taken, body.origin);
    match read(&state, &taken.id, origin, &parsed).await {
        Ok((read, events)) => {
            let inbox = state.inbox.clone();
            tokio::spawn(async move {
                if let Err(failure) = hand_on(&state, (&taken.id, origin), read, events, doing).await {
                    report(&state, origin, &taken.id, &failure).await;
                }
                drop((room, taken));
            });
            if is_suspect {
                // Its end is reported by itself.
                let _ = tokio::time::timeout(ALONE, inbox.until(|hands| hands.doing == 0)).await;
            }
        }
        Err(failure) => report(&state, origin, &taken.id, &failure).await,
    }
}

/// Waits until a suspect is alone, and counts it. One that was counted too often is put aside.
async fn is_let_in(state: &ApiState, body: &Body) -> bool {
    // Others may take long.
    let _ = tokio::time::timeout(UNTIL_ALONE, state.inbox.until(|hands| hands.doing == 1)).await;
    if !matches!(body.origin, Origin::Claimed(_)) {
        return true;
    }
    match state.records.count_attempt(&body.taken.id).await {
        Ok(true) => true,
        Ok(false) => {
            tracing::error!(inbound_id = body.taken.id, "a body that was never finished is put aside");
            metrics::inbound("whatsapp", InboundStatus::Quarantined.as_text());
            false
        }
        Err(failure) => {
            let error = &failure as &dyn std::error::Error;
            tracing::error!(
                inbound_id = body.taken.id,
                error,
                "a body could not be counted; it is tried again"
            );
            false
        }
    }
}

/// Records a body and takes the places of its events in their lanes.
async fn read(
    state: &ApiState,
    id: &str,
    origin: Origin,
    parsed: &Result<Parsed, ParseError>,
) -> Result<(IngestedBody, Vec<(OutsideEvent, Option<LaneTicket>)>), HandlingError> {
    let mut patience = Patience::new();
    let mut body = loop {
        let read = ingest_parsed(&state.records, id, parsed).await;
        let is_passing = read.as_ref().is_err_and(RecordError::is_transient);
        if !is_passing || !patience.is_left(state, origin) {
            break read?;
        }
        patience.wait().await;
    };
    let events = std::mem::take(&mut body.events);
    let events = events.into_iter().filter_map(|event| outside_event(id, event));
    let queued = events.map(|event| {
        let place = event.lane.as_deref().map(|lane| state.inbox.0.lanes.enter(lane));
        (event, place)
    });
    Ok((body, queued.collect()))
}
