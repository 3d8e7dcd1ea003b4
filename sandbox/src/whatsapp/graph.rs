//! A call to the Graph API: version prefix, path segments, body as JSON, access token.
//!
//! It must not know the objects behind the ids.

use super::error::{Checked, GraphError};
use crate::config::SandboxConfig;
use crate::exchange::Call;
use axum::http::{Method, header};
use serde_json::{Map, Value};

/// A call with its path taken apart.
pub(crate) struct GraphCall<'a> {
    pub(crate) call: &'a Call,
    /// Major version, `22` for `v22.0`. `None` when the path has no version.
    pub(crate) version: Option<u32>,
    /// Path segments after the version.
    pub(crate) segments: Vec<String>,
    /// Scheme, host and port that URLs in answers start with.
    pub(crate) base_url: String,
}

impl<'a> GraphCall<'a> {
    pub(crate) fn new(call: &'a Call, configured_base: Option<&str>) -> Self {
        let mut segments = call.segments();
        let version = segments.first().and_then(|first| version(first));
        if version.is_some() {
            segments.remove(0);
        }
        let host = call.header(header::HOST).unwrap_or("127.0.0.1");
        let base_url = configured_base.map_or_else(|| format!("http://{host}"), str::to_owned);
        Self { call, version, segments, base_url }
    }

    /// Path without the version.
    pub(crate) fn bare_path(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }

    pub(crate) fn method(&self) -> &Method {
        &self.call.method
    }

    /// The body as a JSON object; an empty body is an empty object, a form becomes an object of its fields.
    pub(crate) fn json_body(&self) -> Checked<Map<String, Value>> {
        if self.call.body.is_empty() {
            return Ok(Map::new());
        }
        let kind = self.call.header(header::CONTENT_TYPE).unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            return Ok(form_fields(&self.call.body));
        }
        match serde_json::from_slice(&self.call.body) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(GraphError::parameter("Invalid parameter: the request body must be a JSON object.")),
            Err(error) => {
                Err(GraphError::with_details(100, format!("Invalid JSON in the request body: {error}")))
            }
        }
    }

    /// Refuses calls without a good access token. The token stands in the header or in the query.
    pub(crate) fn authorize(&self, config: &SandboxConfig) -> Checked<()> {
        let header = self.call.header(header::AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            (scheme.eq_ignore_ascii_case("bearer") || scheme == "OAuth").then(|| token.trim())
        });
        let token = header.or_else(|| self.call.query("access_token")).unwrap_or_default();
        if token.is_empty() {
            return Err(GraphError::bad_token("An access token is required to request this resource."));
        }
        let accepted = &config.access_tokens;
        if !accepted.is_empty() && !accepted.iter().any(|good| good == token) {
            return Err(GraphError::bad_token("Invalid OAuth access token - Cannot parse access token"));
        }
        Ok(())
    }

    /// The comma-separated names of `fields=`.
    pub(crate) fn fields(&self) -> Option<Vec<String>> {
        let names = self.call.query("fields")?;
        Some(names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect())
    }
}

/// `v22.0` is 22; anything else is no version.
fn version(segment: &str) -> Option<u32> {
    let major = segment.strip_prefix('v')?.strip_suffix(".0")?;
    (1..=2).contains(&major.len()).then(|| major.parse().ok()).flatten()
}

/// Objects and lists come as JSON text inside a form.
fn form_fields(body: &[u8]) -> Map<String, Value> {
    let parse = |text: &str| match text.starts_with(['{', '[']) {
        true => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        false => Value::from(text),
    };
    url::form_urlencoded::parse(body).map(|(key, value)| (key.into_owned(), parse(&value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_major_version_with_zero_is_a_version() {
        assert_eq!(version("v22.0"), Some(22));
        for other in ["v22.1", "22.0", "v.0", "v100.0", "vx.0", "messages"] {
            assert_eq!(version(other), None, "{other}");
        }
    }

    #[test]
    fn a_form_may_carry_json() {
        let fields = form_fields(b"to=%2B1&text=%7B%22body%22%3A%22x%22%7D");
        assert_eq!(fields["to"], "+1");
        assert_eq!(fields["text"]["body"], "x");
    }
}
