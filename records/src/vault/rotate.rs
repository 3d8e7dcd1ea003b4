//! Rotation: wraps all data keys with the current master key, and on request makes new data keys and seals every value
//! under them. The service goes on meanwhile: both keys open all the time, and a value that somebody else changed is
//! left as they wrote it. What was interrupted goes on where it stopped. Must not know what the values are.

use std::collections::HashMap;

use sluice_db::random_id;

use super::cipher::Place;
use super::columns::{COLUMNS, SealedColumn};
use super::{DATA_KEY, SealError, Sealer, Vault};
use crate::RecordError;

/// Keys or values handled in one transaction.
const BATCH: i64 = 200;
/// A data key that seals no longer is kept this long at least: somebody may still be about to write a value under it.
const KEEP_RETIRED_MS: i64 = 24 * 60 * 60 * 1000;

/// What a rotation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotated {
    /// Data keys that were wrapped with the current master key.
    pub rewrapped: u64,
    /// Data keys that were made.
    pub made: u64,
    /// Values that were sealed anew.
    pub resealed: u64,
    /// Retired data keys that nothing needed any more.
    pub dropped: u64,
    /// Values that do not open and were left as they are: table, workspace, row and why.
    pub failed: Vec<String>,
    /// It went on with a renewal that had been interrupted.
    pub resumed: bool,
}

impl Vault {
    /// Wraps every data key with the current master key and seals values of earlier releases under data keys; with
    /// `renew`, also makes new data keys and seals every value under them. Only one rotation runs at a time.
    ///
    /// # Errors
    /// `Conflict` while another rotation runs; `Seal` when a data key was wrapped with a master key that is not given.
    pub async fn rotate(&self, renew: bool) -> Result<Rotated, RecordError> {
        let Some(alone) = self.db.try_exclusive("vault-rotation").await? else {
            return Err(RecordError::conflict(
                "another rotation of the vault is under way; wait for its end",
            ));
        };
        let mut done = Rotated::default();
        let result = self.rotate_alone(renew, &mut done).await;
        alone.release().await;
        result.map(|()| done)
    }

    async fn rotate_alone(&self, renew: bool, done: &mut Rotated) -> Result<(), RecordError> {
        self.rewrap(done).await?;
        let rotation = match self.unfinished().await? {
            Some((id, _)) => {
                done.resumed = true;
                Some(id)
            }
            None if renew => Some(self.begin_rotation().await?),
            None => None,
        };
        if let Some(rotation) = &rotation {
            self.renew_keys(rotation, done).await?;
        }
        for column in &COLUMNS {
            self.reseal(column, rotation.is_some(), done).await?;
        }
        if let Some(rotation) = rotation {
            if done.failed.is_empty() {
                let before = (self.clock)() - KEEP_RETIRED_MS;
                let sql = "delete from data_keys where retired_at < $1";
                done.dropped = self.db.query(sql).bind(before).execute().await?;
            }
            let sql = "update vault_rotations set finished_at = $2 where id = $1";
            self.db.query(sql).bind(rotation).bind((self.clock)()).execute().await?;
        }
        Ok(())
    }

    /// Id and start of a renewal that did not come to its end.
    pub(super) async fn unfinished(&self) -> Result<Option<(String, i64)>, RecordError> {
        let sql = "select id, started_at from vault_rotations where finished_at is null \
                   order by started_at, id limit 1";
        let row = self.db.query(sql).optional().await?;
        row.map(|row| Ok((row.text("id")?, row.int("started_at")?))).transpose()
    }

    async fn begin_rotation(&self) -> Result<String, RecordError> {
        let id = random_id("rot");
        let sql = "insert into vault_rotations (id, started_at) values ($1, $2)";
        self.db.query(sql).bind(&id).bind((self.clock)()).execute().await?;
        Ok(id)
    }

