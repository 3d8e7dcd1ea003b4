//! Writing transfers. Whoever posts locks the books it touches in the order of their names, so no two can wait for each
//! other; then balances are read and cannot change until the end of the transaction. Must not know what a transfer is
//! for.

use std::collections::{BTreeMap, BTreeSet};

use sluice_db::{Tx, placeholders};

use super::account::{Account, AccountKind, book};
use super::read::{State, lines_of, state_of, transfer_in};
use super::seal::{Sealed, entry_hash};
use crate::ids::{clean, new_id};
use crate::{RecordError, Records, Scope};

/// Larger amounts are taken for a mistake: a billion units of a currency.
const LARGEST: i64 = 1_000_000_000_000_000;

/// Longest idempotency key, characters.
const LONGEST_KEY: usize = 300;

/// Lines of one transfer at the most.
const MOST_LINES: usize = 32;

/// Entries after which the balance of an account is written down.
const CLOSE_EVERY: i64 = 256;

/// One line of a transfer: what an account gains, or loses when it is negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub account: Account,
    /// Micro-units of the currency, or pieces.
    pub amount: i64,
    /// The balance below which this line must not bring its account; none for the account's own (zero for nearly all).
    pub floor: Option<i64>,
}

impl Line {
    /// A line under the account's own floor.
    pub fn new(account: Account, amount: i64) -> Self {
        Self { account, amount, floor: None }
    }
}

/// A transfer that is to be.
#[derive(Debug, Clone)]
pub struct NewTransfer {
    /// Whose key it is.
    pub owner: Scope,
    /// Unique for the owner; a repetition with the same content gives the first transfer, and changes nothing.
    pub key: String,
    /// Such as `credits.moved` or `message.charged`.
    pub reason: String,
    /// What it is about: an invoice, an effect id.
    pub reference: Option<String>,
    /// Per unit they sum to zero. Lines of one account are added up.
    pub lines: Vec<Line>,
}

/// A transfer as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// `trf_…`.
    pub id: String,
    /// Whose key it was: `platform`, `rs_…` or `ws_…`.
    pub owner: String,
    pub key: String,
    pub reason: String,
    pub reference: Option<String>,
    /// Kind and id of who made it: `person:per_…`, `key:key_…`, `system:`.
    pub actor: String,
    /// Milliseconds since the epoch.
    pub at: i64,
}

/// What became of posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub transfer: Transfer,
    /// Not a repetition.
    pub is_new: bool,
}

impl Records {
    /// Writes a transfer: all of it or nothing.
    ///
    /// # Errors
    /// `Invalid` when the lines do not sum to zero, `Conflict` when the key was used for something else, `Refused` with
    /// `budget_exhausted` or `plan_limit_reached` when an account would fall below its floor.
    pub async fn post_transfer(&self, transfer: &NewTransfer) -> Result<Posted, RecordError> {
        let mut tx = self.begin().await?;
        let posted = post_in(&mut tx, transfer, &self.signature(), self.now()).await?;
        tx.commit().await?;
        Ok(posted)
    }

    /// Who acts, as the ledger writes it.
    pub(crate) fn signature(&self) -> String {
        let actor = self.actor();
        format!("{}:{}", actor.kind.as_text(), clean(&actor.id))
    }
}

/// Holds everybody else back from these books until the transaction ends. The only order in which books are locked.
pub(crate) async fn lock_books<'a>(
    tx: &mut Tx,
    books: impl IntoIterator<Item = &'a str>,
    now: i64,
) -> Result<(), RecordError> {
    let lock = format!("select owner from ledger_books where owner = $1{}", tx.dialect().for_update());
    for owner in books.into_iter().collect::<BTreeSet<_>>() {
        if tx.query(lock.clone()).bind(owner).optional().await?.is_some() {
            continue;
        }
        let sql = "insert into ledger_books (owner, created_at) values ($1, $2) on conflict do nothing";
        tx.query(sql).bind(owner).bind(now).execute().await?;
        tx.query(lock.clone()).bind(owner).one().await?;
    }
    Ok(())
}

