//! From a request to the event that a webhook trigger sees: `{ method, path, headers, query, body }`.

use super::receive::Settings;
use crate::error::ApiError;
use crate::extract::{is_json, read_json, whole_body};
use crate::state::ApiState;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Headers that open doors have no place in a trace.
const HIDDEN: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Reads a request. JSON and forms become values, other text stays text, other bytes become base64 with
/// `body_encoding: "base64"` beside them.
pub(super) async fn read(
    state: &ApiState,
    path: &str,
    settings: &Settings,
    request: Request,
) -> Result<Value, ApiError> {
    let method = request.method().as_str().to_owned();
    let query = fields(request.uri().query().unwrap_or_default().as_bytes());
    let headers = headers(request.headers(), settings.credential.is_some());
    let kind = content_type(request.headers());
    let mut event = Map::with_capacity(6);
    event.insert("method".to_owned(), method.into());
    event.insert("path".to_owned(), path.into());
    event.insert("headers".to_owned(), headers.into());
    event.insert("query".to_owned(), query);
    if kind.starts_with("multipart/form-data") {
        // Boxed: forms are rare, and every request would carry the room for reading one.
        event.insert("body".to_owned(), Box::pin(multipart(state, request)).await?);
        return Ok(event.into());
    }
    let bytes = whole_body(request, state).await?;
    let (body, is_base64) = body(&kind, &bytes, state.config.limits.json_depth)?;
    event.insert("body".to_owned(), body);
    if is_base64 {
        event.insert("body_encoding".to_owned(), "base64".into());
    }
    Ok(event.into())
}

fn content_type(headers: &HeaderMap) -> String {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    text.unwrap_or_default().to_ascii_lowercase()
}

/// Header names in lower case. Repeated fields are joined as RFC 9110, section 5.3, allows. A secret header that the
/// door has checked is hidden when it looks like one.
fn headers(headers: &HeaderMap, is_guarded: bool) -> Map<String, Value> {
    let mut shown = Map::with_capacity(headers.keys_len());
    for header in headers.keys() {
        let name = header.as_str();
        let looks_secret =
            is_guarded && ["key", "token", "secret", "auth"].iter().any(|word| name.contains(word));
        if HIDDEN.contains(&name) || looks_secret {
            continue;
        }
        let mut values = headers.get_all(header).iter();
        let mut text = values.next().map(as_text).unwrap_or_default().into_owned();
        for value in values {
            text.push_str(", ");
            text.push_str(&as_text(value));
        }
        shown.insert(name.to_owned(), text.into());
    }
    shown
}

fn as_text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// Form fields; a field that is there several times becomes a list.
fn fields(text: &[u8]) -> Value {
    let mut fields = Map::new();
    for (name, value) in url::form_urlencoded::parse(text) {
        add(&mut fields, name.into_owned(), value.into_owned().into());
    }
    Value::Object(fields)
}

fn add(fields: &mut Map<String, Value>, name: String, value: Value) {
    match fields.get_mut(&name) {
        None => {
            fields.insert(name, value);
        }
        Some(Value::Array(list)) => list.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

fn body(kind: &str, bytes: &Bytes, max_depth: usize) -> Result<(Value, bool), ApiError> {
    if bytes.is_empty() {
        return Ok((Value::Null, false));
    }
    if is_json(kind) {
        return Ok((read_json(bytes, max_depth)?, false));
    }
    let is_form = kind.starts_with("application/x-www-form-urlencoded");
    // Callers that forget to name the type send JSON as a form, as curl does.
    let looks_json = matches!(bytes.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['));
    if (is_form || kind.is_empty())
        && looks_json
        && let Ok(value) = read_json(bytes, max_depth)
    {
        return Ok((value, false));
    }
    Ok(match std::str::from_utf8(bytes) {
        _ if is_form => (fields(bytes), false),
        Ok(text) => (text.into(), false),
        Err(_) => (STANDARD.encode(bytes).into(), true),
    })
}

/// Fields become text; files become `{ filename, content_type, size, base64 }`.
async fn multipart(state: &ApiState, request: Request) -> Result<Value, ApiError> {
    let refuse = |status: u16, message: String| match status {
        413 => ApiError::plain(crate::error::BODY_TOO_LARGE),
        _ => ApiError::new(crate::error::INVALID_BODY, message),
    };
    let mut form = Multipart::from_request(request, state)
        .await
        .map_err(|fault| refuse(fault.status().as_u16(), fault.body_text()))?;
    let mut fields = Map::new();
    while let Some(part) =
        form.next_field().await.map_err(|fault| refuse(fault.status().as_u16(), fault.body_text()))?
    {
        let name = part.name().unwrap_or_default().to_owned();
        let filename = part.file_name().map(ToOwned::to_owned);
        let kind = part.content_type().map(ToOwned::to_owned);
        let bytes = part.bytes().await.map_err(|fault| refuse(fault.status().as_u16(), fault.body_text()))?;
        let value = match (filename, std::str::from_utf8(&bytes)) {
            (None, Ok(text)) => text.into(),
            (filename, _) => json!({
                "filename": filename, "content_type": kind, "size": bytes.len(), "base64": STANDARD.encode(&bytes),
            }),
        };
        add(&mut fields, name, value);
    }
    Ok(Value::Object(fields))
}
