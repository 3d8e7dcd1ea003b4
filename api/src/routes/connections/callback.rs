//! The provider sent the browser back.

use super::begin::{redirect, told};
use super::{connections, cookie};
use crate::auth::whoever;
use crate::error::ApiError;
use crate::extract::Query;
use crate::html::{self, escape, page};
use crate::state::ApiState;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use sluice_records::connections::{Callback, Connection};
use sluice_records::{ActorKind, ConnectionError};

/// What providers send along. They add parameters of their own, which are ignored.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CallbackQuery {
    /// From the beginning of the sign-in.
    #[serde(default)]
    state: String,
    /// To be exchanged for tokens.
    #[serde(default)]
    code: Option<String>,
    /// In place of a code.
    #[serde(default)]
    error: Option<String>,
}

/// Come back from a provider. Only the browser that holds the cookie of the sign-in gets through, once.
#[utoipa::path(get, path = "/api/connections/callback", tag = "connections", params(CallbackQuery),
    responses(
        (status = 200, description = "A page saying that the account is connected", content_type = "text/html", body = String),
        (status = 303, description = "To `return_to`, with `connection` and `status`, or with `error`"),
        (status = 400, description = "A page: `sign_in_invalid`; `invalid_query` when it is no answer of a provider", content((String = "text/html"), (crate::error::ErrorBody = "application/json"))),
        (status = 403, description = "A page: `sign_in_elsewhere`", content_type = "text/html", body = String),
        (status = 409, description = "A page saying what stands in the way", content_type = "text/html", body = String),
        (status = 422, description = "A page: `connection_denied`", content_type = "text/html", body = String),
        (status = 503, description = "A page: `provider_unavailable`", content_type = "text/html", body = String),
    ))]
pub(crate) async fn callback(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Query(query): Query<CallbackQuery>,
) -> Response {
    let connections = match connections(&state) {
        Ok(connections) => connections.clone(),
        Err(fault) => return told(&fault),
    };
    let sign_in = query.state.clone();
    let person = whoever(&state, &headers).await.map(|principal| principal.actor);
    let callback = Callback {
        browser: cookie::read(&headers, &sign_in),
        person_id: person.filter(|actor| actor.kind == ActorKind::Person).map(|actor| actor.id),
        state: query.state,
        code: query.code,
        error: query.error,
    };
    // A browser that goes away must not leave a code exchanged and its tokens lost.
    let finished = match crate::answer::to_the_end(async move { connections.finish(callback).await }).await {
        Ok(Ok(finished)) => finished,
        Ok(Err(failure)) => return told(&failure.into()),
        Err(fault) => return told(&fault),
    };
    let answer = match &finished.return_to {
        Some(path) => {
            redirect(&format!("{}{}", state.config.public_url, with(path, finished.result)), |_| {})
        }
        None => shown(finished.result),
    };
    let mut answer = answer;
    answer.headers_mut().append(header::SET_COOKIE, cookie::write(&state, &sign_in, "", 0));
    answer
}

/// The path with what came of it.
fn with(path: &str, result: Result<Connection, ConnectionError>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    match result {
        Ok(connection) => {
            query
                .append_pair("connection", &connection.credential_id)
                .append_pair("status", &connection.status);
        }
        Err(failure) => {
            query.append_pair("error", ApiError::from(failure).code().code);
        }
    }
    let (path, fragment) = path.split_once('#').map_or((path, None), |(path, rest)| (path, Some(rest)));
    let joint = if path.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|text| format!("#{text}")).unwrap_or_default();
    format!("{path}{joint}{}{fragment}", query.finish())
}

fn shown(result: Result<Connection, ConnectionError>) -> Response {
    match result {
        Ok(connection) => {
            let account = connection.account.unwrap_or_else(|| "The account".to_owned());
            let reason =
                connection.reason.map(|reason| format!("<p>{}</p>", escape(&reason))).unwrap_or_default();
            let body = format!(
                "<h1 role=\"status\">Connected</h1>\n<p>{} is connected. You can close this page.</p>{reason}",
                escape(&account)
            );
            html::answer(StatusCode::OK, page("Connected", &body))
        }
        Err(failure) => told(&failure.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_it_is_added_to_any_path() {
        for (path, expected) in [
            ("/studio", "/studio?error=sign_in_invalid"),
            ("/studio?tab=2#top", "/studio?tab=2&error=sign_in_invalid#top"),
        ] {
            assert_eq!(with(path, Err(ConnectionError::BadState)), expected);
        }
    }
}
