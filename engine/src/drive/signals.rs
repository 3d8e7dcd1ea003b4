//! Signals from outside to the runs that wait for them: once each where the sender names them, and what settles an
//! unknown outcome.

use super::driven::Message;
use super::engine::Engine;
use super::error::EngineError;
use super::lanes::LaneLoan;
use crate::core::{SettledBy, Settlement, Verdict, outcome_signal};
use crate::store::RunKey;
use serde_json::{Value, json};

/// Beginnings of signal keys that mean something to the engine or to its host; what is posted from outside must not
/// use them.
pub const RESERVED_SIGNALS: [&str; 4] = ["approval:", "run:", "outcome:", "conversation:"];

impl Engine {
    /// Wakes whatever waits for a signal in a workspace. Returns the runs that were woken.
    ///
    /// # Errors
    /// `NotWaiting` when nothing does; `Unanswered` when one that does could not be reached.
    pub async fn signal(
        &self,
        workspace: &str,
        key: &str,
        payload: Value,
    ) -> Result<Vec<RunKey>, EngineError> {
        self.signal_once(workspace, key, payload, None).await
    }

    /// Wakes whatever waits for a decision, which goes into the log as that of whoever this engine acts for.
    ///
    /// # Errors
    /// `NotWaiting` when nothing does; `Unanswered` when one that does could not be reached.
    pub async fn decide(
        &self,
        workspace: &str,
        key: &str,
        payload: Value,
    ) -> Result<Vec<RunKey>, EngineError> {
        self.send(workspace, key, payload, None, Some("approval.decided")).await
    }

    /// The same for a sender who names the signal, so that repeating it wakes nobody twice. A repetition answers the
    /// runs that the first one woke, and wakes those that it was cut off from.
    ///
    /// # Errors
    /// `NotWaiting` when nothing waits for it and nothing took it before; `Unanswered` when a run that does could not be
    /// reached: repeat it.
    pub async fn signal_once(
        &self,
        workspace: &str,
        key: &str,
        payload: Value,
        name: Option<&str>,
    ) -> Result<Vec<RunKey>, EngineError> {
        self.send(workspace, key, payload, name, None).await
    }

    async fn send(
        &self,
        workspace: &str,
        key: &str,
        payload: Value,
        name: Option<&str>,
        action: Option<&str>,
    ) -> Result<Vec<RunKey>, EngineError> {
        let prefix = name.map(|name| format!("signal/{key}/{name}/"));
        let taken = match &prefix {
            Some(prefix) => self.0.store.receipts(workspace, prefix).await?,
            None => Vec::new(),
        };
        let first = taken.iter().map(|receipt| receipt.at).min();
        let of = |run_id: &str| RunKey { workspace_id: workspace.into(), run_id: run_id.into() };
        let mut woken: Vec<RunKey> = taken.iter().map(|receipt| of(&receipt.run_id)).collect();
        let mut unreached = None;
        for wait in self.0.store.waiting_for(workspace, key).await? {
            if woken.contains(&wait.key) || first.is_some_and(|first| wait.since > first) {
                continue;
            }
            let receipt = prefix.as_ref().map(|prefix| format!("{prefix}{}", wait.key.run_id));
            let change = action.and_then(|action| self.change_of_run(&wait.key, action, payload.clone()));
            let signal = |done| Message::Signal {
                key: key.to_owned(),
                payload: payload.clone(),
                lane: LaneLoan::default(),
                receipt,
                change,
                done,
            };
            match self.ask(&wait.key, signal).await {
                Ok(()) => woken.push(wait.key),
                Err(error) if error.leaves_open() => {
                    unreached = Some(error);
                }
                // It does not wait for it any more.
                Err(_) => {}
            }
        }
        if let Some(error) = unreached {
            return Err(error);
        }
        if woken.is_empty() { Err(EngineError::NotWaiting(key.to_owned())) } else { Ok(woken) }
    }

    /// Wakes one run that waits for a signal, whoever else waits for it too.
    ///
    /// # Errors
    /// `Refused` when this run does not wait for it; when there is no such run or the store fails.
    pub async fn signal_run(&self, run: &RunKey, key: String, payload: Value) -> Result<(), EngineError> {
        let (lane, receipt) = (LaneLoan::default(), None);
        self.ask(run, |done| Message::Signal { key, payload, lane, receipt, change: None, done }).await
    }

    /// Settles the open question about the outcome of an effect (`run/node/iteration`).
    ///
    /// # Errors
    /// `Refused` when no question is open about it; when there is no such run or the store fails.
    pub async fn settle_outcome(
        &self,
        run: &RunKey,
        effect_id: &str,
        settlement: &Settlement,
    ) -> Result<(), EngineError> {
        let (key, payload) = (outcome_signal(effect_id), settlement.payload());
        let (lane, receipt) = (LaneLoan::default(), None);
        let what =
            json!({ "effect_id": effect_id, "decision": settlement.decision, "note": settlement.note });
        let change = self.change_of_run(run, "run.outcome_settled", what);
        self.ask(run, |done| Message::Signal { key, payload, lane, receipt, change, done }).await
    }

    /// Evidence of an effect has come: whoever is in doubt about it looks. Answers whether anybody was.
    ///
    /// # Errors
    /// When the store fails or the engine is shutting down: whoever keeps the evidence has to hand it in again.
    pub async fn evidence(&self, workspace: &str, effect_id: &str) -> Result<bool, EngineError> {
        // The parts of a list of effects are told apart behind a `#`; one node answers for all of them.
        let effect_id = effect_id.split('#').next().unwrap_or_default();
        let settlement = Settlement::new(Verdict::Look, SettledBy::Evidence);
        match self.signal(workspace, &outcome_signal(effect_id), settlement.payload()).await {
            Ok(_) => Ok(true),
            Err(EngineError::NotWaiting(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
