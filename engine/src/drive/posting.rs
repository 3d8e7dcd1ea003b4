//! Messages to runs that another process may be driving, and word of runs that end there. A message is a row; who
//! drives its run, or takes the run over for it, hands it in and notes the answer. Must not know what a run does.

use super::driven::Message;
use super::engine::Engine;
use super::error::EngineError;
use super::fleet::locked;
use super::lanes::LaneLoan;
use super::takeover::MOST_CLAIMS;
use crate::core::Refusal;
use crate::store::{Change, OpenMessage, RunKey, RunMessage};
use futures::future::FutureExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Messages handed in during one round.
const BATCH: u32 = 200;

/// How often an answer, or the end of a run elsewhere, is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// A message as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Posted {
    Signal {
        key: String,
        payload: Value,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        receipt: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<Box<Change>>,
    },
    Cancel {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<Box<Change>>,
    },
    Retry {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<Box<Change>>,
    },
}

/// The answer as it is stored; `None` for "done", and for "there is no such run" nothing can be said.
#[derive(Serialize, Deserialize)]
struct Answer {
    refused: Option<Refusal>,
    #[serde(default)]
    is_unknown: bool,
}

impl Engine {
    /// Leaves a message for a run that is not driven in this process.
    pub(super) fn post(&self, key: &RunKey, message: Message) {
        let (posted, done) = match message {
            // Whoever drives the run looks at its times by itself.
            Message::Wake => return,
            Message::Signal { key, payload, receipt, change, done, .. } => {
                (Posted::Signal { key, payload, receipt, change }, done)
            }
            Message::Cancel { change, done } => (Posted::Cancel { change }, done),
            Message::Retry { change, done } => (Posted::Retry { change }, done),
        };
        let body = serde_json::to_string(&posted).unwrap_or_default();
        let message = RunMessage { key: key.clone(), id: self.new_id("msg"), body };
        let (engine, busy) = (self.clone(), self.busy());
        self.spawn_task(async move {
            if let Err(error) = engine.post_and_wait(&message, done).await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(run_id = %message.key.run_id, error, "a message for a run could not be left");
            }
            drop(busy);
        });
    }

    async fn post_and_wait(
        &self,
        message: &RunMessage,
        done: oneshot::Sender<Result<(), Refusal>>,
    ) -> Result<(), EngineError> {
        let leave = || async move { Ok(self.0.store.leave_message(message, self.now_ms()).await?) }.boxed();
        self.insist(&message.key, leave).await?;
        self.call_for_work(true).await;
        let until = Instant::now() + self.0.config.patience;
        while !done.is_closed() && Instant::now() < until && !self.0.stopping.is_cancelled() {
            let answered = self.0.fleet.answered.notified();
            if let Some(text) = self.0.store.answer_of(&message.key, &message.id).await? {
                let answer: Option<Answer> = serde_json::from_str(&text).ok();
                match answer {
                    Some(Answer { refused: Some(refusal), .. }) => drop(done.send(Err(refusal))),
                    Some(Answer { is_unknown: true, .. }) | None => drop(done),
                    Some(_) => drop(done.send(Ok(()))),
                }
                return Ok(());
            }
            tokio::select! {
                () = answered => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Ok(())
    }

    /// Hands in the messages of runs that this process drives or may take over.
    pub(super) async fn deliver_messages(&self) -> Result<(), EngineError> {
        for open in self.0.store.open_messages(self.0.fleet.me(), BATCH).await? {
            if locked(&self.0.fleet.in_delivery).contains(&open.message.id) {
                continue;
            }
            self.deliver(open).await?;
        }
        Ok(())
    }

    async fn deliver(&self, open: OpenMessage) -> Result<(), EngineError> {
        let OpenMessage { message, owner, is_known } = open;
        let posted = serde_json::from_str::<Posted>(&message.body).ok().filter(|_| is_known);
        let Some(posted) = posted else {
            return self.note_answer(&message, &Answer { refused: None, is_unknown: true }).await;
        };
        let needs_lane = !matches!(posted, Posted::Cancel { .. });
        let mut is_claimed = false;
        if owner.is_none() {
            let claims = self.0.store.claim_run(self.0.fleet.me(), &message.key, needs_lane).await?;
            let Some(claims) = claims else { return Ok(()) };
            if claims > MOST_CLAIMS {
                // What the message sets off brings the process down each time.
                self.note_answer(&message, &Answer { refused: Some(Refusal::Over), is_unknown: false })
                    .await?;
                self.end_poisoned(message.key);
                return Ok(());
            }
            is_claimed = true;
        }
        let (done, answer) = oneshot::channel();
        let told = match posted {
            Posted::Signal { key, payload, receipt, change } => {
                // Whoever took it may have died before the answer was noted.
                let receipt = receipt.or_else(|| Some(format!("message/{}", message.id)));
                Message::Signal { key, payload, lane: LaneLoan::default(), receipt, change, done }
            }
            Posted::Cancel { change } => Message::Cancel { change, done },
            Posted::Retry { change } => Message::Retry { change, done },
        };
        if is_claimed {
            self.drive_claimed(message.key.clone(), Some(told), None);
        } else if self.tell_active(&message.key, told).is_some() {
            // Its driver has just ended; the next round finds the run without an owner.
            return Ok(());
        }
        locked(&self.0.fleet.in_delivery).insert(message.id.clone());
        let engine = self.clone();
        self.spawn_task(async move {
            // No answer means that the run was lost to another process, which finds the message as we did.
            if let Ok(answer) = answer.await {
                let answer = Answer { refused: answer.err(), is_unknown: false };
                if let Err(error) = engine.note_answer(&message, &answer).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(
                        message = message.id,
                        error,
                        "the answer to a message could not be noted"
                    );
                }
            }
            locked(&engine.0.fleet.in_delivery).remove(&message.id);
        });
        Ok(())
    }

    async fn note_answer(&self, message: &RunMessage, answer: &Answer) -> Result<(), EngineError> {
        let text = serde_json::to_string(answer).unwrap_or_default();
        self.0.store.answer_message(&message.key, &message.id, &text, self.now_ms()).await?;
        self.0.fleet.answered.notify_waiters();
        Ok(())
    }

    /// Tells those who wait in this process for runs that other processes drive, until the engine stops.
    pub(super) async fn watch_elsewhere_for_ever(self) {
        loop {
            tokio::select! {
                () = self.0.stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            if let Err(error) = self.watch_elsewhere().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "could not look at runs elsewhere");
            }
        }
    }

    async fn watch_elsewhere(&self) -> Result<(), EngineError> {
        let watched = self.watched_elsewhere();
        if watched.is_empty() {
            return Ok(());
        }
        let keys: Vec<RunKey> = watched.iter().map(|(key, _)| key.clone()).collect();
        for (key, status, turns) in self.0.store.standing(&keys).await? {
            let is_changed = watched.iter().any(|(other, seen)| *other == key && *seen != Some(turns));
            if status.is_over() || is_changed {
                self.tell_watchers(&key, &self.outcome(&key).await?);
                self.note_seen(&key, turns);
            }
        }
        Ok(())
    }
}
