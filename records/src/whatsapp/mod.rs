//! WhatsApp's webhooks on the wire: signature, handshake, reading, and turning what was read into records.
//!
//! Facts from Meta's documentation of the Cloud API, <https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks>.

mod escapes;
mod event;
mod handshake;
mod ingest;
mod ingest_other;
mod message;
mod order;
mod signature;
mod webhook;

pub use handshake::{HandshakeError, handshake};
pub use ingest::{Ingested, IngestedBody, IngestedChange, ingest, ingest_body, ingest_parsed};
pub use message::InboundMessage;
pub use order::{Order, Tie};
pub use signature::{SignatureError, verify};
pub use webhook::{Change, ParseError, Parsed, StatusUpdate, parse};
