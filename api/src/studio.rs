//! The studio over HTTP: its files, and its page at every address that is a person's and nobody else's. Must not know
//! what the pages do.

use crate::{html, layers};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sluice_studio::{File, INDEX};

/// Scripts and data come from here alone. Styles are also written by the code editor while it runs; pictures may be those
/// of a brand or of a customer's message.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https:; \
                      media-src 'self' blob: https:; object-src 'none'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

/// First segments of addresses that programs use: what is not found there is an error, not a page.
const PROGRAMS: [&str; 6] = ["api", "hooks", "assets", "healthz", "readyz", "metrics"];

/// Answers what no route answers.
pub(crate) async fn serve(request: Request) -> Response {
    match find(request.method(), request.uri().path(), request.headers()) {
        Some(Found::File(file)) => answer(file, request.headers()),
        Some(Found::NotBuilt) => html::answer(StatusCode::SERVICE_UNAVAILABLE, not_built()),
        None => layers::no_such_route().await.into_response(),
    }
}

enum Found {
    File(File),
    NotBuilt,
}

fn find(method: &Method, path: &str, headers: &HeaderMap) -> Option<Found> {
    if method != Method::GET && method != Method::HEAD {
        return None;
    }
    let path = path.trim_start_matches('/');
    if let Some(file) = sluice_studio::file(path) {
        return Some(Found::File(file));
    }
    let is_of_programs = path.split('/').next().is_some_and(|first| PROGRAMS.contains(&first));
    if is_of_programs || !html::is_wanted(headers) {
        return None;
    }
    Some(sluice_studio::file(INDEX).map_or(Found::NotBuilt, Found::File))
}

fn answer(file: File, asked: &HeaderMap) -> Response {
    let tag: String = file.hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    // A year is "for ever" (RFC 9111 5.2.2.1); the page itself is asked for each time.
    let caching = if file.is_immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    let is_known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let header_of =
        |text: String, otherwise| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(otherwise));
    let media_type = header_of(file.media_type, "application/octet-stream");
    let headers = [
        (header::ETAG, header_of(tag, "")),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    if is_known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, [(header::CONTENT_TYPE, media_type)], file.bytes).into_response()
}

fn not_built() -> String {
    html::page(
        "Sluice",
        "<h1>The studio is not part of this build</h1>\n\
         <p>The service runs, and so does its <a href=\"/api/openapi.json\">API</a>. To have the pages too, run \
         <code>make studio</code> in the source folder (it needs Node.js) and build the program again.</p>",
    )
}
