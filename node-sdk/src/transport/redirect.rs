//! Redirects, followed by our own hand so that every hop passes the guard and no secret leaves its origin.
//! Works on values only; it must not send anything.

use crate::error::{ErrorKind, NodeError};
use crate::http::{Destination, HttpRequest, HttpResponse};
use bytes::Bytes;
use url::Url;

/// One request of a chain.
pub(super) struct Hop {
    pub(super) method: String,
    pub(super) url: Url,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
    pub(super) destination: Destination,
    left: u8,
    follow: bool,
    /// An earlier hop of the chain has already handled a request that changes something.
    acted: bool,
}

/// The only fields that go along to another origin. Everything else may be a secret: API keys travel under
/// any name.
const HARMLESS: [&str; 8] = [
    "accept",
    "accept-language",
    "accept-encoding",
    "cache-control",
    "content-type",
    "range",
    "user-agent",
    "content-language",
];

impl Hop {
    pub(super) fn first(request: HttpRequest) -> Result<Self, NodeError> {
        let url = Url::parse(&request.url).map_err(|error| {
            NodeError::invalid_params(format!("`{}` is no URL: {error}", without_query(&request.url)))
                .code("invalid_url")
                .at("/url")
        })?;
        Ok(Self {
            method: request.method,
            url,
            headers: request.headers,
            body: request.body,
            destination: request.destination,
            left: request.max_redirects,
            follow: request.max_redirects > 0,
            acted: false,
        })
    }

    /// The next hop when `response` asks for one and redirects are followed.
    ///
    /// # Errors
    /// `Rejected` with code `too_many_redirects` or `invalid_redirect`.
    pub(super) fn next(&self, response: &HttpResponse) -> Result<Option<Self>, NodeError> {
        let target = match response.status {
            301 | 302 | 303 | 307 | 308 if self.follow => response.header("location"),
            _ => None,
        };
        let Some(target) = target else { return Ok(None) };
        if self.left == 0 {
            return Err(NodeError::rejected("More redirects than allowed").code("too_many_redirects"));
        }
        let url = self.url.join(target).map_err(|_| {
            NodeError::rejected("The redirect leads to something that is no URL").code("invalid_redirect")
        })?;
        let becomes_get = match response.status {
            303 => self.method != "HEAD",
            301 | 302 => self.method == "POST",
            _ => false,
        };
        let same_origin = url.origin() == self.url.origin();
        let keep = |name: &str| {
            let name = name.to_ascii_lowercase();
            (same_origin || HARMLESS.contains(&name.as_str()))
                && !(becomes_get && name.starts_with("content-"))
        };
        let headers = self.headers.iter().filter(|(name, _)| keep(name)).cloned().collect();
        Ok(Some(Self {
            method: if becomes_get { "GET".to_owned() } else { self.method.clone() },
            url,
            headers,
            body: if becomes_get { Bytes::new() } else { self.body.clone() },
            // The operator trusts the place it named, not where that place points to.
            destination: if same_origin { self.destination } else { Destination::User },
            left: self.left - 1,
            follow: true,
            acted: self.acted || (becomes_get && !is_safe(&self.method)),
        }))
    }

    /// The error of this hop, seen from the start of the chain: when a POST was answered by a redirect to
    /// its result page, failing to fetch that page does not mean that nothing happened.
    pub(super) fn after_earlier_hops(&self, mut error: NodeError) -> NodeError {
        if self.acted && matches!(error.kind, ErrorKind::Unavailable | ErrorKind::InvalidParams) {
            error.kind = ErrorKind::UnknownOutcome;
        }
        error
    }
}

fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
