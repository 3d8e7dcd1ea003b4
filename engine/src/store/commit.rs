//! The only writer of runs. Each turn is fenced by the number of turns before it: what loses a race writes
//! nothing and is told so, without harm to the turns beside it. Must not know decisions, nor who shares a transaction.

use super::{Commit, RunKey, Store, StoreError, Turn, codec, rows, usage};
use sluice_db::{DbError, Tx};
use std::collections::HashMap;

/// A turn with its events as bytes. They are made by the caller, before the turn is queued: the writer is one, the
/// callers are many.
pub(super) struct Ready {
    /// The turn, without its events and its children.
    pub(super) turn: Turn,
    pub(super) events: Option<Encoded>,
    /// Number of events of the run after this turn.
    pub(super) last_seq: i64,
    pub(super) children: Vec<Ready>,
}

/// The longest body, in bytes, that the row of a run takes of its first turn. The row is written anew with each later
/// turn, and lists read many, so it stays a fraction of a page.
const LONGEST_INSIDE: usize = 1_000;

/// The events of a turn, of which there is at least one.
pub(super) struct Encoded {
    /// Time of the first.
    pub(super) at: i64,
    /// The moment from which the times in the body count.
    pub(super) since: i64,
    pub(super) count: i64,
    pub(super) body: Vec<u8>,
}

impl Ready {
    pub(super) fn new(mut turn: Turn) -> Result<Self, StoreError> {
        let events = std::mem::take(&mut turn.events);
        let last_seq = turn.first_seq + events.len() as i64;
        let events = match events.first() {
            None => None,
            Some(first) => {
                let since = fixed_start(&turn).unwrap_or(first.at);
                let body = codec::encode(since, &events)
                    .map_err(|error| super::events::corrupt(&turn.key, &error))?;
                Some(Encoded { at: first.at, since, count: events.len() as i64, body })
            }
        };
        let children = std::mem::take(&mut turn.children);
        let children = children.into_iter().map(Self::new).collect::<Result<_, _>>()?;
        Ok(Self { turn, events, last_seq, children })
    }

    /// The body of a first turn that is short enough for the row of its run.
    pub(super) fn inside(&self) -> Option<&[u8]> {
        let body = self.events.as_ref()?.body.as_slice();
        (fixed_start(&self.turn).is_some() && body.len() <= LONGEST_INSIDE).then_some(body)
    }

    /// The events that need a row of their own.
    pub(super) fn beside(&self) -> Option<&Encoded> {
        self.events.as_ref().filter(|_| self.inside().is_none())
    }

    /// The turn, its children and theirs, each before its children.
    pub(super) fn family<'a>(&'a self, into: &mut Vec<&'a Ready>) {
        into.push(self);
        for child in &self.children {
            child.family(into);
        }
    }

    /// Turns in the family, and the bytes of their events.
    pub(super) fn weight(&self) -> (usize, usize) {
        let own = (1, self.events.as_ref().map_or(0, |events| events.body.len()));
        self.children.iter().map(Self::weight).fold(own, |sum, more| (sum.0 + more.0, sum.1 + more.1))
    }
}

/// When the run of a first turn was accepted, if that is known before it is written: one that waits for its lane is
/// accepted after all others of the lane, also when the clock was set back meanwhile.
fn fixed_start(turn: &Turn) -> Option<i64> {
    turn.new_run.as_ref().filter(|_| !rows::waits_for_lane(turn)).map(|run| run.created_at)
}

impl Store {
    /// Makes turns durable, all in one transaction, and says in the same order what became of each. A turn that
    /// is stale or duplicate writes nothing, nor do its children. A child that exists already is left alone.
    ///
    /// The transaction is shared with whoever else commits at the time; see [`Store::backlog`] for how many wait.
    /// Turns that were handed in are written even when the caller goes away.
    ///
    /// # Errors
    /// When the database fails. Nothing is written then, unless the connection was lost in the very moment of the
    /// commit.
    pub async fn commit(&self, turns: Vec<Turn>) -> Result<Vec<Commit>, StoreError> {
        if turns.is_empty() {
            return Ok(Vec::new());
        }
        let mut ready = turns.into_iter().map(Ready::new).collect::<Result<Vec<_>, _>>()?;
        self.set_large_aside(&mut ready).await?;
        self.writer.write(ready).await
    }

    /// Large bodies of turns and of their children go to the payload store before anything refers to them.
    async fn set_large_aside(&self, turns: &mut [Ready]) -> Result<(), StoreError> {
        let mut pending: Vec<&mut Ready> = turns.iter_mut().collect();
        while let Some(ready) = pending.pop() {
            if let Some(events) = &mut ready.events {
                let whole = std::mem::take(&mut events.body);
                events.body = self.set_aside(&ready.turn.key, ready.turn.first_seq, whole).await?;
            }
            pending.extend(ready.children.iter_mut());
        }
        Ok(())
    }
}

/// Turns of one run keep their order, so each has a round of its own; turns of different runs share one. Nearly
/// always there is one round.
pub(super) fn rounds(turns: Vec<&Ready>) -> Vec<Vec<&Ready>> {
    let mut seen: HashMap<&RunKey, usize> = HashMap::with_capacity(turns.len());
    let mut rounds: Vec<Vec<&Ready>> = Vec::new();
    for turn in turns {
        let round = seen.entry(&turn.turn.key).or_default();
        if *round == rounds.len() {
            rounds.push(Vec::new());
        }
        rounds[*round].push(turn);
        *round += 1;
    }
    rounds
}

/// Writes a turn, then its children, then theirs, and leaves out what is refused. The answer is that of the first.
pub(super) async fn write_family(tx: &mut Tx, parent: &Ready) -> Result<Commit, DbError> {
    let mut answer = None;
    let mut pending = vec![parent];
    while let Some(ready) = pending.pop() {
        let outcome = write_turn(tx, ready).await?;
        answer.get_or_insert(outcome);
        if outcome == Commit::Done {
            pending.extend(ready.children.iter().rev());
        }
    }
    Ok(answer.unwrap_or(Commit::Done))
}

async fn write_turn(tx: &mut Tx, ready: &Ready) -> Result<Commit, DbError> {
    // Two that take the same signal at the same moment meet here: the second waits for the first.
    if let Some(receipt) = ready.turn.receipt.as_deref()
        && !rows::insert_receipt(tx, ready, receipt).await?
    {
        return Ok(Commit::Duplicate);
    }
    if !rows::write_run(tx, ready).await? {
        if let Some(receipt) = ready.turn.receipt.as_deref() {
            rows::delete_receipt(tx, ready, receipt).await?;
        }
        // Rare, so it may cost a question: the key of the run or its deduplication key?
        let is_stale = ready.turn.new_run.is_none() || run_exists(tx, &ready.turn.key).await?;
        return Ok(if is_stale { Commit::Stale } else { Commit::Duplicate });
    }
    rows::insert_events(tx, ready).await?;
    rows::replace_waits(tx, ready).await?;
    usage::insert(tx, &usage::rows(&[ready])).await?;
    Ok(Commit::Done)
}

async fn run_exists(tx: &mut Tx, key: &RunKey) -> Result<bool, DbError> {
    let row = tx
        .query("select 1 as found from runs where workspace_id = $1 and run_id = $2")
        .bind(&*key.workspace_id)
        .bind(&*key.run_id)
        .optional()
        .await?;
    Ok(row.is_some())
}
