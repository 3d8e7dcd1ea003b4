//! The link for a person whose browser did not begin the sign-in: it shows who asks for what, and goes on only when they
//! say so. That ties the sign-in to this browser; nobody can lead somebody to a provider's page unseen.

use super::{connections, cookie};
use crate::error::ApiError;
use crate::extract::Query;
use crate::html::{self, escape, page};
use crate::state::ApiState;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// What the link holds.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct BeginQuery {
    /// Names the sign-in.
    state: String,
    /// Works once.
    ticket: String,
}

/// Show who asks for access to what, as a page for people.
#[utoipa::path(get, path = "/api/connections/begin", tag = "connections", params(BeginQuery),
    responses(
        (status = 200, description = "A page with a button", content_type = "text/html", body = String),
        (status = 400, description = "A page saying that the link does not work any more; `invalid_query` when it is none of ours", content((String = "text/html"), (crate::error::ErrorBody = "application/json"))),
        (status = 404, description = "A page saying what is missing", content_type = "text/html", body = String),
    ))]
pub(crate) async fn show(State(state): State<ApiState>, Query(link): Query<BeginQuery>) -> Response {
    match asked(&state, &link).await {
        Ok(body) => html::answer(StatusCode::OK, page("Connect an account", &body)),
        Err(fault) => told(&fault),
    }
}

async fn asked(state: &ApiState, link: &BeginQuery) -> Result<String, ApiError> {
    let open = connections(state)?.asked(&link.state, &link.ticket).await?;
    let workspace = state.records.workspace(&open.workspace_id).await?;
    let scopes: String = open.scopes.iter().map(|scope| format!("<li>{}</li>", escape(scope))).collect();
    Ok(format!(
        "<h1>Connect your {provider} account?</h1>\n<p>The workspace “{workspace}” will be able to act for you there, under the \
         name “{name}”. Asked by {by}.</p>\n<p>It asks for:</p>\n<ul>{scopes}</ul>\n<p>Go on only if you know who sent \
         you this link.</p>\n<form method=\"post\"><div class=\"actions\">\
         <button class=\"yes\">Go on to {provider}</button></div></form>",
        provider = escape(&open.provider),
        workspace = escape(&workspace.name),
        name = escape(&open.name),
        by = escape(&open.started_by),
    ))
}

/// Go on to the provider, from this browser. Works once.
#[utoipa::path(post, path = "/api/connections/begin", tag = "connections", params(BeginQuery),
    responses(
        (status = 303, description = "To the provider"),
        (status = 400, description = "A page saying that the link does not work any more; `invalid_query` when it is none of ours", content((String = "text/html"), (crate::error::ErrorBody = "application/json"))),
        (status = 404, description = "A page saying what is missing", content_type = "text/html", body = String),
    ))]
pub(crate) async fn go_on(State(state): State<ApiState>, Query(link): Query<BeginQuery>) -> Response {
    let begun = async { Ok::<_, ApiError>(connections(&state)?.hand_over(&link.state, &link.ticket).await?) };
    match begun.await {
        Ok(started) => redirect(&started.authorize_url, |headers| {
            let value = cookie::write(&state, &started.state, &started.browser, started.life);
            headers.insert(header::SET_COOKIE, value);
        }),
        Err(fault) => told(&fault),
    }
}

/// 303 to an address that we made.
pub(super) fn redirect(address: &str, more: impl FnOnce(&mut HeaderMap)) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(value) = HeaderValue::from_str(address) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    more(response.headers_mut());
    response
}

/// A page that says what went wrong.
pub(super) fn told(fault: &ApiError) -> Response {
    let body = format!("<h1 role=\"alert\">That did not work</h1>\n<p>{}</p>", escape(fault.message()));
    html::answer(fault.code().http_status(), page("That did not work", &body))
}
