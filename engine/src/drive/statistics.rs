//! Keeps what the database's planner knows in step with the growth of its tables. Must not know which tables there are.

use super::engine::Engine;
use std::time::Duration;

/// How often it is looked for tables that have grown.
const LOOK: Duration = Duration::from_secs(1);

impl Engine {
    /// Looks until the engine stops, as long as this process leads.
    pub(super) async fn keep_statistics_for_ever(self) {
        loop {
            tokio::select! {
                () = self.0.stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            if !self.is_leader() {
                continue;
            }
            match self.0.store.refresh_statistics().await {
                Ok(tables) if tables.is_empty() => {}
                Ok(tables) => tracing::debug!(?tables, "the planner looked at tables that have grown"),
                // It looks by itself once a minute.
                Err(error) => tracing::debug!(%error, "the planner did not look at tables that have grown"),
            }
        }
    }
}
