//! Which runs have been kept long enough, and the order of the work of deleting them: in small steps, so that whoever
//! calls decides how much of the time they take. Must not know statements.

use crate::document::Document;
use crate::store::payloads::{KeptPayload, PayloadError};
use crate::store::{EndedRun, Store, StoreError};
use futures::StreamExt;
use futures::stream::{BoxStream, Chunks};
use sluice_node_sdk::duration::parse_duration_ms;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Runs deleted at a time at the most.
const RUNS: usize = 200;

/// Runs judged at a time. Most are to stay: those of workflows that keep theirs longer.
const JUDGED: u32 = 2_000;

/// Rows of other sorts deleted at a time.
const ROWS: u32 = 500;

/// Free pages returned at a time.
const PAGES: u32 = 500;

/// Payloads looked at at a time.
const PAYLOADS: usize = 100;

/// An answered message is kept so long for whoever has yet to read the answer.
const ANSWERED_MS: i64 = 3_600_000;

/// How often everything is looked at again, and how old a payload is that nobody refers to. No commit takes that long.
const DAY_MS: i64 = 86_400_000;

/// How long things are kept, milliseconds; `None` for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Finished runs of workflows that do not say it themselves.
    pub runs: Option<i64>,
    /// Finished test runs.
    pub tests: Option<i64>,
    /// Receipts of signals: how late a repetition may come and still be recognised.
    pub receipts: Option<i64>,
}

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Finished runs.
    pub runs: u64,
    /// Payloads, of those runs and forgotten ones.
    pub payloads: u64,
    /// Answered messages and receipts.
    pub notes: u64,
}

impl std::ops::AddAssign for Pruned {
    fn add_assign(&mut self, other: Self) {
        self.runs += other.runs;
        self.payloads += other.payloads;
        self.notes += other.notes;
    }
}

/// One sort of work.
enum Chore {
    /// Runs that are kept for so long.
    Runs(Keeping),
    Answered,
    Receipts(i64),
    /// Listed from when it is their turn, so that what went before is not in the list.
    Payloads(Option<Listed>),
    Space,
}

/// Payloads as the place lists them.
type Listed = Chunks<BoxStream<'static, Result<KeptPayload, PayloadError>>>;

/// The runs of one length of keeping.
struct Keeping {
    kept_for: i64,
    /// Those that ended later are to stay.
    until: i64,
    /// Judged, and to be deleted next.
    found: VecDeque<EndedRun>,
    /// The moment up to which all are judged when those are gone.
    then: i64,
    is_last: bool,
}

/// Deletes step by step. It remembers how far it came, so that a run that is to stay is not judged every minute.
pub struct Pruner {
    store: Store,
    retention: Retention,
    /// By workspace and workflow, of those that say it themselves.
    own: BTreeMap<(String, String), i64>,
    is_noted: bool,
    /// By length of keeping: the runs that ended before this moment have been judged.
    judged_until: BTreeMap<i64, i64>,
    /// When everything was looked at from the beginning.
    began_anew_at: Option<i64>,
    now: i64,
    chores: VecDeque<Chore>,
}

/// How long finished runs of a workflow are to be kept; `None` when it does not say.
pub(super) fn retention_of(document: &Document) -> Option<i64> {
    document.settings.retention.as_deref().and_then(|text| parse_duration_ms(text).ok())
}

impl Pruner {
    /// A pruner that has not looked at anything.
    pub fn new(store: Store, retention: Retention) -> Self {
        Self {
            store,
            retention,
            own: BTreeMap::new(),
            is_noted: false,
            judged_until: BTreeMap::new(),
            began_anew_at: None,
            now: 0,
            chores: VecDeque::new(),
        }
    }

