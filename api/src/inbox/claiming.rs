//! Where bodies come from that this process did not take in itself: left behind by a crash, or stored by another
//! process. Must not know how they are read.

use super::{Origin, Term};
use crate::state::ApiState;
use sluice_records::RecordError;
use std::time::Duration;

/// How often bodies are looked for that someone else left behind.
const SWEEP: Duration = Duration::from_secs(10);

/// The same when other processes take bodies in and this one may be the one that handles them.
const SWEEP_WITH_OTHERS: Duration = Duration::from_millis(100);

/// Bodies claimed in one statement.
const BATCH: u32 = 100;

/// Claimed bodies that wait for their turn. More stay in the database. A process that is alone has all of them, and looks
/// for what failed when fewer are left.
const MOST_WAITING: usize = 1_000;

/// Takes up every body that was stored and not handled, oldest first; returns how many. To be called once, before
/// the server listens. With other processes the one that leads finds them by itself.
///
/// # Errors
/// When the database fails.
pub async fn recover_inbound(state: &ApiState) -> Result<usize, RecordError> {
    if !state.engine.config().is_alone {
        return Ok(0);
    }
    take_all_pending(state).await
}

/// Takes everything that is stored and not handled. For a process that is alone: nothing has to be claimed, and what
/// it takes in itself afterwards comes after it.
async fn take_all_pending(state: &ApiState) -> Result<usize, RecordError> {
    let origin = Origin::Claimed(state.inbox.term());
    let pending = state.records.pending_inbound().await?;
    Ok(pending.into_iter().filter(|id| state.inbox.take(state, id.clone(), origin)).count())
}

/// Claims what nobody else has claimed, as much as there is room for.
async fn claim_pending(state: &ApiState, term: Term) -> Result<(), RecordError> {
    while state.inbox.has_room() {
        let claimed = state.records.claim_pending_inbound(BATCH).await?;
        let is_last = claimed.len() < BATCH as usize;
        for id in claimed {
            state.inbox.take(state, id, Origin::Claimed(term));
        }
        if is_last {
            break;
        }
    }
    Ok(())
}

impl super::Inbox {
    /// Whether more may be claimed now; if not, it is told when that is so.
    fn has_room(&self) -> bool {
        let mut hands = self.hands();
        hands.left_some = hands.waiting.len() >= MOST_WAITING;
        !hands.left_some
    }
}

impl ApiState {
    /// Looks for bodies that another process or a failure left behind, and shows changes of the records to
    /// triggers, until the server stops.
    pub fn spawn_loops(&self) {
        tokio::spawn(crate::record_events::show_forever(self.clone()));
        tokio::spawn(crate::erasing::erase_forever(self.clone()));
        tokio::spawn(self.metrics.clone().fold_for_ever(self.stopping.clone()));
        tokio::spawn(self.clone().close_inactive_workspaces_for_ever());
        let state = self.clone();
        tokio::spawn(async move {
            let mut office = None;
            let pause = if state.engine.config().is_alone { SWEEP } else { SWEEP_WITH_OTHERS };
            loop {
                // Heard from here on, so that nothing is missed that comes in during the look.
                let called = state.engine.called_for_work();
                tokio::pin!(called);
                let is_called = futures::poll!(called.as_mut()).is_ready();
                office = tokio::select! {
                    () = state.stopping.cancelled() => return,
                    office = look(&state, office) => office,
                };
                tokio::select! {
                    () = state.stopping.cancelled() => return,
                    () = called, if !is_called => {}
                    () = state.inbox.0.wanting.notified() => {}
                    () = tokio::time::sleep(if is_called { Duration::ZERO } else { pause }) => {}
                }
            }
        });
    }
}

/// Under which number this process leads, and in which term.
type Office = (i64, Term);

/// Takes what nobody handles, if this process leads; in which office it does so. `former` is that of the last look.
async fn look(state: &ApiState, former: Option<Office>) -> Option<Office> {
    // One process handles all bodies, so that messages of a conversation keep their order.
    if !state.engine.is_leader() {
        return None;
    }
    let office = (state.engine.runner_id(), state.inbox.term());
    let done = async {
        if state.engine.config().is_alone {
            return if state.inbox.has_room() { take_all_pending(state).await.map(drop) } else { Ok(()) };
        }
        if former != Some(office) {
            state.inbox.begin_term(office.1).await;
            // What another had in hand, or this one let go, comes before what came in since.
            state.records.release_pending_inbound().await?;
        }
        claim_pending(state, office.1).await
    };
    match done.await {
        Ok(()) => Some(office),
        Err(failure) => {
            let failure = &failure as &dyn std::error::Error;
            tracing::error!(error = failure, "looking for bodies left behind failed");
            // Some may have been claimed although the answer was lost.
            None
        }
    }
}
