//! Pages for people who follow a link: small, readable on a phone, usable without a mouse and without scripts. Must not
//! know what a page is about.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1.0625rem/1.5 system-ui,sans-serif;margin:0;padding:1.5rem;max-width:36rem;margin-inline:auto}\
h1{font-size:1.4rem;line-height:1.25}\
.message{white-space:pre-wrap;overflow-wrap:anywhere}\
.from{opacity:.75;font-size:.9375rem}\
label{display:block;font-weight:600;margin-top:1.5rem}\
textarea{font:inherit;width:100%;box-sizing:border-box;min-height:5rem;margin-top:.25rem;padding:.5rem}\
.actions{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1rem}\
button{font:inherit;font-weight:600;flex:1 1 10rem;min-height:3rem;border-radius:.5rem;border:2px solid;cursor:pointer}\
.yes{background:#116329;border-color:#116329;color:#fff}\
.no{background:#fff;border-color:#a40e26;color:#a40e26}\
button:focus-visible,textarea:focus-visible{outline:3px solid #0969da;outline-offset:2px}";

/// Whether whoever asks reads pages: a browser that goes to an address, not a program.
pub(crate) fn is_wanted(asked: &HeaderMap) -> bool {
    let accepted = asked.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

/// An answer that is a page.
pub(crate) fn answer(status: StatusCode, text: String) -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex")),
    ];
    (status, headers, text).into_response()
}

/// A whole page around a body.
pub(crate) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n",
        escape(title)
    )
}

/// Text as HTML shows it.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
