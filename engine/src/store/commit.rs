//! The only writer of runs. Each turn is fenced by the number of turns before it: what loses a race writes
//! nothing and is told so, without harm to the turns beside it. Must not know decisions.

use super::columns::{attention_number, status_number};
use super::types::to_json;
use super::{Commit, NewRun, RunKey, Store, StoreError, Turn, WaitRow, codec, waits};
use sluice_db::Tx;

/// A turn with its events as bytes. They are made before the transaction begins, because on SQLite everybody
/// waits for the one that writes.
struct Ready {
    turn: Turn,
    /// Time of the first event, number of events, and the events; `None` when there are none.
    events: Option<(i64, i64, Vec<u8>)>,
    children: Vec<Ready>,
}

impl Ready {
    fn new(mut turn: Turn) -> Result<Self, StoreError> {
        let events = match turn.events.first() {
            None => None,
            Some(first) => {
                let body = codec::encode(first.at, &turn.events)
                    .map_err(|error| super::events::corrupt(&turn.key, &error))?;
                Some((first.at, turn.events.len() as i64, body))
            }
        };
        let children = std::mem::take(&mut turn.children);
        let children = children.into_iter().map(Self::new).collect::<Result<_, _>>()?;
        Ok(Self { turn, events, children })
    }

    /// Number of events of the run after this turn.
    fn last_seq(&self) -> i64 {
        self.turn.first_seq + self.turn.events.len() as i64
    }
}

impl Store {
    /// Makes turns durable, all in one transaction, and says in the same order what became of each. A turn that
    /// is stale or duplicate writes nothing, nor do its children. A child that exists already is left alone.
    ///
    /// # Errors
    /// When the database fails. Nothing is written then.
    pub async fn commit(&self, turns: Vec<Turn>) -> Result<Vec<Commit>, StoreError> {
        if turns.is_empty() {
            return Ok(Vec::new());
        }
        let mut ready = turns.into_iter().map(Ready::new).collect::<Result<Vec<_>, _>>()?;
        self.set_large_aside(&mut ready).await?;
        let mut answers = Vec::with_capacity(ready.len());
        let mut tx = self.db.begin().await?;
        for turn in ready {
            answers.push(write_family(&mut tx, turn).await?);
        }
        tx.commit().await?;
        Ok(answers)
    }

    /// Large bodies of turns and of their children go to the payload store before anything refers to them.
    async fn set_large_aside(&self, turns: &mut [Ready]) -> Result<(), StoreError> {
        let mut pending: Vec<&mut Ready> = turns.iter_mut().collect();
        while let Some(ready) = pending.pop() {
            if let Some((_, _, body)) = &mut ready.events {
                let whole = std::mem::take(body);
                *body = self.set_aside(&ready.turn.key, ready.turn.first_seq, whole).await?;
            }
            pending.extend(ready.children.iter_mut());
        }
        Ok(())
    }
}

/// Writes a turn, then its children, then theirs. The answer is that of the first.
async fn write_family(tx: &mut Tx, parent: Ready) -> Result<Commit, StoreError> {
    let mut answer = None;
    let mut pending = vec![parent];
    while let Some(ready) = pending.pop() {
        let outcome = write_turn(tx, &ready).await?;
        answer.get_or_insert(outcome);
        if outcome == Commit::Done {
            pending.extend(ready.children.into_iter().rev());
        }
    }
    Ok(answer.unwrap_or(Commit::Done))
}

async fn write_turn(tx: &mut Tx, ready: &Ready) -> Result<Commit, StoreError> {
    let turn = &ready.turn;
    if let Some(receipt) = &turn.receipt
        && is_taken(tx, &turn.key, receipt).await?
    {
        return Ok(Commit::Duplicate);
    }
    match &turn.new_run {
        Some(run) => {
            if !insert_run(tx, ready, run).await? {
                // Rare, so it may cost a question: the key of the run or its deduplication key?
                let same_run = run_exists(tx, &turn.key).await?;
                return Ok(if same_run { Commit::Stale } else { Commit::Duplicate });
            }
        }
        None => {
            if !update_run(tx, ready).await? {
                return Ok(Commit::Stale);
            }
        }
    }
    insert_events(tx, ready).await?;
    if let Some(receipt) = &turn.receipt {
        insert_receipt(tx, ready, receipt).await?;
    }
    if let Some(rows) = &turn.waits {
        replace_waits(tx, &turn.key, rows, turn.new_run.is_some()).await?;
    }
    Ok(Commit::Done)
}

