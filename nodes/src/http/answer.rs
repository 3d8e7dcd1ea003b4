//! What came back: errors by status, `Retry-After`, and the body as JSON, text or file. Pure.

use super::auth::Auth;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sluice_node_sdk::error::NodeError;
use sluice_node_sdk::http::HttpResponse;
use sluice_node_sdk::item::FileRef;

/// How the body is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum As {
    /// By its content type.
    #[default]
    Auto,
    /// JSON; anything else is an error.
    Json,
    /// Text.
    Text,
    /// A file of the item.
    File,
}

/// A body that was read: a value, or a file.
#[derive(Debug, PartialEq)]
pub(crate) enum Read {
    Value(Value),
    File(FileRef),
}

/// How much of an error's body is kept.
const KEPT_BYTES: usize = 4 * 1024;

/// The error of a status that is not accepted.
pub(crate) fn status_error(answer: &HttpResponse, auth: &Auth, now_ms: i64) -> NodeError {
    let text = format!("The server answered with status {}", answer.status);
    let error = match answer.status {
        429 => NodeError::rate_limited(text),
        408 | 425 | 500.. => NodeError::unavailable(text),
        401 | 403 | 407 => NodeError::auth(text),
        _ => NodeError::rejected(text),
    };
    let error = error.code(format!("http_{}", answer.status)).details(details(answer, auth));
    match answer.header("retry-after").and_then(|value| retry_after_ms(value, now_ms)) {
        Some(pause) => error.retry_after(pause),
        None => error,
    }
}

fn details(answer: &HttpResponse, auth: &Auth) -> Value {
    let head = &answer.body[..answer.body.len().min(KEPT_BYTES)];
    let text = auth.hide(&String::from_utf8_lossy(head));
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    json!({ "status": answer.status, "body": body })
}

/// `Retry-After`: seconds, or an HTTP date. At most a week.
pub(crate) fn retry_after_ms(value: &str, now_ms: i64) -> Option<u64> {
    const LONGEST: u64 = 7 * 24 * 3600 * 1_000;
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds.saturating_mul(1_000).min(LONGEST));
    }
    let at: Timestamp = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    u64::try_from(at.as_millisecond().saturating_sub(now_ms).max(0)).ok().map(|pause| pause.min(LONGEST))
}

/// Header fields as an object; a repeated field becomes one text, joined by commas, except for cookies.
pub(crate) fn headers(answer: &HttpResponse) -> Value {
    let mut map = Map::new();
    for (name, value) in &answer.headers {
        match map.get_mut(name) {
            None => {
                map.insert(name.clone(), value.as_str().into());
            }
            Some(Value::Array(values)) => values.push(value.as_str().into()),
            Some(Value::String(first)) if name != "set-cookie" => {
                first.push_str(", ");
                first.push_str(value);
            }
            Some(existing) => *existing = json!([existing.take(), value]),
        }
    }
    Value::Object(map)
}

/// Reads the body.
///
/// # Errors
/// `InvalidInput` with code `response_not_json` when JSON was demanded.
pub(crate) fn read(answer: &HttpResponse, wanted: As) -> Result<Read, NodeError> {
    let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_owned();
    let value = |value| Ok(Read::Value(value));
    match wanted {
        As::Json if answer.body.is_empty() => value(Value::Null),
        As::Json => serde_json::from_slice(&answer.body).map(Read::Value).map_err(|error| {
            let message = format!("The answer is not JSON: {error}");
            NodeError::invalid_input(message).code("response_not_json")
        }),
        As::Text => value(decoded(answer, &kind).into()),
        As::File => Ok(Read::File(file(answer, &essence))),
        As::Auto if answer.body.is_empty() => value(Value::Null),
        As::Auto if essence == "application/json" || essence.ends_with("+json") => {
            value(answer.json().unwrap_or_else(|| decoded(answer, &kind).into()))
        }
        As::Auto if is_text(&essence) => value(decoded(answer, &kind).into()),
        // Without a content type: text when it can be read, a file otherwise.
        As::Auto if essence.is_empty() => match std::str::from_utf8(&answer.body) {
            Ok(text) => value(answer.json().unwrap_or_else(|| text.into())),
            Err(_) => Ok(Read::File(file(answer, &essence))),
        },
        As::Auto => Ok(Read::File(file(answer, &essence))),
    }
}

fn is_text(essence: &str) -> bool {
    const TEXTS: [&str; 6] = [
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/javascript",
        "application/x-ndjson",
        "application/yaml",
        "application/graphql",
    ];
    essence.starts_with("text/") || essence.ends_with("+xml") || TEXTS.contains(&essence)
}

