//! Reading accounts: balances as sums, entries as pages. Must not know who may see them.

use serde::Serialize;
use sluice_db::{DbError, Row, Tx};

use super::account::{Account, book};
use super::post::Transfer;
use crate::page::{Cursor, page, page_size};
use crate::{Page, RecordError, Records, Scope};

/// An account with its balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Kind and unit, such as `wallet/INR`.
    pub account: String,
    /// Micro-units of the currency, or pieces of what is counted.
    pub balance: i64,
}

/// One entry of an account, with the transfer it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Kind and unit, such as `wallet/INR`.
    pub account: String,
    /// From 1, without gaps.
    pub seq: i64,
    pub amount: i64,
    /// `trf_…`.
    pub transfer_id: String,
    pub reason: String,
    pub reference: Option<String>,
    pub actor: String,
    pub at: i64,
}

/// How an account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) balance: i64,
    /// Number and hash of the last entry; 0 and empty before the first.
    pub(super) seq: i64,
    pub(super) hash: String,
    /// The last entry whose balance was written down.
    pub(super) closed_seq: i64,
}

/// The last closing plus the sum of the entries after it: a few hundred rows at the most, however old the account.
const STATE: &str = "with closed as (select up_to_seq, balance from ledger_closings where owner = $1 and account = $2 \
     order by up_to_seq desc limit 1), \
     since as (select coalesce((select up_to_seq from closed), 0) as seq) \
     select since.seq as closed_seq, \
     cast(coalesce((select balance from closed), 0) + coalesce((select sum(e.amount) from ledger_entries e \
       where e.owner = $1 and e.account = $2 and e.seq > since.seq), 0) as bigint) as balance, \
     coalesce((select max(e.seq) from ledger_entries e where e.owner = $1 and e.account = $2), 0) as seq, \
     coalesce((select e.hash from ledger_entries e where e.owner = $1 and e.account = $2 \
       order by e.seq desc limit 1), '') as hash from since";

fn state_from(row: &Row) -> Result<State, DbError> {
    Ok(State {
        balance: row.int("balance")?,
        seq: row.int("seq")?,
        hash: row.text("hash")?,
        closed_seq: row.int("closed_seq")?,
    })
}

/// How an account stands; its book must be locked for that to last.
pub(super) async fn state_of(tx: &mut Tx, account: &Account) -> Result<State, RecordError> {
    let row = tx.query(STATE).bind(account.owner()).bind(account.name()).one().await?;
    Ok(state_from(&row)?)
}

pub(super) fn transfer_from(row: &Row) -> Result<Transfer, DbError> {
    Ok(Transfer {
        id: row.text("id")?,
        owner: row.text("owner")?,
        key: row.text("idempotency_key")?,
        reason: row.text("reason")?,
        reference: row.opt_text("reference")?,
        actor: row.text("actor")?,
        at: row.int("at")?,
    })
}

/// The transfer of a key.
pub(super) async fn transfer_in(
    tx: &mut Tx,
    owner: &str,
    key: &str,
) -> Result<Option<Transfer>, RecordError> {
    let sql = "select * from ledger_transfers where owner = $1 and idempotency_key = $2";
    let row = tx.query(sql).bind(owner).bind(key).optional().await?;
    Ok(row.as_ref().map(transfer_from).transpose()?)
}

/// The lines of a transfer in the order of their accounts.
pub(super) async fn lines_of(tx: &mut Tx, transfer_id: &str) -> Result<Vec<(Account, i64)>, RecordError> {
    let sql = "select owner, account, amount from ledger_entries where transfer_id = $1";
    let rows = tx.query(sql).bind(transfer_id).all().await?;
    let mut lines = rows
        .iter()
        .map(|row| Ok((account_from(&row.text("owner")?, &row.text("account")?)?, row.int("amount")?)))
        .collect::<Result<Vec<_>, RecordError>>()?;
    lines.sort_unstable();
    Ok(lines)
}

/// The account of a stored name.
pub(super) fn account_from(owner: &str, name: &str) -> Result<Account, RecordError> {
    Account::from_stored(owner, name).ok_or_else(|| {
        DbError::Corrupt { message: format!("the ledger has an account {name:?} of no known kind") }.into()
    })
}

impl Records {
    /// The balance of an account: the sum of its entries.
    pub async fn balance(&self, account: &Account) -> Result<i64, RecordError> {
        let row = self.db.query(STATE).bind(account.owner()).bind(account.name()).one().await?;
        Ok(state_from(&row)?.balance)
    }

    /// The accounts of money of a scope with their balances, by name.
    pub async fn balances(&self, owner: &Scope) -> Result<Vec<Balance>, RecordError> {
        // From one account to the next, so that it does not matter how many entries they have.
        let sql =
            "select account from ledger_entries where owner = $1 and account > $2 order by account limit 1";
        let (mut name, mut found) = (String::new(), Vec::new());
        while let Some(row) = self.db.query(sql).bind(book(owner)).bind(&name).optional().await? {
            name = row.text("account")?;
            // What is counted by month has a unit such as `messages@…` and is shown as an allowance.
            if !name.contains('@') {
                let balance = self.balance(&account_from(book(owner), &name)?).await?;
                found.push(Balance { account: name.clone(), balance });
            }
        }
        Ok(found)
    }

    /// The entries of an account, newest first. `cursor` is that of the page before.
    ///
    /// # Errors
    /// `Invalid` for a cursor that is not of this list.
    pub async fn entries(
        &self,
        account: &Account,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<Entry>, RecordError> {
        let (from, size) = (Cursor::read(cursor)?, page_size(limit));
        let rows = self
            .db
            .query(
                "select e.*, t.reason, t.reference, t.actor from ledger_entries e \
                 join ledger_transfers t on t.id = e.transfer_id \
                 where e.owner = $1 and e.account = $2 and e.seq < $3 order by e.seq desc limit $4",
            )
            .bind(account.owner())
            .bind(account.name())
            .bind(from.at)
            .bind(size + 1)
            .all()
            .await?;
        let entries = rows.iter().map(entry_from).collect::<Result<Vec<_>, _>>()?;
        Ok(page(entries, size, |entry| Cursor { at: entry.seq, id: String::new() }))
    }
}

fn entry_from(row: &Row) -> Result<Entry, DbError> {
    Ok(Entry {
        account: row.text("account")?,
        seq: row.int("seq")?,
        amount: row.int("amount")?,
        transfer_id: row.text("transfer_id")?,
        reason: row.text("reason")?,
        reference: row.opt_text("reference")?,
        actor: row.text("actor")?,
        at: row.int("at")?,
    })
}
