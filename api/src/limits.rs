//! Holds every request against the limits, after it is known who asks and before anything is done. Must not know what
//! is asked, nor how it is counted.

use crate::access;
use crate::auth::{Principal, Tenant};
use crate::error::{self, ApiError};
use crate::state::ApiState;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Extensions, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::json;
use sluice_records::ActorKind;
use sluice_records::limits::{Caller, Decision};

/// Refuses a request that is one too many. Where a limit counts, the answer says how much is left, in the headers of
/// <https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-06>.
pub(crate) async fn enforce(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Some(decision) = decide(&state, request.method(), request.extensions()).await? else {
        return Ok(next.run(request).await);
    };
    if !decision.allowed {
        return Err(too_many(&decision));
    }
    let mut response = next.run(request).await;
    for (name, value) in standing(&decision, decision.window_seconds) {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

async fn decide(
    state: &ApiState,
    method: &Method,
    extensions: &Extensions,
) -> Result<Option<Decision>, ApiError> {
    let (Some(path), Some(principal)) = (extensions.get::<MatchedPath>(), extensions.get::<Principal>())
    else {
        // A public route: it throttles by itself what must be throttled.
        return Ok(None);
    };
    let path = path.as_str();
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    let route = format!("{} {path}", if is_read { "GET" } else { method.as_str() });
    let permission = access::need(method, path).and_then(access::Need::permission);
    let resource = permission.and_then(|one| one.as_text().split(':').next()).unwrap_or("*");
    let actor = &principal.actor;
    let of_kind = |kind| (actor.kind == kind).then_some(actor.id.as_str());
    let routes = [route.as_str(), resource, if is_read { "read" } else { "write" }, "*"];
    let caller = Caller {
        routes: &routes,
        person: of_kind(ActorKind::Person),
        key: of_kind(ActorKind::Key),
        workspace: extensions.get::<Tenant>().map(|tenant| tenant.workspace_id.as_str()),
        address: actor.address.as_deref(),
        ..Caller::default()
    };
    Ok(state.records.admit(&caller).await?)
}

/// The answer to a request that is one too many.
pub(crate) fn too_many(decision: &Decision) -> ApiError {
    let wait = decision.retry_after_seconds;
    let message = format!(
        "{} in {} seconds are allowed; try again in {wait} seconds",
        decision.limit, decision.window_seconds
    );
    let error = ApiError::new(error::RATE_LIMITED, message)
        .details(json!({
            "limit": decision.limit,
            "window_seconds": decision.window_seconds,
            "limit_type": decision.limit_type,
            "retry_after_seconds": wait,
        }))
        .header(header::RETRY_AFTER, wait.into());
    standing(decision, wait).into_iter().fold(error, |error, (name, value)| error.header(name, value))
}

fn standing(decision: &Decision, reset: i64) -> [(HeaderName, HeaderValue); 4] {
    let policy = format!("{};w={}", decision.limit, decision.window_seconds);
    [
        (HeaderName::from_static("ratelimit-limit"), decision.limit.into()),
        (HeaderName::from_static("ratelimit-remaining"), decision.remaining.into()),
        (HeaderName::from_static("ratelimit-reset"), reset.into()),
        // Digits and two signs are always a header.
        (
            HeaderName::from_static("ratelimit-policy"),
            HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("")),
        ),
    ]
}
