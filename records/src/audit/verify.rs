//! Walks the audit trail and names the first entry of each chain that is not as it was written. Reads a page at a time,
//! however long a chain is. Must not trust anything that the database says without a seal.

use std::collections::BTreeMap;

use sluice_db::DbError;

use super::entry::{AuditEntry, COLUMNS};
use super::seal::{Head, Keys, NOTHING};
use super::{OPENED, PLATFORM};
use crate::seal::hex;
use crate::{RecordError, Records};

/// Entries read at a time.
const BATCH: i64 = 500;

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The number of the entry; none when it is the chain as a whole.
    pub seq: Option<i64>,
    /// What is wrong, for people.
    pub reason: String,
}

/// How a chain was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainReport {
    /// `ws_…`, `rs_…` or `platform`.
    pub chain: String,
    /// Entries that are as they were written, counted from the first.
    pub entries: i64,
    /// The hash of the last of them, in hexadecimal digits: together with `entries` a witness for later.
    pub head: String,
    /// The first thing that is wrong; none when the chain is whole.
    pub fault: Option<Fault>,
}

/// What a chain was known to hold at an earlier time, kept where whoever writes to the database cannot reach it: number
/// of entries and hash of the last, by chain.
pub type Witness = BTreeMap<String, (i64, String)>;

/// The head of a chain, and the newest entry at the same moment.
struct Standing {
    head: Option<Head>,
    newest: Option<i64>,
}

fn fault(seq: impl Into<Option<i64>>, reason: impl Into<String>) -> Option<Fault> {
    Some(Fault { seq: seq.into(), reason: reason.into() })
}

impl Records {
    /// The first chain after `after` in the order of the database; none at the end. Chains of which only entries or only
    /// the head are left are among them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_audit_chain(&self, after: &str) -> Result<Option<String>, RecordError> {
        let sql = "select min(chain) as chain from (select min(chain) as chain from audit_entries where chain > $1 \
             union all select min(chain) as chain from audit_heads where chain > $1) as either";
        Ok(self.db.query(sql).bind(after).one().await?.opt_text("chain")?)
    }

    /// Verifies one chain as it stands at this moment; what is written meanwhile is left for the next time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify_audit_chain(
        &self,
        chain: &str,
        witness: &Witness,
    ) -> Result<ChainReport, RecordError> {
        let keys = Keys::of(&self.cipher);
        let known = witness.get(chain);
        let mut walk = Walk { chain, keys: &keys, known, entries: 0, last_hash: NOTHING.to_vec() };
        let fault = self.fault_of(&mut walk).await?;
        Ok(ChainReport { chain: chain.to_owned(), entries: walk.entries, head: hex(&walk.last_hash), fault })
    }

    /// Chains that a witness knows and of which nothing is left.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn missing_audit_chains(&self, witness: &Witness) -> Result<Vec<ChainReport>, RecordError> {
        let mut missing = Vec::new();
        for chain in witness.keys() {
            let standing = self.standing(chain).await?;
            if standing.is_ok_and(|standing| standing.head.is_none() && standing.newest.is_none()) {
                let fault = fault(None, "the witness knows this chain; nothing of it is left");
                missing.push(ChainReport { chain: chain.clone(), entries: 0, head: hex(&NOTHING), fault });
            }
        }
        Ok(missing)
    }

    async fn fault_of(&self, walk: &mut Walk<'_>) -> Result<Option<Fault>, RecordError> {
        let standing = match self.standing(walk.chain).await? {
            Ok(standing) => standing,
            Err(reason) => return Ok(fault(None, reason)),
        };
        // Entry by entry first, so that what is reported is the first that is wrong.
        if let Some(found) = self.walk(walk, standing.newest.unwrap_or(0)).await? {
            return Ok(Some(found));
        }
        if let Some(found) = walk.head_fault(&standing) {
            return Ok(Some(found));
        }
        if let Some((entries, _)) = walk.known.filter(|(entries, _)| *entries > walk.entries) {
            let reason = format!("the witness has seen {entries} entries; the newest were taken away");
            return Ok(fault(walk.entries + 1, reason));
        }
        if walk.chain == PLATFORM { Ok(None) } else { self.opening_fault(walk.chain).await }
    }

    /// Head and newest entry in one statement, so that both are of the same moment. The inner error says why the head
    /// cannot be read.
    async fn standing(&self, chain: &str) -> Result<Result<Standing, String>, RecordError> {
        let sql = "select h.chain, h.entries, h.last_hash, h.key_id, h.seal, n.newest from \
             (select max(seq) as newest from audit_entries where chain = $1) as n \
             left join audit_heads h on h.chain = $1";
        let row = self.db.query(sql).bind(chain).one().await?;
        let read = || {
            let newest = row.opt_int("newest")?;
            let head = match row.opt_text("chain")? {
                None => None,
                Some(chain) => Some(Head {
                    chain,
                    entries: row.int("entries")?,
                    last_hash: row.bytes("last_hash")?,
                    key_id: row.text("key_id")?,
                    seal: row.bytes("seal")?,
                }),
            };
            Ok::<_, DbError>(Standing { head, newest })
        };
        Ok(read().map_err(|error| format!("the head of the chain cannot be read: {error}")))
    }

    /// Walks through the entries up to `newest`.
    async fn walk(&self, walk: &mut Walk<'_>, newest: i64) -> Result<Option<Fault>, RecordError> {
        let sql = format!(
            "select {COLUMNS} from audit_entries where chain = $1 and seq >= $2 and seq <= $3 order by seq limit $4"
        );
        let mut from = i64::MIN;
        loop {
            let query = self.db.query(sql.clone()).bind(walk.chain).bind(from).bind(newest).bind(BATCH);
            let rows = query.all().await?;
            let mut opened = Vec::new();
            for row in &rows {
                let entry = match AuditEntry::from_row(row) {
                    Ok(entry) => entry,
                    Err(error) => {
                        let seq = row.int("seq").unwrap_or(walk.entries + 1);
                        return Ok(fault(seq, format!("the entry cannot be read: {error}")));
                    }
                };
                if let Some(found) = walk.step(&entry)? {
                    return Ok(Some(found));
                }
                // A good entry has the number that was expected, so there is a next one.
                from = entry.seq + 1;
                if walk.chain == PLATFORM && entry.action == OPENED {
                    opened.push((entry.seq, entry.target_id));
                }
            }
            if let Some(found) = self.lost_chain(&opened).await? {
                return Ok(Some(found));
            }
            if (rows.len() as i64) < BATCH {
                return Ok(None);
            }
        }
    }

    /// Of chains that were begun according to the platform, the first of which nothing is left.
    async fn lost_chain(&self, opened: &[(i64, String)]) -> Result<Option<Fault>, RecordError> {
        for (seq, chain) in opened {
            let sql = "select 1 as found from audit_heads where chain = $1";
            if self.db.query(sql).bind(chain).optional().await?.is_none() {
                let reason =
                    format!("it says that the chain {chain} was begun; the head of that chain is gone");
                return Ok(fault(*seq, reason));
            }
        }
        Ok(None)
    }

    /// A chain is begun once, and the chain of the platform says so. One that was taken away as a whole and begun anew is
    /// named there twice.
    async fn opening_fault(&self, chain: &str) -> Result<Option<Fault>, RecordError> {
        let sql =
            "select count(*) as times from audit_entries where chain = $1 and target_id = $2 and action = $3";
        let times = self.db.query(sql).bind(PLATFORM).bind(chain).bind(OPENED).one().await?.int("times")?;
        Ok(match times {
            1 => None,
            0 => fault(None, "the chain of the platform does not know this chain"),
            _ => fault(None, format!("the chain was begun {times} times; what came before was taken away")),
        })
    }
}

