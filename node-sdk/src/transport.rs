//! The real way out: [`ReqwestTransport`] sends requests under an [`EgressPolicy`], follows redirects itself
//! and tells apart what certainly did not arrive from what may have. It must not know who asks.
//!
//! Two clients, because a connection pool must not be shared between guarded and trusted destinations.
//! Proxies from the environment are ignored: a proxy would resolve names behind the guard's back.

use crate::egress::{EgressPolicy, Verdict, check_form, refused};
use crate::error::NodeError;
use crate::http::{Destination, HttpRequest, HttpResponse, HttpTransport};
use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

mod progress;
mod redirect;

use progress::{NoteConnecting, Watched};

/// Longest time to look up a name, connect and shake hands.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Turns a host name into addresses. A seam for tests; [`SystemLookup`] asks the operating system.
pub trait Lookup: Send + Sync + 'static {
    /// All addresses of the name.
    fn lookup(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>>;
}

/// Name look-up by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// Why there is no transport.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up")]
pub struct TransportError(#[from] reqwest::Error);

/// The transport that servers and command-line runs use.
#[derive(Clone)]
pub struct ReqwestTransport {
    policy: Arc<EgressPolicy>,
    guarded: reqwest::Client,
    trusted: reqwest::Client,
    has_trust_roots: bool,
}

impl ReqwestTransport {
    /// A transport under this policy.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(policy: EgressPolicy) -> Result<Self, TransportError> {
        Self::with_lookup(policy, Arc::new(SystemLookup))
    }

    /// The same with another name look-up.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn with_lookup(policy: EgressPolicy, lookup: Arc<dyn Lookup>) -> Result<Self, TransportError> {
        let policy = Arc::new(policy);
        let guard = Resolver { lookup: lookup.clone(), guard: Some(policy.clone()) };
        let (guarded, has_trust_roots) = client(guard)?;
        let (trusted, _) = client(Resolver { lookup, guard: None })?;
        Ok(Self { policy, guarded, trusted, has_trust_roots })
    }

    /// Whether the machine has CA certificates. Without them every `https` request fails as `unavailable`.
    pub fn has_trust_roots(&self) -> bool {
        self.has_trust_roots
    }

    /// The client for this hop, after all checks that can be made before connecting.
    fn client_for(&self, url: &Url, destination: Destination) -> Result<&reqwest::Client, NodeError> {
        match destination {
            Destination::Operator => check_form(url).map(|()| &self.trusted),
            Destination::User => match self.policy.check_url(url)? {
                Verdict::Opened => Ok(&self.trusted),
                Verdict::CheckName => Ok(&self.guarded),
            },
        }
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, NodeError> {
        let deadline = Instant::now() + Duration::from_millis(request.timeout_ms);
        let limit = request.max_response_bytes;
        let mut hop = redirect::Hop::first(request)?;
        loop {
            let result = self.one_hop(&hop, deadline, limit).await;
            let response = result.map_err(|error| hop.after_earlier_hops(error))?;
            match hop.next(&response)? {
                Some(next) => hop = next,
                None => return Ok(response),
            }
        }
    }

    async fn one_hop(
        &self,
        hop: &redirect::Hop,
        deadline: Instant,
        limit: u64,
    ) -> Result<HttpResponse, NodeError> {
        let client = self.client_for(&hop.url, hop.destination)?;
        let host = hop.url.host_str().unwrap_or_default().to_owned();
        let request = client
            .request(method(&hop.method)?, hop.url.clone())
            .headers(headers(&hop.headers)?)
            .body(hop.body.clone())
            .build()
            .map_err(|error| NodeError::invalid_params(plain(error)).code("invalid_request"))?;
        let watched = Watched::new(client.execute(request));
        let connecting = watched.connecting();
        let answer = match tokio::time::timeout_at(deadline, watched).await {
            Ok(answer) => answer.map_err(|error| send_error(&host, error))?,
            Err(_) if connecting.get() => {
                return Err(NodeError::unavailable(format!(
                    "No connection to `{host}` within the time limit"
                ))
                .code("connect_timeout"));
            }
            Err(_) => return Err(timed_out(&host)),
        };
        match tokio::time::timeout_at(deadline, read(answer, limit, &host)).await {
            Ok(response) => response,
            Err(_) => Err(timed_out(&host)),
        }
    }
}

impl HttpTransport for ReqwestTransport {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, NodeError>> {
        Box::pin(self.exchange(request))
    }
}