    /// Wraps data keys of earlier master keys with the current one.
    async fn rewrap(&self, done: &mut Rotated) -> Result<(), RecordError> {
        let current = self.cipher.current();
        loop {
            let sql = "select workspace_id, id, master_key, wrapped from data_keys where master_key <> $1 \
                       order by workspace_id, id limit $2";
            let rows = self.db.query(sql).bind(&current).bind(BATCH).all().await?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut changes = Vec::with_capacity(rows.len());
            for row in &rows {
                let (scope, id) = (row.text("workspace_id")?, row.text("id")?);
                let place = Place { scope: &scope, row: &id, field: DATA_KEY };
                let key = self.cipher.unwrap(place, &row.text("master_key")?, &row.bytes("wrapped")?)?;
                let wrapped = self.cipher.wrap(place, &key)?;
                changes.push((scope, id, wrapped));
            }
            let mut tx = self.db.begin().await?;
            for (scope, id, wrapped) in changes {
                let sql = "update data_keys set master_key = $3, wrapped = $4 \
                           where workspace_id = $1 and id = $2 and master_key <> $3";
                let query = tx.query(sql).bind(scope).bind(id).bind(&current).bind(wrapped);
                done.rewrapped += query.execute().await?;
            }
            tx.commit().await?;
        }
    }

    /// Retires every data key that this rotation did not make, one scope after the other.
    async fn renew_keys(&self, rotation: &str, done: &mut Rotated) -> Result<(), RecordError> {
        loop {
            let sql = "select workspace_id, id from data_keys where retired_at is null and rotation_id <> $1 \
                       order by workspace_id limit $2";
            let rows = self.db.query(sql).bind(rotation).bind(BATCH).all().await?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut tx = self.db.begin().await?;
            for row in rows {
                let scope = row.text("workspace_id")?;
                let sql = "update data_keys set retired_at = $3 \
                           where workspace_id = $1 and id = $2 and retired_at is null";
                let query = tx.query(sql).bind(&scope).bind(row.text("id")?);
                if query.bind((self.clock)()).execute().await? == 0 {
                    continue;
                }
                let (id, wrapped) = self.new_data_key(&scope)?;
                let sql = "insert into data_keys (workspace_id, id, master_key, wrapped, rotation_id, created_at) \
                           values ($1, $2, $3, $4, $5, $6)";
                let query = tx.query(sql).bind(scope).bind(id).bind(self.cipher.current());
                query.bind(wrapped).bind(rotation).bind((self.clock)()).execute().await?;
                done.made += 1;
            }
            tx.commit().await?;
        }
    }

    /// Seals the values of a column under the data keys in use: all that are not, or only those of earlier releases.
    async fn reseal(&self, column: &SealedColumn, all: bool, done: &mut Rotated) -> Result<(), RecordError> {
        let SealedColumn { table, column: sealed, scope, row, field } = *column;
        // Version 1 is the only one that did not use data keys.
        let old = if all { "" } else { "and substr({sealed}, 1, 1) = $4" }.replace("{sealed}", sealed);
        let select = format!(
            "select {scope} as scope, {row} as row_id, {sealed} as sealed from {table} \
             where {sealed} is not null and ({scope}, {row}) > ($1, $2) {old} order by 1, 2 limit $3"
        );
        let update =
            format!("update {table} set {sealed} = $3 where {scope} = $1 and {row} = $2 and {sealed} = $4");
        let (mut after_scope, mut after_row) = (String::new(), String::new());
        loop {
            let mut query = self.db.query(select.clone()).bind(&after_scope).bind(&after_row).bind(BATCH);
            if !all {
                query = query.bind(vec![1_u8]);
            }
            let rows = query.all().await?;
            let Some(last) = rows.last() else { return Ok(()) };
            (after_scope, after_row) = (last.text("scope")?, last.text("row_id")?);
            let mut changes = Vec::with_capacity(rows.len());
            let mut sealers: HashMap<String, Sealer> = HashMap::new();
            for found in &rows {
                let (scope, row) = (found.text("scope")?, found.text("row_id")?);
                let old = found.bytes("sealed")?;
                if !sealers.contains_key(&scope) {
                    sealers.insert(scope.clone(), self.sealer(&scope).await?);
                }
                let sealer = &sealers[&scope];
                if sealer.has_sealed(&old) {
                    continue;
                }
                match self.open(&scope, &row, field, &old).await {
                    Ok(plain) => changes.push((sealer.seal(&row, field, &plain)?, scope, row, old)),
                    Err(RecordError::Seal(error)) => done.failed.push(told(table, &scope, &row, &error)),
                    Err(error) => return Err(error),
                }
            }
            let mut tx = self.db.begin().await?;
            for (new, scope, row, old) in changes {
                let query = tx.query(update.clone()).bind(scope).bind(row).bind(new).bind(old);
                done.resealed += query.execute().await?;
            }
            tx.commit().await?;
        }
    }
}

fn told(table: &str, scope: &str, row: &str, error: &SealError) -> String {
    format!("{table} {scope}/{row}: {error}")
}