    /// Makes the list of what is to be done at this moment, milliseconds since the epoch.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin(&mut self, now: i64) -> Result<(), StoreError> {
        if !self.is_noted {
            self.note_earlier_wishes().await?;
        }
        let own = self.store.retentions().await?;
        // What was to stay may have to go now, and the other way round; and a run may have been stored late.
        let is_anew = own != self.own || self.began_anew_at.is_none_or(|at| now - at >= DAY_MS);
        (self.own, self.now) = (own, now);
        self.chores.clear();
        if is_anew {
            self.began_anew_at = Some(now);
            self.judged_until.clear();
        }
        let lengths: BTreeSet<i64> =
            self.own.values().copied().chain(self.retention.runs).chain(self.retention.tests).collect();
        self.chores.extend(lengths.into_iter().map(|kept_for| {
            let until = now.saturating_sub(kept_for);
            Chore::Runs(Keeping { kept_for, until, found: VecDeque::new(), then: until, is_last: false })
        }));
        self.chores.push_back(Chore::Answered);
        self.chores
            .extend(self.retention.receipts.map(|kept_for| Chore::Receipts(now.saturating_sub(kept_for))));
        if is_anew {
            self.chores.push_back(Chore::Payloads(None));
        }
        self.chores.push_back(Chore::Space);
        Ok(())
    }

    /// Whether everything on the list is done.
    pub fn is_done(&self) -> bool {
        self.chores.is_empty()
    }

    /// Does the next small part: a transaction at the most.
    ///
    /// # Errors
    /// When the store fails; the part is tried again by the next step.
    pub async fn step(&mut self) -> Result<Pruned, StoreError> {
        let Some(mut chore) = self.chores.pop_front() else { return Ok(Pruned::default()) };
        let done = match &mut chore {
            Chore::Runs(keeping) => self.delete_runs(keeping).await,
            Chore::Answered => notes(self.store.forget_answered(self.now - ANSWERED_MS, ROWS).await),
            Chore::Receipts(before) => notes(self.store.forget_receipts(*before, ROWS).await),
            Chore::Payloads(listed) => self.sweep(listed).await,
            Chore::Space => {
                self.store.give_space_back(PAGES).await.map(|is_more| (Pruned::default(), is_more))
            }
        };
        match done {
            Ok((pruned, is_more)) => {
                if is_more {
                    self.chores.push_front(chore);
                }
                Ok(pruned)
            }
            // A list of payloads that broke off cannot be gone on with; there is another one tomorrow.
            Err(error) => {
                if !matches!(chore, Chore::Payloads(_)) {
                    self.chores.push_front(chore);
                }
                Err(error)
            }
        }
    }

    async fn delete_runs(&mut self, keeping: &mut Keeping) -> Result<(Pruned, bool), StoreError> {
        if keeping.found.is_empty() {
            self.judge(keeping).await?;
        }
        let batch: Vec<EndedRun> = keeping.found.iter().take(RUNS).cloned().collect();
        let deleted = self.store.delete_runs(&batch).await?;
        keeping.found.drain(..deleted.looked_at);
        if keeping.found.is_empty() {
            self.judged_until.insert(keeping.kept_for, keeping.then);
        }
        let mut pruned = Pruned { runs: deleted.runs, ..Pruned::default() };
        match self.store.delete_payloads(&deleted.payloads).await {
            Ok(()) => pruned.payloads = deleted.payloads.len() as u64,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "payloads of deleted runs could not be deleted; the daily sweep will");
            }
        }
        Ok((pruned, !(keeping.is_last && keeping.found.is_empty())))
    }

    /// Finds the next runs that are to go.
    async fn judge(&mut self, keeping: &mut Keeping) -> Result<(), StoreError> {
        let from = self.judged_until.get(&keeping.kept_for).copied().unwrap_or(i64::MIN);
        let mut limit = JUDGED;
        let runs = loop {
            let runs = self.store.ended_runs(from, keeping.until, limit).await?;
            keeping.is_last = runs.len() < limit as usize;
            // So many that ended at one moment: the next look would begin with the same again.
            let is_stuck = !keeping.is_last && runs.last().is_some_and(|last| last.ended_at == from);
            if !is_stuck {
                break runs;
            }
            limit = limit.saturating_mul(2);
        };
        let last = runs.last().filter(|_| !keeping.is_last);
        keeping.then = last.map_or(keeping.until, |last| last.ended_at);
        let goes = |run: &EndedRun| self.kept_for(run).is_some_and(|own| own <= keeping.kept_for);
        keeping.found = runs.into_iter().filter(goes).collect();
        Ok(())
    }

    fn kept_for(&self, run: &EndedRun) -> Option<i64> {
        if run.is_test {
            return self.retention.tests;
        }
        let workflow = (run.key.workspace_id.to_string(), run.workflow_id.clone());
        self.own.get(&workflow).copied().or(self.retention.runs)
    }

    async fn sweep(&mut self, listed: &mut Option<Listed>) -> Result<(Pruned, bool), StoreError> {
        let Some(place) = self.store.payloads().map(|payloads| payloads.place().clone()) else {
            return Ok((Pruned::default(), false));
        };
        let listed = listed.get_or_insert_with(|| place.list().chunks(PAYLOADS));
        let Some(chunk) = listed.next().await else { return Ok((Pruned::default(), false)) };
        let chunk = chunk.into_iter().collect::<Result<Vec<_>, _>>()?;
        let swept = self.store.sweep_payloads(&chunk, self.now - DAY_MS).await?;
        if swept.deleted > 0 {
            tracing::info!(payloads = swept.deleted, "payloads that nothing refers to were deleted");
        }
        Ok((Pruned { payloads: swept.deleted, ..Pruned::default() }, true))
    }

    /// Workflows published by a program that did not note their retention: their documents say it.
    async fn note_earlier_wishes(&mut self) -> Result<(), StoreError> {
        let (mut workspace, mut workflow) = (String::new(), String::new());
        loop {
            let found = self.store.unnoted_retentions((&workspace, &workflow)).await?;
            for (workspace, workflow, text) in &found {
                let document: Option<Document> = serde_json::from_str(text).ok();
                if let Some(wish) = document.as_ref().and_then(retention_of) {
                    self.store.note_retention(workspace, workflow, wish).await?;
                }
            }
            match found.into_iter().next_back() {
                Some(last) => (workspace, workflow) = (last.0, last.1),
                None => break,
            }
        }
        self.is_noted = true;
        Ok(())
    }
}

fn notes(forgotten: Result<u64, StoreError>) -> Result<(Pruned, bool), StoreError> {
    let notes = forgotten?;
    Ok((Pruned { notes, ..Pruned::default() }, notes >= u64::from(ROWS)))
}
