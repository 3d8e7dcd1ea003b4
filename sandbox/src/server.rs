//! The listener and the way of a request: read it, write it down, let fault rules decide, hand it to its provider.
//!
//! It must not know how a provider answers.

use crate::clock::ShiftedClock;
use crate::config::SandboxConfig;
use crate::control;
use crate::exchange::{Call, Reply};
use crate::faults::{Answer, Faults, Verdict, When};
use crate::journal::{Journal, RequestEntry};
use crate::oauth::{self, OAuth};
use crate::smtp::{self, MailEntry, Smtp};
use crate::whatsapp::{self, GraphError, WhatsApp};
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Largest request body: a document of 100 MB (Meta's media page) and its multipart frame.
const MAX_BODY: usize = 101 * 1024 * 1024;

/// The sandbox could not be started or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address cannot be listened on.
    #[error(
        "sandbox_listen: the sandbox cannot listen on {address}; choose another address or stop what uses it"
    )]
    Listen {
        /// What was asked for.
        address: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The HTTP client for webhooks cannot be built.
    #[error("sandbox_client: the HTTP client for webhooks cannot be built")]
    Client(#[source] reqwest::Error),
    /// The server stopped with an error.
    #[error("sandbox_serve: the sandbox stopped")]
    Serve(#[source] std::io::Error),
}

/// Everything behind the routes.
pub(crate) struct Shared {
    pub(crate) config: Arc<SandboxConfig>,
    pub(crate) clock: Arc<ShiftedClock>,
    pub(crate) journal: Journal,
    pub(crate) faults: Arc<Faults>,
    pub(crate) whatsapp: Arc<WhatsApp>,
    pub(crate) oauth: OAuth,
    pub(crate) smtp: Arc<Smtp>,
    /// `host:port` of the mail server, once there is one.
    pub(crate) smtp_listening: OnceLock<String>,
    /// `http://host:port` of the listener, once there is one.
    listening: OnceLock<String>,
}

impl Shared {
    fn new(config: SandboxConfig, shutdown: CancellationToken) -> Result<Arc<Self>, SandboxError> {
        let config = Arc::new(config);
        let clock = Arc::new(ShiftedClock::over(config.clock.clone()));
        let faults = Arc::new(Faults::default());
        let whatsapp = WhatsApp::new(config.clone(), clock.clone(), faults.clone(), shutdown);
        let whatsapp = Arc::new(whatsapp.map_err(SandboxError::Client)?);
        let oauth = OAuth::new(config.oauth.clone(), clock.clone());
        let smtp = Arc::new(Smtp::new(clock.clone()));
        Ok(Arc::new(Self {
            config,
            smtp,
            smtp_listening: OnceLock::new(),
            clock,
            journal: Journal::new(),
            faults,
            whatsapp,
            oauth,
            listening: OnceLock::new(),
        }))
    }

    /// What URLs in answers start with, if it is known without the request.
    pub(crate) fn base_url(&self) -> Option<&str> {
        self.config.base_url.as_deref().or_else(|| self.listening.get().map(String::as_str))
    }

    pub(crate) fn reset(&self) {
        self.faults.clear();
        self.journal.clear();
        self.whatsapp.reset();
        self.oauth.reset();
        self.smtp.reset();
        self.clock.reset();
    }

    fn routes(self: Arc<Self>) -> Router {
        control::routes().layer(DefaultBodyLimit::max(MAX_BODY)).fallback(provider).with_state(self)
    }
}

/// The routes of a sandbox for a server of one's own. Background work ends with `shutdown`.
///
/// # Errors
/// [`SandboxError::Client`] if no HTTP client can be built.
pub fn router(config: SandboxConfig, shutdown: CancellationToken) -> Result<Router, SandboxError> {
    Ok(Shared::new(config, shutdown)?.routes())
}

/// Serves a sandbox on `listener` until `shutdown` is cancelled.
///
/// # Errors
/// [`SandboxError`] if it cannot be started or the listener fails.
pub async fn serve(
    listener: TcpListener,
    config: SandboxConfig,
    shutdown: CancellationToken,
) -> Result<(), SandboxError> {
    let shared = Shared::new(config, shutdown.clone())?;
    run(shared, listener, shutdown).await
}

async fn run(
    shared: Arc<Shared>,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), SandboxError> {
    if let Ok(address) = listener.local_addr() {
        shared.listening.get_or_init(|| format!("http://{address}"));
    }
    let service = shared.routes();
    // Long polls of clients must not hold up the end.
    let server = axum::serve(listener, service);
    tokio::select! {
        result = server => result.map_err(SandboxError::Serve),
        () = shutdown.cancelled() => Ok(()),
    }
}

/// A running sandbox. Dropping it ends it.
pub struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    mail_address: SocketAddr,
    shutdown: CancellationToken,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts a sandbox on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`SandboxError`] if there is no free port or no HTTP client can be built.
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        Self::start_on("127.0.0.1:0", config).await
    }

    /// Starts a sandbox on `address` (`host:port`).
    ///
    /// # Errors
    /// [`SandboxError`] if the address is taken or no HTTP client can be built.
    pub async fn start_on(address: &str, config: SandboxConfig) -> Result<Self, SandboxError> {
        let refused = |source| SandboxError::Listen { address: address.to_owned(), source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let bound = listener.local_addr().map_err(refused)?;
        let mail_address = config.smtp_listen.clone();
        let refused = |source| SandboxError::Listen { address: mail_address.clone(), source };
        let mail_listener = TcpListener::bind(&mail_address).await.map_err(refused)?;
        let mail_bound = mail_listener.local_addr().map_err(refused)?;
        let shutdown = CancellationToken::new();
        let shared = Shared::new(config, shutdown.clone())?;
        shared.listening.get_or_init(|| format!("http://{bound}"));
        shared.smtp_listening.get_or_init(|| mail_bound.to_string());
        tokio::spawn(smtp::serve(shared.smtp.clone(), mail_listener, shutdown.clone()));
        tokio::spawn({
            let (shared, shutdown) = (shared.clone(), shutdown.clone());
            async move {
                if let Err(error) = run(shared, listener, shutdown).await {
                    tracing::error!(%error, "sandbox stopped");
                }
            }
        });
        Ok(Self { shared, address: bound, mail_address: mail_bound, shutdown })
    }

    /// `smtp://host:port` of the mail server.
    pub fn smtp_url(&self) -> String {
        format!("smtp://{}", self.mail_address)
    }

    /// Messages that the mail server took after number `since`, in order.
    pub fn mail(&self, since: u64) -> Vec<MailEntry> {
        self.shared.smtp.mail.since(since, |_| true).0
    }

    /// `http://host:port`, to be used in place of `https://graph.facebook.com`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Connects the server that gets the webhooks, or none. The callback is not verified.
    pub fn connect(&self, webhook_url: Option<&str>) {
        self.shared.whatsapp.connect(webhook_url.map(str::to_owned));
    }

    /// What providers' paths received after number `since`, in order.
    pub fn requests(&self, since: u64) -> Vec<RequestEntry> {
        self.shared.journal.since(since, |_| true).0
    }

    /// Adds fault rules; see [`crate::faults::Rule`].
    pub fn add_faults(&self, rules: Vec<crate::faults::Rule>) {
        self.shared.faults.add(rules);
    }

    /// Forgets everything but the configuration and the connected callback.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Moves the sandbox's own time forward, for windows, limits, expiry and repeated webhooks.
    pub fn advance(&self, ms: i64) {
        self.shared.clock.advance(ms);
    }

    /// Ends the server and all background work.
    pub fn stop(&self) {
        self.shutdown.cancel();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Every path that is not `/_sandbox` belongs to a provider.
async fn provider(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let (call, complete) = read(request).await;
    let seq = shared.journal.push(|seq| RequestEntry {
        seq,
        at: shared.clock.now_ms(),
        method: call.method.to_string(),
        path: call.path.clone(),
        query: call.journal_query(),
        headers: call.journal_headers(),
        body: call.journal_body(),
        status: None,
        answer: serde_json::Value::Null,
    });
    // A client that goes away must not undo half of what it asked for.
    let worker = tokio::spawn({
        let shared = shared.clone();
        async move { if complete { decide(&shared, &call).await } else { too_large() } }
    });
    let reply = worker.await.unwrap_or_else(|_| GraphError::of(131000).reply());
    let (status, answer) = reply.summary();
    shared.journal.update(seq, |entry| {
        entry.status = status;
        entry.answer = answer;
    });
    reply.into_response()
}

/// Reads the request; `false` if its body is too large or broke off.
async fn read(request: Request<Body>) -> (Call, bool) {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_BODY).await;
    let query = head.uri.query().unwrap_or_default();
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let complete = body.is_ok();
    let call = Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query,
        headers: head.headers,
        body: body.unwrap_or_else(|_| Bytes::new()),
    };
    (call, complete)
}