/// A client, and whether the machine had CA certificates for it.
fn client(resolver: Resolver) -> Result<(reqwest::Client, bool), reqwest::Error> {
    let resolver = Arc::new(resolver);
    let builder = || {
        reqwest::Client::builder()
            .user_agent(concat!("Sluice/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_LIMIT)
            .connector_layer(NoteConnecting)
            .dns_resolver(resolver.clone())
    };
    match builder().build() {
        Ok(client) => Ok((client, true)),
        // A machine without CA certificates can still run the sandbox and talk plain HTTP. With an empty
        // list of roots every TLS handshake fails, which is the safe side.
        Err(_) => Ok((builder().tls_certs_only(Vec::new()).build()?, false)),
    }
}

/// Looks names up and, when guarding, refuses what leads to a closed address. reqwest dials exactly the
/// addresses returned here, so a name that changes its mind later (rebinding) gains nothing.
struct Resolver {
    lookup: Arc<dyn Lookup>,
    guard: Option<Arc<EgressPolicy>>,
}

/// The guard's refusal, as an error that can be found again under reqwest's own.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refusal(String);

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let guard = self.guard.clone();
        let name = name.as_str().to_owned();
        let found = self.lookup.lookup(name.clone());
        Box::pin(async move {
            let addresses = found.await?;
            if addresses.is_empty() {
                return Err(std::io::Error::other("the name has no address").into());
            }
            if let Some(policy) = guard {
                policy.check_resolved(&name, &addresses).map_err(Refusal)?;
            }
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as reqwest::dns::Addrs)
        })
    }
}

fn method(name: &str) -> Result<reqwest::Method, NodeError> {
    let method = reqwest::Method::from_bytes(name.as_bytes());
    method
        .ok()
        .filter(|method| *method != reqwest::Method::CONNECT && *method != reqwest::Method::TRACE)
        .ok_or_else(|| {
            NodeError::invalid_params(format!("`{name}` is no HTTP method for this")).at("/method")
        })
}

/// Header fields that the connection sets itself; a second opinion could smuggle a request.
const RESERVED_HEADERS: [&str; 7] =
    ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"];

fn headers(fields: &[(String, String)]) -> Result<HeaderMap, NodeError> {
    let mut map = HeaderMap::with_capacity(fields.len());
    for (name, value) in fields {
        let bad = |why: &str| {
            NodeError::invalid_params(format!("Header `{name}`: {why}")).code("invalid_header").at("/headers")
        };
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("not a header name"))?;
        if RESERVED_HEADERS.contains(&key.as_str()) {
            return Err(bad("is set by the connection and cannot be chosen"));
        }
        let value =
            HeaderValue::from_str(value).map_err(|_| bad("the value has characters no header may have"))?;
        map.append(key, value);
    }
    Ok(map)
}

/// Reads the answer, counting bytes after decompression.
async fn read(mut answer: reqwest::Response, limit: u64, host: &str) -> Result<HttpResponse, NodeError> {
    let too_large = || {
        NodeError::invalid_input(format!("The answer of `{host}` is larger than {limit} bytes"))
            .code("response_too_large")
    };
    if answer.content_length().is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| send_error(host, error))? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    let headers = answer.headers().iter();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Ok(HttpResponse {
        status: answer.status().as_u16(),
        headers: headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        url: answer.url().to_string(),
        body: Bytes::from(body),
    })
}

fn timed_out(host: &str) -> NodeError {
    NodeError::unknown_outcome(format!("`{host}` did not answer within the time limit"))
        .code("response_timeout")
}

/// Maps a transport failure: refused by the guard, never connected, or broken after sending.
fn send_error(host: &str, error: reqwest::Error) -> NodeError {
    let mut causes = std::iter::successors(Some(&error as &dyn std::error::Error), |cause| cause.source());
    if let Some(refusal) = causes.find_map(|cause| cause.downcast_ref::<Refusal>()) {
        return refused(&refusal.0);
    }
    if error.is_builder() {
        return NodeError::invalid_params(plain(error)).code("invalid_request");
    }
    if error.is_dns() {
        return NodeError::unavailable(format!("The name `{host}` could not be resolved: {}", plain(error)))
            .code("name_not_resolved");
    }
    if error.is_connect() {
        return NodeError::unavailable(format!("Could not connect to `{host}`: {}", plain(error)))
            .code("connection_failed");
    }
    NodeError::unknown_outcome(format!(
        "The connection to `{host}` broke after the request was sent: {}",
        plain(error)
    ))
    .code("connection_broken")
}

/// The innermost cause, without the URL (its query may hold a secret).
fn plain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |cause| cause.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}
