//! Writes entries. Everybody who writes to a chain waits for the one before, so it must be the last thing a transaction
//! does. Must not know what is written.

use std::collections::BTreeMap;

use sluice_db::{DbError, Tx, placeholders};

use super::entry::{AuditEntry, COLUMN_COUNT, COLUMNS};
use super::seal::{Head, Keys, NOTHING};
use super::{Change, OPENED, PLATFORM, Target};
use crate::ids::clean;
use crate::{Actor, RecordError, Records};

/// Longest name or address that is kept, characters.
const LONGEST: usize = 300;

impl Records {
    /// Writes down a change, signed by whoever these records act for. The last call before the transaction is
    /// committed, because it holds up everybody else who changes something in the same scope.
    ///
    /// # Errors
    /// When the database fails; `Seal` when the chain was sealed with another master key.
    pub async fn audit(&self, tx: &mut Tx, change: Change) -> Result<(), RecordError> {
        self.audit_as(tx, self.actor(), vec![change]).await
    }

    /// The same for several changes of one transaction, by somebody who is named.
    ///
    /// # Errors
    /// See [`Records::audit`].
    pub async fn audit_as(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        changes: Vec<Change>,
    ) -> Result<(), RecordError> {
        self.audit_all(tx, changes.into_iter().map(|change| (actor.clone(), change)).collect()).await
    }

    /// Several changes of one transaction, each by its own actor.
    ///
    /// # Errors
    /// See [`Records::audit`].
    pub async fn audit_all(&self, tx: &mut Tx, changes: Vec<(Actor, Change)>) -> Result<(), RecordError> {
        let mut by_chain: BTreeMap<String, Vec<(Actor, Change)>> = BTreeMap::new();
        for (actor, change) in changes {
            by_chain.entry(change.chain.clone()).or_default().push((actor, change));
        }
        // Always in the same order, the platform last: nobody waits for somebody who waits for them.
        let mut of_platform = by_chain.remove(PLATFORM).unwrap_or_default();
        let mut pen = Pen { keys: Keys::of(&self.vault), now: self.now() };
        let mut written = Vec::new();
        for (chain, changes) in by_chain {
            let opened = pen.open(tx, &chain).await?;
            if opened.is_new {
                let target = Target::new("audit_chain", &*chain);
                of_platform.push((self.actor().clone(), Change::of_platform(OPENED, target)));
            }
            written.push((opened, changes));
        }
        if !of_platform.is_empty() {
            written.push((pen.open(tx, PLATFORM).await?, of_platform));
        }
        for (opened, changes) in written {
            pen.write(tx, opened, changes).await?;
        }
        Ok(())
    }
}

impl Records {
    /// Seals the newest entry of every chain with the master key in use. Part of a rotation: a process that has not got
    /// the key of a chain's head may change nothing in that scope, so no head may be left under a key that goes. What
    /// was found damaged stays so. Answers how many were sealed anew.
    ///
    /// # Errors
    /// `Seal` when a head was sealed with a key that is not at hand; when the database fails.
    pub async fn reseal_audit_heads(&self) -> Result<u64, RecordError> {
        let mut pen = Pen { keys: Keys::of(&self.vault), now: self.now() };
        let mut resealed = 0;
        for row in self.db.query("select chain from audit_heads order by chain").all().await? {
            let mut tx = self.begin().await?;
            let opened = pen.open(&mut tx, &row.text(0)?).await?;
            if opened.is_sound && !pen.keys.is_current(&opened.head) {
                pen.write(&mut tx, opened, Vec::new()).await?;
                tx.commit().await?;
                resealed += 1;
            }
        }
        Ok(resealed)
    }
}

/// A chain whose lock is held.
struct Opened {
    head: Head,
    is_new: bool,
    /// The seal was good. One that was not is never made good again.
    is_sound: bool,
}

struct Pen {
    keys: Keys,
    now: i64,
}

