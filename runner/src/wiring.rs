//! Puts the rooms together: database, records, nodes, engine. Only this crate knows them all.

use crate::budget::RecordBudget;
use crate::change_log::RecordedChanges;
use crate::config::{Config, Role, Synchronous};
use crate::credentials::{NodeCredentials, connections};
use sluice_db::{Db, DbOptions, Dialect};
use sluice_engine::drive::{Engine, EngineConfig};
use sluice_engine::store::Store;
use sluice_engine::testing::Host;
use sluice_node_sdk::egress::EgressPolicy;
use sluice_node_sdk::http::{HttpTransport, ScriptedHttp};
use sluice_node_sdk::node::DynNode;
use sluice_node_sdk::registry::Registry;
use sluice_node_sdk::services::{Clock, Services, SystemClock};
use sluice_node_sdk::testkit::SimClock;
use sluice_node_sdk::transport::ReqwestTransport;
use sluice_records::{Cipher, Connections, MasterKey, Records};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One installation, opened.
#[derive(Clone)]
pub struct Installation {
    /// The database.
    pub db: Db,
    /// What workflows act on.
    pub records: Records,
    /// Accounts that people connected.
    pub connections: Connections,
    /// The engine.
    pub engine: Engine,
}

/// All node types: the built-in ones and those of the host.
///
/// # Errors
/// When two share a name.
pub fn registry(records: &Records, extra: &[Arc<dyn DynNode>]) -> Result<Registry, String> {
    let nodes = sluice_nodes::all(records.clone()).into_iter().chain(extra.iter().cloned());
    Registry::new(nodes).map_err(|error| error.to_string())
}

impl Installation {
    /// Opens (and migrates) the database of a configuration and builds everything on it.
    ///
    /// # Errors
    /// A sentence for the operator: what is wrong and what to do.
    pub async fn open(config: &Config, extra: &[Arc<dyn DynNode>]) -> Result<Self, String> {
        let db = open_database(config).await?;
        db.migrate().await.map_err(|error| explain(&error))?;
        let records = Records::new(db.clone(), cipher(config)?);
        records.seed_plans().await.map_err(|error| explain(&error))?;
        let policy =
            EgressPolicy::parse(&config.egress_allow).map_err(|error| format!("egress_allow: {error}"))?;
        let http = ReqwestTransport::new(policy)
            .map_err(|error| format!("the HTTP client cannot be built: {error}"))?;
        let mut store = Store::new(db.clone()).with_log(Arc::new(RecordedChanges(records.clone())));
        if let Some(payloads) = config.payloads.open()? {
            store = store.with_payloads(payloads);
        }
        let http: Arc<dyn HttpTransport> = Arc::new(http);
        let connections = connections(&records, http.clone(), config);
        let engine = engine(store, &records, &connections, extra, Arc::new(SystemClock), http, config)?;
        Ok(Self { db, records, connections, engine })
    }
}

/// Opens the database without migrating it.
///
/// # Errors
/// A sentence for the operator.
pub(crate) async fn open_database(config: &Config) -> Result<Db, String> {
    if config.database.starts_with("sqlite:") && !config.database.contains(":memory:") {
        std::fs::create_dir_all(&config.data)
            .map_err(|error| format!("the data folder {} cannot be made: {error}", config.data.display()))?;
    }
    let mut options = DbOptions::new(config.database.clone());
    options.max_connections = config.database_connections;
    options.synchronous = match config.synchronous {
        Synchronous::Full => sluice_db::Synchronous::Full,
        Synchronous::Normal => sluice_db::Synchronous::Normal,
    };
    Db::open(options).await.map_err(|error| explain(&error))
}

/// The master keys: the current one and those of before.
///
/// # Errors
/// A sentence for the operator.
pub(crate) fn cipher(config: &Config) -> Result<Cipher, String> {
    let mut cipher = Cipher::new(master_key(config)?);
    for (at, text) in config.master_keys_earlier.iter().enumerate() {
        let key = MasterKey::parse(text)
            .map_err(|error| format!("SLUICE_MASTER_KEY_EARLIER, key {}: {error}", at + 1))?;
        cipher = cipher.with_earlier(key);
    }
    Ok(cipher)
}

/// The current master key: from the configuration, else from the data folder.
///
/// # Errors
/// A sentence for the operator.
pub(crate) fn master_key(config: &Config) -> Result<MasterKey, String> {
    match &config.master_key {
        Some(text) => MasterKey::parse(text).map_err(|error| format!("SLUICE_MASTER_KEY: {error}")),
        None => {
            std::fs::create_dir_all(&config.data).map_err(|error| {
                format!("the data folder {} cannot be made: {error}", config.data.display())
            })?;
            let path = config.data.join("master.key");
            MasterKey::load_or_create(&path)
                .map_err(|error| format!("{}: {}", path.display(), explain(&error)))
        }
    }
}

