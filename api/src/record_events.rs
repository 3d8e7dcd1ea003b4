//! Shows changes of the records to triggers, in the order in which they were written. An event is taken away only
//! after the engine took it, so a crash in between shows it again; the engine starts no workflow twice for it.

use crate::state::ApiState;
use sluice_engine::drive::{EngineError, OutsideEvent};
use sluice_records::connections::{CHANGED, CONNECTED, REVOKED};
use sluice_records::{RecordError, RecordEvent};
use std::time::Duration;

/// How often events are looked for that another process wrote or a failure left behind.
const SWEEP: Duration = Duration::from_secs(1);

/// Events taken at a time.
const BATCH: u32 = 100;

/// Why an event stays where it is for now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShowingError {
    /// The records failed.
    #[error("the events could not be read")]
    Records(#[from] RecordError),
    /// The engine failed.
    #[error("an event could not be handed to the engine")]
    Engine(#[from] EngineError),
}

/// Shows events until the server stops.
pub(crate) async fn show_forever(state: ApiState) {
    while !state.stopping.is_cancelled() {
        if state.engine.is_leader()
            && let Err(failure) = show_pending(&state).await
        {
            tracing::error!(error = &failure as &dyn std::error::Error, "showing events to triggers failed");
        }
        tokio::select! {
            () = state.stopping.cancelled() => return,
            () = state.records.event_written() => {}
            () = tokio::time::sleep(SWEEP) => {}
        }
    }
}

/// Shows everything that is pending; returns how many events that was.
pub(crate) async fn show_pending(state: &ApiState) -> Result<usize, ShowingError> {
    let mut count = 0;
    loop {
        let pending = state.records.pending_events(BATCH).await?;
        if pending.is_empty() {
            return Ok(count);
        }
        for event in pending {
            show(state, event).await?;
            count += 1;
        }
    }
}

async fn show(state: &ApiState, event: RecordEvent) -> Result<(), ShowingError> {
    let (workspace_id, id) = (event.workspace_id.clone(), event.id.clone());
    if [CONNECTED, REVOKED, CHANGED].contains(&event.topic.as_str()) {
        // Before the event is taken away, so that a crash in between does it again.
        let resting = state.records.revoked_connections(&workspace_id).await?;
        state.engine.pause_credentials(&workspace_id, &resting).await?;
    }
    let outside = OutsideEvent {
        workspace_id: event.workspace_id,
        topic: event.topic,
        data: event.data,
        dedupe_key: Some(event.id),
        ..OutsideEvent::default()
    };
    let shown = state.engine.dispatch(outside, None).await?;
    for (workflow_id, why) in &shown.failed {
        tracing::warn!(workflow_id, why, event = id, "a trigger failed on an event");
    }
    Ok(state.records.forget_event(&workspace_id, &id).await?)
}
