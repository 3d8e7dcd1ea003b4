//! The REST API of the measured server, over a few kept connections. Must not know why it is asked.

use crate::fault::{Fault, Tried, While as _};
use crate::wire::{Wire, request};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

/// A client of one server.
pub(crate) struct Rest {
    address: String,
    authorization: String,
    idle: Mutex<Vec<Wire>>,
}

impl Rest {
    /// A client of `host:port` with an API key; an empty key sends none.
    pub(crate) fn new(address: &str, key: &str) -> Self {
        let authorization =
            if key.is_empty() { "x-no-key: 1".to_owned() } else { format!("authorization: Bearer {key}") };
        Self { address: address.to_owned(), authorization, idle: Mutex::default() }
    }

    /// Status and JSON body of one request. A kept connection that has gone stale is opened anew once.
    ///
    /// # Errors
    /// [`Fault::Io`] when the server cannot be reached.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Tried<(u16, Value)> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let bytes = request(method, &self.address, path, &[&self.authorization], body.as_bytes());
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(wire) = kept
            && let Ok(answer) = self.exchange(wire, &bytes).await
        {
            return Ok(answer);
        }
        let connected =
            Wire::connect(&self.address).await.while_trying(|| format!("connecting to {}", self.address))?;
        self.exchange(connected, &bytes).await.while_trying(|| format!("{method} {path}"))
    }

    async fn exchange(&self, mut wire: Wire, bytes: &[u8]) -> std::io::Result<(u16, Value)> {
        let head = wire.ask(bytes).await?;
        let body = serde_json::from_slice(wire.body())
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(wire.body()).into_owned()));
        if !head.closes {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(wire);
        }
        Ok((head.status, body))
    }

    /// The body of a successful request.
    ///
    /// # Errors
    /// [`Fault::Refused`] for any status but 2xx, [`Fault::Io`] when the server cannot be reached.
    pub(crate) async fn expect(&self, method: &str, path: &str, body: Option<&Value>) -> Tried<Value> {
        let (status, answer) = self.call(method, path, body).await?;
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let body = answer.to_string().chars().take(600).collect();
        Err(Fault::Refused { what: format!("{method} {path}"), status, body })
    }

    /// What `GET path` shows.
    ///
    /// # Errors
    /// As [`Rest::expect`].
    pub(crate) async fn get(&self, path: &str) -> Tried<Value> {
        self.expect("GET", path, None).await
    }

    /// Creates and publishes a workflow; gives its id.
    ///
    /// # Errors
    /// As [`Rest::expect`].
    pub(crate) async fn publish(&self, document: &Value) -> Tried<String> {
        let created = self.expect("POST", "/api/workflows", Some(document)).await?;
        let id = created["id"].as_str().unwrap_or_default().to_owned();
        self.expect("POST", &format!("/api/workflows/{id}/publish"), Some(&json!({}))).await?;
        Ok(id)
    }

    /// All items of a list, page by page; `query` begins with `&` or is empty.
    ///
    /// # Errors
    /// As [`Rest::expect`].
    pub(crate) async fn all(&self, path: &str, query: &str) -> Tried<Vec<Value>> {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("{path}?limit=200{query}{cursor}")).await?;
            if let Some(items) = page["items"].as_array_mut() {
                found.append(items);
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={}", escaped(next)),
                None => return Ok(found),
            }
        }
    }
}

/// A query value with everything escaped that is not a letter, a digit or one of `-_.~`.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
