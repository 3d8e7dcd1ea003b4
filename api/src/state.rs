//! What all handlers share. Must not know routes.

use crate::config::ApiConfig;
use crate::inbox::Inbox;
use crate::metrics::Metrics;
use crate::oidc::Provider;
use crate::session::AccessTokens;
use moka::sync::Cache;
use sluice_engine::document::Document;
use sluice_engine::drive::Engine;
use sluice_records::branding::TxtLookup;
use sluice_records::{Actor, Connections, RecordError, Records};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the id of a workspace is kept under its name, and how long a process may not know of a suspension.
const KEPT: Duration = Duration::from_secs(10);

/// A built-in workflow that can be installed.
#[derive(Clone, Debug)]
pub struct Template {
    /// Stable name, such as `keyword-reply`.
    pub id: String,
    /// The workflow.
    pub document: Document,
}

/// What all handlers share. Cheap to clone: every layer around a handler has one of its own per request.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

impl Deref for ApiState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The parts of an [`ApiState`].
#[derive(Clone)]
pub struct Shared {
    /// Runs workflows.
    pub engine: Engine,
    /// Contacts, conversations, credentials, keys.
    pub records: Records,
    /// Accounts that people connected; none where no provider is configured.
    pub connections: Option<Connections>,
    /// Looks proofs of host names up.
    pub dns: Arc<dyn TxtLookup>,
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
        let records = records.with_pages(&config.public_url);
        let epoch = engine.new_id("live").into();
        let access_tokens = AccessTokens::new(&records.derived_key("access tokens"), &config.public_url);
        let csrf_key = records.derived_key("csrf tokens").into();
        let http = engine.services().http.clone();
        let provider = config.accounts.oidc.clone().map(|oidc| Arc::new(Provider::new(oidc, http)));
        Self(Arc::new(Shared {
            engine,
            records,
            connections: None,
            dns: Arc::new(NoNameServer),
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
        }))
    }

    /// The same under other decisions of the operator.
    #[must_use]
    pub fn with_config(&self, config: ApiConfig) -> Self {
        Self(Arc::new(Shared { config: Arc::new(config), ..Shared::clone(&self.0) }))
    }

    /// Tells the engine in which workspaces nothing may start.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close_inactive_workspaces(&self) -> Result<(), RecordError> {
        self.engine.close_workspaces(self.records.inactive_workspaces().await?);
        Ok(())
    }

    /// Does so until the server stops: somebody may be suspended by another process.
    pub(crate) async fn close_inactive_workspaces_for_ever(self) {
        loop {
            if let Err(failure) = self.close_inactive_workspaces().await {
                tracing::warn!(
                    error = &failure as &dyn std::error::Error,
                    "who is suspended could not be read"
                );
            }
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(KEPT) => {}
            }
        }
    }

    /// The same state for somebody: what is changed through it is signed by them.
    pub(crate) fn acting(&self, actor: &Actor) -> Self {
        self.with_engine(self.engine.acting(actor.signature()), self.records.acting(actor.clone()))
    }

    /// The same state, whose saving of drafts goes into the log under another word than `created` or `updated`.
    pub(crate) fn calling_it(&self, verb: &'static str) -> Self {
        self.with_engine(self.engine.calling_it(verb), self.records.clone())
    }

    fn with_engine(&self, engine: Engine, records: Records) -> Self {
        Self(Arc::new(Shared { engine, records, ..Shared::clone(self) }))
    }

    /// The same with providers at which people can connect accounts.
    #[must_use]
    pub fn with_connections(self, connections: Connections) -> Self {
        Self(Arc::new(Shared { connections: Some(connections), ..Shared::clone(&self) }))
    }

    /// The same with somebody who knows the DNS.
    #[must_use]
    pub fn with_dns(self, dns: Arc<dyn TxtLookup>) -> Self {
        Self(Arc::new(Shared { dns, ..Shared::clone(&self) }))
    }

    /// Waits until every body taken so far is handled. For tests and for an orderly stop.
    pub async fn settle_inbound(&self) {
        self.inbox.settle().await;
    }
}

/// Where nobody said whom to ask.
struct NoNameServer;

impl TxtLookup for NoNameServer {
    fn txt<'a>(
        &'a self,
        _: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<String>, String>> + Send + 'a>> {
        Box::pin(async { Err("no name server is configured".to_owned()) })
    }
}
