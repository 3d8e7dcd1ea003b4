//! One buffered request and its answer, in the form all stand-ins share.
//!
//! It must not know any provider.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// Text bodies longer than this are cut in the journal; JSON bodies up to the providers' own limits are kept whole.
const JOURNAL_TEXT: usize = 64 * 1024;

/// A request, read completely.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    /// The last value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: impl axum::http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Path segments, decoded, without empty ones.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path.split('/').filter(|part| !part.is_empty()).map(percent_decode).collect()
    }

    pub(crate) fn journal_query(&self) -> Value {
        let mut all = Map::new();
        for (key, value) in &self.query {
            all.insert(key.clone(), shown(key, value));
        }
        Value::Object(all)
    }

    pub(crate) fn journal_headers(&self) -> Value {
        let mut all = Map::new();
        for (name, value) in &self.headers {
            let secret = [header::AUTHORIZATION, header::COOKIE].contains(name);
            let shown = if secret { "[hidden]".into() } else { String::from_utf8_lossy(value.as_bytes()) };
            all.insert(name.as_str().to_owned(), Value::from(shown));
        }
        Value::Object(all)
    }

    pub(crate) fn journal_body(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        if let Ok(value) = serde_json::from_slice(&self.body) {
            return value;
        }
        let kind = self.header(header::CONTENT_TYPE).unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            let fields = url::form_urlencoded::parse(&self.body);
            return fields.map(|(key, value)| (key.clone().into_owned(), shown(&key, &value))).collect();
        }
        match std::str::from_utf8(&self.body) {
            Ok(text) if text.len() <= JOURNAL_TEXT => Value::from(text),
            _ => json!({ "bytes": self.body.len() }),
        }
    }
}

/// What the journal shows of a parameter.
fn shown(name: &str, value: &str) -> Value {
    const SECRET: [&str; 6] =
        ["access_token", "client_secret", "code", "code_verifier", "refresh_token", "token"];
    if SECRET.contains(&name) { "[hidden]".into() } else { value.into() }
}

fn percent_decode(text: &str) -> String {
    // A query parser decodes the same escapes; `+` must be protected because it means itself in a path.
    let protected = text.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={protected}").as_bytes())
        .next()
        .map_or_else(|| text.to_owned(), |(_, value)| value.into_owned())
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
}

/// The body of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Json(Value),
    Bytes(Bytes),
    /// The connection is closed without an answer.
    Dropped,
}

impl Reply {
    pub(crate) fn json(status: StatusCode, body: Value) -> Self {
        Self { status, headers: HeaderMap::new(), content: Content::Json(body) }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(crate) fn bytes(status: StatusCode, content_type: &str, body: Bytes) -> Self {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(content_type) {
            headers.insert(header::CONTENT_TYPE, value);
        }
        Self { status, headers, content: Content::Bytes(body) }
    }

    pub(crate) fn dropped() -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), content: Content::Dropped }
    }

    /// Sets a header; a value that HTTP does not allow is left out.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        let parsed = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value));
        if let (Ok(name), Ok(value)) = parsed {
            self.headers.insert(name, value);
        }
        self
    }

    /// What the journal shows of it: status and JSON body.
    pub(crate) fn summary(&self) -> (Option<u16>, Value) {
        match &self.content {
            Content::Json(body) => (Some(self.status.as_u16()), body.clone()),
            Content::Bytes(body) => (Some(self.status.as_u16()), json!({ "bytes": body.len() })),
            Content::Dropped => (None, Value::Null),
        }
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(match self.content {
            Content::Json(body) => Body::from(body.to_string()),
            Content::Bytes(body) => Body::from(body),
            // The body fails before its first byte, so the server closes the connection before the head has been flushed.
            Content::Dropped => Body::from_stream(futures::stream::once(async {
                Err::<Bytes, _>(std::io::Error::other("connection dropped on request"))
            })),
        });
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
        headers.extend(self.headers);
        response
    }
}
