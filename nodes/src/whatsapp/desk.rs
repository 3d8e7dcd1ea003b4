//! What the WhatsApp nodes need of the records, as a small trait: numbers, conversations, messages sent.
//! Must not know SQL. [`NoRecords`] serves hosts without a database (validation, the catalogue, plain runs).

use super::payload::Recipient;
use futures::future::BoxFuture;
use serde_json::Value;
use sluice_node_sdk::error::NodeError;

/// A number that the workspace has connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Meta's id of the number.
    pub phone_number_id: String,
    /// The number as people write it.
    pub display_phone_number: String,
    /// Name of the credential it was connected with.
    pub credential: Option<String>,
}

/// A conversation, as far as sending needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// `cnv_…`.
    pub conversation_id: String,
    /// The sending number.
    pub phone_number_id: String,
    /// Where messages to the contact go.
    pub recipient: Option<Recipient>,
    /// Until when free-form messages may be sent (milliseconds since the epoch); `None` when that is not known:
    /// then Meta decides.
    pub window_expires_at: Option<i64>,
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// The workspace.
    pub workspace_id: String,
    /// The sending number.
    pub phone_number_id: String,
    /// Who gets it.
    pub recipient: Recipient,
    /// Identifies the send for ever; Meta echoes it in every status.
    pub effect_id: String,
    /// `text`, `template`, …
    pub kind: String,
    /// The object of that name in the request.
    pub content: Value,
}

/// What is on record of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnRecord {
    /// The conversation it belongs to, if it is on record with one.
    pub conversation_id: Option<String>,
    /// Meta's id, once it accepted the message.
    pub message_id: Option<String>,
    /// How far it got: `pending`, `accepted`, `sent`, `delivered`, `read`, `failed`, …
    pub status: String,
    /// Why it failed, in Meta's words: `code`, `title`, `details`.
    pub error: Option<Value>,
}

/// What is known of a message after an attempt of which nobody knows what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Meta refused it: it was not sent.
    NotSent,
    /// There is no record. It was not sent, if messages to its recipient are put on record.
    NotAnnounced,
    /// Meta took it.
    Taken(OnRecord),
    /// Nobody can tell.
    Unknown,
}

/// A result that a node can pass on.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, NodeError>>;

/// The desk at which WhatsApp nodes look things up and leave notes.
pub trait Desk: Send + Sync + 'static {
    /// The numbers of a workspace.
    fn numbers<'a>(&'a self, workspace_id: &'a str) -> Answer<'a, Vec<Sender>>;
    /// A conversation by id.
    fn thread<'a>(&'a self, workspace_id: &'a str, conversation_id: &'a str) -> Answer<'a, Option<Thread>>;
    /// The conversation between a number and a person, if there is one.
    fn thread_with<'a>(
        &'a self,
        workspace_id: &'a str,
        phone_number_id: &'a str,
        recipient: &'a Recipient,
    ) -> Answer<'a, Option<Thread>>;
    /// What is known of the message that an effect may have sent. Changes nothing.
    fn trace<'a>(&'a self, workspace_id: &'a str, effect_id: &'a str) -> Answer<'a, Trace>;
    /// Whether messages to this recipient are put on record.
    fn keeps(&self, recipient: &Recipient) -> bool;
    /// Notes a message before it is sent. Repeating it changes nothing; the answer tells whether an earlier
    /// attempt got through.
    fn announce<'a>(&'a self, sending: &'a Sending) -> Answer<'a, Option<OnRecord>>;
    /// Notes that Meta accepted a message. Repeating it changes nothing.
    fn accepted<'a>(&'a self, sending: &'a Sending, message_id: &'a str) -> Answer<'a, Option<OnRecord>>;
    /// Notes that Meta refused a message for good.
    fn refused<'a>(&'a self, sending: &'a Sending, error: &'a NodeError) -> Answer<'a, ()>;
}

/// A desk without records.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRecords;

fn ready<'a, T: Send + 'a>(value: T) -> Answer<'a, T> {
    Box::pin(std::future::ready(Ok(value)))
}

impl Desk for NoRecords {
    fn numbers<'a>(&'a self, _: &'a str) -> Answer<'a, Vec<Sender>> {
        ready(Vec::new())
    }

    fn thread<'a>(&'a self, _: &'a str, _: &'a str) -> Answer<'a, Option<Thread>> {
        ready(None)
    }

    fn thread_with<'a>(&'a self, _: &'a str, _: &'a str, _: &'a Recipient) -> Answer<'a, Option<Thread>> {
        ready(None)
    }

    fn trace<'a>(&'a self, _: &'a str, _: &'a str) -> Answer<'a, Trace> {
        ready(Trace::Unknown)
    }

    fn keeps(&self, _: &Recipient) -> bool {
        false
    }

    fn announce<'a>(&'a self, _: &'a Sending) -> Answer<'a, Option<OnRecord>> {
        ready(None)
    }

    fn accepted<'a>(&'a self, _: &'a Sending, _: &'a str) -> Answer<'a, Option<OnRecord>> {
        ready(None)
    }

    fn refused<'a>(&'a self, _: &'a Sending, _: &'a NodeError) -> Answer<'a, ()> {
        ready(())
    }
}