fn too_large() -> Reply {
    let reply = GraphError::with_details(100, "The request body is larger than 101 MB or broke off.").reply();
    Reply { status: StatusCode::PAYLOAD_TOO_LARGE, ..reply }
}

async fn decide(shared: &Shared, call: &Call) -> Reply {
    let is_oauth = oauth::owns(&call.path);
    let probe = if is_oauth { oauth::probe(call) } else { whatsapp::probe(&shared.whatsapp, call) };
    let verdict = shared.faults.judge(&probe, shared.clock.now_ms());
    shared.clock.sleep(verdict.delay_ms).await;
    if verdict.drop == Some(When::Before) {
        return Reply::dropped();
    }
    let reply = match &verdict {
        Verdict { answer: Some(answer), .. } => planned(shared, &probe.object, answer),
        // Providers are told apart here, by the path.
        _ if is_oauth => oauth::handle(&shared.oauth, call, shared.base_url()),
        _ => whatsapp::handle(&shared.whatsapp, call, shared.base_url()).await,
    };
    shared.clock.sleep(verdict.delay_answer_ms).await;
    if verdict.drop == Some(When::After) { Reply::dropped() } else { reply }
}

fn planned(shared: &Shared, object: &str, answer: &Answer) -> Reply {
    match answer {
        Answer::Error(spec) => {
            let error = GraphError::from_spec(spec);
            let regain = error.regain_access_minutes().unwrap_or(0);
            whatsapp::with_rate_headers(&shared.whatsapp, &[object.to_owned()], error.reply(), regain)
        }
        Answer::Raw { status, content_type, body, headers } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
            let reply = Reply::bytes(status, content_type, Bytes::from(body.clone()));
            headers.iter().fold(reply, |reply, (name, value)| reply.with_header(name, value))
        }
    }
}