impl Pen {
    async fn open(&mut self, tx: &mut Tx, chain: &str) -> Result<Opened, RecordError> {
        tx.lock(&format!("audit {chain}")).await?;
        let row = tx.query("select * from audit_heads where chain = $1").bind(chain).optional().await?;
        let head = |entries, last_hash| Head {
            chain: chain.to_owned(),
            entries,
            last_hash,
            key_id: String::new(),
            seal: Vec::new(),
        };
        if let Some(row) = row {
            let head = Head {
                key_id: row.text("key_id")?,
                seal: row.bytes("seal")?,
                ..head(row.int("entries")?, row.bytes("last_hash")?)
            };
            let is_sound = self.keys.is_sealed(&head)?;
            return Ok(Opened { head, is_new: false, is_sound });
        }
        // A chain without a head is new, unless somebody took the head away: then it goes on, and never fits again.
        let last = tx
            .query("select seq, hash from audit_entries where chain = $1 order by seq desc limit 1")
            .bind(chain)
            .optional()
            .await?;
        match last {
            None => Ok(Opened { head: head(0, NOTHING.to_vec()), is_new: true, is_sound: true }),
            Some(row) => {
                let head = head(row.int("seq")?, row.bytes("hash")?);
                Ok(Opened { head, is_new: false, is_sound: false })
            }
        }
    }

    async fn write(
        &mut self,
        tx: &mut Tx,
        opened: Opened,
        changes: Vec<(Actor, Change)>,
    ) -> Result<(), RecordError> {
        let Opened { mut head, is_sound, .. } = opened;
        for (actor, change) in changes {
            head.entries += 1;
            let mut entry = entry(actor, change, self.now);
            entry.seq = head.entries;
            entry.prev_hash = std::mem::take(&mut head.last_hash);
            self.keys.sign(&mut entry);
            head.last_hash.clone_from(&entry.hash);
            insert(tx, entry).await?;
        }
        self.keys.seal(&mut head);
        if !is_sound {
            head.seal.clear();
        }
        Ok(save(tx, head).await?)
    }
}

fn entry(actor: Actor, change: Change, now: i64) -> AuditEntry {
    let short = |text: &str| clean(text).chars().take(LONGEST).collect::<String>();
    let (before, after) = change.values();
    AuditEntry {
        seq: 0,
        at: now,
        actor_kind: actor.kind.as_text().to_owned(),
        actor_id: short(&actor.id),
        actor_name: short(&actor.name),
        impersonated_by: actor.impersonated_by.as_deref().map(short),
        address: actor.address.as_deref().map(short),
        request_id: actor.request_id.as_deref().map(short),
        action: change.action.into_owned(),
        target_kind: change.target.kind.into_owned(),
        target_id: short(&change.target.id),
        target_name: short(&change.target.name),
        before: before.as_deref().map(clean),
        after: after.as_deref().map(clean),
        chain: change.chain,
        key_id: String::new(),
        prev_hash: Vec::new(),
        hash: Vec::new(),
    }
}

async fn insert(tx: &mut Tx, entry: AuditEntry) -> Result<(), DbError> {
    let sql = format!("insert into audit_entries ({COLUMNS}) values ({})", placeholders(1, COLUMN_COUNT));
    tx.query(sql).bind_all(entry.args()).execute().await?;
    Ok(())
}

async fn save(tx: &mut Tx, head: Head) -> Result<(), DbError> {
    tx.query(
        "insert into audit_heads (chain, entries, last_hash, key_id, seal) values ($1, $2, $3, $4, $5) \
         on conflict (chain) do update set entries = excluded.entries, last_hash = excluded.last_hash, \
         key_id = excluded.key_id, seal = excluded.seal",
    )
    .bind(head.chain)
    .bind(head.entries)
    .bind(head.last_hash)
    .bind(head.key_id)
    .bind(head.seal)
    .execute()
    .await?;
    Ok(())
}
