//! Keeps the books short, all the time and a little at a time: usage goes into roll-ups, holds that nobody ends are given
//! back. One process of an installation does it, and nothing it does can be done twice. Must not know prices.

use crate::wiring::{Installation, explain};
use metrics::counter;
use sluice_records::usage::PRUNE_AFTER_MS;
use sluice_records::{RecordError, Records};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often somebody looks.
const EVERY: Duration = Duration::from_secs(60);

/// A pause after each step, so that others get to the database.
const PAUSE: Duration = Duration::from_millis(50);

/// Rows looked at at a time.
const ROWS: u32 = 500;

/// Keeps books until `stop` is cancelled.
pub(crate) fn spawn(installation: &Installation, stop: CancellationToken) -> JoinHandle<()> {
    let installation = installation.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            if let Err(error) = pass_alone(&installation, &stop).await {
                tracing::warn!(error = explain(&error), "usage could not be rolled up; again in a minute");
            }
        }
    })
}

/// One pass, unless another process is at it.
async fn pass_alone(installation: &Installation, stop: &CancellationToken) -> Result<(), RecordError> {
    let Some(right) = installation.db.try_exclusive("bookkeeping").await? else { return Ok(()) };
    let done = pass(&installation.records, installation.engine.now_ms(), PAUSE, stop).await;
    right.release().await;
    done
}

/// Does everything that is due at `now`.
async fn pass(
    records: &Records,
    now: i64,
    pause: Duration,
    stop: &CancellationToken,
) -> Result<(), RecordError> {
    for chore in Chore::ALL {
        loop {
            let done = chore.step(records, now).await?;
            counter!("sluice_bookkeeping_total", "what" => chore.name()).increment(done);
            if done < u64::from(ROWS) || stop.is_cancelled() {
                break;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
    Ok(())
}

/// Does everything that is due, without pauses: for tests and tools.
///
/// # Errors
/// A sentence for the operator.
pub async fn keep_books_now(installation: &Installation) -> Result<(), String> {
    let now = installation.engine.now_ms();
    let done = pass(&installation.records, now, Duration::ZERO, &CancellationToken::new()).await;
    done.map_err(|error| explain(&error))
}

#[derive(Clone, Copy)]
enum Chore {
    Expire,
    RollUp,
    Merge,
    Prune,
}

impl Chore {
    const ALL: [Self; 4] = [Self::Expire, Self::RollUp, Self::Merge, Self::Prune];

    fn name(self) -> &'static str {
        match self {
            Self::Expire => "holds_expired",
            Self::RollUp => "events_rolled_up",
            Self::Merge => "intervals_merged",
            Self::Prune => "events_pruned",
        }
    }

    async fn step(self, records: &Records, now: i64) -> Result<u64, RecordError> {
        match self {
            Self::Expire => records.expire_holds(ROWS).await,
            Self::RollUp => records.roll_up_usage(ROWS).await,
            Self::Merge => records.merge_usage(ROWS).await,
            Self::Prune => records.prune_usage(now.saturating_sub(PRUNE_AFTER_MS), ROWS).await,
        }
    }
}
