//! Erases people, step by step: what goes on with them is stopped, then everything that tells of them goes, from records,
//! runs and files. What it had done before a crash it does again without harm. Must not know who asked, nor statements.

use crate::state::ApiState;
use sluice_engine::drive::EngineError;
use sluice_engine::store::{RunKey, SeenRun, StoreError};
use sluice_records::RecordError;
use sluice_records::erasure::{BodyStep, Erasure, Finder, Phase, Traces};
use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

/// How often erasures are looked for that another process was asked for.
const SWEEP: Duration = Duration::from_secs(5);

/// How soon one is tried again that has to wait for something.
const PATIENCE: Duration = Duration::from_secs(1);

/// Erasures under way at the same time.
const AT_ONCE: u32 = 50;

/// Runs looked at in one step.
const RUNS: u32 = 50;

/// How long a run may take to be cancelled before it is left for the next time.
const CANCELLING: Duration = Duration::from_secs(10);

/// Writing the database anew keeps writers waiting: at most so much of the time.
const SHARE_OF_TIME: u32 = 20;

/// How long a database that could not be written anew (no room on the disk, say) is left alone.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// Why a step has to be tried again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ErasingError {
    /// The records failed.
    #[error("the records of a person could not be erased")]
    Records(#[from] RecordError),
    /// The runs failed.
    #[error("the runs of a person could not be erased")]
    Store(#[from] StoreError),
    /// The engine failed.
    #[error("a run of a person could not be stopped")]
    Engine(#[from] EngineError),
}

/// What a process remembers of writing the database anew.
#[derive(Default)]
pub(crate) struct Scrubber {
    not_before: Option<Instant>,
    /// Erasures after whose deletions the database was written anew; only its log has to be emptied.
    rewritten: HashSet<String>,
}

/// Erases until the server stops.
pub(crate) async fn erase_forever(state: ApiState) {
    let mut scrubber = Scrubber::default();
    while !state.stopping.is_cancelled() {
        let mut open = 0;
        if state.engine.is_leader() {
            open = erase_pending(&state, &mut scrubber).await;
        }
        tokio::select! {
            () = state.stopping.cancelled() => return,
            () = state.records.erasure_requested() => {}
            () = tokio::time::sleep(if open > 0 { PATIENCE } else { SWEEP }) => {}
        }
    }
}

impl ApiState {
    /// Brings every erasure as far as it comes for now, and answers how many are not done. For tests and for the loop.
    pub async fn erase_pending(&self) -> usize {
        erase_pending(self, &mut Scrubber::default()).await
    }
}

async fn erase_pending(state: &ApiState, scrubber: &mut Scrubber) -> usize {
    let mut open = match state.records.open_erasures(AT_ONCE).await {
        Ok(open) => open,
        Err(failure) => return told(&failure, "", 1),
    };
    for erasure in &mut open {
        if let Err(failure) = go_on(state, erasure).await {
            told(&failure, &erasure.id, 1);
        }
    }
    let count = open.len();
    match finish(state, scrubber, open).await {
        Ok(finished) => count - finished,
        Err(failure) => told(&failure, "", count),
    }
}

fn told(failure: &(dyn std::error::Error + 'static), erasure: &str, open: usize) -> usize {
    tracing::error!(error = failure, erasure, "an erasure has to be tried again");
    open
}

/// Goes on until everything is deleted, or something has to be waited for.
async fn go_on(state: &ApiState, erasure: &mut Erasure) -> Result<(), ErasingError> {
    while !matches!(erasure.phase, Phase::Scrubbing | Phase::Done) && !state.stopping.is_cancelled() {
        let traces = state.records.traces(erasure).await?;
        let finder = traces.finder()?;
        if !step(state, erasure, &traces, &finder).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// One step. False when something has to be waited for.
async fn step(
    state: &ApiState,
    erasure: &mut Erasure,
    traces: &Traces,
    finder: &Finder,
) -> Result<bool, ErasingError> {
    match erasure.phase {
        Phase::Stopping => stop_runs(state, erasure, finder).await,
        Phase::Leaving => {
            state.records.leave(erasure).await?;
            Ok(true)
        }
        Phase::Bodies | Phase::Late => {
            Ok(state.records.erase_bodies(erasure, traces, finder).await? != BodyStep::Waiting)
        }
        Phase::Runs => erase_runs(state, erasure, finder).await,
        Phase::Messages => erase_messages(state, erasure, traces).await,
        Phase::Scrubbing | Phase::Done => Ok(false),
    }
}

/// Cancels what goes on with the person, so that nothing is sent to them any more.
async fn stop_runs(state: &ApiState, erasure: &mut Erasure, finder: &Finder) -> Result<bool, ErasingError> {
    let store = state.engine.store();
    let runs = store.runs_after(&erasure.workspace_id, &erasure.place, true, RUNS).await?;
    for run in &runs {
        if store.look_through(run, &|bytes| finder.has_any(bytes)).await?.is_in {
            let cancelled = cancel(state, &run.key).await?;
            erasure.count("runs_cancelled", u64::from(cancelled));
        }
    }
    match runs.last().filter(|_| runs.len() == RUNS as usize) {
        Some(last) => erasure.place = last.key.run_id.to_string(),
        None => erasure.enter(Phase::Leaving),
    }
    state.records.note_erasure(erasure).await?;
    Ok(true)
}

/// Deletes runs that tell of the person. What began after they were gone may tell of somebody new with the same
/// telephone number; it must name the old contact to be meant.
async fn erase_runs(state: &ApiState, erasure: &mut Erasure, finder: &Finder) -> Result<bool, ErasingError> {
    let store = state.engine.store();
    let left_at = erasure.left_at.unwrap_or(i64::MAX);
    let runs = store.runs_after(&erasure.workspace_id, &erasure.place, false, RUNS).await?;
    let mut held_up = None;
    for run in &runs {
        let is_it = |bytes: &[u8]| match run.created_at <= left_at {
            true => finder.has_any(bytes),
            false => finder.has_id(bytes),
        };
        if store.look_through(run, &is_it).await?.is_in
            && let Some(id) = erase_run(state, erasure, run.clone()).await?
        {
            held_up = Some(id);
            break;
        }
        erasure.place = run.key.run_id.to_string();
    }
    let is_held_up = held_up.is_some();
    erasure.note = held_up.map(|id| format!("it waits for the end of {id}"));
    if !is_held_up && runs.len() < RUNS as usize {
        erasure.enter(Phase::Messages);
    }
    state.records.note_erasure(erasure).await?;
    Ok(!is_held_up)
}

/// Deletes a run and those that it started, the last first: a run leads to those that it started, nothing else does. One
/// that goes on is cancelled. Answers the run that has to be waited for.
async fn erase_run(
    state: &ApiState,
    erasure: &mut Erasure,
    run: SeenRun,
) -> Result<Option<String>, ErasingError> {
    let store = state.engine.store();
    let (mut ahead, mut order) = (vec![run], Vec::new());
    while let Some(mut run) = ahead.pop() {
        if !run.is_over() {
            let cancelled = cancel(state, &run.key).await?;
            erasure.count("runs_cancelled", u64::from(cancelled));
            let id = BTreeSet::from([run.key.run_id.to_string()]);
            let Some(now) = store.seen_runs(&run.key.workspace_id, &id).await?.pop() else { continue };
            if !now.is_over() {
                return Ok(Some(now.key.run_id.to_string()));
            }
            run = now;
        }
        let named = store.look_through(&run, &|_| false).await?.named;
        ahead.extend(store.started_by(&run.key, &named).await?);
        order.push(run);
    }
    order.reverse();
    for run in order {
        if store.erase_runs(std::slice::from_ref(&run)).await?.is_empty() {
            let id = BTreeSet::from([run.key.run_id.to_string()]);
            if !store.seen_runs(&run.key.workspace_id, &id).await?.is_empty() {
                return Ok(Some(run.key.run_id.to_string()));
            }
        }
        erasure.count("runs", 1);
    }
    Ok(None)
}

/// Whether it was this that ended the run.
async fn cancel(state: &ApiState, run: &RunKey) -> Result<bool, ErasingError> {
    match tokio::time::timeout(CANCELLING, state.engine.cancel(run)).await {
        Ok(Ok(())) => Ok(true),
        // It was over before, or another process drives it and has not answered yet: whoever asks looks again.
        Ok(Err(EngineError::Refused(_) | EngineError::NotFound { .. } | EngineError::Unanswered(_)))
        | Err(_) => Ok(false),
        Ok(Err(error)) => Err(error.into()),
    }
}

/// Deletes messages, and before them the runs that sent them.
async fn erase_messages(
    state: &ApiState,
    erasure: &mut Erasure,
    traces: &Traces,
) -> Result<bool, ErasingError> {
    let store = state.engine.store();
    let next = state.records.messages_to_erase(erasure, traces).await?;
    if next.is_empty() {
        for id in &traces.conversation_ids {
            store.erase_receipts(&erasure.workspace_id, id).await?;
        }
        state.records.erase_conversations(erasure, traces).await?;
        return Ok(true);
    }
    for run in store.seen_runs(&erasure.workspace_id, &next.run_ids).await? {
        if let Some(id) = erase_run(state, erasure, run).await? {
            erasure.note = Some(format!("it waits for the end of {id}"));
            state.records.note_erasure(erasure).await?;
            return Ok(false);
        }
    }
    erasure.note = None;
    state.records.erase_messages(erasure, &next).await?;
    Ok(true)
}

/// Overwrites what deleted rows left in the files, once for all that wait for it, and ends them. Answers how many.
async fn finish(
    state: &ApiState,
    scrubber: &mut Scrubber,
    open: Vec<Erasure>,
) -> Result<usize, ErasingError> {
    let mut ready: Vec<_> = open.into_iter().filter(|one| one.phase == Phase::Scrubbing).collect();
    let is_new = |one: &Erasure| !scrubber.rewritten.contains(&one.id);
    let is_time = scrubber.not_before.is_none_or(|moment| Instant::now() >= moment);
    let mut is_clean = false;
    if ready.iter().any(is_new) && is_time {
        let began = Instant::now();
        let done = state.records.overwrite_deleted().await;
        let least = if done.is_ok() { Duration::ZERO } else { AFTER_FAILURE };
        scrubber.not_before = Some(Instant::now() + (began.elapsed() * SHARE_OF_TIME).max(least));
        is_clean = done?;
        scrubber.rewritten.extend(ready.iter().map(|one| one.id.clone()));
    }
    ready.retain(|one| scrubber.rewritten.contains(&one.id));
    if ready.is_empty() || !(is_clean || state.records.empty_log().await?) {
        return Ok(0);
    }
    for erasure in &mut ready {
        state.records.finish_erasure(erasure).await?;
        scrubber.rewritten.remove(&erasure.id);
    }
    Ok(ready.len())
}