/// Writes a transfer within a transaction.
pub(crate) async fn post_in(
    tx: &mut Tx,
    new: &NewTransfer,
    actor: &str,
    now: i64,
) -> Result<Posted, RecordError> {
    let lines = checked(new)?;
    let owner = book(&new.owner);
    lock_books(tx, lines.keys().map(Account::owner).chain([owner]), now).await?;
    if let Some(known) = transfer_in(tx, owner, &new.key).await? {
        return repeated(tx, known, new, &lines).await;
    }
    let transfer = Transfer {
        id: new_id("trf"),
        owner: owner.to_owned(),
        key: new.key.clone(),
        reason: new.reason.clone(),
        reference: new.reference.clone(),
        actor: actor.to_owned(),
        at: now,
    };
    let seal = transfer.seal(lines.iter().map(|(account, (amount, _))| (account, *amount)));
    let mut entries = Vec::with_capacity(lines.len());
    for (account, (amount, floor)) in &lines {
        let state = state_of(tx, account).await?;
        let balance = state.balance + amount;
        if *amount < 0 && balance < *floor {
            return Err(short(account, &state, -amount, *floor));
        }
        entries.push(NewEntry::after(&state, account, *amount, balance, &seal));
    }
    insert_transfer(tx, &transfer, &seal).await?;
    insert_entries(tx, &transfer, &entries).await?;
    for entry in entries.iter().filter(|entry| entry.seq - entry.closed_seq >= CLOSE_EVERY) {
        close(tx, entry).await?;
    }
    Ok(Posted { transfer, is_new: true })
}

impl Transfer {
    /// The seal over what it says, with its lines in the order of their accounts.
    pub(super) fn seal<'a>(&self, lines: impl Iterator<Item = (&'a Account, i64)>) -> String {
        Sealed {
            owner: &self.owner,
            key: &self.key,
            id: &self.id,
            reason: &self.reason,
            reference: self.reference.as_deref(),
            actor: &self.actor,
            at: self.at,
        }
        .seal(lines)
    }
}

/// Amount and floor by account.
type Lines = BTreeMap<Account, (i64, i64)>;

/// The lines in the order of their accounts, if the transfer is one.
fn checked(new: &NewTransfer) -> Result<Lines, RecordError> {
    if new.key.is_empty() || new.key.chars().count() > LONGEST_KEY || new.key.contains('\0') {
        return Err(RecordError::invalid("key", format!("use 1 to {LONGEST_KEY} characters")));
    }
    if new.lines.len() > MOST_LINES {
        return Err(RecordError::invalid("lines", format!("more than {MOST_LINES} lines")));
    }
    let mut lines = Lines::new();
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for line in &new.lines {
        if line.amount.unsigned_abs() > LARGEST as u64 {
            return Err(RecordError::invalid("amount", "larger than any amount this ledger takes"));
        }
        let floor = line.floor.unwrap_or_else(|| line.account.kind().floor());
        let entry = lines.entry(line.account.clone()).or_insert((0, floor));
        *entry = (entry.0 + line.amount, entry.1.max(floor));
        *sums.entry(line.account.unit()).or_default() += line.amount;
    }
    if let Some((unit, sum)) = sums.iter().find(|(_, sum)| **sum != 0) {
        return Err(RecordError::invalid("lines", format!("the lines in {unit} sum to {sum}, not to zero")));
    }
    lines.retain(|_, (amount, _)| *amount != 0);
    if lines.is_empty() {
        return Err(RecordError::invalid("amount", "a transfer moves something"));
    }
    Ok(lines)
}

/// The first transfer of a key, if it says the same.
async fn repeated(
    tx: &mut Tx,
    known: Transfer,
    new: &NewTransfer,
    lines: &Lines,
) -> Result<Posted, RecordError> {
    let stored = lines_of(tx, &known.id).await?;
    let same_lines = stored.iter().map(|(account, amount)| (account, *amount));
    let same = known.reason == new.reason
        && known.reference == new.reference
        && same_lines.eq(lines.iter().map(|(account, (amount, _))| (account, *amount)));
    if same {
        return Ok(Posted { transfer: known, is_new: false });
    }
    Err(RecordError::conflict(format!(
        "the key {:?} was used for another transfer ({}); use a new key for a new transfer",
        new.key, known.id
    )))
}

/// What is missing, and where.
fn short(account: &Account, state: &State, wanted: i64, floor: i64) -> RecordError {
    let left = state.balance.saturating_sub(floor).max(0);
    if account.kind() == AccountKind::Quota {
        let what = account.unit().split('@').next().unwrap_or_default();
        return RecordError::refused(
            "plan_limit_reached",
            format!(
                "the plan leaves {left} {what} in this month, {wanted} are needed; upgrade the plan or wait"
            ),
        );
    }
    RecordError::refused(
        "budget_exhausted",
        format!(
            "the {} holds {}, {} is needed; add credits",
            account.kind().as_text(),
            money(left, account.unit()),
            money(wanted, account.unit())
        ),
    )
}

