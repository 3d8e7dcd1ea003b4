//! The runs that are driven in this process, and the way in which they are told of something. Must not know what a
//! run does with it.

use super::engine::Engine;
use super::error::EngineError;
use super::lanes::{LaneLoan, LaneTicket};
use crate::core::Refusal;
use crate::store::{Change, RunKey};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// What a run in this process can be told.
pub(super) enum Message {
    Wake,
    Signal {
        key: String,
        payload: Value,
        lane: LaneLoan,
        /// Under which the signal is remembered as taken, so that it is not taken twice.
        receipt: Option<String>,
        /// What the sender does by it, for the log.
        change: Option<Box<Change>>,
        done: oneshot::Sender<Result<(), Refusal>>,
    },
    Cancel {
        change: Option<Box<Change>>,
        done: oneshot::Sender<Result<(), Refusal>>,
    },
    Retry {
        change: Option<Box<Change>>,
        done: oneshot::Sender<Result<(), Refusal>>,
    },
}

impl Message {
    /// Tells its sender that it cannot be done.
    pub(super) fn refuse(self, refusal: Refusal) {
        match self {
            Message::Wake => {}
            // Whoever asked may have gone away.
            Message::Signal { done, .. } | Message::Cancel { done, .. } | Message::Retry { done, .. } => {
                drop(done.send(Err(refusal)));
            }
        }
    }

    /// What the sender does by it, for the log.
    pub(super) fn change(&self) -> Option<Box<Change>> {
        match self {
            Message::Wake => None,
            Message::Signal { change, .. }
            | Message::Cancel { change, .. }
            | Message::Retry { change, .. } => change.clone(),
        }
    }
}

impl Engine {
    /// Sends a message to a run. One that no one drives in this process is loaded when no other process can be
    /// driving it, else the message is left for whoever does.
    pub(super) fn tell(&self, key: &RunKey, message: Message) {
        let mut active = self.active();
        let message = match active.get(key) {
            Some(sender) => match sender.send(message) {
                Ok(()) => return,
                Err(unsent) => unsent.0,
            },
            None => message,
        };
        if !self.0.config.is_alone {
            drop(active);
            return self.post(key, message);
        }
        let (sender, inbox) = mpsc::unbounded_channel();
        // The receiver is at hand, so sending cannot fail.
        let _ = sender.send(message);
        active.insert(key.clone(), sender);
        drop(active);
        self.spawn_loaded(key.clone(), inbox, None);
    }

    /// Sends a message to a run that is driven in this process; else the message comes back.
    pub(super) fn tell_active(&self, key: &RunKey, message: Message) -> Option<Message> {
        match self.active().get(key) {
            Some(sender) => sender.send(message).err().map(|unsent| unsent.0),
            None => Some(message),
        }
    }

    fn active(&self) -> MutexGuard<'_, HashMap<RunKey, mpsc::UnboundedSender<Message>>> {
        self.0.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many runs this process drives.
    pub fn active_runs(&self) -> usize {
        self.active().len()
    }

    /// Marks a run as driven in this process; its messages go to the returned inbox. `None` when someone
    /// drives it already.
    pub(super) fn claim(&self, key: &RunKey) -> Option<mpsc::UnboundedReceiver<Message>> {
        let mut active = self.active();
        // A driver that came to grief has left its place behind.
        if active.get(key).is_some_and(|sender| !sender.is_closed()) {
            return None;
        }
        let (sender, inbox) = mpsc::unbounded_channel();
        active.insert(key.clone(), sender);
        Some(inbox)
    }

    /// Marks a run as driven in this process, with word in its inbox that its time has come. `None` when someone drives it
    /// already.
    pub(super) fn claim_to_wake(&self, key: &RunKey) -> Option<mpsc::UnboundedReceiver<Message>> {
        let inbox = self.claim(key)?;
        // The receiver is at hand, so sending cannot fail.
        drop(self.tell_active(key, Message::Wake));
        Some(inbox)
    }

    /// Gives up a run and answers the messages that arrived for it. Whoever drops them tells their senders that the
    /// run cannot be reached.
    pub(super) fn give_up(&self, key: &RunKey, inbox: &mut mpsc::UnboundedReceiver<Message>) -> Vec<Message> {
        std::iter::from_fn(|| self.release(key, inbox)).collect()
    }

    /// Gives up a run, unless a message arrived in the meantime.
    pub(super) fn release(
        &self,
        key: &RunKey,
        inbox: &mut mpsc::UnboundedReceiver<Message>,
    ) -> Option<Message> {
        let mut active = self.active();
        if let Ok(message) = inbox.try_recv() {
            return Some(message);
        }
        active.remove(key);
        drop(active);
        if self.0.fleet.has_queue.load(Ordering::Relaxed) {
            self.0.fleet.work.notify_one();
        }
        None
    }

    /// Whether a run is driven in this process.
    pub fn is_active(&self, key: &RunKey) -> bool {
        self.active().contains_key(key)
    }

    /// Goes on with a run that is queued or was under way, from its place in its lane.
    pub(super) fn resume(&self, key: RunKey, place: Option<LaneTicket>) {
        if let Some(inbox) = self.claim(&key) {
            self.spawn_loaded(key, inbox, place);
        }
    }

    /// Cancels a run.
    ///
    /// # Errors
    /// When there is no such run, or it is over.
    pub async fn cancel(&self, key: &RunKey) -> Result<(), EngineError> {
        let change = self.change_of_run(key, "run.cancelled", Value::Null);
        self.ask(key, |done| Message::Cancel { change, done }).await
    }

    /// Lets a failed or cancelled run go on from where it failed.
    ///
    /// # Errors
    /// When there is no such run, or it neither failed nor was cancelled.
    pub async fn retry(&self, key: &RunKey) -> Result<(), EngineError> {
        let change = self.change_of_run(key, "run.retried", Value::Null);
        self.ask(key, |done| Message::Retry { change, done }).await
    }

    /// Asks a run for something and waits until it was done or refused.
    ///
    /// # Errors
    /// `Refused`; `NotFound` when there is no such run; `Unanswered` when it could not be reached, `ShuttingDown` when this
    /// process ends: whoever asks has to ask again.
    pub(super) async fn ask(
        &self,
        key: &RunKey,
        message: impl FnOnce(oneshot::Sender<Result<(), Refusal>>) -> Message,
    ) -> Result<(), EngineError> {
        let (done, answer) = oneshot::channel();
        self.tell(key, message(done));
        match answer.await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(self.why_unanswered(key).await),
        }
    }

    /// Why a run gave no answer. Only one that is not there is taken for not there: who waits for a reply does so still
    /// when the database could not be asked for a moment.
    async fn why_unanswered(&self, key: &RunKey) -> EngineError {
        if self.0.stopping.is_cancelled() {
            return EngineError::ShuttingDown;
        }
        match self.0.store.standing(std::slice::from_ref(key)).await {
            Ok(found) if found.is_empty() => {
                EngineError::NotFound { what: "run", id: key.run_id.to_string() }
            }
            Ok(_) => EngineError::Unanswered(key.run_id.to_string()),
            Err(error) => error.into(),
        }
    }
}
