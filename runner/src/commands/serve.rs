//! `sluice serve`: the service, until it is told to stop.

use super::{Answer, Extra, configure, exit};
use crate::config::{Config, Role, Settings};
use crate::wiring::{Installation, explain};
use sluice_api::{ApiConfig, ApiState, Template};
use sluice_engine::document::Document;
use std::fs::{File, TryLockError};
use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A running service.
pub(super) struct Service {
    pub(super) installation: Installation,
    pub(super) config: Config,
    listener: TcpListener,
    state: ApiState,
    /// Held as long as the service runs.
    _lock: Option<File>,
}

/// Runs the service.
pub(super) async fn run(settings: Settings, extra: Extra) -> Answer {
    let config = configure(settings)?;
    let service = Service::open(config, &extra).await?;
    service.serve(stop_signal()).await
}

impl Service {
    /// Opens the installation and takes the listening address, without serving yet.
    pub(super) async fn open(mut config: Config, extra: &Extra) -> Result<Self, String> {
        let listener = TcpListener::bind(&config.listen).await.map_err(|error| {
            format!("cannot listen on {}: {error}; choose another address with --listen", config.listen)
        })?;
        // The port that was really taken: it tells this process from others on its host.
        config.listen = listener.local_addr().map_err(|error| error.to_string())?.to_string();
        check_role(&config)?;
        let lock = lock_data(&config)?;
        let installation = Installation::open(&config, extra).await?;
        let metrics = sluice_api::Metrics::install().map_err(|error| explain(&error))?;
        let state = ApiState::new(
            installation.engine.clone(),
            installation.records.clone(),
            api_config(&config)?,
            templates()?,
            metrics,
        )
        .with_connections(installation.connections.clone())
        .with_dns(Arc::new(crate::dns::NameServers::new(config.dns_server)));
        Ok(Self { installation, config, listener, state, _lock: lock })
    }

    /// Where the service listens.
    pub(super) fn address(&self) -> Result<String, String> {
        Ok(self.listener.local_addr().map_err(|error| error.to_string())?.to_string())
    }

    /// Serves until `stop` comes true, then lets what is under way come to its next commit.
    pub(super) async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Answer {
        let engine = self.installation.engine.clone();
        if self.config.role != Role::Api {
            let recovered = engine.recover().await.map_err(|error| explain(&error))?;
            if recovered > 0 {
                tracing::info!(runs = recovered, "going on with runs that were under way");
            }
        }
        engine.spawn_loops();
        sluice_api::recover_inbound(&self.state).await.map_err(|error| explain(&error))?;
        self.state.spawn_loops();
        let pruning = (self.config.role != Role::Api).then(|| {
            crate::pruning::spawn(
                &self.installation,
                self.config.keeping.clone(),
                self.state.stopping.clone(),
            )
        });
        let mail = match &self.config.mail {
            Some(settings) => Some(crate::mail::spawn(
                self.installation.records.clone(),
                settings.open()?,
                self.state.stopping.clone(),
            )),
            None => None,
        };
        let books = (self.config.role != Role::Api)
            .then(|| crate::bookkeeping::spawn(&self.installation, self.state.stopping.clone()));
        let address = self.address()?;
        tracing::info!(%address, database = self.installation.db.place(), "listening");
        let stopping = CancellationToken::new();
        let router = match self.config.role {
            Role::Runner => sluice_api::service_router(self.state.clone()),
            Role::All | Role::Api => sluice_api::router(self.state.clone()),
        };
        // With the address of each connection, for limits and the audit trail.
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        let served =
            axum::serve(self.listener, router).with_graceful_shutdown(stopping.clone().cancelled_owned());
        let served = tokio::spawn(served.into_future());
        stop.await;
        tracing::info!("stopping");
        stopping.cancel();
        self.state.stopping.cancel();
        // Bodies in hand are stored; what is not handled within the grace is taken up at the next start.
        let _ = tokio::time::timeout(self.config.shutdown_grace, self.state.settle_inbound()).await;
        engine.shut_down(self.config.shutdown_grace).await;
        if let Some(mail) = mail {
            // What is not sent by then is sent at the next start.
            let _ = tokio::time::timeout(self.config.shutdown_grace, mail).await;
        }
        for work in [pruning, books].into_iter().flatten() {
            // It was told to stop; a step is short. When it is not done in time, its transaction is taken back.
            let _ = tokio::time::timeout(self.config.shutdown_grace, work).await;
        }
        // Open event streams end with the process.
        served.abort();
        self.installation.db.close().await;
        Ok(exit(true))
    }
}

/// SQLite serves one process, which has to do everything.
fn check_role(config: &Config) -> Result<(), String> {
    if config.role != Role::All && config.database.starts_with("sqlite:") {
        return Err("the roles `api` and `runner` share one PostgreSQL database; with SQLite leave --role out, or name \
                    the server with --database postgres://…"
            .to_owned());
    }
    Ok(())
}

/// An SQLite database belongs to one running service, which thinks that it is alone.
fn lock_data(config: &Config) -> Result<Option<File>, String> {
    if !config.database.starts_with("sqlite:") || config.database.contains(":memory:") {
        return Ok(None);
    }
    let path = config.data.join("sluice.lock");
    let told = |error: &dyn std::fmt::Display| format!("{} cannot be locked: {error}", path.display());
    std::fs::create_dir_all(&config.data).map_err(|error| told(&error))?;
    let file = File::create(&path).map_err(|error| told(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(format!(
            "another sluice runs in the data folder {}; stop it first, or choose another folder with --data",
            config.data.display()
        )),
        Err(TryLockError::Error(error)) => Err(told(&error)),
    }
}

/// Comes true at SIGINT or SIGTERM.
pub(super) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        },
        Err(_) => drop(interrupt.await),
    }
}

fn api_config(config: &Config) -> Result<ApiConfig, String> {
    let link_key = crate::wiring::master_key(config)?.derive("links");
    Ok(ApiConfig {
        whatsapp_app_secrets: config.whatsapp_app_secrets.clone(),
        whatsapp_verify_token: config.whatsapp_verify_token.clone().unwrap_or_default(),
        public_url: config.public_url.clone(),
        link_key,
        accounts: config.accounts.clone(),
        ..ApiConfig::default()
    })
}

fn templates() -> Result<Vec<Template>, String> {
    let read = |(id, text): &(&str, &str)| {
        let document: Document =
            serde_json::from_str(text).map_err(|error| format!("template {id}: {error}"))?;
        Ok(Template { id: (*id).to_owned(), document })
    };
    crate::templates::TEMPLATES.iter().map(read).collect()
}