/// An amount, 0 or more, for people: at least two places, and as many more as it has.
fn money(micro_units: i64, currency: &str) -> String {
    let (whole, part) = (micro_units / 1_000_000, micro_units % 1_000_000);
    let places = format!("{part:06}");
    let more = places[2..].trim_end_matches('0');
    format!("{whole}.{}{more} {currency}", &places[..2])
}

/// An entry on its way, with the balance after it.
struct NewEntry<'a> {
    account: &'a Account,
    seq: i64,
    amount: i64,
    hash: String,
    balance: i64,
    closed_seq: i64,
}

impl<'a> NewEntry<'a> {
    fn after(state: &State, account: &'a Account, amount: i64, balance: i64, seal: &str) -> Self {
        let seq = state.seq + 1;
        let hash = entry_hash(&state.hash, account, seq, amount, seal);
        Self { account, seq, amount, hash, balance, closed_seq: state.closed_seq }
    }
}

async fn insert_transfer(tx: &mut Tx, transfer: &Transfer, seal: &str) -> Result<(), RecordError> {
    tx.query(
        "insert into ledger_transfers (owner, idempotency_key, id, reason, reference, actor, at, seal) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&transfer.owner)
    .bind(&transfer.key)
    .bind(&transfer.id)
    .bind(&transfer.reason)
    .bind(&transfer.reference)
    .bind(&transfer.actor)
    .bind(transfer.at)
    .bind(seal)
    .execute()
    .await?;
    Ok(())
}

async fn insert_entries(
    tx: &mut Tx,
    transfer: &Transfer,
    entries: &[NewEntry<'_>],
) -> Result<(), RecordError> {
    const COLUMNS: usize = 7;
    let rows: Vec<String> =
        (0..entries.len()).map(|row| format!("({})", placeholders(row * COLUMNS + 1, COLUMNS))).collect();
    let sql = format!(
        "insert into ledger_entries (owner, account, seq, amount, transfer_id, at, hash) values {}",
        rows.join(", ")
    );
    let mut query = tx.query(sql);
    for entry in entries {
        query = query.bind(entry.account.owner()).bind(entry.account.name()).bind(entry.seq);
        query = query.bind(entry.amount).bind(&transfer.id).bind(transfer.at).bind(&entry.hash);
    }
    query.execute().await?;
    Ok(())
}

/// Writes the balance after an entry down. It is never changed: the next closing begins from it.
async fn close(tx: &mut Tx, entry: &NewEntry<'_>) -> Result<(), RecordError> {
    tx.query(
        "insert into ledger_closings (owner, account, up_to_seq, balance, hash) values ($1, $2, $3, $4, $5)",
    )
    .bind(entry.account.owner())
    .bind(entry.account.name())
    .bind(entry.seq)
    .bind(entry.balance)
    .bind(&entry.hash)
    .execute()
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_in_the_currency() {
        for (micro_units, told) in [
            (0, "0.00 INR"),
            (10_000_000, "10.00 INR"),
            (850_000, "0.85 INR"),
            (1_234_567, "1.234567 INR"),
            (3_000_500, "3.0005 INR"),
        ] {
            assert_eq!(money(micro_units, "INR"), told);
        }
    }

    fn transfer(amounts: &[(AccountKind, &str, i64)]) -> NewTransfer {
        let line = |(kind, unit, amount): &(AccountKind, &str, i64)| {
            Line::new(Account::new(&Scope::Platform, *kind, *unit), *amount)
        };
        NewTransfer {
            owner: Scope::Platform,
            key: "k".into(),
            reason: "test".into(),
            reference: None,
            lines: amounts.iter().map(line).collect(),
        }
    }

    #[test]
    fn lines_sum_to_zero_in_each_unit() {
        use AccountKind::{Issued, Wallet};
        assert!(checked(&transfer(&[(Issued, "INR", -5), (Wallet, "INR", 5)])).is_ok());
        for wrong in [
            transfer(&[]),
            transfer(&[(Issued, "INR", -5), (Wallet, "INR", 4)]),
            transfer(&[(Issued, "INR", -5), (Wallet, "USD", 5)]),
            transfer(&[(Wallet, "INR", -5), (Wallet, "INR", 5)]),
            transfer(&[(Issued, "INR", i64::MIN), (Wallet, "INR", i64::MAX)]),
            NewTransfer { key: String::new(), ..transfer(&[(Issued, "INR", -5), (Wallet, "INR", 5)]) },
            NewTransfer { key: "x".repeat(301), ..transfer(&[(Issued, "INR", -5), (Wallet, "INR", 5)]) },
        ] {
            assert!(checked(&wrong).is_err(), "{wrong:?}");
        }
    }
}