/// UTF-8, or one byte per character where the content type says so.
fn decoded(answer: &HttpResponse, content_type: &str) -> String {
    let single_byte = ["charset=iso-8859-1", "charset=windows-1252", "charset=latin1", "charset=us-ascii"];
    let plain = content_type.replace(['"', ' '], "");
    if single_byte.iter().any(|name| plain.contains(name)) {
        return answer.body.iter().map(|byte| char::from(*byte)).collect();
    }
    answer.text().trim_start_matches('\u{feff}').to_owned()
}

fn file(answer: &HttpResponse, essence: &str) -> FileRef {
    let mime = if essence.is_empty() { "application/octet-stream" } else { essence };
    FileRef::new(file_name(answer), mime, answer.body.clone())
}

/// A name from `Content-Disposition`, else the end of the URL's path.
fn file_name(answer: &HttpResponse) -> String {
    let given = answer.header("content-disposition").and_then(|value| {
        let at = value.to_ascii_lowercase().find("filename=")? + "filename=".len();
        let rest = value.get(at..)?;
        let name = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next()?,
            None => rest.split(';').next()?.trim(),
        };
        (!name.is_empty()).then(|| name.to_owned())
    });
    let from_url = || {
        let url = url::Url::parse(&answer.url).ok()?;
        url.path_segments()?.next_back().filter(|name| !name.is_empty()).map(ToOwned::to_owned)
    };
    given.or_else(from_url).unwrap_or_else(|| "response".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use sluice_node_sdk::error::ErrorKind;

    fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> HttpResponse {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpResponse {
            status,
            headers,
            body: Bytes::copy_from_slice(body),
            url: "https://h.test/a/b.bin?q".into(),
        }
    }

    #[test]
    fn retry_after_in_seconds_and_as_date() {
        let now = 784_111_777_000; // Sun, 06 Nov 1994 08:49:37 GMT
        let cases = [
            ("120", Some(120_000)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30_000)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("99999999999999999999", None),
            ("99999999", Some(604_800_000)),
            ("soon", None),
            ("", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(retry_after_ms(text, now), wanted, "{text}");
        }
    }

    #[test]
    fn statuses_have_kinds() {
        use ErrorKind::{Auth as Login, RateLimited, Rejected, Unavailable};
        let cases = [
            (400, Rejected),
            (401, Login),
            (403, Login),
            (404, Rejected),
            (408, Unavailable),
            (409, Rejected),
            (422, Rejected),
            (429, RateLimited),
            (500, Unavailable),
            (503, Unavailable),
            (599, Unavailable),
        ];
        for (status, kind) in cases {
            let error = status_error(&answer(status, &[("retry-after", "3")], b"{}"), &Auth::default(), 0);
            assert_eq!((error.kind, error.retry_after_ms), (kind, Some(3_000)), "{status}");
            assert_eq!(error.code, format!("http_{status}"));
        }
    }

    #[test]
    fn bodies_by_content_type() {
        let json = [("content-type", "application/problem+json; charset=utf-8")];
        assert_eq!(read(&answer(200, &json, b"[1]"), As::Auto).unwrap(), Read::Value(json!([1])));
        assert_eq!(read(&answer(200, &json, b"oops"), As::Auto).unwrap(), Read::Value(json!("oops")));
        assert_eq!(read(&answer(200, &json, b"oops"), As::Json).unwrap_err().code, "response_not_json");
        assert_eq!(read(&answer(204, &[], b""), As::Auto).unwrap(), Read::Value(Value::Null));
        let latin = [("content-type", "text/html; charset=\"ISO-8859-1\"")];
        assert_eq!(read(&answer(200, &latin, b"caf\xe9"), As::Auto).unwrap(), Read::Value(json!("café")));
        assert_eq!(read(&answer(200, &[], b"{\"a\":1}"), As::Auto).unwrap(), Read::Value(json!({ "a": 1 })));
        let Read::File(file) =
            read(&answer(200, &[("content-type", "image/png")], b"\x89P"), As::Auto).unwrap()
        else {
            panic!("expected a file");
        };
        assert_eq!((file.name.as_str(), file.mime_type.as_str(), file.size), ("b.bin", "image/png", 2));
        let named = [("content-disposition", "attachment; filename=\"r 1.csv\"")];
        let Read::File(file) = read(&answer(200, &named, b"a"), As::File).unwrap() else {
            panic!("expected a file")
        };
        assert_eq!(file.name, "r 1.csv");
    }

    #[test]
    fn repeated_headers() {
        let answer = answer(
            200,
            &[("a", "1"), ("a", "2"), ("set-cookie", "x"), ("set-cookie", "y"), ("set-cookie", "z")],
            b"",
        );
        assert_eq!(headers(&answer), json!({ "a": "1, 2", "set-cookie": ["x", "y", "z"] }));
    }
}
