//! Reading requests: bodies, queries and paths, with every refusal in the envelope. Must not know what is read.

use crate::error::{self, ApiError};
use crate::state::ApiState;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A JSON body of a known shape.
pub(crate) struct Body<T>(pub(crate) T);

/// A JSON body that may be missing; then the default.
pub(crate) struct OptionalBody<T>(pub(crate) T);

/// The query string.
pub(crate) struct Query<T>(pub(crate) T);

/// Parts of the path.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<ApiState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        check_json_type(&request)?;
        let bytes = whole_body(request, state).await?;
        read_json(&bytes, state.config.limits.json_depth).and_then(shape).map(Self)
    }
}

impl<T: DeserializeOwned + Default> FromRequest<ApiState> for OptionalBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        let typed = check_json_type(&request);
        let bytes = whole_body(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        typed?;
        match read_json(&bytes, state.config.limits.json_depth)? {
            Value::Null => Ok(Self(T::default())),
            value => shape(value).map(Self),
        }
    }
}

impl<T: DeserializeOwned> FromRequestParts<ApiState> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let refuse = |reason: String| ApiError::new(error::INVALID_QUERY, reason);
        if query.contains("%00") {
            return Err(refuse("the query holds a NUL character".to_owned()));
        }
        axum::extract::Query::<T>::try_from_uri(&parts.uri)
            .map(|query| Self(query.0))
            .map_err(|rejection| refuse(rejection.body_text()))
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<ApiState> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        if parts.uri.path().contains("%00") {
            return Err(ApiError::new(error::INVALID_PATH, "the address holds a NUL character"));
        }
        axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map(|path| Self(path.0))
            .map_err(|rejection| ApiError::new(error::INVALID_PATH, rejection.body_text()))
    }
}

/// The whole body, within the limit of its route.
pub(crate) async fn whole_body(request: Request, state: &ApiState) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::plain(error::BODY_TOO_LARGE),
        _ => ApiError::new(error::INVALID_JSON, "the body could not be read to its end"),
    })
}

/// JSON must be called JSON (or nothing): a form of a foreign page cannot then pass for an API request.
fn check_json_type(request: &Request) -> Result<(), ApiError> {
    let Some(declared) = request.headers().get(header::CONTENT_TYPE) else { return Ok(()) };
    match declared.to_str() {
        Ok(declared) if is_json(declared) => Ok(()),
        _ => Err(ApiError::plain(error::UNSUPPORTED_MEDIA_TYPE)),
    }
}

/// Whether a content type is `application/json` or of the form `application/…+json`.
pub(crate) fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Reads JSON text. Depth is bounded before it is read.
pub(crate) fn read_json(bytes: &[u8], max_depth: usize) -> Result<Value, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|failure| {
        ApiError::new(error::INVALID_JSON, "the body is not UTF-8 text")
            .details(json!({ "offset": failure.valid_up_to() }))
    })?;
    if let Some(offset) = too_deep(bytes, max_depth) {
        let message = format!("the body is nested more than {max_depth} levels deep");
        return Err(ApiError::new(error::INVALID_JSON, message).details(json!({ "offset": offset })));
    }
    serde_json::from_str(text).map_err(|failure| {
        let message = format!("the body is not JSON: {failure}");
        ApiError::new(error::INVALID_JSON, message)
            .details(json!({ "line": failure.line(), "column": failure.column() }))
    })
}

/// The offset at which JSON gets deeper than allowed. Brackets inside text do not count.
fn too_deep(bytes: &[u8], max_depth: usize) -> Option<usize> {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (offset, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                if depth > max_depth {
                    return Some(offset);
                }
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// JSON in the expected shape.
pub(crate) fn shape<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(value).map_err(|failure| {
        let path = pointer(failure.path());
        ApiError::new(error::INVALID_BODY, failure.into_inner().to_string()).at(&path)
    })
}

/// A place found by serde as a JSON pointer.
pub(crate) fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let parts = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    parts.fold(String::new(), |text, part| text + "/" + part.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_text_only() {
        assert_eq!(too_deep(br#"{"a":"[[[[","b":[1]}"#, 2), None);
        assert_eq!(too_deep(br#"{"a":"\"[[","b":[[1]]}"#, 2), Some(17));
        assert_eq!(too_deep(b"]]]][", 1), None);
    }

    #[test]
    fn json_types() {
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/cloudevents+json"] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/json+x"] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
