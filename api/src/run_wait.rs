//! Waiting for a run on behalf of a caller. Must not know who the caller is.

use sluice_engine::drive::{Engine, EngineError, RunOutcome, StartRequest, WaitFor};
use sluice_engine::store::RunKey;
use sluice_engine::view::{NodeStatus, RunView};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior};

/// How often a run is looked at that another process may be driving.
const LOOK: Duration = Duration::from_millis(100);

/// A run that was started, and how it stood when waiting ended.
pub(crate) struct Waited {
    /// Which run.
    pub(crate) key: RunKey,
    /// Its end or its reply, if it came in time.
    pub(crate) outcome: Option<RunOutcome>,
}

/// Starts a run and waits for what its caller wants to know, at most `limit`.
///
/// # Errors
/// Those of starting.
pub(crate) async fn start_and_wait(
    engine: Engine,
    mut request: StartRequest,
    wanted: WaitFor,
    limit: Duration,
) -> Result<Waited, EngineError> {
    let until = Instant::now() + limit;
    request.watch = Some(wanted);
    let started = engine.start(request).await?;
    let outcome = match (started.outcome, started.later) {
        (Some(outcome), _) => Some(outcome),
        (None, Some(later)) => match tokio::time::timeout_at(until, later).await {
            Ok(Ok(outcome)) => Some(outcome),
            Ok(Err(_)) | Err(_) => None,
        },
        (None, None) => None,
    };
    Ok(Waited { key: started.key, outcome })
}

/// Starts a run and waits until it is over, or waits for something that will not come by itself before `limit`.
///
/// # Errors
/// Those of starting, or when the store fails.
pub(crate) async fn start_and_follow(
    engine: Engine,
    mut request: StartRequest,
    limit: Duration,
) -> Result<RunKey, EngineError> {
    let until = Instant::now() + limit;
    let deadline = engine.now_ms().saturating_add(i64::try_from(limit.as_millis()).unwrap_or(i64::MAX));
    let mut live = engine.live().subscribe();
    request.watch = Some(WaitFor::Over);
    let started = engine.start(request).await?;
    let (None, Some(mut over)) = (started.outcome, started.later) else { return Ok(started.key) };
    // Another process may be driving the run; nothing of that is heard here.
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = &mut over => return Ok(started.key),
            () = tokio::time::sleep_until(until) => return Ok(started.key),
            _ = look.tick(), if !engine.config().is_alone => {
                if stands_still(&engine, &started.key, deadline).await? {
                    return Ok(started.key);
                }
            }
            event = live.recv() => {
                let may_wait = match event {
                    Ok(event) => event.event == "run.waiting" && *event.run_id == *started.key.run_id,
                    // What was missed may have been this run's.
                    Err(RecvError::Lagged(_)) => true,
                    Err(RecvError::Closed) => return Ok(started.key),
                };
                if may_wait && stands_still(&engine, &started.key, deadline).await? {
                    return Ok(started.key);
                }
            }
        }
    }
}

/// Whether a run waits for something from outside. Children, pauses and retries that end in time are not outside.
async fn stands_still(engine: &Engine, key: &RunKey, deadline: i64) -> Result<bool, EngineError> {
    let Some(run) = engine.run_view(key).await? else { return Ok(true) };
    Ok(run.status.is_over() || (run.status.as_str() == "waiting" && !goes_on_by_itself(&run, deadline)))
}

fn goes_on_by_itself(run: &RunView, deadline: i64) -> bool {
    let waiting = run.nodes.iter().filter(|node| node.status == NodeStatus::Waiting);
    let for_child = |wait: &serde_json::Value| wait["kind"] == "call";
    run.wake_at.is_some_and(|at| at <= deadline)
        || waiting.filter_map(|node| node.wait.as_ref()).any(for_child)
}
