//! The way out over HTTP: a request, a response, and the transport that carries them. The real transport
//! (with the egress guard) lives in `egress`; tests script the answers with [`ScriptedHttp`].

use crate::error::NodeError;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Who chose the destination; decides whether the egress guard applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    /// A person who builds workflows: private addresses are refused, redirects included.
    #[default]
    User,
    /// The operator, through a configured base URL.
    Operator,
}

/// An HTTP request.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// Method in capitals.
    pub method: String,
    /// Absolute URL with scheme `http` or `https`.
    pub url: String,
    /// Header fields, in order.
    pub headers: Vec<(String, String)>,
    /// Body; empty for none.
    pub body: Bytes,
    /// Limit for the whole exchange, milliseconds.
    pub timeout_ms: u64,
    /// Largest accepted response body, bytes, counted after decompression.
    pub max_response_bytes: u64,
    /// How many redirects to follow; 0 returns the redirect itself.
    pub max_redirects: u8,
    /// Who chose the URL.
    pub destination: Destination,
}

impl HttpRequest {
    /// A request with empty body, 30 s, 10 MiB and no redirects.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self {
            method: method.to_ascii_uppercase(),
            url: url.into(),
            headers: Vec::new(),
            body: Bytes::new(),
            timeout_ms: 30_000,
            max_response_bytes: 10 * 1024 * 1024,
            max_redirects: 0,
            destination: Destination::User,
        }
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets a JSON body and its content type.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = Bytes::from(body.to_string());
        self.header("content-type", "application/json")
    }

    /// Marks the URL as the operator's choice.
    #[must_use]
    pub fn to_operator_url(mut self) -> Self {
        self.destination = Destination::Operator;
        self
    }
}

/// An HTTP response, read to its end.
#[derive(Clone, Debug, Default)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Header fields with lower-case names.
    pub headers: Vec<(String, String)>,
    /// Body after decompression.
    pub body: Bytes,
    /// The URL that answered, after redirects.
    pub url: String,
}

impl HttpResponse {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether the status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Carries requests. Implementations never follow a redirect or open an address that the guard refuses.
pub trait HttpTransport: Send + Sync + 'static {
    /// Sends a request and reads the whole answer. Any status is an answer, not an error.
    ///
    /// Errors: `Unavailable` when the request certainly did not arrive (name, connection, TLS),
    /// `UnknownOutcome` when the connection broke or timed out after the request was sent,
    /// `InvalidParams` with code `egress_refused` for a forbidden address, `InvalidInput` with code
    /// `response_too_large`.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, NodeError>>;

    /// Whether an answer can be had for this request; scripted transports have a closed list.
    fn answers(&self, _request: &HttpRequest) -> bool {
        true
    }

    /// Whether answers come from a script, so that nothing reaches the outside.
    fn is_scripted(&self) -> bool {
        false
    }
}

/// An answer of the outside, written in a workflow test or a node example.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedReply {
    /// Which requests it answers.
    #[serde(default, rename = "match")]
    pub matches: RequestMatch,
    /// The answer.
    pub reply: ReplyScript,
    /// How often it answers; without limit when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// Which requests a script answers; what is missing matches anything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestMatch {
    /// Method, any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// URL or the end of one; `*` stands for any run of characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Path of the URL; `*` stands for any run of characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A JSON value that the body must contain (objects: every key given must match).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// A scripted answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyScript {
    /// Status, 200 when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Header fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Text is sent as it is, anything else as JSON.
    #[serde(default)]
    pub body: Value,
    /// Fail in place of an answer: `unavailable`, `timeout` or `unknown_outcome`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<crate::error::ErrorKind>,
}

/// A transport whose answers are written down. Unmatched requests fail with `no_scripted_reply`.
#[derive(Debug, Default)]
pub struct ScriptedHttp {
    replies: Mutex<Vec<ScriptedReply>>,
    sent: Mutex<Vec<HttpRequest>>,
}

impl ScriptedHttp {
    /// Answers from `replies`, asked in order.
    pub fn new(replies: Vec<ScriptedReply>) -> Self {
        Self { replies: Mutex::new(replies), sent: Mutex::default() }
    }

    /// What was sent so far.
    pub fn sent(&self) -> Vec<HttpRequest> {
        self.sent.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn take(&self, request: &HttpRequest) -> Option<ReplyScript> {
        let mut replies = self.replies.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let found =
            replies.iter_mut().find(|script| script.times != Some(0) && script.matches.accepts(request))?;
        if let Some(times) = &mut found.times {
            *times -= 1;
        }
        Some(found.reply.clone())
    }
}

impl HttpTransport for ScriptedHttp {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, NodeError>> {
        let reply = self.take(&request);
        let answer = match reply {
            None => Err(NodeError::unavailable(format!(
                "The test has no scripted answer for {} {}",
                request.method, request.url
            ))
            .code("no_scripted_reply")),
            Some(ReplyScript { error: Some(kind), .. }) => {
                Err(NodeError::new(kind, "The test scripted this failure"))
            }
            Some(reply) => Ok(reply.response(&request.url)),
        };
        self.sent.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(request);
        Box::pin(std::future::ready(answer))
    }

    fn answers(&self, request: &HttpRequest) -> bool {
        let replies = self.replies.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        replies.iter().any(|script| script.times != Some(0) && script.matches.accepts(request))
    }

    fn is_scripted(&self) -> bool {
        true
    }
}

impl ReplyScript {
    fn response(self, url: &str) -> HttpResponse {
        let mut headers: Vec<(String, String)> =
            self.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        let body = match self.body {
            Value::Null => Bytes::new(),
            Value::String(text) => Bytes::from(text),
            other => {
                if !headers.iter().any(|(name, _)| name == "content-type") {
                    headers.push(("content-type".to_owned(), "application/json".to_owned()));
                }
                Bytes::from(other.to_string())
            }
        };
        HttpResponse { status: self.status.unwrap_or(200), headers, body, url: url.to_owned() }
    }
}

impl RequestMatch {
    fn accepts(&self, request: &HttpRequest) -> bool {
        let path_of = |url: &str| url::Url::parse(url).map(|url| url.path().to_owned()).unwrap_or_default();
        self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && self.url.as_ref().is_none_or(|url| {
                wildcard(url, &request.url) || (!url.contains('*') && request.url.ends_with(url.as_str()))
            })
            && self.path.as_ref().is_none_or(|path| wildcard(path, &path_of(&request.url)))
            && self.body.as_ref().is_none_or(|wanted| {
                serde_json::from_slice(&request.body).is_ok_and(|body: Value| contains(&body, wanted))
            })
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any run of characters.
fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// Whether `whole` has everything that `part` names.
pub fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|found| contains(found, value)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| contains(whole, part))
        }
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (whole, part) => whole == part,
    }
}
