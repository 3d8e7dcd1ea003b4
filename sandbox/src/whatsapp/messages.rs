//! The conversations as the users' phones show them: accepted outgoing and incoming messages with their statuses.
//!
//! It must not know how a message came here.

use super::people::Person;
use crate::journal::{Log, lock};
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Mutex;

/// Index entries kept before the oldest half is forgotten.
const INDEX_LIMIT: usize = 40_000;

/// Whose message it is, seen from the business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    /// From the business to the user.
    Out,
    /// From the user to the business.
    In,
}

/// One message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    pub(crate) seq: u64,
    /// Milliseconds since the Unix epoch.
    pub(crate) at: i64,
    pub(crate) direction: Direction,
    pub(crate) id: String,
    pub(crate) phone_number_id: String,
    /// The user at the other end; for a group message the group id stands in `group_id`.
    pub(crate) contact: Person,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group_id: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The message as sent or received.
    pub(crate) message: Value,
    /// Text of a template with its variables filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) preview: Option<String>,
    /// Newest status; `accepted` until the first one, `received` for incoming messages.
    pub(crate) status: String,
    pub(crate) statuses: Vec<StatusAt>,
    /// The business has marked it as read.
    pub(crate) read_by_business: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Value>,
}

/// A status and when it was reached.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StatusAt {
    pub(crate) status: String,
    pub(crate) at: i64,
}

/// All messages, findable by id.
#[derive(Debug)]
pub(crate) struct Messages {
    log: Log<Message>,
    index: Mutex<HashMap<String, u64>>,
}

impl Messages {
    pub(crate) fn new() -> Self {
        Self { log: Log::new(), index: Mutex::new(HashMap::new()) }
    }

    pub(crate) fn log(&self) -> &Log<Message> {
        &self.log
    }

    pub(crate) fn add(&self, message: Message) {
        let id = message.id.clone();
        let seq = self.log.push(|seq| Message { seq, ..message });
        let mut index = lock(&self.index);
        index.insert(id, seq);
        if index.len() > INDEX_LIMIT {
            index.retain(|_, kept| *kept + INDEX_LIMIT as u64 / 2 > seq);
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<Message> {
        let seq = *lock(&self.index).get(id)?;
        self.log.get(seq)
    }

    pub(crate) fn update(&self, id: &str, change: impl FnOnce(&mut Message)) {
        let seq = lock(&self.index).get(id).copied();
        if let Some(seq) = seq {
            self.log.update(seq, change);
        }
    }

    pub(crate) fn clear(&self) {
        self.log.clear();
        lock(&self.index).clear();
    }
}
