//! Proving the ledger: every seal, every chain, every closing and every sum is computed again from the rows. Must not
//! repair anything.

use std::collections::BTreeMap;

use super::account::{Account, AccountKind};
use super::post::Transfer;
use super::read::{account_from, transfer_from};
use super::seal::entry_hash;
use crate::{RecordError, Records};
use serde::Serialize;

/// Rows read at a time.
const BATCH: i64 = 500;

/// Problems that are listed; the rest is counted.
const MOST_PROBLEMS: usize = 100;

/// What was looked at, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LedgerReport {
    pub accounts: u64,
    pub transfers: u64,
    pub entries: u64,
    pub closings: u64,
    /// Of all accounts together, by unit; each is zero in a sound ledger.
    pub sums: BTreeMap<String, i64>,
    /// The first hundred.
    pub problems: Vec<LedgerProblem>,
    /// All of them.
    pub problem_count: u64,
}

/// Something that does not add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerProblem {
    /// An account with the number of an entry, or a transfer.
    pub place: String,
    pub message: String,
}

impl LedgerReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problem_count == 0
    }

    fn note(&mut self, place: String, message: impl Into<String>) {
        self.problem_count += 1;
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(LedgerProblem { place, message: message.into() });
        }
    }
}

impl Records {
    /// Recomputes the whole ledger. Reads everything, a little at a time, and changes nothing; what is posted meanwhile
    /// may be left out, never misjudged.
    pub async fn verify_ledger(&self) -> Result<LedgerReport, RecordError> {
        let mut report = LedgerReport::default();
        self.verify_transfers(&mut report).await?;
        let mut after = (String::new(), String::new());
        let sql = "select owner, account from ledger_entries where (owner, account) > ($1, $2) \
                   order by owner, account limit 1";
        while let Some(row) = self.db.query(sql).bind(&after.0).bind(&after.1).optional().await? {
            after = (row.text("owner")?, row.text("account")?);
            self.verify_account(&account_from(&after.0, &after.1)?, &mut report).await?;
        }
        self.verify_closings(&mut report).await?;
        self.verify_sums(&mut report).await?;
        Ok(report)
    }

    /// Every transfer sums to zero in each unit and carries the seal of what it says.
    async fn verify_transfers(&self, report: &mut LedgerReport) -> Result<(), RecordError> {
        let mut after = String::new();
        loop {
            let sql = "select * from ledger_transfers where id > $1 order by id limit $2";
            let rows = self.db.query(sql).bind(&after).bind(BATCH).all().await?;
            let Some(last) = rows.last() else { return Ok(()) };
            let first = rows[0].text("id")?;
            after = last.text("id")?;
            let mut lines = self.lines_between(&first, &after).await?;
            for row in &rows {
                let (transfer, written) = (transfer_from(row)?, row.text("seal")?);
                report.transfers += 1;
                let lines = lines.remove(&transfer.id).unwrap_or_default();
                verify_transfer(&transfer, &written, lines, report);
            }
        }
    }

    /// The lines of the transfers with ids between two, by transfer.
    async fn lines_between(
        &self,
        first: &str,
        last: &str,
    ) -> Result<BTreeMap<String, Vec<(Account, i64)>>, RecordError> {
        let sql = "select transfer_id, owner, account, amount from ledger_entries \
                   where transfer_id >= $1 and transfer_id <= $2";
        let mut found: BTreeMap<String, Vec<(Account, i64)>> = BTreeMap::new();
        for row in self.db.query(sql).bind(first).bind(last).all().await? {
            let account = account_from(&row.text("owner")?, &row.text("account")?)?;
            found.entry(row.text("transfer_id")?).or_default().push((account, row.int("amount")?));
        }
        found.values_mut().for_each(|lines| lines.sort_unstable());
        Ok(found)
    }