fn engine(
    store: Store,
    records: &Records,
    connections: &Connections,
    extra: &[Arc<dyn DynNode>],
    clock: Arc<dyn Clock>,
    http: Arc<dyn HttpTransport>,
    config: &Config,
) -> Result<Engine, String> {
    let services = Services {
        clock,
        http,
        credentials: Arc::new(NodeCredentials(connections.clone())),
        base_urls: Arc::new(config.base_urls.clone()),
        budget: Arc::new(RecordBudget(records.clone())),
    };
    // SQLite serves one process, PostgreSQL any number.
    let is_alone = store.dialect() == Dialect::Sqlite;
    let bounds = EngineConfig {
        max_effects: config.max_effects,
        max_effects_per_workspace: config.max_effects_per_workspace,
        max_active: config.max_active_runs,
        max_queued: config.max_queued_runs,
        is_alone,
        drives: is_alone || config.role != Role::Api,
        name: process_name(config),
        lease: config.lease,
        max_output: config.payloads.max_payload,
        ..EngineConfig::default()
    };
    Ok(Engine::new(store, registry(records, extra)?, services, bounds))
}

/// Names this process among others: by its host, and by the address that it alone can have there.
fn process_name(config: &Config) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.or_else(|| std::env::var("HOSTNAME").ok());
    format!("{}/{}", host.as_deref().map_or("localhost", str::trim), config.listen)
}

/// An error with its causes, on one line.
pub(crate) fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Builds engines whose store is in memory: for `sluice run` and `sluice test`.
pub struct MemoryHost {
    /// Nodes of the host.
    pub extra: Vec<Arc<dyn DynNode>>,
    /// Base URLs and bounds.
    pub config: Config,
}

impl MemoryHost {
    /// An empty installation in memory with one workspace, under the given clock and transport.
    ///
    /// # Errors
    /// When it cannot be built.
    pub async fn open(
        &self,
        clock: Arc<dyn Clock>,
        http: Arc<dyn HttpTransport>,
    ) -> Result<(Installation, String), String> {
        let db = Db::open(DbOptions::new("sqlite::memory:")).await.map_err(|error| explain(&error))?;
        db.migrate().await.map_err(|error| explain(&error))?;
        let key = MasterKey::generate().map_err(|error| explain(&error))?;
        let told = clock.clone();
        let records = Records::with_clock(db.clone(), Cipher::new(key), Arc::new(move || told.now_ms()));
        let workspace = records.create_workspace("test").await.map_err(|error| explain(&error))?;
        let connections = connections(&records, http.clone(), &self.config);
        let store = Store::new(db.clone());
        let engine = engine(store, &records, &connections, &self.extra, clock, http, &self.config)?;
        Ok((Installation { db, records, connections, engine }, workspace.id))
    }

    /// The transport that reaches the real outside, under the configured guard.
    ///
    /// # Errors
    /// When the guard's list is wrong.
    pub fn outside(&self) -> Result<Arc<dyn HttpTransport>, String> {
        let policy = EgressPolicy::parse(&self.config.egress_allow)
            .map_err(|error| format!("egress_allow: {error}"))?;
        let http = ReqwestTransport::new(policy)
            .map_err(|error| format!("the HTTP client cannot be built: {error}"))?;
        Ok(Arc::new(http))
    }
}

impl Host for MemoryHost {
    async fn engine(
        &self,
        clock: Arc<SimClock>,
        http: Arc<ScriptedHttp>,
    ) -> Result<(Engine, String), String> {
        let (installation, workspace) = self.open(clock, http).await?;
        seed(&installation.records, &workspace, &self.config.base_urls).await?;
        Ok((installation.engine, workspace))
    }
}

/// What workflow tests may rely on: a connected number with its credential.
async fn seed(
    records: &Records,
    workspace: &str,
    _base_urls: &BTreeMap<String, String>,
) -> Result<(), String> {
    use sluice_records::{NewCredential, NewNumber, Secret};
    let credential = NewCredential {
        name: "whatsapp".to_owned(),
        kind: "whatsapp".to_owned(),
        public: serde_json::json!({}),
        secret: Secret::new(serde_json::json!({ "access_token": "test-token" })),
    };
    records.create_credential(workspace, credential).await.map_err(|error| explain(&error))?;
    let number = NewNumber {
        phone_number_id: "106540352242922".to_owned(),
        waba_id: "102290129340398".to_owned(),
        display_phone_number: "15550783881".to_owned(),
        verified_name: Some("Test business".to_owned()),
        credential: "whatsapp".to_owned(),
    };
    records.connect_number(workspace, number).await.map_err(|error| explain(&error))?;
    Ok(())
}
