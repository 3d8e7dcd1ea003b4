//! What all handlers share. Must not know routes.

use crate::config::ApiConfig;
use crate::inbox::Inbox;
use crate::metrics::Metrics;
use moka::sync::Cache;
use sluice_engine::document::Document;
use sluice_engine::drive::Engine;
use sluice_records::{Connections, Records};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the id of a workspace is kept under its name.
const KEPT: Duration = Duration::from_secs(10);

/// A built-in workflow that can be installed.
#[derive(Clone, Debug)]
pub struct Template {
    /// Stable name, such as `keyword-reply`.
    pub id: String,
    /// The workflow.
    pub document: Document,
}

/// What all handlers share. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// Runs workflows.
    pub engine: Engine,
    /// Contacts, conversations, credentials, keys.
    pub records: Records,
    /// Accounts that people connected; none where no provider is configured.
    pub connections: Option<Connections>,
    /// What the operator decided.
    pub config: Arc<ApiConfig>,
    /// Built-in workflows.
    pub templates: Arc<Vec<Template>>,
    /// What is counted.
    pub metrics: Metrics,
    /// Provider bodies that were acknowledged and are being handled.
    pub(crate) inbox: Inbox,
    /// Tells event ids of this process from those of former ones.
    pub(crate) epoch: Arc<str>,
    /// Ids of workspaces by the names in addresses of webhooks.
    pub(crate) workspace_ids: Cache<String, String>,
    /// Ends all event streams, so that an orderly stop need not wait for their readers.
    pub stopping: CancellationToken,
}

impl ApiState {
    /// The state of one process.
    pub fn new(
        engine: Engine,
        records: Records,
        config: ApiConfig,
        templates: Vec<Template>,
        metrics: Metrics,
    ) -> Self {
        let epoch = engine.new_id("live").into();
        Self {
            engine,
            records,
            connections: None,
            config: Arc::new(config),
            templates: Arc::new(templates),
            metrics,
            inbox: Inbox::default(),
            epoch,
            workspace_ids: Cache::builder().max_capacity(10_000).time_to_live(KEPT).build(),
            stopping: CancellationToken::new(),
        }
    }

    /// The same with providers at which people can connect accounts.
    #[must_use]
    pub fn with_connections(mut self, connections: Connections) -> Self {
        self.connections = Some(connections);
        self
    }

    /// Waits until every body taken so far is handled. For tests and for an orderly stop.
    pub async fn settle_inbound(&self) {
        self.inbox.settle().await;
    }
}
