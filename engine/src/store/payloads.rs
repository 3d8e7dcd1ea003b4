//! Large bodies of events out of line: in a folder or a bucket, with a small reference in the row. A payload is
//! durable before the commit that refers to it, and no payload is ever written over. Must not know what is in it.

mod bucket;
mod folder;
mod key;

pub use bucket::{Bucket, BucketSettings};
pub use folder::Folder;

use super::{RunKey, Store, StoreError};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
pub(super) use key::PayloadKey;
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The first byte of a reference, where other bodies have the name of their codec.
pub(super) const REFERENCE: u8 = 0x10;

/// A reference is no longer than this; lets the database pass over other bodies without reading them.
pub(super) const LONGEST_REFERENCE: i64 = 2_000;

/// A commit that is tried again within this time refers to the payload that was written for the first try.
const RECENT: Duration = Duration::from_secs(600);

/// Why a payload cannot be written, read or deleted.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// A file or folder refused.
    #[error("the payload folder fails at {path}; check that it exists, is writable and has space")]
    File {
        /// The file or folder.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The object store did not answer, or refused.
    #[error("the payload store {place} fails; check its address, its credentials and that it is reachable")]
    Remote {
        /// `s3://bucket/prefix`.
        place: String,
        /// What it says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The setting names no usable place.
    #[error("the payload store cannot be used: {0}")]
    Setting(String),
}

/// Where payloads are kept. Keys have the form `workspace/run/place-random`, of letters, digits and `_-=.`.
#[async_trait]
pub trait PayloadPlace: Send + Sync + std::fmt::Debug {
    /// Writes a payload; it is durable when this returns.
    async fn put(&self, key: &str, body: Bytes) -> Result<(), PayloadError>;
    /// Reads a payload; `None` when there is none.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, PayloadError>;
    /// Deletes a payload. One that is not there is fine.
    async fn delete(&self, key: &str) -> Result<(), PayloadError>;
    /// Everything that is kept, in no certain order.
    fn list(&self) -> BoxStream<'static, Result<KeptPayload, PayloadError>>;
    /// The place, for people.
    fn name(&self) -> String;
}

/// One payload in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPayload {
    /// Its key.
    pub key: String,
    /// When it was written, milliseconds since the epoch, by the clock of the place.
    pub written_at: i64,
}

/// A place for payloads, and from which size on a body goes there. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Payloads {
    place: Arc<dyn PayloadPlace>,
    threshold: usize,
    recent: Cache<(RunKey, i64, String), String>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    read: AtomicU64,
}

/// What a row holds in place of its body.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Reference {
    key: String,
    size: u64,
    sha256: String,
}

impl Payloads {
    /// Bodies of more than `threshold` bytes go to `place`; `usize::MAX` means that payloads are only read.
    pub fn new(place: Arc<dyn PayloadPlace>, threshold: usize) -> Self {
        Self {
            place,
            threshold,
            recent: Cache::builder().max_capacity(1_000).time_to_live(RECENT).build(),
            counts: Arc::default(),
        }
    }

    /// The place.
    pub fn place(&self) -> &Arc<dyn PayloadPlace> {
        &self.place
    }

    /// Bytes written to the place and read from it by this process.
    pub fn bytes(&self) -> (u64, u64) {
        (self.counts.written.load(Ordering::Relaxed), self.counts.read.load(Ordering::Relaxed))
    }

    /// Writes a body and gives what the row holds in its place.
    async fn put(&self, run: &RunKey, first_seq: i64, body: Vec<u8>) -> Result<Vec<u8>, PayloadError> {
        let (size, sha256) = (body.len() as u64, sha256(&body));
        let recent = (run.clone(), first_seq, sha256.clone());
        let key = match self.recent.get(&recent) {
            Some(key) => key,
            None => {
                let key = PayloadKey::new(run, first_seq).to_string();
                self.place.put(&key, body.into()).await?;
                self.counts.written.fetch_add(size, Ordering::Relaxed);
                self.recent.insert(recent, key.clone());
                key
            }
        };
        let mut reference = vec![REFERENCE];
        reference.extend_from_slice(super::types::to_json(&Reference { key, size, sha256 }).as_bytes());
        Ok(reference)
    }
}

impl Store {
    /// Payloads go to a place of their own from now on.
    #[must_use]
    pub fn with_payloads(mut self, payloads: Payloads) -> Self {
        self.payloads = Some(payloads);
        self
    }

    /// The place of large bodies, if there is one.
    pub fn payloads(&self) -> Option<&Payloads> {
        self.payloads.as_ref()
    }

    /// What is to be stored in the row of a body: itself, or, when it is large, a reference to it. The payload is
    /// durable then. When the commit does not come about it stays behind, and the sweep removes it later.
    pub(super) async fn set_aside(
        &self,
        run: &RunKey,
        first_seq: i64,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, StoreError> {
        match &self.payloads {
            Some(payloads) if body.len() > payloads.threshold => {
                Ok(payloads.put(run, first_seq, body).await?)
            }
            _ => Ok(body),
        }
    }

    /// The body that a row stands for.
    pub(super) async fn whole_body(&self, run: &RunKey, stored: Vec<u8>) -> Result<Bytes, StoreError> {
        let Some(key) = stored.strip_prefix(&[REFERENCE]) else { return Ok(stored.into()) };
        let damaged = |what: &'static str, place: String| {
            tracing::error!(run_id = %run.run_id, %place, "{what} is damaged or gone");
            StoreError::Corrupt { what, id: format!("{} at {place}", run.run_id) }
        };
        let reference: Reference = serde_json::from_slice(key)
            .map_err(|_| damaged("the reference to a payload", "its row".to_owned()))?;
        let Some(payloads) = &self.payloads else {
            return Err(PayloadError::Setting(format!(
                "data of {} lies outside the database and no payload store is configured; set `payloads`",
                run.run_id
            ))
            .into());
        };
        let place = || format!("{}/{}", payloads.place.name(), reference.key);
        let body = payloads.place.get(&reference.key).await?;
        let body = body.ok_or_else(|| damaged("a payload", place()))?;
        if body.len() as u64 != reference.size || sha256(&body) != reference.sha256 {
            return Err(damaged("a payload", place()));
        }
        payloads.counts.read.fetch_add(reference.size, Ordering::Relaxed);
        Ok(body)
    }
}

/// The key in the body of a row, if it is a reference.
pub(super) fn key_in(stored: &[u8]) -> Option<String> {
    let json = stored.strip_prefix(&[REFERENCE])?;
    serde_json::from_slice::<Reference>(json).ok().map(|reference| reference.key)
}

fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
