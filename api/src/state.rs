//! What all handlers share. Must not know routes.

use crate::config::ApiConfig;
use crate::inbox::Inbox;
use crate::metrics::Metrics;
use crate::oidc::Provider;
use crate::session::AccessTokens;
use moka::sync::Cache;
use sluice_engine::document::Document;
use sluice_engine::drive::Engine;
use sluice_records::Records;
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
    /// Makes and reads the access tokens of people.
    pub(crate) access_tokens: AccessTokens,
    /// Signs the tokens that prove that a request comes from a page of ours.
    pub(crate) csrf_key: Arc<[u8]>,
    /// Where people may sign in besides.
    pub(crate) provider: Option<Arc<Provider>>,
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
        let access_tokens = AccessTokens::new(&records.derived_key("access tokens"), &config.public_url);
        let csrf_key = records.derived_key("csrf tokens").into();
        let http = engine.services().http.clone();
        let provider = config.accounts.oidc.clone().map(|oidc| Arc::new(Provider::new(oidc, http)));
        Self {
            engine,
            records,
            config: Arc::new(config),
            templates: Arc::new(templates),
            metrics,
            inbox: Inbox::default(),
            epoch,
            access_tokens,
            csrf_key,
            provider,
            workspace_ids: Cache::builder().max_capacity(10_000).time_to_live(KEPT).build(),
            stopping: CancellationToken::new(),
        }
    }

    /// Waits until every body taken so far is handled. For tests and for an orderly stop.
    pub async fn settle_inbound(&self) {
        self.inbox.settle().await;
    }
}