    /// The entries of an account are numbered without gaps, each is chained to the one before, and closings say what the
    /// entries say.
    async fn verify_account(&self, account: &Account, report: &mut LedgerReport) -> Result<(), RecordError> {
        report.accounts += 1;
        let (mut seq, mut balance, mut hash) = (0, 0_i64, String::new());
        loop {
            let sql = "select e.seq, e.amount, e.hash, e.at, t.seal, t.at as transfer_at, c.balance as closed, \
                       c.hash as closed_hash from ledger_entries e \
                       left join ledger_transfers t on t.id = e.transfer_id \
                       left join ledger_closings c on c.owner = e.owner and c.account = e.account and c.up_to_seq = e.seq \
                       where e.owner = $1 and e.account = $2 and e.seq > $3 order by e.seq limit $4";
            let query = self.db.query(sql).bind(account.owner()).bind(account.name());
            let rows = query.bind(seq).bind(BATCH).all().await?;
            for row in &rows {
                report.entries += 1;
                let place = |seq: i64| format!("{account} entry {seq}");
                let (found, amount) = (row.int("seq")?, row.int("amount")?);
                if found != seq + 1 {
                    report.note(place(seq + 1), "the entry is missing");
                }
                let seal = row.opt_text("seal")?;
                let written = row.text("hash")?;
                if seal.is_none() {
                    report.note(place(found), "its transfer is missing");
                } else if row.opt_int("transfer_at")? != Some(row.int("at")?) {
                    report.note(place(found), "its time is not that of its transfer");
                }
                let seal = seal.unwrap_or_default();
                if written != entry_hash(&hash, account, found, amount, &seal) {
                    let message = "its hash does not fit: it, its transfer or what was before it was changed";
                    report.note(place(found), message);
                }
                balance = balance.saturating_add(amount);
                if let Some(closed) = row.opt_int("closed")? {
                    report.closings += 1;
                    if closed != balance || row.opt_text("closed_hash")?.as_deref() != Some(&*written) {
                        let message = format!("the closing says {closed}, the entries sum to {balance}");
                        report.note(place(found), message);
                    }
                }
                if balance < account.kind().floor() && account.kind() != AccountKind::Quota {
                    report.note(place(found), format!("the balance is {balance}, below its floor"));
                }
                (seq, hash) = (found, written);
            }
            if (rows.len() as i64) < BATCH {
                break;
            }
        }
        Ok(())
    }

    /// Closings whose entry is gone.
    async fn verify_closings(&self, report: &mut LedgerReport) -> Result<(), RecordError> {
        let sql = "select c.owner, c.account from ledger_closings c where not exists (select 1 from ledger_entries e \
                   where e.owner = c.owner and e.account = c.account and e.seq = c.up_to_seq) limit $1";
        for row in self.db.query(sql).bind(BATCH).all().await? {
            let place = format!("{}:{}", row.text("owner")?, row.text("account")?);
            report.note(place, "a closing has no entry");
        }
        Ok(())
    }

    /// All accounts together hold nothing, in every unit. One statement, so that nothing is posted in between.
    async fn verify_sums(&self, report: &mut LedgerReport) -> Result<(), RecordError> {
        let sql = "select substr(account, instr_of_slash) as unit, cast(sum(amount) as bigint) as total from \
                   (select account, amount, $POSITION as instr_of_slash from ledger_entries) e group by 1 order by 1";
        let position = match self.db.dialect() {
            sluice_db::Dialect::Sqlite => "instr(account, '/') + 1",
            sluice_db::Dialect::Postgres => "position('/' in account) + 1",
        };
        for row in self.db.query(sql.replace("$POSITION", position)).all().await? {
            let (unit, total) = (row.text("unit")?, row.int("total")?);
            if total != 0 {
                report.note(unit.clone(), format!("all accounts together hold {total}, not zero"));
            }
            report.sums.insert(unit, total);
        }
        Ok(())
    }
}

fn verify_transfer(
    transfer: &Transfer,
    written: &str,
    lines: Vec<(Account, i64)>,
    report: &mut LedgerReport,
) {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for (account, amount) in &lines {
        *sums.entry(account.unit()).or_default() += amount;
    }
    if lines.is_empty() {
        report.note(transfer.id.clone(), "its entries are missing");
    }
    for (unit, sum) in sums.iter().filter(|(_, sum)| **sum != 0) {
        report.note(transfer.id.clone(), format!("its entries in {unit} sum to {sum}, not to zero"));
    }
    if transfer.seal(lines.iter().map(|(account, amount)| (account, *amount))) != written {
        report.note(transfer.id.clone(), "its seal does not fit: it or one of its entries was changed");
    }
}
