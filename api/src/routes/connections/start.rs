//! Begins a sign-in at a provider.

use super::{connections, cookie};
use crate::auth::Tenant;
use crate::error::ApiError;
use crate::extract::{Body, Path};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};
use sluice_records::ActorKind;
use sluice_records::connections::StartConnection;

/// An account to connect.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionRequest {
    /// What workflows call the credential: a new name, or that of a connected account that is to be granted again.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What is asked for, such as `https://www.googleapis.com/auth/spreadsheets`.
    #[serde(default)]
    scopes: Vec<String>,
    /// Where the browser goes afterwards: a path of this server. It gets `connection` and `status`, or `error`, as parameters.
    #[serde(default)]
    return_to: Option<String>,
}

/// A sign-in that was begun.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct StartedView {
    /// Where the browser that sent this request goes. The answer sets a cookie that it must bring back.
    authorize_url: String,
    /// For callers with an API key: a link that works once, for a person in another browser. It shows what is asked for.
    #[schema(required)]
    begin_url: Option<String>,
    /// How long the person may take, seconds.
    expires_in: i64,
}

/// Begin to connect an account at a provider. The state is signed, works once and for ten minutes, and only in the browser that
/// holds the cookie of this answer (or that opened `begin_url`); a person must come back as themselves.
#[utoipa::path(post, path = "/api/connections/{id}/start", tag = "connections",
    params(("id" = String, Path, description = "The provider: `google`")), request_body = ConnectionRequest,
    responses(
        (status = 200, description = "Where to go", body = StartedView),
        (status = 409, description = "`conflict`: the name is another credential's", body = crate::error::ErrorBody),
        (status = 404, description = "`provider_not_configured`", body = crate::error::ErrorBody),
    ))]
pub(crate) async fn start(
    State(state): State<ApiState>,
    tenant: Tenant,
    Path(provider): Path<String>,
    Body(request): Body<ConnectionRequest>,
) -> Result<([(HeaderName, HeaderValue); 2], Json<StartedView>), ApiError> {
    let actor = &tenant.principal.actor;
    let is_person = actor.kind == ActorKind::Person;
    let wish = StartConnection {
        provider,
        name: request.name,
        scopes: request.scopes,
        return_to: request.return_to,
        person_id: is_person.then(|| actor.id.clone()),
        started_by: tenant.principal.signature(),
    };
    let started = connections(&state)?.start(&tenant.workspace_id, wish).await?;
    let begin_url = started.ticket.as_ref().map(|ticket| {
        format!("{}/api/connections/begin?state={}&ticket={ticket}", state.config.public_url, started.state)
    });
    let cookie = cookie::write(&state, &started.state, &started.browser, started.life);
    let headers =
        [(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let view = StartedView { authorize_url: started.authorize_url, begin_url, expires_in: started.life };
    Ok((headers, Json(view)))
}
