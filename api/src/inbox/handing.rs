//! Handing the events of a body to the engine, each in its lane, and noting what became of the body. Must not know who
//! reads bodies, nor in which order.

use super::patience::{Patience, may_handle};
use super::{Doing, HandlingError, Origin};
use crate::metrics;
use crate::state::ApiState;
use sluice_engine::drive::lanes::LaneTicket;
use sluice_engine::drive::{Dispatched, OutsideEvent};
use sluice_records::whatsapp::{Ingested, IngestedBody};
use sluice_records::{Direction, HandledInbound, lane};

/// Hands the events to the engine, each in its lane, and notes what became of the body. `reading` is over when all
/// events have begun.
pub(super) async fn hand_on(
    state: &ApiState,
    (id, origin): (&str, Origin),
    body: IngestedBody,
    events: Vec<(OutsideEvent, Option<LaneTicket>)>,
    reading: Doing,
) -> Result<(), HandlingError> {
    let handled = events.into_iter().map(|(event, place)| {
        let (state, doing) = (state.clone(), Doing::begin(&state.inbox));
        tokio::spawn(async move {
            let workspace_id = event.workspace_id.clone();
            hand_one(&state, origin, event, place, doing).await.map(|done| (workspace_id, done))
        })
    });
    let handled = futures::future::join_all(handled.collect::<Vec<_>>());
    drop(reading);
    let (mut notes, mut runs): (Vec<String>, Vec<(String, String)>) =
        (body.note.into_iter().collect(), Vec::new());
    let mut failure = None;
    for done in handled.await {
        match done {
            Ok(Ok((workspace_id, done))) => {
                runs.extend(done.runs().map(|run| (workspace_id.clone(), run.run_id.to_string())));
                notes.extend(failed_triggers(&done));
            }
            Ok(Err(error)) => failure = Some(error),
            Err(panic) => notes.push(format!("an event was not handled: {panic}")),
        }
    }
    if let Some(failure) = failure {
        for (workspace_id, run_id) in &runs {
            state.records.add_inbound_run(workspace_id, id, run_id).await?;
        }
        return Err(failure);
    }
    let note = Some(notes.join("\n")).filter(|note| !note.is_empty());
    let (status, changes, shares) = (body.status, body.changes, body.shares);
    let done = HandledInbound { id: id.to_owned(), status, changes, shares, note, runs };
    super::finishing::finish(state, done).await?;
    metrics::inbound("whatsapp", status.as_text());
    Ok(())
}

/// Hands one event to the engine when those before it in its lane have been handed on. What only the moment refuses is
/// tried again in its place.
async fn hand_one(
    state: &ApiState,
    origin: Origin,
    event: OutsideEvent,
    place: Option<LaneTicket>,
    mut doing: Doing,
) -> Result<Dispatched, HandlingError> {
    let _place = match place {
        Some(ticket) => Some(doing.wait(ticket.wait()).await),
        None => None,
    };
    let mut patience = Patience::new();
    loop {
        let mut lane = state.engine.queue(&event);
        if let Some(lane) = &mut lane {
            doing.wait(lane.ready()).await;
        }
        if !may_handle(state, origin) {
            // Whoever stood before it in the lane may have been let go too.
            return Err(HandlingError::LetGo);
        }
        let failure = match state.engine.dispatch(event.clone(), lane).await {
            Err(failure) if failure.is_passing() && patience.is_left(state, origin) => failure,
            done => return Ok(done?),
        };
        tracing::warn!(
            error = &failure as &dyn std::error::Error,
            "an event waits until the engine can take it"
        );
        doing.wait(patience.wait()).await;
    }
}

/// What is to be told of triggers that failed.
fn failed_triggers(done: &Dispatched) -> impl Iterator<Item = String> {
    done.failed.iter().map(|(workflow, why)| format!("workflow {workflow}: {why}"))
}

/// What workflows may react to. What was known before is not told again.
pub(super) fn outside_event(inbound_id: &str, ingested: Ingested) -> Option<OutsideEvent> {
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
