//! What surrounds every handler: request ids, the error envelope, times, panics, security headers. Must not know
//! routes.

use crate::client::note_client;
use crate::error::{self, ApiError, Envelope, ErrorBody, ErrorFields};
use crate::state::ApiState;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::Instrument;

/// Names a request in the log, in and out.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, for handlers.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

/// Gives the request its id and its caller's address, logs and counts it, catches its panics, puts a failure into the envelope, and tells
/// browsers to do nothing clever. One layer for all of it: each costs a copy of everything within it per request.
pub(crate) async fn surround(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let id = given_id(&request).unwrap_or_else(|| state.engine.new_id("req"));
    let method = request.method().clone();
    // The pattern and not the address: addresses may hold tokens.
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let (method, route) = (method.as_str(), matched.as_ref().map_or("unmatched", MatchedPath::as_str));
    let span = tracing::info_span!("request", request_id = %id, method, route);
    let is_private = request.uri().path().starts_with("/api/");
    request.extensions_mut().insert(RequestId(id.as_str().into()));
    note_client(&state, &mut request);
    let began = Instant::now();
    let mut response = unpanicked(next.run(request)).instrument(span.clone()).await;
    secure(&mut response, is_private);
    fill_envelope(&mut response, &id);
    let (status, took) = (response.status().as_u16(), began.elapsed());
    tracing::debug!(parent: &span, status, took_ms = took.as_millis() as u64, "answered");
    state.metrics.count_request(method, route, status, took);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The caller's own id, if it is harmless.
fn given_id(request: &Request) -> Option<String> {
    let given = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_.:/=+".contains(c);
    (!given.is_empty() && given.len() <= 128 && given.chars().all(harmless)).then(|| given.to_owned())
}

fn fill_envelope(response: &mut Response, request_id: &str) {
    let Some(Envelope(fields)) = response.extensions_mut().remove::<Envelope>() else { return };
    let body = ErrorBody { error: ErrorFields { request_id: request_id.to_owned(), ..(*fields).clone() } };
    let text = serde_json::to_string(&body).unwrap_or_default();
    *response.body_mut() = text.into();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().remove(header::CONTENT_LENGTH);
}

/// Sets the headers that tell browsers to do nothing clever; a handler that set one itself knows better.
fn secure(response: &mut Response, is_private: bool) {
    let mut set = |name: HeaderName, value: &'static str| {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    if is_private {
        set(header::CACHE_CONTROL, "no-store");
    }
}

/// Gives a request up after a while.
pub(crate) async fn limit_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::plain(error::TIMED_OUT).into_response(),
    }
}

/// The answer of a handler. That it panicked is logged with its message and hidden from the caller.
async fn unpanicked(answer: impl Future<Output = Response>) -> Response {
    let panic = match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(response) => return response,
        Err(panic) => panic,
    };
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    tracing::error!(panic = text, "a handler panicked");
    ApiError::plain(error::INTERNAL).into_response()
}

/// An address that is not of this API.
pub(crate) async fn no_such_route() -> ApiError {
    ApiError::plain(error::NO_SUCH_ROUTE)
}

/// A method that an address does not have. The router adds the header `Allow`.
pub(crate) async fn method_not_allowed() -> ApiError {
    debug_assert_eq!(error::METHOD_NOT_ALLOWED.status, StatusCode::METHOD_NOT_ALLOWED.as_u16());
    ApiError::plain(error::METHOD_NOT_ALLOWED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::{from_fn, from_fn_with_state};
    use axum::routing::get;
    use tower::ServiceExt;

    async fn answer(routes: Router) -> Option<&'static str> {
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = routes.oneshot(request).await.unwrap();
        response.extensions().get::<Envelope>().map(|Envelope(fields)| fields.code)
    }

    #[tokio::test]
    async fn a_panic_becomes_an_envelope() {
        let broken = || async {
            if Vec::<u8>::new().is_empty() {
                panic!("the secret reason")
            }
        };
        let caught = from_fn(async |request: Request, next: Next| unpanicked(next.run(request)).await);
        assert_eq!(answer(Router::new().route("/", get(broken)).layer(caught)).await, Some("internal"));
    }

    #[tokio::test]
    async fn what_takes_too_long_is_given_up() {
        let endless = || async { std::future::pending::<()>().await };
        let limit = from_fn_with_state(Duration::from_millis(1), limit_time);
        assert_eq!(answer(Router::new().route("/", get(endless)).layer(limit)).await, Some("timed_out"));
    }
}
