//! An entry of the audit trail and its byte form. Must not know keys.

use serde_json::Value;
use sluice_db::{Arg, DbError, Row};

/// What was written down of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// `ws_…`, `rs_…` or `platform`.
    pub chain: String,
    /// Its number in the chain, from 1.
    pub seq: i64,
    /// When, milliseconds since the epoch.
    pub at: i64,
    /// `person`, `key`, `workflow` or `system`.
    pub actor_kind: String,
    /// `per_…`, `key_…`, `run_…`; empty for the system.
    pub actor_id: String,
    /// What people know the actor by.
    pub actor_name: String,
    /// The person behind it, when they acted in somebody else's place.
    pub impersonated_by: Option<String>,
    /// The network address it came from.
    pub address: Option<String>,
    /// The request; for workflows the effect id (`run/node/iteration`).
    pub request_id: Option<String>,
    /// Such as `credential.updated`.
    pub action: String,
    /// Such as `credential`.
    pub target_kind: String,
    /// Its id.
    pub target_id: String,
    /// Its name at the time; may be empty.
    pub target_name: String,
    /// What it was, as JSON text without secrets.
    pub before: Option<String>,
    /// What it became, as JSON text without secrets.
    pub after: Option<String>,
    /// Names the key that sealed it.
    pub(super) key_id: String,
    pub(super) prev_hash: Vec<u8>,
    pub(super) hash: Vec<u8>,
}

/// Every column, in the order in which [`AuditEntry::args`] binds them.
pub(super) const COLUMNS: &str = "chain, seq, at, actor_kind, actor_id, actor_name, impersonated_by, address, request_id, \
     action, target_kind, target_id, target_name, value_before, value_after, key_id, prev_hash, hash";

/// How many these are.
pub(super) const COLUMN_COUNT: usize = 18;

/// Stands before the bytes of an entry, so that a seal over something else never fits one.
const LABEL: &[u8] = b"sluice audit entry 1\0";

impl AuditEntry {
    /// Names the entry in lists, cursors and messages.
    pub fn id(&self) -> String {
        format!("{}/{}", self.chain, self.seq)
    }

    /// What it was, as JSON; null when nothing was there.
    pub fn before_value(&self) -> Value {
        json_of(self.before.as_deref())
    }

    /// What it became, as JSON; null when nothing is there any more.
    pub fn after_value(&self) -> Value {
        json_of(self.after.as_deref())
    }

    pub(super) fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            chain: row.text("chain")?,
            seq: row.int("seq")?,
            at: row.int("at")?,
            actor_kind: row.text("actor_kind")?,
            actor_id: row.text("actor_id")?,
            actor_name: row.text("actor_name")?,
            impersonated_by: row.opt_text("impersonated_by")?,
            address: row.opt_text("address")?,
            request_id: row.opt_text("request_id")?,
            action: row.text("action")?,
            target_kind: row.text("target_kind")?,
            target_id: row.text("target_id")?,
            target_name: row.text("target_name")?,
            before: row.opt_text("value_before")?,
            after: row.opt_text("value_after")?,
            key_id: row.text("key_id")?,
            prev_hash: row.bytes("prev_hash")?,
            hash: row.bytes("hash")?,
        })
    }

    /// Everything that the hash covers: every column but the hash itself, in the order of the table, the texts and
    /// bytes each with their length before them, so that no two entries have the same bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend_from_slice(LABEL);
        put(&mut bytes, Some(self.chain.as_bytes()));
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.at.to_be_bytes());
        for text in [&self.actor_kind, &self.actor_id, &self.actor_name] {
            put(&mut bytes, Some(text.as_bytes()));
        }
        for text in [&self.impersonated_by, &self.address, &self.request_id] {
            put(&mut bytes, text.as_ref().map(String::as_bytes));
        }
        for text in [&self.action, &self.target_kind, &self.target_id, &self.target_name] {
            put(&mut bytes, Some(text.as_bytes()));
        }
        for text in [&self.before, &self.after] {
            put(&mut bytes, text.as_ref().map(String::as_bytes));
        }
        put(&mut bytes, Some(self.key_id.as_bytes()));
        put(&mut bytes, Some(&self.prev_hash));
        bytes
    }

    pub(super) fn args(self) -> [Arg; COLUMN_COUNT] {
        [
            self.chain.into(),
            self.seq.into(),
            self.at.into(),
            self.actor_kind.into(),
            self.actor_id.into(),
            self.actor_name.into(),
            self.impersonated_by.into(),
            self.address.into(),
            self.request_id.into(),
            self.action.into(),
            self.target_kind.into(),
            self.target_id.into(),
            self.target_name.into(),
            self.before.into(),
            self.after.into(),
            self.key_id.into(),
            self.prev_hash.into(),
            self.hash.into(),
        ]
    }
}

/// Adds a value with its length; null and empty differ.
pub(super) fn put(bytes: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None => bytes.push(0),
        Some(value) => {
            bytes.push(1);
            bytes.extend_from_slice(&(value.len() as u64).to_be_bytes());
            bytes.extend_from_slice(value);
        }
    }
}

/// What is stored was written by us as JSON; what is not was tampered with, and is shown as the text it is.
fn json_of(text: Option<&str>) -> Value {
    text.map_or(Value::Null, |text| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)))
}
