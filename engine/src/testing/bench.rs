//! One run under a virtual clock.

use super::describe;
use crate::document::StepDoc;
use crate::drive::Engine;
use crate::store::RunKey;
use crate::view::RunView;
use sluice_node_sdk::duration::parse_duration_ms;
use sluice_node_sdk::services::Clock;
use sluice_node_sdk::testkit::SimClock;
use std::sync::Arc;

/// One run under a virtual clock.
pub struct Bench {
    /// The engine.
    pub engine: Engine,
    /// Its clock.
    pub clock: Arc<SimClock>,
    /// The run.
    pub key: RunKey,
}

impl Bench {
    /// Lets everything happen that needs no time to pass. Pauses between attempts are such time.
    pub async fn settle(&self) {
        self.engine.settle().await;
    }

    /// The run as it stands.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn view(&self) -> Result<RunView, String> {
        let view = self.engine.run_view(&self.key).await.map_err(|error| describe(&error))?;
        view.ok_or_else(|| "the run is gone".to_owned())
    }

    /// Lets time pass, stopping at every moment at which something is due.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn advance(&self, milliseconds: i64) -> Result<(), String> {
        self.advance_to(self.clock.now_ms().saturating_add(milliseconds)).await
    }

    /// The same until a moment (milliseconds since the epoch).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn advance_to(&self, end: i64) -> Result<(), String> {
        while self.advance_to_next(end).await? {}
        self.clock.set(end.max(self.clock.now_ms()));
        Ok(())
    }

    /// Lets time pass until something is due and has happened; `false` when nothing is due by `end`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn advance_to_next(&self, end: i64) -> Result<bool, String> {
        let next = self.engine.store().next_wake().await.map_err(|error| error.to_string())?;
        let Some(next) = next.filter(|next| *next <= end) else { return Ok(false) };
        self.clock.set(next.max(self.clock.now_ms()));
        let fired = self.engine.fire_due().await.map_err(|error| describe(&error))?;
        self.settle().await;
        // What is due and cannot be woken (its run is damaged) would be due for ever.
        Ok(fired > 0)
    }

    /// Does one step of a test.
    ///
    /// # Errors
    /// A sentence: the duration is none, nothing waits for the signal, or the store fails.
    pub async fn step(&self, step: &StepDoc) -> Result<(), String> {
        if let Some(text) = &step.advance {
            self.advance(parse_duration_ms(text).map_err(|error| error.to_string())?).await?;
        }
        if let Some(key) = &step.signal {
            let key = if key == "*" { self.awaited().await? } else { key.clone() };
            let sent = self.engine.signal(&self.key.workspace_id, &key, step.payload.clone()).await;
            sent.map_err(|error| describe(&error))?;
            self.settle().await;
        }
        Ok(())
    }

    /// The first signal key that any node of the run waits for.
    async fn awaited(&self) -> Result<String, String> {
        let view = self.view().await?;
        let keys = view.nodes.iter().filter_map(|node| node.wait.as_ref()?.get("signal")?.as_str());
        keys.map(ToOwned::to_owned).next().ok_or_else(|| "nothing waits for a signal".to_owned())
    }
}