/// Where a verification stands in a chain.
struct Walk<'a> {
    chain: &'a str,
    keys: &'a Keys,
    known: Option<&'a (i64, String)>,
    /// Good entries so far, and the hash of the last.
    entries: i64,
    last_hash: Vec<u8>,
}

impl Walk<'_> {
    fn step(&mut self, entry: &AuditEntry) -> Result<Option<Fault>, RecordError> {
        let expected = self.entries + 1;
        if entry.seq != expected {
            let reason = if entry.seq > expected {
                "it was taken away, or given another number"
            } else {
                "an entry was put in before the first"
            };
            return Ok(fault(if entry.seq > expected { expected } else { entry.seq }, reason));
        }
        match self.keys.is_signed(entry) {
            Ok(true) => {}
            Ok(false) => {
                return Ok(fault(entry.seq, "it was changed, or written by somebody without the key"));
            }
            Err(RecordError::Seal(error)) => return Ok(fault(entry.seq, error.to_string())),
            Err(error) => return Err(error),
        }
        if entry.prev_hash != self.last_hash {
            return Ok(fault(entry.seq, "it does not follow the entry before it"));
        }
        if self.known.is_some_and(|(known, hash)| *known == entry.seq && *hash != hex(&entry.hash)) {
            return Ok(fault(entry.seq, "the witness has seen another entry under this number"));
        }
        self.entries = entry.seq;
        self.last_hash.clone_from(&entry.hash);
        Ok(None)
    }

    fn head_fault(&self, standing: &Standing) -> Option<Fault> {
        let Some(head) = &standing.head else {
            return fault(None, "the head of the chain is gone: how many entries there were is not known");
        };
        match self.keys.is_sealed(head) {
            Ok(true) => {}
            Ok(false) => return fault(None, "the head of the chain was changed"),
            Err(error) => return fault(None, format!("the head of the chain: {error}")),
        }
        if head.entries > self.entries {
            return fault(
                self.entries + 1,
                format!("the newest entries were taken away; there were {}", head.entries),
            );
        }
        if head.entries < self.entries || head.last_hash != self.last_hash {
            return fault(head.entries + 1, "the head of the chain does not know this entry");
        }
        None
    }
}
