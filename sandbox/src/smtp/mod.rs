//! A mail server that takes everything and delivers nothing (RFC 5321): what it received is kept for people and tests.
//!
//! Recipients tell what shall go wrong, as with the test addresses of real providers: `reject@…` is refused for good (550),
//! `busy@…` is refused the first time (451) and taken after that. It must not know who sends.

mod message;
mod talk;

use crate::clock::ShiftedClock;
use crate::journal::Log;
use serde::Serialize;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A message that was taken.
#[derive(Debug, Clone, Serialize)]
pub struct MailEntry {
    /// Position among all messages, from 1, never reused.
    pub seq: u64,
    /// Arrival, milliseconds since the Unix epoch.
    pub at: i64,
    /// Address of the envelope.
    pub from: String,
    /// Addresses of the envelope.
    pub to: Vec<String>,
    /// Subject, decoded.
    pub subject: String,
    /// `Message-ID`, with its brackets.
    pub message_id: String,
    /// Body of a plain message, decoded.
    pub text: String,
    /// Everything as it came.
    pub raw: String,
}

/// What the mail server received, in order.
pub(crate) type Mail = Log<MailEntry>;

/// The mail server's state.
pub(crate) struct Smtp {
    pub(crate) mail: Mail,
    /// Recipients that were told to come again.
    pub(crate) told_busy: std::sync::Mutex<std::collections::HashSet<String>>,
    pub(crate) clock: Arc<ShiftedClock>,
}

impl Smtp {
    pub(crate) fn new(clock: Arc<ShiftedClock>) -> Self {
        Self { mail: Log::new(), told_busy: std::sync::Mutex::default(), clock }
    }

    pub(crate) fn reset(&self) {
        self.mail.clear();
        crate::journal::lock(&self.told_busy).clear();
    }
}

/// Takes connections until `shutdown`.
pub(crate) async fn serve(smtp: Arc<Smtp>, listener: TcpListener, shutdown: CancellationToken) {
    loop {
        let connection = tokio::select! {
            () = shutdown.cancelled() => return,
            connection = listener.accept() => connection,
        };
        match connection {
            Ok((stream, _)) => {
                let (smtp, shutdown) = (smtp.clone(), shutdown.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = shutdown.cancelled() => {}
                        // A client that breaks off has only itself to blame.
                        _ = talk::serve(&smtp, stream) => {}
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the sandbox's mail server cannot take a connection");
                tokio::task::yield_now().await;
            }
        }
    }
}
