//! Deletes, all the time and a little at a time, what has been kept long enough. One process of an installation does
//! it; the work is spread so that writers hardly notice. Must not know what is deleted where.

use crate::storage::Keeping;
use crate::wiring::{Installation, explain};
use metrics::counter;
use sluice_db::DbError;
use sluice_engine::drive::{Pruned, Pruner};
use sluice_engine::store::StoreError;
use sluice_records::{RecordError, Records};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often somebody looks.
const EVERY: Duration = Duration::from_secs(60);

/// A step is followed by a pause so many times as long: at most a tenth of the time goes into deleting.
const PAUSE: u32 = 9;

/// The longest pause after one step.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Rows of records deleted at a time.
const ROWS: u32 = 200;

/// Why a pass broke off.
#[derive(Debug, thiserror::Error)]
enum PassError {
    #[error("the store failed")]
    Store(#[from] StoreError),
    #[error("the records failed")]
    Records(#[from] RecordError),
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// What a pass deleted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Of the engine's.
    pub pruned: Pruned,
    /// Of the records'.
    pub records: u64,
}

/// Deletes until `stop` is cancelled.
pub(crate) fn spawn(
    installation: &Installation,
    keeping: Keeping,
    stop: CancellationToken,
) -> JoinHandle<()> {
    let mut work = Work::new(installation.clone(), keeping);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            match work.pass_alone(&stop).await {
                Ok(Some(pass)) if pass != Pass::default() => tracing::info!(
                    runs = pass.pruned.runs,
                    payloads = pass.pruned.payloads,
                    others = pass.pruned.notes + pass.records,
                    "deleted what was kept long enough"
                ),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(
                        error = explain(&error),
                        "deleting what was kept long enough failed; again in a minute"
                    );
                }
            }
        }
    })
}

/// Deletes everything that is due at `now`, without pauses: for tests and tools.
///
/// # Errors
/// A sentence for the operator.
pub async fn prune_now(installation: &Installation, keeping: &Keeping, now: i64) -> Result<Pass, String> {
    let mut work = Work::new(installation.clone(), keeping.clone());
    work.pause = 0;
    work.pass(now, &CancellationToken::new()).await.map_err(|error| explain(&error))
}

struct Work {
    installation: Installation,
    keeping: Keeping,
    pruner: Pruner,
    /// How many times as long as a step the pause after it is.
    pause: u32,
}

impl Work {
    fn new(installation: Installation, keeping: Keeping) -> Self {
        let pruner = Pruner::new(installation.engine.store().clone(), keeping.of_engine());
        Self { installation, keeping, pruner, pause: PAUSE }
    }

    /// One pass, unless another process is at it.
    async fn pass_alone(&mut self, stop: &CancellationToken) -> Result<Option<Pass>, PassError> {
        let db = self.installation.db.clone();
        let Some(right) = db.try_exclusive("pruning").await? else { return Ok(None) };
        let now = self.installation.engine.now_ms();
        let pass = self.pass(now, stop).await;
        right.release().await;
        pass.map(Some)
    }

    async fn pass(&mut self, now: i64, stop: &CancellationToken) -> Result<Pass, PassError> {
        let mut pass = Pass::default();
        self.pruner.begin(now).await?;
        while !self.pruner.is_done() && !stop.is_cancelled() {
            let began = Instant::now();
            let step = self.pruner.step().await?;
            counter!("sluice_pruned_total", "what" => "runs").increment(step.runs);
            counter!("sluice_pruned_total", "what" => "payloads").increment(step.payloads);
            counter!("sluice_pruned_total", "what" => "notes").increment(step.notes);
            pass.pruned += step;
            rest(began.elapsed() * self.pause, stop).await;
        }
        for kind in RecordKind::ALL {
            let Some(before) = kind.before(now, &self.keeping) else { continue };
            loop {
                let began = Instant::now();
                let gone = kind.purge(&self.installation.records, before).await?;
                counter!("sluice_pruned_total", "what" => "records").increment(gone);
                pass.records += gone;
                if gone == 0 || stop.is_cancelled() {
                    break;
                }
                rest(began.elapsed() * self.pause, stop).await;
            }
        }
        Ok(pass)
    }
}

/// Leaves the database to the others for a while.
async fn rest(pause: Duration, stop: &CancellationToken) {
    if !pause.is_zero() {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause.min(LONGEST_PAUSE)) => {}
        }
    }
}

/// What records forget.
#[derive(Clone, Copy, PartialEq)]
enum RecordKind {
    DeletedWorkspaces,
    LimitCounts,
    Bodies,
    Seen,
    Events,
    Effects,
    /// Codes and sessions that are over.
    SignIn,
    /// Mail that could not be sent.
    Mail,
}

/// How long mail that could not be sent is kept for operators to see, milliseconds.
const STUCK_MAIL: i64 = 7 * 24 * 60 * 60 * 1_000;

impl RecordKind {
    const ALL: [Self; 8] = [
        Self::DeletedWorkspaces,
        Self::LimitCounts,
        Self::Bodies,
        Self::Seen,
        Self::Events,
        Self::Effects,
        Self::SignIn,
        Self::Mail,
    ];

    /// What was over by then is forgotten; none to keep everything.
    fn before(self, now: i64, keeping: &Keeping) -> Option<i64> {
        match self {
            Self::Bodies | Self::Seen | Self::Events | Self::Effects => {
                keeping.inbound.map(|length| now.saturating_sub(length))
            }
            // What is deleted or over goes at once, however long the rest is kept.
            Self::DeletedWorkspaces | Self::LimitCounts | Self::SignIn => Some(now),
            Self::Mail => Some(now.saturating_sub(STUCK_MAIL)),
        }
    }

    async fn purge(self, records: &Records, before: i64) -> Result<u64, RecordError> {
        match self {
            Self::DeletedWorkspaces => records.purge_deleted_workspaces(ROWS).await,
            Self::LimitCounts => records.purge_limit_counts(before, ROWS).await,
            Self::Bodies => records.purge_inbound(before, ROWS).await,
            Self::Seen => records.purge_seen(before, ROWS).await,
            Self::Events => records.purge_events(before, ROWS).await,
            Self::Effects => records.purge_applied_effects(before, ROWS).await,
            Self::SignIn => records.purge_sign_in(before, ROWS).await,
            Self::Mail => records.purge_mail(before, ROWS).await,
        }
    }
}