async fn insert_run(tx: &mut Tx, ready: &Ready, run: &NewRun) -> Result<bool, StoreError> {
    const SQL: &str = "insert into runs (workspace_id, run_id, workflow_id, version, status, turns, events, is_test, \
         dry_run, created_at, started_at, ended_at, wake_at, trigger_type, lane, parent_run_id, inbound_id, dedupe_key, \
         error, owner, attention, document) values ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
         $18, $19, $20, $21) on conflict do nothing";
    let turn = &ready.turn;
    let inserted = tx
        .query(SQL)
        .bind(&*turn.key.workspace_id)
        .bind(&*turn.key.run_id)
        .bind(&run.workflow_id)
        .bind(run.version)
        .bind(status_number(turn.status))
        .bind(ready.last_seq())
        .bind(run.is_test)
        .bind(run.dry_run)
        .bind(run.created_at)
        .bind(turn.started_at)
        .bind(turn.ended_at)
        .bind(turn.wake_at)
        .bind(&run.trigger_type)
        .bind(&run.lane)
        .bind(&run.parent_run_id)
        .bind(&run.inbound_id)
        .bind(&run.dedupe_key)
        .bind(turn.error.as_ref().map(to_json))
        .bind(turn.owner)
        .bind(turn.attention.map(attention_number))
        .bind(run.document.as_deref())
        .execute()
        .await?;
    Ok(inserted == 1)
}

async fn run_exists(tx: &mut Tx, key: &RunKey) -> Result<bool, StoreError> {
    let row = tx
        .query("select 1 as found from runs where workspace_id = $1 and run_id = $2")
        .bind(&*key.workspace_id)
        .bind(&*key.run_id)
        .optional()
        .await?;
    Ok(row.is_some())
}

/// A run that is over keeps its end and its error; one that goes on after a retry loses them. The start stays
/// for good. Whoever claimed it is done with that: the count of claims begins anew.
async fn update_run(tx: &mut Tx, ready: &Ready) -> Result<bool, StoreError> {
    const SQL: &str = "update runs set turns = turns + 1, events = $4, status = $5, wake_at = $6, \
         started_at = coalesce(started_at, $7), owner = $11, attention = $12, claims = null, \
         ended_at = case when $8 then coalesce($9, ended_at) else null end, \
         error = case when $8 then coalesce($10, error) else null end \
         where workspace_id = $1 and run_id = $2 and turns = $3";
    let turn = &ready.turn;
    let updated = tx
        .query(SQL)
        .bind(&*turn.key.workspace_id)
        .bind(&*turn.key.run_id)
        .bind(turn.expected)
        .bind(ready.last_seq())
        .bind(status_number(turn.status))
        .bind(turn.wake_at)
        .bind(turn.started_at)
        .bind(turn.status.is_over())
        .bind(turn.ended_at)
        .bind(turn.error.as_ref().map(to_json))
        .bind(turn.owner)
        .bind(turn.attention.map(attention_number))
        .execute()
        .await?;
    Ok(updated == 1)
}

async fn insert_events(tx: &mut Tx, ready: &Ready) -> Result<(), StoreError> {
    let Some((at, count, body)) = &ready.events else { return Ok(()) };
    tx.query(
        "insert into run_events (workspace_id, run_id, first_seq, count, at, body) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&*ready.turn.key.workspace_id)
    .bind(&*ready.turn.key.run_id)
    .bind(ready.turn.first_seq)
    .bind(*count)
    .bind(*at)
    .bind(body.as_slice())
    .execute()
    .await?;
    Ok(())
}

async fn is_taken(tx: &mut Tx, key: &RunKey, receipt: &str) -> Result<bool, StoreError> {
    let row = tx
        .query("select 1 as found from signal_receipts where workspace_id = $1 and receipt = $2")
        .bind(&*key.workspace_id)
        .bind(receipt)
        .optional()
        .await?;
    Ok(row.is_some())
}

/// Two that take the same signal at the same moment meet here: the second fails, and finds itself a duplicate when
/// it is tried again.
async fn insert_receipt(tx: &mut Tx, ready: &Ready, receipt: &str) -> Result<(), StoreError> {
    let at = ready.events.as_ref().map_or(0, |(at, ..)| *at);
    tx.query("insert into signal_receipts (workspace_id, receipt, run_id, at) values ($1, $2, $3, $4)")
        .bind(&*ready.turn.key.workspace_id)
        .bind(receipt)
        .bind(&*ready.turn.key.run_id)
        .bind(at)
        .execute()
        .await?;
    Ok(())
}

async fn replace_waits(tx: &mut Tx, key: &RunKey, rows: &[WaitRow], new: bool) -> Result<(), StoreError> {
    if !new {
        tx.query("delete from run_waits where workspace_id = $1 and run_id = $2")
            .bind(&*key.workspace_id)
            .bind(&*key.run_id)
            .execute()
            .await?;
    }
    waits::insert(tx, key, rows).await
}
